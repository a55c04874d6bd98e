/* SPDX-License-Identifier: MIT */
/*
 * accept_ev: the listeners of a server.
 *
 * A wake-up accepts until there is no more.  When descriptors or memory run
 * out, or there are as many connections as allowed, it does not listen: the
 * rest waits in the backlog instead of waking us for nothing.
 */
#include "server.h"
#include "peers.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ACCEPTS = 64,   /* per wake-up, so that others get their turn */
	PAUSE_MS = 1000 /* after accept ran out of descriptors */
};

struct listener {
	struct listener *next;
	struct mlt_server *s;
	struct event *ev;
	int fd;
};

static bool
may_accept(const struct mlt_server *s)
{
	return !s->paused && !s->draining &&
	       (!s->opts.max_connections ||
		   s->n_conns < s->opts.max_connections);
}

void
mlt_accept_update(struct mlt_server *s)
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

	s->stats.failed++;
	s->paused = event_add(s->pause_timer, &tv) == 0;
}

void
mlt_accept_resume(int fd, short what, void *server)
{
	struct mlt_server *s = server;

	(void)fd;
	(void)what;
	s->paused = false;
	mlt_accept_update(s);
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
take_peer(struct mlt_server *s, int fd, const struct sockaddr *sa)
{
	char who[MLT_PEER_TEXT];

	if (!mlt_peers_allow(s->peers, fd, sa, who)) {
		close(fd);
		s->stats.refused++;
		if (s->ops.refused)
			s->ops.refused(s->arg, who);
		return;
	}
	set_options(fd, sa->sa_family);
	if (!mlt_conn_new(s, fd))
		pause_accept(s);
}

/* The listener may be gone once a callback has run. */
static void
on_listener(evutil_socket_t lfd, short what, void *arg)
{
	struct mlt_server *s = ((struct listener *)arg)->s;

	(void)what;
	mlt_server_hold(s);
	for (int i = 0; i < ACCEPTS && may_accept(s); i++) {
		struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
		socklen_t len = sizeof(sa);
		int fd = accept4(lfd, (struct sockaddr *)&sa, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			take_peer(s, fd, (struct sockaddr *)&sa);
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR && errno != ECONNABORTED)
			pause_accept(s);
	}
	mlt_accept_update(s);
	mlt_server_release(s);
}

int
mlt_server_listen(struct mlt_server *s, int fd)
{
	struct listener *l = NULL;
	int rc = MLT_E_ARG;

	if (!mlt_listen_adopt(fd))
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

void
mlt_accept_free(struct mlt_server *s)
{
	struct listener *l;

	while ((l = s->listeners)) {
		s->listeners = l->next;
		event_free(l->ev);
		close(l->fd);
		free(l);
	}
}
