/* SPDX-License-Identifier: MIT */
/* The server when somebody is late, greedy, unwelcome, or calls back. */
#include "serverfix.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "milterproto/server.h"
#include "tests/support/failmalloc.h"

static struct mlt_server_stats
stats(void)
{
	struct mlt_server_stats st;

	mlt_server_stats(server, &st);
	return st;
}

static void
loop_until_closed(unsigned n)
{
	while (n_closed < n)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
}

/* ---- time-outs and output --------------------------------------------------- */

static void
an_unanswered_message_is_tempfailed(void **state)
{
	struct mlt_server_opts o = all;
	struct client c;

	(void)state;
	o.reply_ms = 1;
	late = true;
	serve(&o);
	greet(&c);
	message(&c);
	assert_int_equal(answer(&c), 't');
	UNTIL(&c, c.hung_up);
	assert_int_equal(last_why, MLT_CLOSE_REPLY);
	assert_int_equal(stats().closed[MLT_CLOSE_REPLY], 1);
	/* the late answer finds nothing */
	assert_int_equal(mlt_server_reply(server, late_conn,
			     &(struct mlt_reply){ .type = MLT_REPLY_ACCEPT }),
	    MLT_E_STATE);
	hang_up(&c);
}

static void
on_event_silent(void *arg, uint64_t conn, void *ctx, const struct mlt_event *ev)
{
	(void)arg;
	(void)conn;
	(void)ctx;
	n_abort += ev->type == MLT_EV_ABORT;
	late = late || ev->need_reply;
}

static void
serve_silently(const struct mlt_server_opts *o)
{
	struct mlt_server_ops silent = { .event = on_event_silent };
	char err[256], spec[128];

	assert_int_equal(mlt_server_new(&server, base, o, &silent, NULL), 0);
	snprintf(spec, sizeof(spec), "unix:%s", path);
	assert_int_equal(mlt_server_listen(server,
			     mlt_listen_open(spec, NULL, err, sizeof(err))),
	    0);
}

static void
an_unanswered_step_is_tempfailed_and_aborted(void **state)
{
	static const char said[] = "\0\0\0\4M<>\0";
	struct mlt_server_opts o = all;
	struct client c;
	char got[8];

	(void)state;
	o.reply_ms = 1;
	serve_silently(&o);
	dial(&c);
	want(&c, mlt_mta_negotiate(c.m), 'O');
	assert_int_equal(send(c.fd, said, sizeof(said) - 1, MSG_NOSIGNAL), 8);
	while (stats().closed[MLT_CLOSE_REPLY] == 0)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(read(c.fd, got, sizeof(got)), 5);
	assert_memory_equal(got, "\0\0\0\1t", 5);
	assert_int_equal(n_abort, 1);
	hang_up(&c);
}

/* There is no TEMPFAIL for it. */
static void
an_unanswered_offer_ends_the_connection(void **state)
{
	struct mlt_server_opts o = { .filter.ask_options = true,
		.reply_ms = 1 };
	struct client c;

	(void)state;
	serve_silently(&o);
	dial(&c);
	assert_int_equal(mlt_mta_negotiate(c.m), 1);
	assert_int_equal(answer(&c), 0);
	assert_int_equal(stats().closed[MLT_CLOSE_REPLY], 1);
	hang_up(&c);
}

/* Many ticks of the shorter time pass while the longer one runs.  What then is
 * to leave with a flush leaves before the connection is called idle. */
static void
an_owed_answer_is_not_idleness(void **state)
{
	struct mlt_server_opts o = all;
	struct client c, idle;
	char octets[100];

	(void)state;
	o.idle_ms = 1;
	late = true;
	serve(&o);
	dial(&c);
	mlt_mta_negotiate(c.m);
	mlt_mta_next(c.m, &(struct mlt_action){ 0 });
	assert_int_equal(send(c.fd,
			     "\0\0\0\015O\0\0\0\6\0\0\1\377\0\037\377\377"
			     "\0\0\0\4M<>\0\0\0\0\4R<>\0\0\0\0\1E",
			     17 + 8 + 8 + 5, MSG_NOSIGNAL),
	    38);
	while (n_eom == 0)
		event_base_loop(base, EVLOOP_ONCE);
	for (unsigned i = 1; i <= 3; i++) {
		dial(&idle);
		loop_until_closed(i);
		assert_int_equal(last_why, MLT_CLOSE_IDLE);
		hang_up(&idle);
	}
	assert_int_equal(mlt_server_connections(server), 1);
	late = false;
	assert_int_equal(mlt_filter_reply(mlt_server_session(server, late_conn),
			     &(struct mlt_reply){ .type = MLT_REPLY_REJECT }),
	    0);
	loop_until_closed(4);
	assert_int_equal(
	    recv(c.fd, octets, sizeof(octets), MSG_DONTWAIT), 17 + 5 + 5 + 5);
	assert_memory_equal(octets + 17 + 5 + 5, "\0\0\0\1r", 5);
	hang_up(&c);
}

