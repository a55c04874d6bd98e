/* SPDX-License-Identifier: MIT */
/*
 * account: the books of what happened (account.h).
 */
#include "mux_int.h"

#include "stats.h"

#include "core/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int
account_new(struct mux *m)
{
	size_t n = (size_t)m->o->max_workers;
	struct account *acc;

	acc = calloc(1, sizeof(*acc) + n * sizeof(acc->runs[0]));
	if (!acc)
		return -ENOMEM;
	if (load_new(&acc->load, (unsigned)n) < 0) {
		free(acc);
		return -ENOMEM;
	}
	stats_file_init(&acc->file, m->o->stats_file);
	acc->start_wall = clock_wall_ms();
	acc->start_mono = clock_mono_ms();
	acc->last_start = MSEC_NEVER;
	m->account = acc;
	return 0;
}

void
account_free(struct mux *m)
{
	if (!m->account)
		return;
	load_free(m->account->load);
	stats_file_close(&m->account->file);
	free(m->account);
	m->account = NULL;
}

int64_t
account_sec(const struct mux *m)
{
	const struct account *acc = m->account;

	return (acc->start_wall + (int64_t)(m->now - acc->start_mono)) / 1000;
}

void
account_count(const struct mux *m, enum metric which)
{
	m->account->metrics.n[which]++;
}

/* ---- statistics lines ---- */

void
account_open_file(const struct mux *m)
{
	struct account *acc = m->account;
	int r;

	if (!acc->file.path)
		return;
	r = stats_file_open(&acc->file);
	acc->file_fails = r < 0;
	if (r < 0)
		log_msg(LOG_L_ERR, NULL, "Could not open stats file %s: %s",
		    acc->file.path, strerror(-r));
}

bool
account_write_file(const struct mux *m)
{
	struct account *acc = m->account;
	int r = stats_file_write(&acc->file);

	if (r < 0 && !acc->file_fails)
		log_msg(LOG_L_ERR, NULL,
		    "Could not write stats file %s: %s; lines beyond %d KB "
		    "are lost until that is mended",
		    acc->file.path, strerror(-r), STATS_FILE_MAX / 1024);
	acc->file_fails = r < 0;
	return buf_len(&acc->file.waiting) == 0;
}

static void
add_to_file(const struct mux *m, const struct stats_event *e)
{
	struct account *acc = m->account;
	time_t seconds = (time_t)(e->wall_ms / 1000);
	struct buf line;
	struct tm date;

	buf_init(&line, 0);
	if (localtime_r(&seconds, &date))
		stats_file_line(e, &date, &line);
	if (!buf_len(&line) || line.failed ||
	    !stats_file_add(&acc->file, buf_data(&line), buf_len(&line)))
		account_count(m, METRIC_LINES_LOST);
	buf_fini(&line);
	if ((m->o->stats_flush ||
		buf_len(&acc->file.waiting) >= STATS_FILE_FULL) &&
	    !acc->file_fails)
		account_write_file(m);
	if (buf_len(&acc->file.waiting))
		clockwork_write_soon(m);
}

static void
add_to_log(const struct stats_event *e)
{
	struct buf line;

	buf_init(&line, 0);
	stats_log_line(e, &line);
	if (buf_cstr(&line))
		log_msg(LOG_L_INFO, NULL, "%s", buf_cstr(&line));
	buf_fini(&line);
}

static void
add_line(const struct mux *m, enum stats_what what, unsigned slot,
    const char *reason)
{
	struct account *acc = m->account;
	struct stats_event e = { .what = what,
		.worker = slot,
		.running = acc->running,
		.busy = acc->busy,
		.reason = reason };
	struct pool_info i;

	if (!acc->file.path && !m->o->stats_syslog)
		return;
	pool_info(m->pool, slot, &i);
	e.requests = i.requests;
	e.age = i.started == MSEC_NEVER ? 0 : (long)(m->now - i.started) / 1000;
	e.wall_ms = clock_wall_ms();
	if (acc->file.path)
		add_to_file(m, &e);
	if (m->o->stats_syslog)
		add_to_log(&e);
}

/* ---- workers ---- */

void
account_started(
    const struct mux *m, const struct pool_action *a, const char *reason)
{
	struct account *acc = m->account;

	acc->running++;
	acc->last_start = m->now;
	load_started(acc->load, account_sec(m));
	if (a->why == POOL_WHY_MIN)
		account_count(m, METRIC_START_MIN);
	else if (a->why == POOL_WHY_REQUEST)
		account_count(m, METRIC_START_REQUEST);
	else
		account_count(m, METRIC_START_OTHER);
	add_line(m, STATS_START_WORKER, a->slot, reason);
}

