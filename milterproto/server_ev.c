/* SPDX-License-Identifier: MIT */
/*
 * server_ev: filter sessions on a libevent loop; see milterproto_server.h.
 *
 * One wake-up of a connection is one read into the buffer that all share, as
 * many events as are in it, and one write of all answers.  An idle connection
 * owns one block (`struct conn`) and its macros, nothing else.  Nothing is
 * asked of epoll while things go well: EV_READ stays registered, EV_WRITE
 * comes only after a short write, and reading stops only when a peer sends on
 * although it awaits a reply, or does not take what we send.
 *
 * Every path of a wake-up ends in conn_settle, which writes, closes, or stops
 * and resumes reading; after conn_close nothing of the server is touched,
 * because its `drained` callback may free it.
 */
#include <milterproto_server.h>

#include "filter.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_BYTES = 256 * 1024, /* at most for one connection per wake-up */
	AHEAD_BYTES = 64 * 1024, /* kept of a peer that does not wait */
	ACCEPTS = 64,    /* per wake-up, so that others get their turn */
	PAUSE_MS = 1000, /* after accept ran out of descriptors */
	IDLE_TICKS = 4,  /* idle_ms is exact to a quarter */
	OUTPUT_BYTES = 1024 * 1024
};
static const uint64_t idle_default_ms = 7210000;

/* An id is generation * 2^24 + slot: never used twice, found at once. */
#define SLOT_BITS 24
#define SLOT_MASK ((1u << SLOT_BITS) - 1)
#define NO_SLOT   SLOT_MASK

/* Ten thousand of these lie idle: 232 octets are just the malloc chunk of 240.
 * The server is found through the options, which lie inside it. */
struct conn {
	struct event ev;
	struct mlt_filter f;
	void *ctx;
	uint32_t slot;
	int8_t why;     /* for ops.closed */
	uint8_t events; /* what ev is registered for: EV_READ, EV_WRITE */
	uint8_t ticks;  /* of the idle timer since the last sign of life */
	bool busy;      /* in conn_pump or _close: only they go on */
};

/* Of a free slot the low bits of id are the next free one instead. */
struct slot {
	struct conn *c;
	uint64_t id;
};

struct listener {
	struct listener *next;
	struct mlt_server *s;
	struct event *ev;
	int fd;
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

static struct conn *
find(const struct mlt_server *s, uint64_t id)
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

/* ---- one connection -------------------------------------------------------------- */

static void listeners_update(struct mlt_server *s);
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
	c->events = (uint8_t)events;
	return 0;
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
	c->busy = true; /* whatever `closed` calls leaves it alone */
	if (s->ops.closed)
		s->ops.closed(s->arg, id_of(c), c->ctx, c->why);
	slot_release(c);
	mlt_filter_fini(&c->f);
	free(c);
	if (s->draining) {
		if (s->n_conns == 0 && s->drained)
			s->drained(s->drained_arg);
		return;
	}
	s->paused = false; /* a descriptor is free again */
	listeners_update(s);
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

/* The connection ends from our side, or the peer is gone: the caller hears
 * ABORT and QUIT as they are owed. */
static void
conn_end(struct conn *c, int why)
{
	c->why = (int8_t)why;
	mlt_filter_eof(&c->f);
	conn_pump(c);
	conn_close(c);
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
		mlt_filter_sent(&c->f, (size_t)sent);
	}
	return 0;
}

