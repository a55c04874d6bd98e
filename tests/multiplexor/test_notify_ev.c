/* SPDX-License-Identifier: MIT */
/* notify_ev, socketmap_ev: the sockets of -O and -N. */
#include "tests/support/mux_rig.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char notify_path[260], map_path[260];

static int
set_up(void **state)
{
	int rc = rig_setup(state);
	struct rig *r = *state;

	if (rc == 0) {
		snprintf(notify_path, sizeof(notify_path), "%s/O", r->dir);
		snprintf(map_path, sizeof(map_path), "%s/N", r->dir);
		r->o.notify_socket = notify_path;
		r->o.map_socket = map_path;
	}
	return rc;
}

static void
say(int fd, const char *text)
{
	rig_send(fd, text, strlen(text));
}

static int
dial(const char *path)
{
	int fd = fdio_unix_connect(path, false);

	assert_true(fd >= 0);
	fdio_set_nonblock(fd, true);
	return fd;
}

/* ---- listeners ----------------------------------------------------------------- */

/* A listener that is known to have been heard. */
static int
listener(struct rig *r, const char *wants)
{
	int fd = dial(notify_path);

	rig_heard(r, fd, "*OK\n");
	say(fd, wants);
	for (int i = 0; i < 5; i++)
		rig_say(r, "free");
	return fd;
}

static void
listeners_are_told_what_happens(void **state)
{
	struct rig *r = *state;
	char line[300], want[400];
	const char *fifo = rig_fifo(r, "w");
	struct rig_answer a;
	int all, some;

	r->o.max_workers = 1;
	rig_start(r);
	rig_until_letters(r, "I");
	all = listener(r, "?*\n");
	some = listener(r, "?FRU\n");
	snprintf(line, sizeof(line), "wait %s", fifo);
	rig_ask(r, line, &a);
	snprintf(want, sizeof(want),
	    "S 0 StateChange Idle -> Busy\nF 0\nZ\nS 0 wait %s\n", fifo);
	rig_heard(r, all, want);
	rig_release(r, fifo);
	rig_until(r, &a.done);
	rig_heard(r, all, "S 0 StateChange Busy -> Idle\nF 1\nY\n");
	rig_heard(r, some, "F 0\nF 1\n");
	/* a request that kills two is given up; the first was told nothing */
	rig_say(r, "crash");
	rig_heard(r, some, "F 0\nU\nF 1\n");
	close(all);
	close(some);
}

