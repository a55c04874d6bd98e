/* SPDX-License-Identifier: MIT */
#include "core/base/fdio.h"
#include "core/base/log.h"
#include "core/frontend/mail.h"
#include "tests/support/failmalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define B(s)                                                                   \
	(struct mlt_bytes)                                                     \
	{                                                                      \
		s, sizeof(s) - 1                                               \
	}

struct fixture {
	struct spool s;
	struct mail_pool pool;
	struct mail *m;
	struct buf text;
	char root[64];
};

static void
no_log(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char err[200];

	snprintf(f->root, sizeof(f->root), "%s/mail.XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(f->root) ||
	    spool_open(&f->s, f->root, err, sizeof(err)) < 0)
		return -1;
	f->m = mail_new(&f->pool);
	spool_dir_name(&f->m->dir, "Q1", "ident00");
	log_set_sink(no_log, NULL);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	log_set_sink(NULL, NULL);
	spool_discard(&f->s, &f->m->dir, SPOOL_DONE, NULL);
	mail_free(&f->pool, f->m);
	mail_pool_fini(&f->pool);
	spool_close(&f->s);
	rmdir(f->root);
	buf_fini(&f->text);
	free(f);
	return 0;
}

static const char *
file(struct fixture *f, const char *name)
{
	buf_reset(&f->text);
	if (fdio_read_file(f->m->dir.w.fd, name, 100000, &f->text) < 0)
		return "(cannot be read)";
	return buf_cstr(&f->text);
}

static void
header_leaves_what_must_be_remembered(void **state)
{
	struct fixture *f = *state;

	mail_header(f->m, B("SUBJECT"), B("a\n b"), "X-Secret");
	mail_header(f->m, B("message-id"), B("<1@x>\r"), "X-Secret");
	mail_header(f->m, B("Subject"), B(""), "X-Secret");
	mail_header(f->m, B("x-secret"), B("1.2.3.4"), "X-Secret");
	mail_header(f->m, B("X-Secret"), B("nothing"), "X-Secret");
	mail_header(f->m, B("Content-type"), B("a"), "X-Secret");
	mail_header(f->m, B("content-Type"), B("b\rc"), "X-Secret");
	mail_header(f->m, B("mime-version"), B("1.0"), "X-Secret");
	mail_eoh(f->m);
	assert_int_equal(mail_seal(f->m, &f->s, "Q1"), 0);
	assert_string_equal(
	    file(f, "COMMANDS"), "Ua%20b\n!\nX<1@x>\nU\nJ1.2.3.4\nF\n");
	assert_string_equal(file(f, "HEADERS"),
	    "SUBJECT: a b\nmessage-id: <1@x>\nSubject: \nx-secret: 1.2.3.4\n"
	    "X-Secret: nothing\nContent-type: a\nmime-version: 1.0\n");
	assert_string_equal(file(f, "INPUTMSG"),
	    "SUBJECT: a\n b\nmessage-id: <1@x> \nSubject: \n"
	    "x-secret: 1.2.3.4\nX-Secret: nothing\nContent-type: a\n"
	    "mime-version: 1.0\n\n");
	assert_int_equal(f->m->n_content_type, 2);
	assert_int_equal(f->m->n_validation, 2);
	assert_true(f->m->mime_version);
}

static void
message_without_header_and_body_is_one_line_end(void **state)
{
	struct fixture *f = *state;

	mail_eoh(f->m);
	assert_int_equal(mail_seal(f->m, &f->s, "Q1"), 0);
	assert_string_equal(file(f, "INPUTMSG"), "\n");
	assert_string_equal(file(f, "HEADERS"), "");
	assert_string_equal(file(f, "COMMANDS"), "F\n");
}

static void
suspicious_body_is_told_once(void **state)
{
	struct fixture *f = *state;

	mail_eoh(f->m);
	mail_body(f->m, B("a\0b\r"));
	assert_int_equal(mail_seal(f->m, &f->s, "Q1"), 0);
	assert_string_equal(file(f, "COMMANDS"), "?\nF\n");
}

