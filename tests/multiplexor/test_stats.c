/* SPDX-License-Identifier: MIT */
/* stats, stats_file: the lines, and what becomes of them when they cannot be
 * written. */
#include "multiplexor/stats.h"
#include "multiplexor/stats_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static const struct tm when = { .tm_mday = 2,
	.tm_mon = 10,
	.tm_year = 126,
	.tm_hour = 4,
	.tm_min = 5,
	.tm_sec = 6 };

static void
each_event_has_its_line(void **state)
{
	static const struct {
		struct stats_event e;
		const char *want;
	} cases[] = {
		{ { STATS_START_WORKER, 3, 5, 1, 0, 0, "About to perform scan",
		      1795347629639 },
		    "02/11/2026:04:05:06 1795347629.639 StartWorker worker=3 "
		    "nworkers=5 nbusy=1 reason=\"About to perform scan\"\n" },
		{ { STATS_KILL_WORKER, 0, 5, 0, 3, 13, "Busy timeout",
		      1795347629009 },
		    "02/11/2026:04:05:06 1795347629.009 KillWorker worker=0 "
		    "nworkers=5 nbusy=0 req=3 age=13 "
		    "reason=\"Busy timeout\"\n" },
		{ { STATS_REAP_WORKER, 0, 4, 0, 9, 9, "no", 1795347629000 },
		    "02/11/2026:04:05:06 1795347629.000 ReapWorker worker=0 "
		    "nworkers=4 nbusy=0\n" },
		{ { STATS_START_FILTER, 1, 4, 1, 9, 9, NULL, 1795347629000 },
		    "02/11/2026:04:05:06 1795347629.000 StartFilter worker=1 "
		    "nworkers=4 nbusy=1\n" },
		{ { STATS_END_FILTER, 1, 4, 0, 7, 9, NULL, 1795347629000 },
		    "02/11/2026:04:05:06 1795347629.000 EndFilter worker=1 "
		    "nworkers=4 nbusy=0 numRequests=7\n" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&b);
		stats_file_line(&cases[i].e, &when, &b);
		assert_string_equal(buf_cstr(&b), cases[i].want);
		buf_reset(&b);
		stats_log_line(&cases[i].e, &b);
		assert_memory_equal(buf_cstr(&b), "stats 1795347629.", 17);
		assert_memory_equal(buf_cstr(&b) + 6, cases[i].want + 20,
		    buf_len(&b) - 6); /* the same without date and LF */
		assert_int_equal(buf_len(&b) + 15, strlen(cases[i].want));
	}
	buf_fini(&b);
}

