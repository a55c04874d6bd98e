/* SPDX-License-Identifier: MIT */
/*
 * client_ev: the request sockets.  One line in, the answer out, closed; unless
 * the line asks for a session (session_ev).
 *
 * A client has -c seconds for its request and as many to take the answer.  One
 * that closes the connection gives up its place; one that only ends its own
 * side (`nc -N`) still gets the answer.
 */
#include "mux_int.h"

#include "core/base/log.h"
#include "core/base/muxpipe.h"
#include "core/base/muxproto.h"
#include "core/base/peercred.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define JUNK_READS 16 /* of what a client sends behind its request */

enum client_kind {
	CLIENT_FULL,    /* may do everything */
	CLIENT_OPEN,    /* of the open socket: may look */
	CLIENT_REFUSED, /* hears that it may not, when it has asked */
};

struct client {
	TAILQ_ENTRY(client) link;
	struct mux *m;
	int fd;
	struct event *ev;
	struct line in;
	struct buf out;
	enum client_kind kind;
	bool sending;    /* its request is not complete */
	uint64_t ticket; /* 0: sending, or taking the answer */
	msec until;      /* sending or taking: until then */
};

static void
client_has_sent(struct client *c)
{
	c->m->n_sending -= c->sending && c->kind != CLIENT_FULL;
	c->sending = false;
}

static void
client_free(struct client *c)
{
	TAILQ_REMOVE(&c->m->clients, c, link);
	c->m->n_clients--;
	client_has_sent(c);
	if (c->ticket)
		mux_cancel(c->m, c->ticket);
	mux_end_event(&c->ev);
	if (c->fd >= 0)
		close(c->fd);
	line_fini(&c->in);
	buf_fini(&c->out);
	free(c);
}

/* Another event for the descriptor; without memory the client goes. */
static void
client_watch(struct client *c, short what, event_callback_fn fn, bool timed)
{
	msec now = clock_mono_ms();
	struct timeval left =
	    clock_timeval(c->until > now ? c->until - now : 1);

	mux_end_event(&c->ev);
	c->ev = event_new(c->m->base, c->fd, what, fn, c);
	if (!c->ev || event_add(c->ev, timed ? &left : NULL) < 0)
		client_free(c);
}

static void
client_allow(struct client *c)
{
	c->until = clock_mono_ms() + (msec)c->m->o->client_s * 1000;
}

/* ---- the answer ---- */

static void
on_takes(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	ssize_t n;

	n = what & EV_TIMEOUT
		? -1
		: send(fd, buf_data(&c->out), buf_len(&c->out), MSG_NOSIGNAL);
	if (n > 0)
		buf_take(&c->out, (size_t)n);
	if (buf_len(&c->out) == 0 ||
	    (n < 0 && (what & EV_TIMEOUT || errno != EAGAIN)))
		client_free(c);
	else
		client_watch(c, EV_WRITE, on_takes, true);
}

static void
client_answer(void *arg, char *p, size_t n, const char *error)
{
	struct client *c = arg;
	ssize_t sent = 0;

	(void)error;
	c->ticket = 0;
	if (p && n)
		sent = send(c->fd, p, n, MSG_NOSIGNAL);
	if (sent < 0 && errno == EAGAIN)
		sent = 0;
	if (!p || sent < 0 || (size_t)sent == n ||
	    buf_add(&c->out, p + sent, n - (size_t)sent) < 0) {
		client_free(c);
		return;
	}
	client_allow(c);
	client_watch(c, EV_WRITE, on_takes, true);
}

static void
client_say(struct client *c, const char *text)
{
	char copy[128];

	snprintf(copy, sizeof(copy), "%s", text);
	client_answer(c, copy, strlen(copy), NULL);
}

/* ---- waiting for it ---- */

/* Whatever else a client sends is read and dropped.  Edge-triggered: the end of
 * its side must not wake us again and again, the end of both must wake us. */
static void
on_waiting(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	struct pollfd p = { .fd = fd };
	ssize_t n = 1;

	(void)what;
	for (int i = 0; i < JUNK_READS && n > 0; i++)
		n = recv(fd, c->m->in, MUX_READ, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != 0 || (poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR)))
		client_free(c);
}

static const char refusal[] =
    "error: Not permitted; -G lets the owner's group in, and everybody may "
    "look at the socket of -a\n";

static void
client_ask(struct client *c, const char *p, size_t n)
{
	if (c->kind == CLIENT_REFUSED) {
		client_say(c, refusal);
		return;
	}
	c->ticket = (c->kind == CLIENT_OPEN ? mux_ask_open : mux_ask)(
	    c->m, p, n, client_answer, c);
	if (!c->ticket)
		client_say(c, "error: Out of memory\n");
	else if (!mux_request(c->m, c->ticket)->finished)
		client_watch(
		    c, EV_READ | EV_ET | EV_PERSIST, on_waiting, false);
}

/* The connection stays, with what came behind the question. */
static void
client_becomes_session(struct client *c, char *rest, size_t n)
{
	struct mux *m = c->m;
	int fd = c->fd;

	mux_end_event(&c->ev);
	if (session_new(m, fd, rest, n) < 0) {
		client_say(c, "error: Out of memory\n");
		return;
	}
	c->fd = -1;
	client_free(c);
}

