/* SPDX-License-Identifier: MIT */
/*
 * pool: decides what the workers do; does nothing itself.
 *
 * Pure: no process, descriptor, clock or log.  Inputs say what happened and
 * when; they cannot fail, since slots, queue and actions are allocated by
 * pool_new at their maximum.  After each input the caller drains pool_next and
 * does what it says, then sleeps until pool_deadline at most.
 *
 * A request that was taken in gets either one ASSIGN after the other until the
 * caller says pool_finished, or exactly one ANSWER; it is forgotten silently
 * only by pool_cancel.
 */
#ifndef MULTIPLEXOR_POOL_H
#define MULTIPLEXOR_POOL_H

#include "core/base/clock.h"
#include "core/base/muxproto.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define POOL_NO_CLASS (-2) /* no tracked request since it was started */
#define POOL_NO_SLOT  UINT_MAX

struct pool_opts {
	unsigned min_workers, max_workers; /* 1 <= min <= max */
	unsigned max_requests; /* then a worker is replaced; up to three times
				* that while requests wait */
	unsigned queue_max;    /* waiting requests; one more is BUSY at once */
	unsigned per_domain;   /* busy with one domain's recipok; 0 = any */
	msec queue_ms;         /* longest wait for a worker */
	msec busy_ms;          /* a request may take as long */
	msec idle_ms;        /* stopped if idle as long; period of the check */
	msec lifetime_ms;    /* from the first request; 0 = no limit */
	msec start_delay_ms; /* between starts when filling up to min */
	msec start_min_ms;   /* between any two starts */
	msec start_ms;       /* a start may take as long; 0 = no limit */
	msec term_ms;        /* EOF to TERM, and TERM to KILL */
	msec gone_ms;        /* a worker closed its answer pipe: until TERM */
	msec backoff_ms;     /* start pause after the second early death in a
			      * row; doubles with each further one, */
	msec backoff_max_ms; /* up to this */
};

/* A slot's state.  CLOSED to KILLED: told to exit.  GONE: its answer pipe
 * ended, though nobody told it to exit. */
enum pool_state {
	POOL_DEAD,     /* no process */
	POOL_STARTING, /* may hold the request that it is started for; may have
			* a process already */
	POOL_IDLE,
	POOL_BUSY,
	POOL_GONE,
	POOL_CLOSED, /* may finish its last request while the pool stops */
	POOL_TERMED,
	POOL_KILLED,
	POOL_STATE_N
};

enum pool_do {
	POOL_SPAWN,  /* start the worker, then pool_ready or pool_failed */
	POOL_ASSIGN, /* give it the request; cls, last */
	POOL_WAIT,   /* request is queued; n = how many now */
	POOL_CLOSE,  /* close its stdin: it shall exit; why */
	POOL_TERM,   /* the same, and signal TERM; why */
	POOL_KILL,
	POOL_ANSWER, /* answer the request with `answer`; n */
	POOL_FORGET, /* the same for one that was cancelled: no answer */
	POOL_RETRY,  /* news: its worker died, another will have a try */
	POOL_ALARM,  /* news: workers die early, n ms until the next start */
};

/* Why a worker is started or stopped. */
enum pool_why {
	POOL_WHY_MIN, /* bringing workers up to the minimum */
	POOL_WHY_REQUEST,
	POOL_WHY_REQUESTS, /* served as many as it may */
	POOL_WHY_LIFETIME,
	POOL_WHY_GENERATION, /* finished, and of an old generation */
	POOL_WHY_REREAD,     /* makes room for the new generation; is of it */
	POOL_WHY_IDLE,
	POOL_WHY_BUSY,   /* took too long for a request */
	POOL_WHY_TALK,   /* could not be talked to */
	POOL_WHY_OUTPUT, /* said more than was asked */
	POOL_WHY_STOP,
	POOL_WHY_OVERDUE, /* had been told already; took too long to start */
	POOL_WHY_SCALE,   /* pool_grow, pool_shrink */
	POOL_WHY_N
};

enum pool_answer {
	POOL_A_BUSY,    /* no worker and no room to wait */
	POOL_A_START,   /* could not be started; n: not within so many ms */
	POOL_A_QUEUE,   /* waited too long */
	POOL_A_TIMEOUT, /* worker took too long; n = busy ones then */
	POOL_A_TALK,    /* worker did not take the request */
	POOL_A_DIED,    /* its worker died, and the next one too */
	POOL_A_DOMAIN,  /* per-domain limit */
	POOL_A_STOP,    /* the pool ends */
	POOL_A_N
};

