/* SPDX-License-Identifier: MIT */
#include "core/base/buf.h"
#include "core/base/fdio.h"
#include "core/frontend/muxclient_ev.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct fixture {
	struct event_base *base;
	struct muxclient *c;
	struct asker asker;
	struct buf got; /* "answer|" or "!error|" */
	int n_done;
	int listen_fd;
	char root[64], path[100];
};

static void
done(void *arg, char *answer, size_t n, const char *error)
{
	struct fixture *f = arg;

	f->n_done++;
	if (answer) {
		assert_int_equal(strlen(answer), n);
		answer[n] = 'x'; /* it may be modified, its NUL too */
		answer[n] = '\0';
		buf_addf(&f->got, "%s|", answer);
	} else {
		buf_addf(&f->got, "!%s|", error);
	}
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char err[200];

	snprintf(f->root, sizeof(f->root), "%s/muxclient.XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(f->root))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/s", f->root);
	f->base = event_base_new();
	f->listen_fd = fdio_unix_listen(f->path, 077, 1);
	if (f->listen_fd < 0 ||
	    muxclient_new(&f->c, f->base, f->path, err, sizeof(err)) < 0)
		return -1;
	f->asker = muxclient_asker(f->c);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	muxclient_free(f->c);
	event_base_free(f->base);
	close(f->listen_fd);
	unlink(f->path);
	rmdir(f->root);
	buf_fini(&f->got);
	free(f);
	return 0;
}

static uint64_t
ask(struct fixture *f, const char *line)
{
	uint64_t ticket =
	    f->asker.ask(f->asker.self, line, strlen(line), done, f);

	assert_true(ticket != 0);
	return ticket;
}

/* Accepts the next request; its line is checked.  A connected socket. */
static int
accept_request(struct fixture *f, const char *want)
{
	char line[200];
	int fd = accept(f->listen_fd, NULL, NULL);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, line, sizeof(line) - 1);
	assert_true(n >= 0);
	line[n] = '\0';
	assert_string_equal(line, want);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(fdio_write_all(fd, text, strlen(text)), 0);
}

static void
run_until(struct fixture *f, int n_done)
{
	while (f->n_done < n_done)
		event_base_loop(f->base, EVLOOP_ONCE);
}

static void
answer_ends_where_the_other_side_closes(void **state)
{
	struct fixture *f = *state;
	int fd;

	ask(f, "free");
	fd = accept_request(f, "free\n");
	say(fd, "1");
	event_base_loop(f->base, EVLOOP_ONCE);
	assert_int_equal(f->n_done, 0);
	say(fd, "2\n");
	close(fd);
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got), "12\n|");
}

static void
requests_do_not_wait_for_each_other(void **state)
{
	struct fixture *f = *state;
	int a, b;

	ask(f, "one");
	a = accept_request(f, "one\n");
	ask(f, "two");
	b = accept_request(f, "two\n");
	say(b, "B\n");
	close(b);
	run_until(f, 1);
	say(a, "A\n");
	close(a);
	run_until(f, 2);
	assert_string_equal(buf_cstr(&f->got), "B\n|A\n|");
}

static void
cancelled_request_is_not_answered(void **state)
{
	struct fixture *f = *state;
	uint64_t ticket = ask(f, "one");
	int a = accept_request(f, "one\n"), b;

	say(a, "A\n");
	close(a);
	f->asker.cancel(f->asker.self, ticket);
	f->asker.cancel(f->asker.self, ticket); /* unknown now */
	ask(f, "two");
	b = accept_request(f, "two\n");
	say(b, "B\n");
	close(b);
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got), "B\n|");
}

static void
error_is_told_from_the_loop(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	ask(f, "free");
	assert_int_equal(f->n_done, 0);
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got),
	    "!connect: No such file or directory: Is multiplexor running?|");
}

static void
silence_ends(void **state)
{
	struct fixture *f = *state;

	muxclient_set_wait(f->c, 1);
	ask(f, "free");
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got),
	    "!read: Connection timed out: Is multiplexor running?|");
}

static void
full_backlog_is_tried_again(void **state)
{
	struct fixture *f = *state;
	int fds[8], n = 0;

	/* one more than it holds is refused with EAGAIN */
	while (n < 8 && (fds[n] = fdio_unix_connect(f->path, true)) >= 0)
		n++;
	assert_true(n < 8);
	ask(f, "free");
	for (int i = 0; i < n; i++) {
		close(accept(f->listen_fd, NULL, NULL));
		close(fds[i]);
	}
	event_base_loop(f->base, EVLOOP_ONCE);
	int fd = accept_request(f, "free\n");
	say(fd, "1\n");
	close(fd);
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got), "1\n|");
}

static void
answer_without_end_is_cut_off(void **state)
{
	struct fixture *f = *state;
	static char text[16384];
	int fd;

	memset(text, 'x', sizeof(text) - 1);
	ask(f, "free");
	fd = accept_request(f, "free\n");
	say(fd, text);
	run_until(f, 1);
	close(fd);
	assert_string_equal(buf_cstr(&f->got),
	    "!read: Message too long: Is multiplexor running?|");
}

static void
free_with_an_open_request_is_fine(void **state)
{
	struct fixture *f = *state;

	ask(f, "free");
	muxclient_free(f->c);
	f->c = NULL;
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(f->n_done, 0);
}

static void
path_that_is_too_long_is_refused(void **state)
{
	struct fixture *f = *state;
	struct muxclient *c = NULL;
	char path[200], err[300];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(
	    muxclient_new(&c, f->base, path, err, sizeof(err)), -1);
	assert_null(c);
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(answer_ends_where_the_other_side_closes),
		CASE(requests_do_not_wait_for_each_other),
		CASE(cancelled_request_is_not_answered),
		CASE(error_is_told_from_the_loop),
		CASE(silence_ends),
		CASE(full_backlog_is_tried_again),
		CASE(answer_without_end_is_cut_off),
		CASE(free_with_an_open_request_is_fine),
		CASE(path_that_is_too_long_is_refused),
	};

	event_enable_debug_mode();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
