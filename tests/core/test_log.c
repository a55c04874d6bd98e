/* SPDX-License-Identifier: MIT */
/* log: what reaches a line, and what does not. */
#include "core/base/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include <cmocka.h>

struct captured {
	int count;
	enum log_level level;
	char line[4096];
};

static void
capture(void *arg, enum log_level level, const char *line)
{
	struct captured *c = arg;

	c->count++;
	c->level = level;
	snprintf(c->line, sizeof(c->line), "%s", line);
	errno = EBADF; /* a rude sink */
}

static int
start(void **state)
{
	static struct captured c;

	memset(&c, 0, sizeof(c));
	log_set_sink(capture, &c);
	*state = &c;
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	return 0;
}

static void
context_goes_in_front(void **state)
{
	struct captured *c = *state;

	log_msg(LOG_L_WARN, "4XyZ12", "lost %d of %s", 3, "five");
	assert_string_equal(c->line, "4XyZ12: lost 3 of five");
	assert_int_equal(c->level, LOG_L_WARN);
	log_msg(LOG_L_DEBUG, NULL, "plain");
	assert_string_equal(c->line, "plain");
	assert_int_equal(c->level, LOG_L_DEBUG);
	assert_int_equal(c->count, 2);
}

static void
control_octets_are_escaped(void **state)
{
	struct captured *c = *state;

	log_msg(LOG_L_INFO, "Q\n1", "%s", "a\r\nmimedefang: forged\x1b[2J\x7f");
	assert_string_equal(
	    c->line, "Q\\x0A1: a\\x0D\\x0Amimedefang: forged\\x1B[2J\\x7F");
	log_msg(LOG_L_INFO, NULL, "%s", "gr\xc3\xbc\xc3\x9f"); /* UTF-8 stays */
	assert_string_equal(c->line, "gr\xc3\xbc\xc3\x9f");
}

static void
no_control_octet_ever_reaches_a_line(void **state)
{
	struct captured *c = *state;

	for (int i = 1; i < 256; i++) {
		log_msg(LOG_L_ERR, NULL, "<%c>", i);
		for (const char *p = c->line; *p; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

static void
long_lines_are_cut(void **state)
{
	struct captured *c = *state;
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_msg(LOG_L_ERR, NULL, "%s", text);
	assert_int_equal(strlen(c->line), 2000);
	log_msg(LOG_L_ERR, text, "unseen");
	assert_int_equal(strlen(c->line), 2000);
	/* 1,999 octets and an escape that does not fit whole */
	memset(text, 'y', 1999);
	text[1999] = '\n';
	text[2000] = '\0';
	log_msg(LOG_L_ERR, NULL, "%s", text);
	assert_int_equal(strlen(c->line), 1999);
	/* an escape makes what fitted too long */
	text[0] = '\n';
	text[1999] = 'y';
	log_msg(LOG_L_ERR, NULL, "%s", text);
	assert_int_equal(strlen(c->line), 2000);
	assert_memory_equal(c->line, "\\x0Ayyy", 7);
}

static void
errno_survives(void **state)
{
	(void)state;
	errno = ENOSPC;
	log_msg(LOG_L_ERR, NULL, "x");
	assert_int_equal(errno, ENOSPC);
}

static void
stderr_gets_one_line_with_ident_and_level(void **state)
{
	struct logline l;
	char got[512], *json;
	int fds[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	fflush(stderr);
	dup2(fds[1], STDERR_FILENO);
	log_set_sink(NULL, NULL);
	log_to_stderr("prog", true);
	log_msg(LOG_L_WARN, "ctx", "one\ntwo");
	log_msg(LOG_L_DEBUG, NULL, "not at this level");
	log_set_level(LOG_L_DEBUG);
	log_msg(LOG_L_DEBUG, NULL, "three");
	log_to_stderr("prog", false);
	log_msg(LOG_L_ERR, NULL, "to nobody");
	assert_false(log_event_begin(&l, LOG_L_ERR, NULL, "to_nobody"));
	log_to_stderr("prog", true);
	log_set_format("json");
	log_msg(LOG_L_ERR, NULL, "four");
	log_set_format("text");
	log_to_stderr("prog", false);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[1]);
	n = read(fds[0], got, sizeof(got) - 1);
	close(fds[0]);
	assert_true(n >= 0);
	got[n] = '\0';
	json = strchr(got, '{');
	assert_non_null(json);
	assert_non_null(strstr(json, ",\"message\":\"four\"}\n"));
	assert_string_equal(json + strcspn(json, "\n"), "\n");
	*json = '\0';
	assert_string_equal(
	    got, "prog: warning: ctx: one\\x0Atwo\nprog: debug: three\n");
}

static void
json_is_one_object_a_line_wherever_it_goes(void **state)
{
	struct captured *c = *state;
	struct logline l;

	log_set_format("json");
	log_msg(LOG_L_WARN, "ctx", "one\ntwo");
	assert_non_null(
	    strstr(c->line, "\",\"level\":\"warning\",\"program\""));
	assert_non_null(strstr(
	    c->line, ",\"context\":\"ctx\",\"message\":\"one\\u000Atwo\"}"));
	assert_true(log_event_begin(&l, LOG_L_INFO, "Q1", "message"));
	logline_number(&l, "size", 7);
	log_event_end(&l, LOG_L_INFO);
	log_set_format("text");
	assert_memory_equal(c->line, "{\"time\":\"2", 10);
	assert_non_null(strstr(
	    c->line, ",\"context\":\"Q1\",\"event\":\"message\",\"size\":7}"));
	assert_true(log_event_begin(&l, LOG_L_INFO, "Q1", "message"));
	logline_number(&l, "size", 7);
	log_event_end(&l, LOG_L_INFO);
	assert_string_equal(c->line, "Q1: message size=7");
	assert_true(log_is_format("json") && log_is_format("text"));
	assert_false(log_is_format("JSON") || log_is_format(""));
}

static void
facilities_are_known_by_both_names(void **state)
{
	(void)state;
	assert_int_equal(log_facility("mail"), LOG_MAIL);
	assert_int_equal(log_facility("LOG_MAIL"), LOG_MAIL);
	assert_int_equal(log_facility("log_Local7"), LOG_LOCAL7);
	assert_int_equal(log_facility("security"), LOG_AUTH);
	assert_int_equal(log_facility("local8"), -1);
	assert_int_equal(log_facility("LOG_"), -1);
	assert_int_equal(log_facility(""), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    context_goes_in_front, start, stop),
		cmocka_unit_test_setup_teardown(
		    control_octets_are_escaped, start, stop),
		cmocka_unit_test_setup_teardown(
		    no_control_octet_ever_reaches_a_line, start, stop),
		cmocka_unit_test_setup_teardown(
		    long_lines_are_cut, start, stop),
		cmocka_unit_test_setup_teardown(errno_survives, start, stop),
		cmocka_unit_test_setup_teardown(
		    json_is_one_object_a_line_wherever_it_goes, start, stop),
		cmocka_unit_test(stderr_gets_one_line_with_ident_and_level),
		cmocka_unit_test(facilities_are_known_by_both_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
