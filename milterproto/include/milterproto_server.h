/* SPDX-License-Identifier: MIT */
/*
 * milterproto_server.h: serve filter sessions on a libevent loop.
 *
 * Listeners and connections with plain events and small buffers; one read
 * buffer for all connections.  Backpressure: while a reply is pending, or too
 * many octets wait to leave, a connection is not read.  Connections are named
 * by 64-bit numbers that are never used twice, so that a late answer to a
 * connection that is gone is MLT_E_STATE and nothing else.
 */
#ifndef MILTERPROTO_SERVER_H
#define MILTERPROTO_SERVER_H

#include <milterproto.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;
struct mlt_server;

/* Octets in *ev are valid until `event` returns.  Answer with
 * mlt_server_reply, inside the callback or any time later. */
struct mlt_server_ops {
	/* A connection was accepted; *ctx is the caller's word for it. */
	void (*opened)(void *arg, uint64_t conn, void **ctx);
	void (*event)(
	    void *arg, uint64_t conn, void *ctx, const struct mlt_event *ev);
	/* Always the last call for conn.  why: 0 = QUIT or EOF, else an
	 * mlt_err (PROTO, TOOBIG, NOMEM) or MLT_CLOSE_*. */
	void (*closed)(void *arg, uint64_t conn, void *ctx, int why);
};
enum mlt_close {
	MLT_CLOSE_IDLE = 1,  /* idle_ms passed */
	MLT_CLOSE_IO = 2,    /* read or write failed */
	MLT_CLOSE_DRAIN = 3, /* the server was drained or freed */
};

struct mlt_server_opts {
	struct mlt_filter_opts filter;
	unsigned max_connections; /* 0 = no limit; one more waits in the
				   * backlog */
	uint64_t idle_ms; /* no octet from or to the MTA while no reply is
			   * awaited, to a quarter; 0 = 7,210,000, above
				   * every timeout of an MTA */
	size_t max_output_bytes; /* then modifications wait; 0 = 1 MiB: not a
				   * hard limit, stops reading */
};

/* MLT_E_NOMEM.  ops are copied; arg is given back in each call. */
int mlt_server_new(struct mlt_server **out, struct event_base *base,
    const struct mlt_server_opts *opts, const struct mlt_server_ops *ops,
    void *arg);
/* Takes fd, a listening stream socket (own, or inherited), also on failure;
 * sets it non-blocking and close-on-exec.  NOMEM ARG. */
int mlt_server_listen(struct mlt_server *s, int fd);

/* As mlt_filter_reply; STATE also: conn is gone.  Sends at once.  After NOMEM
 * the connection is closed, so that the MTA does not wait for ever. */
int mlt_server_reply(
    struct mlt_server *s, uint64_t conn, const struct mlt_reply *r);
/* The session, for macros and modifications; NULL when conn is gone.  Output
 * made by mlt_filter_* leaves with the next mlt_server_reply or _flush. */
struct mlt_filter *mlt_server_session(struct mlt_server *s, uint64_t conn);
void mlt_server_flush(struct mlt_server *s, uint64_t conn);

size_t mlt_server_connections(const struct mlt_server *s);
/* Stops accepting; closes connections that have no open message, each other
 * one when its message is over.  `drained` (may be NULL) runs when none is
 * left, possibly before this returns. */
void mlt_server_drain(
    struct mlt_server *s, void (*drained)(void *arg), void *arg);
void mlt_server_free(struct mlt_server *s); /* closes all; NULL is allowed */

/* ---- listening addresses ----------------------------------------------------
 * spec:connection-strings   [unix:|local:]/path  inet:PORT[@HOST]
 * inet6:PORT[@HOST]  fd:N.  HOST a name or address, [brackets] allowed. */
struct mlt_listen_opts {
	int backlog;      /* 0 = SOMAXCONN */
	unsigned umask_;  /* for the unix socket's mode: 0077 or 0007 */
	bool remove_dead; /* a unix socket on which nobody answers is removed;
			   * one that answers, or another kind of file, is an
			   * error */
};
/* A listening descriptor (non-blocking, close-on-exec), or -1 with one line
 * in err that says what to do. */
int mlt_listen_open(const char *spec, const struct mlt_listen_opts *opts,
    char *err, size_t errlen);
/* Path of a unix spec, to be removed at exit; NULL for others. */
const char *mlt_listen_path(const char *spec);

#ifdef __cplusplus
}
#endif
#endif
