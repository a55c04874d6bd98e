/* SPDX-License-Identifier: MIT */
/* md_cmdline: both command lines, and what --print-config shows of them. */
#include "cli/md_cmdline.h"
#include "tests/support/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static char out[16384], err[16384];

struct call {
	char *argv[16];
	bool separate;
};

static int
print(void *arg)
{
	struct call *call = arg;
	struct md_opts o = { 0 };
	struct mux_opts mo = { 0 };
	int argc = 0;

	while (call->argv[argc])
		argc++;
	md_cmdline_parse(argc, call->argv,
	    &(struct md_cmdline_opts){ .separate = call->separate,
		.usage_status = call->separate * 2 },
	    &o, &mo);
	o.print_config = !o.print_builtin;
	return md_cmdline_print(&o, &mo);
}

static int
run(struct call call)
{
	return capture_run(print, &call, out, sizeof(out), err, sizeof(err));
}
#define RUN(...) run((struct call){ { "prog", __VA_ARGS__, NULL }, false })
#define RUN_SEPARATE(...)                                                      \
	run((struct call){ { "prog", __VA_ARGS__, NULL }, true })

static void
shows(const char *line)
{
	const char *at = strstr(out, line);

	if (!at || (at != out && at[-1] != '\n'))
		fail_msg("there is no line %s in:\n%s", line, out);
}

static void
both_sections_are_shown(void **state)
{
	(void)state;
	assert_int_equal(RUN("-p", "/s", "-rG", "-z", "/spool", "-U", "nobody",
			     "--", "-x", "7"),
	    0);
	assert_string_equal(err, "");
	assert_memory_equal(out, "[mimedefang]\nlisten=/s\n", 23);
	shows("relay-check=yes\n");
	shows("helo-check=no\n");
	shows("drain-time=25\n");
	shows("[multiplexor]\n");
	shows("max-workers=7\n");
	/* handed down */
	shows("user=nobody\n");
	shows("spool=/spool\n");
	assert_non_null(strstr(strstr(out, "[multip"), "group-access=yes\n"));
	/* what to do is no part of the configuration */
	assert_null(strstr(out, "print-config"));
}

static void
a_separate_multiplexor_has_its_own(void **state)
{
	(void)state;
	assert_int_equal(RUN("-p", "/s", "-m", "/mx"), 0);
	shows("multiplexor=/mx\n");
	assert_null(strstr(out, "[multiplexor]"));
	assert_int_equal(RUN("-p", "/s", "-m", "/mx", "--", "-x", "7"), 1);
	assert_string_equal(err,
	    "prog: options behind -- are for the built-in multiplexor; give "
	    "them to the one at /mx, or leave out -m\n");
}

static void
options_of_a_separate_one_are_taken_if_that_is_wanted(void **state)
{
	(void)state;
	assert_int_equal(RUN_SEPARATE("-p", "/s", "-z", "/spool", "-m", "/mx",
			     "--", "-x", "7", "-U", "a"),
	    0);
	shows("multiplexor=/mx\n");
	shows("max-workers=7\n");
	shows("user=a\n");
	assert_null(strstr(strstr(out, "[multip"), "spool=/spool\n"));
	assert_int_equal(RUN_SEPARATE("-p", "/s", "--", "-U", "a"), 2);
	assert_int_equal(RUN_SEPARATE("-p", "/s", "--", "--nosuch"), 2);
	assert_int_equal(RUN_SEPARATE("-p", ""), 2);
}

static void
behind_the_dashes_only_the_multiplexor_is_shown(void **state)
{
	(void)state;
	assert_int_equal(RUN("-p", "/s", "--", "--print-config"), 0);
	assert_memory_equal(out, "[multiplexor]\nmin-workers=", 26);
}

static void
values_stay_on_their_line(void **state)
{
	(void)state;
	assert_int_equal(
	    RUN("-p", "/s", "-L", "a\nuser=root", "-a", "b\tc"), 0);
	shows("loopback=a\\x0Auser=root\n");
	shows("macro=b\\x09c\n");
}

static void
the_process_is_configured_before_the_dashes(void **state)
{
	static const char *const words[] = { "-D", "--log-stderr" };
	static const char *const with_arg[] = { "-U", "-p", "-o",
		"--log-format" };
	static const char want[] =
	    "prog: -U -p -o -D --log-stderr --log-format behind -- belong to "
	    "a separate multiplexor; give them before --\n";

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
		    RUN("-p", "/s", "--", (char *)(uintptr_t)words[i]), 1);
		assert_string_equal(err, want);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(
		    RUN("-p", "/s", "--", (char *)(uintptr_t)with_arg[i], "x"),
		    1);
		assert_string_equal(err, want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sections_are_shown),
		cmocka_unit_test(a_separate_multiplexor_has_its_own),
		cmocka_unit_test(
		    options_of_a_separate_one_are_taken_if_that_is_wanted),
		cmocka_unit_test(
		    behind_the_dashes_only_the_multiplexor_is_shown),
		cmocka_unit_test(values_stay_on_their_line),
		cmocka_unit_test(the_process_is_configured_before_the_dashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
