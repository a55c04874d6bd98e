/* SPDX-License-Identifier: MIT */
/* The screen of `top`, drawn. */
#include "cli/ctl_top.h"
#include "tests/support/failmalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOAD1                                                                  \
	"14 1.857143 388.214286 20 1.100000 2.300000 18 1.200000 5.100000 0 "  \
	"0.000000 0.000000 2 1 1 0 1542 17 10 5 86423 60 1 0 0 1\n"
#define WORKERS                                                                \
	"0 I 811 last=scan ago=9\n1 B 812 recipok last=recipok ago=3 "         \
	"(recipok "                                                            \
	"<a@b.example>)\n2 B 813 scan last=scan ago=75 (5: > Virus check)\n"   \
	"3 S ago=100\n"

static struct ctl_top top;
static struct buf out;

static int
start(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	ctl_top_init(&top);
	buf_init(&out, 0);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	ctl_top_fini(&top);
	buf_fini(&out);
	return 0;
}

static int
take(const char *totals, const char *workers, msec now)
{
	return ctl_top_take(&top, (struct ctl_str){ totals, strlen(totals) },
	    (struct ctl_str){ workers, strlen(workers) }, now);
}

static const char *
draw(struct ctl_screen s)
{
	s.host = "mx1";
	s.socket = "/run/mux.sock";
	s.now = 1795347621;
	s.interval_s = 2;
	buf_reset(&out);
	ctl_top_draw(&top, &s, &out);
	return buf_cstr(&out);
}

static void
plain_text_shows_everything(void **state)
{
	(void)state;
	assert_int_equal(take(LOAD1, WORKERS, 1000), 0);
	assert_string_equal(draw((struct ctl_screen){ 0 }),
	    " mx1  /run/mux.sock  up 24h00m  11:40:21\n"
	    "Workers [|||||||||||||            ] 2/4 busy, 1 idle, 1 stopped\n"
	    "Queue   [|||||||||||||            ] 5/10 waiting\n"
	    "Scanned 1542 messages; started 17 workers\n"
	    "\n"
	    "Last 60 s           scan     relayok    senderok     recipok\n"
	    "per second          0.23        0.33        0.30           -\n"
	    "mean ms            388.2         2.3         5.1           -\n"
	    "mean busy            1.9         1.1         1.2           -\n"
	    "running now            1           -           -           1\n"
	    "\n"
	    " SLOT STATE        PID     FOR  WHAT\n"
	    "    2 busy         813     75s  scan | 5: > Virus check\n"
	    "    1 busy         812      3s  recipok <a@b.example>\n"
	    "    0 idle         811      9s  last scan\n"
	    "    3 stopped        -   1m40s  \n");
}

static void
a_small_screen_shows_the_busiest(void **state)
{
	(void)state;
	assert_int_equal(take(LOAD1, WORKERS, 1000), 0);
	assert_int_equal(take(LOAD1, WORKERS, 2000), 0);
	assert_string_equal(
	    draw((struct ctl_screen){ .rows = 10, .columns = 48 }),
	    " mx1  /run/mux.sock  up 24h00m         11:40:21 \n"
	    "Workers [|||||     ] 2/4 busy, 1 idle, 1 stopped\n"
	    "Queue   [|||||     ] 5/10 waiting\n"
	    "Scanned 1542 messages, now 0.0 a second; starte>\n"
	    "\n"
	    " SLOT STATE        PID     FOR  WHAT\n"
	    "    2 busy         813     75s  scan | 5: > Vir>\n"
	    "    1 busy         812      3s  recipok <a@b.ex>\n"
	    "      2 more: 1 idle, 1 stopped\n"
	    "q quit  space look now  p pause  (every 2 s)\n");
}

static void
a_wide_screen_shows_workers_side_by_side(void **state)
{
	char workers[4096] = "", *p = workers;
	const char *at;

	(void)state;
	for (int i = 0; i < 30; i++)
		p += sprintf(p, "%d I %d ago=%d\n", i, 100 + i, i);
	assert_int_equal(take("IIII 1 2 0 0 5\n", workers, 1000), 0);
	at = strstr(draw((struct ctl_screen){ .rows = 14, .columns = 160 }),
	    "    0 idle");
	assert_non_null(at);
	assert_memory_equal(at,
	    "    0 idle         100      0s  "
	    "                                                "
	    "    6 idle         106      6s  ",
	    112);
	assert_non_null(strstr(at, "\n      18 more: 18 idle\n"));
}

