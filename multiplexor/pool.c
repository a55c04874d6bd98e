/* SPDX-License-Identifier: MIT */
/*
 * pool: decides what the workers do (pool.h).
 *
 * What happens to one worker is a table of state and input; what concerns the
 * whole pool (starting, the queue, the idle check) is a handful of functions
 * around it.
 */
#include "pool_int.h"

#include <assert.h>

#define EARLY_MS 10000 /* a death without an answer that soon is early */

static void serve_waiting(struct pool *p, msec now);

/* NULL: nobody wants it. */
static struct pool_action *
answer(struct pool *p, struct req *r, enum pool_answer why)
{
	struct pool_action *a = NULL;

	if (!r->orphan) {
		a = pool_emit(p, POOL_ANSWER);
		a->req = r->id;
		a->answer = why;
	}
	if (r->cls == MUX_SCAN)
		p->msgs += why == POOL_A_TIMEOUT || why == POOL_A_TALK ||
			   why == POOL_A_DIED;
	pool_req_free(p, r);
	return a;
}

/* ---- starting ---- */

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

static msec
start_allowed_at(const struct pool *p)
{
	msec at = 0;

	if (p->o.start_min_ms && p->last_start != MSEC_NEVER)
		at = p->last_start + p->o.start_min_ms;
	return at > p->pause_until ? at : p->pause_until;
}

/* Starts a worker in a dead slot, for r or for nobody (NULL). */
static void
start(struct pool *p, struct req *r, enum pool_why why, msec now)
{
	struct slot *s = TAILQ_FIRST(&p->in[POOL_DEAD]);
	struct pool_action *a = pool_emit(p, POOL_SPAWN);

	pool_enter(p, s, POOL_STARTING, now);
	s->req = r;
	s->told = s->proved = false;
	s->requests = s->scans = 0;
	s->generation = p->generation;
	s->first_req = MSEC_NEVER;
	s->last = POOL_NO_CLASS;
	a->slot = s->i;
	a->req = r ? r->id : 0;
	a->why = why;
	p->last_start = now;
	if (p->early >= 2) /* one trial at a time */
		p->pause_until = now + pause_ms(p);
}

/* Too few workers: some more are started, one after the other. */
static void
want_fill(struct pool *p, msec now)
{
	if (!p->stopping && pool_alive(p) < p->o.min_workers &&
	    p->fill_at == MSEC_NEVER)
		p->fill_at = now + p->o.start_delay_ms;
}

static void
fill(struct pool *p, msec now)
{
	msec at = start_allowed_at(p);

	p->fill_at = MSEC_NEVER;
	if (p->stopping || pool_alive(p) >= p->o.min_workers ||
	    p->n[POOL_DEAD] == 0)
		return; /* reaping asks again */
	if (at > now) {
		p->fill_at = at;
		return;
	}
	start(p, NULL, POOL_WHY_MIN, now);
	want_fill(p, now);
}

/* A worker died that nobody had told to: count it if that was early. */
static void
died(struct pool *p, struct slot *s, msec now)
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

/* ---- giving a request to a worker ---- */

static void
assign(struct pool *p, struct slot *s, struct req *r, msec now)
{
	struct pool_action *a = pool_emit(p, POOL_ASSIGN);

	a->was = s->state;
	pool_enter(p, s, POOL_BUSY, now);
	a->slot = s->i;
	a->req = r->id;
	a->cls = r->cls;
	a->last = s->last;
	s->req = r;
	s->requests++;
	s->scans += r->cls == MUX_SCAN;
	if (s->first_req == MSEC_NEVER)
		s->first_req = now;
	if (r->cls != MUX_OTHER)
		s->last = (int)r->cls;
}

/* spec:choosing-a-worker */
static struct slot *
choose_idle(struct pool *p, enum mux_class cls)
{
	struct slot *s = TAILQ_FIRST(&p->kin[cls]), *best = NULL;

	if (!s)
		s = TAILQ_FIRST(&p->kin[MUX_OTHER]);
	if (s)
		return s;
	for (int c = 0; c < MUX_CLASS_N; c++) {
		s = TAILQ_FIRST(&p->kin[c]);
		if (s && (!best || s->activation < best->activation))
			best = s;
	}
	return best;
}

