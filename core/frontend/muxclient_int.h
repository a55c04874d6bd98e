/* SPDX-License-Identifier: MIT */
/*
 * muxclient_int: what the two ways to a multiplexor share.
 *
 * A request is on one list at a time: of those with a connection of their own
 * (muxonce_ev), of those on the pipelined connection, or of those that wait for
 * a place there (muxlink_ev).
 */
#ifndef CORE_FRONTEND_MUXCLIENT_INT_H
#define CORE_FRONTEND_MUXCLIENT_INT_H

#include "muxclient_ev.h"

#include "core/base/buf.h"
#include "core/base/id.h"

#include <stdbool.h>
#include <sys/queue.h>

#define MUX_RUNNING "Is multiplexor running?"

struct event;
struct muxlink;

enum request_way {
	WAY_ONCE,
	WAY_SENT,  /* on the pipelined connection, in its order */
	WAY_WAITS, /* for a place there */
};

struct request {
	TAILQ_ENTRY(request) link;
	struct muxclient *client;
	enum request_way way;
	uint64_t ticket;
	msec deadline;   /* of its answer */
	struct buf line; /* with LF; ONCE: what is left to write */
	ask_done_fn *done;
	void *arg;
	/* ONCE */
	struct event *ev;
	int fd;             /* -1: not connected (yet) */
	const char *failed; /* what did not work, or NULL */
	int error;          /* errno of that */
	msec connect_until;
	struct buf answer; /* read so far */
	/* SENT */
	uint64_t from; /* its first octet in the stream of all that was sent */
};
TAILQ_HEAD(request_list, request);

struct muxclient {
	struct event_base *base;
	const char *path;
	msec connect_ms, wait_ms;
	struct id_table ids;
	struct request_list once, idle; /* idle: to be used again */
	unsigned n_idle;
	struct muxlink *muxlink;
};

/* ---- muxclient_ev.c ---- */

/* Forgets the request, which is on no list any more. */
void request_put_back(struct request *r);
/* Ends it: done runs with "what: errno's text: Is multiplexor running?". */
void request_fail(struct request *r, const char *what, int error);

/* ---- muxonce_ev.c ---- */

/* Asks on a connection of its own; r is on no list.  0; -ENOMEM: r is the
 * caller's still.  What else goes wrong is told from the loop. */
int once_ask(struct request *r);
/* Closes the connection, takes it from the list. */
void once_end(struct request *r);
void once_free(struct request *r); /* what only this way needs */

/* ---- muxlink_ev.c ---- */
int muxlink_new(struct muxlink **out, struct muxclient *c); /* -ENOMEM */
void muxlink_free(struct muxlink *k); /* its requests end silently */
/* true: it took r.  false: there is no such connection now (it may be that the
 * multiplexor is asked whether it will have one). */
bool muxlink_ask(struct muxlink *k, struct request *r);
/* The multiplexor was not there: the next one may be another. */
void muxlink_was_away(struct muxlink *k);
/* Takes r from its list and tells the multiplexor that nobody waits. */
void muxlink_cancel(struct muxlink *k, struct request *r);

#endif
