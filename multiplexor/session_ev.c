/* SPDX-License-Identifier: MIT */
/*
 * session_ev: a lasting connection with many requests (spec:mux-pipeline), which
 * a client of the request socket has asked for.
 *
 * Its requests are those of mux_ask; answers leave together at the end of a round
 * of the loop.  A client that has too many requests open, or does not take its
 * answers, is not read any more until that has changed.
 */
#include "mux_int.h"

#include "core/base/log.h"
#include "core/base/muxpipe.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_MAX (1 << 20) /* octets of answers not taken: read no more */

/* One request of it. */
struct asked {
	TAILQ_ENTRY(asked) link;
	struct session *s;
	uint64_t id, ticket;
};
TAILQ_HEAD(askeds, asked);

struct session {
	TAILQ_ENTRY(session) link;
	struct mux *m;
	int fd;
	struct event *read_ev, *write_ev, *flush_ev;
	struct line in;
	struct buf out;
	struct askeds opens;
	unsigned n_open;
	msec part_since; /* of a request that is not whole; MSEC_NEVER: none */
	bool reading, timed_part; /* as read_ev waits */
	bool flush_active;
};

static void
session_free(struct session *s)
{
	struct asked *o;

	TAILQ_REMOVE(&s->m->sessions, s, link);
	s->m->n_clients--;
	while ((o = TAILQ_FIRST(&s->opens))) {
		TAILQ_REMOVE(&s->opens, o, link);
		mux_cancel(s->m, o->ticket);
		free(o);
	}
	mux_end_event(&s->read_ev);
	mux_end_event(&s->write_ev);
	mux_end_event(&s->flush_ev);
	if (s->fd >= 0)
		close(s->fd);
	line_fini(&s->in);
	buf_fini(&s->out);
	free(s);
}

static void
log_lost(const struct session *s, const char *why)
{
	if (s->m->o->log_events)
		log_msg(LOG_L_ERR, NULL,
		    "a pipelined client is closed with %u requests open: %s",
		    s->n_open, why);
}

/* Reads if it may, for as long as it may be silent; frees it if that fails. */
static void
session_watch(struct session *s)
{
	const struct mux_opts *o = s->m->o;
	bool may = s->n_open < (unsigned)o->in_flight &&
		   buf_len(&s->out) < OUT_MAX && !s->m->stopping;
	bool part = s->part_since != MSEC_NEVER;
	struct timeval tv = { part ? o->client_s : o->pipeline_idle_s, 0 };

	if (may == s->reading && part == s->timed_part)
		return;
	s->reading = may;
	s->timed_part = part;
	event_del(s->read_ev);
	if (may && event_add(s->read_ev, tv.tv_sec ? &tv : NULL) < 0)
		session_free(s);
}

/* A part of a request has not grown into a whole one for too long. */
static bool
too_slow(const struct session *s)
{
	return s->part_since != MSEC_NEVER &&
	       clock_mono_ms() - s->part_since >=
		   (msec)s->m->o->client_s * 1000;
}

/* ---- answers ------------------------------------------------------------------- */

static void
flush_soon(struct session *s)
{
	if (!s->flush_active && !event_pending(s->write_ev, EV_WRITE, NULL)) {
		s->flush_active = true;
		event_active(s->flush_ev, 0, 0);
	}
}

static void
flush(struct session *s)
{
	struct timeval tv = { s->m->o->client_s, 0 };
	ssize_t n;

	n = send(s->fd, buf_data(&s->out), buf_len(&s->out), MSG_NOSIGNAL);
	if (n > 0)
		buf_take(&s->out, (size_t)n);
	if (s->out.failed || (n < 0 && errno != EAGAIN && errno != EINTR) ||
	    (buf_len(&s->out) && event_add(s->write_ev, &tv) < 0) ||
	    (s->m->stopping && !buf_len(&s->out) && !s->n_open)) {
		session_free(s);
		return;
	}
	session_watch(s);
}

static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	(void)fd;
	(void)what;
	s->flush_active = false;
	flush(s);
}

static void
on_takes(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	(void)fd;
	if (what & EV_TIMEOUT) {
		log_lost(s, "it does not take its answers");
		session_free(s);
	} else {
		flush(s);
	}
}

static void
add_answer(struct session *s, uint64_t id, const char *p, size_t n)
{
	(void)muxpipe_add_answer(&s->out, id, p, n); /* flush looks */
	flush_soon(s);
}