static enum metric
told_metric(enum pool_why why)
{
	static const enum metric metrics[POOL_WHY_N] = {
		[POOL_WHY_REQUESTS] = METRIC_TOLD_REQUESTS,
		[POOL_WHY_LIFETIME] = METRIC_TOLD_LIFETIME,
		[POOL_WHY_GENERATION] = METRIC_TOLD_REREAD,
		[POOL_WHY_REREAD] = METRIC_TOLD_REREAD,
		[POOL_WHY_IDLE] = METRIC_TOLD_IDLE,
		[POOL_WHY_BUSY] = METRIC_TOLD_BUSY,
		[POOL_WHY_TALK] = METRIC_TOLD_TALK,
		[POOL_WHY_OUTPUT] = METRIC_TOLD_OUTPUT,
		[POOL_WHY_STOP] = METRIC_TOLD_STOP,
	};

	return metrics[why] ? metrics[why] : METRIC_TOLD_OTHER;
}

void
account_told(
    const struct mux *m, const struct pool_action *a, const char *reason)
{
	if (a->why == POOL_WHY_OVERDUE) {
		account_count(m,
		    a->type == POOL_TERM ? METRIC_LATE_TERM : METRIC_LATE_KILL);
		return;
	}
	/* one that may finish its last request is heard of once more */
	if (pool_req(m->pool, a->slot) != m->account->runs[a->slot].req)
		account_ended(m, a->slot, true);
	account_count(m, told_metric(a->why));
	add_line(m, STATS_KILL_WORKER, a->slot, reason);
}

void
account_reaped(const struct mux *m, unsigned slot)
{
	struct account *acc = m->account;

	account_ended(m, slot, true);
	acc->running--;
	account_count(m, METRIC_REAPED);
	load_reaped(acc->load, account_sec(m));
	add_line(m, STATS_REAP_WORKER, slot, NULL);
}

/* ---- requests ---- */

void
account_waits(const struct mux *m, struct request *r)
{
	r->waits_us = clock_mono_us();
	account_count(m, METRIC_QUEUED);
}

static void
waited(const struct mux *m, struct request *r)
{
	if (r->waits_us)
		hist_add(
		    &m->account->metrics.waited, clock_mono_us() - r->waits_us);
	r->waits_us = 0;
}

void
account_assigned(
    const struct mux *m, const struct pool_action *a, struct request *r)
{
	struct account *acc = m->account;
	struct run *run = &acc->runs[a->slot];

	account_ended(m, a->slot, true);
	*run = (struct run){ .req = a->req,
		.from_us = clock_mono_us(),
		.cls = a->cls,
		.kind = metrics_kind(r->line, r->n) };
	acc->busy++;
	load_busy(acc->load, acc->busy);
	waited(m, r);
	if (run->cls == MUX_SCAN)
		add_line(m, STATS_START_FILTER, a->slot, NULL);
}

void
account_ended(const struct mux *m, unsigned slot, bool answered)
{
	struct account *acc = m->account;
	struct run *run = &acc->runs[slot];
	uint64_t us;

	if (!run->req)
		return;
	us = clock_mono_us() - run->from_us;
	if (answered) {
		hist_add(&acc->metrics.took[run->kind], us);
		load_done(acc->load, run->cls, acc->busy, us, account_sec(m));
	}
	acc->busy--;
	run->req = 0;
	if (run->cls == MUX_SCAN)
		add_line(m, STATS_END_FILTER, slot, NULL);
}

void
account_failed(
    const struct mux *m, const struct pool_action *a, struct request *r)
{
	static const enum metric metrics[POOL_A_N] = {
		[POOL_A_BUSY] = METRIC_FAIL_NO_WORKER,
		[POOL_A_START] = METRIC_FAIL_START,
		[POOL_A_QUEUE] = METRIC_FAIL_QUEUE,
		[POOL_A_TIMEOUT] = METRIC_FAIL_BUSY,
		[POOL_A_TALK] = METRIC_FAIL_TALK,
		[POOL_A_DIED] = METRIC_FAIL_DIED,
		[POOL_A_DOMAIN] = METRIC_FAIL_DOMAIN,
		[POOL_A_STOP] = METRIC_FAIL_STOP,
	};

	account_count(m, metrics[a->answer]);
	if (a->answer == POOL_A_QUEUE)
		waited(m, r);
	if (a->slot != POOL_NO_SLOT && m->account->runs[a->slot].req == a->req)
		account_ended(m, a->slot, a->answer != POOL_A_STOP);
}
