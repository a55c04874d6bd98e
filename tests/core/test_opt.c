/* SPDX-License-Identifier: MIT */
/* opt: a command line, its complaints, and what is printed of the table. */
#include "core/base/opt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct opts {
	bool debug;
	long workers, backlog, level;
	const char *socket, *text, *user;
	struct opt_list macros;
	int acted;
};

static int
act_stop(void *opts, const char *arg)
{
	(void)opts;
	(void)arg;
	return 7;
}

static int
act_no_text(void *opts, const char *arg)
{
	struct opts *o = opts;

	assert_null(arg);
	o->text = "";
	return 0;
}

static int
act_count(void *opts, const char *arg)
{
	struct opts *o = opts;

	o->acted += (int)strlen(arg);
	return 0;
}

#define AT(m) offsetof(struct opts, m)
static const struct opt rows[] = {
	{ 'D', "debug", OPT_FLAG, 0, AT(debug), NULL, NULL, 0, 0, "say more",
	    NULL },
	{ 'x', "max-workers", OPT_INT, OPT_NUMERIC, AT(workers), "N", "2", 1,
	    99, "number of workers", NULL },
	{ 'b', NULL, OPT_INT, 0, AT(backlog), "N", NULL, 5, 200, "backlog",
	    NULL },
	{ 0, "level", OPT_INT, OPT_STRICT, AT(level), "N", "3", 0, 9, "level",
	    NULL },
	{ 's', "socket", OPT_STR, 0, AT(socket), "PATH", "/run/x.sock", 0, 0,
	    ".dot and \\ are escaped", NULL },
	{ 't', "text", OPT_STR, OPT_ONCE, AT(text), "TEXT", NULL, 0, 0, "text",
	    NULL },
	{ 'T', "no-text", OPT_ACT, OPT_ONCE, AT(text), NULL, NULL, 0, 0,
	    "no text", act_no_text },
	{ 0, "user", OPT_STR, OPT_ONCE, AT(user), "NAME", NULL, 0, 0, "user",
	    NULL },
	{ 'a', "macro", OPT_LIST, 0, AT(macros), "MACRO", NULL, 0, 0, "macro",
	    NULL },
	{ 'c', "count", OPT_ACT, 0, 0, "X", NULL, 0, 0, "count", act_count },
	{ 'h', "help", OPT_ACT, 0, 0, NULL, NULL, 0, 0, "this text", act_stop },
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static struct opts o;
static int rest;
static char said[1024]; /* what the last parse wrote to stderr */

typedef int parse_fn(const struct opt *table, size_t n, void *opts, int argc,
    char **argv, int *rest);

/* Parses the words of a command line, which end with NULL. */
static int
parse_by(parse_fn *fn, char **argv)
{
	int argc = 0, fds[2], saved = dup(STDERR_FILENO), rc;
	ssize_t n;

	while (argv[argc])
		argc++;
	memset(&o, 0, sizeof(o));
	rest = -1;
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	rc = fn(rows, N_ROWS, &o, argc, argv, &rest);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[1]);
	n = read(fds[0], said, sizeof(said) - 1);
	close(fds[0]);
	assert_true(n >= 0);
	said[n] = '\0';
	return rc;
}
static int
parse(char **argv, bool words)
{
	return parse_by(words ? opt_parse_words : opt_parse, argv);
}
#define WORDS(...) ((char *[]){ "prog", __VA_ARGS__, NULL })
#define PARSE(...) parse(WORDS(__VA_ARGS__), false)

static void
defaults_hold_without_options(void **state)
{
	(void)state;
	assert_int_equal(parse((char *[]){ "prog", NULL }, false), 0);
	assert_int_equal(rest, 1);
	assert_false(o.debug);
	assert_int_equal(o.workers, 2);
	assert_int_equal(o.backlog, 0); /* not clamped: it was not given */
	assert_string_equal(o.socket, "/run/x.sock");
	assert_null(o.text);
	assert_string_equal(said, "");
}

static void
letters_bundle_and_take_attached_arguments(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-Dx5", "-s", "/a", "-ttext", "-t2"), 1);
	assert_int_equal(PARSE("-Dx5", "-s", "/a", "-tX Y"), 0);
	assert_true(o.debug);
	assert_int_equal(o.workers, 5);
	assert_string_equal(o.socket, "/a");
	assert_string_equal(o.text, "X Y");
}