static bool
domain_full(const struct pool *p, const struct req *r)
{
	const struct slot *s;
	unsigned n = 0;

	if (!p->o.per_domain || !r->domain)
		return false;
	TAILQ_FOREACH(s, &p->in[POOL_BUSY], link)
		n += s->req->domain == r->domain;
	return n >= p->o.per_domain;
}

/* false: there is no worker for it now; r is the caller's still. */
static bool
place(struct pool *p, struct req *r, msec now)
{
	if (domain_full(p, r))
		answer(p, r, POOL_A_DOMAIN);
	else if (p->n[POOL_IDLE])
		assign(p, choose_idle(p, r->cls), r, now);
	else if (p->n[POOL_DEAD] && start_allowed_at(p) <= now)
		start(p, r, POOL_WHY_REQUEST, now);
	else
		return false;
	return true;
}

static struct req *
first_waiting(const struct pool *p)
{
	for (int i = 0; i < PRIO_N; i++)
		if (!TAILQ_EMPTY(&p->wait[i]))
			return TAILQ_FIRST(&p->wait[i]);
	return NULL;
}

static bool
could_place(const struct pool *p, msec now)
{
	return p->n[POOL_IDLE] ||
	       (p->n[POOL_DEAD] && start_allowed_at(p) <= now);
}

/* Called whenever a worker, a slot or a start may have become free. */
static void
serve_waiting(struct pool *p, msec now)
{
	struct req *r;

	while ((r = first_waiting(p)) && could_place(p, now)) {
		pool_wait_remove(p, r);
		place(p, r, now);
	}
}

/* Its worker died.  Once more on another one, then it is given up: a message
 * that kills workers shall not stop the others (choice:retry-once). */
static void
retry(struct pool *p, struct slot *s, msec now)
{
	struct req *r = s->req;

	s->req = NULL;
	if (!r)
		return;
	if (p->stopping) {
		answer(p, r, POOL_A_STOP);
	} else if (++r->deaths > 1 || r->orphan) {
		answer(p, r, POOL_A_DIED);
	} else if (pool_alive(p) == 0 &&
		   start_allowed_at(p) > now + p->o.queue_ms) {
		answer(p, r, POOL_A_DIED); /* there will be none in time */
	} else {
		struct pool_action *a = pool_emit(p, POOL_RETRY);
		a->slot = s->i;
		a->req = r->id;
		pool_wait_add(p, r, now);
	}
}

/* ---- stopping a worker ---- */

