/* SPDX-License-Identifier: MIT */
/*
 * pool_int: what a pool consists of, for pool.c, which decides, and
 * pool_lists.c, which keeps the books.
 *
 * Every slot is on the list of its state.  A state that ends by itself lasts
 * equally long for every slot, so that the head of its list is due first and
 * the next deadline is found without looking at the others.  Idle workers are
 * also on the list of the class that they served last, oldest process first,
 * which makes the choice for a request a look at one to five list heads.
 */
#ifndef MULTIPLEXOR_POOL_INT_H
#define MULTIPLEXOR_POOL_INT_H

#include "pool.h"

#include <sys/queue.h>

/* Who waits: first those whose worker died, then mail that is wholly here,
 * then the questions, which a client repeats cheaply. */
enum prio {
	PRIO_RETRY,
	PRIO_SCAN,
	PRIO_OTHER,
	PRIO_N
};

struct req {
	TAILQ_ENTRY(req) link; /* free or waiting */
	uint64_t id, domain;
	enum mux_class cls;
	bool waiting, orphan; /* orphan: nobody wants the answer */
	unsigned deaths;      /* of workers that had it */
	msec until;           /* waiting: no longer than this */
};
TAILQ_HEAD(reqs, req);

struct slot {
	TAILQ_ENTRY(slot) link, kin; /* of its state; idle: of its class */
	unsigned i;
	enum pool_state state;
	msec since;
	struct req *req;
	bool told;             /* to exit */
	bool proved;           /* has answered */
	enum pool_after after; /* its last answer */
	unsigned requests, scans;
	uint64_t activation, generation;
	msec started, first_req;
	int last;
};
TAILQ_HEAD(slots, slot);

struct pool {
	struct pool_opts o;
	struct slot *slots;
	struct slots in[POOL_STATE_N];
	unsigned n[POOL_STATE_N];
	msec lasts[POOL_STATE_N];      /* MSEC_NEVER: until something happens */
	struct slots kin[MUX_CLASS_N]; /* MUX_OTHER: without tracked class */
	struct req *reqs;
	struct reqs free, wait[PRIO_N];
	unsigned queued;
	struct pool_action *ring;
	size_t ring_cap, ring_at, ring_n;
	uint64_t msgs, activations, generation;
	msec fill_at, idle_at; /* next start up to min, next idle check */
	msec last_start, pause_until;
	unsigned early; /* deaths in a row */
	bool stopping;
};

/* An action, to be filled in. */
struct pool_action *pool_emit(struct pool *p, enum pool_do type);

/* Requests: on the free list, or of a slot, or waiting. */
struct req *pool_req_new(struct pool *p);
void pool_req_free(struct pool *p, struct req *r);
void pool_wait_add(struct pool *p, struct req *r, msec now);
void pool_wait_remove(struct pool *p, struct req *r);

void pool_enter(struct pool *p, struct slot *s, enum pool_state to, msec now);
unsigned pool_alive(const struct pool *p); /* starting, idle or busy */

#endif
