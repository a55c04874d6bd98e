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
		{ "load", CMD_LOAD },
		{ "load-recipok", CMD_LOAD },
		{ "load-", CMD_WORKER },
		{ "load1", CMD_WORKER },
		{ "load1 60", CMD_LOAD1 },
		{ "hload-senderok", CMD_HLOAD },
		{ "histo", CMD_HISTO },
		{ "autoscale", CMD_AUTOSCALE },
		{ "jsonstats", CMD_JSONSTATS },
		{ "metrics", CMD_METRICS },
		{ "rawload", CMD_WORKER },
		{ "scan Q1 /d", CMD_WORKER },
		{ "relayok 1 2", CMD_WORKER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mux_cmd c;

		command_parse(
		    cases[i].line, strlen(cases[i].line), 4094, false, &c);
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
	command_parse("tick", 4, 4094, false, &c);
	assert_int_equal(c.type, CMD_TICK);
	command_parse("tick 3", 6, 4094, false, &c);
	assert_int_equal(c.type, CMD_TICK);
	command_parse("ticket", 6, 4094, false, &c);
	assert_int_equal(c.type, CMD_WORKER);
}

static void
a_cr_and_what_follows_a_nul_are_dropped(void **state)
{
	struct mux_cmd c;

	(void)state;
	command_parse("free\r", 5, 4094, false, &c);
	assert_int_equal(c.type, CMD_FREE);
	command_parse("free\0junk", 9, 4094, false, &c);
	assert_int_equal(c.type, CMD_FREE);
	command_parse("scan Q\0junk", 11, 4094, false, &c);
	assert_int_equal(c.n, 6);
}

static void
the_longest_command_has_4094_octets(void **state)
{
	static char line[4097];
	struct mux_cmd c;

	(void)state;
	memset(line, 'x', sizeof(line));
	command_parse(line, 4094, 4094, false, &c);
	assert_int_equal(c.type, CMD_WORKER);
	command_parse(line, 4095, 4094, false, &c);
	assert_int_equal(c.type, CMD_TOO_LONG);
	line[4094] = '\r';
	command_parse(line, 4095, 4094, false, &c);
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

		command_parse(
		    cases[i].line, strlen(cases[i].line), 4094, false, &c);
		if (c.bad_arg != cases[i].bad || c.arg != cases[i].want)
			fail_msg("\"%s\": got %ld", cases[i].line, c.arg);
	}
}

static void
load_says_of_which_requests(void **state)
{
	static const struct {
		const char *line;
		enum mux_class want;
	} cases[] = {
		{ "load", MUX_SCAN },
		{ "load-relayok", MUX_RELAYOK },
		{ "hload-senderok", MUX_SENDEROK },
		{ "load-recipok", MUX_RECIPOK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mux_cmd c;

		command_parse(
		    cases[i].line, strlen(cases[i].line), 4094, false, &c);
		assert_int_equal(c.cls, cases[i].want);
	}
}

static void
the_open_socket_is_for_looking_only(void **state)
{
	static const struct command_case cases[] = {
		{ "free", CMD_FREE },
		{ "help", CMD_HELP },
		{ "version", CMD_VERSION },
		{ "status", CMD_STATUS },
		{ "slaves", CMD_WORKERS },
		{ "busyworkers", CMD_BUSYWORKERS },
		{ "workerinfo 1", CMD_WORKERINFO },
		{ "load1 60", CMD_LOAD1 },
		{ "hload", CMD_HLOAD },
		{ "histo", CMD_HISTO },
		{ "msgs", CMD_MSGS },
		{ "autoscale", CMD_AUTOSCALE },
		{ "jsonstats", CMD_JSONSTATS },
		{ "foo_no_such_command", CMD_UNKNOWN },
		{ "tick", CMD_TICK },
		{ "reread", CMD_REFUSED },
		{ "", CMD_REFUSED },
		{ "scan Q1 /d", CMD_REFUSED },
		{ "anything", CMD_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mux_cmd c;

		command_parse(
		    cases[i].line, strlen(cases[i].line), 4094, true, &c);
		if (c.type != cases[i].want)
			fail_msg("\"%s\": got %d, want %d", cases[i].line,
			    c.type, cases[i].want);
	}
}

/* The names that help lists, one blank behind each. */
static const char *
listed(bool open)
{
	static char names[2000];
	struct buf b;
	const char *p;

	buf_init(&b, 0);
	command_help(open, &b);
	names[0] = '\0';
	for (p = buf_cstr(&b); *p != '('; p = strchr(p, '\n') + 1) {
		assert_memory_equal(p + 17, "-- ", 3);
		strncat(names, p, 17);
		while (names[strlen(names) - 1] == ' ')
			names[strlen(names) - 1] = '\0';
		strcat(names, ",");
	}
	assert_string_equal(strchr(p, '\n'), "\n");
	buf_fini(&b);
	return names;
}

static void
help_lists_what_each_socket_has(void **state)
{
	(void)state;
	assert_string_equal(listed(false),
	    "help,status,jsonstatus,rawstatus,barstatus,free,load,rawload,"
	    "load1 secs,jsonload1 secs,rawload1 secs,load-relayok,"
	    "rawload-relayok,load-senderok,rawload-senderok,load-recipok,"
	    "rawload-recipok,histo,msgs,reread,workers,busyworkers,"
	    "workerinfo n,autoscale,jsonstats,metrics,scan /path,");
	assert_string_equal(listed(true),
	    "help,free,load,rawload,load1 secs,jsonload1 secs,rawload1 secs,"
	    "load-relayok,rawload-relayok,load-senderok,rawload-senderok,"
	    "load-recipok,rawload-recipok,status,jsonstatus,rawstatus,"
	    "barstatus,histo,msgs,workers,busyworkers,workerinfo n,"
	    "autoscale,jsonstats,metrics,");
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
		cmocka_unit_test(load_says_of_which_requests),
		cmocka_unit_test(the_open_socket_is_for_looking_only),
		cmocka_unit_test(help_lists_what_each_socket_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
