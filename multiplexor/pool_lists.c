/* SPDX-License-Identifier: MIT */
/*
 * pool_lists: the books of a pool (pool_int.h): its slots, requests and
 * actions.
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

/* Ids and domains are spread already, but not in their low bits alone. */
static size_t
bucket(const struct pool *p, uint64_t key)
{
	return (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & (p->n_buckets - 1);
}

struct req *
pool_req_new(struct pool *p, uint64_t id)
{
	struct req *r = TAILQ_FIRST(&p->free);

	assert(r);
	TAILQ_REMOVE(&p->free, r, link);
	*r = (struct req){ .id = id };
	LIST_INSERT_HEAD(&p->ids[bucket(p, id)], r, by_id);
	return r;
}

void
pool_req_free(struct pool *p, struct req *r)
{
	LIST_REMOVE(r, by_id);
	TAILQ_INSERT_HEAD(&p->free, r, link);
}

struct req *
pool_req_find(const struct pool *p, uint64_t id)
{
	struct req *r;

	LIST_FOREACH(r, &p->ids[bucket(p, id)], by_id)
	if (r->id == id)
		break;
	return r;
}

enum prio
pool_prio(const struct req *r)
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
	TAILQ_INSERT_TAIL(&p->wait[pool_prio(r)], r, link);
	p->queued++;
}

void
pool_wait_remove(struct pool *p, struct req *r)
{
	r->waiting = false;
	TAILQ_REMOVE(&p->wait[pool_prio(r)], r, link);
	p->queued--;
}

struct req *
pool_wait_first(const struct pool *p)
{
	for (int i = 0; i < PRIO_N; i++)
		if (!TAILQ_EMPTY(&p->wait[i]))
			return TAILQ_FIRST(&p->wait[i]);
	return NULL;
}

/* ---- slots ---- */

void
pool_starts_free(struct pool *p, struct slot *s)
{
	*(s->warm ? &p->heir : &p->spare) = s;
}

static void
forget_free(struct pool *p, const struct slot *s)
{
	if (s == p->spare)
		p->spare = NULL;
	if (s == p->heir)
		p->heir = NULL;
}

void
pool_hold(struct pool *p, struct slot *s, struct req *r)
{
	s->req = r;
	r->slot = s;
	forget_free(p, s);
	if (r->domain)
		LIST_INSERT_HEAD(
		    &p->domains[bucket(p, r->domain)], s, by_domain);
}

struct req *
pool_release(struct pool *p, struct slot *s)
{
	struct req *r = s->req;

	if (r) {
		if (s->state == POOL_STARTING)
			pool_starts_free(p, s);
		if (r->domain)
			LIST_REMOVE(s, by_domain);
		r->slot = NULL;
	}
	s->req = NULL;
	return r;
}

/* Counts no farther than max. */
unsigned
pool_same_domain(const struct pool *p, uint64_t domain, unsigned max)
{
	const struct slot *s;
	unsigned n = 0;

	LIST_FOREACH(s, &p->domains[bucket(p, domain)], by_domain)
	if (s->req->domain == domain && ++n == max)
		break;
	return n;
}

static bool
is_ready(enum pool_state s)
{
	return s == POOL_IDLE || s == POOL_BUSY;
}

void
pool_enter(struct pool *p, struct slot *s, enum pool_state to, msec now)
{
	TAILQ_REMOVE(&p->in[s->state], s, link);
	p->n[s->state]--;
	if (s->state == POOL_IDLE)
		pool_heap_remove(pool_kin(p, s), s);
	if (s->generation != p->generation)
		p->n_old -= is_ready(s->state);
	forget_free(p, s);
	s->state = to;
	s->since = now;
	p->n[to]++;
	if (to == POOL_IDLE)
		pool_heap_add(pool_kin(p, s), s);
	if (s->generation != p->generation)
		p->n_old += is_ready(to);
	if (to == POOL_IDLE || to == POOL_DEAD) /* most recent first */
		TAILQ_INSERT_HEAD(&p->in[to], s, link);
	else
		TAILQ_INSERT_TAIL(&p->in[to], s, link);
}

unsigned
pool_ready_n(const struct pool *p)
{
	return p->n[POOL_IDLE] + p->n[POOL_BUSY];
}

unsigned
pool_alive(const struct pool *p)
{
	return p->n[POOL_STARTING] + p->n[POOL_IDLE] + p->n[POOL_BUSY];
}

/* ---- life of the pool ---- */

static size_t
n_reqs(const struct pool *p)
{
	return (size_t)p->o.queue_max + p->o.max_workers + 1;
}

static void
lists_init(struct pool *p)
{
	for (int i = 0; i < POOL_STATE_N; i++) {
		TAILQ_INIT(&p->in[i]);
		p->lasts[i] = MSEC_NEVER;
	}
	for (size_t i = 0; i < MUX_CLASS_N; i++)
		p->kin[i].v = p->heap_room + i * p->o.max_workers;
	for (int i = 0; i < PRIO_N; i++)
		TAILQ_INIT(&p->wait[i]);
	TAILQ_INIT(&p->free);
	for (size_t i = 0; i < p->n_buckets; i++) {
		LIST_INIT(&p->ids[i]);
		LIST_INIT(&p->domains[i]);
	}
	for (size_t i = 0; i < n_reqs(p); i++)
		TAILQ_INSERT_HEAD(&p->free, &p->reqs[i], link);
	for (unsigned i = 0; i < p->o.max_workers; i++) {
		p->slots[i].i = i;
		p->slots[i].last = POOL_NO_CLASS;
		p->slots[i].first_req = MSEC_NEVER;
		TAILQ_INSERT_TAIL(&p->in[POOL_DEAD], &p->slots[i], link);
	}
	p->n[POOL_DEAD] = p->o.max_workers;
}

static int
allocate(struct pool *p)
{
	size_t max = p->o.max_workers;

	for (p->n_buckets = 16; p->n_buckets < n_reqs(p);)
		p->n_buckets *= 2;
	/* The most that one input may cause, twice: a few for each slot and
	 * an answer for each request. */
	p->ring_cap = 8 * max + 2 * (size_t)p->o.queue_max + 8;
	p->slots = calloc(max, sizeof(*p->slots));
	p->heap_room = calloc(max * MUX_CLASS_N, sizeof(*p->heap_room));
	p->reqs = calloc(n_reqs(p), sizeof(*p->reqs));
	p->ids = calloc(p->n_buckets, sizeof(*p->ids));
	p->domains = calloc(p->n_buckets, sizeof(*p->domains));
	p->ring = calloc(p->ring_cap, sizeof(*p->ring));
	return p->slots && p->heap_room && p->reqs && p->ids && p->domains &&
		       p->ring
		   ? 0
		   : -ENOMEM;
}

int
pool_new(struct pool **out, const struct pool_opts *o)
{
	struct pool *p = calloc(1, sizeof(*p));

	assert(o->min_workers >= 1 && o->min_workers <= o->max_workers);
	if (!p)
		return -ENOMEM;
	p->o = *o;
	if (allocate(p) < 0) {
		pool_free(p);
		return -ENOMEM;
	}
	lists_init(p);
	if (o->start_ms)
		p->lasts[POOL_STARTING] = o->start_ms;
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
	free(p->heap_room);
	free(p->reqs);
	free(p->ids);
	free(p->domains);
	free(p->ring);
	free(p);
}
