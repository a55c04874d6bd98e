/* SPDX-License-Identifier: MIT */
/*
 * server: the inside of struct mlt_server, for server_ev.c (life and options),
 * accept_ev.c (listeners) and conn_ev.c (connections).
 */
#ifndef MILTERPROTO_SERVER_INTERNAL_H
#define MILTERPROTO_SERVER_INTERNAL_H

#include <milterproto_server.h>

#pragma GCC visibility push(hidden)

enum {
	READ_BYTES = 256 * 1024, /* at most for one connection per wake-up */
};

struct conn;
struct event;
struct listener;
struct mlt_peers;

/* An id is generation * 2^24 + slot: never used twice, found at once.  Of a
 * free slot the low bits of id are the next free one instead. */
#define SLOT_BITS 24
#define SLOT_MASK ((1u << SLOT_BITS) - 1)
#define NO_SLOT   SLOT_MASK
struct slot {
	struct conn *c; /* NULL: free */
	uint64_t id;
};

struct mlt_server {
	struct event_base *base;
	struct mlt_server_opts opts;
	struct mlt_server_ops ops;
	void *arg;
	struct mlt_peers *peers;
	struct slot *slots;
	uint32_t n_slots, free;
	size_t n_conns;
	struct listener *listeners;
	struct event *tick_timer, *pause_timer;
	uint16_t idle_ticks, reply_ticks; /* more is too long */
	bool paused, draining;
	unsigned walks; /* somebody goes through our lists: `drained` waits */
	void (*drained)(void *arg);
	void *drained_arg;
	struct mlt_server_stats stats;
	uint8_t buf[READ_BYTES];
};

/* ---- server_ev.c ----------------------------------------------------------- */

/* Between these two the server is not freed by `drained`, which runs in the
 * latter, as the last thing. */
void mlt_server_hold(struct mlt_server *s);
void mlt_server_release(struct mlt_server *s);

/* ---- conn_ev.c ------------------------------------------------------------- */

/* Takes fd.  False: no memory, nothing happened but that fd is closed. */
bool mlt_conn_new(struct mlt_server *s, int fd);
struct conn *mlt_conn_find(const struct mlt_server *s, uint64_t id);
/* The connection ends from our side, or the peer is gone: the caller hears
 * ABORT and QUIT as they are owed, then `closed`.  c is gone, and if that was
 * the last connection of a server that drains, perhaps the server is too. */
void mlt_conn_end(struct conn *c, int why);
/* One tick of the timer passed: ends c if it was silent for too many. */
void mlt_conn_tick(struct conn *c);
/* The server drains: ends c now if it has no message open. */
void mlt_conn_drain(struct conn *c);

/* ---- accept_ev.c ----------------------------------------------------------- */

/* Listens exactly while another connection would be welcome. */
void mlt_accept_update(struct mlt_server *s);
/* The pause timer's callback: descriptors may be free again. */
void mlt_accept_resume(int fd, short what, void *server);
void mlt_accept_free(struct mlt_server *s); /* closes all listeners */

/* ---- listen_fd.c ----------------------------------------------------------- */

/* Makes an inherited descriptor ours: non-blocking, close-on-exec.  False, and
 * nothing is changed, unless it is a stream socket that listens. */
bool mlt_listen_adopt(int fd);

#pragma GCC visibility pop
#endif
