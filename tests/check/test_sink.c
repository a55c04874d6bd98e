/* SPDX-License-Identifier: MIT */
#include "cli/check/sink.h"
#include "cli/check/sink_smtp.h"
#include "core/base/fdio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/test_sink.XXXXXX";

static int
make_dir(void **state)
{
	char name[64];

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	for (const char *const *sub =
		 (const char *const[]){ "tmp", "new", "cur", NULL };
	     *sub; sub++) {
		snprintf(name, sizeof(name), "%s/%s", dir, *sub);
		if (mkdir(name, 0700) < 0)
			return -1;
	}
	return 0;
}

static int
remove_dir(void **state)
{
	int fd = fdio_open_dir("/tmp");

	(void)state;
	fdio_remove_tree(fd, dir + strlen("/tmp/"));
	return close(fd);
}

static void
put(const char *name, const char *text)
{
	int fd = fdio_open_dir(dir);

	assert_int_equal(
	    fdio_write_file(fd, name, 0600, text, strlen(text)), 0);
	close(fd);
}

static void
messages_are_found_where_agents_put_them(void **state)
{
	struct sink s;

	(void)state;
	assert_int_equal(sink_init(&s, dir), 0);
	put("new/1.host", "X-Milter-Check: run.1\n\nmaildir\n");
	put("plain", "Subject: x\r\nX-Milter-Check: run.12\r\n\r\nplain\r\n");
	put(".hidden", "X-Milter-Check: run.3\n\nbeing written\n");
	put("tmp/2.host", "X-Milter-Check: run.4\n\nbeing written\n");
	assert_int_equal(sink_look(&s), 0);
	assert_true(sink_has(&s, "run.1"));
	assert_true(sink_has(&s, "run.12"));
	assert_false(sink_has(&s, "run.2"));
	assert_false(sink_has(&s, "run.3"));
	assert_false(sink_has(&s, "run.4"));
	sink_fini(&s);
}

static void
a_missing_directory_is_told(void **state)
{
	struct sink s;

	(void)state;
	assert_true(sink_init(&s, "/nonexistent/sink") < 0);
	sink_fini(&s);
}

static void
copies_are_one_message_with_all_recipients(void **state)
{
	static const char first[] = "Return-Path: <a@x>\n"
				    "Delivered-To: one@y\nSubject: s\n\nb\n";
	static const char second[] = "X-Envelope-From: <a@x>\r\n"
				     "X-Envelope-To: <Two@y> NOTIFY=NEVER\r\n"
				     "Subject: s\r\n\r\nb\r\n";
	struct sink_message m;

	(void)state;
	sink_message_init(&m);
	assert_int_equal(sink_message_add(&m, first, sizeof(first) - 1), 0);
	assert_int_equal(sink_message_add(&m, second, sizeof(second) - 1), 0);
	assert_int_equal(m.copies, 2);
	assert_true(m.has_from && m.has_to);
	assert_string_equal(buf_cstr(&m.from), "a@x");
	assert_true(sink_message_is_to(&m, "one@y"));
	assert_true(sink_message_is_to(&m, "two@y"));
	assert_false(sink_message_is_to(&m, "three@y"));
	assert_string_equal(buf_cstr(&m.text), "Subject: s\n\nb\n");
	assert_int_equal(m.body, strlen("Subject: s\n\n"));
	sink_message_fini(&m);
}

static void
fields_are_found_by_name_and_number(void **state)
{
	static const char text[] = "X-A: 1\r\nx-a:two\r\n\tfolded\r\n"
				   "X-B:\r\n\r\nX-A: body\r\n";
	struct sink_message m;
	const char *value;
	unsigned line;

	(void)state;
	sink_message_init(&m);
	assert_int_equal(sink_message_add(&m, text, sizeof(text) - 1), 0);
	assert_int_equal(sink_message_field(&m, "X-A", 1, &value, &line), 2);
	assert_memory_equal(value, " 1", 2);
	assert_int_equal(line, 0);
	assert_int_equal(sink_message_field(&m, "X-A", 2, &value, &line), 11);
	assert_memory_equal(value, "two\n\tfolded", 11);
	assert_int_equal(line, 1);
	assert_int_equal(sink_message_field(&m, "X-A", 3, &value, &line), -1);
	assert_int_equal(sink_message_field(&m, "X-B", 1, &value, &line), 0);
	sink_message_fini(&m);
}

static void
a_message_without_a_body_has_none(void **state)
{
	struct sink_message m;

	(void)state;
	sink_message_init(&m);
	assert_int_equal(sink_message_add(&m, "Subject: s\n", 11), 0);
	assert_int_equal(m.body, 11);
	assert_false(m.has_from || m.has_to);
	sink_message_fini(&m);
}

static void
the_next_hop_writes_what_it_takes(void **state)
{
	static const char said[] =
	    "EHLO mx\r\nMAIL FROM:<a@x> SIZE=3\r\nRCPT TO:<b@y>\r\nDATA\r\n"
	    "X-Milter-Check: hop.1\r\n\r\n..dot\r\n.\r\nQUIT\r\n";
	struct sink s;
	struct sink_smtp hop;
	struct sink_message m;
	struct buf in, out;
	unsigned n = 0;

	(void)state;
	buf_init(&in, 0);
	buf_init(&out, 0);
	assert_int_equal(sink_init(&s, dir), 0);
	sink_smtp_init(&hop, dir, &n, &out);
	for (size_t i = 0; i < sizeof(said) - 2; i++) {
		buf_addc(&in, said[i]);
		assert_int_equal(sink_smtp_step(&hop, &in, &out), 0);
	}
	buf_addc(&in, '\n');
	assert_int_equal(sink_smtp_step(&hop, &in, &out), -1);
	assert_non_null(strstr(buf_cstr(&out), "250 2.0.0 kept\r\n221 "));

	sink_message_init(&m);
	assert_int_equal(sink_look(&s), 0);
	assert_true(sink_get(&s, "hop.1", &m));
	assert_string_equal(buf_cstr(&m.from), "a@x");
	assert_string_equal(buf_cstr(&m.to), "b@y\n");
	assert_string_equal(
	    buf_cstr(&m.text), "X-Milter-Check: hop.1\n\n.dot\n");
	sink_message_fini(&m);
	sink_smtp_fini(&hop);
	sink_fini(&s);
	buf_fini(&in);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_found_where_agents_put_them),
		cmocka_unit_test(a_missing_directory_is_told),
		cmocka_unit_test(copies_are_one_message_with_all_recipients),
		cmocka_unit_test(fields_are_found_by_name_and_number),
		cmocka_unit_test(a_message_without_a_body_has_none),
		cmocka_unit_test(the_next_hop_writes_what_it_takes),
	};

	return cmocka_run_group_tests_name("sink", tests, make_dir, remove_dir);
}
