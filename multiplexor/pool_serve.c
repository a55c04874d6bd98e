/* SPDX-License-Identifier: MIT */
/*
 * pool_serve: requests: which worker gets one, who waits and for how long, what
 * becomes of one whose worker died.
 */
#include "pool_int.h"

struct pool_action *
pool_answer(
    struct pool *p, const struct slot *s, struct req *r, enum pool_answer why)
{
	struct pool_action *a =
	    pool_emit(p, r->orphan ? POOL_FORGET : POOL_ANSWER);

	a->slot = s ? s->i : POOL_NO_SLOT;
	a->req = r->id;
	a->answer = why;
	if (r->cls == MUX_SCAN)
		p->msgs += why == POOL_A_TIMEOUT || why == POOL_A_TALK ||
			   why == POOL_A_DIED;
	pool_req_free(p, r);
	return a;
}

/* ---- giving a request to a worker ---- */

void
pool_assign(struct pool *p, struct slot *s, struct req *r, msec now)
{
	struct pool_action *a = pool_emit(p, POOL_ASSIGN);

	a->was = s->state;
	pool_enter(p, s, POOL_BUSY, now);
	pool_hold(p, s, r);
	a->slot = s->i;
	a->req = r->id;
	a->cls = r->cls;
	a->last = s->last;
	s->requests++;
	s->scans += r->cls == MUX_SCAN;
	if (s->first_req == MSEC_NEVER)
		s->first_req = now;
	if (r->cls != MUX_OTHER)
		s->last = (int)r->cls;
}

/* spec:choosing-a-worker */
static struct slot *
choose_idle(const struct pool *p, enum mux_class cls)
{
	struct slot *s = pool_heap_top(&p->kin[cls]), *best = NULL;

	if (!s)
		s = pool_heap_top(&p->kin[MUX_OTHER]);
	if (s)
		return s;
	for (int c = 0; c < MUX_CLASS_N; c++) {
		s = pool_heap_top(&p->kin[c]);
		if (s && (!best || s->activation < best->activation))
			best = s;
	}
	return best;
}

static bool
domain_full(const struct pool *p, const struct req *r)
{
	unsigned max = p->o.per_domain;

	return max && r->domain && pool_same_domain(p, r->domain, max) >= max;
}

/* false: there is no worker for it now; r is the caller's still. */
static bool
place(struct pool *p, struct req *r, msec now)
{
	if (domain_full(p, r))
		pool_answer(p, NULL, r, POOL_A_DOMAIN);
	else if (p->n[POOL_IDLE])
		pool_assign(p, choose_idle(p, r->cls), r, now);
	else if (p->spare)
		pool_hold(p, p->spare, r);
	else if (p->n[POOL_DEAD] && pool_start_allowed_at(p) <= now)
		pool_spawn(p, r, POOL_WHY_REQUEST, now);
	else
		return false;
	return true;
}

static bool
could_place(const struct pool *p, msec now)
{
	return p->n[POOL_IDLE] || p->spare ||
	       (p->n[POOL_DEAD] && pool_start_allowed_at(p) <= now);
}

void
pool_serve_waiting(struct pool *p, msec now)
{
	struct req *r;

	while ((r = pool_wait_first(p)) && could_place(p, now)) {
		pool_wait_remove(p, r);
		place(p, r, now);
	}
}

/* Once more on another one, then it is given up: a message that kills workers
 * shall not stop the others (choice:retry-once). */
void
pool_retry(struct pool *p, struct slot *s, msec now)
{
	struct req *r = pool_release(p, s);

	if (!r)
		return;
	if (p->stopping) {
		pool_answer(p, s, r, POOL_A_STOP);
	} else if (++r->deaths > 1 || r->orphan) {
		pool_answer(p, s, r, POOL_A_DIED);
	} else if (pool_alive(p) == 0 &&
		   pool_start_allowed_at(p) > now + p->o.queue_ms) {
		pool_answer(p, s, r, POOL_A_DIED); /* there is none in time */
	} else {
		struct pool_action *a = pool_emit(p, POOL_RETRY);
		a->slot = s->i;
		a->req = r->id;
		pool_wait_add(p, r, now);
	}
}

/* ---- inputs ---- */

static void
wait(struct pool *p, struct req *r, msec now)
{
	struct pool_action *a = pool_emit(p, POOL_WAIT);

	pool_wait_add(p, r, now);
	a->req = r->id;
	a->n = p->queued;
}

/* A worker could be started, but not now. */
static void
too_soon(struct pool *p, struct req *r, msec now)
{
	pool_answer(p, TAILQ_FIRST(&p->in[POOL_DEAD]), r, POOL_A_START)->n =
	    (unsigned)(pool_start_allowed_at(p) - now);
}

/* Better than to refuse one: whose turn it is gets the worker that is to be
 * the first of a new generation, though it has not proved yet that it answers. */
static void
no_room(struct pool *p, struct req *r, bool may_wait, msec now)
{
	struct req *first = may_wait ? pool_wait_first(p) : NULL;

	if (!p->heir) {
		pool_answer(p, NULL, r, POOL_A_BUSY);
	} else if (!first) {
		pool_hold(p, p->heir, r);
	} else {
		pool_wait_remove(p, first);
		if (domain_full(p, first))
			pool_answer(p, NULL, first, POOL_A_DOMAIN);
		else
			pool_hold(p, p->heir, first);
		wait(p, r, now);
	}
}

static void
request(struct pool *p, struct req *r, bool may_wait, msec now)
{
	pool_serve_waiting(p, now); /* who waits for a start allowed by now */
	if (p->stopping)
		pool_answer(p, NULL, r, POOL_A_STOP);
	else if (place(p, r, now))
		; /* its worker has it, or it is answered */
	else if (p->n[POOL_DEAD])
		too_soon(p, r, now); /* spec:activation: no wait */
	else if (!may_wait || p->queued >= p->o.queue_max)
		no_room(p, r, may_wait, now);
	else
		wait(p, r, now);
	pool_roll(p, now);
}

void
pool_request(
    struct pool *p, uint64_t id, enum mux_class cls, uint64_t domain, msec now)
{
	struct req *r = pool_req_new(p, id);

	r->cls = cls;
	r->domain = domain;
	request(p, r, true, now);
}

void
pool_request_now(struct pool *p, uint64_t id, enum mux_class cls, msec now)
{
	struct req *r = pool_req_new(p, id);

	r->cls = cls;
	request(p, r, false, now);
}

bool
pool_cancel(struct pool *p, uint64_t id)
{
	struct req *r = pool_req_find(p, id);

	if (!r)
		return true;
	if (r->waiting)
		pool_wait_remove(p, r);
	else if (r->slot->state == POOL_STARTING)
		pool_release(p, r->slot);
	else
		r->orphan = true;
	if (r->orphan)
		return false;
	pool_req_free(p, r);
	while (p->spare && (r = pool_wait_first(p))) {
		pool_wait_remove(p, r);
		if (domain_full(p, r))
			pool_answer(p, NULL, r, POOL_A_DOMAIN);
		else
			pool_hold(p, p->spare, r);
	}
	return true;
}
