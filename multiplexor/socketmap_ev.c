/* SPDX-License-Identifier: MIT */
/*
 * socketmap_ev: the socket of -N.  One request after the other on a connection,
 * each a request to a worker that never waits in the queue.
 */
#include "mux_int.h"

#include "core/base/log.h"
#include "socketmap.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The longest request, and what stands around it. */
#define IN_MAX (NETSTRING_MAX + 32)

struct map_client {
	TAILQ_ENTRY(map_client) link;
	struct mux *m;
	int fd;
	struct event *ev;
	struct buf in, out;
	uint64_t ticket; /* of the request that a worker has */
	msec until;      /* of a request that is not whole; 0: none */
};

static void on_ready(evutil_socket_t fd, short what, void *arg);

static void
map_free(struct map_client *c)
{
	TAILQ_REMOVE(&c->m->map_clients, c, link);
	c->m->n_map_clients--;
	if (c->ticket)
		mux_cancel(c->m, c->ticket);
	mux_end_event(&c->ev);
	close(c->fd);
	buf_fini(&c->in);
	buf_fini(&c->out);
	free(c);
}

/* Waits for the peer: to take our answer, or to say more. */
static void
map_watch(struct map_client *c)
{
	bool writes = buf_len(&c->out) != 0;
	struct mux *m = c->m;
	msec now = clock_mono_ms(), ms = (msec)m->o->client_s * 1000;
	struct timeval tv;

	if (writes) {
		;                     /* -c from now on */
	} else if (buf_len(&c->in)) { /* -c for all of it */
		if (!c->until)
			c->until = now + ms;
		ms = c->until > now ? c->until - now : 1;
	} else {
		ms = (msec)m->o->map_idle_s * 1000;
	}
	tv = clock_timeval(ms);
	event_assign(
	    c->ev, m->base, c->fd, writes ? EV_WRITE : EV_READ, on_ready, c);
	if (event_add(c->ev, ms ? &tv : NULL) < 0)
		map_free(c);
}

/* ---- answers ------------------------------------------------------------------- */

/* false: it is gone. */
static bool
map_write(struct map_client *c)
{
	ssize_t n =
	    send(c->fd, buf_data(&c->out), buf_len(&c->out), MSG_NOSIGNAL);

	if (n > 0)
		buf_take(&c->out, (size_t)n);
	if (!c->out.failed && (n >= 0 || errno == EAGAIN || errno == EINTR))
		return true;
	map_free(c);
	return false;
}

static void map_next(struct map_client *c);

static void
map_answer(void *arg, char *answer, size_t n, const char *error)
{
	struct map_client *c = arg;
	const char *text = socketmap_answer(answer, &n);

	(void)error;
	c->ticket = 0;
	if (!text) { /* we are stopping */
		map_free(c);
		return;
	}
	if (strcmp(text, "TEMP Unable to activate worker") == 0)
		log_msg(
		    LOG_L_WARN, NULL, "map command failed: No free workers");
	netstring_add(&c->out, text, n);
	if (map_write(c))
		map_next(c);
}

static void
map_say(struct map_client *c, const char *text)
{
	netstring_add(&c->out, text, strlen(text));
}

/* ---- requests ------------------------------------------------------------------ */

/* One whole request: to a worker, or its answer into `out`. */
static void
map_ask(struct map_client *c, const struct netstring *s)
{
	struct buf line = { 0 };
	int rc;

	if (s->unterminated) {
		map_say(c, "PERM Netstring missing terminating comma");
		return;
	}
	rc = socketmap_line(&line, s->p, s->n);
	if (rc == -2) {
		map_say(c, "PERM Invalid request format");
	} else {
		if (rc == 0)
			c->ticket = mux_ask_now(c->m, buf_data(&line),
			    buf_len(&line), map_answer, c);
		if (!c->ticket)
			map_say(c, "TEMP Out of memory");
	}
	buf_fini(&line);
}

/* Goes on with what has been read already, until a worker has a request, the
 * peer has to take an answer, or there is no whole request. */
static void
map_next(struct map_client *c)
{
	struct netstring s;
	int rc;

	while (!c->ticket && !buf_len(&c->out)) {
		rc = netstring_next(buf_data(&c->in), buf_len(&c->in), &s);
		if (rc < 0 || c->m->stopping) {
			map_free(c);
			return;
		}
		if (rc == 0)
			break;
		c->until = 0;
		map_ask(c, &s);
		buf_take(&c->in, s.used);
		if (buf_len(&c->out) && !map_write(c))
			return;
	}
	if (!c->ticket)
		map_watch(c);
}

static void
map_read(struct map_client *c)
{
	ssize_t n = recv(c->fd, c->m->in, MUX_READ, 0);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) ||
	    (n > 0 && buf_add(&c->in, c->m->in, (size_t)n) < 0))
		map_free(c);
	else
		map_next(c);
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct map_client *c = arg;

	(void)fd;
	if (what & EV_TIMEOUT) {
		if (c->m->o->log_events && buf_len(&c->in) + buf_len(&c->out))
			log_msg(LOG_L_ERR, NULL,
			    "a client of the map socket is closed: %s",
			    buf_len(&c->out) ? "it does not take its answer"
					     : "its request does not end");
		map_free(c);
	} else if (what & EV_READ) {
		map_read(c);
	} else if (map_write(c)) {
		map_next(c);
	}
}

/* ---- life ---------------------------------------------------------------------- */

static void
accepted(struct listener *l, int fd)
{
	struct mux *m = l->m;
	struct map_client *c;

	if (m->n_map_clients >= (unsigned long)m->o->max_map_clients) {
		listener_refuse(l, fd, NULL,
		    "as many connections as --max-map-clients allows");
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return;
	}
	c->m = m;
	c->fd = fd;
	buf_init(&c->in, IN_MAX + MUX_READ);
	TAILQ_INSERT_TAIL(&m->map_clients, c, link);
	m->n_map_clients++;
	c->ev = event_new(m->base, fd, EV_READ, on_ready, c);
	if (c->ev)
		map_watch(c);
	else
		map_free(c);
}

void
maps_listen(struct mux *m)
{
	const struct mux_opts *o = m->o;
	struct listener *l = &m->listeners[LISTEN_MAP];
	char why[400];

	l->accepted = accepted;
	if (o->map_socket &&
	    listener_open(l, o->map_socket, o->group_access ? 007 : 077,
		o->backlog, why, sizeof(why)) < 0)
		log_msg(LOG_L_ERR, NULL,
		    "Unable to create map socket %s; going on without", why);
}

void
maps_stop(struct mux *m)
{
	struct map_client *c, *next;

	listener_close(&m->listeners[LISTEN_MAP]);
	for (c = TAILQ_FIRST(&m->map_clients); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (!c->ticket && buf_len(&c->out) == 0)
			map_free(c);
	}
}

void
maps_free(struct mux *m)
{
	struct map_client *c;

	maps_stop(m);
	while ((c = TAILQ_FIRST(&m->map_clients)))
		map_free(c);
}
