/* SPDX-License-Identifier: MIT */
/* command: what the multiplexor answers itself, and what a worker gets. */
#include "multiplexor/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

struct command_case {
	const char *line;
	enum mux_command want;
};

static void
names_are_compared_exactly(void **state)
{
	static const struct command_case cases[] = {
		{ "free", CMD_FREE },
		{ "Free", CMD_WORKER },
		{ "free ", CMD_WORKER },
		{ " free", CMD_WORKER },
		{ "freed", CMD_WORKER },
		{ "help", CMD_HELP },
		{ "status", CMD_STATUS },
		{ "statu", CMD_WORKER },
		{ "workers", CMD_WORKERS },
		{ "slaves", CMD_WORKERS },
		{ "busyworkers", CMD_BUSYWORKERS },
		{ "busyslaves", CMD_BUSYWORKERS },
		{ "workerinfo 1", CMD_WORKERINFO },
		{ "slaveinfo 1", CMD_WORKERINFO },
		{ "workerinfo", CMD_WORKER },
		{ "msgs", CMD_MSGS },
		{ "reread", CMD_REREAD },
		{ "version", CMD_VERSION },
		{ "foo_no_such_command", CMD_UNKNOWN },
		{ "", CMD_UNKNOWN },
		{ "scan Q1 /d", CMD_WORKER },
		{ "relayok 1 2", CMD_WORKER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mux_cmd c;

		command_parse(cases[i].line, strlen(cases[i].line), &c);
		if (c.type != cases[i].want)
			fail_msg("\"%s\": got %d, want %d", cases[i].line,
			    c.type, cases[i].want);
	}
}

static void
a_tick_from_outside_is_caught_in_every_form(void **state)
{
	struct mux_cmd c;

	(void)state;
	command_parse("tick", 4, &c);
	assert_int_equal(c.type, CMD_TICK);
	command_parse("tick 3", 6, &c);
	assert_int_equal(c.type, CMD_TICK);
	command_parse("ticket", 6, &c);
	assert_int_equal(c.type, CMD_WORKER);
}

static void
a_cr_and_what_follows_a_nul_are_dropped(void **state)
{
	struct mux_cmd c;

	(void)state;
	command_parse("free\r", 5, &c);
	assert_int_equal(c.type, CMD_FREE);
	command_parse("free\0junk", 9, &c);
	assert_int_equal(c.type, CMD_FREE);
	command_parse("scan Q\0junk", 11, &c);
	assert_int_equal(c.n, 6);
}

static void
the_longest_command_has_4094_octets(void **state)
{
	static char line[4097];
	struct mux_cmd c;

	(void)state;
	memset(line, 'x', sizeof(line));
	command_parse(line, 4094, &c);
	assert_int_equal(c.type, CMD_WORKER);
	command_parse(line, 4095, &c);
	assert_int_equal(c.type, CMD_TOO_LONG);
	line[4094] = '\r';
	command_parse(line, 4095, &c);
	assert_int_equal(c.type, CMD_WORKER);
	assert_int_equal(c.n, 4094);
}

static void
worker_numbers_are_decimal_prefixes(void **state)
{
	static const struct {
		const char *line;
		bool bad;
		long want;
	} cases[] = {
		{ "workerinfo 3", false, 3 },
		{ "workerinfo 3abc", false, 3 },
		{ "workerinfo -1", false, -1 },
		{ "workerinfo abc", true, 0 },
		{ "workerinfo ", true, 0 },
		{ "workerinfo -", true, 0 },
		{ "workerinfo 99999999999999999999", false, 2147483647 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mux_cmd c;

		command_parse(cases[i].line, strlen(cases[i].line), &c);
		if (c.bad_arg != cases[i].bad || c.arg != cases[i].want)
			fail_msg("\"%s\": got %ld", cases[i].line, c.arg);
	}
}

static void
help_has_a_line_for_each_command(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	command_help(&b);
	assert_non_null(strstr(buf_cstr(&b), "free             -- "));
	assert_null(strstr(buf_cstr(&b), "slaves"));
	buf_fini(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_compared_exactly),
		cmocka_unit_test(a_tick_from_outside_is_caught_in_every_form),
		cmocka_unit_test(a_cr_and_what_follows_a_nul_are_dropped),
		cmocka_unit_test(the_longest_command_has_4094_octets),
		cmocka_unit_test(worker_numbers_are_decimal_prefixes),
		cmocka_unit_test(help_has_a_line_for_each_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
