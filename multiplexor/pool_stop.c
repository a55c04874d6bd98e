/* SPDX-License-Identifier: MIT */
/*
 * pool_stop: when a worker is told to exit, and what follows if it does not
 * (spec:retirement, spec:idle-check, spec:stopping-a-worker).
 */
#include "pool_int.h"

void
pool_tell(struct pool *p, struct slot *s, enum pool_do how, enum pool_why why,
    msec now)
{
	static const enum pool_state to[] = {
		[POOL_CLOSE] = POOL_CLOSED,
		[POOL_TERM] = POOL_TERMED,
		[POOL_KILL] = POOL_KILLED,
	};
	struct pool_action *a = pool_emit(p, how);

	a->slot = s->i;
	a->why = why;
	a->was = s->state;
	s->told = true;
	pool_enter(p, s, to[how], now);
}

static bool
too_old(const struct pool *p, const struct slot *s, msec now)
{
	return p->o.lifetime_ms && s->first_req != MSEC_NEVER &&
	       now - s->first_req > p->o.lifetime_ms;
}

void
pool_retire(struct pool *p, struct slot *s, msec now)
{
	unsigned max = p->o.max_requests;
	enum pool_why why;

	if (s->requests >= max && (!p->queued || s->requests / 3 >= max))
		why = POOL_WHY_REQUESTS;
	else if (too_old(p, s, now))
		why = POOL_WHY_LIFETIME;
	else if (s->generation != p->generation && pool_roll_takes(p))
		why = POOL_WHY_GENERATION;
	else
		return;
	pool_tell(p, s, POOL_CLOSE, why, now);
}

void
pool_idle_check(struct pool *p, msec now)
{
	struct slot *s, *next;

	p->idle_at = now + p->o.idle_ms;
	for (s = TAILQ_FIRST(&p->in[POOL_IDLE]); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (too_old(p, s, now))
			pool_tell(p, s, POOL_CLOSE, POOL_WHY_LIFETIME, now);
	}
	for (s = TAILQ_FIRST(&p->in[POOL_IDLE]);
	     s && pool_alive(p) > p->o.min_workers; s = next) {
		next = TAILQ_NEXT(s, link);
		if (now - s->since >= p->o.idle_ms)
			pool_tell(p, s, POOL_CLOSE, POOL_WHY_IDLE, now);
	}
	pool_want_fill(p, now);
}

bool
pool_shrink(struct pool *p, msec now)
{
	struct slot *s = TAILQ_FIRST(&p->in[POOL_IDLE]);

	if (!s || pool_alive(p) <= p->o.min_workers)
		return false;
	pool_tell(p, s, POOL_CLOSE, POOL_WHY_SCALE, now);
	return true;
}

void
pool_overdue(struct pool *p, struct slot *s, msec now)
{
	struct req *r = pool_release(p, s);

	if (r)
		pool_answer(p, s, r, POOL_A_STOP);
	pool_tell(p, s, POOL_TERM, POOL_WHY_OVERDUE, now);
}

void
pool_way_overdue(struct pool *p, struct slot *s, msec now)
{
	pool_tell(p, s, POOL_KILL, POOL_WHY_OVERDUE, now);
}

/* ---- the whole pool ---- */

/* Busy workers get the end of their input, but time to finish. */
static void
stop_gently(struct pool *p, msec now)
{
	struct req *r;
	struct slot *s;

	p->stopping = true;
	p->fill_at = p->idle_at = MSEC_NEVER;
	p->roll_to = 0;
	while ((r = pool_wait_first(p))) {
		pool_wait_remove(p, r);
		pool_answer(p, NULL, r, POOL_A_STOP);
	}
	TAILQ_FOREACH(s, &p->in[POOL_STARTING], link)
		if ((r = pool_release(p, s)))
			pool_answer(p, NULL, r, POOL_A_STOP);
	while ((s = TAILQ_FIRST(&p->in[POOL_IDLE])))
		pool_tell(p, s, POOL_CLOSE, POOL_WHY_STOP, now);
	while ((s = TAILQ_FIRST(&p->in[POOL_BUSY])))
		pool_tell(p, s, POOL_CLOSE, POOL_WHY_STOP, now);
}

void
pool_stop(struct pool *p, msec now)
{
	struct slot *s;

	if (!p->stopping) {
		stop_gently(p, now);
		return;
	}
	while ((s = TAILQ_FIRST(&p->in[POOL_STARTING])))
		pool_way_overdue(p, s, now);
	while ((s = TAILQ_FIRST(&p->in[POOL_CLOSED])))
		pool_overdue(p, s, now);
	while ((s = TAILQ_FIRST(&p->in[POOL_GONE])))
		pool_overdue(p, s, now);
}
