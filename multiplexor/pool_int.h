/* SPDX-License-Identifier: MIT */
/*
 * pool_int: what a pool consists of, for the files that share it:
 *
 *	pool.c        what happens to one worker: a table of state and input
 *	pool_serve.c  requests: who gets one, who waits
 *	pool_start.c  when a worker is started
 *	pool_stop.c   when one is told to exit
 *	pool_roll.c   how a new generation takes over
 *	pool_lists.c  the books
 *	pool_heap.c   the oldest of the idle ones
 *	pool_report.c what reports are made of
 *	pool_check.c  whether all that is consistent
 *
 * Every slot is on the list of its state.  A state that ends by itself lasts
 * equally long for every slot, so that the head of its list is due first and
 * the next deadline is found without looking at the others.  Idle workers are
 * also in the heap of the class that they served last, oldest process on top;
 * requests are found by their id, and busy workers by the domain of their
 * recipok, through hash tables.
 */
#ifndef MULTIPLEXOR_POOL_INT_H
#define MULTIPLEXOR_POOL_INT_H

#include "pool.h"

#include <stddef.h>
#include <sys/queue.h>

/* Who waits: first those whose worker died, then mail that is wholly here,
 * then the questions, which a client repeats cheaply. */
enum prio {
	PRIO_RETRY,
	PRIO_SCAN,
	PRIO_OTHER,
	PRIO_N
};

struct slot;
struct req {
	TAILQ_ENTRY(req) link; /* free or waiting */
	LIST_ENTRY(req) by_id; /* not free */
	uint64_t id, domain;
	enum mux_class cls;
	bool waiting, orphan; /* orphan: nobody wants the answer */
	unsigned deaths;      /* of workers that had it */
	msec until;           /* waiting: no longer than this */
	struct slot *slot;    /* that has it, or NULL */
};
TAILQ_HEAD(reqs, req);
LIST_HEAD(req_bucket, req);

struct slot {
	TAILQ_ENTRY(slot) link;     /* of its state */
	LIST_ENTRY(slot) by_domain; /* of req->domain, if that is not 0 */
	unsigned i, heap_at;
	enum pool_state state;
	msec since;
	struct req *req;
	bool told;             /* to exit */
	bool proved;           /* has answered */
	bool warm;             /* will have, when it is ready */
	enum pool_after after; /* its last answer */
	unsigned requests, scans;
	uint64_t activation, generation;
	msec started, first_req;
	int last;
};
TAILQ_HEAD(slots, slot);
LIST_HEAD(slot_bucket, slot);

struct heap {
	struct slot **v;
	unsigned n;
};

struct pool {
	struct pool_opts o;
	struct slot *slots;
	struct slots in[POOL_STATE_N];
	unsigned n[POOL_STATE_N];
	msec lasts[POOL_STATE_N];     /* MSEC_NEVER: until something happens */
	struct heap kin[MUX_CLASS_N]; /* MUX_OTHER: without tracked class */
	struct slot **heap_room;
	struct req *reqs;
	struct reqs free, wait[PRIO_N];
	struct req_bucket *ids;
	struct slot_bucket *domains;
	size_t n_buckets; /* of each; a power of two */
	unsigned queued;
	struct pool_action *ring;
	size_t ring_cap, ring_at, ring_n;
	uint64_t msgs, activations, generation;
	msec fill_at, idle_at; /* next start up to min, next idle check */
	msec last_start, pause_until;
	unsigned early;     /* deaths in a row */
	struct slot *spare; /* starting for nobody, and not warm; or NULL */
	struct slot *heir;  /* the same, and warm; or NULL */
	unsigned n_old;     /* idle or busy, and of an old generation */
	unsigned roll_to;   /* as many shall be ready meanwhile; 0: no roll */
	bool stopping;
};

/* ---- pool_lists.c ---- */

/* An action, to be filled in. */
struct pool_action *pool_emit(struct pool *p, enum pool_do type);
/* Requests: on the free list, or of a slot, or waiting. */
struct req *pool_req_new(struct pool *p, uint64_t id);
void pool_req_free(struct pool *p, struct req *r);
struct req *pool_req_find(const struct pool *p, uint64_t id); /* or NULL */
enum prio pool_prio(const struct req *r);
void pool_wait_add(struct pool *p, struct req *r, msec now);
void pool_wait_remove(struct pool *p, struct req *r);
struct req *pool_wait_first(const struct pool *p); /* or NULL */
/* It is starting, for nobody. */
void pool_starts_free(struct pool *p, struct slot *s);
/* A slot and what it works on. */
void pool_hold(struct pool *p, struct slot *s, struct req *r);
struct req *pool_release(struct pool *p, struct slot *s); /* or NULL */
unsigned pool_same_domain(const struct pool *p, uint64_t domain, unsigned max);
void pool_enter(struct pool *p, struct slot *s, enum pool_state to, msec now);
unsigned pool_alive(const struct pool *p);   /* starting, idle or busy */
unsigned pool_ready_n(const struct pool *p); /* idle or busy */

/* ---- pool_heap.c ---- */
void pool_heap_add(struct heap *h, struct slot *s);
void pool_heap_remove(struct heap *h, struct slot *s);
struct slot *pool_heap_top(const struct heap *h);            /* or NULL */
struct heap *pool_kin(struct pool *p, const struct slot *s); /* for it */

/* ---- pool_start.c ---- */
msec pool_start_allowed_at(const struct pool *p);
/* Starts a worker in a dead slot, which there is, for r or nobody (NULL). */
void pool_spawn(struct pool *p, struct req *r, enum pool_why why, msec now);
void pool_want_fill(struct pool *p, msec now);
void pool_fill(struct pool *p, msec now);
/* A worker died that nobody had told to: count it if that was early. */
void pool_died(struct pool *p, struct slot *s, msec now);

/* ---- pool_serve.c ---- */
/* Answers and frees it, or has it forgotten.  s had it, or NULL. */
struct pool_action *pool_answer(
    struct pool *p, const struct slot *s, struct req *r, enum pool_answer why);
void pool_assign(struct pool *p, struct slot *s, struct req *r, msec now);
/* Called whenever a worker, a slot or a start may have become free. */
void pool_serve_waiting(struct pool *p, msec now);
/* Its worker is dying: what it held goes to another, or is given up. */
void pool_retry(struct pool *p, struct slot *s, msec now);

/* ---- pool_stop.c ---- */
void pool_tell(struct pool *p, struct slot *s, enum pool_do how,
    enum pool_why why, msec now);
/* After a request: it is told to exit if it has to go. */
void pool_retire(struct pool *p, struct slot *s, msec now);
void pool_idle_check(struct pool *p, msec now);
/* It did not exit in time. */
void pool_overdue(struct pool *p, struct slot *s, msec now);
void pool_way_overdue(struct pool *p, struct slot *s, msec now);

/* ---- pool_roll.c ---- */
void pool_roll(struct pool *p, msec now); /* the next steps, if any */
/* An old one that is done: does the new generation need its place? */
bool pool_roll_takes(const struct pool *p);
msec pool_roll_deadline(const struct pool *p);

#endif
