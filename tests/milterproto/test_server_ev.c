/* SPDX-License-Identifier: MIT */
/* The server on a real loop and real sockets: what it does all day. */
#include "serverfix.h"

#include <netinet/in.h>
#include <sys/resource.h>

#include "milterproto/server.h"
#include "tests/support/failmalloc.h"

enum {
	CLIENTS = 40
};

/* ---- cases --------------------------------------------------------------------------- */

static void
two_messages_pass_on_one_connection(void **state)
{
	struct client c;

	(void)state;
	serve(&all);
	greet(&c);
	for (int i = 0; i < 2; i++) {
		message(&c);
		assert_int_equal(answer(&c), 'c');
	}
	assert_int_equal(mlt_mta_quit(c.m, false), 2);
	UNTIL(&c, c.hung_up);
	assert_int_equal(n_eom, 2);
	assert_int_equal(n_closed, 1);
	assert_int_equal(last_why, 0);
	assert_int_equal(mlt_server_connections(server), 0);
	hang_up(&c);
}

static void
many_connections_are_served_at_once(void **state)
{
	static struct client c[CLIENTS];

	(void)state;
	serve(&all);
	for (int i = 0; i < CLIENTS; i++)
		greet(&c[i]);
	assert_int_equal(mlt_server_connections(server), CLIENTS);
	for (int i = 0; i < CLIENTS; i++)
		message(&c[i]);
	for (int i = CLIENTS - 1; i >= 0; i--)
		assert_int_equal(answer(&c[i]), 'c');
	for (int i = 0; i < CLIENTS; i++)
		hang_up(&c[i]);
	while (n_closed < CLIENTS)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(mlt_server_connections(server), 0);
}

static struct {
	char way[8192]; /* '>' from the MTA, '<' to it, for each octet */
	uint8_t octet[8192];
	size_t n;
	unsigned eoms_at_end; /* how many were known when EOM had come */
} tapped;

static void
tap(void *arg, uint64_t conn, void *ctx, bool sent, const void *p, size_t n)
{
	const uint8_t *octets = p;

	(void)arg;
	assert_int_equal(conn, last_conn);
	assert_ptr_equal(ctx, &n_opened);
	for (size_t i = 0; i < n; i++, tapped.n++) {
		tapped.way[tapped.n] = sent ? '<' : '>';
		tapped.octet[tapped.n] = octets[i];
	}
	if (!sent && octets[n - 1] == 'E')
		tapped.eoms_at_end = n_eom;
}

static void
octets_are_shown_as_they_pass(void **state)
{
	static const uint8_t end[] = "\0\0\0\1E"
				     "\0\0\0\12hX-Null\0001\0"
				     "\0\0\0\1c";
	struct mlt_server_ops tapping = ops;
	size_t at;
	struct client c;

	(void)state;
	tapping.octets = tap;
	tapped.n = 0;
	tapped.eoms_at_end = 1;
	serve_with(&all, &tapping);
	greet(&c);
	message(&c);
	assert_int_equal(answer(&c), 'c');
	assert_true(tapped.n > sizeof(end));
	at = tapped.n - (sizeof(end) - 1);
	assert_memory_equal(tapped.octet + at, end, sizeof(end) - 1);
	assert_memory_equal(tapped.way + at, ">>>>><<<<<<<<<<<<<<<<<<<", 24);
	assert_int_equal(tapped.eoms_at_end, 0); /* before the event */
	hang_up(&c);
}

static void
large_answers_leave_in_pieces(void **state)
{
	struct client c;

	(void)state;
	body_bytes = 1 << 20;
	serve(&all);
	greet(&c);
	message(&c);
	assert_int_equal(answer(&c), 'c');
	assert_int_equal(c.body, 1 << 20);
	hang_up(&c);
}

static void
late_answers_are_sent(void **state)
{
	struct client c;

	(void)state;
	late = true;
	serve(&all);
	greet(&c);
	message(&c);
	UNTIL(&c, n_eom == 1);
	assert_true(mlt_mta_awaits(c.m));
	finish(late_conn);
	assert_int_equal(answer(&c), 'c');
	hang_up(&c);
}

