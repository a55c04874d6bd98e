/* SPDX-License-Identifier: MIT */
/*
 * load_session: one connection of a load after another (load_session.h).
 *
 * An answer that is not CONTINUE ends the message or the client as it would for
 * an MTA.  Whatever goes wrong ends the connection, and another one begins a
 * little later.
 */
#include "cli/check/load_session.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <event2/event.h>
#include <milterproto_server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RETRY_MS 10 /* after an error */
#define BUSY_MS  1  /* the filter's backlog is full */

static uint64_t n_ids; /* of queue ids, so that each is a new one */

static void on_io(evutil_socket_t fd, short what, void *arg);

int
load_session_fd(const struct load_session *s)
{
	return event_get_fd(s->io);
}

void
load_session_wake_in(struct load_session *s, enum load_phase phase, msec ms)
{
	struct timeval t = clock_timeval(ms);

	s->phase = phase;
	event_add(s->timer, &t);
}

void
load_session_watch(struct load_session *s, bool for_room)
{
	short events = for_room ? EV_READ | EV_WRITE : EV_READ;
	int fd = load_session_fd(s);

	if (event_get_events(s->io) == (events | EV_PERSIST))
		return;
	event_del(s->io);
	event_assign(s->io, s->run->base, fd, events | EV_PERSIST, on_io, s);
	event_add(s->io, NULL);
}

static void
disconnect(struct load_session *s)
{
	event_del(s->io);
	event_del(s->timer);
	close(load_session_fd(s));
	s->phase = LOAD_P_NONE;
}

/* ---- connecting --------------------------------------------------------------------- */

/* A descriptor, perhaps not connected yet, or -errno. */
static int
dial(const struct load_run *r)
{
	int fd, on = 1;

	if (r->addr.ss_family == AF_UNIX)
		return fdio_unix_connect(mlt_listen_path(r->socket), true);
	fd = socket(
	    r->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&r->addr, r->addr_len) < 0 &&
	    errno != EINPROGRESS) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

/* The next connection, unless there is nothing more to do. */
static void
dial_again(struct load_session *s)
{
	struct load_run *r = s->run;
	int fd;

	if (s->since_us == 0)
		s->since_us = clock_mono_us();
	if (!load_may_start(r)) {
		s->phase = LOAD_P_NONE;
		load_session_over(r);
		return;
	}
	fd = dial(r);
	if (fd == -EAGAIN) {
		load_session_wake_in(s, LOAD_P_PAUSE, BUSY_MS);
		return;
	}
	if (fd < 0) {
		load_failed(r, LOAD_E_CONNECT);
		load_session_wake_in(s, LOAD_P_PAUSE, RETRY_MS);
		return;
	}
	s->messages = 0;
	s->reply = (struct load_reply){ .got = 0 };
	s->phase = LOAD_P_CONNECTING;
	event_assign(s->io, r->base, fd, EV_WRITE | EV_PERSIST, on_io, s);
	event_add(s->io, NULL);
}

static void
reconnect(struct load_session *s)
{
	s->since_us = 0;
	dial_again(s);
}

void
load_session_fail(struct load_session *s, enum load_error e)
{
	disconnect(s);
	if (s->is_new) {
		s->is_new = false;
		s->run->done++;
	}
	load_failed(s->run, e);
	s->since_us = 0;
	load_session_wake_in(s, LOAD_P_PAUSE, RETRY_MS);
}

/* What was idle is gone, or not idle any more. */
void
load_session_lose(struct load_session *s)
{
	disconnect(s);
	s->run->held--;
	s->run->lost++;
	load_session_over(s->run);
}

static void
connected(struct load_session *s)
{
	socklen_t n = sizeof(int);
	int error = 0;

	if (getsockopt(load_session_fd(s), SOL_SOCKET, SO_ERROR, &error, &n) <
		0 ||
	    error) {
		load_session_fail(s, LOAD_E_CONNECT);
		return;
	}
	load_time(s->run, LOAD_S_CONNECT, s->since_us);
	if (s->run->counting)
		s->run->counts.connections++;
	load_session_watch(s, false);
	load_talk_run(s, LOAD_GREETING);
}

/* ---- parts of the plan ---------------------------------------------------------------- */

static void
hold(struct load_session *s)
{
	s->phase = LOAD_P_HELD;
	load_session_held(s->run);
}

