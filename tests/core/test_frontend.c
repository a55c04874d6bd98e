/* SPDX-License-Identifier: MIT */
/*
 * The whole front-end on a loop: a real server, a real multiplexor client, an
 * MTA's session on a UNIX socket, and a multiplexor that is a few lines here.
 */
#include "core/base/buf.h"
#include "core/base/fdio.h"
#include "core/base/log.h"
#include "core/base/muxpipe.h"
#include "core/frontend/frontend_ev.h"
#include "core/frontend/muxclient_ev.h"

#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <milterproto.h>
#include <milterproto_server.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

struct world {
	struct event_base *base;
	struct frontend_opts opts;
	struct frontend *fe;
	struct muxclient *client;
	struct event *mux_ev, *mta_ev;
	struct mlt_mta *mta;
	struct buf heard, asked, log;
	const char *results, *newbody;
	bool silent; /* the multiplexor hangs up without a word */
	bool mta_gone, drained;
	char root[64], mux_path[100], milter_path[100], last[600];
};

#define B(s)                                                                   \
	(struct mlt_bytes)                                                     \
	{                                                                      \
		s, sizeof(s) - 1                                               \
	}

static void
sink(void *arg, enum log_level level, const char *line)
{
	struct world *w = arg;

	buf_addf(&w->log, "%c %s\n", "EWID"[level], line);
}

/* ---- the multiplexor ------------------------------------------------------- */