static void
long_names_take_an_equals_sign_or_a_word(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--max-workers=7", "--socket", "/b", "--debug",
			     "--level=0", "--count=ab", "-cxyz"),
	    0);
	assert_int_equal(o.workers, 7);
	assert_string_equal(o.socket, "/b");
	assert_true(o.debug);
	assert_int_equal(o.level, 0);
	assert_int_equal(o.acted, 5);
}

static void
words_that_are_no_options_are_skipped(void **state)
{
	(void)state;
	assert_int_equal(PARSE("prcap", "-x", "3", "word", "-D"), 0);
	assert_int_equal(o.workers, 3);
	assert_true(o.debug);
	assert_int_equal(rest, 6);
}

static void
two_dashes_end_the_options(void **state)
{
	char **argv = WORDS("skipped", "-x3", "--", "-x", "4", "-D");

	(void)state;
	assert_int_equal(parse(argv, false), 0);
	assert_int_equal(o.workers, 3);
	assert_false(o.debug);
	assert_int_equal(rest, 4);
	assert_string_equal(argv[rest], "-x");
	assert_int_equal(PARSE("-D", "--"), 0);
	assert_int_equal(rest, 3);
}

static void
a_command_ends_the_options_of_parse_words(void **state)
{
	(void)state;
	assert_int_equal(parse(WORDS("-D", "status", "-x", "9"), true), 0);
	assert_true(o.debug);
	assert_int_equal(o.workers, 2);
	assert_int_equal(rest, 2);
	assert_int_equal(parse(WORDS("--", "-x"), true), 0);
	assert_int_equal(rest, 2);
}

static void
parse_sorted_finds_options_between_the_words(void **state)
{
	char **argv = WORDS("load", "-D", "60", "-x", "9", "--", "-b");

	(void)state;
	assert_int_equal(parse_by(opt_parse_sorted, argv), 0);
	assert_true(o.debug);
	assert_int_equal(o.workers, 9);
	assert_int_equal(rest, 5);
	assert_string_equal(argv[5], "load");
	assert_string_equal(argv[6], "60");
	assert_string_equal(argv[7], "-b");
}

static void
numbers_are_prefixes_and_clamped(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-x", "5abc", "-b12 "), 0);
	assert_int_equal(o.workers, 5);
	assert_int_equal(o.backlog, 12);
	assert_int_equal(PARSE("-x-3", "-b", "99999999999999999999"), 0);
	assert_int_equal(o.workers, 1);
	assert_int_equal(o.backlog, 200);
	assert_int_equal(PARSE("-x3", "-b", "junk"), 0);
	assert_int_equal(o.backlog, 5);           /* as the smallest */
	assert_int_equal(PARSE("-x3", "-x4"), 0); /* the last one wins */
	assert_int_equal(o.workers, 4);
}

static void
numbers_that_are_none_are_refused_where_the_table_says_so(void **state)
{
	static const char *const wrong[] = { "", "1x", "10", "-1", "x",
		"99999999999999999999" };

	(void)state;
	assert_int_equal(PARSE("-x", "abc"), 1);
	assert_string_equal(said, "prog: -x: 'abc' is not a number\n");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(PARSE("--level", (char *)wrong[i]), 1);
	assert_int_equal(PARSE("--level", "12"), 1);
	assert_string_equal(
	    said, "prog: --level: '12' is not a number from 0 to 9\n");
	assert_int_equal(PARSE("--level", "9"), 0);
}

static void
options_that_may_be_given_once_say_so(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-t", "a", "-t", "b"), 1);
	assert_string_equal(said, "prog: Cannot use multiple '-t' options\n");
	assert_int_equal(PARSE("-t", "a", "-T"), 1); /* the same member */
	assert_string_equal(said, "prog: Cannot use multiple '-T' options\n");
	assert_int_equal(PARSE("-T", "-t", "a"), 1);
	assert_string_equal(said, "prog: Cannot use multiple '-t' options\n");
	assert_int_equal(PARSE("--user=a", "--user=b"), 1);
	assert_string_equal(
	    said, "prog: Cannot use multiple '--user' options\n");
	assert_int_equal(PARSE("-T", "--user=a"), 0);
	assert_string_equal(o.text, "");
}

static void
bad_usage_is_explained(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-q"), 1);
	assert_string_equal(said, "prog: invalid option -- 'q'\n");
	assert_int_equal(PARSE("-x"), 1);
	assert_string_equal(said, "prog: option requires an argument -- 'x'\n");
	assert_int_equal(PARSE("--nonsense"), 1);
	assert_non_null(strstr(said, "--nonsense"));
	assert_int_equal(PARSE("--debug=1"), 1);
	assert_non_null(strstr(said, "--debug"));
}

