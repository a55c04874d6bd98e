/* SPDX-License-Identifier: MIT */
/*
 * notify_ev: the socket of -O.
 *
 * What happens in a round of the loop is collected and given to each listener at
 * its end.  One that does not take it within -c seconds is closed, as is one that
 * has not said within five minutes what it wants.
 */
#include "mux_int.h"

#include "core/base/log.h"
#include "notify.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASK_S        300       /* without a word from whoever listens */
#define MESSAGES_MAX (1 << 20) /* octets in a round of the loop */

struct ear {
	TAILQ_ENTRY(ear) link;
	struct news *w;
	int fd;
	struct event *read_ev, *write_ev;
	struct notify_ear e;
};
TAILQ_HEAD(ears, ear);

struct news {
	struct mux *m;
	struct notify n;
	struct ears ears;
	unsigned n_ears;
	struct buf messages; /* of this round */
	struct event *tell_ev;
	bool tell_active;
};

static void
ear_free(struct ear *a)
{
	TAILQ_REMOVE(&a->w->ears, a, link);
	a->w->n_ears--;
	mux_end_event(&a->read_ev);
	mux_end_event(&a->write_ev);
	close(a->fd);
	notify_ear_fini(&a->e);
	free(a);
}

/* Writes what the listener takes. */
static void
ear_write(struct ear *a)
{
	struct timeval tv = { a->w->m->o->client_s, 0 };
	struct buf *out = &a->e.out;
	ssize_t n = 1;

	while (n > 0 && buf_len(out)) {
		n = send(a->fd, buf_data(out), buf_len(out), MSG_NOSIGNAL);
		if (n > 0)
			buf_take(out, (size_t)n);
		notify_has_room(&a->e);
	}
	if ((n < 0 && errno != EAGAIN && errno != EINTR) ||
	    (buf_len(out) && event_add(a->write_ev, &tv) < 0))
		ear_free(a);
}

static void
on_takes(evutil_socket_t fd, short what, void *arg)
{
	struct ear *a = arg;

	(void)fd;
	if (what & EV_TIMEOUT) {
		log_msg(LOG_L_WARN, NULL,
		    "a listener does not take its notifications: closed");
		ear_free(a);
	} else {
		ear_write(a);
	}
}

static void
on_says(evutil_socket_t fd, short what, void *arg)
{
	struct ear *a = arg;
	struct mux *m = a->w->m;
	ssize_t n;

	if (what & EV_TIMEOUT) {
		if (!a->e.asked)
			ear_free(a);
		return;
	}
	n = recv(fd, m->in, MUX_READ, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		ear_free(a);
	else
		notify_hear(&a->e, m->in, (size_t)n);
}

static void
accepted(struct listener *l, int fd)
{
	static const char full[] = "*ERR No free listening slots\n";
	struct news *w = l->m->news;
	struct timeval tv = { ASK_S, 0 };
	struct ear *a;
	int on = 1;

	if (w->n_ears >= (unsigned long)l->m->o->max_listeners) {
		listener_refuse(
		    l, fd, full, "as many listeners as --max-listeners allows");
		return;
	}
	a = calloc(1, sizeof(*a));
	if (!a) {
		close(fd);
		return;
	}
	/* of another machine that is gone nothing is heard; not of UNIX */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	a->w = w;
	a->fd = fd;
	notify_ear_init(&a->e, (size_t)l->m->o->listener_bytes);
	a->read_ev =
	    event_new(l->m->base, fd, EV_READ | EV_PERSIST, on_says, a);
	a->write_ev = event_new(l->m->base, fd, EV_WRITE, on_takes, a);
	TAILQ_INSERT_TAIL(&w->ears, a, link);
	w->n_ears++;
	notify_tell(&a->e, "*OK\n", 4);
	if (!a->read_ev || !a->write_ev || event_add(a->read_ev, &tv) < 0)
		ear_free(a);
	else
		ear_write(a);
}

/* ---- what happens ---------------------------------------------------------------- */

static void
on_tell(evutil_socket_t fd, short what, void *arg)
{
	struct news *w = arg;
	struct ear *a, *next;

	(void)fd;
	(void)what;
	w->tell_active = false;
	for (a = TAILQ_FIRST(&w->ears); a; a = next) {
		bool waits = buf_len(&a->e.out) != 0;

		next = TAILQ_NEXT(a, link);
		notify_tell(
		    &a->e, buf_data(&w->messages), buf_len(&w->messages));
		if (w->messages.failed)
			a->e.lost++;
		if (!waits && buf_len(&a->e.out))
			ear_write(a);
	}
	buf_reset(&w->messages);
}

/* Where messages go; NULL: nobody listens. */
static struct buf *
news_out(struct news *w)
{
	if (w->n_ears == 0)
		return NULL;
	if (!w->tell_active)
		event_active(w->tell_ev, 0, 0);
	w->tell_active = true;
	return &w->messages;
}

void
news_change(const struct mux *m, unsigned slot, enum notify_state to)
{
	if (m->news)
		notify_change(&m->news->n, slot, to, news_out(m->news));
}

bool
news_wanted(const struct mux *m)
{
	return m->news && m->news->n_ears;
}

void
news_tag(const struct mux *m, unsigned slot, const char *tag)
{
	if (m->news)
		notify_tag(slot, tag, news_out(m->news));
}

void
news_event(const struct mux *m, char kind)
{
	if (m->news)
		notify_event(kind, news_out(m->news));
}

/* ---- life ------------------------------------------------------------------------ */

int
news_new(struct mux *m)
{
	const struct mux_opts *o = m->o;
	struct listener *l = &m->listeners[LISTEN_NOTIFY];
	struct news *w;
	char why[400];

	if (!o->notify_socket)
		return 0;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	m->news = w;
	w->m = m;
	TAILQ_INIT(&w->ears);
	buf_init(&w->messages, MESSAGES_MAX);
	w->tell_ev = event_new(m->base, -1, 0, on_tell, w);
	if (!w->tell_ev || notify_init(&w->n, (unsigned)o->max_workers) < 0)
		return -ENOMEM;
	l->accepted = accepted;
	if (listener_open(l, o->notify_socket, o->group_access ? 007 : 077, 5,
		why, sizeof(why)) < 0)
		log_msg(LOG_L_ERR, NULL,
		    "Unable to create notification socket %s; going on "
		    "without",
		    why);
	return 0;
}

void
news_free(struct mux *m)
{
	struct news *w = m->news;
	struct ear *a;

	listener_close(&m->listeners[LISTEN_NOTIFY]);
	if (!w)
		return;
	while ((a = TAILQ_FIRST(&w->ears)))
		ear_free(a);
	mux_end_event(&w->tell_ev);
	buf_fini(&w->messages);
	notify_fini(&w->n);
	free(w);
	m->news = NULL;
}
