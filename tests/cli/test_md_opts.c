/* SPDX-License-Identifier: MIT */
/* md_opts: defaults, clamps and refusals. */
#include "cli/md_opts.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static char err[512];

/* Words as one string, "''" is the empty one.  What opt_parse, else
 * md_opts_check returned. */
static int
parse(struct md_opts *o, const char *words)
{
	static char text[1024]; /* options point into it */
	char *argv[80] = { (char *)(uintptr_t) "prog" }, *rest_of = NULL;
	int argc = 1, rest, r;

	assert_true(strlen(words) < sizeof(text));
	strcpy(text, words);
	for (char *w = strtok_r(text, " ", &rest_of); w && argc < 79;
	     w = strtok_r(NULL, " ", &rest_of))
		argv[argc++] = strcmp(w, "''") == 0 ? w + 2 : w;
	*o = (struct md_opts){ 0 };
	err[0] = '\0';
	opterr = 0;
	r = opt_parse(md_option_rows, md_option_count, o, argc, argv, &rest);
	return r ? r : md_opts_check(o, err, sizeof(err));
}

static void
defaults_are_the_known_ones(void **state)
{
	struct md_opts o;

	(void)state;
	assert_int_equal(parse(&o, "-p /s"), 0);
	assert_string_equal(o.conn, "/s");
	assert_string_equal(o.fe.spool_dir, "/var/spool/MIMEDefang");
	assert_string_equal(o.fe.scanned_by, "MIMEDefang 0.1.0");
	assert_string_equal(o.facility, "mail");
	assert_string_equal(o.log_format, "text");
	assert_int_equal(o.fe.limits.memory_bytes, 65536);
	assert_int_equal(o.fe.limits.message_bytes, 0);
	assert_int_equal(o.fe.limits.headers, 10000);
	assert_int_equal(o.fe.limits.header_bytes, 4194304);
	assert_int_equal(o.fe.limits.request_bytes, 4094);
	assert_int_equal(o.fe.limits.results_bytes, 1048576);
	assert_int_equal(o.fe.limits.results_line, 65535);
	assert_int_equal(o.fe.limits.delay_s, 300);
	assert_int_equal(o.fe.limits.min_free_kb, 64);
	assert_string_equal(o.ip_key_file, "/etc/mail/mimedefang-ip-key");
	assert_int_equal(o.fe.reserve, -1);
	assert_int_equal(o.backlog, 0);
	assert_null(o.mux_socket);
	assert_null(o.user);
	assert_null(o.pid_file);
	assert_null(o.lock_file);
	assert_null(o.fe.loopback);
	assert_ptr_equal(o.fe.macros, &o.macros);
	assert_int_equal(o.fe.sweep_age_h, 72);
	assert_true(o.fe.log_summary);
	assert_int_equal(parse(&o, "-p /s --no-log-summary"), 0);
	assert_false(o.fe.log_summary);
	assert_int_equal(o.macros.n, 0);
	assert_int_equal(o.drain_s, 25);
	assert_int_equal(o.mux_connect_s, 10);
	assert_int_equal(o.mux_answer_s, 900);
	assert_int_equal(o.max_sessions, 0);
	assert_int_equal(o.idle_s, 7210);
	assert_int_equal(o.reply_s, 3600);
	assert_int_equal(o.max_frame, 65535);
	assert_int_equal(o.max_macros, 65536);
	assert_int_equal(o.max_output, 1048576);
	assert_int_equal(o.max_queued, 268435456);
	assert_null(o.allow);
	assert_int_equal(o.allow_users.n, 0);
	assert_int_equal(o.allow_groups.n, 0);
	assert_null(o.socket_mode);
	assert_null(o.socket_group);
	assert_false(o.foreground || o.log_stderr || o.ignored);
	assert_false(o.fe.group_access || o.fe.keep_dirs || o.fe.keep_failed ||
		     o.fe.check_relay || o.fe.check_helo || o.fe.check_sender ||
		     o.fe.check_recipient || o.fe.queue_connections ||
		     o.fe.log_time || o.fe.skip_bad_rcpts || o.fe.set_symlist ||
		     o.fe.strip_cr);
}

