/* SPDX-License-Identifier: MIT */
/* account: statistics lines and metrics of a multiplexor at work. */
#include "multiplexor/mux_int.h"
#include "tests/support/mux_rig.h"

#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void
on_stopped(void *arg)
{
	((struct rig *)arg)->stopped = true;
}

static void
stop(struct rig *r)
{
	mux_stop(r->m, on_stopped, r);
	rig_until(r, &r->stopped);
}

static struct rig *
with_file(void **state, const char *name)
{
	static char path[300];
	struct rig *r = *state;

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	r->o.max_workers = 1;
	r->o.stats_file = path;
	r->o.stats_syslog = true;
	return r;
}

/* The events of the statistics file, without their times and ages. */
static const char *
events(const char *path)
{
	static char text[8192], out[8192];
	char *rest = text, *line;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	close(fd);
	text[n] = out[0] = '\0';
	while ((line = strsep(&rest, "\n")) && *line) {
		int day, month, year, h, m, s, ms, at = 0, cut;
		long epoch;

		assert_int_equal(
		    sscanf(line, "%2d/%2d/%4d:%2d:%2d:%2d %ld.%3d %n", &day,
			&month, &year, &h, &m, &s, &epoch, &ms, &at),
		    8);
		assert_true(at > 0);
		line += at;
		if (sscanf(line, "KillWorker %*s %*s %*s %*s%n age=%*d%n", &at,
			&cut) == 0 &&
		    strncmp(line, "Kill", 4) == 0)
			memmove(line + at, line + cut, strlen(line + cut) + 1);
		strcat(strcat(out, line), "\n");
	}
	return out;
}

static void
a_worker_has_lines_from_start_to_end(void **state)
{
	struct rig *r = with_file(state, "stats");

	rig_start(r);
	assert_string_equal(rig_say(r, "scan Q1 /d"), "ok");
	assert_string_equal(rig_say(r, "pid"), rig_say(r, "pid"));
	stop(r);
	mux_free(r->m);
	r->m = NULL;
	assert_string_equal(events(r->o.stats_file),
	    "StartWorker worker=0 nworkers=1 nbusy=0 "
	    "reason=\"Bringing workers up to minWorkers (1)\"\n"
	    "StartFilter worker=0 nworkers=1 nbusy=1\n"
	    "EndFilter worker=0 nworkers=1 nbusy=0 numRequests=1\n"
	    "KillWorker worker=0 nworkers=1 nbusy=0 req=3 "
	    "reason=\"Stopping workers and terminating\"\n"
	    "ReapWorker worker=0 nworkers=0 nbusy=0\n");
	assert_true(rig_logged(
	    r, " EndFilter worker=0 nworkers=1 nbusy=0 numRequests=1\n"));
	assert_true(rig_logged(r, "INFO: stats "));
}

static void
a_scan_ends_before_the_next_one_starts(void **state)
{
	struct rig *r = with_file(state, "stats");
	const char *fifo = rig_fifo(r, "w");
	struct rig_answer a, b, c;
	char line[300];

	r->o.queue_max = 2;
	r->o.stats_flush = true;
	r->o.start_delay_s = 3600; /* none but for a request */
	rig_start(r);
	snprintf(line, sizeof(line), "scan Q1 /d wait %s", fifo);
	rig_ask(r, line, &a);
	rig_ask(r, "scan Q2 /d", &b);
	rig_ask(r, "scan Q3 /d die", &c);
	rig_release(r, fifo);
	rig_until(r, &c.done);
	assert_string_equal(c.text, "ERR No response from worker\n");
	stop(r);
	assert_string_equal(events(r->o.stats_file),
	    "StartWorker worker=0 nworkers=1 nbusy=0 "
	    "reason=\"Bringing workers up to minWorkers (1)\"\n"
	    "StartFilter worker=0 nworkers=1 nbusy=1\n"
	    "EndFilter worker=0 nworkers=1 nbusy=0 numRequests=1\n"
	    "StartFilter worker=0 nworkers=1 nbusy=1\n"
	    "EndFilter worker=0 nworkers=1 nbusy=0 numRequests=2\n"
	    "StartFilter worker=0 nworkers=1 nbusy=1\n"
	    "EndFilter worker=0 nworkers=1 nbusy=0 numRequests=3\n"
	    "ReapWorker worker=0 nworkers=0 nbusy=0\n"
	    "StartWorker worker=0 nworkers=1 nbusy=0 "
	    "reason=\"About to perform scan\"\n"
	    "StartFilter worker=0 nworkers=1 nbusy=1\n"
	    "EndFilter worker=0 nworkers=1 nbusy=0 numRequests=1\n"
	    "ReapWorker worker=0 nworkers=0 nbusy=0\n");
	assert_int_equal(r->m->account->metrics.n[METRIC_QUEUED], 2);
	assert_int_equal(r->m->account->metrics.waited.count, 2);
	assert_int_equal(r->m->account->metrics.n[METRIC_RETRIED], 1);
	assert_int_equal(r->m->account->metrics.n[METRIC_FAIL_DIED], 1);
	assert_int_equal(r->m->account->metrics.n[METRIC_DIED_EXIT], 2);
	assert_int_equal(r->m->account->metrics.n[METRIC_REAPED], 2);
	/* two answers, and the one that was given up */
	assert_int_equal(r->m->account->metrics.took[KIND_SCAN].count, 3);
	assert_int_equal(r->m->account->busy, 0);
}