static void
list_options_repeat_up_to_a_limit(void **state)
{
	char *argv[2 * 65 + 2] = { "prog" };

	(void)state;
	assert_int_equal(PARSE("-a", "x", "-D", "--macro=y"), 0);
	assert_int_equal(o.macros.n, 2);
	assert_string_equal(o.macros.v[0], "x");
	assert_string_equal(o.macros.v[1], "y");
	for (size_t i = 0; i < 65; i++) {
		argv[1 + 2 * i] = "-a";
		argv[2 + 2 * i] = "m";
	}
	assert_int_equal(parse(argv, false), 1);
	assert_string_equal(said, "prog: Too many '-a' options (max 64)\n");
	argv[129] = NULL;
	assert_int_equal(parse(argv, false), 0);
	assert_int_equal(o.macros.n, 64);
}

static void
action_stops_the_parser_at_once(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-D", "-h", "--nonsense"), 7);
	assert_true(o.debug);
	assert_string_equal(said, "");
}

static void
help_shows_every_row(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	opt_help(rows, 6, &b);
	assert_string_equal(buf_cstr(&b),
	    "  -D, --debug                 say more\n"
	    "  -x N, --max-workers=N       number of workers (default 2)\n"
	    "  -b N                        backlog\n"
	    "      --level=N               level (default 3)\n"
	    "  -s PATH, --socket=PATH      .dot and \\ are escaped "
	    "(default /run/x.sock)\n"
	    "  -t TEXT, --text=TEXT        text\n");
	buf_fini(&b);
}

static void
help_puts_the_text_behind_a_long_name_on_the_next_line(void **state)
{
	static const struct opt row = { 0, "a-name-of-considerable-length",
		OPT_FLAG, 0, 0, NULL, NULL, 0, 0, "why", NULL };
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	opt_help(&row, 1, &b);
	assert_string_equal(buf_cstr(&b),
	    "      --a-name-of-considerable-length\n"
	    "                              why\n");
	buf_fini(&b);
}

static void
dump_shows_what_is_in_effect(void **state)
{
	struct buf b;

	(void)state;
	assert_int_equal(PARSE("-Dx5", "-amine", "-a", "yours"), 0);
	buf_init(&b, 0);
	opt_dump(rows, N_ROWS, &o, &b);
	assert_string_equal(buf_cstr(&b),
	    "debug=yes\nmax-workers=5\nb=0\nlevel=3\nsocket=/run/x.sock\n"
	    "text=\nuser=\nmacro=mine yours\n");
	buf_fini(&b);
}

static void
mdoc_is_safe_from_the_texts(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	opt_mdoc(rows, 5, &b);
	assert_string_equal(buf_cstr(&b),
	    ".It Fl D , Fl -debug\nsay more.\n"
	    ".It Fl x Ar N , Fl -max-workers Ns = Ns Ar N\n"
	    "number of workers.\nDefault: 2.\n"
	    ".It Fl b Ar N\nbacklog.\n"
	    ".It Fl -level Ns = Ns Ar N\nlevel.\nDefault: 3.\n"
	    ".It Fl s Ar PATH , Fl -socket Ns = Ns Ar PATH\n"
	    "\\&.dot and \\e are escaped.\nDefault: /run/x.sock.\n");
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold_without_options),
		cmocka_unit_test(letters_bundle_and_take_attached_arguments),
		cmocka_unit_test(long_names_take_an_equals_sign_or_a_word),
		cmocka_unit_test(words_that_are_no_options_are_skipped),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(a_command_ends_the_options_of_parse_words),
		cmocka_unit_test(parse_sorted_finds_options_between_the_words),
		cmocka_unit_test(numbers_are_prefixes_and_clamped),
		cmocka_unit_test(
		    numbers_that_are_none_are_refused_where_the_table_says_so),
		cmocka_unit_test(options_that_may_be_given_once_say_so),
		cmocka_unit_test(bad_usage_is_explained),
		cmocka_unit_test(list_options_repeat_up_to_a_limit),
		cmocka_unit_test(action_stops_the_parser_at_once),
		cmocka_unit_test(help_shows_every_row),
		cmocka_unit_test(
		    help_puts_the_text_behind_a_long_name_on_the_next_line),
		cmocka_unit_test(dump_shows_what_is_in_effect),
		cmocka_unit_test(mdoc_is_safe_from_the_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