static void
leave(struct load_session *s)
{
	load_talk_run(s, s->messages > 0 ? LOAD_QUIT : LOAD_BYE);
}

/* A message begins, or what comes instead. */
static void
next_message(struct load_session *s, bool first)
{
	struct load_run *r = s->run;
	long limit = r->plan.one_message ? 1 : r->o->per_connection;

	if (r->o->idle && s->messages == limit && !r->stopping) {
		hold(s);
	} else if (s->messages < limit && load_may_start(r)) {
		s->is_new = true;
		r->started++;
		s->accepted = 0;
		s->message_us = clock_mono_us();
		snprintf(s->id, sizeof(s->id), "b%013jx", (uintmax_t)n_ids++);
		load_talk_run(s, first ? LOAD_FIRST : LOAD_NEXT);
	} else {
		leave(s);
	}
}

void
load_session_message_over(
    struct load_session *s, enum mlt_verdict v, bool early)
{
	load_time(s->run, LOAD_S_MESSAGE, s->message_us);
	s->is_new = false;
	s->messages++;
	load_message_done(s->run, v);
	if (early && !s->run->plan.next_aborts)
		load_talk_run(s, LOAD_ABORT);
	else
		next_message(s, false);
}

/* The filter decided about the client: so it did about its message. */
void
load_session_client_over(struct load_session *s, enum mlt_verdict v)
{
	if (s->run->o->idle) {
		hold(s);
		return;
	}
	if (load_may_start(s->run)) {
		s->run->started++;
		load_message_done(s->run, v);
	}
	load_talk_run(s, LOAD_BYE);
}

void
load_session_part_over(struct load_session *s)
{
	switch (s->part) {
	case LOAD_GREETING:
		next_message(s, true);
		return;
	case LOAD_ABORT:
		next_message(s, false);
		return;
	case LOAD_FIRST:
	case LOAD_NEXT: /* end with a verdict */
	case LOAD_QUIT:
	case LOAD_BYE:
	case LOAD_PARTS:
		disconnect(s);
		reconnect(s);
	}
}

/* ---- what the loop calls ---------------------------------------------------------------- */

static void
on_io(evutil_socket_t fd, short what, void *arg)
{
	struct load_session *s = arg;

	(void)fd;
	if (s->phase == LOAD_P_CONNECTING)
		connected(s);
	else if (what & EV_READ)
		load_talk_pull(s);
	else if (s->phase == LOAD_P_TALKING)
		load_talk_push(s);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct load_session *s = arg;

	(void)fd;
	(void)what;
	if (s->phase == LOAD_P_PAUSE) {
		dial_again(s);
	} else if (s->phase == LOAD_P_LATENCY) {
		s->phase = LOAD_P_TALKING;
		load_talk_push(s);
	}
}

struct load_session *
load_sessions_new(struct load_run *r, size_t n)
{
	struct load_session *all = calloc(n, sizeof(*all));
	bool failed = !all;

	for (size_t i = 0; all && i < n; i++) {
		all[i].run = r;
		all[i].io = event_new(r->base, -1, EV_READ, on_io, &all[i]);
		all[i].timer = evtimer_new(r->base, on_timer, &all[i]);
		failed |= !all[i].io || !all[i].timer;
	}
	if (!failed)
		return all;
	load_sessions_free(all, n);
	return NULL;
}

void
load_sessions_free(struct load_session *all, size_t n)
{
	for (size_t i = 0; all && i < n; i++) {
		if (all[i].phase >= LOAD_P_CONNECTING)
			disconnect(&all[i]);
		if (all[i].io)
			event_free(all[i].io);
		if (all[i].timer)
			event_free(all[i].timer);
	}
	free(all);
}

void
load_session_begin(struct load_session *all, size_t i)
{
	reconnect(&all[i]);
}

void
load_session_tick(struct load_session *all, size_t i, uint64_t now_us)
{
	struct load_session *s = &all[i];
	uint64_t limit_us = (uint64_t)s->run->o->timeout_s * 1000000;

	if ((s->phase == LOAD_P_TALKING || s->phase == LOAD_P_CONNECTING) &&
	    now_us > s->since_us + limit_us)
		load_session_fail(s, LOAD_E_TIMEOUT);
}

void
load_session_stop(struct load_session *all, size_t i)
{
	struct load_session *s = &all[i];

	if (s->phase == LOAD_P_HELD) {
		s->run->held--;
		leave(s);
	}
}
