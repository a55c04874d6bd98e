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
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;
struct mlt_server;

/* Octets in *ev are valid until `event` returns.  Answer with
 * mlt_server_reply, inside the callback or any time later.  All but `event`
 * may be NULL.  A callback may call every function here but mlt_server_free;
 * `drained` below may call that one too. */
struct mlt_server_ops {
	/* A connection was accepted; *ctx is the caller's word for it. */
	void (*opened)(void *arg, uint64_t conn, void **ctx);
	void (*event)(
	    void *arg, uint64_t conn, void *ctx, const struct mlt_event *ev);
	/* Always the last call for conn.  why: 0 = QUIT or EOF, else an
	 * mlt_err (PROTO, TOOBIG, NOMEM, OFFER) or MLT_CLOSE_*. */
	void (*closed)(void *arg, uint64_t conn, void *ctx, int why);
	/* A peer was not let in, and nothing else will be heard of it.  peer:
	 * its address and port, or the uid, gid and pid, as text for a log. */
	void (*refused)(void *arg, const char *peer);
	/* Octets as they came from the MTA (before the events in them), or as
	 * they left for it, cut anywhere: for whoever shows or records them.
	 * It may call none of the functions here. */
	void (*octets)(void *arg, uint64_t conn, void *ctx, bool sent,
	    const void *p, size_t n);
};
enum mlt_close {
	MLT_CLOSE_IDLE = 1,   /* idle_ms passed */
	MLT_CLOSE_IO = 2,     /* read or write failed */
	MLT_CLOSE_DRAIN = 3,  /* the server was drained or freed */
	MLT_CLOSE_REPLY = 4,  /* no answer from the caller within reply_ms */
	MLT_CLOSE_OUTPUT = 5, /* the peer did not take max_queued_bytes */
	MLT_CLOSE_N
};

/* Each limit has a default (what 0 means) that no honest peer reaches.  Times
 * are exact to a quarter of the shorter of the two: never early. */
struct mlt_server_opts {
	struct mlt_filter_opts filter; /* max_frame_bytes, max_macro_bytes */

	/* 0 = no limit: a session costs so little that descriptors run out
	 * first, and then, as here, others wait in the backlog.  There is no
	 * limit for one peer: all sessions are usually one MTA's. */
	unsigned max_connections;
	/* No octet from or to the MTA while no reply is awaited.  0 =
	 * 7,210,000: above every time-out of SMTP, so that it ends only what
	 * the MTA has forgotten. */
	uint64_t idle_ms;
	/* The caller owes an answer, and nothing was sent since (PROGRESS is a
	 * sign of life): the MTA hears TEMPFAIL, where that is legal, and the
	 * connection ends, because a late answer must not be taken for one to
	 * something else.  0 = 3,600,000: MTAs give up after 10 to 300 seconds
	 * unless told otherwise, so it only ends what nobody waits for.
	 * A filter that would rather see TEMPFAIL arrive than the MTA run into
	 * its own time-out sets less than that. */
	uint64_t reply_ms;
	/* Octets that wait to leave, then the MTA is not read until it takes
	 * some.  0 = 1 MiB: many times the answers to one read. */
	size_t max_output_bytes;
	/* Octets that wait to leave, then the connection ends: a peer that
	 * never reads must not fill our memory.  0 = 256 MiB: above any
	 * replaced body. */
	size_t max_queued_bytes;

	/* Who may connect by inet and inet6: addresses and prefixes like
	 * "127.0.0.1 192.0.2.0/24 2001:db8::/32", separated by blanks or
	 * commas.  An address of IPv4 inside IPv6 counts as IPv4.  NULL =
	 * everybody; "" = nobody. */
	const char *allow;
	/* Who may connect by UNIX socket: one of these users, or with one of
	 * these as effective group (supplementary groups are not seen); with
	 * neither = everybody whom the mode of the socket lets. */
	const uid_t *uids;
	size_t n_uids;
	const gid_t *gids;
	size_t n_gids;
};

/* NOMEM, ARG (no ops->event; `allow` is no list of addresses).  ops and opts
 * are copied, `allow` and the lists too; the names of macros are borrowed for
 * the life of the server; arg is given back in each call.  opts NULL = all
 * defaults. */
int mlt_server_new(struct mlt_server **out, struct event_base *base,
    const struct mlt_server_opts *opts, const struct mlt_server_ops *ops,
    void *arg);
/* What mlt_server_new says of opts: 0, ARG, NOMEM. */
int mlt_server_check(const struct mlt_server_opts *opts);
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

/* Since the server was made, for metrics. */
struct mlt_server_stats {
	uint64_t open;     /* now */
	uint64_t accepted; /* connections let in */
	uint64_t refused;  /* peers not let in */
	uint64_t failed;   /* accepting failed: descriptors or memory ran out */
	/* connections that ended: */
	uint64_t ended;               /* by QUIT or EOF */
	uint64_t protocol;            /* PROTO, TOOBIG, OFFER */
	uint64_t memory;              /* NOMEM */
	uint64_t closed[MLT_CLOSE_N]; /* by MLT_CLOSE_*; [0] is unused */
};
void mlt_server_stats(const struct mlt_server *s, struct mlt_server_stats *out);
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
	/* Of the unix socket.  The directory should belong to the same. */
	unsigned mode;     /* like 0660, instead of umask_; 0 = by umask_ */
	const char *owner; /* name or number; NULL = leave */
	const char *group;
};
/* A listening descriptor (non-blocking, close-on-exec), or -1 with one line
 * in err that says what to do. */
int mlt_listen_open(const char *spec, const struct mlt_listen_opts *opts,
    char *err, size_t errlen);
/* Could it be opened now?  Opens nothing for others, removes and makes nothing.
 * 0 = yes (also when a dead socket is in the way and opts->remove_dead); 1 = no,
 * somebody serves there, -1 = no: one line in err, as above.  fd:N is not looked
 * at. */
int mlt_listen_check(const char *spec, const struct mlt_listen_opts *opts,
    char *err, size_t errlen);
/* Path of a unix spec, to be removed at exit; NULL for others. */
const char *mlt_listen_path(const char *spec);

/* Sockets that the process was started with, as a service manager hands them
 * over: LISTEN_PID (ours), LISTEN_FDS (how many, from descriptor 3 on) and
 * LISTEN_FDNAMES (names between colons) in the environment, which is left as it
 * is.  Each must be a stream socket that listens; becomes non-blocking and
 * close-on-exec. */
struct mlt_listen_fd {
	int fd;
	struct mlt_bytes name; /* borrowed from the environment, not
				* terminated; {NULL, 0} = none */
};
/* How many were written to v, of n places; 0: none for us.  -1 with one line in
 * err: not as above, or more than n. */
int mlt_listen_inherited(
    struct mlt_listen_fd *v, size_t n, char *err, size_t errlen);

/* The other end: a stream socket (non-blocking, close-on-exec) that is connected
 * to where a filter listens, or -1 with one line in err.  Without HOST it is
 * this machine; fd:N is an error.  Waits at most timeout_ms, -1: as long as the
 * kernel tries; a UNIX socket whose backlog is full is an error at once. */
int mlt_connect_open(
    const char *spec, int timeout_ms, char *err, size_t errlen);

#ifdef __cplusplus
}
#endif
#endif
