/* SPDX-License-Identifier: MIT */
/*
 * dump: `milter-check dump`, a filter that lets everything pass and shows what
 * an MTA says (dump.h).
 */
#include "cli/check/dump.h"

#include "cli/check/subcommand.h"
#include "core/base/clock.h"
#include "core/base/fdio.h"

#include <event2/event.h>
#include <milterproto_server.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODE_DFLT  "0666" /* the MTA is another user, as a rule */
#define FRAME_MAX_ ((size_t)1 << 20)

struct dump_opts {
	bool json, hex;
	long connections;
	const char *mode, *macros;
};

#define AT(member) offsetof(struct dump_opts, member)
static const struct opt rows[] = {
	{ 'x', "hex", OPT_FLAG, 0, AT(hex), NULL, NULL, 0, 0,
	    "show the octets of each packet, too", NULL },
	{ 0, "json", OPT_FLAG, 0, AT(json), NULL, NULL, 0, 0,
	    "show each packet as a JSON object on one line", NULL },
	{ 'n', "connections", OPT_INT, OPT_STRICT, AT(connections), "N", NULL,
	    0, 1000000000, "end after so many connections", NULL },
	{ 0, "macros", OPT_STR, 0, AT(macros), "NAMES", NULL, 0, 0,
	    "ask the MTA for these at every stage, not for what it tells by "
	    "itself",
	    NULL },
	{ 0, "mode", OPT_STR, 0, AT(mode), "MODE", MODE_DFLT, 0, 0,
	    "of a UNIX socket: who may connect", NULL },
};

struct dump {
	const struct dump_opts *o;
	struct dump_form form;
	struct event_base *base;
	struct mlt_server *server;
	uint64_t n_opened, n_closed;
};

/* ---- the filter ----------------------------------------------------------------------- */

static void
opened(void *arg, uint64_t conn, void **ctx)
{
	struct dump *d = arg;
	struct dump_show *show = malloc(sizeof(*show));

	(void)conn;
	*ctx = show; /* without it the connection is served, but not shown */
	d->n_opened++;
	if (show)
		dump_show_begin(show, &d->form, d->n_opened, clock_mono_us());
}

static void
octets(void *arg, uint64_t conn, void *ctx, bool sent, const void *p, size_t n)
{
	(void)arg;
	(void)conn;
	if (ctx)
		dump_show_octets(ctx, sent, p, n, clock_mono_us());
}

static void
event(void *arg, uint64_t conn, void *ctx, const struct mlt_event *ev)
{
	const struct mlt_reply go_on = { .type = MLT_REPLY_CONTINUE };
	struct dump *d = arg;

	(void)ctx;
	if (ev->need_reply)
		mlt_server_reply(d->server, conn, &go_on);
}

static void
closed(void *arg, uint64_t conn, void *ctx, int why)
{
	struct dump *d = arg;

	(void)conn;
	if (ctx)
		dump_show_end(
		    ctx, why < 0 ? mlt_strerror(why) : NULL, clock_mono_us());
	free(ctx);
	if (++d->n_closed == (uint64_t)d->o->connections)
		event_base_loopbreak(d->base);
}

/* ---- start and end -------------------------------------------------------------------- */

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct dump *d = arg;

	(void)signo;
	(void)what;
	event_base_loopbreak(d->base);
}

static int
complain(const char *text, int status)
{
	fprintf(stderr, "milter-check dump: %s\n", text);
	return status;
}

/* All steps, all replies: what an MTA says to a filter that wants everything. */
static int
make_server(struct dump *d, int fd)
{
	const struct mlt_server_ops ops = { .opened = opened,
		.event = event,
		.closed = closed,
		.octets = octets };
	struct mlt_server_opts opts = {
		.filter = { .max_frame_bytes = FRAME_MAX_ },
	};

	for (unsigned i = 0; i < MLT_STAGE_N; i++)
		opts.filter.want.macros[i] = d->o->macros;
	if (mlt_server_new(&d->server, d->base, &opts, &ops, d) < 0) {
		close(fd);
		return -1;
	}
	return mlt_server_listen(d->server, fd);
}

static int
serve(struct dump *d, int fd)
{
	struct event *stop[2];
	int rc = -1;

	d->base = event_base_new();
	if (!d->base)
		return -1;
	stop[0] = evsignal_new(d->base, SIGINT, on_signal, d);
	stop[1] = evsignal_new(d->base, SIGTERM, on_signal, d);
	if (make_server(d, fd) == 0 && stop[0] && stop[1] &&
	    event_add(stop[0], NULL) == 0 && event_add(stop[1], NULL) == 0) {
		fputs("milter-check dump: serving; Ctrl-C ends it\n", stderr);
		event_base_dispatch(d->base);
		rc = 0;
	}
	mlt_server_free(d->server);
	for (size_t i = 0; i < 2; i++) {
		if (stop[i])
			event_free(stop[i]);
	}
	event_base_free(d->base);
	return rc;
}

/* "0660" -> its bits; 0: it is none. */
static unsigned
parse_mode(const char *text)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	return *text >= '0' && *text <= '7' && !*end && mode <= 0777
		   ? (unsigned)mode
		   : 0;
}

int
check_dump_main(int argc, char **argv)
{
	static const struct cmdline line = { .name = "milter-check dump",
		.rows = rows,
		.n = sizeof(rows) / sizeof(*rows),
		.words = " SOCKET",
		.command = true,
		.permute = true,
		.usage_status = CHECK_EXIT_USAGE };
	struct dump_opts o = { .json = false };
	struct mlt_listen_opts how = { .remove_dead = true };
	struct dump d = { .o = &o };
	struct fdio_made made = { 0 };
	int first = cmdline_parse(&line, &o, argc, argv), fd, rc;
	const char *path;
	char err[300];

	if (argc - first != 1)
		cmdline_usage(&line, &o);
	if (!(how.mode = parse_mode(o.mode)))
		return complain(
		    "--mode takes octal digits, as in 0660", CHECK_EXIT_USAGE);
	fd = mlt_listen_open(argv[first], &how, err, sizeof(err));
	if (fd < 0)
		return complain(err, CHECK_EXIT_UNREACHABLE);
	if ((path = mlt_listen_path(argv[first])))
		made = fdio_unix_made(path);
	d.form = (struct dump_form){ .json = o.json, .hex = o.hex };
	rc = serve(&d, fd);
	if (path)
		fdio_unix_unlink(path, &made);
	return rc < 0 ? complain("out of memory", CHECK_EXIT_DOES_NOT)
		      : CHECK_EXIT_CONFORMS;
}
