/* SPDX-License-Identifier: MIT */
/*
 * server_ev: filter sessions on a libevent loop; see milterproto_server.h.
 *
 * Here are a server's life, its timers and its end; listeners are in
 * accept_ev.c, connections in conn_ev.c.
 */
#include "server.h"
#include "peers.h"

#include <event2/event.h>
#include <stdlib.h>

static const uint64_t idle_default_ms = 7210000; /* spec:timing */
static const uint64_t reply_default_ms = 3600000;
static const size_t output_default_bytes = 1024 * 1024;
static const size_t queued_default_bytes = 256 * 1024 * 1024;

enum {
	TICKS_MAX = 60000, /* fits into 16 bits of a connection */
	TICKS_MIN = 4      /* so exact is the shorter time */
};

void
mlt_server_hold(struct mlt_server *s)
{
	s->walks++;
}

void
mlt_server_release(struct mlt_server *s)
{
	void (*drained)(void *arg) = s->drained;

	if (--s->walks > 0 || !s->draining || s->n_conns > 0 || !drained)
		return;
	s->drained = NULL;
	drained(s->drained_arg);
}

/* All time-outs of all connections: one timer, no system call.  A connection
 * counts ticks and begins again whenever octets pass. */
static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct mlt_server *s = arg;

	(void)fd;
	(void)what;
	mlt_server_hold(s);
	for (uint32_t i = 0; i < s->n_slots; i++) {
		if (s->slots[i].c)
			mlt_conn_tick(s->slots[i].c);
	}
	mlt_server_release(s);
}

/* So many ticks are surely ms or more: the first one may come at once. */
static uint16_t
ticks(uint64_t ms, uint64_t period)
{
	return (uint16_t)((ms + period - 1) / period + 1);
}

static int
start_timers(struct mlt_server *s)
{
	uint64_t idle = s->opts.idle_ms, reply = s->opts.reply_ms;
	uint64_t shorter = idle < reply ? idle : reply;
	uint64_t longer = idle < reply ? reply : idle;
	uint64_t ms = shorter / TICKS_MIN;
	struct timeval tv;

	if (ms <= longer / TICKS_MAX)
		ms = longer / TICKS_MAX + 1;
	s->idle_ticks = ticks(idle, ms);
	s->reply_ticks = ticks(reply, ms);
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	s->tick_timer = event_new(s->base, -1, EV_PERSIST, on_tick, s);
	s->pause_timer = event_new(s->base, -1, 0, mlt_accept_resume, s);
	if (!s->tick_timer || !s->pause_timer ||
	    event_add(s->tick_timer, &tv) < 0)
		return MLT_E_NOMEM;
	return 0;
}

static void
set_options(struct mlt_server *s, const struct mlt_server_opts *opts)
{
	if (opts)
		s->opts = *opts;
	if (!s->opts.idle_ms)
		s->opts.idle_ms = idle_default_ms;
	if (!s->opts.reply_ms)
		s->opts.reply_ms = reply_default_ms;
	if (!s->opts.max_output_bytes)
		s->opts.max_output_bytes = output_default_bytes;
	if (!s->opts.max_queued_bytes)
		s->opts.max_queued_bytes = queued_default_bytes;
}

int
mlt_server_new(struct mlt_server **out, struct event_base *base,
    const struct mlt_server_opts *opts, const struct mlt_server_ops *ops,
    void *arg)
{
	struct mlt_server *s;
	int rc;

	if (!ops->event)
		return MLT_E_ARG;
	s = calloc(1, sizeof(*s));
	if (!s)
		return MLT_E_NOMEM;
	s->base = base;
	set_options(s, opts);
	s->ops = *ops;
	s->arg = arg;
	s->free = NO_SLOT;
	rc = mlt_peers_new(&s->peers, &s->opts);
	if (rc == 0)
		rc = start_timers(s);
	if (rc < 0) {
		mlt_server_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

int
mlt_server_check(const struct mlt_server_opts *opts)
{
	struct mlt_peers *peers;
	int rc = mlt_peers_new(&peers, opts);

	mlt_peers_free(peers);
	return rc;
}

void
mlt_server_free(struct mlt_server *s)
{
	if (!s)
		return;
	s->draining = true;
	s->drained = NULL;
	mlt_server_hold(s); /* for good: nobody hears of it */
	for (uint32_t i = 0; i < s->n_slots; i++) {
		if (s->slots[i].c)
			mlt_conn_end(s->slots[i].c, MLT_CLOSE_DRAIN);
	}
	mlt_accept_free(s);
	mlt_peers_free(s->peers);
	if (s->tick_timer)
		event_free(s->tick_timer);
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
mlt_server_stats(const struct mlt_server *s, struct mlt_server_stats *out)
{
	*out = s->stats;
	out->open = s->n_conns;
}

void
mlt_server_drain(struct mlt_server *s, void (*drained)(void *arg), void *arg)
{
	mlt_server_hold(s);
	s->draining = true;
	s->drained = drained;
	s->drained_arg = arg;
	mlt_accept_free(s);
	for (uint32_t i = 0; i < s->n_slots; i++) {
		if (s->slots[i].c)
			mlt_conn_drain(s->slots[i].c);
	}
	mlt_server_release(s);
}
