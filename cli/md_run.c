/* SPDX-License-Identifier: MIT */
#include "cli/md_run.h"

#include "cli/md_facts.h"
#include "cli/start.h"
#include "cli/watchdog.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/muxproto.h"
#include "core/frontend/frontend_ev.h"
#include "core/frontend/muxclient_ev.h"
#include "multiplexor/mux_ev.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define MUX_TRIES  100    /* questions to a separate multiplexor ... */
#define MUX_TRY_US 200000 /* ... this far apart; spec:start-up */

/* The names that the key file had: messages in progress keep the old one. */
struct key {
	struct key *next;
	char *name;
};

struct md {
	const struct md_opts *opts;
	struct event_base *base;
	struct event *tick; /* start-up questions, then the drain's end */
	struct event *watchdog, *signals[3];
	struct frontend *fe;
	struct mux *mux;          /* built-in, or NULL */
	struct muxclient *client; /* separate, or NULL */
	struct asker asker;
	struct md_listen *listen;
	struct daemon_ctx *daemon;
	struct key *keys; /* newest first */
	int tries;
	bool alive; /* the multiplexor answered once */
	bool stopping;
};

static uint64_t
mux_asker(void *self, const char *line, size_t n, ask_done_fn *done, void *arg)
{
	return mux_ask(self, line, n, done, arg);
}

static void
mux_canceller(void *self, uint64_t ticket)
{
	mux_cancel(self, ticket);
}

static void
set_tick(struct md *md, long us)
{
	struct timeval tv = { us / 1000000, us % 1000000 };
	event_add(md->tick, &tv);
}

/* ---- the end ----------------------------------------------------------------- */

static void
workers_stopped(void *arg)
{
	struct md *md = arg;
	event_base_loopbreak(md->base);
}

static void
sessions_drained(void *arg)
{
	struct md *md = arg;

	log_msg(LOG_L_INFO, NULL, "No message is in progress any more");
	if (md->mux)
		mux_stop(md->mux, workers_stopped, md);
	else
		event_base_loopbreak(md->base);
}

/* TERM and INT: finish the messages in progress, stop the workers, end.  A
 * second one does not wait any longer. */
static void
on_stop_signal(evutil_socket_t sig, short what, void *arg)
{
	struct md *md = arg;
	size_t n = frontend_sessions(md->fe);

	(void)what;
	if (md->stopping) {
		log_msg(LOG_L_WARN, NULL,
		    "A second signal: not waiting for %zu sessions", n);
		event_base_loopbreak(md->base);
		return;
	}
	md->stopping = true;
	log_msg(LOG_L_INFO, NULL,
	    "Received %s: stopping; messages in progress have %ld s, in %zu "
	    "sessions",
	    sig == SIGINT ? "SIGINT" : "SIGTERM", md->opts->drain_s, n);
	sdnotify_send(&md->daemon->notify, "STOPPING=1");
	sdnotify_status(
	    &md->daemon->notify, "Stopping: messages in progress may finish");
	set_tick(md, md->opts->drain_s * 1000000L);
	md_listen_unlink(md->listen);
	frontend_drain(md->fe, sessions_drained, md);
}

static void
on_drain_time(struct md *md)
{
	size_t n = frontend_sessions(md->fe);

	if (n)
		log_msg(LOG_L_WARN, NULL,
		    "The drain time of %ld s is over: %zu sessions are told to "
		    "try later",
		    md->opts->drain_s, n);
	event_base_loopbreak(md->base);
}

/* ---- what can be read anew ----------------------------------------------------- */

/* The key file's name is the newest key; false: it cannot be read. */
static bool
read_key(struct md *md)
{
	const char *path = md->opts->ip_key_file;
	char err[512], *name;
	struct key *k;

	if (md_ip_key(path, &name, err, sizeof(err)) < 0) {
		log_msg(LOG_L_WARN, NULL, "%s", err);
		return false;
	}
	if (md->keys && strcmp(md->keys->name ? md->keys->name : "",
			    name ? name : "") == 0) {
		free(name);
		return true;
	}
	k = malloc(sizeof(*k));
	if (!k) {
		free(name);
		log_msg(LOG_L_WARN, NULL, "Out of memory for %s", path);
		return false;
	}
	*k = (struct key){ md->keys, name };
	md->keys = k;
	return true;
}

static void
free_keys(struct md *md)
{
	struct key *k;

	while ((k = md->keys)) {
		md->keys = k->next;
		free(k->name);
		free(k);
	}
}

static void
on_hup(evutil_socket_t sig, short what, void *arg)
{
	struct md *md = arg;

	(void)sig;
	(void)what;
	if (md->stopping)
		return;
	sdnotify_reloading(&md->daemon->notify, clock_mono_ms() * 1000);
	log_msg(LOG_L_INFO, NULL, "Received SIGHUP: reading %s%s anew",
	    md->opts->ip_key_file, md->mux ? " and the filter" : "");
	if (read_key(md))
		frontend_set_validation(md->fe, md->keys->name);
	if (md->mux) {
		mux_reopen_stats(md->mux);
		mux_reread(md->mux);
	}
	if (md->alive)
		sdnotify_send(&md->daemon->notify, "READY=1");
}

/* ---- start-up --------------------------------------------------------------------- */

static void
mux_is_alive(struct md *md)
{
	md->alive = true;
	log_msg(LOG_L_INFO, NULL, "Multiplexor alive - entering main loop");
	daemon_ready(md->daemon);
	sdnotify_status(&md->daemon->notify, "Serving");
}

