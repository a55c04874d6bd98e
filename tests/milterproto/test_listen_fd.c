/* SPDX-License-Identifier: MIT */
/*
 * Sockets that were handed over.  Descriptors from 3 on are the convention, so
 * each case runs in a child, which answers by its exit status.
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
#include <sys/wait.h>
#include <unistd.h>

#include <milterproto_server.h>

static char err[256];
static struct mlt_listen_fd got[2];

/* A socket in the abstract name space of the kernel's choice. */
static void
put_listener(int at, int type)
{
	sa_family_t family = AF_UNIX;
	int fd = socket(AF_UNIX, type, 0);

	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&family, sizeof(family)) < 0 ||
	    listen(fd, 1) < 0 || (fd != at && dup2(fd, at) < 0))
		_exit(70);
}

/* Runs `check` in a child with two listeners at 3 and 4; its value. */
static int
with_sockets(const char *fds, const char *names, bool ours, int (*check)(void))
{
	pid_t pid = fork();
	char text[20];
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		put_listener(4, SOCK_STREAM);
		put_listener(3, SOCK_STREAM);
		snprintf(text, sizeof(text), "%d", getpid() + !ours);
		setenv("LISTEN_PID", text, 1);
		if (fds)
			setenv("LISTEN_FDS", fds, 1);
		if (names)
			setenv("LISTEN_FDNAMES", names, 1);
		_exit(check());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
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

	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