static void
an_answer_to_a_gone_connection_is_refused(void **state)
{
	struct client c;

	(void)state;
	late = true;
	serve(&all);
	greet(&c);
	message(&c);
	UNTIL(&c, n_eom == 1);
	hang_up(&c);
	while (n_closed == 0)
		event_base_loop(base, EVLOOP_ONCE);
	assert_null(mlt_server_session(server, late_conn));
	assert_int_equal(mlt_server_reply(server, late_conn,
			     &(struct mlt_reply){ .type = MLT_REPLY_REJECT }),
	    MLT_E_STATE);
	/* its slot serves the next one under another number */
	greet(&c);
	assert_true(last_conn != late_conn);
	assert_null(mlt_server_session(server, late_conn));
	hang_up(&c);
}

static void
a_broken_connection_aborts_its_message(void **state)
{
	struct client c;
	struct mlt_bytes from = B("<>");

	(void)state;
	serve(&all);
	greet(&c);
	want(&c, mlt_mta_mail(c.m, &from, 1), 'c');
	hang_up(&c);
	while (n_closed == 0)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(n_abort, 1);
	assert_int_equal(last_why, 0);
}

static void
garbage_closes_the_connection(void **state)
{
	struct client c;

	(void)state;
	serve(&all);
	greet(&c);
	assert_int_equal(send(c.fd, "\0\0\0\1Z", 5, MSG_NOSIGNAL), 5);
	UNTIL(&c, c.hung_up);
	assert_int_equal(last_why, MLT_E_PROTO);
	hang_up(&c);
}

static void
a_peer_that_runs_ahead_is_answered_in_order(void **state)
{
	/* MAIL, RCPT, EOH, EOM, QUIT in one go */
	static const char all_at_once[] = "\0\0\0\4M<>\0\0\0\0\4R<>\0"
					  "\0\0\0\1N\0\0\0\1E\0\0\0\1Q";
	static const char want_back[] = "\0\0\0\1c\0\0\0\1c\0\0\0\1c"
					"\0\0\0\012hX-Null\0001\0\0\0\0\1c";
	char got[128];
	size_t n = 0;
	struct client c;

	(void)state;
	late = true;
	serve(&all);
	greet(&c);
	assert_int_equal(
	    send(c.fd, all_at_once, sizeof(all_at_once) - 1, MSG_NOSIGNAL),
	    sizeof(all_at_once) - 1);
	while (n_eom == 0)
		event_base_loop(base, EVLOOP_ONCE);
	finish(late_conn);
	while (!c.hung_up) {
		ssize_t r;

		event_base_loop(base, EVLOOP_NONBLOCK);
		r = read(c.fd, got + n, sizeof(got) - n);
		c.hung_up = r == 0;
		n += r > 0 ? (size_t)r : 0;
	}
	assert_int_equal(n, sizeof(want_back) - 1);
	assert_memory_equal(got, want_back, n);
	hang_up(&c);
}

static void
progress_leaves_with_a_flush(void **state)
{
	struct client c;
	struct mlt_action a;

	(void)state;
	late = true;
	serve(&all);
	greet(&c);
	message(&c);
	UNTIL(&c, n_eom == 1);
	assert_int_equal(
	    mlt_filter_progress(mlt_server_session(server, late_conn)), 0);
	assert_int_equal(mlt_mta_next(c.m, &a), 0);
	mlt_server_flush(server, late_conn);
	mlt_server_flush(server, late_conn + 1); /* nobody */
	UNTIL(&c, mlt_mta_next(c.m, &a) == 1);
	assert_int_equal(a.reply, 'p');
	finish(late_conn);
	assert_int_equal(answer(&c), 'c');
	hang_up(&c);
}