static void
the_upper_line_goes_to_the_edge_whatever_the_width(void **state)
{
	(void)state;
	assert_int_equal(take(LOAD1, WORKERS, 1000), 0);
	for (unsigned rows = 1; rows < 30; rows++) {
		for (unsigned columns = 1; columns < 200; columns++) {
			unsigned lines = 0;
			const char *p = draw((struct ctl_screen){
			    .rows = rows, .columns = columns });

			for (const char *end; (end = strchr(p, '\n'));
			     p = end + 1) {
				assert_true((size_t)(end - p) <= columns);
				lines++;
			}
			assert_true(lines <= (rows > 5 ? rows : 5));
		}
	}
}

static void
colours_say_what_is_wrong(void **state)
{
	const char *p;

	(void)state;
	assert_int_equal(take(LOAD1, WORKERS, 1000), 0);
	p = draw(
	    (struct ctl_screen){ .rows = 24, .columns = 80, .ansi = true });
	assert_non_null(strstr(p, "\x1b[31m    2 busy    "));
	assert_non_null(strstr(p, "\x1b[1m    1 busy    "));
	assert_non_null(strstr(p, "\x1b[32m||||||||||||\x1b[0m"));
	assert_null(strstr(p, "NO ANSWER"));
	p = draw((struct ctl_screen){ .rows = 24,
	    .columns = 80,
	    .ansi = true,
	    .stale = true,
	    .notice = "NO ANSWER for 3 s: Connection refused" });
	assert_non_null(
	    strstr(p, "\x1b[31mNO ANSWER for 3 s: Connection refused\x1b[0m"));
}

static void
nothing_known_is_a_title_and_a_notice(void **state)
{
	(void)state;
	assert_string_equal(
	    draw((struct ctl_screen){
		.rows = 4, .columns = 40, .notice = "NO ANSWER" }),
	    " mx1  /run/mux.sock            11:40:21 \n\n\n"
	    "NO ANSWER  q quit  space look now  p pa>\n");
}

static void
a_text_cannot_command_the_terminal(void **state)
{
	(void)state;
	assert_int_equal(
	    take("B 1 2 0 0 5\n",
		"0 B 9 sc\x1b[2Jan ago=1 (\x1b]0;x\x07\xc2\x9b)\n", 1000),
	    0);
	assert_non_null(strstr(draw((struct ctl_screen){ .columns = 100 }),
	    "    0 busy           9      1s  sc\\x1B[2Jan | "
	    "\\x1B]0;x\\x07\\xC2\\x9B\n"));
}

static void
rates_are_between_two_looks(void **state)
{
	(void)state;
	assert_int_equal(take("I 100 2 0 0 50\n", "", 1000), 0);
	assert_true(top.rate < 0);
	assert_int_equal(take("I 105 2 0 0 52\n", "", 3000), 0);
	assert_true(top.rate == 2.5);
	assert_false(top.restarted);
	assert_int_equal(take("I 3 1 0 0 1\n", "", 5000), 0);
	assert_true(top.restarted);
	assert_true(top.rate < 0);
	assert_int_equal(take("I 3 1 0 0 3\n", "", 5000), 0);
	assert_true(top.rate < 0);
}

static void
strange_reports_change_nothing(void **state)
{
	static const struct {
		const char *totals, *workers;
	} cases[] = {
		{ "error: no\n", WORKERS },
		{ "B 1 2\n", WORKERS },
		{ "", WORKERS },
		{ LOAD1, "error: no\n" },
		{ LOAD1, "0 I 811 ago=1\n1 Z\n" },
		{ LOAD1, "\n\n\n\n\n\n\n\n\n\n" },
	};

	(void)state;
	assert_int_equal(take(LOAD1, WORKERS, 1000), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    take(cases[i].totals, cases[i].workers, 2000), -1);
	assert_int_equal(top.n_workers, 4);
	assert_true(top.taken == 1000);
}

static void
no_memory_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(take(LOAD1, WORKERS, 1000), 0);
	for (size_t n = 0; n < 2; n++) { /* rows, text */
		int rc;

		failmalloc_once(n);
		rc = take(LOAD1, WORKERS, 2000);
		failmalloc_off();
		assert_int_equal(rc, -1);
	}
	assert_true(top.taken == 1000);
	assert_int_equal(take(LOAD1, WORKERS, 2000), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plain_text_shows_everything),
		TEST(a_small_screen_shows_the_busiest),
		TEST(a_wide_screen_shows_workers_side_by_side),
		TEST(the_upper_line_goes_to_the_edge_whatever_the_width),
		TEST(colours_say_what_is_wrong),
		TEST(nothing_known_is_a_title_and_a_notice),
		TEST(a_text_cannot_command_the_terminal),
		TEST(rates_are_between_two_looks),
		TEST(strange_reports_change_nothing),
		TEST(no_memory_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
