/* SPDX-License-Identifier: MIT */
/*
 * conn_ev: one connection of a server.
 *
 * One wake-up is one read into the buffer that all share, as many events as
 * are in it, and one write of all answers.  An idle connection owns one block
 * (`struct conn`) and its macros, nothing else.  Nothing is asked of epoll
 * while things go well: EV_READ stays registered, EV_WRITE comes only after a
 * short write, and reading stops only when a peer sends on although it awaits
 * a reply, or does not take what we send.
 *
 * Every path of a wake-up ends in conn_settle, which writes, closes, or stops
 * and resumes reading; after conn_close nothing of the server is touched,
 * because its `drained` callback may free it.
 */
#include "server.h"
#include "codec.h"
#include "filter.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	AHEAD_BYTES = 64 * 1024 /* kept of a peer that does not wait */
};

/* Ten thousand of these lie idle: 232 octets are just the malloc chunk of 240.
 * The server is found through the options, which lie inside it. */
struct conn {
	struct event ev;
	struct mlt_filter f;
	void *ctx;
	uint32_t slot;
	int8_t why;         /* for ops.closed */
	uint8_t events : 7; /* what ev is registered for: EV_READ, EV_WRITE */
	bool busy : 1;      /* a callback runs: who called it goes on */
	uint16_t ticks;     /* of the timer since the last sign of life */
};

static struct mlt_server *
server_of(const struct conn *c)
{
	const char *opts = (const char *)c->f.opts;

	return (struct mlt_server *)(opts -
				     offsetof(struct mlt_server, opts.filter));
}

/* ---- slots --------------------------------------------------------------------- */

static uint64_t
id_of(const struct conn *c)
{
	return server_of(c)->slots[c->slot].id;
}

struct conn *
mlt_conn_find(const struct mlt_server *s, uint64_t id)
{
	uint64_t i = id & SLOT_MASK;

	return i < s->n_slots && s->slots[i].id == id ? s->slots[i].c : NULL;
}

/* Makes sure that there is a free slot. */
static int
slot_ready(struct mlt_server *s)
{
	uint32_t n = s->n_slots + s->n_slots / 4 + 16;
	struct slot *p;

	if (s->free != NO_SLOT)
		return 0;
	if (n > SLOT_MASK)
		return MLT_E_NOMEM;
	p = realloc(s->slots, n * sizeof(*p));
	if (!p)
		return MLT_E_NOMEM;
	for (uint32_t i = s->n_slots; i < n; i++)
		p[i] = (struct slot){ NULL, i + 1 < n ? i + 1 : NO_SLOT };
	s->free = s->n_slots;
	s->slots = p;
	s->n_slots = n;
	return 0;
}

static void
slot_take(struct mlt_server *s, struct conn *c)
{
	struct slot *p = &s->slots[s->free];
	uint64_t generation = (p->id >> SLOT_BITS) + 1;

	c->slot = s->free;
	s->free = p->id & SLOT_MASK;
	p->c = c;
	p->id = generation << SLOT_BITS | c->slot;
	s->n_conns++;
}

static void
slot_release(struct conn *c)
{
	struct slot *p = &server_of(c)->slots[c->slot];

	p->c = NULL;
	p->id = (p->id & ~(uint64_t)SLOT_MASK) | server_of(c)->free;
	server_of(c)->free = c->slot;
	server_of(c)->n_conns--;
}

/* ---- a wake-up ------------------------------------------------------------ */

static void on_conn(evutil_socket_t fd, short what, void *arg);

/* Registers for these events; 0 = none. */
static int
conn_want(struct conn *c, short events)
{
	int fd = event_get_fd(&c->ev);

	if (events == c->events)
		return 0;
	if (c->events)
		event_del(&c->ev);
	c->events = 0;
	if (!events)
		return 0;
	event_assign(
	    &c->ev, server_of(c)->base, fd, events | EV_PERSIST, on_conn, c);
	if (event_add(&c->ev, NULL) < 0)
		return MLT_E_NOMEM;
	c->events = events & (EV_READ | EV_WRITE);
	return 0;
}

