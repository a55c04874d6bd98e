/* SPDX-License-Identifier: MIT */
/*
 * pool_lists: the books of a pool (pool_int.h): its slots, requests and
 * actions, what reports are made of, and whether all that is consistent.
 */
#include "pool_int.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* ---- actions ---- */

struct pool_action *
pool_emit(struct pool *p, enum pool_do type)
{
	struct pool_action *a;

	assert(p->ring_n < p->ring_cap);
	a = &p->ring[(p->ring_at + p->ring_n++) % p->ring_cap];
	*a = (struct pool_action){ .type = type };
	return a;
}

bool
pool_next(struct pool *p, struct pool_action *a)
{
	if (p->ring_n == 0)
		return false;
	*a = p->ring[p->ring_at];
	p->ring_at = (p->ring_at + 1) % p->ring_cap;
	p->ring_n--;
	return true;
}

/* ---- requests ---- */

struct req *
pool_req_new(struct pool *p)
{
	struct req *r = TAILQ_FIRST(&p->free);

	assert(r);
	TAILQ_REMOVE(&p->free, r, link);
	*r = (struct req){ 0 };
	return r;
}

void
pool_req_free(struct pool *p, struct req *r)
{
	TAILQ_INSERT_HEAD(&p->free, r, link);
}

static enum prio
prio_of(const struct req *r)
{
	if (r->deaths)
		return PRIO_RETRY;
	return r->cls == MUX_SCAN ? PRIO_SCAN : PRIO_OTHER;
}

void
pool_wait_add(struct pool *p, struct req *r, msec now)
{
	r->waiting = true;
	r->until = now + p->o.queue_ms;
	TAILQ_INSERT_TAIL(&p->wait[prio_of(r)], r, link);
	p->queued++;
}

void
pool_wait_remove(struct pool *p, struct req *r)
{
	r->waiting = false;
	TAILQ_REMOVE(&p->wait[prio_of(r)], r, link);
	p->queued--;
}

/* ---- slots ---- */

/* The list of its class is ordered by age, and busy workers are mostly the
 * oldest, so that the place is found near the head. */
static void
kin_insert(struct slots *kin, struct slot *s)
{
	struct slot *at;

	TAILQ_FOREACH(at, kin, kin) {
		if (at->activation > s->activation) {
			TAILQ_INSERT_BEFORE(at, s, kin);
			return;
		}
	}
	TAILQ_INSERT_TAIL(kin, s, kin);
}

static struct slots *
kin_of(struct pool *p, const struct slot *s)
{
	return &p->kin[s->last == POOL_NO_CLASS ? MUX_OTHER : s->last];
}

void
pool_enter(struct pool *p, struct slot *s, enum pool_state to, msec now)
{
	TAILQ_REMOVE(&p->in[s->state], s, link);
	p->n[s->state]--;
	if (s->state == POOL_IDLE)
		TAILQ_REMOVE(kin_of(p, s), s, kin);
	s->state = to;
	s->since = now;
	p->n[to]++;
	if (to == POOL_IDLE)
		kin_insert(kin_of(p, s), s);
	if (to == POOL_IDLE || to == POOL_DEAD) /* most recent first */
		TAILQ_INSERT_HEAD(&p->in[to], s, link);
	else
		TAILQ_INSERT_TAIL(&p->in[to], s, link);
}

unsigned
pool_alive(const struct pool *p)
{
	return p->n[POOL_STARTING] + p->n[POOL_IDLE] + p->n[POOL_BUSY];
}

/* ---- life of the pool ---- */

static void
lists_init(struct pool *p)
{
	unsigned n_reqs = p->o.queue_max + p->o.max_workers + 1;

	for (int i = 0; i < POOL_STATE_N; i++) {
		TAILQ_INIT(&p->in[i]);
		p->lasts[i] = MSEC_NEVER;
	}
	for (int i = 0; i < MUX_CLASS_N; i++)
		TAILQ_INIT(&p->kin[i]);
	for (int i = 0; i < PRIO_N; i++)
		TAILQ_INIT(&p->wait[i]);
	TAILQ_INIT(&p->free);
	for (unsigned i = 0; i < n_reqs; i++)
		pool_req_free(p, &p->reqs[i]);
	for (unsigned i = 0; i < p->o.max_workers; i++) {
		p->slots[i].i = i;
		p->slots[i].last = POOL_NO_CLASS;
		p->slots[i].first_req = MSEC_NEVER;
		TAILQ_INSERT_TAIL(&p->in[POOL_DEAD], &p->slots[i], link);
	}
	p->n[POOL_DEAD] = p->o.max_workers;
}