static void
session_answer(void *arg, char *p, size_t n, const char *error)
{
	struct asked *o = arg;
	struct session *s = o->s;

	(void)error;
	add_answer(s, o->id, p, n);
	TAILQ_REMOVE(&s->opens, o, link);
	s->n_open--;
	free(o);
}

/* ---- requests ------------------------------------------------------------------ */

static void
session_ask(struct session *s, const struct muxpipe_request *r)
{
	static const char no_memory[] = "error: Out of memory\n";
	struct asked *o = calloc(1, sizeof(*o));

	if (o) {
		o->s = s;
		o->id = r->id;
		o->ticket = mux_ask(s->m, r->line, r->n, session_answer, o);
	}
	if (!o || !o->ticket) {
		free(o);
		add_answer(s, r->id, no_memory, sizeof(no_memory) - 1);
		return;
	}
	TAILQ_INSERT_TAIL(&s->opens, o, link);
	s->n_open++;
}

static void
session_cancel(struct session *s, uint64_t id)
{
	struct asked *o;

	for (o = TAILQ_FIRST(&s->opens); o && o->id != id;)
		o = TAILQ_NEXT(o, link);
	if (!o)
		return;
	mux_cancel(s->m, o->ticket);
	TAILQ_REMOVE(&s->opens, o, link);
	s->n_open--;
	free(o);
}

static void
session_take(struct session *s, char *p, size_t n)
{
	struct muxpipe_request r;
	struct line_text t;
	int rc;

	while ((rc = line_next(&s->in, &p, &n, &t)) > 0) {
		if (muxpipe_parse_request(t.p, t.n, &r) < 0)
			break;
		if (r.cancel)
			session_cancel(s, r.id);
		else
			session_ask(s, &r);
	}
	if (!line_has_part(&s->in))
		s->part_since = MSEC_NEVER;
	else if (s->part_since == MSEC_NEVER)
		s->part_since = clock_mono_ms();
	if (rc != 0 || too_slow(s)) {
		log_lost(s, rc < 0   ? "out of memory"
			    : rc > 0 ? "malformed request"
				     : "its request does not end");
		session_free(s);
		return;
	}
	session_watch(s);
}

static void
on_request(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	ssize_t n;

	if (what & EV_TIMEOUT) {
		if (s->part_since != MSEC_NEVER)
			log_lost(s, "its request does not end");
		else if (s->n_open || buf_len(&s->out))
			return; /* is not idle, though silent */
		session_free(s);
		return;
	}
	n = recv(fd, s->m->in, MUX_READ, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		if (n < 0)
			log_lost(s, strerror(errno));
		session_free(s);
		return;
	}
	session_take(s, s->m->in, (size_t)n);
}

/* ---- life ---------------------------------------------------------------------- */

int
session_new(struct mux *m, int fd, char *p, size_t n)
{
	struct muxpipe_limits l = { .in_flight = (unsigned)m->o->in_flight,
		.idle_s = (unsigned)m->o->pipeline_idle_s };
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->m = m;
	s->fd = fd;
	s->part_since = MSEC_NEVER;
	line_init(&s->in, MUXPIPE_HEAD_MAX + (size_t)m->o->request_bytes + 2);
	TAILQ_INIT(&s->opens);
	s->read_ev =
	    event_new(m->base, fd, EV_READ | EV_PERSIST, on_request, s);
	s->write_ev = event_new(m->base, fd, EV_WRITE, on_takes, s);
	s->flush_ev = event_new(m->base, -1, 0, on_flush, s);
	TAILQ_INSERT_TAIL(&m->sessions, s, link);
	m->n_clients++;
	if (!s->read_ev || !s->write_ev || !s->flush_ev ||
	    muxpipe_add_greeting(&s->out, &l) < 0) {
		s->fd = -1;
		session_free(s);
		return -ENOMEM;
	}
	flush_soon(s);
	session_take(s, p, n);
	return 0;
}

void
sessions_stop(struct mux *m)
{
	struct session *s, *next;

	for (s = TAILQ_FIRST(&m->sessions); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (s->n_open == 0 && buf_len(&s->out) == 0)
			session_free(s);
		else
			session_watch(s);
	}
}

void
sessions_free(struct mux *m)
{
	struct session *s;

	while ((s = TAILQ_FIRST(&m->sessions)))
		session_free(s);
}