static void
metrics_count_what_happens(void **state)
{
	struct rig *r = *state;
	struct metrics *m;
	struct rig_answer a;
	uint64_t id;

	r->o.max_workers = 1;
	r->o.per_domain = 1;
	rig_start(r);
	m = &r->m->account->metrics;
	rig_say(r, "relayok 1");
	rig_say(r, "helook 1");
	rig_say(r, "senderok a");
	rig_say(r, "recipok <a@x>");
	rig_say(r, "env");
	for (int k = KIND_RELAYOK; k <= KIND_RECIPOK; k++)
		assert_int_equal(m->took[k].count, 1);
	assert_int_equal(m->took[KIND_OTHER].count, 1);
	id = rig_ask(r, "mute", &a);
	assert_string_equal(rig_say(r, "pid"), "error: No free workers");
	assert_int_equal(m->n[METRIC_FAIL_NO_WORKER], 1);
	mux_cancel(r->m, id);
	assert_int_equal(m->n[METRIC_CANCELLED], 1);
	rig_say(r, "reread");
	assert_int_equal(m->n[METRIC_REREADS], 1);
	assert_int_equal(m->n[METRIC_START_MIN], 1);
	assert_int_equal(m->n[METRIC_START_REQUEST], 0);
	assert_int_equal(r->m->account->busy, 1);
}

static void
a_request_that_starts_a_worker_counts_as_its_reason(void **state)
{
	struct rig *r = *state;
	const char *fifo = rig_fifo(r, "w");
	struct rig_answer a;
	char line[300];

	rig_start(r);
	snprintf(line, sizeof(line), "wait %s", fifo);
	rig_ask(r, line, &a);
	rig_say(r, "crash");
	rig_release(r, fifo);
	rig_until(r, &a.done);
	assert_true(r->m->account->metrics.n[METRIC_START_REQUEST] >= 1);
	assert_true(r->m->account->metrics.n[METRIC_DIED_SIGNAL] >= 1);
}

static void
a_file_that_cannot_be_opened_is_told(void **state)
{
	struct rig *r = with_file(state, "none/stats");

	rig_start(r);
	assert_true(rig_logged(r, "ERR: Could not open stats file "));
	assert_true(rig_logged(r, "/none/stats: No such file or directory\n"));
	assert_string_equal(rig_say(r, "pid"), rig_say(r, "pid"));
	assert_true(r->m->account->metrics.n[METRIC_LINES_LOST] >= 1);
}

static void
a_full_disk_is_told_once(void **state)
{
	struct rig *r = *state;

	r->o.stats_file = "/dev/full";
	r->o.stats_flush = true;
	rig_start(r);
	rig_say(r, "scan Q /d");
	rig_say(r, "scan Q /d");
	assert_true(rig_logged(r,
	    "ERR: Could not write stats file /dev/full: No space left on "
	    "device; lines beyond 64 KB are lost until that is mended\n"));
	r->log[0] = '\0';
	rig_say(r, "scan Q /d");
	assert_false(rig_logged(r, "Could not write"));
}