int
pool_new(struct pool **out, const struct pool_opts *o)
{
	struct pool *p = calloc(1, sizeof(*p));

	assert(o->min_workers >= 1 && o->min_workers <= o->max_workers);
	if (!p)
		return -ENOMEM;
	p->o = *o;
	/* The most that one input may cause, twice: a few for each slot and
	 * an answer for each request. */
	p->ring_cap = 8 * (size_t)o->max_workers + 2 * (size_t)o->queue_max + 8;
	p->slots = calloc(o->max_workers, sizeof(*p->slots));
	p->reqs =
	    calloc((size_t)o->queue_max + o->max_workers + 1, sizeof(*p->reqs));
	p->ring = calloc(p->ring_cap, sizeof(*p->ring));
	if (!p->slots || !p->reqs || !p->ring) {
		pool_free(p);
		return -ENOMEM;
	}
	lists_init(p);
	p->lasts[POOL_BUSY] = o->busy_ms;
	p->lasts[POOL_GONE] = o->gone_ms;
	p->lasts[POOL_CLOSED] = p->lasts[POOL_TERMED] = o->term_ms;
	p->fill_at = p->idle_at = p->last_start = MSEC_NEVER;
	*out = p;
	return 0;
}

void
pool_free(struct pool *p)
{
	if (!p)
		return;
	free(p->slots);
	free(p->reqs);
	free(p->ring);
	free(p);
}

/* ---- for reports ---- */

void
pool_count(const struct pool *p, struct pool_counts *c)
{
	const struct slot *s;

	*c = (struct pool_counts){
		.idle = p->n[POOL_IDLE] + p->n[POOL_STARTING],
		.busy = p->n[POOL_BUSY],
		.stopped = p->n[POOL_DEAD],
		.killed = p->o.max_workers - pool_alive(p) - p->n[POOL_DEAD],
		.queued = p->queued,
		.msgs = p->msgs,
		.activations = p->activations,
	};
	TAILQ_FOREACH(s, &p->in[POOL_STARTING], link) {
		if (s->req) {
			c->idle--;
			c->busy++;
		}
	}
}

unsigned
pool_running(const struct pool *p)
{
	return p->o.max_workers - p->n[POOL_DEAD];
}

uint64_t
pool_req(const struct pool *p, unsigned slot)
{
	const struct req *r = p->slots[slot].req;

	return r ? r->id : 0;
}

void
pool_info(const struct pool *p, unsigned slot, struct pool_info *i)
{
	const struct slot *s = &p->slots[slot];

	*i = (struct pool_info){
		.state = s->state,
		.req = pool_req(p, slot),
		.cls = s->req ? s->req->cls : MUX_OTHER,
		.last = s->last,
		.requests = s->requests,
		.scans = s->scans,
		.activation = s->activation,
		.since = s->since,
		.started = s->started,
		.first_req = s->first_req,
	};
}

const char *
pool_state_name(enum pool_state s)
{
	static const char *const names[POOL_STATE_N] = {
		[POOL_DEAD] = "Stopped",
		[POOL_STARTING] = "Idle",
		[POOL_IDLE] = "Idle",
		[POOL_BUSY] = "Busy",
		[POOL_GONE] = "Killed",
		[POOL_CLOSED] = "Killed",
		[POOL_TERMED] = "Killed",
		[POOL_KILLED] = "Killed",
	};

	return names[s];
}

/* ---- invariants ---- */

static void
check_slot(const struct pool *p, const struct slot *s)
{
	switch (s->state) {
	case POOL_BUSY:
		assert(s->req);
		break;
	case POOL_STARTING: /* may hold one */
		break;
	case POOL_CLOSED:
		assert(!s->req || p->stopping);
		break;
	case POOL_DEAD:
	case POOL_IDLE:
	case POOL_GONE:
	case POOL_TERMED:
	case POOL_KILLED:
	case POOL_STATE_N:
		assert(!s->req);
		break;
	}
}

static void
check_kin(const struct pool *p)
{
	const struct slot *s, *before;
	unsigned n = 0;

	for (int c = 0; c < MUX_CLASS_N; c++) {
		before = NULL;
		TAILQ_FOREACH(s, &p->kin[c], kin) {
			assert(s->state == POOL_IDLE);
			assert(s->last == (c == MUX_OTHER ? POOL_NO_CLASS : c));
			assert(!before || before->activation < s->activation);
			before = s;
			n++;
		}
	}
	assert(n == p->n[POOL_IDLE]);
}

void
pool_check(const struct pool *p)
{
	unsigned slots = 0, reqs = 0, waiting = 0;
	const struct slot *s, *before;
	const struct req *r;

	for (int st = 0; st < POOL_STATE_N; st++) {
		unsigned n = 0;

		before = NULL;
		TAILQ_FOREACH(s, &p->in[st], link) {
			assert((int)s->state == st);
			check_slot(p, s);
			assert(!before || p->lasts[st] == MSEC_NEVER ||
			       before->since <= s->since);
			before = s;
			reqs += s->req != NULL;
			n++;
		}
		assert(n == p->n[st]);
		slots += n;
	}
	assert(slots == p->o.max_workers);
	check_kin(p);
	for (int i = 0; i < PRIO_N; i++) {
		TAILQ_FOREACH(r, &p->wait[i], link) {
			assert(r->waiting && (int)prio_of(r) == i);
			waiting++;
		}
	}
	assert(waiting == p->queued);
	/* nobody waits beside a worker that has nothing to do */
	assert(!p->queued || !p->n[POOL_IDLE]);
	TAILQ_FOREACH(r, &p->free, link)
		reqs++;
	assert(reqs + waiting == p->o.queue_max + p->o.max_workers + 1);
	assert(!p->stopping || (!p->queued && !pool_alive(p)) ||
	       p->n[POOL_STARTING]);
}
