/* SPDX-License-Identifier: MIT */
/*
 * frontend_ev: the glue between a milter server, the message logic and the
 * loop's timers.  Nothing is decided here.
 */
#include "frontend_ev.h"

#include "core/base/log.h"
#include "core/frontend/message.h"
#include "core/frontend/negotiate.h"
#include "core/frontend/sweep.h"

#include <event2/event.h>
#include <milterproto_server.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

/* One connection of an MTA. */
struct conn {
	TAILQ_ENTRY(conn) link, unsent_link;
	struct frontend *fe;
	uint64_t id;
	struct message *message;
	struct event *timer; /* NULL: not waiting for anything */
	bool busy;           /* with an event: what it replies is sent */
	bool unsent;         /* it is in the list of that name */
};
TAILQ_HEAD(conn_list, conn);

struct frontend {
	struct event_base *base;
	struct frontend_opts opts;
	struct asker asker;
	struct message_env env;
	struct mlt_server *server;
	struct buf macro_list;
	struct conn_list conns;
	struct conn_list unsent; /* replies leave at the end of the round */
	struct event *send_ev;
};

/* ---- what a message wants --------------------------------------------------- */

static void
send_all(struct frontend *fe)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&fe->unsent))) {
		TAILQ_REMOVE(&fe->unsent, c, unsent_link);
		c->unsent = false;
		mlt_server_flush(fe->server, c->id);
	}
}

static void
on_send(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_all(arg);
}

/* As mlt_server_reply, but for the sending. */
static int
reply_together(struct conn *c, const struct mlt_reply *r)
{
	struct frontend *fe = c->fe;
	struct mlt_filter *f = mlt_server_session(fe->server, c->id);
	int rc = f ? mlt_filter_reply(f, r) : MLT_E_STATE;

	if (rc < 0 || c->unsent)
		return rc;
	TAILQ_INSERT_TAIL(&fe->unsent, c, unsent_link);
	c->unsent = true;
	event_active(fe->send_ev, EV_TIMEOUT, 0);
	return 0;
}

static void
reply(void *arg, const struct mlt_reply *r)
{
	static const struct mlt_reply later = { .type = MLT_REPLY_TEMPFAIL };
	struct conn *c = arg;
	struct mlt_server *s = c->fe->server;
	uint64_t id = c->id;
	int rc = c->fe->send_ev && !c->busy ? reply_together(c, r)
					    : mlt_server_reply(s, id, r);

	/* MLT_E_STATE: the connection is gone, or answered already */
	if (rc < 0 && rc != MLT_E_STATE) {
		log_msg(LOG_L_ERR, NULL, "Cannot send a reply: %s",
		    mlt_strerror(rc));
		(void)mlt_server_reply(s, id, &later);
	}
}

static void
flush(void *arg)
{
	struct conn *c = arg;

	mlt_server_flush(c->fe->server, c->id);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	message_tick(c->message);
}

static int
wake(void *arg, msec in_ms)
{
	struct conn *c = arg;
	struct timeval tv;

	if (in_ms == MSEC_NEVER) {
		if (c->timer)
			event_free(c->timer);
		c->timer = NULL;
		return 0;
	}
	if (!c->timer)
		c->timer = evtimer_new(c->fe->base, on_timer, c);
	tv = clock_timeval(in_ms);
	return c->timer && event_add(c->timer, &tv) == 0 ? 0 : -1;
}

static const struct message_ops message_ops = { reply, flush, wake };

/* ---- what the server tells ---------------------------------------------------- */

static void
on_opened(void *arg, uint64_t id, void **ctx)
{
	struct frontend *fe = arg;
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	c->fe = fe;
	c->id = id;
	c->message = message_new(
	    &fe->env, mlt_server_session(fe->server, id), &message_ops, c);
	if (!c->message) {
		free(c);
		return;
	}
	TAILQ_INSERT_TAIL(&fe->conns, c, link);
	*ctx = c;
}

static void
on_event(void *arg, uint64_t id, void *ctx, const struct mlt_event *ev)
{
	struct frontend *fe = arg;
	struct conn *c = ctx;

	if (c) {
		c->busy = true;
		message_event(c->message, ev);
		c->busy = false;
	} else /* no memory for this connection */
		(void)mlt_server_reply(fe->server, id,
		    &(struct mlt_reply){ .type = MLT_REPLY_TEMPFAIL });
}

