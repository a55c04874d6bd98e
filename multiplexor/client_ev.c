/* SPDX-License-Identifier: MIT */
/*
 * client_ev: the request socket.  One line in, the answer out, closed.
 *
 * A client has -c seconds for its request and as many to take the answer.  One
 * that closes the connection gives up its place; one that only ends its own
 * side (`nc -N`) still gets the answer.
 */
#include "mux_int.h"

#include "core/base/fdio.h"
#include "core/base/log.h"
#include "core/base/muxproto.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BATCH  64 /* then others get their turn */
#define ACCEPT_REST_S 1  /* out of descriptors: no use to try at once */
#define JUNK_READS    16 /* of what a client sends behind its request */

struct client {
	TAILQ_ENTRY(client) link;
	struct mux *m;
	int fd;
	struct event *ev;
	struct line in;
	struct buf out;
	uint64_t ticket; /* 0: still sending its request */
	msec until;      /* sending or taking: until then */
};

static void
client_free(struct client *c)
{
	TAILQ_REMOVE(&c->m->clients, c, link);
	if (c->ticket)
		mux_cancel(c->m, c->ticket);
	if (c->ev)
		event_free(c->ev);
	close(c->fd);
	line_fini(&c->in);
	buf_fini(&c->out);
	free(c);
}

/* Another event for the descriptor; without memory the client goes. */
static void
client_watch(struct client *c, short what, event_callback_fn fn, bool timed)
{
	msec now = clock_mono_ms(), left = c->until > now ? c->until - now : 1;

	if (c->ev)
		event_free(c->ev);
	c->ev = event_new(c->m->base, c->fd, what, fn, c);
	if (!c->ev ||
	    event_add(c->ev, timed ? &(struct timeval){ (time_t)(left / 1000),
					 (suseconds_t)(left % 1000 * 1000) }
				   : NULL) < 0)
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
	char copy[64];

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

static void
client_ask(struct client *c, const char *p, size_t n)
{
	c->ticket = mux_ask(c->m, p, n, client_answer, c);
	if (!c->ticket)
		client_say(c, "error: Out of memory\n");
	else if (!mux_request(c->m, c->ticket)->finished)
		client_watch(
		    c, EV_READ | EV_ET | EV_PERSIST, on_waiting, false);
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
client_new(struct mux *m, int fd)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->m = m;
	c->fd = fd;
	/* room for what is too long by one, and its CR */
	line_init(&c->in, MUX_REQUEST_MAX + 2);
	buf_init(&c->out, 0);
	TAILQ_INSERT_TAIL(&m->clients, c, link);
	client_allow(c);
	client_read(c); /* mostly it is all there */
}

/* ---- the listener ---- */

static void on_accept(evutil_socket_t fd, short what, void *arg);

static int
accept_watch(struct mux *m, short what, const struct timeval *tv)
{
	if (m->accept_ev)
		event_free(m->accept_ev);
	m->accept_ev = event_new(m->base, m->listen_fd, what, on_accept, m);
	return m->accept_ev ? event_add(m->accept_ev, tv) : -1;
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct mux *m = arg;
	int c = 0;

	if (what & EV_TIMEOUT) /* has rested */
		accept_watch(m, EV_READ | EV_PERSIST, NULL);
	for (int i = 0; i < ACCEPT_BATCH && c >= 0; i++) {
		c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (c >= 0)
			client_new(m, c);
	}
	if (c >= 0 || (errno != EMFILE && errno != ENFILE && errno != ENOMEM))
		return;
	log_msg(LOG_L_ERR, NULL,
	    "request socket: %s; raise the limit of open files (LimitNOFILE=)",
	    strerror(errno));
	accept_watch(m, 0, &(struct timeval){ ACCEPT_REST_S, 0 });
}

int
clients_listen(struct mux *m, char *err, size_t errlen)
{
	const struct mux_opts *o = m->o;
	long n = o->backlog ? o->backlog : o->max_workers / 4;
	int fd;

	n = n < 5 ? 5 : n > 200 ? 200 : n;
	fd = fdio_unix_listen(o->socket, o->group_access ? 007 : 077, (int)n);
	if (fd < 0) {
		snprintf(err, errlen,
		    "Unable to create listening socket %s: %s%s", o->socket,
		    strerror(-fd),
		    fd == -EADDRINUSE ? "; is another copy running?" : "");
		return -1;
	}
	m->listen_fd = fd;
	if (accept_watch(m, EV_READ | EV_PERSIST, NULL) == 0)
		return 0;
	snprintf(err, errlen, "Out of memory");
	return -1;
}

void
clients_stop(struct mux *m)
{
	struct client *c, *next;

	if (m->listen_fd < 0)
		return;
	fdio_unix_unlink(m->o->socket);
	if (m->accept_ev)
		event_free(m->accept_ev);
	m->accept_ev = NULL;
	close(m->listen_fd);
	m->listen_fd = -1;
	for (c = TAILQ_FIRST(&m->clients); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (!c->ticket && buf_len(&c->out) == 0)
			client_free(c); /* has not asked yet */
	}
}

void
clients_free(struct mux *m)
{
	struct client *c;

	clients_stop(m);
	while ((c = TAILQ_FIRST(&m->clients)))
		client_free(c);
}