/* The server drains, and this connection is between messages. */
static bool
conn_drained(const struct conn *c)
{
	return server_of(c)->draining && !mlt_filter_wants_reply(&c->f) &&
	       c->f.st <= ST_IDLE;
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

	if (rc) {
		conn_end(c, rc);
	} else if (done && !left) {
		conn_close(c);
	} else if (conn_drained(c) && !left) {
		conn_end(c, MLT_CLOSE_DRAIN);
	} else {
		if (!done && !conn_full(c))
			events |= EV_READ;
		if (conn_want(c, events) < 0)
			conn_end(c, MLT_E_NOMEM);
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
		conn_end(c, rc);
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
	n = read(fd, server_of(c)->buf, sizeof(server_of(c)->buf));
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			conn_end(c, MLT_CLOSE_IO);
		return;
	}
	if (n == 0) {
		conn_end(c, 0);
		return;
	}
	c->ticks = 0;
	rc = mlt_filter_feed(&c->f, server_of(c)->buf, (size_t)n);
	if (rc == 0)
		conn_run(c);
	else
		conn_end(c, rc);
}

/* Takes fd.  False: no memory, nothing happened but that fd is closed. */
static bool
conn_new(struct mlt_server *s, int fd)
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
	if (s->ops.opened)
		s->ops.opened(s->arg, id_of(c), &c->ctx);
	return true;
}

/* ---- listeners ------------------------------------------------------------------- */

static bool
may_accept(const struct mlt_server *s)
{
	return !s->paused && !s->draining &&
	       (!s->opts.max_connections ||
		   s->n_conns < s->opts.max_connections);
}

/* Listens exactly while another connection would be welcome. */
static void
listeners_update(struct mlt_server *s)
{
	bool on = may_accept(s);

	for (struct listener *l = s->listeners; l; l = l->next) {
		bool is = event_pending(l->ev, EV_READ, NULL);

		if (on && !is)
			event_add(l->ev, NULL);
		else if (!on && is)
			event_del(l->ev);
	}
}

/* Out of descriptors or memory: try again a little later, or as soon as a
 * connection is closed. */
static void
pause_accept(struct mlt_server *s)
{
	struct timeval tv = { PAUSE_MS / 1000, PAUSE_MS % 1000 * 1000 };

	s->paused = event_add(s->pause_timer, &tv) == 0;
}

static void
on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct mlt_server *s = arg;

	(void)fd;
	(void)what;
	s->paused = false;
	listeners_update(s);
}

