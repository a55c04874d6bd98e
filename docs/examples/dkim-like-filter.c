/* SPDX-License-Identifier: MIT */
/*
 * dkim-like-filter: reads each body and adds a header that describes it, as a
 * signing filter does:
 *
 *	X-Body-Digest: fnv1a=89a0b23e6f1c55d1; l=10240; i=4AMLk1Zq012345
 *
 * Shows state for each connection, macros, asking the MTA only for what is
 * needed, and a stop that lets open messages end.  The digest is no
 * cryptography, and a real signer canonicalises the body first (RFC 6376).
 *
 *	dkim-like-filter SOCKET		inet:10025@127.0.0.1, /run/x.sock
 */
#include <err.h>
#include <event2/event.h>
#include <inttypes.h>
#include <milterproto_server.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FNV_START 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

struct app {
	struct event_base *base;
	struct mlt_server *server;
};

/* What we know about one connection.  Messages on it follow one another, so one
 * set is enough; MAIL begins a new one. */
struct state {
	uint64_t digest, octets;
};

/* ---- the life of a connection ----------------------------------------------- */

/* The first call for a connection.  *ctx comes back in each later one; if there
 * is no memory it stays NULL, and event() says "try later". */
static void
opened(void *arg, uint64_t conn, void **ctx)
{
	(void)arg, (void)conn;
	*ctx = calloc(1, sizeof(struct state));
}

/* Always the last call, however the connection ended. */
static void
closed(void *arg, uint64_t conn, void *ctx, int why)
{
	(void)arg, (void)conn, (void)why;
	free(ctx);
}

/* ---- the message ------------------------------------------------------------ */

static void
digest_add(struct state *st, struct mlt_bytes text)
{
	uint64_t h = st->digest;

	for (size_t i = 0; i < text.n; i++)
		h = (h ^ (unsigned char)text.p[i]) * FNV_PRIME;
	st->digest = h;
	st->octets += text.n;
}

/* At the end of the message, the only place for changes. */
static int
add_digest(struct mlt_filter *f, const struct state *st)
{
	/* What the MTA calls the message.  Macros are octets from outside: use
	 * the length, and take care of what they may contain.  One that the MTA
	 * did not send is {NULL, 0}. */
	struct mlt_bytes id = mlt_filter_macro(f, "i");
	const struct mlt_bytes name = { "X-Body-Digest", 13 };
	char text[256];
	int n;

	n = snprintf(text, sizeof(text),
	    "fnv1a=%016" PRIx64 "; l=%" PRIu64 "; i=%.*s", st->digest,
	    st->octets, id.n > 100 ? 100 : (int)id.n, id.p ? id.p : "");
	return mlt_filter_add_header(
	    f, name, (struct mlt_bytes){ text, (size_t)n });
}

/* Only what we asked for arrives here.  ev's octets are gone when we return, so
 * whatever is needed later is copied. */
static void
event(void *arg, uint64_t conn, void *ctx, const struct mlt_event *ev)
{
	struct app *app = arg;
	struct state *st = ctx;
	struct mlt_reply reply = { .type = MLT_REPLY_CONTINUE };

	if (!st) {
		reply.type = MLT_REPLY_TEMPFAIL;
	} else if (ev->type == MLT_EV_MAIL) {
		*st = (struct state){ .digest = FNV_START };
	} else if (ev->type == MLT_EV_BODY) {
		digest_add(st, ev->text); /* a piece: up to 65,535 octets */
	} else if (ev->type == MLT_EV_EOM) {
		/* A message that we could not mark must not pass unmarked. */
		if (add_digest(mlt_server_session(app->server, conn), st) < 0)
			reply.type = MLT_REPLY_TEMPFAIL;
	}
	/* Where the MTA does not wait, a verdict is kept for the next step at
	 * which it does; so it is right to give one at any step. */
	if (ev->need_reply || reply.type != MLT_REPLY_CONTINUE)
		mlt_server_reply(app->server, conn, &reply);
	/* Nothing to do for MLT_EV_ABORT: the next MAIL begins anew. */
}

/* ---- start and stop --------------------------------------------------------- */

static void
drained(void *arg)
{
	struct app *app = arg;

	event_base_loopbreak(app->base);
}

static void
on_term(evutil_socket_t signo, short what, void *arg)
{
	struct app *app = arg;

	(void)signo, (void)what;
	mlt_server_drain(app->server, drained, app);
}

/* We look at MAIL, BODY and the end of the message.  The MTA need not send the
 * rest (NO_), nor wait for an answer to a piece of the body (NR_).  An MTA that
 * cannot do that is served too: the session answers for us. */
static const struct mlt_server_opts opts = {
	.filter.want = {
		.actions_required = MLT_ACT_ADDHDRS,
		.protocol = MLT_PROT_NO_CONNECT | MLT_PROT_NO_HELO |
		    MLT_PROT_NO_RCPT | MLT_PROT_NO_DATA | MLT_PROT_NO_HDRS |
		    MLT_PROT_NO_EOH | MLT_PROT_NO_UNKNOWN | MLT_PROT_NR_MAIL |
		    MLT_PROT_NR_BODY,
		/* Macros by stage.  Sendmail 8.17 honours the list of EOM only
		 * beside one of EOH. */
		.macros = { [MLT_STAGE_EOH] = "i", [MLT_STAGE_EOM] = "i" },
	},
};

int
main(int argc, char **argv)
{
	const struct mlt_server_ops ops = {
		.opened = opened, .event = event, .closed = closed
	};
	const struct mlt_listen_opts how = { .umask_ = 0007,
		.remove_dead = true };
	struct app app = { .base = event_base_new() };
	char why[200];

	if (argc != 2)
		errx(2, "usage: dkim-like-filter SOCKET");
	int fd = mlt_listen_open(argv[1], &how, why, sizeof(why));
	if (fd < 0)
		errx(1, "%s", why);
	/* The server owns fd from here on, even if it cannot use it. */
	if (!app.base ||
	    mlt_server_new(&app.server, app.base, &opts, &ops, &app) < 0 ||
	    mlt_server_listen(app.server, fd) < 0)
		errx(1, "out of memory");

	struct event *term = evsignal_new(app.base, SIGTERM, on_term, &app);
	if (!term || event_add(term, NULL) < 0)
		errx(1, "cannot watch SIGTERM");
	event_base_dispatch(app.base);

	mlt_server_free(app.server);
	event_free(term);
	event_base_free(app.base);
	if (mlt_listen_path(argv[1]))
		remove(mlt_listen_path(argv[1]));
	return 0;
}
