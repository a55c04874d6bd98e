/* SPDX-License-Identifier: MIT */
/*
 * mimedefang: the milter daemon.  Options, start-up, signals; wires the
 * front-end to a multiplexor: the built-in one (options behind "--"), or one
 * behind a socket (-m).
 */
#include "cli/cmdline.h"
#include "cli/md_opts.h"
#include "cli/prcap.h"
#include "cli/start.h"
#include "core/base/fdio.h"
#include "core/base/log.h"
#include "core/base/muxproto.h"
#include "core/frontend/frontend_ev.h"
#include "core/frontend/muxclient_ev.h"
#include "multiplexor/mux_ev.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <milterproto_server.h>
#include <netdb.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAIN_S    25     /* below the 30 s that service managers give */
#define MUX_TRIES  100    /* questions to a separate multiplexor ... */
#define MUX_TRY_US 200000 /* ... this far apart; spec:start-up */

static const char *argv0;

/* The daemon at run time. */
struct md {
	struct event_base *base;
	struct event *tick; /* start-up questions, then the drain's end */
	struct frontend *fe;
	struct mux *mux;          /* built-in, or NULL */
	struct muxclient *client; /* separate, or NULL */
	struct asker asker;
	struct daemon_ctx daemon;
	int listen_fd; /* until the multiplexor answers */
	int tries, status;
	bool stopping;
};

static void
parse_options(int argc, char **argv, struct md_opts *o, struct mux_opts *mo)
{
	bool print_own = false, print_builtin = false;
	const struct cmdline own = { .name = "mimedefang",
		.rows = md_option_rows,
		.n = md_option_count,
		.words = " [-- multiplexor options]",
		.more = "The multiplexor's options: mimedefang-multiplexor "
			"--help\n",
		.print_config = &print_own };
	const struct cmdline builtin = { .name = "mimedefang ... --",
		.rows = mux_option_rows,
		.n = mux_option_count,
		.print_config = &print_builtin };
	char err[512];
	int rest;

	rest = cmdline_parse(&own, o, argc, argv);
	if (md_opts_check(o, err, sizeof(err)) < 0) {
		fprintf(stderr, "%s: %s\n", argv0, err);
		exit(1);
	}
	if (o->mux_socket) {
		if (rest < argc) {
			fprintf(stderr,
			    "%s: options behind -- are for the built-in "
			    "multiplexor; give them to the one at %s, or leave "
			    "out -m\n",
			    argv0, o->mux_socket);
			exit(1);
		}
		if (print_own)
			cmdline_print_config(&own, o);
		return;
	}
	/* The word before the rest serves as the program name in messages. */
	argv[rest - 1] = argv[0];
	cmdline_parse(&builtin, mo, argc - rest + 1, argv + rest - 1);
	if (mo->user || mo->pid_file || mo->lock_file || mo->foreground ||
	    mo->log_stderr || mo->log_format) {
		fprintf(stderr,
		    "%s: -U -p -o -D --log-stderr --log-format behind -- "
		    "belong to a separate multiplexor; give them before "
		    "--\n",
		    argv0);
		exit(1);
	}
	mo->spool_dir = o->fe.spool_dir;
	mo->group_access = o->fe.group_access;
	if (mux_opts_check(mo, err, sizeof(err)) < 0) {
		fprintf(stderr, "%s: %s\n", argv0, err);
		exit(1);
	}
	if (print_own)
		cmdline_print_config(&own, o);
	if (print_builtin)
		cmdline_print_config(&builtin, mo);
}

/* This host's first IPv4 address, NULL and a warning if there is none. */
static const char *
find_my_ip(void)
{
	static char text[INET_ADDRSTRLEN];
	struct addrinfo hints = { .ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *ai = NULL;
	char host[256] = "";

	if (gethostname(host, sizeof(host) - 1) == 0 &&
	    getaddrinfo(host, NULL, &hints, &ai) == 0) {
		const struct sockaddr_in *in = (const void *)ai->ai_addr;
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		freeaddrinfo(ai);
		return text;
	}
	log_msg(LOG_L_WARN, NULL,
	    "Could not determine my own IP address!  Ensure that %s has an "
	    "entry in /etc/hosts or the DNS",
	    host);
	return NULL;
}

/* The validation header's name: first line of the key file.  Its absence is
 * normal. */
static const char *
read_ip_key(const char *path)
{
	static struct buf text;
	int rc;

	buf_init(&text, 0);
	rc = fdio_read_file(AT_FDCWD, path, 65536, &text);
	if (rc < 0) {
		if (rc != -ENOENT && rc != -ENOTDIR)
			log_msg(LOG_L_WARN, NULL,
			    "cannot read key file %s, error: %s", path,
			    strerror(-rc));
		return NULL;
	}
	char *line = (char *)(uintptr_t)buf_cstr(&text);
	if (!line)
		return NULL;
	line[strcspn(line, "\r\n")] = '\0';
	return *line ? line : NULL;
}

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

	(void)sig;
	(void)what;
	if (md->stopping) {
		event_base_loopbreak(md->base);
		return;
	}
	md->stopping = true;
	set_tick(md, DRAIN_S * 1000000L);
	frontend_drain(md->fe, sessions_drained, md);
}

