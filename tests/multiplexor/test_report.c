/* SPDX-License-Identifier: MIT */
/* report: the texts that monitors parse, octet by octet. */
#include "multiplexor/report.h"

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
	w->pid = slot == 3 ? -1 : 810 + (long)slot;
	snprintf(
	    w->tag, sizeof(w->tag), "%s", slot == 0 ? (const char *)arg : "");
}

static void
run_actions(struct pool *p, msec now)
{
	struct pool_action a;

	while (pool_next(p, &a))
		if (a.type == POOL_SPAWN)
			pool_ready(p, a.slot, now);
}

/* 0 busy with a recipok, 1 idle after a scan, 2 killed, 3 stopped. */
static struct pool *
four_slots(void)
{
	static const struct pool_opts o = { .min_workers = 1,
		.max_workers = 4,
		.max_requests = 2,
		.queue_max = 9,
		.queue_ms = 1000,
		.busy_ms = 9000,
		.idle_ms = 300000,
		.term_ms = 10000 };
	static const enum mux_class first[] = { MUX_SCAN, MUX_SCAN, MUX_OTHER };
	struct pool *p;

	assert_int_equal(pool_new(&p, &o), 0);
	pool_start(p, 1000);
	run_actions(p, 1000);
	for (unsigned i = 0; i < 3; i++) {
		pool_request(p, i + 1, first[i], 0, 2000);
		run_actions(p, 2000);
	}
	for (unsigned i = 0; i < 3; i++)
		pool_finished(p, i, POOL_STAYS, 3000);
	pool_request(p, 4, MUX_RECIPOK, 0, 4000); /* to 2, which is fresh */
	pool_finished(p, 2, POOL_STAYS, 4000);    /* and retires */
	pool_request(p, 5, MUX_RECIPOK, 0, 5000); /* to 0, the oldest */
	run_actions(p, 5000);
	return p;
}

static struct report
report_for(struct pool *p, const char *tag)
{
	return (struct report){ p, 4, 9, 7900, 1000, view, (void *)tag };
}

static void
status_has_letters_and_five_numbers(void **state)
{
	struct pool *p = four_slots();
	struct report r = report_for(p, "");
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	report_status(&r, &b);
	assert_string_equal(buf_cstr(&b), "BIKS 2 3 9 0 6\n");
	buf_fini(&b);
	pool_free(p);
}

static void
workers_have_a_line_for_each_slot(void **state)
{
	struct pool *p = four_slots();
	struct report r = report_for(p, "recipok <j@x>");
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	report_workers(&r, false, &b);
	assert_string_equal(buf_cstr(&b),
	    "0 B 810 recipok last=recipok ago=2 (recipok <j@x>)\n"
	    "1 I 811 last=scan ago=4\n"
	    "2 K 812 last=recipok ago=3\n"
	    "3 S ago=6\n");
	buf_reset(&b);
	report_workers(&r, true, &b);
	assert_string_equal(buf_cstr(&b),
	    "0 B 810 recipok last=recipok ago=2 (recipok <j@x>)\n");
	buf_fini(&b);
	pool_free(p);
}

static void
percents_of_a_tag_come_back_as_themselves(void **state)
{
	struct pool *p = four_slots();
	struct report r = report_for(p, "x %0A %zz 100%");
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	report_workers(&r, true, &b);
	assert_string_equal(buf_cstr(&b),
	    "0 B 810 recipok last=recipok ago=2 (x %250A %zz 100%)\n");
	buf_reset(&b);
	report_workerinfo(&r, 0, &b);
	assert_non_null(strstr(buf_cstr(&b), "StatusTag x %250A %zz 100%\n"));
	buf_fini(&b);
	pool_free(p);
}

static void
workerinfo_tells_all(void **state)
{
	struct pool *p = four_slots();
	struct report r = report_for(p, "");
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	report_workerinfo(&r, 0, &b);
	assert_string_equal(buf_cstr(&b),
	    "Worker 0\nState Busy\nPID 810\nNumRequests 2\nNumScans 1\n"
	    "Age 6\nFirstReqAge 5\nLastStateChangeAge 2\nStatusTag \n");
	buf_reset(&b);
	report_workerinfo(&r, 3, &b);
	assert_string_equal(buf_cstr(&b),
	    "Worker 3\nState Stopped\nPID -1\nNumRequests 0\nNumScans 0\n"
	    "Age -1\nFirstReqAge -1\nLastStateChangeAge 6\nStatusTag \n");
	buf_reset(&b);
	report_workerinfo(&r, 4, &b);
	report_workerinfo(&r, -1, &b);
	assert_string_equal(buf_cstr(&b),
	    "error: Worker number out of range\n"
	    "error: Worker number out of range\n");
	buf_fini(&b);
	pool_free(p);
}

static void
tags_are_two_words_decoded_and_clean(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ "scan 4XyZ12 /var/spool/x", "scan 4XyZ12" },
		{ "reload", "reload" },
		{ "senderok %3Ca@b%3E 1.2.3.4", "senderok <a@b>" },
		{ "evil %0A%1B[2J%FF x", "evil   [2J " },
		{ "long 012345678901234567890123456789012345678901234567890123"
		  "456789",
		    "long 01234567890123456789012345678901234567890123456789012"
		    "34567" },
	};
	char tag[REPORT_TAG_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		report_request_tag(cases[i].line, strlen(cases[i].line), tag);
		assert_string_equal(tag, cases[i].want);
	}
	report_status_tag("1:%20>%20Reading%20COMMANDS", 27, tag);
	assert_string_equal(tag, "1: > Reading COMMANDS");
}

static void
queue_ids_are_found_where_the_request_has_them(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ "scan Q1 /d", "Q1" },
		{ "senderok s ip name helo /d Q2 SIZE=1", "Q2" },
		{ "recipok r s ip name first helo /d Q3 ? ? ?", "Q3" },
		{ "relayok 1 2 3 4 5 Q4", "" },
		{ "scan", "" },
		{ "scan 0123456789012345678901234567890123 /d",
		    "0123456789012345678901234567890" },
	};
	char qid[REPORT_QID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		report_qid(cases[i].line, strlen(cases[i].line), qid);
		assert_string_equal(qid, cases[i].want);
	}
}

static uint64_t
domain(const char *line)
{
	const char *p;
	size_t n;

	return report_domain(line, strlen(line), &p, &n);
}

static void
domains_are_those_of_the_recipient(void **state)
{
	uint64_t d = domain("recipok <a@Example.ORG> <s@x> ip");

	(void)state;
	assert_int_not_equal(d, 0);
	assert_true(domain("recipok <b@example.org> x") == d);
	assert_true(domain("recipok c@example.org x") == d);
	assert_true(domain("recipok <\"a@b\"@example.org>") == d);
	assert_true(domain("recipok <a@example.net> x") != d);
	assert_int_equal(domain("recipok <postmaster> <s@example.org>"), 0);
	assert_int_equal(domain("senderok <a@example.org>"), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_has_letters_and_five_numbers),
		cmocka_unit_test(workers_have_a_line_for_each_slot),
		cmocka_unit_test(percents_of_a_tag_come_back_as_themselves),
		cmocka_unit_test(workerinfo_tells_all),
		cmocka_unit_test(tags_are_two_words_decoded_and_clean),
		cmocka_unit_test(
		    queue_ids_are_found_where_the_request_has_them),
		cmocka_unit_test(domains_are_those_of_the_recipient),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