static void
hears_nothing(struct rig *r, int fd)
{
	char c;

	for (int i = 0; i < 5; i++)
		rig_say(r, "free");
	assert_int_equal(read(fd, &c, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
a_reread_is_told_once_and_only_if_it_happens(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;
	int fd;

	rig_start(r);
	assert_string_equal(rig_say(r, "scan Q /d"), "ok");
	fd = listener(r, "?R\n");
	setenv("WORKER_START", "die", 1);
	mux_reread(r->m);
	rig_until_logged(r, "ERR: reread refused: a worker exited with");
	unsetenv("WORKER_START");
	hears_nothing(r, fd);
	mux_reread(r->m);
	rig_heard(r, fd, "R\n");
	hears_nothing(r, fd);
	rig_ask(r, "reread", &a);
	rig_until(r, &a.done);
	assert_string_equal(a.text, "Forced reread of filter rules\n");
	rig_heard(r, fd, "R\n");
	hears_nothing(r, fd);
	close(fd);
}

static void
a_busy_timeout_is_told_before_the_kill(void **state)
{
	struct rig *r = *state;
	struct rig_answer a;
	int fd;

	r->o.max_workers = 1;
	r->o.busy_s = 1;
	rig_start(r);
	rig_until_letters(r, "I");
	fd = listener(r, "?*\n");
	rig_ask(r, "mute", &a);
	rig_until(r, &a.done);
	rig_heard(r, fd,
	    "S 0 StateChange Idle -> Busy\nF 0\nZ\nS 0 mute\n"
	    "B\nS 0 StateChange Busy -> Killed\nZ\n"
	    "S 0 StateChange Killed -> Stopped\nF 1\nY\n");
	close(fd);
}

static void
a_status_report_is_told(void **state)
{
	struct rig *r = *state;
	char line[300];
	const char *fifo = rig_fifo(r, "w");
	struct rig_answer a;
	int fd;

	r->o.status_fd = true;
	r->o.max_workers = 1;
	rig_start(r);
	rig_until_letters(r, "I");
	fd = listener(r, "?S\n");
	snprintf(line, sizeof(line), "status 1:%%20>%%0AForged %s", fifo);
	rig_ask(r, line, &a);
	rig_heard(r, fd,
	    "S 0 StateChange Idle -> Busy\nS 0 status 1: > Forged\n"
	    "S 0 1: > Forged\n");
	rig_release(r, fifo);
	rig_until(r, &a.done);
	close(fd);
}

static void
reread_is_told(void **state)
{
	struct rig *r = *state;
	int fd;

	rig_start(r);
	fd = listener(r, "?R\n");
	rig_say(r, "reread");
	rig_heard(r, fd, "R\n");
	close(fd);
}

static void
a_sixth_listener_is_refused(void **state)
{
	struct rig *r = *state;
	int fd[6];
	char rest[100];

	rig_start(r);
	for (int i = 0; i < 5; i++)
		fd[i] = listener(r, "?F\n");
	fd[5] = dial(notify_path);
	rig_receive(r, fd[5], rest, sizeof(rest));
	assert_string_equal(rest, "*ERR No free listening slots\n");
	assert_true(rig_logged(r, "WARN: notification socket: as many "
				  "listeners as --max-listeners allows (1 "));
	close(fd[0]);
	do {
		fd[0] = dial(notify_path);
		for (int i = 0; i < 5; i++)
			rig_say(r, "free");
	} while (read(fd[0], rest, 4) != 4 || memcmp(rest, "*OK\n", 4) != 0);
	for (int i = 0; i < 5; i++)
		close(fd[i]);
}

static void
one_that_does_not_take_them_is_closed(void **state)
{
	struct rig *r = *state;
	int fd, small = 1;

	r->o.client_s = 1;
	rig_start(r);
	fd = listener(r, "?*\n");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	while (!rig_logged(r, "a listener does not take its notifications"))
		rig_say(r, "scan Q /d");
	close(fd);
}

static void
without_the_sockets_all_else_goes_on(void **state)
{
	struct rig *r = *state;

	r->o.notify_socket = "/nowhere/O";
	r->o.map_socket = "/nowhere/N";
	rig_start(r);
	assert_true(rig_logged(r, "ERR: Unable to create notification socket "
				  "/nowhere/O: No such file or directory; "
				  "going on without"));
	assert_true(rig_logged(r, "ERR: Unable to create map socket "));
	assert_string_equal(rig_say(r, "scan Q /d"), "ok");
}

/* ---- maps ---------------------------------------------------------------------- */

static void
a_map_request_goes_to_a_worker(void **state)
{
	struct rig *r = *state;
	int fd;

	rig_start(r);
	fd = dial(map_path);
	say(fd, "15:echo key with x,");
	rig_heard(r, fd, "13:OK key with x,");
	/* in pieces, and two at once */
	say(fd, "6:ec");
	rig_say(r, "free");
	say(fd, "ho 1,7:echo %2,6:e");
	rig_heard(r, fd, "4:OK 1,5:OK %2,");
	say(fd, "cho 3,");
	rig_heard(r, fd, "4:OK 3,");
	close(fd);
	assert_string_equal(rig_say(r, "msgs"), "0");
}

static void
map_errors_are_of_a_map(void **state)
{
	struct rig *r = *state;
	char line[300], rest[100];
	const char *fifo = rig_fifo(r, "w");
	struct rig_answer a;
	int fd;

	r->o.max_workers = 1;
	r->o.queue_max = 5;
	r->o.busy_s = 1;
	rig_start(r);
	fd = dial(map_path);
	say(fd, "6:echo 1x6:echo 1,");
	rig_heard(r, fd, "40:PERM Netstring missing terminating comma,4:OK 1,");
	say(fd, "4:echo,");
	rig_heard(r, fd, "27:PERM Invalid request format,");
	say(fd, "6:mute 1,");
	rig_heard(r, fd, "27:TEMP Busy timeout on worker,");
	rig_until_letters(r, "S");
	snprintf(line, sizeof(line), "wait %s", fifo);
	rig_ask(r, line, &a);
	say(fd, "6:echo 1,"); /* never queued */
	rig_heard(r, fd, "20:TEMP No free workers,");
	rig_release(r, fifo);
	rig_until(r, &a.done);
	say(fd, "-1:,");
	assert_int_equal(rig_receive(r, fd, rest, sizeof(rest)), 0);
}

static void
a_map_client_has_its_time(void **state)
{
	struct rig *r = *state;
	char rest[100];
	int part, idle;

	r->o.client_s = 1;
	r->o.map_idle_s = 1;
	rig_start(r);
	part = dial(map_path);
	say(part, "100:x");
	assert_int_equal(rig_receive(r, part, rest, sizeof(rest)), 0);
	assert_true(rig_logged(r, "ERR: a client of the map socket is closed: "
				  "its request does not end"));
	idle = dial(map_path);
	assert_int_equal(rig_receive(r, idle, rest, sizeof(rest)), 0);
}

static void
map_clients_have_a_limit(void **state)
{
	struct rig *r = *state;
	char rest[100];
	int fd, other;

	r->o.max_map_clients = 1;
	rig_start(r);
	fd = dial(map_path);
	say(fd, "6:echo 1,");
	rig_heard(r, fd, "4:OK 1,");
	other = dial(map_path);
	assert_int_equal(rig_receive(r, other, rest, sizeof(rest)), 0);
	assert_true(rig_logged(r, "WARN: map socket: as many connections as "
				  "--max-map-clients allows (1 "));
	close(fd);
}

static void
sockets_are_for_the_owner_and_are_removed(void **state)
{
	struct rig *r = *state;
	struct stat st;

	rig_start(r);
	assert_int_equal(lstat(notify_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(lstat(map_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	mux_free(r->m);
	r->m = NULL;
	assert_int_equal(lstat(notify_path, &st), -1);
	assert_int_equal(lstat(map_path, &st), -1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, rig_teardown)
	static const struct CMUnitTest tests[] = {
		T(listeners_are_told_what_happens),
		T(a_busy_timeout_is_told_before_the_kill),
		T(a_status_report_is_told),
		T(reread_is_told),
		T(a_reread_is_told_once_and_only_if_it_happens),
		T(a_sixth_listener_is_refused),
		T(one_that_does_not_take_them_is_closed),
		T(without_the_sockets_all_else_goes_on),
		T(a_map_request_goes_to_a_worker),
		T(map_errors_are_of_a_map),
		T(a_map_client_has_its_time),
		T(map_clients_have_a_limit),
		T(sockets_are_for_the_owner_and_are_removed),
	};

	event_enable_debug_mode();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
