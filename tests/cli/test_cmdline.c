/* SPDX-License-Identifier: MIT */
#include "cli/cmdline.h"
#include "tests/support/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

struct opts {
	bool loud, quiet;
	const char *name;
};
static const struct opt rows[] = {
	{ 0, "name", OPT_STR, 0, offsetof(struct opts, name), "TEXT", "you", 0,
	    0, "whom to say it", NULL },
	{ 'l', "loud", OPT_FLAG, 0, offsetof(struct opts, loud), NULL, NULL, 0,
	    0, "say it loud", NULL },
};

struct call {
	bool command;
	const char *argv[5];
	bool config, permute, also;
};
static const struct opt also[] = {
	{ 'q', "quiet", OPT_FLAG, 0, offsetof(struct opts, quiet), NULL, NULL,
	    0, 0, "of another program", NULL },
};

static void
tail(const void *opts, bool usage, struct buf *to)
{
	const struct opts *o = opts;

	buf_addf(to, "Tail: loud %d, usage %d\n", o->loud, usage);
}

static int
parse(void *arg)
{
	const struct call *call = arg;
	bool print = false;
	const struct cmdline c = { .name = "prog",
		.rows = rows,
		.n = 2,
		.words = " WORD",
		.more = "More.\n",
		.tail = tail,
		.permute = call->permute,
		.command = call->command,
		.also = also,
		.n_also = call->also,
		.usage_status = call->also ? 2 : 0,
		.print_config = call->config ? &print : NULL };
	struct opts o = { 0 };
	int argc = 0, rest;

	while (call->argv[argc])
		argc++;
	rest = cmdline_parse(&c, &o, argc, (char **)(uintptr_t)call->argv);
	if (print)
		cmdline_print_config(&c, &o);
	printf("loud %d, rest %d%s\n", o.loud, rest, o.quiet ? ", quiet" : "");
	return 7;
}

static char out[4096], err[4096];

static int
run(struct call call)
{
	return capture_run(parse, &call, out, sizeof(out), err, sizeof(err));
}

#define ARGS(...)                                                              \
	{                                                                      \
		"prog", __VA_ARGS__, NULL                                      \
	}

static void
options_are_parsed_and_the_rest_is_told(void **state)
{
	(void)state;
	assert_int_equal(
	    run((struct call){ .argv = ARGS("word", "-l", "--") }), 7);
	assert_string_equal(out, "loud 1, rest 4\n");
	assert_int_equal(run((struct call){ .command = true,
			     .argv = ARGS("-l", "word", "--help") }),
	    7);
	assert_string_equal(out, "loud 1, rest 2\n");
	assert_int_equal(
	    run((struct call){
		.command = true, .permute = true, .argv = ARGS("word", "-l") }),
	    7);
	assert_string_equal(out, "loud 1, rest 2\n");
}

static void
help_goes_where_it_was_asked_for(void **state)
{
	static const char start[] = "prog version 0.1.0\nUsage: prog [options] "
				    "WORD\nOptions:\n      --name";

	(void)state;
	assert_int_equal(run((struct call){ .argv = ARGS("--help") }), 0);
	assert_string_equal(err, "");
	assert_memory_equal(out, start, strlen(start));
	assert_non_null(strstr(out, "More.\nTail: loud 0, usage 0\n"));
	assert_int_equal(run((struct call){ .argv = ARGS("-h") }), 1);
	assert_string_equal(out, "");
	assert_memory_equal(err, start, strlen(start));
	assert_int_equal(
	    run((struct call){ .command = true, .argv = ARGS("-lh") }), 0);
	assert_memory_equal(err, start, strlen(start));
	assert_non_null(strstr(err, "More.\nTail: loud 1, usage 1\n"));
}

static void
version_and_mdoc_are_told(void **state)
{
	(void)state;
	assert_int_equal(run((struct call){ .argv = ARGS("-v", "-?") }), 0);
	assert_string_equal(out, "prog version 0.1.0\n");
	assert_int_equal(run((struct call){ .argv = ARGS("--help-mdoc") }), 0);
	assert_non_null(strstr(out, ".It Fl l"));
	assert_null(strstr(out, "print-config"));
}

static void
configuration_is_printed_when_all_is_known(void **state)
{
	(void)state;
	assert_int_equal(
	    run((struct call){
		.argv = ARGS("--print-config", "-l"), .config = true }),
	    0);
	assert_string_equal(out, "name=you\nloud=yes\n");
	assert_int_equal(
	    run((struct call){ .argv = ARGS("--help"), .config = true }), 0);
	assert_non_null(strstr(out, "--print-config"));
	assert_int_equal(
	    run((struct call){ .argv = ARGS("--print-config") }), 1);
	assert_string_equal(out, "");
}

static void
bad_option_is_told_with_the_usage(void **state)
{
	(void)state;
	assert_int_equal(run((struct call){ .argv = ARGS("-?") }), 1);
	assert_non_null(strstr(err, "prog: invalid option -- '?'\n"));
	assert_non_null(strstr(err, "Usage: prog [options] WORD\n"));
}

static void
options_of_another_program_are_parsed_and_not_shown(void **state)
{
	(void)state;
	assert_int_equal(
	    run((struct call){ .also = true, .argv = ARGS("-lq") }), 7);
	assert_string_equal(out, "loud 1, rest 2, quiet\n");
	assert_int_equal(
	    run((struct call){
		.also = true, .config = true, .argv = ARGS("-q", "-l") }),
	    7);
	assert_string_equal(out, "loud 1, rest 3, quiet\n");
	assert_int_equal(
	    run((struct call){ .also = true, .argv = ARGS("--help") }), 0);
	assert_null(strstr(out, "quiet"));
	assert_int_equal(
	    run((struct call){ .also = true, .argv = ARGS("-?") }), 2);
	assert_int_equal(
	    run((struct call){ .also = true, .argv = ARGS("-h") }), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_parsed_and_the_rest_is_told),
		cmocka_unit_test(help_goes_where_it_was_asked_for),
		cmocka_unit_test(version_and_mdoc_are_told),
		cmocka_unit_test(configuration_is_printed_when_all_is_known),
		cmocka_unit_test(bad_option_is_told_with_the_usage),
		cmocka_unit_test(
		    options_of_another_program_are_parsed_and_not_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
