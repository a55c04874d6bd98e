/* SPDX-License-Identifier: MIT */
/*
 * clockwork_ev: what the multiplexor does by the clock and not because somebody
 * asked: the status line, statistics that wait to be written, ticks and
 * autoscaling.  When something is due is said by ticks and autoscale.
 */
#include "mux_int.h"

#include "autoscale.h"
#include "ticks.h"

#include "core/base/log.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_S 1 /* a statistics line waits no longer */

struct tick {
	struct clockwork *c;
	unsigned type;
	uint64_t ticket; /* 0: it does not run */
};

struct clockwork {
	struct mux *m;
	struct event *status_ev, *write_ev, *tick_ev, *scale_ev;
	struct autoscale scale;
	struct ticks ticks;
	struct tick running[TICKS_MAX];
	bool stopped;
};

/* ---- the status line and the statistics file ---- */

static void
on_status(evutil_socket_t fd, short what, void *arg)
{
	struct clockwork *c = arg;

	(void)fd;
	(void)what;
	log_status(c->m);
}

static void
on_write(evutil_socket_t fd, short what, void *arg)
{
	struct clockwork *c = arg;

	(void)fd;
	(void)what;
	if (!account_write_file(c->m))
		clockwork_write_soon(c->m);
}

void
clockwork_write_soon(const struct mux *m)
{
	struct event *ev = m->clockwork->write_ev;

	if (!event_pending(ev, EV_TIMEOUT, NULL))
		event_add(ev, &(struct timeval){ WRITE_S, 0 });
}

/* ---- ticks ---- */

static void
set_tick(struct clockwork *c)
{
	msec at = ticks_deadline(&c->ticks), now = clock_mono_ms();

	if (at == MSEC_NEVER || c->stopped)
		return;
	struct timeval tv = clock_timeval(at > now ? at - now : 0);
	event_add(c->tick_ev, &tv);
}

/* Whatever came of it, its type has its next turn: none is ever lost. */
static void
tick_done(void *arg, char *answer, size_t n, const char *error)
{
	struct tick *t = arg;

	(void)n;
	(void)error;
	t->ticket = 0;
	if (!answer || strcmp(answer, MUX_NO_WORKER) == 0 ||
	    strcmp(answer, MUX_NO_START) == 0)
		ticks_skipped(&t->c->ticks, t->type, clock_mono_ms());
	else
		ticks_done(&t->c->ticks, t->type, clock_mono_ms());
	set_tick(t->c);
}

static void
run_tick(struct clockwork *c, unsigned type)
{
	struct tick *t = &c->running[type];
	char line[16];
	int n;

	*t = (struct tick){ c, type, 0 };
	n = snprintf(line, sizeof(line), "tick %u", type);
	t->ticket = mux_ask_now(c->m, line, (size_t)n, tick_done, t);
	if (!t->ticket) /* no memory */
		tick_done(t, NULL, 0, NULL);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct clockwork *c = arg;
	int type;

	(void)fd;
	(void)what;
	while ((type = ticks_next(&c->ticks, clock_mono_ms())) >= 0)
		run_tick(c, (unsigned)type);
	set_tick(c);
}

/* ---- autoscaling ---- */

static void
scale_out(struct clockwork *c)
{
	struct pool_counts n;
	long i = 0;

	while (i < c->m->o->scale_step && pool_grow(c->m->pool, c->m->now))
		i++;
	if (i == 0)
		return;
	mux_settle(c->m);
	pool_count(c->m->pool, &n);
	log_msg(LOG_L_INFO, NULL,
	    "Autoscale: scaled out to %u workers (ema_busy=%.2f queued=%u)",
	    pool_running(c->m->pool), c->scale.ema, n.queued);
}

static void
scale_in(struct clockwork *c)
{
	long i = 0;

	while (i < c->m->o->scale_step && pool_shrink(c->m->pool, c->m->now))
		i++;
	if (i == 0)
		return;
	autoscale_in(&c->scale, c->m->now);
	mux_settle(c->m);
	log_msg(LOG_L_INFO, NULL,
	    "Autoscale: scaled in to %u workers (ema_busy=%.2f)",
	    pool_running(c->m->pool), c->scale.ema);
}

void
clockwork_scale(struct mux *m)
{
	struct clockwork *c = m->clockwork;
	struct pool_counts n;

	m->now = clock_mono_ms();
	pool_count(m->pool, &n);
	switch (
	    autoscale_check(&c->scale, &(struct scale_facts){ .busy = n.busy,
					   .running = pool_running(m->pool),
					   .min = (unsigned)m->o->min_workers,
					   .max = (unsigned)m->o->max_workers,
					   .last_start = m->account->last_start,
					   .now = m->now })) {
	case SCALE_OUT:
		scale_out(c);
		break;
	case SCALE_IN:
		scale_in(c);
		break;
	case SCALE_STAY:
		break;
	}
	mux_settle_and_finish(m);
}

static void
on_scale(evutil_socket_t fd, short what, void *arg)
{
	struct clockwork *c = arg;

	(void)fd;
	(void)what;
	clockwork_scale(c->m);
}

void
clockwork_autoscale(const struct mux *m, struct buf *out)
{
	autoscale_report(&m->clockwork->scale, m->o->autoscale, out);
}

double
clockwork_ema(const struct mux *m)
{
	return m->clockwork->scale.ema;
}

/* ---- life ---- */

int
clockwork_new(struct mux *m)
{
	struct clockwork *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	m->clockwork = c;
	c->m = m;
	autoscale_init(&c->scale,
	    &(struct autoscale_opts){ (unsigned)m->o->scale_s,
		(unsigned)m->o->scale_out, (unsigned)m->o->scale_in });
	c->status_ev = event_new(m->base, -1, EV_PERSIST, on_status, c);
	c->scale_ev = event_new(m->base, -1, EV_PERSIST, on_scale, c);
	c->write_ev = evtimer_new(m->base, on_write, c);
	c->tick_ev = evtimer_new(m->base, on_tick, c);
	if (!c->status_ev || !c->scale_ev || !c->write_ev || !c->tick_ev)
		return -ENOMEM; /* the caller frees it */
	return 0;
}

static void
start_autoscale(struct clockwork *c)
{
	struct timeval tv = { c->m->o->scale_s, 0 };
	struct buf line;

	buf_init(&line, 0);
	autoscale_start_line(&c->scale, &line);
	if (buf_cstr(&line))
		log_msg(LOG_L_INFO, NULL, "%s", buf_cstr(&line));
	buf_fini(&line);
	event_add(c->scale_ev, &tv);
}

void
clockwork_start(struct mux *m)
{
	struct clockwork *c = m->clockwork;

	if (m->o->status_log_s)
		event_add(
		    c->status_ev, &(struct timeval){ m->o->status_log_s, 0 });
	if (m->o->tick_s) {
		ticks_init(&c->ticks, (unsigned)m->o->tick_types,
		    (msec)m->o->tick_s * 1000, m->now);
		set_tick(c);
	}
	if (m->o->autoscale)
		start_autoscale(c);
}

void
clockwork_stop(struct mux *m)
{
	struct clockwork *c = m->clockwork;

	c->stopped = true;
	event_del(c->status_ev);
	event_del(c->scale_ev);
	event_del(c->tick_ev);
}

void
clockwork_free(struct mux *m)
{
	struct clockwork *c = m->clockwork;

	if (!c)
		return;
	mux_end_event(&c->status_ev);
	mux_end_event(&c->scale_ev);
	mux_end_event(&c->write_ev);
	mux_end_event(&c->tick_ev);
	free(c);
	m->clockwork = NULL;
}