static void
reopening_makes_a_new_file(void **state)
{
	struct rig *r = with_file(state, "stats");
	char moved[310];

	rig_start(r);
	snprintf(moved, sizeof(moved), "%s.1", r->o.stats_file);
	assert_int_equal(rename(r->o.stats_file, moved), 0);
	rig_say(r, "pid"); /* it runs, and so has its line */
	mux_reopen_stats(r->m);
	rig_say(r, "scan Q /d");
	mux_reopen_stats(r->m); /* writes what waits */
	assert_string_equal(events(moved),
	    "StartWorker worker=0 nworkers=1 nbusy=0 "
	    "reason=\"Bringing workers up to minWorkers (1)\"\n");
	assert_string_equal(events(r->o.stats_file),
	    "StartFilter worker=0 nworkers=1 nbusy=1\n"
	    "EndFilter worker=0 nworkers=1 nbusy=0 numRequests=2\n");
}

/* Numbers that depend on the time become N; so does the nth one (from 1), the
 * uptime, unless n is 0. */
static const char *
without_times(const char *text, int nth)
{
	static char out[9000];
	const char *start = text;
	char *to = out;

	while (*text && to < out + sizeof(out) - 2) {
		if ((text == start || text[-1] == ' ') && --nth == 0) {
			*to++ = 'N';
			text += strspn(text, "0123456789");
			continue;
		}
		size_t n = strspn(text, "0123456789"),
		       fraction = text[n] == '.' ? 6 : 0;

		if (n && fraction &&
		    strspn(text + n + 1, "0123456789") >= fraction &&
		    strncmp(text, "1.000000", 8) != 0 &&
		    strncmp(text, "0.000000", 8) != 0) {
			*to++ = 'N';
			text += n + 1 + fraction;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
	return out;
}

static void
reports_of_load_are_those_of_what_was_done(void **state)
{
	struct rig *r = *state;

	r->o.max_workers = 2;
	rig_start(r);
	rig_say(r, "scan Q /d");
	rig_say(r, "recipok <a@x>");
	rig_say(r, "helook 1");
	assert_string_equal(without_times(rig_say(r, "load"), 29),
	    "1 1 1 1 1.000000 1.000000 1.000000 1.000000 N N N N "
	    "1 1 1 1 0 0 0 0 0 1 1 0 1 1 0 0 N");
	assert_string_equal(without_times(rig_say(r, "load-recipok"), 29),
	    "1 1 1 1 1.000000 1.000000 1.000000 1.000000 N N N N "
	    "0 0 0 0 0 0 0 0 0 1 1 0 1 1 0 0 N");
	assert_string_equal(without_times(rig_say(r, "load1 60"), 21),
	    "1 1.000000 N 0 0.000000 0.000000 0 0.000000 0.000000 "
	    "1 1.000000 N 0 1 1 0 1 1 0 0 N 60 0 0 0 0");
	assert_string_equal(rig_say(r, "load1 9"),
	    "error: Invalid 'back' amount (must be 10-600)");
	assert_string_equal(rig_say(r, "load1 x"),
	    "error: Invalid 'back' amount (must be 10-600)");
	assert_string_equal(without_times(rig_say(r, "hload-relayok"), 0),
	    "0 0 0 0 0.000000 0.000000 0.000000 0.000000 "
	    "0.000000 0.000000 0.000000 0.000000 0 0 0 0");
	assert_string_equal(rig_say(r, "histo"), "   1 3\n   2 0");
	assert_string_equal(rig_say(r, "autoscale"),
	    "enabled=0 interval=15 ema_busy=0.0000 scale_out=0.80 "
	    "scale_in=0.30 out_cool=5 in_cool=30 ema_alpha=0.2500");
	assert_memory_equal(
	    rig_say(r, "jsonstats"), "{\"version\":\"0.1.0\",", 19);
	assert_memory_equal(
	    rig_say(r, "metrics"), "# TYPE mimedefang_workers gauge\n", 32);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	static const struct CMUnitTest tests[] = {
		CASE(a_worker_has_lines_from_start_to_end),
		CASE(a_scan_ends_before_the_next_one_starts),
		CASE(metrics_count_what_happens),
		CASE(a_request_that_starts_a_worker_counts_as_its_reason),
		CASE(reports_of_load_are_those_of_what_was_done),
		CASE(a_file_that_cannot_be_opened_is_told),
		CASE(a_full_disk_is_told_once),
		CASE(reopening_makes_a_new_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