/* For the log, of an end that somebody should know of; NULL for others. */
static const char *
why_closed(int why)
{
	switch (why) {
	case MLT_CLOSE_IDLE:
		return "it was silent for --idle-timeout";
	case MLT_CLOSE_REPLY:
		return "there was no answer for it within --reply-timeout";
	case MLT_CLOSE_OUTPUT:
		return "it did not read what was to be sent, --max-queued";
	case MLT_CLOSE_IO:
		return "reading or writing failed";
	default:
		return why < 0 ? mlt_strerror(why) : NULL;
	}
}

static void
on_closed(void *arg, uint64_t id, void *ctx, int why)
{
	struct frontend *fe = arg;
	struct conn *c = ctx;

	(void)id;
	if (why_closed(why))
		log_msg(LOG_L_WARN, NULL, "Closed an MTA's connection: %s",
		    why_closed(why));
	if (!c)
		return;
	message_free(c->message);
	wake(c, MSEC_NEVER);
	TAILQ_REMOVE(&fe->conns, c, link);
	if (c->unsent)
		TAILQ_REMOVE(&fe->unsent, c, unsent_link);
	free(c);
}

static void
on_refused(void *arg, const char *peer)
{
	(void)arg;
	log_msg(LOG_L_WARN, NULL,
	    "Refused a connection from %s: --allow, --allow-user or "
	    "--allow-group does not name it",
	    peer);
}

/* ---- the front-end ---------------------------------------------------------------- */

static int
make_server(struct frontend *fe)
{
	static const struct mlt_server_ops ops = {
		.opened = on_opened,
		.event = on_event,
		.closed = on_closed,
		.refused = on_refused,
	};
	struct mlt_server_opts so = { 0 };

	if (fe->opts.server)
		so = *fe->opts.server;
	if (fe->opts.set_symlist && negotiate_left_out(fe->opts.macros))
		log_msg(LOG_L_WARN, NULL,
		    "-y: an MTA keeps 50 macro names of a step; the last %zu "
		    "of -a are not asked for",
		    negotiate_left_out(fe->opts.macros));
	if (negotiate_options(&so.filter.want, &fe->opts, &fe->macro_list) < 0)
		return -1;
	return mlt_server_new(&fe->server, fe->base, &so, &ops, fe);
}

int
frontend_new(struct frontend **out, struct event_base *base,
    const struct frontend_opts *opts, const struct asker *asker, char *err,
    size_t errlen)
{
	struct frontend *fe = calloc(1, sizeof(*fe));

	if (!fe) {
		snprintf(err, errlen, "Out of memory");
		return -1;
	}
	fe->base = base;
	fe->opts = *opts;
	fe->asker = *asker;
	fe->env.opts = &fe->opts;
	fe->env.asker = &fe->asker;
	fe->env.mono_ms = clock_mono_ms;
	fe->env.wall_s = clock_wall_s;
	TAILQ_INIT(&fe->conns);
	TAILQ_INIT(&fe->unsent);
	if (spool_open(&fe->env.spool, opts->spool_dir, err, errlen) < 0)
		goto failed;
	fe->env.spool.group = opts->group_access;
	fe->env.spool.keep_all = opts->keep_dirs;
	fe->env.spool.keep_failed = opts->keep_failed;
	fe->env.spool.spares.max = (unsigned)opts->spare_dirs;
	sweep_spool(
	    &fe->env.spool, clock_wall_s(), (int64_t)opts->sweep_age_h * 3600);
	if (opts->replies_together)
		fe->send_ev = event_new(base, -1, 0, on_send, fe);
	if (make_server(fe) < 0 || (opts->replies_together && !fe->send_ev)) {
		snprintf(err, errlen, "Out of memory");
		goto failed;
	}
	*out = fe;
	return 0;
failed:
	frontend_free(fe);
	return -1;
}

int
frontend_listen(struct frontend *fe, int fd)
{
	return mlt_server_listen(fe->server, fd) < 0 ? -1 : 0;
}

void
frontend_drain(struct frontend *fe, void (*drained)(void *arg), void *arg)
{
	mlt_server_drain(fe->server, drained, arg);
}

size_t
frontend_sessions(const struct frontend *fe)
{
	return mlt_server_connections(fe->server);
}

void
frontend_set_validation(struct frontend *fe, const char *name)
{
	fe->opts.validate_header = name;
}

void
frontend_free(struct frontend *fe)
{
	struct conn *c, *next;

	if (!fe)
		return;
	for (c = TAILQ_FIRST(&fe->conns); c; c = next) {
		next = TAILQ_NEXT(c, link); /* c may end, no other one does */
		message_give_up(c->message);
	}
	send_all(fe);
	mlt_server_free(fe->server);
	if (fe->send_ev)
		event_free(fe->send_ev);
	spool_close(&fe->env.spool);
	message_env_fini(&fe->env);
	buf_fini(&fe->macro_list);
	free(fe);
}
