/* SPDX-License-Identifier: MIT */
/*
 * mimedefang-multiplexor: the worker pool as a daemon of its own.  Options,
 * start-up and signals; the work is multiplexor/mux_ev.
 */
#include "cli/cmdline.h"
#include "cli/start.h"
#include "cli/watchdog.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "multiplexor/mux_ev.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void
parse_options(int argc, char **argv, struct mux_opts *o)
{
	bool print_config = false;
	const struct cmdline c = { .name = "mimedefang-multiplexor",
		.rows = mux_option_rows,
		.n = mux_option_count,
		.print_config = &print_config };
	char err[512];

	cmdline_parse(&c, o, argc, argv);
	if (mux_opts_check(o, err, sizeof(err)) < 0) {
		fprintf(stderr, "%s: %s\n", argv[0], err);
		exit(1);
	}
	if (print_config)
		cmdline_print_config(&c, o);
}

struct mx {
	struct event_base *base;
	struct mux *mux;
	struct daemon_ctx daemon;
};

static void
stopped(void *arg)
{
	struct mx *mx = arg;
	event_base_loopbreak(mx->base);
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct mx *mx = arg;

	(void)what;
	if (sig == SIGTERM) {
		log_msg(LOG_L_INFO, NULL,
		    "Received SIGTERM: Stopping workers and terminating");
		sdnotify_send(
		    &mx->daemon.notify, "STOPPING=1\nSTATUS=Stopping workers");
		mux_stop(mx->mux, stopped, mx);
	} else if (sig == SIGINT) {
		sdnotify_reloading(&mx->daemon.notify, clock_mono_ms() * 1000);
		mux_reread(mx->mux);
		sdnotify_send(&mx->daemon.notify, "READY=1");
	} else { /* HUP */
		mux_reopen_stats(mx->mux);
	}
}

int
main(int argc, char **argv)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct mux_opts o = { 0 };
	struct mx mx = { 0 };
	struct event *watchdog;
	char err[512];

	parse_options(argc, argv, &o);
	start_daemon(&(struct start_opts){ .prog = argv[0],
			 .ident = o.label,
			 .user = o.user,
			 .pid_file = o.pid_file,
			 .lock_file = o.lock_file,
			 .spool_dir = o.spool_dir,
			 .facility = o.facility,
			 .foreground = o.foreground,
			 .group_access = o.group_access,
			 .log_stderr = o.log_stderr,
			 .log_format = o.log_format },
	    &mx.daemon);
	mx.base = event_base_new();
	if (!mx.base ||
	    watchdog_start(&watchdog, mx.base, &mx.daemon.notify) < 0)
		start_fail("Out of memory");
	if (mux_new(&mx.mux, mx.base, &o, err, sizeof(err)) < 0)
		start_fail("%s", err);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct event *ev =
		    evsignal_new(mx.base, signals[i], on_signal, &mx);
		if (!ev || event_add(ev, NULL) < 0)
			start_fail("Out of memory");
	}
	mux_start(mx.mux);
	daemon_ready(&mx.daemon);
	sdnotify_status(&mx.daemon.notify, "Serving");
	event_base_dispatch(mx.base);
	mux_free(mx.mux);
	if (watchdog)
		event_free(watchdog);
	daemon_cleanup(&mx.daemon);
	return 0;
}
