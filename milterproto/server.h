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
	MLT_IDLE_TICKS = 4       /* idle_ms is exact to a quarter */
};

struct conn;
struct event;
struct listener;

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
	struct slot *slots;
	uint32_t n_slots, free;
	size_t n_conns;
	struct listener *listeners;
	struct event *idle_timer, *pause_timer;
	bool paused, draining;
	void (*drained)(void *arg);
	void *drained_arg;
	uint8_t buf[READ_BYTES];
};

/* ---- conn_ev.c ------------------------------------------------------------- */

/* Takes fd.  False: no memory, nothing happened but that fd is closed. */
bool mlt_conn_new(struct mlt_server *s, int fd);
struct conn *mlt_conn_find(const struct mlt_server *s, uint64_t id);
/* The connection ends from our side, or the peer is gone: the caller hears
 * ABORT and QUIT as they are owed, then `closed`.  c is gone, and if that was
 * the last connection of a server that drains, perhaps the server is too. */
void mlt_conn_end(struct conn *c, int why);
/* One tick of the idle timer passed: ends c if it slept through all of them.
 * False: as after mlt_conn_end. */
bool mlt_conn_tick(struct conn *c);
/* The server drains: ends c now if it has no message open. */
void mlt_conn_drain(struct conn *c);

/* ---- accept_ev.c ----------------------------------------------------------- */

/* Listens exactly while another connection would be welcome. */
void mlt_accept_update(struct mlt_server *s);
/* The pause timer's callback: descriptors may be free again. */
void mlt_accept_resume(int fd, short what, void *server);
void mlt_accept_free(struct mlt_server *s); /* closes all listeners */

#pragma GCC visibility pop
#endif
