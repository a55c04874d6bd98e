/* SPDX-License-Identifier: MIT */
/*
 * server_ev: filter sessions on a libevent loop; see milterproto_server.h.
 *
 * Here are a server's life, its timers and its end; listeners are in
 * accept_ev.c, connections in conn_ev.c.
 */
#include "server.h"

#include <event2/event.h>
#include <stdlib.h>

static const uint64_t idle_default_ms = 7210000; /* spec:timing */
static const size_t output_default_bytes = 1024 * 1024;

static void
on_idle_tick(evutil_socket_t fd, short what, void *arg)
{
	struct mlt_server *s = arg;

	(void)fd;
	(void)what;
	for (uint32_t i = 0; i < s->n_slots; i++) {
		bool last = s->n_conns == 1;

		if (s->slots[i].c && !mlt_conn_tick(s->slots[i].c) && last)
			return; /* perhaps the server is gone */
	}
}

static int
start_timers(struct mlt_server *s)
{
	uint64_t ms = s->opts.idle_ms / MLT_IDLE_TICKS;
	struct timeval tv;

	if (ms == 0)
		ms = 1;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	s->idle_timer = event_new(s->base, -1, EV_PERSIST, on_idle_tick, s);
	s->pause_timer = event_new(s->base, -1, 0, mlt_accept_resume, s);
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
		s->opts.max_output_bytes = output_default_bytes;
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
			mlt_conn_end(s->slots[i].c, MLT_CLOSE_DRAIN);
	}
	mlt_accept_free(s);
	if (s->idle_timer)
		event_free(s->idle_timer);
	if (s->pause_timer)
		event_free(s->pause_timer);
	free(s->slots);
	free(s);
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
	mlt_accept_free(s);
	for (uint32_t i = 0; i < s->n_slots; i++) {
		if (s->slots[i].c)
			mlt_conn_drain(s->slots[i].c);
	}
	s->drained = drained;
	s->drained_arg = arg;
	if (s->n_conns == 0 && drained)
		drained(arg);
}
