/* SPDX-License-Identifier: MIT */
/*
 * null-filter: a whole filter in a few lines.  Lets everything pass and adds
 * "X-Null: 1" to each message.
 *
 *	null-filter [--no-reply] SOCKET		inet:10025@127.0.0.1, /run/x.sock
 *
 * The MTA waits for an answer at each step.  With --no-reply it is told not to,
 * except at the end of the message: one round trip instead of some fifteen.
 */
#include <err.h>
#include <event2/event.h>
#include <milterproto_server.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct mlt_server *server;

/* Called for each thing that the MTA says, on any connection. */
static void
event(void *arg, uint64_t conn, void *ctx, const struct mlt_event *ev)
{
	const struct mlt_bytes name = { "X-Null", 6 }, value = { "1", 1 };
	struct mlt_reply reply = { .type = MLT_REPLY_CONTINUE };

	(void)arg, (void)ctx;
	if (ev->type == MLT_EV_EOM && /* the only place for changes */
	    mlt_filter_add_header(
		mlt_server_session(server, conn), name, value) < 0)
		reply.type = MLT_REPLY_TEMPFAIL; /* out of memory */
	if (ev->need_reply)
		mlt_server_reply(server, conn, &reply);
}

static void
stop(evutil_socket_t signo, short what, void *base)
{
	(void)signo, (void)what;
	event_base_loopbreak(base);
}

int
main(int argc, char **argv)
{
	bool no_reply = argc == 3 && strcmp(argv[1], "--no-reply") == 0;
	struct mlt_server_opts opts = { .filter.want.actions_required =
					    MLT_ACT_ADDHDRS };
	struct mlt_server_ops ops = { .event = event };
	struct mlt_listen_opts how = { .umask_ = 0007, .remove_dead = true };
	char why[200];

	if (argc != 2 + no_reply)
		errx(2, "usage: null-filter [--no-reply] SOCKET");
	opts.filter.want.protocol = no_reply ? MLT_PROT_NR_ALL : 0;
	const char *where = argv[argc - 1];
	int fd = mlt_listen_open(where, &how, why, sizeof(why));
	struct event_base *base = event_base_new();
	if (fd < 0)
		errx(1, "%s", why);
	if (!base || mlt_server_new(&server, base, &opts, &ops, NULL) < 0 ||
	    mlt_server_listen(server, fd) < 0)
		errx(1, "out of memory");
	event_add(evsignal_new(base, SIGTERM, stop, base), NULL);
	event_base_dispatch(base);
	mlt_server_free(server);
	if (mlt_listen_path(where))
		remove(mlt_listen_path(where));
	return 0;
}