static void
tell(struct pool *p, struct slot *s, enum pool_do how, enum pool_why why,
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

/* After a request: does it have to go?  spec:retirement */
static bool
retire(struct pool *p, struct slot *s, msec now)
{
	unsigned max = p->o.max_requests;
	enum pool_why why;

	if (s->requests >= max && (!p->queued || s->requests / 3 >= max))
		why = POOL_WHY_REQUESTS;
	else if (too_old(p, s, now))
		why = POOL_WHY_LIFETIME;
	else if (s->generation != p->generation)
		why = POOL_WHY_GENERATION;
	else
		return false;
	tell(p, s, POOL_CLOSE, why, now);
	return true;
}

/* ---- the table: what happens to a slot in its state ---- */

enum input {
	IN_READY,
	IN_FAILED,
	IN_FINISHED,
	IN_GONE,
	IN_STUCK,
	IN_NOISY,
	IN_EXITED,
	IN_TIMEOUT,
	IN_N
};
typedef void reaction(struct pool *p, struct slot *s, msec now);

static void
on_ready(struct pool *p, struct slot *s, msec now)
{
	struct req *r = s->req;

	s->activation = p->activations++;
	s->started = now;
	s->req = NULL;
	if (p->stopping)
		tell(p, s, POOL_CLOSE, POOL_WHY_STOP, now);
	else if (r)
		assign(p, s, r, now);
	else
		pool_enter(p, s, POOL_IDLE, now);
}

static void
on_failed(struct pool *p, struct slot *s, msec now)
{
	struct req *r = s->req;

	s->req = NULL;
	s->started = now;
	died(p, s, now);
	pool_enter(p, s, POOL_DEAD, now);
	if (r)
		answer(p, r, r->deaths ? POOL_A_DIED : POOL_A_START);
	want_fill(p, now);
}

static void
close_request(struct pool *p, struct slot *s)
{
	p->msgs += s->req->cls == MUX_SCAN;
	pool_req_free(p, s->req);
	s->req = NULL;
}

static void
on_finished(struct pool *p, struct slot *s, msec now)
{
	close_request(p, s);
	s->proved = true;
	p->early = 0;
	p->pause_until = 0;
	if (s->after == POOL_TALKS)
		tell(p, s, POOL_TERM, POOL_WHY_OUTPUT, now);
	else if (s->after == POOL_ENDS)
		pool_enter(p, s, POOL_GONE, now);
	else if (!retire(p, s, now))
		pool_enter(p, s, POOL_IDLE, now);
}

static void
on_last_finished(struct pool *p, struct slot *s, msec now)
{
	(void)now;
	if (s->req)
		close_request(p, s);
}

static void
on_gone(struct pool *p, struct slot *s, msec now)
{
	died(p, s, now);
	pool_enter(p, s, POOL_GONE, now);
	retry(p, s, now);
}

/* The pipe of one that was told to exit: as it should be. */
static void
on_closed(struct pool *p, struct slot *s, msec now)
{
	retry(p, s, now);
}

static void
on_stuck(struct pool *p, struct slot *s, msec now)
{
	answer(p, s->req, POOL_A_TALK);
	s->req = NULL;
	tell(p, s, POOL_TERM, POOL_WHY_TALK, now);
}

static void
on_noisy(struct pool *p, struct slot *s, msec now)
{
	tell(p, s, POOL_TERM, POOL_WHY_OUTPUT, now);
	retry(p, s, now);
}

static void
on_busy_timeout(struct pool *p, struct slot *s, msec now)
{
	unsigned busy = p->n[POOL_BUSY];
	struct pool_action *a = answer(p, s->req, POOL_A_TIMEOUT);

	if (a)
		a->n = busy;
	s->req = NULL;
	tell(p, s, POOL_TERM, POOL_WHY_BUSY, now);
}

static void
on_overdue(struct pool *p, struct slot *s, msec now)
{
	if (s->req)
		answer(p, s->req, POOL_A_STOP);
	s->req = NULL;
	tell(p, s, POOL_TERM, POOL_WHY_OVERDUE, now);
}

static void
on_way_overdue(struct pool *p, struct slot *s, msec now)
{
	tell(p, s, POOL_KILL, POOL_WHY_OVERDUE, now);
}

static void
on_exited(struct pool *p, struct slot *s, msec now)
{
	if (!s->told && s->state != POOL_GONE)
		died(p, s, now);
	pool_enter(p, s, POOL_DEAD, now);
	retry(p, s, now);
	want_fill(p, now);
}

/* An absent entry: comes too late to matter. */
static reaction *const table[POOL_STATE_N][IN_N] = {
	[POOL_STARTING] = { [IN_READY] = on_ready, [IN_FAILED] = on_failed },
	[POOL_IDLE] = { [IN_GONE] = on_gone,
	    [IN_NOISY] = on_noisy,
	    [IN_EXITED] = on_exited },
	[POOL_BUSY] = { [IN_FINISHED] = on_finished,
	    [IN_GONE] = on_gone,
	    [IN_STUCK] = on_stuck,
	    [IN_NOISY] = on_noisy,
	    [IN_EXITED] = on_exited,
	    [IN_TIMEOUT] = on_busy_timeout },
	[POOL_GONE] = { [IN_EXITED] = on_exited, [IN_TIMEOUT] = on_overdue },
	[POOL_CLOSED] = { [IN_FINISHED] = on_last_finished,
	    [IN_GONE] = on_closed,
	    [IN_STUCK] = on_closed,
	    [IN_NOISY] = on_closed,
	    [IN_EXITED] = on_exited,
	    [IN_TIMEOUT] = on_overdue },
	[POOL_TERMED] = { [IN_EXITED] = on_exited,
	    [IN_TIMEOUT] = on_way_overdue },
	[POOL_KILLED] = { [IN_EXITED] = on_exited },
};

static void
feed(struct pool *p, unsigned slot, enum input in, msec now)
{
	struct slot *s = &p->slots[slot];
	reaction *f = table[s->state][in];

	if (!f)
		return;
	f(p, s, now);
	serve_waiting(p, now);
}

void
pool_ready(struct pool *p, unsigned slot, msec now)
{
	feed(p, slot, IN_READY, now);
}

void
pool_failed(struct pool *p, unsigned slot, msec now)
{
	feed(p, slot, IN_FAILED, now);
}

void
pool_finished(struct pool *p, unsigned slot, enum pool_after after, msec now)
{
	p->slots[slot].after = after;
	feed(p, slot, IN_FINISHED, now);
}

void
pool_gone(struct pool *p, unsigned slot, msec now)
{
	feed(p, slot, IN_GONE, now);
}

void
pool_stuck(struct pool *p, unsigned slot, msec now)
{
	feed(p, slot, IN_STUCK, now);
}

void
pool_noisy(struct pool *p, unsigned slot, msec now)
{
	feed(p, slot, IN_NOISY, now);
}

bool
pool_exited(struct pool *p, unsigned slot, msec now)
{
	bool told = p->slots[slot].told;

	feed(p, slot, IN_EXITED, now);
	return !told;
}

/* ---- inputs that concern the whole pool ---- */

void
pool_start(struct pool *p, msec now)
{
	for (unsigned i = 0; i < p->o.max_workers; i++)
		p->slots[i].since = now;
	p->idle_at = now + p->o.idle_ms;
	p->fill_at = now;
	fill(p, now);
}

void
pool_request(
    struct pool *p, uint64_t id, enum mux_class cls, uint64_t domain, msec now)
{
	struct pool_action *a;
	struct req *r;

	serve_waiting(p, now); /* who waits for a start allowed by now */
	r = pool_req_new(p);
	r->id = id;
	r->cls = cls;
	r->domain = domain;
	if (p->stopping) {
		answer(p, r, POOL_A_STOP);
	} else if (place(p, r, now)) {
		; /* its worker has it, or it is answered */
	} else if (p->n[POOL_DEAD]) {
		answer(p, r, POOL_A_START); /* spec:activation: never queued */
	} else if (p->queued >= p->o.queue_max) {
		answer(p, r, POOL_A_BUSY);
	} else {
		pool_wait_add(p, r, now);
		a = pool_emit(p, POOL_WAIT);
		a->req = id;
		a->n = p->queued;
	}
}

static struct req *
find_waiting(const struct pool *p, uint64_t id)
{
	struct req *r;

	for (int i = 0; i < PRIO_N; i++)
		TAILQ_FOREACH(r, &p->wait[i], link)
			if (r->id == id)
				return r;
	return NULL;
}

bool
pool_cancel(struct pool *p, uint64_t id)
{
	struct req *r = find_waiting(p, id);

	if (r) {
		pool_wait_remove(p, r);
		pool_req_free(p, r);
		return true;
	}
	for (unsigned i = 0; i < p->o.max_workers; i++) {
		struct slot *s = &p->slots[i];

		if (!s->req || s->req->id != id)
			continue;
		if (s->state != POOL_STARTING) {
			s->req->orphan = true;
			return false;
		}
		pool_req_free(p, s->req);
		s->req = NULL;
		return true;
	}
	return true;
}

void
pool_reread(struct pool *p, msec now)
{
	struct slot *s;

	p->generation++;
	p->early = 0; /* perhaps the filter was mended */
	p->pause_until = 0;
	while ((s = TAILQ_FIRST(&p->in[POOL_IDLE])))
		tell(p, s, POOL_CLOSE, POOL_WHY_REREAD, now);
	want_fill(p, now);
	serve_waiting(p, now);
}

/* Busy workers get the end of their input, but time to finish. */
static void
stop_gently(struct pool *p, msec now)
{
	struct req *r;
	struct slot *s;

	p->stopping = true;
	p->fill_at = p->idle_at = MSEC_NEVER;
	while ((r = first_waiting(p))) {
		pool_wait_remove(p, r);
		answer(p, r, POOL_A_STOP);
	}
	TAILQ_FOREACH(s, &p->in[POOL_STARTING], link) {
		if (s->req)
			answer(p, s->req, POOL_A_STOP);
		s->req = NULL;
	}
	while ((s = TAILQ_FIRST(&p->in[POOL_IDLE])))
		tell(p, s, POOL_CLOSE, POOL_WHY_STOP, now);
	while ((s = TAILQ_FIRST(&p->in[POOL_BUSY])))
		tell(p, s, POOL_CLOSE, POOL_WHY_STOP, now);
}

void
pool_stop(struct pool *p, msec now)
{
	struct slot *s;

	if (!p->stopping) {
		stop_gently(p, now);
		return;
	}
	while ((s = TAILQ_FIRST(&p->in[POOL_CLOSED])))
		on_overdue(p, s, now);
	while ((s = TAILQ_FIRST(&p->in[POOL_GONE])))
		on_overdue(p, s, now);
}

/* spec:idle-check */
static void
idle_check(struct pool *p, msec now)
{
	struct slot *s, *next;

	p->idle_at = now + p->o.idle_ms;
	for (s = TAILQ_FIRST(&p->in[POOL_IDLE]); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (too_old(p, s, now))
			tell(p, s, POOL_CLOSE, POOL_WHY_LIFETIME, now);
	}
	for (s = TAILQ_FIRST(&p->in[POOL_IDLE]);
	     s && pool_alive(p) > p->o.min_workers; s = next) {
		next = TAILQ_NEXT(s, link);
		if (now - s->since >= p->o.idle_ms)
			tell(p, s, POOL_CLOSE, POOL_WHY_IDLE, now);
	}
	want_fill(p, now);
}

static msec
plus(msec at, msec ms)
{
	return ms > MSEC_NEVER - at ? MSEC_NEVER : at + ms;
}

void
pool_tick(struct pool *p, msec now)
{
	struct slot *s;
	struct req *r;

	for (int st = 0; st < POOL_STATE_N; st++)
		while ((s = TAILQ_FIRST(&p->in[st])) &&
		       plus(s->since, p->lasts[st]) <= now)
			table[st][IN_TIMEOUT](p, s, now);
	for (int i = 0; i < PRIO_N; i++) {
		while ((r = TAILQ_FIRST(&p->wait[i])) && r->until <= now) {
			pool_wait_remove(p, r);
			answer(p, r, r->deaths ? POOL_A_DIED : POOL_A_QUEUE);
		}
	}
	if (p->idle_at <= now)
		idle_check(p, now);
	serve_waiting(p, now);
	if (p->fill_at <= now)
		fill(p, now);
}

static void
sooner(msec *at, msec other)
{
	if (other < *at)
		*at = other;
}

msec
pool_deadline(const struct pool *p)
{
	msec at = p->fill_at;
	const struct slot *s;
	const struct req *r;

	sooner(&at, p->idle_at);
	for (int st = 0; st < POOL_STATE_N; st++)
		if (p->lasts[st] != MSEC_NEVER && (s = TAILQ_FIRST(&p->in[st])))
			sooner(&at, plus(s->since, p->lasts[st]));
	for (int i = 0; i < PRIO_N; i++)
		if ((r = TAILQ_FIRST(&p->wait[i])))
			sooner(&at, r->until);
	if (p->queued && p->n[POOL_DEAD])
		sooner(&at, start_allowed_at(p));
	return at;
}