struct pool_action {
	enum pool_do type;
	unsigned slot; /* all but WAIT, ALARM; ANSWER: that had it, or for START
			* the one that was not started; or POOL_NO_SLOT */
	uint64_t req;  /* SPAWN (0: for no request), ASSIGN, WAIT, ANSWER,
			* FORGET, RETRY */
	enum pool_why why;
	enum pool_answer answer;
	enum mux_class cls;
	int last; /* class before this one, or POOL_NO_CLASS */
	unsigned n;
	enum pool_state was; /* ASSIGN, CLOSE, TERM, KILL: state before */
	bool warm; /* SPAWN: pool_ready only when it is known to answer */
};

struct pool;
int pool_new(struct pool **out, const struct pool_opts *opts); /* -ENOMEM */
void pool_free(struct pool *p);

/* ---- inputs ---- */
void pool_start(struct pool *p, msec now); /* the first worker */
/* domain: hash of the recipient's domain for a recipok, else 0. */
void pool_request(struct pool *p, uint64_t req, enum mux_class cls,
    uint64_t domain, msec now);
/* The same, but it never waits: BUSY instead. */
void pool_request_now(
    struct pool *p, uint64_t req, enum mux_class cls, msec now);
/* Nobody wants its answer any more.  true: forgotten; false: a worker has it
 * (or gets it with an ASSIGN not yet drained) and goes on with it, until
 * pool_finished or a FORGET. */
bool pool_cancel(struct pool *p, uint64_t req);
void pool_ready(struct pool *p, unsigned slot, msec now);
void pool_failed(struct pool *p, unsigned slot, msec now); /* not started */
/* It answered. */
enum pool_after {
	POOL_STAYS, /* and is fit for another request */
	POOL_TALKS, /* and said more: an answer of its could be another's */
	POOL_ENDS,  /* and then its answer pipe ended */
};
void pool_finished(
    struct pool *p, unsigned slot, enum pool_after after, msec now);
/* Its answer pipe ended or the request could not be written (EPIPE): it is
 * dying; the request goes to another. */
void pool_gone(struct pool *p, unsigned slot, msec now);
/* It does not read its request.  No retry: the fault may be the request's. */
void pool_stuck(struct pool *p, unsigned slot, msec now);
/* It said something that nobody asked for; a request that it was given is
 * given to another. */
void pool_noisy(struct pool *p, unsigned slot, msec now);
/* Reaped.  true: nobody had told it to exit. */
bool pool_exited(struct pool *p, unsigned slot, msec now);
/* A new generation replaces all; as many as are of use stay until others of
 * the new one are ready.  Known to load: the caller has tried. */
void pool_reread(struct pool *p, msec now);
/* One more, or one idle one less.  false: not now. */
bool pool_grow(struct pool *p, msec now);
bool pool_shrink(struct pool *p, msec now);
/* Ends all; a second call is more urgent. */
void pool_stop(struct pool *p, msec now);
void pool_tick(struct pool *p, msec now);

/* ---- outputs ---- */
bool pool_next(struct pool *p, struct pool_action *a);
msec pool_deadline(const struct pool *p); /* MSEC_NEVER: nothing is due */

/* ---- for reports ---- */
struct pool_counts {
	unsigned idle, busy, stopped, killed; /* killed: still to be reaped */
	unsigned queued;
	uint64_t msgs, activations; /* scans answered or failed; starts */
	unsigned
	    early; /* deaths in a row without an answer; two: a crash loop */
	msec start_at; /* no start before; 0: at once */
	unsigned old;  /* ready ones of an old generation */
};
void pool_count(const struct pool *p, struct pool_counts *c);
unsigned pool_running(const struct pool *p); /* all but stopped */

struct pool_info {
	enum pool_state state;
	uint64_t req;       /* 0: none */
	enum mux_class cls; /* of req */
	int last;           /* class, or POOL_NO_CLASS */
	unsigned requests, scans;
	uint64_t activation;
	msec since, started, first_req; /* MSEC_NEVER: none */
};
void pool_info(const struct pool *p, unsigned slot, struct pool_info *i);
uint64_t pool_req(const struct pool *p, unsigned slot); /* 0: none */
const char *pool_state_name(enum pool_state s); /* "Idle" as in reports */

/* Asserts the invariants: each request in one place, counts add up, lists
 * ordered.  For tests: walks everything. */
void pool_check(const struct pool *p);

#endif