static void
a_reason_cannot_end_its_line(void **state)
{
	struct stats_event e = { .what = STATS_START_WORKER,
		.reason = "About to execute command 'a\n\"b\r\377'" };
	char longest[2000];
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	stats_log_line(&e, &b);
	assert_string_equal(buf_cstr(&b),
	    "stats 0.000 StartWorker worker=0 nworkers=0 nbusy=0 "
	    "reason=\"About to execute command 'a%0A%22b%0D%FF'\"");
	memset(longest, '\n', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	e.reason = longest;
	buf_reset(&b);
	stats_file_line(&e, &when, &b);
	assert_true(buf_len(&b) <= 1023);
	buf_fini(&b);
}

/* ---- the file ---- */

struct place {
	char dir[64], path[96];
	struct stats_file f;
};

static int
setup(void **state)
{
	static struct place p;

	strcpy(p.dir, "/tmp/test_stats.XXXXXX");
	assert_non_null(mkdtemp(p.dir));
	snprintf(p.path, sizeof(p.path), "%s/stats", p.dir);
	stats_file_init(&p.f, p.path);
	*state = &p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	stats_file_close(&p->f);
	unlink(p->path);
	return rmdir(p->dir);
}

static void
want_content(const char *path, const char *want)
{
	char got[200] = "";
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	close(fd);
	assert_string_equal(got, want);
}

static void
lines_wait_until_they_are_written(void **state)
{
	struct place *p = *state;

	assert_int_equal(stats_file_open(&p->f), 0);
	assert_true(stats_file_add(&p->f, "one\n", 4));
	want_content(p->path, "");
	assert_int_equal(stats_file_write(&p->f), 0);
	want_content(p->path, "one\n");
	assert_true(stats_file_add(&p->f, "two\n", 4));
	stats_file_close(&p->f);
	want_content(p->path, "one\ntwo\n");
	assert_int_equal(stats_file_open(&p->f), 0); /* appends */
	assert_true(stats_file_add(&p->f, "three\n", 6));
	assert_int_equal(stats_file_write(&p->f), 0);
	want_content(p->path, "one\ntwo\nthree\n");
}

static void
a_file_that_was_moved_away_is_made_anew(void **state)
{
	struct place *p = *state;
	char moved[120];

	snprintf(moved, sizeof(moved), "%s.1", p->path);
	assert_int_equal(stats_file_open(&p->f), 0);
	assert_true(stats_file_add(&p->f, "old\n", 4));
	assert_int_equal(rename(p->path, moved), 0);
	assert_int_equal(stats_file_open(&p->f), 0);
	assert_true(stats_file_add(&p->f, "new\n", 4));
	assert_int_equal(stats_file_write(&p->f), 0);
	want_content(moved, "old\n");
	want_content(p->path, "new\n");
	unlink(moved);
}

static void
a_file_that_cannot_be_opened_costs_lines_only(void **state)
{
	struct stats_file f;

	(void)state;
	stats_file_init(&f, "/nonexistent/stats");
	assert_int_equal(stats_file_open(&f), -ENOENT);
	assert_false(stats_file_add(&f, "one\n", 4));
	assert_int_equal(stats_file_write(&f), 0);
	stats_file_close(&f);
}

static void
a_full_disk_keeps_the_lines_up_to_a_limit(void **state)
{
	char line[1000];
	int taken = 0;
	struct stats_file f;

	(void)state;
	memset(line, 'x', sizeof(line));
	stats_file_init(&f, "/dev/full");
	assert_int_equal(stats_file_open(&f), 0);
	while (stats_file_add(&f, line, sizeof(line)))
		taken++;
	assert_int_equal(taken, 65);
	assert_int_equal(stats_file_write(&f), -ENOSPC);
	assert_true(stats_file_add(&f, line, 500)); /* a shorter one fits */
	assert_int_equal(buf_len(&f.waiting), 65500);
	stats_file_close(&f);
}

static void
a_full_fifo_does_not_block(void **state)
{
	struct place *p = *state;
	char line[1000], got[65536];
	ssize_t n, all = 0;
	int reader, lines = 0;

	assert_int_equal(mkfifo(p->path, 0600), 0);
	assert_int_equal(stats_file_open(&p->f), -ENXIO); /* nobody reads */
	reader = open(p->path, O_RDONLY | O_NONBLOCK);
	assert_int_equal(stats_file_open(&p->f), 0);
	memset(line, 'x', sizeof(line));
	while (stats_file_add(&p->f, line, sizeof(line))) {
		assert_int_equal(stats_file_write(&p->f), 0);
		lines++;
	}
	assert_true(lines >= 65);
	while ((n = read(reader, got, sizeof(got))) > 0 && ++all)
		assert_int_equal(stats_file_write(&p->f), 0);
	assert_true(all > 1); /* what waited came, too */
	assert_int_equal(buf_len(&p->f.waiting), 0);
	close(reader);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_has_its_line),
		cmocka_unit_test(a_reason_cannot_end_its_line),
		CASE(lines_wait_until_they_are_written),
		CASE(a_file_that_was_moved_away_is_made_anew),
		cmocka_unit_test(a_file_that_cannot_be_opened_costs_lines_only),
		cmocka_unit_test(a_full_disk_keeps_the_lines_up_to_a_limit),
		CASE(a_full_fifo_does_not_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