static void
free_answered(void *arg, char *answer, size_t n, const char *error)
{
	struct md *md = arg;

	if (md->stopping) /* the timer is the drain's now */
		return;
	if (answer && mux_parse_free(answer, n) >= 0) {
		mux_is_alive(md);
		return;
	}
	if (md->tries == 1)
		log_msg(LOG_L_WARN, NULL, "Waiting for the multiplexor: %s",
		    error ? error : answer);
	if (md->tries >= MUX_TRIES)
		event_base_loopbreak(md->base);
	else
		set_tick(md, MUX_TRY_US);
}

static void
ask_free(struct md *md)
{
	md->tries++;
	if (!md->asker.ask(md->asker.self, "free", 4, free_answered, md))
		start_fail("Out of memory");
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct md *md = arg;

	(void)fd;
	(void)what;
	if (md->stopping)
		on_drain_time(md);
	else
		ask_free(md);
}

static void
watch_signals(struct md *md)
{
	static const struct {
		int sig;
		event_callback_fn fn;
	} signals[] = { { SIGTERM, on_stop_signal }, { SIGINT, on_stop_signal },
		{ SIGHUP, on_hup } };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		md->signals[i] =
		    evsignal_new(md->base, signals[i].sig, signals[i].fn, md);
		if (!md->signals[i] || event_add(md->signals[i], NULL) < 0)
			start_fail("Out of memory");
	}
}

static void
open_mux(struct md *md, const struct mux_opts *mo)
{
	char err[512];

	if (md->opts->mux_socket) {
		if (muxclient_new(&md->client, md->base, md->opts->mux_socket,
			err, sizeof(err)) < 0)
			start_fail("%s", err);
		muxclient_set_times(md->client,
		    (msec)md->opts->mux_connect_s * 1000,
		    (msec)md->opts->mux_answer_s * 1000);
		md->asker = muxclient_asker(md->client);
	} else {
		if (mux_new(&md->mux, md->base, mo, err, sizeof(err)) < 0)
			start_fail("%s", err);
		md->asker = (struct asker){ md->mux, mux_asker, mux_canceller };
	}
}

static void
open_frontend(struct md *md, struct md_opts *o, const struct md_limits *limits)
{
	char err[512];

	o->fe.server = &limits->server;
	o->fe.replies_together = md->mux != NULL;
	o->fe.my_ip = md_my_ip(err, sizeof(err));
	if (!o->fe.my_ip)
		log_msg(LOG_L_WARN, NULL, "%s", err);
	if (read_key(md))
		o->fe.validate_header = md->keys->name;
	if (frontend_new(
		&md->fe, md->base, &o->fe, &md->asker, err, sizeof(err)) < 0)
		start_fail("%s", err);
}

/* An MTA that connects before the multiplexor answers is told to try later
 * instead of being kept waiting. */
static void
serve(struct md *md, const struct md_limits *limits)
{
	struct md_listen *l = md->listen;
	char err[512];

	if (l->inherited && md->opts->conn)
		log_msg(LOG_L_WARN, NULL,
		    "The service manager handed over %zu sockets: -p %s is not "
		    "opened",
		    l->n, md->opts->conn);
	if (md_listen_open(
		l, md->opts->conn, &limits->listen, err, sizeof(err)) < 0)
		start_fail("Could not open connection %s", err);
	for (size_t i = 0; i < l->n; i++)
		if (frontend_listen(md->fe, l->fd[i]) < 0)
			start_fail("Could not serve: out of memory");
}

static void
log_alive(const struct frontend_opts *o)
{
	log_msg(LOG_L_INFO, NULL,
	    "MIMEDefang alive. workersReservedForLoopback=%ld "
	    "AllowNewConnectionsToQueue=%d doRelayCheck=%d doHeloCheck=%d "
	    "doSenderCheck=%d doRecipientCheck=%d",
	    o->reserve, o->queue_connections, o->check_relay, o->check_helo,
	    o->check_sender, o->check_recipient);
}

/* Another signal must not cut off what is left to do: without its event it would
 * have its default action, and pid and lock file would stay. */
static void
ignore_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

static void
free_all(struct md *md)
{
	ignore_signals();
	frontend_free(md->fe);
	mux_free(md->mux);
	muxclient_free(md->client);
	free_keys(md);
	for (size_t i = 0; i < sizeof(md->signals) / sizeof(md->signals[0]);
	     i++)
		event_free(md->signals[i]);
	if (md->watchdog)
		event_free(md->watchdog);
	event_free(md->tick);
	event_base_free(md->base);
}

void
md_run(struct md_opts *o, const struct mux_opts *mo,
    const struct md_limits *limits, struct md_listen *listen,
    struct daemon_ctx *daemon)
{
	struct md md = { .opts = o, .listen = listen, .daemon = daemon };

	md.base = event_base_new();
	if (!md.base || !(md.tick = evtimer_new(md.base, on_tick, &md)) ||
	    watchdog_start(&md.watchdog, md.base, &daemon->notify) < 0)
		start_fail("Out of memory");
	open_mux(&md, mo);
	open_frontend(&md, o, limits);
	watch_signals(&md);
	serve(&md, limits);
	log_alive(&o->fe);
	if (md.mux)
		mux_start(md.mux);
	ask_free(&md);
	event_base_dispatch(md.base);

	md_listen_unlink(listen);
	free_all(&md);
	if (!md.alive && !md.stopping)
		start_fail("Multiplexor socket did not appear.  Exiting.");
	if (!md.alive && daemon->ready_fd >= 0)
		start_fail("Stopped by a signal while waiting for the "
			   "multiplexor");
	daemon_cleanup(daemon);
}
