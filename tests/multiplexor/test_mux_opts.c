/* SPDX-License-Identifier: MIT */
/* mux_opts: defaults, clamps and refusals. */
#include "multiplexor/mux_opts.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char err[256];
/* The default's path is allocated for ever: no leak as long as it is here. */
static const char *kept[256];
static size_t n_kept;

/* Words as one string.  What opt_parse, else mux_opts_check returned. */
static int
parse(struct mux_opts *o, const char *words)
{
	static char text[256]; /* options point into it */
	char *argv[20] = { (char *)(uintptr_t) "prog" }, *rest_of = NULL;
	int argc = 1, rest, r;

	assert_true(strlen(words) < sizeof(text));
	strcpy(text, words);
	for (char *w = strtok_r(text, " ", &rest_of); w && argc < 19;
	     w = strtok_r(NULL, " ", &rest_of))
		argv[argc++] = w;
	*o = (struct mux_opts){ 0 };
	err[0] = '\0';
	r = opt_parse(mux_option_rows, mux_option_count, o, argc, argv, &rest);
	if (r == 0)
		r = mux_opts_check(o, err, sizeof(err));
	kept[n_kept++ % 256] = o->socket;
	kept[n_kept++ % 256] = o->filter;
	return r;
}

static void
defaults_are_the_known_ones(void **state)
{
	struct mux_opts o;

	(void)state;
	assert_int_equal(parse(&o, ""), 0);
	assert_int_equal(o.min_workers, 1);
	assert_int_equal(o.max_workers, 2);
	assert_int_equal(o.max_requests, 500);
	assert_int_equal(o.max_lifetime_s, -1);
	assert_int_equal(o.idle_s, 300);
	assert_int_equal(o.busy_s, 120);
	assert_int_equal(o.client_s, 10);
	assert_int_equal(o.start_delay_s, 3);
	assert_int_equal(o.start_min_s, 0);
	assert_int_equal(o.queue_max, 0);
	assert_int_equal(o.queue_s, 30);
	assert_int_equal(o.backlog, 5); /* a quarter of -x, at least 5 */
	assert_int_equal(o.max_rss_kb, 0);
	assert_int_equal(o.max_as_kb, 0);
	assert_int_equal(o.status_log_s, 0);
	assert_int_equal(o.tick_s, 0);
	assert_int_equal(o.tick_types, 1);
	assert_null(o.open_socket);
	assert_null(o.notify_socket);
	assert_null(o.map_socket);
	assert_null(o.stats_file);
	assert_int_equal(o.per_domain, 0);
	assert_string_equal(o.spool_dir, "/var/spool/MIMEDefang");
	assert_string_equal(
	    o.socket, "/var/spool/MIMEDefang/mimedefang-multiplexor.sock");
	assert_string_equal(o.label, "mimedefang-multiplexor");
	assert_string_equal(o.facility, "mail");
	assert_false(o.log_events || o.status_fd || o.group_access);
	assert_false(o.stats_syslog || o.stats_flush || o.autoscale);
	assert_false(o.zygote || o.log_scheduling || o.foreground);
}

static void
numbers_are_moved_into_their_range(void **state)
{
	static const struct {
		const char *words;
		size_t at;
		long want;
	} cases[] = {
#define CASE(words, member, want)                                              \
	{ words, offsetof(struct mux_opts, member), want }
		CASE("-m 0", min_workers, 1),
		CASE("-x 0", max_workers, 1),
		CASE("-x 5abc", max_workers, 5),
		CASE("-m 9 -x 4", min_workers, 4),
		CASE("-x 3 -x 8", max_workers, 8),
		CASE("-y 2 -x 3", per_domain, 2),
		CASE("-y 3 -x 3", per_domain, 0),
		CASE("-y -1 -x 3", per_domain, 0),
		CASE("-r 0", max_requests, 1),
		CASE("-V 0", max_lifetime_s, -1),
		CASE("-V -5", max_lifetime_s, -1),
		CASE("-V 60", max_lifetime_s, 60),
		CASE("-i 1", idle_s, 10),
		CASE("-b 1", busy_s, 10),
		CASE("-c 1", client_s, 10),
		CASE("-w 0", start_delay_s, 1),
		CASE("-W -1", start_min_s, 0),
		CASE("-q 128", queue_max, 128),
		CASE("-q -1", queue_max, 0),
		CASE("-Q 0", queue_s, 1),
		CASE("-Q 601", queue_s, 600),
		CASE("-I 1", backlog, 5),
		CASE("-I 201", backlog, 200),
		CASE("-x 20", backlog, 5),
		CASE("-x 100", backlog, 25),
		CASE("-x 2000", backlog, 200),
		CASE("-I 7 -x 100", backlog, 7),
		CASE("-R -1", max_rss_kb, 0),
		CASE("-R 65536", max_rss_kb, 65536),
		CASE("-M -1", max_as_kb, 0),
		CASE("-M 65536", max_as_kb, 65536),
		CASE("-X -1", tick_s, 0),
		CASE("-P 0", tick_types, 1),
		CASE("-P 31", tick_types, 30),
		CASE("-L 4", status_log_s, 5),
		CASE("-L 1", status_log_s, 5),
		CASE("-L -1", status_log_s, 0),
		CASE("-L 60", status_log_s, 60),
	};
	struct mux_opts o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		long got;

		assert_int_equal(parse(&o, cases[i].words), 0);
		got = *(long *)(void *)((char *)&o + cases[i].at);
		if (got != cases[i].want)
			fail_msg("%s: got %ld, want %ld", cases[i].words, got,
			    cases[i].want);
	}
}