static void
put_file(const char *dir, const char *name, const char *text)
{
	char path[700];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fdio_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static const char *
answer_to(struct world *w, const char *line)
{
	char dir[500];

	if (strcmp(line, "free") == 0)
		return "3\n";
	if (strcmp(line, MUXPIPE_ASK) == 0) /* it is of the plain kind */
		return "error: Invalid worker number\n";
	if (sscanf(line, "scan %*s %499s", dir) != 1)
		return "ok 1\n";
	if (w->results)
		put_file(dir, "RESULTS", w->results);
	if (w->newbody)
		put_file(dir, "NEWBODY", w->newbody);
	return "ok\n";
}

static void
on_mux(evutil_socket_t fd, short what, void *arg)
{
	struct world *w = arg;
	char line[5000];
	size_t n = 0;
	int c = accept(fd, NULL, NULL);

	(void)what;
	assert_true(c >= 0);
	while (n == 0 || line[n - 1] != '\n') {
		ssize_t r = read(c, line + n, sizeof(line) - 1 - n);
		assert_true(r > 0);
		n += (size_t)r;
	}
	line[n - 1] = '\0';
	if (strcmp(line, MUXPIPE_ASK) != 0)
		buf_addf(&w->asked, "%.*s\n", (int)strcspn(line, " "), line);
	if (!w->silent) {
		const char *answer = answer_to(w, line);
		assert_int_equal(fdio_write_all(c, answer, strlen(answer)), 0);
	}
	close(c);
}

/* ---- the MTA ------------------------------------------------------------------ */

static void
hear(struct world *w, const struct mlt_action *a)
{
	if (a->reply == 'O')
		return;
	buf_addf(&w->heard, "%c", a->reply);
	if (a->name.n)
		buf_addf(&w->heard, " %.*s: %.*s", (int)a->name.n, a->name.p,
		    (int)a->value.n, a->value.p);
	else if (a->text.n)
		buf_addf(&w->heard, " %.*s", (int)a->text.n, a->text.p);
	buf_addc(&w->heard, '\n');
}

static void
on_mta(evutil_socket_t fd, short what, void *arg)
{
	struct world *w = arg;
	struct mlt_action a;
	char b[4096];
	ssize_t n = read(fd, b, sizeof(b));

	(void)what;
	if (n <= 0) {
		w->mta_gone = true;
		event_del(w->mta_ev);
		return;
	}
	assert_true(mlt_mta_feed(w->mta, b, (size_t)n) >= 0);
	while (mlt_mta_next(w->mta, &a) > 0)
		hear(w, &a);
}

/* Sends what the MTA said, and runs the loop until it awaits nothing. */
static void
run(struct world *w, int rc)
{
	const uint8_t *p;
	size_t n = mlt_mta_output(w->mta, &p);

	assert_true(rc >= 0);
	if (n) {
		assert_int_equal(
		    fdio_write_all(event_get_fd(w->mta_ev), p, n), 0);
		mlt_mta_sent(w->mta, n);
	}
	while (mlt_mta_awaits(w->mta) && !w->mta_gone)
		event_base_loop(w->base, EVLOOP_ONCE);
}

static void
mta_dial(struct world *w)
{
	int fd = fdio_unix_connect(w->milter_path, true);

	assert_true(fd >= 0);
	assert_int_equal(mlt_mta_new(&w->mta, NULL), 0);
	w->mta_ev = event_new(w->base, fd, EV_READ | EV_PERSIST, on_mta, w);
	event_add(w->mta_ev, NULL);
	w->mta_gone = false;
	run(w, mlt_mta_negotiate(w->mta));
	run(w, mlt_mta_connect(w->mta, B("h.example"), '4', 25, B("1.2.3.4")));
	run(w, mlt_mta_helo(w->mta, B("helo")));
}

static void
mta_hang_up(struct world *w)
{
	close(event_get_fd(w->mta_ev));
	event_free(w->mta_ev);
	mlt_mta_free(w->mta);
	w->mta_ev = NULL;
	w->mta = NULL;
}

static void
send_message(struct world *w)
{
	const struct mlt_bytes id[] = { B("i"), B("QID1") };

	run(w, mlt_mta_macros(w->mta, 'M', id, 1));
	run(w, mlt_mta_mail(w->mta, &B("<a@b>"), 1));
	run(w, mlt_mta_rcpt(w->mta, &B("<c@d>"), 1));
	run(w, mlt_mta_data(w->mta));
	run(w, mlt_mta_header(w->mta, B("Subject"), B("hi")));
	run(w, mlt_mta_eoh(w->mta));
	run(w, mlt_mta_body(w->mta, "body\r\n", 6));
	run(w, mlt_mta_eom(w->mta));
}

/* Each case is played twice. */
static bool together;

static int
play_together(void **state)
{
	(void)state;
	together = true;
	return 0;
}

/* ---- begin and end --------------------------------------------------------------- */

static void
begin(struct world *w)
{
	char err[200];
	int fd;

	log_set_sink(sink, w);
	snprintf(w->root, sizeof(w->root), "%s/world.XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(w->root));
	snprintf(w->mux_path, sizeof(w->mux_path), "%s/mux.sock", w->root);
	snprintf(
	    w->milter_path, sizeof(w->milter_path), "%s/milter.sock", w->root);
	w->base = event_base_new();
	fd = fdio_unix_listen(w->mux_path, 077, 5);
	assert_true(fd >= 0);
	w->mux_ev = event_new(w->base, fd, EV_READ | EV_PERSIST, on_mux, w);
	event_add(w->mux_ev, NULL);
	assert_int_equal(
	    muxclient_new(&w->client, w->base, w->mux_path, err, sizeof(err)),
	    0);
	const struct asker asker = muxclient_asker(w->client);
	w->opts.spool_dir = w->root;
	w->opts.scanned_by = "us";
	w->opts.reserve = -1;
	w->opts.replies_together = together;
	assert_int_equal(
	    frontend_new(&w->fe, w->base, &w->opts, &asker, err, sizeof(err)),
	    0);
	fd = fdio_unix_listen(w->milter_path, 077, 5);
	assert_true(fd >= 0);
	assert_int_equal(frontend_listen(w->fe, fd), 0);
	if (!w->results)
		w->results = "F\n";
}

static bool
has_dir(const struct world *w)
{
	DIR *d = opendir(w->root);
	struct dirent *e;
	bool found = false;

	while ((e = readdir(d)))
		if (strncmp(e->d_name, "mdefang-", 8) == 0)
			found = true;
	closedir(d);
	return found;
}

static void
end(struct world *w)
{
	int root = fdio_open_dir("/");

	if (w->mta)
		mta_hang_up(w);
	frontend_free(w->fe);
	muxclient_free(w->client);
	assert_false(has_dir(w));
	close(event_get_fd(w->mux_ev));
	event_free(w->mux_ev);
	event_base_free(w->base);
	log_set_sink(NULL, NULL);
	assert_string_equal(buf_cstr(&w->log), "");
	fdio_remove_tree(root, w->root + 1);
	close(root);
	buf_fini(&w->heard);
	buf_fini(&w->asked);
	buf_fini(&w->log);
}

#define assert_heard(w, text) assert_string_equal(buf_cstr(&(w)->heard), text)

/* ---- cases ------------------------------------------------------------------------ */

static void
message_passes_with_all_checks(void **state)
{
	struct world w = { .opts = { .check_relay = true,
			       .check_helo = true,
			       .check_sender = true,
			       .check_recipient = true },
		.results = "HX-A b\nC\nRx@y\nF\n",
		.newbody = "one\ntwo\r\n" };

	(void)state;
	begin(&w);
	mta_dial(&w);
	send_message(&w);
	assert_heard(&w, "c\nc\nc\nc\nh X-A: b\nb one\r\ntwo\r\n\n+ x@y\n"
			 "h X-Scanned-By: us\nc\n");
	assert_string_equal(buf_cstr(&w.asked),
	    "free\nrelayok\nhelook\nsenderok\nrecipok\nscan\n");
	assert_false(has_dir(&w));
	end(&w);
}

static void
two_messages_pass_on_a_connection_without_checks(void **state)
{
	struct world w = { .opts = { .queue_connections = true } };

	(void)state;
	begin(&w);
	mta_dial(&w);
	send_message(&w);
	send_message(&w);
	assert_heard(&w, "h X-Scanned-By: us\nc\nh X-Scanned-By: us\nc\n");
	assert_string_equal(buf_cstr(&w.asked), "scan\nscan\n");
	end(&w);
}

static void
multiplexor_that_hangs_up_is_a_tempfail(void **state)
{
	struct world w = { .opts = { .queue_connections = true },
		.silent = true };

	(void)state;
	begin(&w);
	mta_dial(&w);
	send_message(&w);
	assert_heard(&w, "t\n");
	assert_string_equal(
	    buf_cstr(&w.log), "E QID1: Error from multiplexor: \n");
	buf_reset(&w.log);
	end(&w);
}

static void
multiplexor_that_is_not_there_is_a_tempfail(void **state)
{
	struct world w = { .opts = { .queue_connections = true } };

	(void)state;
	begin(&w);
	assert_int_equal(unlink(w.mux_path), 0);
	mta_dial(&w);
	send_message(&w);
	assert_heard(&w, "t\n");
	assert_string_equal(buf_cstr(&w.log),
	    "E QID1: MXCommand: connect: No such file or directory: Is "
	    "multiplexor running?\n");
	buf_reset(&w.log);
	end(&w);
}

static void
multiplexor_that_says_nothing_is_not_waited_for_for_ever(void **state)
{
	struct world w = { .opts = { .queue_connections = true } };

	(void)state;
	begin(&w);
	event_del(w.mux_ev);
	muxclient_set_times(w.client, 1000, 1);
	mta_dial(&w);
	send_message(&w);
	assert_heard(&w, "t\n");
	assert_string_equal(buf_cstr(&w.log),
	    "E QID1: MXCommand: read: Connection timed out: Is multiplexor "
	    "running?\n");
	buf_reset(&w.log);
	end(&w);
}

static void
mta_that_hangs_up_leaves_nothing(void **state)
{
	struct world w = { .opts = { .check_sender = true } };

	(void)state;
	begin(&w);
	mta_dial(&w);
	run(&w, mlt_mta_mail(w.mta, &B("<a@b>"), 1));
	assert_true(has_dir(&w));
	mta_hang_up(&w);
	while (has_dir(&w))
		event_base_loop(w.base, EVLOOP_ONCE);
	end(&w);
}

static void
on_drained(void *arg)
{
	struct world *w = arg;

	w->drained = true;
}

static void
drain_lets_an_open_message_finish(void **state)
{
	struct world w = { .opts = { .queue_connections = true } };
	const struct mlt_bytes body = B("x");

	(void)state;
	begin(&w);
	mta_dial(&w);
	run(&w, mlt_mta_mail(w.mta, &B("<a@b>"), 1));
	run(&w, mlt_mta_data(w.mta));
	run(&w, mlt_mta_eoh(w.mta));
	event_base_loop(w.base, EVLOOP_ONCE); /* it has arrived */
	frontend_drain(w.fe, on_drained, &w);
	assert_false(w.drained);
	run(&w, mlt_mta_body(w.mta, body.p, body.n));
	run(&w, mlt_mta_eom(w.mta));
	assert_heard(&w, "h X-Scanned-By: us\nc\n");
	while (!w.drained)
		event_base_loop(w.base, EVLOOP_ONCE);
	end(&w);
}

static void
free_tempfails_a_message_that_is_being_scanned(void **state)
{
	struct world w = { .opts = { .queue_connections = true } };
	const uint8_t *p;
	size_t n;

	(void)state;
	begin(&w);
	event_del(w.mux_ev);
	mta_dial(&w);
	run(&w, mlt_mta_mail(w.mta, &B("<a@b>"), 1));
	run(&w, mlt_mta_data(w.mta));
	run(&w, mlt_mta_eoh(w.mta));
	assert_int_equal(mlt_mta_eom(w.mta), 1);
	n = mlt_mta_output(w.mta, &p);
	assert_int_equal(fdio_write_all(event_get_fd(w.mta_ev), p, n), 0);
	mlt_mta_sent(w.mta, n);
	while (!has_dir(&w))
		event_base_loop(w.base, EVLOOP_ONCE);
	frontend_free(w.fe);
	w.fe = NULL;
	assert_false(has_dir(&w));
	while (!w.mta_gone)
		event_base_loop(w.base, EVLOOP_ONCE);
	assert_heard(&w, "t\n");
	end(&w);
}

static void
begin_message(struct world *w)
{
	run(w, mlt_mta_mail(w->mta, &B("<a@b>"), 1));
	run(w, mlt_mta_data(w->mta));
}

static void
finish_message(struct world *w)
{
	run(w, mlt_mta_header(w->mta, B("X-Key"), B("1.2.3.4")));
	run(w, mlt_mta_eoh(w->mta));
	run(w, mlt_mta_eom(w->mta));
}

static void
another_secret_header_is_for_the_next_message(void **state)
{
	struct world w = { .opts = { .queue_connections = true,
			       .check_sender = true } };

	(void)state;
	begin(&w);
	mta_dial(&w);
	begin_message(&w);
	assert_int_equal(frontend_sessions(w.fe), 1);
	frontend_set_validation(w.fe, "X-Key");
	finish_message(&w);
	begin_message(&w);
	frontend_set_validation(w.fe, NULL);
	finish_message(&w);
	begin_message(&w);
	finish_message(&w);
	assert_heard(&w, "c\nh X-Scanned-By: us\nc\n"
			 "c\nh X-Scanned-By: us\nm X-Key: \nc\n"
			 "c\nh X-Scanned-By: us\nc\n");
	end(&w);
}

static void
peers_and_limits_are_those_of_the_options(void **state)
{
	const uid_t nobody = getuid() + 1;
	const struct mlt_server_opts limits = { .uids = &nobody, .n_uids = 1 };
	struct world w = { .opts = {
			       .queue_connections = true, .server = &limits } };
	char want[200];
	int fd;

	(void)state;
	begin(&w);
	assert_int_equal(frontend_sessions(w.fe), 0);
	fd = fdio_unix_connect(w.milter_path, false);
	while (!buf_len(&w.log))
		event_base_loop(w.base, EVLOOP_ONCE);
	snprintf(want, sizeof(want),
	    "W Refused a connection from uid %d gid %d pid %d: --allow, "
	    "--allow-user or --allow-group does not name it\n",
	    (int)getuid(), (int)getgid(), (int)getpid());
	assert_string_equal(buf_cstr(&w.log), want);
	buf_reset(&w.log);
	assert_int_equal(frontend_sessions(w.fe), 0);
	close(fd);
	end(&w);
}

static void
spool_that_is_missing_is_said_at_start(void **state)
{
	struct frontend_opts o = { .spool_dir = "/nonexistent/spool" };
	struct event_base *base = event_base_new();
	const struct asker asker = { 0 };
	struct frontend *fe = NULL;
	char err[200];

	(void)state;
	assert_int_equal(
	    frontend_new(&fe, base, &o, &asker, err, sizeof(err)), -1);
	assert_string_equal(err,
	    "Cannot open spool directory /nonexistent/spool: No such file or "
	    "directory");
	assert_null(fe);
	event_base_free(base);
}

#define TOGETHER(f)                                                            \
	{                                                                      \
#f "_together", f, play_together, NULL, NULL                   \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_passes_with_all_checks),
		cmocka_unit_test(
		    two_messages_pass_on_a_connection_without_checks),
		cmocka_unit_test(multiplexor_that_hangs_up_is_a_tempfail),
		cmocka_unit_test(multiplexor_that_is_not_there_is_a_tempfail),
		cmocka_unit_test(
		    multiplexor_that_says_nothing_is_not_waited_for_for_ever),
		cmocka_unit_test(mta_that_hangs_up_leaves_nothing),
		cmocka_unit_test(drain_lets_an_open_message_finish),
		cmocka_unit_test(
		    free_tempfails_a_message_that_is_being_scanned),
		cmocka_unit_test(another_secret_header_is_for_the_next_message),
		cmocka_unit_test(peers_and_limits_are_those_of_the_options),
		cmocka_unit_test(spool_that_is_missing_is_said_at_start),
		TOGETHER(message_passes_with_all_checks),
		TOGETHER(two_messages_pass_on_a_connection_without_checks),
		TOGETHER(multiplexor_that_hangs_up_is_a_tempfail),
		TOGETHER(multiplexor_that_is_not_there_is_a_tempfail),
		TOGETHER(
		    multiplexor_that_says_nothing_is_not_waited_for_for_ever),
		TOGETHER(mta_that_hangs_up_leaves_nothing),
		TOGETHER(drain_lets_an_open_message_finish),
		TOGETHER(free_tempfails_a_message_that_is_being_scanned),
		TOGETHER(another_secret_header_is_for_the_next_message),
	};

	event_enable_debug_mode();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
