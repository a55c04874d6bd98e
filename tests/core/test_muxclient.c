/* SPDX-License-Identifier: MIT */
/* muxclient: a multiplexor that has one request on a connection. */
#include "tests/core/muxfix.h"

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

	f->known = true;
	unlink(f->path);
	ask(f, "free");
	assert_int_equal(f->n_done, 0);
	run_until(f, 1);
	assert_string_equal(buf_cstr(&f->got),
	    "!connect: No such file or directory: Is multiplexor running?|");
}

static void
one_that_was_away_is_asked_again_what_it_is(void **state)
{
	struct fixture *f = *state;
	int fd;

	ask(f, "one"); /* it says that it is not ours */
	fd = accept_request(f, "one\n");
	say(fd, "1\n");
	close(fd);
	run_until(f, 1);
	ask(f, "two"); /* nor is it asked again so soon */
	fd = accept_request(f, "two\n");
	say(fd, "2\n");
	close(fd);
	run_until(f, 2);
	close(f->listen_fd);
	ask(f, "three");
	run_until(f, 3);
	assert_string_equal(buf_cstr(&f->got),
	    "1\n|2\n|"
	    "!connect: Connection refused: Is multiplexor running?|");
	f->listen_fd = fdio_unix_listen(f->path, 077, 1);
	f->known = false;
	ask(f, "four");
	fd = accept_request(f, "four\n");
	close(fd);
	run_until(f, 4);
}

static void
silence_ends(void **state)
{
	struct fixture *f = *state;

	muxclient_set_times(f->c, 1000, 1);
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
	f->known = true; /* it is not even asked */
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
		CASE(one_that_was_away_is_asked_again_what_it_is),
		CASE(silence_ends),
		CASE(full_backlog_is_tried_again),
		CASE(answer_without_end_is_cut_off),
		CASE(free_with_an_open_request_is_fine),
		CASE(path_that_is_too_long_is_refused),
	};

	event_enable_debug_mode();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