static void
set_options(int fd, int family)
{
	int on = 1;

	if (family != AF_INET && family != AF_INET6)
		return;
	/* Best effort: an answer must not wait for the next, and a peer that
	 * vanished must be noticed. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static void
on_listener(evutil_socket_t lfd, short what, void *arg)
{
	struct listener *l = arg;
	struct mlt_server *s = l->s;

	(void)what;
	for (int i = 0; i < ACCEPTS && may_accept(s); i++) {
		struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
		socklen_t len = sizeof(sa);
		int fd = accept4(lfd, (struct sockaddr *)&sa, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0 && errno == EAGAIN)
			break;
		if (fd < 0) {
			pause_accept(s);
			break;
		}
		set_options(fd, sa.ss_family);
		if (!conn_new(s, fd))
			pause_accept(s);
	}
	listeners_update(s);
}

int
mlt_server_listen(struct mlt_server *s, int fd)
{
	struct listener *l = NULL;
	int rc = MLT_E_ARG, is = 0;
	socklen_t len = sizeof(is);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is, &len) < 0 || !is ||
	    evutil_make_socket_nonblocking(fd) < 0 ||
	    evutil_make_socket_closeonexec(fd) < 0)
		goto close_fd;
	rc = MLT_E_NOMEM;
	l = calloc(1, sizeof(*l));
	if (!l)
		goto close_fd;
	l->s = s;
	l->fd = fd;
	l->ev = event_new(s->base, fd, EV_READ | EV_PERSIST, on_listener, l);
	if (!l->ev || (may_accept(s) && event_add(l->ev, NULL) < 0))
		goto free_listener;
	l->next = s->listeners;
	s->listeners = l;
	return 0;

free_listener:
	if (l->ev)
		event_free(l->ev);
	free(l);
close_fd:
	if (fd >= 0)
		close(fd);
	return rc;
}

static void
listeners_free(struct mlt_server *s)
{
	struct listener *l;

	while ((l = s->listeners)) {
		s->listeners = l->next;
		event_free(l->ev);
		close(l->fd);
		free(l);
	}
}

/* ---- the server -------------------------------------------------------------------- */

/* Connections that gave no sign of life for IDLE_TICKS ticks are closed; one
 * whose reply we owe is not idle.  No cost where things are busy. */
static void
on_idle_tick(evutil_socket_t fd, short what, void *arg)
{
	struct mlt_server *s = arg;

	(void)fd;
	(void)what;
	for (uint32_t i = 0; i < s->n_slots; i++) {
		struct conn *c = s->slots[i].c;

		if (!c)
			continue;
		if (mlt_filter_wants_reply(&c->f)) {
			c->ticks = 0;
		} else if (++c->ticks > IDLE_TICKS) {
			bool last = s->n_conns == 1;

			conn_end(c, MLT_CLOSE_IDLE);
			if (last)
				return; /* perhaps the server is gone */
		}
	}
}

static int
start_timers(struct mlt_server *s)
{
	uint64_t ms = s->opts.idle_ms / IDLE_TICKS;
	struct timeval tv;

	if (ms == 0)
		ms = 1;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	s->idle_timer = event_new(s->base, -1, EV_PERSIST, on_idle_tick, s);
	s->pause_timer = event_new(s->base, -1, 0, on_pause_over, s);
	if (!s->idle_timer || !s->pause_timer ||
	    event_add(s->idle_timer, &tv) < 0)
		return MLT_E_NOMEM;
	return 0;
}

int
mlt_server_new(struct mlt_server **out, struct event_base *base,
    const struct mlt_server_opts *opts, const struct mlt_server_ops *ops,
    void *arg)
{
	struct mlt_server *s = calloc(1, sizeof(*s));

	if (!s)
		return MLT_E_NOMEM;
	s->base = base;
	if (opts)
		s->opts = *opts;
	if (!s->opts.idle_ms)
		s->opts.idle_ms = idle_default_ms;
	if (!s->opts.max_output_bytes)
		s->opts.max_output_bytes = OUTPUT_BYTES;
	s->ops = *ops;
	s->arg = arg;
	s->free = NO_SLOT;
	if (start_timers(s) < 0) {
		mlt_server_free(s);
		return MLT_E_NOMEM;
	}
	*out = s;
	return 0;
}

void
mlt_server_free(struct mlt_server *s)
{
	if (!s)
		return;
	s->draining = true;
	s->drained = NULL;
	for (uint32_t i = 0; i < s->n_slots; i++) {
		if (s->slots[i].c)
			conn_end(s->slots[i].c, MLT_CLOSE_DRAIN);
	}
	listeners_free(s);
	if (s->idle_timer)
		event_free(s->idle_timer);
	if (s->pause_timer)
		event_free(s->pause_timer);
	free(s->slots);
	free(s);
}

int
mlt_server_reply(struct mlt_server *s, uint64_t id, const struct mlt_reply *r)
{
	struct conn *c = find(s, id);
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
	struct conn *c = find(s, id);

	return c ? &c->f : NULL;
}

void
mlt_server_flush(struct mlt_server *s, uint64_t id)
{
	struct conn *c = find(s, id);

	if (c && !c->busy)
		conn_run(c);
}

size_t
mlt_server_connections(const struct mlt_server *s)
{
	return s->n_conns;
}

void
mlt_server_drain(struct mlt_server *s, void (*drained)(void *arg), void *arg)
{
	s->draining = true;
	s->drained = NULL;
	listeners_free(s);
	for (uint32_t i = 0; i < s->n_slots; i++) {
		struct conn *c = s->slots[i].c;

		if (c && !c->busy)
			conn_settle(c);
	}
	s->drained = drained;
	s->drained_arg = arg;
	if (s->n_conns == 0 && drained)
		drained(arg);
}
