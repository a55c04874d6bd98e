/* SPDX-License-Identifier: MIT */
/*
 * serverfix: a server on a real loop, and MTAs that talk to it.
 *
 * The MTA's end is the MTA session on a socket of the same loop, so that
 * nothing ever waits for time to pass.  Sockets live below a temporary
 * directory.  For one test file each: all is static.
 */
#ifndef TESTS_MILTERPROTO_SERVERFIX_H
#define TESTS_MILTERPROTO_SERVERFIX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <milterproto_server.h>

#define B(s) ((struct mlt_bytes){ (s), sizeof(s) - 1 })

/* ---- the server's side ----------------------------------------------------------- */

static struct event_base *base;
static struct mlt_server *server;
static char dir[64], path[96];
static unsigned n_opened, n_closed, n_eom, n_abort, n_drained;
static unsigned n_refused;
static char last_peer[100];
static int last_why;
static uint64_t last_conn, late_conn;
static bool late;         /* do not answer EOM at once */
static size_t body_bytes; /* REPLBODY at EOM */

static inline void
on_opened(void *arg, uint64_t conn, void **ctx)
{
	(void)arg;
	*ctx = &n_opened;
	n_opened++;
	last_conn = conn;
}

static inline void
finish(uint64_t conn)
{
	static char zeros[1 << 20];
	struct mlt_filter *f = mlt_server_session(server, conn);

	assert_int_equal(mlt_filter_add_header(f, B("X-Null"), B("1")), 0);
	if (body_bytes)
		assert_int_equal(
		    mlt_filter_replace_body(f, zeros, body_bytes), 0);
	assert_int_equal(mlt_server_reply(server, conn,
			     &(struct mlt_reply){ .type = MLT_REPLY_CONTINUE }),
	    0);
}

static inline void
on_event(void *arg, uint64_t conn, void *ctx, const struct mlt_event *ev)
{
	(void)arg;
	assert_ptr_equal(ctx, &n_opened);
	n_eom += ev->type == MLT_EV_EOM;
	n_abort += ev->type == MLT_EV_ABORT;
	if (!ev->need_reply)
		return;
	if (ev->type == MLT_EV_EOM && late)
		late_conn = conn;
	else if (ev->type == MLT_EV_EOM)
		finish(conn);
	else
		assert_int_equal(
		    mlt_server_reply(server, conn,
			&(struct mlt_reply){ .type = MLT_REPLY_CONTINUE }),
		    0);
}

static inline void
on_closed(void *arg, uint64_t conn, void *ctx, int why)
{
	(void)arg;
	(void)conn;
	assert_ptr_equal(ctx, &n_opened);
	n_closed++;
	last_why = why;
}

static inline void
on_refused(void *arg, const char *peer)
{
	(void)arg;
	n_refused++;
	snprintf(last_peer, sizeof(last_peer), "%s", peer);
}

static inline void
on_drained(void *arg)
{
	(void)arg;
	n_drained++;
}

static const struct mlt_server_ops ops = { .opened = on_opened,
	.event = on_event,
	.closed = on_closed,
	.refused = on_refused };

static inline void
serve_with(const struct mlt_server_opts *o, const struct mlt_server_ops *with)
{
	struct mlt_listen_opts lo = { .umask_ = 0077 };
	char err[256], spec[128];
	int fd;

	assert_int_equal(mlt_server_new(&server, base, o, with, NULL), 0);
	snprintf(spec, sizeof(spec), "unix:%s", path);
	fd = mlt_listen_open(spec, &lo, err, sizeof(err));
	assert_true(fd >= 0);
	assert_int_equal(mlt_server_listen(server, fd), 0);
}

static inline void
serve(const struct mlt_server_opts *o)
{
	serve_with(o, &ops);
}

/* ---- the MTA's side --------------------------------------------------------------- */

struct client {
	int fd;
	struct mlt_mta *m;
	bool hung_up;
	size_t body; /* octets of REPLBODY */
};

static inline void
dial(struct client *c)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	*c = (struct client){ .fd = -1 };
	strcpy(sa.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(c->fd >= 0);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(mlt_mta_new(&c->m, NULL), 0);
}

static inline void
hang_up(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	mlt_mta_free(c->m);
	c->m = NULL;
}

/* Runs the loop once without waiting and moves octets.  False: nothing new. */
static inline bool
turn(struct client *c)
{
	static uint8_t buf[65536];
	const uint8_t *p;
	size_t n = mlt_mta_output(c->m, &p);
	ssize_t got;

	if (n > 0) {
		got = send(c->fd, p, n, MSG_NOSIGNAL);
		if (got > 0)
			mlt_mta_sent(c->m, (size_t)got);
	}
	assert_true(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
	got = read(c->fd, buf, sizeof(buf));
	c->hung_up = c->hung_up || got == 0;
	if (got > 0)
		assert_int_equal(mlt_mta_feed(c->m, buf, (size_t)got), 0);
	return got > 0;
}

/* The final answer, as its octet; 0 = the filter hung up. */
static inline uint8_t
answer(struct client *c)
{
	struct mlt_action a = { 0 };
	int rc = 0;

	while (!c->hung_up && !(rc > 0 && a.final)) {
		rc = mlt_mta_next(c->m, &a);
		assert_true(rc >= 0);
		if (rc == 0)
			turn(c);
		else if (a.reply == MLT_SMFIR_REPLBODY)
			c->body += a.text.n;
	}
	return c->hung_up ? 0 : a.reply;
}

static inline void
want(struct client *c, int said, uint8_t octet)
{
	assert_int_equal(said, 1);
	assert_int_equal(answer(c), octet);
}

static inline void
greet(struct client *c)
{
	dial(c);
	want(c, mlt_mta_negotiate(c->m), 'O');
	want(c, mlt_mta_connect(c->m, B("h"), 'U', 0, B("")), 'c');
	want(c, mlt_mta_helo(c->m, B("h")), 'c');
}

/* Up to and with EOM, whose answer is not awaited. */
static inline void
message(struct client *c)
{
	struct mlt_bytes from = B("<a@b>"), to = B("<c@d>");

	want(c, mlt_mta_mail(c->m, &from, 1), 'c');
	want(c, mlt_mta_rcpt(c->m, &to, 1), 'c');
	want(c, mlt_mta_data(c->m), 'c');
	want(c, mlt_mta_header(c->m, B("Subject"), B(" x")), 'c');
	want(c, mlt_mta_eoh(c->m), 'c');
	want(c, mlt_mta_body(c->m, "x\r\n", 3), 'c');
	assert_int_equal(mlt_mta_eom(c->m), 1);
}

/* Turns until the server has done what the condition says. */
#define UNTIL(c, condition)                                                    \
	while (!(condition))                                                   \
	turn(c)

/* ---- fixture ------------------------------------------------------------------------ */

static inline int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(dir, sizeof(dir), "%s/mlt.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	base = event_base_new();
	n_opened = n_closed = n_eom = n_abort = n_drained = 0;
	n_refused = 0;
	last_why = -1;
	late = false;
	body_bytes = 0;
	return base ? 0 : -1;
}

static inline int
teardown(void **state)
{
	(void)state;
	mlt_server_free(server);
	server = NULL;
	event_base_free(base);
	unlink(path);
	rmdir(dir);
	return 0;
}

static const struct mlt_server_opts all = {
	.filter = { .want = { .actions_wanted = MLT_ACT_ALL } }
};

#endif
