/* SPDX-License-Identifier: MIT */
/*
 * listener_ev: the sockets that the multiplexor listens on (mux_int.h).
 */
#include "mux_int.h"

#include "core/base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BATCH  64    /* then others get their turn */
#define ACCEPT_REST_S 1     /* out of descriptors: no use to try at once */
#define COMPLAIN_MS   60000 /* about the same no more often */

static void on_accept(evutil_socket_t fd, short what, void *arg);

static int
listener_watch(struct listener *l, short what, const struct timeval *tv)
{
	mux_end_event(&l->ev);
	l->ev = event_new(l->m->base, l->fd, what, on_accept, l);
	return l->ev ? event_add(l->ev, tv) : -1;
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	int c = 0;

	if (what & EV_TIMEOUT) /* has rested */
		listener_watch(l, EV_READ | EV_PERSIST, NULL);
	for (int i = 0; i < ACCEPT_BATCH && c >= 0; i++) {
		c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (c >= 0)
			l->accepted(l, c);
	}
	if (c >= 0 || (errno != EMFILE && errno != ENFILE && errno != ENOMEM))
		return;
	log_msg(LOG_L_ERR, NULL,
	    "%s: %s; raise the limit of open files (LimitNOFILE=)", l->name,
	    strerror(errno));
	listener_watch(l, 0, &(struct timeval){ ACCEPT_REST_S, 0 });
}

int
listener_open(struct listener *l, const char *spec, unsigned umask_,
    long backlog, char *err, size_t errlen)
{
	char why[200];
	int fd;

	if (sockspec_parse(&l->where, spec, why, sizeof(why)) < 0) {
		snprintf(err, errlen, "%s: %s", spec, why);
		return -1;
	}
	fd = sockspec_listen(&l->where, umask_, (int)backlog);
	if (fd < 0) {
		snprintf(err, errlen, "%s: %s%s", spec, strerror(-fd),
		    fd == -EADDRINUSE ? "; is another copy running?" : "");
		return -1;
	}
	l->fd = fd;
	if (listener_watch(l, EV_READ | EV_PERSIST, NULL) == 0)
		return 0;
	snprintf(err, errlen, "%s: Out of memory", spec);
	return -1;
}

void
listener_close(struct listener *l)
{
	if (l->fd < 0)
		return;
	sockspec_unlink(&l->where);
	mux_end_event(&l->ev);
	close(l->fd);
	l->fd = -1;
}

void
listener_refuse(struct listener *l, int fd, const char *text, const char *why)
{
	if (text)
		(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
	close(fd);
	listener_complain(l, why);
}

void
listener_complain(struct listener *l, const char *why)
{
	msec now = clock_mono_ms();

	l->refused++;
	if (l->complained && now - l->complained < COMPLAIN_MS)
		return;
	log_msg(LOG_L_WARN, NULL, "%s: %s (%lu connections refused so far)",
	    l->name, why, l->refused);
	l->complained = now;
}
