/* SPDX-License-Identifier: MIT */
/*
 * mimedefang-multiplexor: the worker pool as a daemon of its own.  Options,
 * start-up and signals; the work is multiplexor/mux_ev.
 */
#include "cli/start.h"
#include "core/base/log.h"
#include "multiplexor/mux_ev.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* The multiplexor's own options first, so that its rows' offsets hold. */
struct mx_opts {
	struct mux_opts mux;
	bool log_stderr;
};

static const struct opt own_rows[] = {
	{ 0, "log-stderr", OPT_FLAG, 0, offsetof(struct mx_opts, log_stderr),
	    NULL, NULL, 0, 0, "log to standard error instead of syslog", NULL },
	{ 'h', NULL, OPT_ACT, 0, 0, NULL, NULL, 0, 0,
	    "this text on standard error, exit 1", start_act_help_letter },
	{ 0, "help", OPT_ACT, 0, 0, NULL, NULL, 0, 0, "this text",
	    start_act_help },
	{ 0, "help-mdoc", OPT_ACT, 0, 0, NULL, NULL, 0, 0,
	    "the options as source of the manual page", start_act_mdoc },
	{ 'v', "version", OPT_ACT, 0, 0, NULL, NULL, 0, 0, "the version",
	    start_act_version },
};
#define N_OWN (sizeof(own_rows) / sizeof(own_rows[0]))

static void
parse_options(int argc, char **argv, struct mx_opts *o)
{
	char err[512];
	size_t n = mux_option_count + N_OWN;
	struct opt *rows = calloc(n, sizeof(*rows));
	int rest;

	if (!rows) {
		fprintf(stderr, "%s: Out of memory\n", argv[0]);
		exit(1);
	}
	for (size_t i = 0; i < n; i++)
		rows[i] = i < mux_option_count ? mux_option_rows[i]
					       : own_rows[i - mux_option_count];
	start_options_done(opt_parse(rows, n, o, argc, argv, &rest),
	    "mimedefang-multiplexor", rows, n, NULL, NULL);
	free(rows);
	if (mux_opts_check(&o->mux, err, sizeof(err)) < 0) {
		fprintf(stderr, "%s: %s\n", argv[0], err);
		exit(1);
	}
}

struct mx {
	struct event_base *base;
	struct mux *mux;
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
		mux_stop(mx->mux, stopped, mx);
	} else if (sig == SIGINT) {
		mux_reread(mx->mux);
	} /* HUP: reopens statistics, of which there are none yet */
}

int
main(int argc, char **argv)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct mx_opts o = { 0 };
	struct mx mx = { 0 };
	struct daemon_ctx d;
	char err[512];

	parse_options(argc, argv, &o);
	start_daemon(&(struct start_opts){ .prog = argv[0],
			 .ident = o.mux.label,
			 .user = o.mux.user,
			 .pid_file = o.mux.pid_file,
			 .lock_file = o.mux.lock_file,
			 .spool_dir = o.mux.spool_dir,
			 .facility = o.mux.facility,
			 .foreground = o.mux.foreground,
			 .group_access = o.mux.group_access,
			 .log_stderr = o.log_stderr,
			 .keep_fd = -1 },
	    &d);
	mx.base = event_base_new();
	if (!mx.base)
		start_fail("Out of memory");
	if (mux_new(&mx.mux, mx.base, &o.mux, err, sizeof(err)) < 0)
		start_fail("%s", err);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct event *ev =
		    evsignal_new(mx.base, signals[i], on_signal, &mx);
		if (!ev || event_add(ev, NULL) < 0)
			start_fail("Out of memory");
	}
	mux_start(mx.mux);
	daemon_ready(&d);
	event_base_dispatch(mx.base);
	mux_free(mx.mux);
	daemon_cleanup(&d);
	return 0;
}