static void
on_hup(evutil_socket_t sig, short what, void *arg)
{
	struct md *md = arg;

	(void)sig;
	(void)what;
	if (md->mux)
		mux_reread(md->mux);
}

static void
serve(struct md *md)
{
	log_msg(LOG_L_INFO, NULL, "Multiplexor alive - entering main loop");
	int fd = md->listen_fd;
	md->listen_fd = -1;
	if (frontend_listen(md->fe, fd) < 0)
		start_fail("Could not serve: out of memory");
	daemon_ready(&md->daemon);
}

static void
free_answered(void *arg, char *answer, size_t n, const char *error)
{
	struct md *md = arg;

	if (md->stopping) /* the timer is the drain's now */
		return;
	if (answer && mux_parse_free(answer, n) >= 0) {
		serve(md);
		return;
	}
	if (md->tries == 1)
		log_msg(LOG_L_WARN, NULL, "Waiting for the multiplexor: %s",
		    error ? error : answer);
	if (md->tries >= MUX_TRIES) {
		event_base_loopbreak(md->base);
		md->status = 1;
		return;
	}
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
	if (md->stopping) /* the drain took too long */
		event_base_loopbreak(md->base);
	else
		ask_free(md);
}

static void
watch_signal(struct md *md, int sig, event_callback_fn fn)
{
	struct event *ev = evsignal_new(md->base, sig, fn, md);
	if (!ev || event_add(ev, NULL) < 0)
		start_fail("Out of memory");
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

int
main(int argc, char **argv)
{
	struct md_opts o = { 0 };
	struct mux_opts mo = { 0 };
	struct md md = { .listen_fd = -1 };
	char err[512];

	argv0 = argv[0];
	if (argc == 2 && strcmp(argv[1], "prcap") == 0)
		return prcap_print();
	parse_options(argc, argv, &o, &mo);
	start_daemon(
	    &(struct start_opts){ .prog = argv0,
		.ident = "mimedefang",
		.user = o.user,
		.pid_file = o.pid_file,
		.lock_file = o.lock_file,
		.spool_dir = o.fe.spool_dir,
		.facility = o.facility,
		.foreground = o.foreground,
		.group_access = o.fe.group_access,
		.log_stderr = o.log_stderr,
		.log_format = o.log_format,
		.keep_fd =
		    strncmp(o.conn, "fd:", 3) == 0 ? atoi(o.conn + 3) : -1 },
	    &md.daemon);

	md.base = event_base_new();
	if (!md.base || !(md.tick = evtimer_new(md.base, on_tick, &md)))
		start_fail("Out of memory");
	if (o.mux_socket) {
		if (muxclient_new(&md.client, md.base, o.mux_socket, err,
			sizeof(err)) < 0)
			start_fail("%s", err);
		md.asker = muxclient_asker(md.client);
	} else {
		if (mux_new(&md.mux, md.base, &mo, err, sizeof(err)) < 0)
			start_fail("%s", err);
		md.asker = (struct asker){ md.mux, mux_asker, mux_canceller };
	}
	o.fe.my_ip = find_my_ip();
	o.fe.validate_header = read_ip_key(o.ip_key_file);
	if (frontend_new(&md.fe, md.base, &o.fe, &md.asker, err, sizeof(err)) <
	    0)
		start_fail("%s", err);
	md.listen_fd = mlt_listen_open(o.conn,
	    &(struct mlt_listen_opts){ .backlog = (int)o.backlog,
		.umask_ = o.fe.group_access ? 007 : 077,
		.remove_dead = true },
	    err, sizeof(err));
	if (md.listen_fd < 0)
		start_fail("Could not open connection %s", err);
	watch_signal(&md, SIGTERM, on_stop_signal);
	watch_signal(&md, SIGINT, on_stop_signal);
	watch_signal(&md, SIGHUP, on_hup);
	log_alive(&o.fe);
	if (md.mux)
		mux_start(md.mux);
	ask_free(&md);
	event_base_dispatch(md.base);

	const char *path = mlt_listen_path(o.conn);
	frontend_free(md.fe);
	mux_free(md.mux);
	muxclient_free(md.client);
	if (path)
		fdio_unix_unlink(path);
	if (md.status)
		start_fail("Multiplexor socket did not appear.  Exiting.");
	daemon_cleanup(&md.daemon);
	return 0;
}