static void
what_cannot_be_meant_is_refused(void **state)
{
	static const struct {
		const char *words, *want;
	} cases[] = {
		{ "", "You must use the `-p' option." },
		{ "-m /x", "You must use the `-p' option." },
		{ "-p ''", "Illegal conn: " },
		{ "-p /s -xa\tb",
		    "-x: a control character cannot be in a header" },
		{ "-p /s --log-format xml",
		    "--log-format xml: it is text or json" },
		{ "-p /s --socket-mode 0668",
		    "--socket-mode: '0668' is not an octal mode like 0660 that "
		    "lets the owner read and write" },
		{ "-p /s --socket-mode 066",
		    "--socket-mode: '066' is not an octal mode like 0660 that "
		    "lets the owner read and write" },
		{ "-p /s --socket-mode 4660",
		    "--socket-mode: '4660' is not an octal mode like 0660 that "
		    "lets the owner read and write" },
		{ "-p /s --max-queued 1048576 --max-output 1048577",
		    "--max-queued: 1048576 is less than --max-output, "
		    "1048577" },
	};
	struct md_opts o;
	char words[400], name[202];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(&o, cases[i].words), -1);
		assert_string_equal(err, cases[i].want);
	}
	memset(name, 'x', 201);
	name[201] = '\0';
	snprintf(words, sizeof(words), "-p /s -a %s", name);
	assert_int_equal(parse(&o, words), -1);
	assert_memory_equal(err, "Macro name too long: xxx", 24);
	words[strlen(words) - 1] = '\0';
	assert_int_equal(parse(&o, words), 0);
}

static void
numbers_are_moved_or_refused(void **state)
{
	struct md_opts o;

	(void)state;
	assert_int_equal(parse(&o, "-p /s -b 4"), 0);
	assert_int_equal(o.backlog, 5);
	assert_int_equal(parse(&o, "-p /s -b many"), 0);
	assert_int_equal(o.backlog, 5);
	assert_int_equal(parse(&o, "-p /s -b 10"), 0);
	assert_int_equal(o.backlog, 10);
	assert_int_equal(parse(&o, "-p /s -R 0"), 0);
	assert_int_equal(o.fe.reserve, 0);
	assert_int_equal(parse(&o, "-p /s -R -5"), 0);
	assert_int_equal(o.fe.reserve, -1);
	assert_int_equal(parse(&o, "-p /s -R many"), 0);
	assert_int_equal(o.fe.reserve, -1);
	assert_int_equal(parse(&o, "-p /s --drain-time 0"), 0);
	assert_int_equal(o.drain_s, 0);
	assert_int_equal(parse(&o, "-p /s --drain-time 1h"), 1);
	assert_int_equal(parse(&o, "-p /s --idle-timeout 0"), 1);
	assert_int_equal(parse(&o, "-p /s --reply-timeout 0"), 1);
	assert_int_equal(parse(&o, "-p /s --max-frame 65534"), 1);
	assert_int_equal(parse(&o, "-p /s --max-sessions -1"), 1);
}

static void
options_that_exclude_each_other_or_themselves(void **state)
{
	static const char *const cases[] = { "-p /s -x a -X", "-p /s -X -x a",
		"-p /s -x a -x b", "-p /s -X -X", "-p /s -m a -m a",
		"-p /s -U a -U a", "-p /s -P a -P a", "-p /s -o a -o a",
		"-p /s -L 1.2.3.4 -L 1.2.3.4" };
	struct md_opts o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(parse(&o, cases[i]), 1);
	/* the last one wins */
	assert_int_equal(parse(&o, "-p /s -p /t -z /a -z /b -S news"), 0);
	assert_string_equal(o.conn, "/t");
	assert_string_equal(o.fe.spool_dir, "/b");
}

static void
thirty_macros_are_enough(void **state)
{
	char words[300] = "-p /s";
	struct md_opts o;

	(void)state;
	for (int i = 0; i < 30; i++)
		strcat(words, " -a m");
	assert_int_equal(parse(&o, words), 0);
	assert_int_equal(o.macros.n, 30);
	strcat(words, " -a m");
	assert_int_equal(parse(&o, words), -1);
	assert_string_equal(err, "Too many Sendmail macros (max 30)");
}

static void
p_is_not_needed_with_inherited_sockets(void **state)
{
	struct md_opts o = { .inherited = true, .log_format = "text" };

	(void)state;
	assert_int_equal(md_opts_check(&o, err, sizeof(err)), 0);
}

static void
an_overlong_path_of_m_is_refused(void **state)
{
	struct md_opts o;
	char words[300] = "-p /s -m /", *end = words + strlen(words);

	(void)state;
	memset(end, 'x', 106);
	assert_int_equal(parse(&o, words), 0);
	memset(end, 'x', 107);
	assert_int_equal(parse(&o, words), -1);
	assert_string_equal(err, "-m: a socket's path has at most 107 octets, "
				 "this one has 108");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_known_ones),
		cmocka_unit_test(what_cannot_be_meant_is_refused),
		cmocka_unit_test(numbers_are_moved_or_refused),
		cmocka_unit_test(options_that_exclude_each_other_or_themselves),
		cmocka_unit_test(thirty_macros_are_enough),
		cmocka_unit_test(p_is_not_needed_with_inherited_sockets),
		cmocka_unit_test(an_overlong_path_of_m_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