static void
inet_connections_do_not_delay(void **state)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t len = sizeof(sa);
	struct client c;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	serve(&all);
	assert_int_equal(mlt_server_listen(server, fd), 0);
	c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
	assert_int_equal(connect(c.fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(fcntl(c.fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(mlt_mta_new(&c.m, NULL), 0);
	want(&c, mlt_mta_negotiate(c.m), 'O');
	message(&c);
	assert_int_equal(answer(&c), 'c');
	/* reset: an error of read, not an end */
	assert_int_equal(setsockopt(c.fd, SOL_SOCKET, SO_LINGER,
			     &(struct linger){ 1, 0 }, sizeof(struct linger)),
	    0);
	hang_up(&c);
	while (n_closed == 0)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(last_why, MLT_CLOSE_IO);
}

static void
one_connection_too_many_waits(void **state)
{
	struct mlt_server_opts o = all;
	struct client a, b;

	(void)state;
	o.max_connections = 1;
	serve(&o);
	greet(&a);
	dial(&b);
	turn(&b);
	assert_int_equal(mlt_server_connections(server), 1);
	hang_up(&a);
	want(&b, mlt_mta_negotiate(b.m), 'O');
	assert_int_equal(n_opened, 2);
	hang_up(&b);
}

static void
drain_waits_for_open_messages_only(void **state)
{
	struct client idle, open;

	(void)state;
	late = true;
	serve(&all);
	greet(&idle);
	greet(&open);
	message(&open);
	UNTIL(&open, n_eom == 1);
	mlt_server_drain(server, on_drained, NULL);
	assert_int_equal(mlt_server_connections(server), 1);
	assert_int_equal(last_why, MLT_CLOSE_DRAIN);
	assert_int_equal(n_drained, 0);
	finish(late_conn);
	assert_int_equal(n_drained, 1);
	assert_int_equal(answer(&open), 'c');
	UNTIL(&open, open.hung_up);
	hang_up(&idle);
	hang_up(&open);
}

static void
drain_of_nothing_is_reported_at_once(void **state)
{
	(void)state;
	serve(&all);
	mlt_server_drain(server, on_drained, NULL);
	assert_int_equal(n_drained, 1);
}

static void
idle_connections_are_closed(void **state)
{
	struct mlt_server_opts o = all;
	struct client c;

	(void)state;
	o.idle_ms = 1;
	serve(&o);
	dial(&c);
	while (n_closed == 0)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(last_why, MLT_CLOSE_IDLE);
	hang_up(&c);
}

static void
free_closes_what_is_open(void **state)
{
	struct client c;
	struct mlt_bytes from = B("<>");

	(void)state;
	serve(&all);
	greet(&c);
	want(&c, mlt_mta_mail(c.m, &from, 1), 'c');
	mlt_server_free(server);
	server = NULL;
	assert_int_equal(n_abort, 1);
	assert_int_equal(last_why, MLT_CLOSE_DRAIN);
	hang_up(&c);
}

static void
listening_takes_sockets_only(void **state)
{
	(void)state;
	serve(&all);
	assert_int_equal(mlt_server_listen(server, -1), MLT_E_ARG);
}

/* While an answer is awaited a peer can send so much and no more. */
static void
a_peer_that_runs_ahead_is_held_back(void **state)
{
	static char aborts[5 * 20000];
	size_t sent = 0;
	struct client c;
	unsigned quiet = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(aborts); i += 5)
		memcpy(aborts + i, "\0\0\0\1A", 5);
	late = true;
	serve(&all);
	greet(&c);
	message(&c);
	UNTIL(&c, n_eom == 1);
	while (quiet < 10) {
		ssize_t n = send(c.fd, aborts, sizeof(aborts), MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		quiet = n > 0 ? 0 : quiet + 1;
		event_base_loop(base, EVLOOP_NONBLOCK);
		assert_true(sent < 4 << 20);
	}
	finish(late_conn);
	assert_int_equal(answer(&c), 'c');
	for (int i = 0; i < 100; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	assert_true(send(c.fd, aborts, 1, MSG_NOSIGNAL) == 1);
	hang_up(&c);
}

static void
no_descriptor_left_delays_accepting(void **state)
{
	struct rlimit before, tight;
	struct client a, b;

	(void)state;
	serve(&all);
	greet(&a);
	dial(&b);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)b.fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	turn(&b);
	turn(&b);
	assert_int_equal(mlt_server_connections(server), 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	hang_up(&a); /* frees one */
	want(&b, mlt_mta_negotiate(b.m), 'O');
	hang_up(&b);
}

/* ... but not for ever: it tries again later, here at once. */
static void
accepting_goes_on_by_itself(void **state)
{
	struct mlt_server_stats st;
	struct rlimit before, tight;
	struct client a, b;

	(void)state;
	serve(&all);
	greet(&a);
	dial(&b);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)b.fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	turn(&b);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	turn(&b);
	assert_int_equal(mlt_server_connections(server), 1);
	mlt_server_stats(server, &st);
	assert_int_equal(st.failed, 1);
	mlt_accept_resume(-1, 0, server);
	want(&b, mlt_mta_negotiate(b.m), 'O');
	hang_up(&a);
	hang_up(&b);
}

static void
an_answer_without_memory_hangs_up(void **state)
{
	struct client c;

	(void)state;
	late = true;
	serve(&all);
	greet(&c);
	message(&c);
	UNTIL(&c, n_eom == 1);
	failmalloc_once(0);
	assert_int_equal(mlt_server_reply(server, late_conn,
			     &(struct mlt_reply){ .type = MLT_REPLY_ACCEPT }),
	    MLT_E_NOMEM);
	failmalloc_off();
	assert_int_equal(last_why, MLT_E_NOMEM);
	assert_int_equal(answer(&c), 0);
	hang_up(&c);
}

/* A conversation that needs each kind of memory, said at once.  1: answered to
 * the end, 0: hung up. */
static int
converse(void)
{
	static const char said[] =
	    "\0\0\0\015O\0\0\0\6\0\0\1\377\0\037\377\377"
	    "\0\0\0\6DCj\0x\0\0\0\0\3Hh\0\0\0\0\4M<>\0\0\0\0\4R<>\0"
	    "\0\0\0\1T\0\0\0\1N\0\0\0\1E\0\0\0\1Q";
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char got[256];
	size_t n = 0;
	ssize_t r;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(
	    send(fd, said, sizeof(said) - 1, MSG_NOSIGNAL), sizeof(said) - 1);
	do {
		event_base_loop(base, EVLOOP_NONBLOCK);
		r = read(fd, got + n, sizeof(got) - n);
		n += r > 0 ? (size_t)r : 0;
	} while (r != 0 && !(r < 0 && errno == ECONNRESET));
	close(fd);
	return n == 17 + 5 * 5 + 14 + 5;
}

/* As on_event, but without memory an answer may fail. */
static void
on_event_forgiving(
    void *arg, uint64_t conn, void *ctx, const struct mlt_event *ev)
{
	(void)arg;
	(void)ctx;
	if (!ev->need_reply)
		return;
	if (ev->type == MLT_EV_EOM)
		mlt_filter_add_header(
		    mlt_server_session(server, conn), B("X-Null"), B("1"));
	if (mlt_server_reply(server, conn,
		&(struct mlt_reply){ .type = MLT_REPLY_CONTINUE }) < 0)
		return;
}

static void
no_memory_closes_one_connection(void **state)
{
	struct mlt_server_ops forgiving = ops;
	char err[256], spec[128];
	size_t i = 0;
	int whole;

	(void)state;
	forgiving.event = on_event_forgiving;
	snprintf(spec, sizeof(spec), "unix:%s", path);
	do {
		failmalloc_once(i++);
		whole = mlt_server_new(&server, base, &all, &forgiving, NULL);
		if (whole == 0)
			whole = mlt_server_listen(server,
			    mlt_listen_open(spec, NULL, err, sizeof(err)));
		whole = whole == 0 && converse();
		whole = whole && failmalloc_count() < i;
		failmalloc_off();
		if (server && n_opened > n_closed)
			assert_int_equal(mlt_server_connections(server), 0);
		mlt_server_free(server);
		server = NULL;
		unlink(path);
		assert_int_equal(n_opened, n_closed);
	} while (!whole);
	assert_true(i > 8); /* each of them was tried */
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(two_messages_pass_on_one_connection),
		CASE(many_connections_are_served_at_once),
		CASE(octets_are_shown_as_they_pass),
		CASE(large_answers_leave_in_pieces),
		CASE(late_answers_are_sent),
		CASE(an_answer_to_a_gone_connection_is_refused),
		CASE(a_broken_connection_aborts_its_message),
		CASE(garbage_closes_the_connection),
		CASE(a_peer_that_runs_ahead_is_answered_in_order),
		CASE(a_peer_that_runs_ahead_is_held_back),
		CASE(progress_leaves_with_a_flush),
		CASE(inet_connections_do_not_delay),
		CASE(one_connection_too_many_waits),
		CASE(no_descriptor_left_delays_accepting),
		CASE(accepting_goes_on_by_itself),
		CASE(an_answer_without_memory_hangs_up),
		CASE(no_memory_closes_one_connection),
		CASE(drain_waits_for_open_messages_only),
		CASE(drain_of_nothing_is_reported_at_once),
		CASE(idle_connections_are_closed),
		CASE(free_closes_what_is_open),
		CASE(listening_takes_sockets_only),
	};

	/* so that its memory can fail, too */
	event_set_mem_functions(malloc, realloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
