/* SPDX-License-Identifier: MIT */
/* metrics, jsonstats, openmetrics: the rows, and what is made of them. */
#include "multiplexor/jsonstats.h"
#include "multiplexor/metrics.h"
#include "multiplexor/openmetrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void
view(void *arg, unsigned slot, struct report_worker *w)
{
	w->pid = slot ? -1 : 810;
	snprintf(w->tag, sizeof(w->tag), "%s", slot ? "" : (const char *)arg);
}

struct fix {
	struct pool *p;
	struct report r;
	struct metrics m;
	struct buf out;
};

/* Two slots: 0 busy with a scan, 1 stopped. */
static int
setup(void **state)
{
	static const struct pool_opts o = { .min_workers = 1,
		.max_workers = 2,
		.max_requests = 500,
		.queue_max = 4,
		.queue_ms = 1000,
		.busy_ms = 90000,
		.idle_ms = 300000,
		.term_ms = 10000 };
	static struct fix f;
	struct pool_action a;

	f = (struct fix){ 0 };
	assert_int_equal(pool_new(&f.p, &o), 0);
	pool_start(f.p, 1000);
	while (pool_next(f.p, &a))
		if (a.type == POOL_SPAWN)
			pool_ready(f.p, a.slot, 1000);
	pool_request(f.p, 1, MUX_SCAN, 0, 5000);
	f.r = (struct report){ .pool = f.p,
		.slots = 2,
		.queue_max = 4,
		.now = 7500,
		.started = 1000,
		.worker = view,
		.arg = (void *)(uintptr_t) "scan \"q\\%0A" };
	buf_init(&f.out, 0);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	pool_free(f->p);
	buf_fini(&f->out);
	return 0;
}

