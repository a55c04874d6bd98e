/* SPDX-License-Identifier: MIT */
/* sdnotify: what a service manager hears, and when nothing. */
#include "core/base/sdnotify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[40], path[60];
static int manager;

static int
make_manager(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	(void)state;
	strcpy(dir, "/tmp/test_notify.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/notify", dir);
	strcpy(sun.sun_path, path);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	return bind(manager, (const struct sockaddr *)&sun, sizeof(sun));
}

static int
remove_manager(void **state)
{
	(void)state;
	close(manager);
	unlink(path);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return rmdir(dir);
}

/* The next message, "" if there is none. */
static const char *
heard(int fd)
{
	static char text[512];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static struct sdnotify
open_with(const char *socket, const char *usec, const char *pid)
{
	struct sdnotify n;

	if (socket)
		setenv("NOTIFY_SOCKET", socket, 1);
	if (usec)
		setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	sdnotify_open(&n);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
	return n;
}

static void
states_are_sent_as_they_are(void **state)
{
	struct sdnotify n = open_with(path, NULL, NULL);

	(void)state;
	sdnotify_send(&n, "READY=1\nSTATUS=fine");
	assert_string_equal(heard(manager), "READY=1\nSTATUS=fine");
	sdnotify_reloading(&n, 18446744073709551615U);
	assert_string_equal(
	    heard(manager), "RELOADING=1\nMONOTONIC_USEC=18446744073709551615");
	assert_string_equal(heard(manager), "");
}

static void
a_status_is_one_line(void **state)
{
	struct sdnotify n = open_with(path, NULL, NULL);
	char longest[300];

	(void)state;
	sdnotify_status(&n, "%d of\nREADY=%d", 3, 1);
	assert_string_equal(heard(manager), "STATUS=3 of?READY=1");
	memset(longest, 'x', sizeof(longest));
	longest[299] = '\0';
	sdnotify_status(&n, "%s", longest);
	assert_int_equal(strlen(heard(manager)), 255);
}

static void
a_manager_that_does_not_read_holds_nobody_up(void **state)
{
	struct sdnotify n = open_with(path, NULL, NULL);
	int heard_of = 0;

	(void)state;
	for (int i = 0; i < 5000; i++) /* more than any queue holds */
		sdnotify_watchdog(&n);
	sdnotify_send(&n, "STOPPING=1"); /* gives up after a second */
	while (strcmp(heard(manager), "WATCHDOG=1") == 0)
		heard_of++;
	assert_true(heard_of > 0 && heard_of < 5000);
	sdnotify_send(&n, "READY=1");
	assert_string_equal(heard(manager), "READY=1");
}

static void
abstract_names_work(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sun.sun_family); /* the kernel chooses */
	char name[40] = "@";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sdnotify n;

	(void)state;
	assert_int_equal(bind(fd, (const struct sockaddr *)&sun, len), 0);
	len = sizeof(sun);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sun, &len), 0);
	len -= (socklen_t)offsetof(struct sockaddr_un, sun_path);
	memcpy(name + 1, sun.sun_path + 1, len - 1);
	n = open_with(name, NULL, NULL);
	sdnotify_send(&n, "READY=1");
	assert_string_equal(heard(fd), "READY=1");
	close(fd);
}

static void
nobody_is_no_error(void **state)
{
	static const char *const names[] = { NULL, "", "/", "@", "relative",
		"/no/such/socket",
		/* 108 octets: one too many */
		"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct sdnotify n = open_with(names[i], "1000000", NULL);

		sdnotify_send(&n, "READY=1");
		sdnotify_status(&n, "fine");
		assert_true(i == 5 || n.watchdog_us == 0);
	}
}

static void
the_watchdog_is_that_of_this_process(void **state)
{
	static const struct {
		const char *usec, *pid;
		uint64_t want;
	} cases[] = {
		{ NULL, NULL, 0 },
		{ "3000000", NULL, 3000000 },
		{ "3000000", "ours", 3000000 },
		{ "3000000", "1", 0 },
		{ "3000000", "", 0 },
		{ "-3", NULL, 0 },
		{ "3s", NULL, 0 },
		{ "", NULL, 0 },
		{ "99999999999999999999", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *pid = cases[i].pid;
		char own[20];

		snprintf(own, sizeof(own), "%ld", (long)getpid());
		if (pid && strcmp(pid, "ours") == 0)
			pid = own;
		assert_int_equal(
		    open_with(path, cases[i].usec, pid).watchdog_us,
		    cases[i].want);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_manager, remove_manager)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(states_are_sent_as_they_are),
		CASE(a_status_is_one_line),
		CASE(a_manager_that_does_not_read_holds_nobody_up),
		CASE(abstract_names_work),
		CASE(nobody_is_no_error),
		CASE(the_watchdog_is_that_of_this_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