static void
what_cannot_be_meant_is_refused(void **state)
{
	static const struct {
		const char *words, *want;
	} cases[] = {
		{ "-q 129", "Request queue size 129 too big (128 max)" },
		{ "-f worker.pl",
		    "-f: You must supply an absolute path for filter "
		    "program" },
		{ "--scale-in 50 --scale-out 50",
		    "--scale-in 50: must be below --scale-out, 50" },
		{ "-s inet:1234",
		    "Argument to -s option must be a UNIX-domain socket, not a "
		    "TCP socket." },
		{ "--log-format xml", "--log-format xml: it is text or json" },
		{ "-a inet:0",
		    "-a inet:0: \"0\" is no port from 1 to 65535, possibly "
		    "with @ADDRESS behind it" },
		{ "-a inet6:25@127.0.0.1",
		    "-a inet6:25@127.0.0.1: \"127.0.0.1\" is no IPv6 "
		    "address" },
	};
	struct mux_opts o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(&o, cases[i].words), -1);
		assert_string_equal(err, cases[i].want);
	}
}

static void
socket_paths_may_have_a_prefix(void **state)
{
	struct mux_opts o;

	(void)state;
	assert_int_equal(parse(&o, "-s unix:/run/mx"), 0);
	assert_string_equal(o.socket, "/run/mx");
	assert_int_equal(parse(&o, "-s local:/run/mx"), 0);
	assert_string_equal(o.socket, "/run/mx");
	assert_int_equal(parse(&o, "-s /run/mx"), 0);
	assert_string_equal(o.socket, "/run/mx");
	assert_int_equal(parse(&o, "-z /s"), 0);
	assert_string_equal(o.socket, "/s/mimedefang-multiplexor.sock");
}

static void
filter_is_found_from_where_the_start_was(void **state)
{
	struct mux_opts o;

	(void)state;
	assert_int_equal(chdir("/usr/lib"), 0);
	assert_int_equal(parse(&o, "-F my/filter"), 0);
	assert_string_equal(o.filter, "/usr/lib/my/filter");
	assert_int_equal(parse(&o, "-F /etc/filter"), 0);
	assert_string_equal(o.filter, "/etc/filter");
	assert_int_equal(parse(&o, ""), 0);
	assert_null(o.filter);
}

static void
options_of_services_are_taken(void **state)
{
	struct mux_opts o;

	(void)state;
	assert_int_equal(parse(&o, "-E"), 0);
	assert_true(o.zygote);
	assert_int_equal(parse(&o, "-d -P 3 -X 7 -k -T -u -t file"), 0);
	assert_int_equal(o.tick_s, 7);
	assert_int_equal(o.tick_types, 3);
	assert_true(o.autoscale && o.stats_syslog && o.stats_flush);
	assert_string_equal(o.stats_file, "file");
}

/* Each letter of the manual page, with its long name, and no other. */
static void
options_are_these(void **state)
{
	static const char want[] =
	    "m min-workers\nx max-workers\nr max-requests\nV max-lifetime\n"
	    "i idle-timeout\nb busy-timeout\nc client-timeout\n"
	    "w start-delay\nW min-start-delay\nq queue-size\n"
	    "Q queue-timeout\nI backlog\ny per-domain\nR max-rss\n"
	    "M max-memory\nX tick-interval\nP tick-types\n- scale-interval\n- "
	    "scale-out\n- scale-in\n- scale-step\nL log-status\n"
	    "s socket\na open-socket\nO notify-socket\nN map-socket\n"
	    "- max-clients\n- max-open-clients\n- max-request\n"
	    "- max-answer\n- max-listeners\n"
	    "- listener-buffer\n- max-map-clients\n- map-idle\n- "
	    "max-in-flight\n"
	    "- pipeline-idle\n"
	    "z spool\nf worker\nF filter\nt stats-file\nT stats-syslog\n"
	    "u stats-flush\nl log-events\nA log-scheduling\n"
	    "Z status-updates\nk autoscale\nE zygote\n"
	    "- zygote-dir\nd debug-events\n"
	    "G group-access\nU user\np pid-file\no lock-file\nS facility\n"
	    "Y log-label\nD foreground\n- log-stderr\n- log-format\n";
	struct buf got;

	(void)state;
	buf_init(&got, 0);
	for (size_t i = 0; i < mux_option_count; i++)
		buf_addf(&got, "%c %s\n",
		    mux_option_rows[i].letter ? mux_option_rows[i].letter : '-',
		    mux_option_rows[i].name);
	assert_string_equal(buf_cstr(&got), want);
	buf_fini(&got);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_known_ones),
		cmocka_unit_test(numbers_are_moved_into_their_range),
		cmocka_unit_test(what_cannot_be_meant_is_refused),
		cmocka_unit_test(socket_paths_may_have_a_prefix),
		cmocka_unit_test(filter_is_found_from_where_the_start_was),
		cmocka_unit_test(options_of_services_are_taken),
		cmocka_unit_test(options_are_these),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