static void
a_peer_that_never_reads_is_closed(void **state)
{
	struct mlt_server_opts o = all;
	struct client c;

	(void)state;
	o.max_queued_bytes = 1000;
	body_bytes = 1 << 20;
	serve(&o);
	greet(&c);
	message(&c);
	turn(&c);
	loop_until_closed(1);
	assert_int_equal(last_why, MLT_CLOSE_OUTPUT);
	assert_int_equal(stats().closed[MLT_CLOSE_OUTPUT], 1);
	hang_up(&c);
}

/* Without an answer owed, too much output stops reading until it is taken. */
static void
slow_readers_are_not_read(void **state)
{
	struct mlt_server_opts o = all;
	struct client c;

	(void)state;
	o.max_output_bytes = 1;
	body_bytes = 1 << 20;
	serve(&o);
	greet(&c);
	message(&c);
	UNTIL(&c, n_eom == 1);
	assert_int_equal(mlt_mta_quit(c.m, false), -3); /* still awaits */
	assert_int_equal(send(c.fd, "\0\0\0\1Q", 5, MSG_NOSIGNAL), 5);
	for (int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(n_closed, 0);
	assert_int_equal(answer(&c), 'c');
	UNTIL(&c, c.hung_up);
	assert_int_equal(last_why, 0);
	hang_up(&c);
}

/* ---- who may ------------------------------------------------------------------- */

static void
users_who_are_not_listed_are_refused(void **state)
{
	uid_t uid = getuid() + 1;
	struct mlt_server_opts o = { .uids = &uid, .n_uids = 1 };
	struct client c;
	char who[64];

	(void)state;
	serve(&o);
	dial(&c);
	assert_int_equal(mlt_mta_negotiate(c.m), 1);
	UNTIL(&c, n_refused == 1);
	snprintf(who, sizeof(who), "uid %u gid %u pid %d", getuid(), getgid(),
	    getpid());
	assert_string_equal(last_peer, who);
	assert_int_equal(n_opened, 0);
	assert_int_equal(stats().refused, 1);
	assert_int_equal(stats().accepted, 0);
	hang_up(&c);
}

static int
dial_inet(const struct mlt_server_opts *o)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(mlt_server_new(&server, base, o, &ops, NULL), 0);
	assert_int_equal(mlt_server_listen(server, fd), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
	return fd;
}

static void
addresses_that_are_not_listed_are_refused(void **state)
{
	int fd =
	    dial_inet(&(struct mlt_server_opts){ .allow = "192.0.2.0/24" });

	(void)state;
	while (n_refused == 0)
		event_base_loop(base, EVLOOP_ONCE);
	assert_memory_equal(last_peer, "127.0.0.1:", 10);
	assert_int_equal(n_opened, 0);
	close(fd);
}

static void
listed_addresses_are_let_in(void **state)
{
	int fd = dial_inet(&(struct mlt_server_opts){ .allow = "127.0.0.0/8" });

	(void)state;
	while (n_opened == 0)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(n_refused, 0);
	close(fd);
}

static void
options_are_checked(void **state)
{
	struct mlt_server_ops deaf = { .opened = on_opened };

	(void)state;
	assert_int_equal(
	    mlt_server_new(&server, base, NULL, &deaf, NULL), MLT_E_ARG);
	assert_int_equal(
	    mlt_server_new(&server, base,
		&(struct mlt_server_opts){ .allow = "here" }, &ops, NULL),
	    MLT_E_ARG);
}

/* ---- numbers --------------------------------------------------------------------- */

static void
connections_are_counted(void **state)
{
	struct client c;

	(void)state;
	serve(&all);
	greet(&c);
	assert_int_equal(stats().open, 1);
	assert_int_equal(stats().accepted, 1);
	hang_up(&c);
	loop_until_closed(1);
	assert_int_equal(stats().open, 0);
	assert_int_equal(stats().ended, 1);
	greet(&c);
	assert_int_equal(send(c.fd, "\0\0\0\1Z", 5, MSG_NOSIGNAL), 5);
	loop_until_closed(2);
	hang_up(&c);
	assert_int_equal(stats().protocol, 1);
	assert_int_equal(stats().accepted, 2);
	assert_int_equal(stats().failed, 0);
}

/* ---- callbacks that call back ----------------------------------------------------- */

static void
free_server(void *arg)
{
	(void)arg;
	n_drained++;
	mlt_server_free(server);
	server = NULL;
}

static void
on_opened_drain(void *arg, uint64_t conn, void **ctx)
{
	on_opened(arg, conn, ctx);
	mlt_server_drain(server, free_server, NULL);
	assert_int_equal(n_drained, 0); /* not below our feet */
}

static void
serve_calling(
    const struct mlt_server_ops *calling, const struct mlt_server_opts *o)
{
	char err[256], spec[128];

	assert_int_equal(mlt_server_new(&server, base, o, calling, NULL), 0);
	snprintf(spec, sizeof(spec), "unix:%s", path);
	assert_int_equal(mlt_server_listen(server,
			     mlt_listen_open(spec, NULL, err, sizeof(err))),
	    0);
}

static void
a_server_may_go_when_its_first_peer_comes(void **state)
{
	struct mlt_server_ops o = ops;
	struct client c;

	(void)state;
	o.opened = on_opened_drain;
	serve_calling(&o, &all);
	dial(&c);
	UNTIL(&c, n_drained == 1);
	assert_null(server);
	assert_int_equal(n_closed, 1);
	hang_up(&c);
}

static void
on_refused_drain(void *arg, const char *peer)
{
	on_refused(arg, peer);
	mlt_server_drain(server, free_server, NULL);
}

static void
a_server_may_go_when_it_refuses(void **state)
{
	uid_t uid = getuid() + 1;
	struct mlt_server_opts so = { .uids = &uid, .n_uids = 1 };
	struct mlt_server_ops o = ops;
	struct client c;

	(void)state;
	o.refused = on_refused_drain;
	serve_calling(&o, &so);
	dial(&c);
	UNTIL(&c, n_drained == 1);
	assert_null(server);
	hang_up(&c);
}

static void
on_closed_drain(void *arg, uint64_t conn, void *ctx, int why)
{
	on_closed(arg, conn, ctx, why);
	mlt_server_drain(server, free_server, NULL);
}

/* One time-out ends them all, and the server. */
static void
a_server_may_go_while_it_looks_for_idle_peers(void **state)
{
	struct mlt_server_opts so = all;
	struct mlt_server_ops o = ops;
	struct client c[3];

	(void)state;
	so.idle_ms = 4;
	o.closed = on_closed_drain;
	serve_calling(&o, &so);
	for (int i = 0; i < 3; i++)
		dial(&c[i]);
	while (n_drained == 0)
		event_base_loop(base, EVLOOP_ONCE);
	assert_null(server);
	assert_int_equal(n_closed, n_opened);
	for (int i = 0; i < 3; i++)
		hang_up(&c[i]);
}

/* libevent has no memory to watch a descriptor with. */
static void
listeners_need_memory(void **state)
{
	char err[256], spec[128];
	int fd, rc = -1;
	size_t i = 0;

	(void)state;
	snprintf(spec, sizeof(spec), "unix:%s", path);
	while (rc < 0) {
		assert_int_equal(
		    mlt_server_new(&server, base, &all, &ops, NULL), 0);
		fd = mlt_listen_open(spec, NULL, err, sizeof(err));
		assert_true(fd >= 0);
		failmalloc_once(i++);
		rc = mlt_server_listen(server, fd);
		failmalloc_off();
		assert_true(rc == 0 || rc == MLT_E_NOMEM);
		mlt_server_free(server);
		server = NULL;
		unlink(path);
	}
	assert_true(i > 2);
}

/* Slots, connection, libevent's entry: without one of them there is one
 * connection less, and accepting goes on later. */
static void
connections_need_memory(void **state)
{
	struct client c;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		event_base_free(base);
		base = event_base_new();
		assert_non_null(base);
		serve(&all);
		dial(&c);
		failmalloc_once(i);
		event_base_loop(base, EVLOOP_NONBLOCK);
		failmalloc_off();
		assert_int_equal(stats().failed, 1);
		assert_int_equal(stats().accepted, 0);
		hang_up(&c);
		mlt_accept_resume(-1, 0, server);
		greet(&c);
		hang_up(&c);
		mlt_server_free(server);
		server = NULL;
		unlink(path);
	}
	assert_int_equal(n_opened, n_closed);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_unanswered_message_is_tempfailed),
		CASE(an_unanswered_step_is_tempfailed_and_aborted),
		CASE(an_unanswered_offer_ends_the_connection),
		CASE(an_owed_answer_is_not_idleness),
		CASE(a_peer_that_never_reads_is_closed),
		CASE(slow_readers_are_not_read),
		CASE(users_who_are_not_listed_are_refused),
		CASE(addresses_that_are_not_listed_are_refused),
		CASE(listed_addresses_are_let_in),
		CASE(options_are_checked),
		CASE(connections_are_counted),
		CASE(a_server_may_go_when_its_first_peer_comes),
		CASE(a_server_may_go_when_it_refuses),
		CASE(a_server_may_go_while_it_looks_for_idle_peers),
		CASE(listeners_need_memory),
		CASE(connections_need_memory),
	};

	/* so that its memory can fail, too */
	event_set_mem_functions(malloc, realloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
