/* SPDX-License-Identifier: MIT */
/*
 * pool: decides what the workers do (pool.h): what happens to one worker, as a
 * table of state and input, and what time brings.  What concerns the whole pool
 * is in the files that pool_int.h names.
 */
#include "pool_int.h"

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

/* It answered: what is started now works.  An old one proves nothing about those
 * that are started after it. */
static void
proved(struct pool *p, struct slot *s)
{
	bool again = s->proved;

	s->proved = true;
	if (again || s->generation != p->generation)
		return;
	p->early = 0;
	p->pause_until = 0;
}

static void
on_ready(struct pool *p, struct slot *s, msec now)
{
	struct req *r = pool_release(p, s);

	s->activation = p->activations++;
	s->started = now;
	if (s->warm)
		proved(p, s);
	if (p->stopping)
		pool_tell(p, s, POOL_CLOSE, POOL_WHY_STOP, now);
	else if (r)
		pool_assign(p, s, r, now);
	else
		pool_enter(p, s, POOL_IDLE, now);
}

static void
not_started(struct pool *p, struct slot *s, msec now)
{
	struct req *r = pool_release(p, s);

	pool_died(p, s, now);
	if (r)
		pool_answer(p, s, r, r->deaths ? POOL_A_DIED : POOL_A_START);
}

static void
on_failed(struct pool *p, struct slot *s, msec now)
{
	not_started(p, s, now);
	pool_enter(p, s, POOL_DEAD, now);
	pool_want_fill(p, now);
}

/* It has a process, which will not be of use. */
static void
on_start_gone(struct pool *p, struct slot *s, msec now)
{
	not_started(p, s, now);
	pool_enter(p, s, POOL_GONE, now);
}

static void
on_start_noisy(struct pool *p, struct slot *s, msec now)
{
	not_started(p, s, now);
	pool_tell(p, s, POOL_TERM, POOL_WHY_OUTPUT, now);
}

static void
on_start_timeout(struct pool *p, struct slot *s, msec now)
{
	not_started(p, s, now);
	pool_tell(p, s, POOL_KILL, POOL_WHY_OVERDUE, now);
}

static void
close_request(struct pool *p, struct slot *s)
{
	struct req *r = pool_release(p, s);

	p->msgs += r->cls == MUX_SCAN;
	pool_req_free(p, r);
}

/* Idle, if only to be told to exit: so administrators know it. */
static void
on_rest(struct pool *p, struct slot *s, msec now)
{
	pool_enter(p, s, POOL_IDLE, now);
	pool_retire(p, s, now);
}

static void
on_finished(struct pool *p, struct slot *s, msec now)
{
	close_request(p, s);
	proved(p, s);
	if (s->after == POOL_TALKS)
		pool_tell(p, s, POOL_TERM, POOL_WHY_OUTPUT, now);
	else if (s->after == POOL_ENDS)
		pool_enter(p, s, POOL_GONE, now);
	else
		on_rest(p, s, now);
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
	pool_died(p, s, now);
	pool_enter(p, s, POOL_GONE, now);
	pool_retry(p, s, now);
}

/* The pipe of one that was told to exit: as it should be. */
static void
on_closed(struct pool *p, struct slot *s, msec now)
{
	pool_retry(p, s, now);
}

static void
on_stuck(struct pool *p, struct slot *s, msec now)
{
	pool_answer(p, s, pool_release(p, s), POOL_A_TALK);
	pool_tell(p, s, POOL_TERM, POOL_WHY_TALK, now);
}

static void
on_noisy(struct pool *p, struct slot *s, msec now)
{
	pool_tell(p, s, POOL_TERM, POOL_WHY_OUTPUT, now);
	pool_retry(p, s, now);
}

static void
on_busy_timeout(struct pool *p, struct slot *s, msec now)
{
	unsigned busy = p->n[POOL_BUSY];
	struct pool_action *a =
	    pool_answer(p, s, pool_release(p, s), POOL_A_TIMEOUT);

	a->n = busy;
	pool_tell(p, s, POOL_TERM, POOL_WHY_BUSY, now);
}

static void
on_exited(struct pool *p, struct slot *s, msec now)
{
	if (!s->told && s->state != POOL_GONE)
		pool_died(p, s, now);
	pool_enter(p, s, POOL_DEAD, now);
	pool_retry(p, s, now);
	pool_want_fill(p, now);
}

/* An absent entry: comes too late to matter. */
static reaction *const table[POOL_STATE_N][IN_N] = {
	[POOL_STARTING] = { [IN_READY] = on_ready,
	    [IN_FAILED] = on_failed,
	    [IN_GONE] = on_start_gone,
	    [IN_NOISY] = on_start_noisy,
	    [IN_EXITED] = on_failed,
	    [IN_TIMEOUT] = on_start_timeout },
	[POOL_IDLE] = { [IN_GONE] = on_gone,
	    [IN_NOISY] = on_noisy,
	    [IN_EXITED] = on_exited },
	[POOL_BUSY] = { [IN_FINISHED] = on_finished,
	    [IN_GONE] = on_gone,
	    [IN_STUCK] = on_stuck,
	    [IN_NOISY] = on_noisy,
	    [IN_EXITED] = on_exited,
	    [IN_TIMEOUT] = on_busy_timeout },
	[POOL_GONE] = { [IN_EXITED] = on_exited, [IN_TIMEOUT] = pool_overdue },
	[POOL_CLOSED] = { [IN_FINISHED] = on_last_finished,
	    [IN_GONE] = on_closed,
	    [IN_STUCK] = on_closed,
	    [IN_NOISY] = on_closed,
	    [IN_EXITED] = on_exited,
	    [IN_TIMEOUT] = pool_overdue },
	[POOL_TERMED] = { [IN_EXITED] = on_exited,
	    [IN_TIMEOUT] = pool_way_overdue },
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
	pool_serve_waiting(p, now);
	pool_roll(p, now);
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

/* ---- time ---- */

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
			pool_answer(
			    p, NULL, r, r->deaths ? POOL_A_DIED : POOL_A_QUEUE);
		}
	}
	if (p->idle_at <= now)
		pool_idle_check(p, now);
	pool_serve_waiting(p, now);
	pool_roll(p, now);
	if (p->fill_at <= now)
		pool_fill(p, now);
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
	sooner(&at, pool_roll_deadline(p));
	for (int st = 0; st < POOL_STATE_N; st++)
		if (p->lasts[st] != MSEC_NEVER && (s = TAILQ_FIRST(&p->in[st])))
			sooner(&at, plus(s->since, p->lasts[st]));
	for (int i = 0; i < PRIO_N; i++)
		if ((r = TAILQ_FIRST(&p->wait[i])))
			sooner(&at, r->until);
	if (p->queued && p->n[POOL_DEAD])
		sooner(&at, pool_start_allowed_at(p));
	return at;
}
