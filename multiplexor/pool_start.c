/* SPDX-License-Identifier: MIT */
/*
 * pool_start: when a worker is started: for a request, up to the minimum, when
 * asked to; not too soon after the one before, and with growing pauses while
 * they die early (spec:activation).
 */
#include "pool_int.h"

#define EARLY_MS 10000 /* a death without an answer that soon is early */

/* Pause before the next start after so many early deaths in a row. */
static msec
pause_ms(const struct pool *p)
{
	msec ms = p->o.backoff_ms;

	if (p->early < 2)
		return 0;
	for (unsigned i = 2; i < p->early && ms < p->o.backoff_max_ms; i++)
		ms *= 2;
	return ms < p->o.backoff_max_ms ? ms : p->o.backoff_max_ms;
}

msec
pool_start_allowed_at(const struct pool *p)
{
	msec at = 0;

	if (p->o.start_min_ms && p->last_start != MSEC_NEVER)
		at = p->last_start + p->o.start_min_ms;
	return at > p->pause_until ? at : p->pause_until;
}

void
pool_spawn(struct pool *p, struct req *r, enum pool_why why, msec now)
{
	struct slot *s = TAILQ_FIRST(&p->in[POOL_DEAD]);
	struct pool_action *a = pool_emit(p, POOL_SPAWN);

	s->told = s->proved = false;
	s->warm = a->warm = why == POOL_WHY_REREAD;
	s->requests = s->scans = 0;
	s->generation = p->generation;
	s->first_req = MSEC_NEVER;
	s->started = now;
	s->last = POOL_NO_CLASS;
	pool_enter(p, s, POOL_STARTING, now);
	if (r)
		pool_hold(p, s, r);
	else
		pool_starts_free(p, s);
	a->slot = s->i;
	a->req = r ? r->id : 0;
	a->why = why;
	p->last_start = now;
	if (p->early >= 2) /* one trial at a time */
		p->pause_until = now + pause_ms(p);
}

/* Too few workers: some more are started, one after the other. */
void
pool_want_fill(struct pool *p, msec now)
{
	if (!p->stopping && pool_alive(p) < p->o.min_workers &&
	    p->fill_at == MSEC_NEVER)
		p->fill_at = now + p->o.start_delay_ms;
}

void
pool_fill(struct pool *p, msec now)
{
	msec at = pool_start_allowed_at(p);

	p->fill_at = MSEC_NEVER;
	if (p->stopping || pool_alive(p) >= p->o.min_workers ||
	    p->n[POOL_DEAD] == 0)
		return; /* reaping asks again */
	if (at > now) {
		p->fill_at = at;
		return;
	}
	pool_spawn(p, NULL, POOL_WHY_MIN, now);
	pool_serve_waiting(p, now);
	pool_want_fill(p, now);
}

bool
pool_grow(struct pool *p, msec now)
{
	if (p->stopping || !p->n[POOL_DEAD] || pool_start_allowed_at(p) > now)
		return false;
	pool_spawn(p, NULL, POOL_WHY_SCALE, now);
	pool_serve_waiting(p, now);
	return true;
}

void
pool_died(struct pool *p, struct slot *s, msec now)
{
	msec pause;

	if (s->proved || now - s->started >= EARLY_MS)
		return;
	p->early++;
	pause = pause_ms(p);
	if (pause && p->pause_until < now + pause) {
		p->pause_until = now + pause;
		pool_emit(p, POOL_ALARM)->n = (unsigned)pause;
	}
}

void
pool_start(struct pool *p, msec now)
{
	for (unsigned i = 0; i < p->o.max_workers; i++)
		p->slots[i].since = now;
	p->idle_at = now + p->o.idle_ms;
	p->fill_at = now;
	pool_fill(p, now);
}