static void
count_end(struct mlt_server_stats *st, int why)
{
	assert(why < MLT_CLOSE_N);
	if (why == 0)
		st->ended++;
	else if (why == MLT_E_NOMEM)
		st->memory++;
	else if (why < 0)
		st->protocol++;
	else
		st->closed[why]++;
}

/* The last thing that happens to c; may free the server. */
static void
conn_close(struct conn *c)
{
	struct mlt_server *s = server_of(c);
	int fd = event_get_fd(&c->ev);

	if (c->events)
		event_del(&c->ev);
	close(fd);
	mlt_server_hold(s);
	count_end(&s->stats, c->why);
	c->busy = true; /* whatever `closed` calls leaves it alone */
	if (s->ops.closed)
		s->ops.closed(s->arg, id_of(c), c->ctx, c->why);
	slot_release(c);
	mlt_filter_fini(&c->f);
	free(c);
	s->paused = false; /* a descriptor is free again */
	mlt_accept_update(s);
	mlt_server_release(s);
}

/* Gives all events that there are to the caller.  0 or the session's code. */
static int
conn_pump(struct conn *c)
{
	struct mlt_event ev;
	int rc;

	c->busy = true;
	while ((rc = mlt_filter_next(&c->f, &ev)) > 0)
		server_of(c)->ops.event(
		    server_of(c)->arg, id_of(c), c->ctx, &ev);
	c->busy = false;
	return rc;
}

void
mlt_conn_end(struct conn *c, int why)
{
	c->why = (int8_t)why;
	mlt_filter_eof(&c->f);
	conn_pump(c);
	conn_close(c);
}

static void
conn_tap(const struct conn *c, bool sent, const void *p, size_t n)
{
	const struct mlt_server *s = server_of(c);

	if (s->ops.octets)
		s->ops.octets(s->arg, id_of(c), c->ctx, sent, p, n);
}

/* 0, or MLT_CLOSE_IO. */
static int
conn_write(struct conn *c)
{
	const uint8_t *p;
	size_t n;
	ssize_t sent;

	while ((n = mlt_filter_output(&c->f, &p)) > 0) {
		sent = send(event_get_fd(&c->ev), p, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN ? 0 : MLT_CLOSE_IO;
		c->ticks = 0;
		conn_tap(c, true, p, (size_t)sent);
		mlt_filter_sent(&c->f, (size_t)sent);
	}
	return 0;
}

/* The server drains, and this connection has no message open. */
static bool
conn_drained(const struct conn *c)
{
	return server_of(c)->draining && !mlt_filter_wants_reply(&c->f) &&
	       (c->f.st <= ST_IDLE || c->f.st == ST_DONE);
}

/* Reading stops while the peer runs ahead, or does not take what we send. */
static bool
conn_full(const struct conn *c)
{
	if (mlt_filter_wants_reply(&c->f))
		return mlt_buf_len(c->f.in.keep) > AHEAD_BYTES;
	return mlt_buf_len(c->f.out) > server_of(c)->opts.max_output_bytes;
}

/* After anything that happened: write, then close or wait for what is next. */
static void
conn_settle(struct conn *c)
{
	int rc = conn_write(c);
	bool left = mlt_buf_len(c->f.out) > 0;
	bool done = mlt_filter_done(&c->f);
	short events = left ? EV_WRITE : 0;

	if (rc == 0 &&
	    mlt_buf_len(c->f.out) > server_of(c)->opts.max_queued_bytes)
		rc = MLT_CLOSE_OUTPUT;
	if (rc) {
		mlt_conn_end(c, rc);
	} else if (done && !left) {
		conn_close(c);
	} else if (conn_drained(c) && !left) {
		mlt_conn_end(c, MLT_CLOSE_DRAIN);
	} else {
		if (!done && !conn_full(c))
			events |= EV_READ;
		if (conn_want(c, events) < 0)
			mlt_conn_end(c, MLT_E_NOMEM);
	}
}

/* Events, then settle.  After a dead code nothing may be sent but what is
 * already there. */
static void
conn_run(struct conn *c)
{
	int rc = conn_pump(c);

	if (rc == 0) {
		conn_settle(c);
	} else if (rc < MLT_E_DEAD) {
		c->why = (int8_t)rc;
		conn_write(c);
		conn_close(c);
	} else {
		mlt_conn_end(c, rc);
	}
}

static void
on_conn(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	ssize_t n;
	int rc;

	if (!(what & EV_READ) || !(c->events & EV_READ)) {
		conn_settle(c);
		return;
	}
	n = recv(fd, server_of(c)->buf, sizeof(server_of(c)->buf), 0);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			mlt_conn_end(c, MLT_CLOSE_IO);
		return;
	}
	if (n == 0) {
		mlt_conn_end(c, 0);
		return;
	}
	if (!mlt_filter_wants_reply(&c->f))
		c->ticks = 0; /* else it is the caller who is waited for */
	conn_tap(c, false, server_of(c)->buf, (size_t)n);
	rc = mlt_filter_feed(&c->f, server_of(c)->buf, (size_t)n);
	if (rc == 0)
		conn_run(c);
	else
		mlt_conn_end(c, rc);
}