static void
kinds_are_told_by_the_first_word(void **state)
{
	static const struct {
		const char *line;
		enum request_kind want;
	} cases[] = {
		{ "scan Q /d", KIND_SCAN },
		{ "relayok 1", KIND_RELAYOK },
		{ "helook 1", KIND_HELOOK },
		{ "senderok 1", KIND_SENDEROK },
		{ "recipok 1", KIND_RECIPOK },
		{ "map m k", KIND_MAP },
		{ "tick 0", KIND_TICK },
		{ "ping", KIND_OTHER },
		{ "scanner", KIND_OTHER },
		{ "sca", KIND_OTHER },
		{ "other", KIND_OTHER },
		{ "", KIND_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    metrics_kind(cases[i].line, strlen(cases[i].line)),
		    cases[i].want);
}

static void
rows_of_a_family_stand_together_and_the_first_has_the_help(void **state)
{
	(void)state;
	assert_non_null(metric_rows[0].help);
	for (int i = 1; i < METRIC_N; i++) {
		const struct metric_row *a = &metric_rows[i - 1],
					*b = &metric_rows[i];
		bool same = strcmp(a->family, b->family) == 0;

		assert_int_equal(same, b->help == NULL);
		assert_int_equal(b->label == NULL, b->value == NULL);
		for (int j = 0; j < i; j++)
			assert_false(b->help && strcmp(metric_rows[j].family,
						    b->family) == 0);
	}
}

#define NO_TIMES                                                               \
	"{\"count\":0,\"mean_ms\":0.000,\"p50_ms\":0.000,\"p90_ms\":0.000,"    \
	"\"p95_ms\":0.000,\"p99_ms\":0.000,\"max_ms\":0.000}"

static void
json_has_everything_and_nothing_unescaped(void **state)
{
	struct fix *f = *state;

	f->m.n[METRIC_FAIL_QUEUE] = 3;
	f->m.n[METRIC_QUEUED] = 7;
	f->m.n[METRIC_LINES_LOST] = 1;
	hist_add(&f->m.took[KIND_SCAN], 1500);
	jsonstats(&f->m, &f->r, &f->out);
	assert_string_equal(buf_cstr(&f->out),
	    "{\"version\":\"0.1.0\",\"uptime\":6,\"scans\":0,"
	    "\"activations\":1,\"workers\":{\"max\":2,\"idle\":0,\"busy\":1,"
	    "\"stopped\":1,\"killed\":0,\"old_generation\":0,\"early_deaths\":"
	    "0},"
	    "\"queue\":{\"size\":4,\"length\":0},"
	    "\"counters\":{\"requests_failed\":{\"no_worker\":0,\"start\":0,"
	    "\"queue_timeout\":3,\"busy_timeout\":0,\"talk\":0,"
	    "\"worker_died\":0,\"domain_limit\":0,\"stopping\":0},"
	    "\"requests_queued\":7,\"requests_retried\":0,"
	    "\"requests_cancelled\":0,\"workers_started\":{\"minimum\":0,"
	    "\"request\":0,\"other\":0},\"worker_starts_failed\":0,"
	    "\"workers_told_to_exit\":{\"requests\":0,\"lifetime\":0,"
	    "\"reread\":0,\"idle\":0,\"busy_timeout\":0,\"talk\":0,"
	    "\"output\":0,\"stopping\":0,\"other\":0},"
	    "\"workers_overdue\":{\"TERM\":0,\"KILL\":0},"
	    "\"workers_died\":{\"exit\":0,\"signal\":0,\"memory\":0},"
	    "\"workers_reaped\":0,\"worker_start_pauses\":0,\"rereads\":0,"
	    "\"ticks_skipped\":0,\"statistics_lines_lost\":1},"
	    "\"requests\":{\"scan\":{\"count\":1,\"mean_ms\":1.500,"
	    "\"p50_ms\":1.500,\"p90_ms\":1.500,\"p95_ms\":1.500,"
	    "\"p99_ms\":1.500,\"max_ms\":1.500},"
	    "\"relayok\":" NO_TIMES ",\"helook\":" NO_TIMES
	    ",\"senderok\":" NO_TIMES ",\"recipok\":" NO_TIMES
	    ",\"map\":" NO_TIMES ",\"tick\":" NO_TIMES ",\"other\":" NO_TIMES
	    "},\"queue_wait\":" NO_TIMES ",\"worker_list\":["
	    "{\"slot\":0,\"state\":\"Busy\",\"pid\":810,"
	    "\"command\":\"scan\",\"last\":\"scan\",\"ago\":2,\"requests\":1,"
	    "\"scans\":1,\"age\":6,\"first_request_age\":2,"
	    "\"tag\":\"scan \\u0022q\\u005c\\u00250A\"},"
	    "{\"slot\":1,\"state\":\"Stopped\",\"pid\":-1,\"command\":\"\","
	    "\"last\":\"\",\"ago\":6,\"requests\":0,\"scans\":0,\"age\":-1,"
	    "\"first_request_age\":-1,\"tag\":\"\"}]}\n");
}

static void
want(struct fix *f, const char *part)
{
	if (!strstr(buf_cstr(&f->out), part))
		fail_msg("missing:\n%s\nin:\n%s", part, buf_cstr(&f->out));
}

static void
openmetrics_has_types_totals_and_buckets(void **state)
{
	struct fix *f = *state;
	const char *text;
	size_t n;

	f->m.n[METRIC_FAIL_BUSY] = 4;
	hist_add(&f->m.took[KIND_SCAN], 1500);
	hist_add(&f->m.took[KIND_SCAN], 600000000);
	openmetrics(&f->m, &f->r, &f->out);
	want(f, "# TYPE mimedefang_workers gauge\n"
		"# HELP mimedefang_workers worker slots by state\n"
		"mimedefang_workers{state=\"idle\"} 0\n"
		"mimedefang_workers{state=\"busy\"} 1\n"
		"mimedefang_workers{state=\"stopped\"} 1\n"
		"mimedefang_workers{state=\"killed\"} 0\n");
	want(f, "# TYPE mimedefang_requests_failed counter\n"
		"# HELP mimedefang_requests_failed requests that no worker "
		"answered\n"
		"mimedefang_requests_failed_total{reason=\"no_worker\"} 0\n");
	want(
	    f, "mimedefang_requests_failed_total{reason=\"busy_timeout\"} 4\n");
	want(f, "# TYPE mimedefang_requests_queued counter\n"
		"# HELP mimedefang_requests_queued requests that had to wait\n"
		"mimedefang_requests_queued_total 0\n");
	want(f, "# TYPE mimedefang_request_seconds histogram\n"
		"# UNIT mimedefang_request_seconds seconds\n");
	want(f,
	    "mimedefang_request_seconds_bucket{kind=\"scan\",le=\"0.001000\"} "
	    "0\n"
	    "mimedefang_request_seconds_bucket{kind=\"scan\",le=\"0.002000\"} "
	    "1\n");
	want(f,
	    "mimedefang_request_seconds_bucket{kind=\"scan\",le=\"500.000000\"}"
	    " 1\n"
	    "mimedefang_request_seconds_bucket{kind=\"scan\",le=\"+Inf\"} 2\n"
	    "mimedefang_request_seconds_count{kind=\"scan\"} 2\n"
	    "mimedefang_request_seconds_sum{kind=\"scan\"} 600.001500\n");
	want(f, "mimedefang_queue_seconds_bucket{le=\"+Inf\"} 0\n"
		"mimedefang_queue_seconds_count 0\n"
		"mimedefang_queue_seconds_sum 0.000000\n# EOF\n");
	text = buf_cstr(&f->out);
	n = buf_len(&f->out);
	assert_string_equal(text + n - 6, "# EOF\n");
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CASE(kinds_are_told_by_the_first_word),
		CASE(
		    rows_of_a_family_stand_together_and_the_first_has_the_help),
		CASE(json_has_everything_and_nothing_unescaped),
		CASE(openmetrics_has_types_totals_and_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