static bool
asks_for_session(const struct client *c, const struct line_text *t)
{
	return c->kind == CLIENT_FULL && t->n == strlen(MUXPIPE_ASK) &&
	       memcmp(t->p, MUXPIPE_ASK, t->n) == 0;
}

/* ---- the request ---- */

static void
log_slow(const struct client *c, int flag, int err)
{
	if (c->m->o->log_events)
		log_msg(LOG_L_ERR, NULL,
		    "a client did not complete its request: flag=%d: %s", flag,
		    strerror(err));
}

static void on_request(evutil_socket_t fd, short what, void *arg);

static void
client_read(struct client *c)
{
	char *p = c->m->in;
	struct line_text t;
	size_t left;
	ssize_t n;
	int r;

	n = recv(c->fd, c->m->in, MUX_READ, 0);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		log_slow(c, 1, errno);
		client_free(c);
		return;
	}
	if (n == 0) { /* never run what may be a part (spec:mux-framing) */
		client_say(c, "error: Incomplete command\n");
		return;
	}
	left = n > 0 ? (size_t)n : 0;
	r = line_next(&c->in, &p, &left, &t);
	if (r > 0)
		client_has_sent(c);
	if (r > 0 && asks_for_session(c, &t))
		client_becomes_session(c, p, left);
	else if (r > 0)
		client_ask(c, t.p, t.n);
	else if (r < 0)
		client_free(c);
	else
		client_watch(c, EV_READ, on_request, true);
}

static void
on_request(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	if (what & EV_TIMEOUT) {
		log_slow(c, 3, ETIMEDOUT);
		client_free(c);
	} else {
		client_read(c);
	}
}

static void
client_new(struct mux *m, int fd, enum client_kind kind)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->m = m;
	c->fd = fd;
	c->kind = kind;
	c->sending = true;
	m->n_clients++;
	m->n_sending += kind != CLIENT_FULL;
	/* room for what is too long by one, and its CR */
	line_init(&c->in, (size_t)m->o->request_bytes + 2);
	buf_init(&c->out, 0);
	TAILQ_INSERT_TAIL(&m->clients, c, link);
	client_allow(c);
	client_read(c); /* mostly it is all there */
}

/* ---- the listeners ---- */

static bool
too_many(struct listener *l, int fd)
{
	struct mux *m = l->m;

	if (m->o->max_clients == 0 ||
	    m->n_clients < (unsigned long)m->o->max_clients)
		return false;
	listener_refuse(l, fd, "error: Too many connections\n",
	    "as many connections as --max-clients allows");
	return true;
}

/* spec:mux-sockets */
static void
accepted(struct listener *l, int fd)
{
	const struct mux_opts *o = l->m->o;
	char who[80], why[200];

	if (too_many(l, fd))
		return;
	if (peercred_allowed(
		fd, geteuid(), o->group_access, getegid(), who, sizeof(who))) {
		client_new(l->m, fd, CLIENT_FULL);
		return;
	}
	snprintf(why, sizeof(why),
	    "a client is neither of our user%s nor root: %s",
	    o->group_access ? ", nor of our group," : "", who);
	listener_complain(l, why);
	if (l->m->n_sending >= (unsigned long)o->open_max)
		close(fd);
	else
		client_new(l->m, fd, CLIENT_REFUSED);
}

static void
accepted_open(struct listener *l, int fd)
{
	if (too_many(l, fd))
		return;
	if (l->m->n_sending >= (unsigned long)l->m->o->open_max) {
		listener_refuse(l, fd, NULL,
		    "as many clients that have not asked yet as "
		    "--max-open-clients allows");
		return;
	}
	client_new(l->m, fd, CLIENT_OPEN);
}

int
clients_listen(struct mux *m, char *err, size_t errlen)
{
	const struct mux_opts *o = m->o;
	char why[400];

	m->listeners[LISTEN_REQUEST].accepted = accepted;
	m->listeners[LISTEN_OPEN].accepted = accepted_open;
	if (listener_open(&m->listeners[LISTEN_REQUEST], o->socket,
		o->group_access ? 007 : 077, o->backlog, why,
		sizeof(why)) < 0) {
		snprintf(
		    err, errlen, "Unable to create listening socket %s", why);
		return -1;
	}
	if (o->open_socket &&
	    listener_open(&m->listeners[LISTEN_OPEN], o->open_socket, 0,
		o->backlog, why, sizeof(why)) < 0) {
		snprintf(err, errlen,
		    "Unable to create unprivileged listening socket %s", why);
		return -1;
	}
	return 0;
}

void
clients_stop(struct mux *m)
{
	struct client *c, *next;

	listener_close(&m->listeners[LISTEN_REQUEST]);
	listener_close(&m->listeners[LISTEN_OPEN]);
	for (c = TAILQ_FIRST(&m->clients); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (!c->ticket && buf_len(&c->out) == 0)
			client_free(c); /* has not asked yet */
	}
	sessions_stop(m);
}

void
clients_free(struct mux *m)
{
	struct client *c;

	clients_stop(m);
	while ((c = TAILQ_FIRST(&m->clients)))
		client_free(c);
	sessions_free(m);
}
