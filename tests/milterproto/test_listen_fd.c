/* SPDX-License-Identifier: MIT */
/*
 * Sockets that were handed over, at descriptors 3 and 4, as the convention
 * wants it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <milterproto_server.h>

static char err[256];
static struct mlt_listen_fd got[2];

/* A listener at this descriptor, with an address of the kernel's choice. */
static void
put_listener(int at, int type)
{
	sa_family_t family = AF_UNIX;
	int fd = socket(AF_UNIX, type, 0);

	assert_true(fd >= 0);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&family, sizeof(family)), 0);
	assert_int_equal(listen(fd, 1), 0);
	if (fd != at) {
		assert_int_equal(dup2(fd, at), at);
		close(fd);
	}
}

static void
set_or_unset(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

/* The value of `check` with listeners at 3 and 4, where afterwards is again
 * whatever was there. */
static int
with_sockets(const char *fds, const char *names, bool ours, int (*check)(void))
{
	int kept[2], ok;
	char pid[20];

	for (int i = 0; i < 2; i++)
		kept[i] = fcntl(3 + i, F_DUPFD_CLOEXEC, 10);
	put_listener(4, SOCK_STREAM);
	put_listener(3, SOCK_STREAM);
	snprintf(pid, sizeof(pid), "%d", getpid() + !ours);
	set_or_unset("LISTEN_PID", pid);
	set_or_unset("LISTEN_FDS", fds);
	set_or_unset("LISTEN_FDNAMES", names);
	ok = check();
	for (int i = 0; i < 2; i++) {
		close(3 + i);
		if (kept[i] >= 0) {
			dup2(kept[i], 3 + i);
			close(kept[i]);
		}
	}
	return ok;
}

static int
take(void)
{
	return mlt_listen_inherited(got, 2, err, sizeof(err));
}

static bool
named(const struct mlt_listen_fd *l, const char *name)
{
	if (!name)
		return !l->name.p && l->name.n == 0;
	return l->name.n == strlen(name) &&
	       memcmp(l->name.p, name, l->name.n) == 0;
}

static int
is_ready(int fd)
{
	return fcntl(fd, F_GETFL) & O_NONBLOCK &&
	       fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static int
two_with_names(void)
{
	return take() == 2 && got[0].fd == 3 && got[1].fd == 4 &&
	       named(&got[0], "milter") && named(&got[1], "control") &&
	       is_ready(3) && is_ready(4) && getenv("LISTEN_FDS") &&
	       getenv("LISTEN_PID");
}

static int
one_without_name(void)
{
	return take() == 2 && named(&got[0], "milter") && named(&got[1], NULL);
}

static int
first_without_name(void)
{
	return take() == 2 && named(&got[0], NULL) && named(&got[1], "b");
}

static int
no_names(void)
{
	return take() == 1 && got[0].fd == 3 && named(&got[0], NULL) &&
	       !is_ready(4);
}

static int
none(void)
{
	return take() == 0;
}

static int
two_without_pid(void)
{
	unsetenv("LISTEN_PID");
	return none();
}

static int
no_number(void)
{
	return take() == -1 && strstr(err, "is no number") != NULL;
}

static int
too_many(void)
{
	return take() == -1 && strstr(err, "at most 2 are wanted") != NULL;
}

static int
not_listening(void)
{
	close(4);
	return take() == -1 && strstr(err, "descriptor 4") != NULL;
}

static int
not_a_stream(void)
{
	put_listener(4, SOCK_SEQPACKET);
	return take() == -1 && strstr(err, "descriptor 4") != NULL;
}

static void
sockets_are_taken_with_their_names(void **state)
{
	(void)state;
	assert_true(with_sockets("2", "milter:control", true, two_with_names));
	assert_true(with_sockets("2", "milter", true, one_without_name));
	assert_true(with_sockets("2", "milter:", true, one_without_name));
	assert_true(with_sockets("2", ":b:c", true, first_without_name));
	assert_true(with_sockets("1", NULL, true, no_names));
}

static void
sockets_of_others_are_left_alone(void **state)
{
	(void)state;
	assert_true(with_sockets("2", NULL, false, none));
	assert_true(with_sockets(NULL, NULL, true, none));
	assert_true(with_sockets("0", NULL, true, none));
	assert_true(with_sockets("2", NULL, true, two_without_pid));
}

static void
mistakes_are_explained(void **state)
{
	(void)state;
	assert_true(with_sockets("", NULL, true, no_number));
	assert_true(with_sockets("-1", NULL, true, no_number));
	assert_true(with_sockets("1x", NULL, true, no_number));
	assert_true(with_sockets("3", NULL, true, too_many));
	assert_true(with_sockets("2", NULL, true, not_listening));
	assert_true(with_sockets("2", NULL, true, not_a_stream));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_are_taken_with_their_names),
		cmocka_unit_test(sockets_of_others_are_left_alone),
		cmocka_unit_test(mistakes_are_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