bool
mlt_conn_new(struct mlt_server *s, int fd)
{
	struct conn *c = NULL;

	if (slot_ready(s) == 0)
		c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return false;
	}
	mlt_filter_init(&c->f, &s->opts.filter);
	event_assign(&c->ev, s->base, fd, EV_READ | EV_PERSIST, on_conn, c);
	if (event_add(&c->ev, NULL) < 0) {
		close(fd);
		free(c);
		return false;
	}
	c->events = EV_READ;
	slot_take(s, c);
	s->stats.accepted++;
	if (s->ops.opened) {
		c->busy = true;
		s->ops.opened(s->arg, id_of(c), &c->ctx);
		c->busy = false;
	}
	if (s->draining) /* by `opened` */
		conn_settle(c);
	return true;
}

/* The caller owes an answer for too long.  The MTA shall not take the end of
 * the connection for one, so it hears TEMPFAIL first. */
static void
conn_answer_for_caller(struct conn *c)
{
	if (strchr(mlt_commands[c->f.cm].replies, MLT_SMFIR_TEMPFAIL) &&
	    mlt_put_raw(&c->f.out, MLT_SMFIR_TEMPFAIL,
		(struct mlt_bytes){ NULL, 0 }, 0) == 0)
		conn_write(c);
	mlt_conn_end(c, MLT_CLOSE_REPLY);
}

void
mlt_conn_tick(struct conn *c)
{
	bool owed = mlt_filter_wants_reply(&c->f);
	const struct mlt_server *s = server_of(c);

	c->ticks++;
	conn_write(c); /* what waits for a flush is no silence */
	if (owed && c->ticks > s->reply_ticks)
		conn_answer_for_caller(c);
	else if (!owed && c->ticks > s->idle_ticks)
		mlt_conn_end(c, MLT_CLOSE_IDLE);
}

void
mlt_conn_drain(struct conn *c)
{
	if (!c->busy)
		conn_settle(c);
}

/* ---- for the caller, by number ------------------------------------------------ */

int
mlt_server_reply(struct mlt_server *s, uint64_t id, const struct mlt_reply *r)
{
	struct conn *c = mlt_conn_find(s, id);
	int rc;

	if (!c)
		return MLT_E_STATE;
	rc = mlt_filter_reply(&c->f, r);
	if (rc == MLT_E_NOMEM) { /* the MTA must not wait for ever */
		c->why = MLT_E_NOMEM;
		mlt_filter_eof(&c->f);
	}
	if ((rc == 0 || rc == MLT_E_NOMEM) && !c->busy)
		conn_run(c);
	return rc;
}

struct mlt_filter *
mlt_server_session(struct mlt_server *s, uint64_t id)
{
	struct conn *c = mlt_conn_find(s, id);

	return c ? &c->f : NULL;
}

void
mlt_server_flush(struct mlt_server *s, uint64_t id)
{
	struct conn *c = mlt_conn_find(s, id);

	if (c && !c->busy)
		conn_run(c);
}