static void
each_file_is_kept_small_on_its_own(void **state)
{
	struct fixture *f = *state;

	mail_header(f->m, B("A"), B("0123456789"), NULL);
	assert_int_equal(mail_keep_small(f->m, &f->s, 20, "Q1"), 0);
	assert_int_equal(f->m->dir.w.fd, -1);
	mail_eoh(f->m);
	mail_body(f->m, B("0123456789"));
	assert_int_equal(mail_keep_small(f->m, &f->s, 20, "Q1"), 0);
	assert_string_equal(file(f, "INPUTMSG"), "A: 0123456789\n\n0123456789");
	assert_string_equal(file(f, "HEADERS"), "(cannot be read)");
	mail_body(f->m, B("end"));
	assert_int_equal(mail_seal(f->m, &f->s, "Q1"), 0);
	assert_string_equal(
	    file(f, "INPUTMSG"), "A: 0123456789\n\n0123456789end");
	assert_string_equal(file(f, "HEADERS"), "A: 0123456789\n");
}

static void
message_used_again_is_as_new(void **state)
{
	struct fixture *f = *state;
	struct mail *first = f->m;

	first->body.strip_cr = true;
	mail_header(first, B("Content-Type"), B("a"), "Content-Type");
	mail_header(first, B("Mime-Version"), B("1"), "X");
	mail_body(first, B("x\r"));
	assert_int_equal(mail_seal(first, &f->s, "Q1"), 0);
	spool_discard(&f->s, &first->dir, SPOOL_DONE, NULL);
	mail_free(&f->pool, first);
	f->m = mail_new(&f->pool);
	assert_ptr_equal(f->m, first);
	spool_dir_name(&f->m->dir, "Q2", "ident01");
	assert_int_equal(f->m->n_content_type, 0);
	assert_false(f->m->mime_version);
	mail_eoh(f->m);
	mail_body(f->m, B("\ny\rz"));
	assert_int_equal(mail_seal(f->m, &f->s, "Q2"), 0);
	assert_string_equal(file(f, "INPUTMSG"), "\n\ny\rz");
	assert_string_equal(file(f, "COMMANDS"), "?\nF\n");
}

static void
each_missing_allocation_is_found_at_the_end(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0;; i++) {
		struct mail_pool pool = { 0 };
		struct mail *m = mail_new(&pool);
		bool failed;
		int rc;

		spool_dir_name(&m->dir, "Q3", "ident00");
		failmalloc_once(i);
		mail_header(m, B("Subject"), B("hello"), NULL);
		mail_eoh(m);
		mail_body(m, B("x\r\n"));
		rc = mail_seal(m, &f->s, "Q3");
		failed = failmalloc_count() > i;
		failmalloc_off();
		assert_int_equal(rc, failed ? -1 : 0);
		spool_discard(&f->s, &m->dir, SPOOL_DONE, NULL);
		mail_free(&pool, m);
		mail_pool_fini(&pool);
		if (!failed)
			break;
		assert_true(i < 100);
	}
}

static void
pool_keeps_a_few(void **state)
{
	struct mail_pool pool = { 0 };
	struct mail *m[20];

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_non_null(m[i] = mail_new(&pool));
	for (int i = 0; i < 20; i++)
		mail_free(&pool, m[i]);
	assert_int_equal(pool.n_free, 16);
	mail_pool_fini(&pool);
	assert_null(pool.free);
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(header_leaves_what_must_be_remembered),
		CASE(message_without_header_and_body_is_one_line_end),
		CASE(suspicious_body_is_told_once),
		CASE(each_file_is_kept_small_on_its_own),
		CASE(message_used_again_is_as_new),
		CASE(each_missing_allocation_is_found_at_the_end),
		cmocka_unit_test(pool_keeps_a_few),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
