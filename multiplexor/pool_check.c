/* SPDX-License-Identifier: MIT */
/*
 * pool_check: whether a pool's books are consistent.  For tests and fuzzers; it
 * walks everything.
 */
#include "pool_int.h"

#include <assert.h>

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

/* Each idle one in the heap of its class, none older than the one above. */
static void
check_kin(const struct pool *p)
{
	unsigned n = 0;

	for (int cls = 0; cls < MUX_CLASS_N; cls++) {
		const struct heap *h = &p->kin[cls];

		for (unsigned i = 0; i < h->n; i++) {
			const struct slot *s = h->v[i];

			assert(s->heap_at == i && s->state == POOL_IDLE);
			assert(s->last ==
			       (cls == MUX_OTHER ? POOL_NO_CLASS : cls));
			assert(!i ||
			       h->v[(i - 1) / 2]->activation < s->activation);
		}
		n += h->n;
	}
	assert(n == p->n[POOL_IDLE]);
}

/* Each request that is not free is found by its id, each domain is counted. */
static void
check_tables(const struct pool *p, unsigned used)
{
	unsigned n = 0, with_domain = 0, counted = 0, old = 0;
	const struct slot *s;
	const struct req *r;

	for (size_t i = 0; i < p->n_buckets; i++) {
		LIST_FOREACH(r, &p->ids[i], by_id)
		{
			assert(pool_req_find(p, r->id) == r);
			assert(r->waiting == !r->slot);
			n++;
		}
		LIST_FOREACH(s, &p->domains[i], by_domain)
		with_domain++;
	}
	assert(n == used);
	for (unsigned i = 0; i < p->o.max_workers; i++) {
		s = &p->slots[i];
		assert(!s->req || s->req->slot == s);
		counted += s->req && s->req->domain;
		old += (s->state == POOL_IDLE || s->state == POOL_BUSY) &&
		       s->generation != p->generation;
	}
	assert(counted == with_domain && old == p->n_old);
}

void
pool_check(const struct pool *p)
{
	unsigned slots = 0, reqs = 0, waiting = 0, unused = 0;
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
			assert(r->waiting && (int)pool_prio(r) == i);
			waiting++;
		}
	}
	assert(waiting == p->queued);
	/* nobody waits beside a worker that has nothing to do */
	assert(!p->queued || (!p->n[POOL_IDLE] && !p->spare));
	assert(
	    !p->spare || (p->spare->state == POOL_STARTING && !p->spare->req));
	assert(!p->heir || (p->heir->state == POOL_STARTING && !p->heir->req &&
			       p->heir->warm));
	TAILQ_FOREACH(r, &p->free, link)
		unused++;
	assert(
	    reqs + waiting + unused == p->o.queue_max + p->o.max_workers + 1);
	check_tables(p, reqs + waiting);
	assert(!p->stopping || (!p->queued && !pool_alive(p)) ||
	       p->n[POOL_STARTING]);
}
