/* SPDX-License-Identifier: MIT */
/*
 * load_run: the loop of a load: begins sessions, counts what they report, and
 * ends when all is done, when the time is over, or at a signal (load.h).
 */
#include "cli/check/load.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define TICK_MS     100
#define IN_A_ROW    20 /* errors, and one for each connection: give up */
#define BEGIN_AHEAD 8  /* --idle: sessions that are on their way at once */

struct loop {
	struct load_run *r;
	struct event *tick, *interrupt, *terminate;
	uint64_t start_us, end_us; /* of the time that counts; 0 = not known */
	uint64_t stop_us;
};

/* ---- what sessions report -------------------------------------------------------------- */

bool
load_may_start(const struct load_run *r)
{
	if (r->stopping)
		return false;
	return r->o->idle || r->o->messages == 0 ||
	       r->started < (uint64_t)r->o->messages;
}

void
load_time(struct load_run *r, enum load_stage s, uint64_t since_us)
{
	if (r->counting)
		loghist_add(&r->counts.times[s], clock_mono_us() - since_us);
}

void
load_message_done(struct load_run *r, enum mlt_verdict v)
{
	r->in_a_row = 0;
	r->done++;
	if (!r->counting)
		return;
	r->counts.messages++;
	r->counts.verdicts[v]++;
}

static void
begin_sessions(struct load_run *r)
{
	size_t ahead = r->o->idle ? BEGIN_AHEAD : r->n_sessions;

	while (!r->stopping && r->opened < r->n_sessions &&
	       r->opened < r->held + r->over + ahead)
		load_session_begin(r->sessions, r->opened++);
}

void
load_session_held(struct load_run *r)
{
	r->in_a_row = 0;
	r->held++;
	if (r->held + r->over == r->n_sessions)
		load_show_held(r);
	begin_sessions(r);
}

static void
stop(struct load_run *r)
{
	if (r->stopping)
		return;
	r->stopping = true;
	if (r->counting)
		r->counts.end = load_sample_now(&r->o->pids);
	r->counting = false;
	r->over += r->n_sessions - r->opened; /* will never begin */
	for (size_t i = 0; i < r->opened; i++)
		load_session_stop(r->sessions, i);
	if (r->over == r->n_sessions)
		event_base_loopbreak(r->base);
}

void
load_session_over(struct load_run *r)
{
	r->over++;
	if (r->over == r->n_sessions)
		event_base_loopbreak(r->base);
}

void
load_failed(struct load_run *r, enum load_error e)
{
	if (r->counting)
		r->counts.errors[e]++;
	if (++r->in_a_row < IN_A_ROW + r->n_sessions || r->stopping)
		return;
	r->gave_up = true;
	stop(r);
}

/* ---- the clock ---------------------------------------------------------------------------- */

static void
begin_counting(struct loop *l, uint64_t now_us)
{
	struct load_run *r = l->r;

	r->counts = (struct load_counts){ .messages = 0 };
	r->counts.begin = load_sample_now(&r->o->pids);
	r->counting = true;
	l->start_us = now_us;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	struct load_run *r = l->r;
	uint64_t now = clock_mono_us();

	(void)fd;
	(void)what;
	for (size_t i = 0; i < r->opened; i++)
		load_session_tick(r->sessions, i, now);
	if (r->o->idle && r->held + r->over < r->n_sessions)
		l->start_us = now; /* --seconds is for holding them */
	if (!r->stopping && !r->counting &&
	    now >= l->start_us + r->o->warm_up_ms * 1000)
		begin_counting(l, now);
	if (r->counting && r->o->ms && now >= l->start_us + r->o->ms * 1000)
		stop(r);
	if (r->stopping && l->stop_us == 0)
		l->stop_us = now;
	if (r->stopping &&
	    now > l->stop_us + (uint64_t)r->o->timeout_s * 1000000)
		event_base_loopbreak(r->base); /* somebody does not answer */
	load_progress(r, now - l->start_us);
}

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	(void)signo;
	(void)what;
	stop(arg);
}

/* ---- all ---------------------------------------------------------------------------------- */

static int
add_events(struct loop *l)
{
	struct event_base *base = l->r->base;
	struct timeval tick = clock_timeval(TICK_MS);

	l->tick = event_new(base, -1, EV_PERSIST, on_tick, l);
	l->interrupt = evsignal_new(base, SIGINT, on_signal, l->r);
	l->terminate = evsignal_new(base, SIGTERM, on_signal, l->r);
	return l->tick && l->interrupt && l->terminate &&
		       event_add(l->tick, &tick) == 0 &&
		       event_add(l->interrupt, NULL) == 0 &&
		       event_add(l->terminate, NULL) == 0
		   ? 0
		   : -1;
}

static void
free_events(struct loop *l)
{
	struct event *all[] = { l->tick, l->interrupt, l->terminate };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (all[i])
			event_free(all[i]);
	}
}

/* Timers of a latency as exact as the kernel has them. */
static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config &&
	    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

int
load_run(struct load_run *r)
{
	struct loop l = { .r = r, .start_us = clock_mono_us() };
	int rc = -1;

	r->n_sessions = (size_t)(r->o->idle ? r->o->idle : r->o->connections);
	r->before = load_memory_now(&r->o->pids);
	r->base = new_base();
	if (r->base)
		r->sessions = load_sessions_new(r, r->n_sessions);
	if (r->sessions && add_events(&l) == 0) {
		if (r->o->warm_up_ms == 0)
			begin_counting(&l, l.start_us);
		begin_sessions(r);
		event_base_dispatch(r->base);
		if (r->counting)
			r->counts.end = load_sample_now(&r->o->pids);
		rc = 0;
	} else {
		fputs("milter-check: out of memory\n", stderr);
	}
	load_progress_end();
	free_events(&l);
	load_sessions_free(r->sessions, r->n_sessions);
	if (r->base)
		event_base_free(r->base);
	return rc;
}
