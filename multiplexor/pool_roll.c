/* SPDX-License-Identifier: MIT */
/*
 * pool_roll: how a new generation takes over (spec:reread).
 *
 * As many workers as were of use when the reread came stay ready while their
 * successors are started, one after the other, each known to answer before an
 * old one goes.  Where -x leaves no room, one old idle one goes first.
 */
#include "pool_int.h"

/* Those that are told to exit, and those that are dying. */
static unsigned
leaving(const struct pool *p)
{
	return p->o.max_workers - pool_alive(p) - p->n[POOL_DEAD];
}

static unsigned
new_ones(const struct pool *p)
{
	return pool_alive(p) - p->n_old;
}

static bool
wants_more(const struct pool *p)
{
	return p->roll_to && new_ones(p) < p->roll_to;
}

/* No successor can be started, and no place becomes free by itself. */
static bool
cramped(const struct pool *p)
{
	return wants_more(p) && !p->n[POOL_DEAD] && !p->n[POOL_STARTING] &&
	       !leaving(p);
}

bool
pool_roll_takes(const struct pool *p)
{
	return pool_ready_n(p) > p->roll_to || cramped(p);
}

/* Mostly the last: those of the new generation were put before it. */
static struct slot *
old_idle(const struct pool *p)
{
	struct slot *s;

	TAILQ_FOREACH_REVERSE(s, &p->in[POOL_IDLE], slots, link)
	if (s->generation != p->generation)
		break;
	return s;
}

static bool
may_start(const struct pool *p)
{
	return wants_more(p) && p->n[POOL_DEAD] && !p->n[POOL_STARTING];
}

void
pool_roll(struct pool *p, msec now)
{
	struct slot *s;

	if (!p->roll_to)
		return;
	while (p->n_old && pool_roll_takes(p) && (s = old_idle(p)))
		pool_tell(p, s, POOL_CLOSE, POOL_WHY_REREAD, now);
	if (may_start(p) && pool_start_allowed_at(p) <= now)
		pool_spawn(p, NULL, POOL_WHY_REREAD, now);
	if (!p->n_old && !p->n[POOL_STARTING] && !wants_more(p))
		p->roll_to = 0;
}

msec
pool_roll_deadline(const struct pool *p)
{
	return may_start(p) ? pool_start_allowed_at(p) : MSEC_NEVER;
}

void
pool_reread(struct pool *p, msec now)
{
	unsigned useful = p->n[POOL_BUSY] + 1, all = pool_alive(p);

	if (p->stopping)
		return;
	p->generation++;
	p->n_old = pool_ready_n(p);
	p->early = 0; /* perhaps the filter was mended */
	p->pause_until = 0;
	if (useful < p->o.min_workers)
		useful = p->o.min_workers;
	p->roll_to = useful < all ? useful : all;
	pool_serve_waiting(p, now);
	pool_roll(p, now);
	pool_want_fill(p, now);
}
