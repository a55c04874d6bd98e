/* SPDX-License-Identifier: MIT */
/* `top` on a terminal: the program in a child, with a pseudo-terminal; we are
 * its user and its multiplexor. */
#include "cli/ctl_live.h"
#include "cli/ctl_ask.h"
#include "cli/ctl_tty.h"
#include "core/base/fdio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define ENTER "\x1b[?1049h"
#define LEAVE "\x1b[?1049l"
#define LOAD1                                                                  \
	"14 1.8 388.2 20 1.1 2.3 18 1.2 5.1 0 0 0 1 1 0 0 1542 17 10 5 86423 " \
	"60 1 0 0 1\n"

static char dir[] = "/tmp/sp-live.XXXXXX", path[64];
static struct sockspec addr;
static int listener = -1, master = -1, slave = -1;
static pid_t pid;
static struct buf seen; /* what was drawn since the last look */
static bool knows_load1;

static void
serve(void)
{
	unlink(path);
	listener = fdio_unix_listen(path, 077, 5);
	assert_true(listener >= 0);
}

static void
go_away(void)
{
	close(listener);
	listener = -1;
	unlink(path);
}

static int
screen(void)
{
	const struct ctl_live_opts o = {
		.addr = &addr, .socket = path, .host = "mx1", .interval_s = 1
	};

	setenv("TERM", "xterm", 1);
	if (!ctl_tty_usable())
		return 9;
	return ctl_live_screen(&o);
}

/* Runs it on a new terminal. */
static int
start(void **state)
{
	struct winsize w = { .ws_row = 24, .ws_col = 70 };
	char why[200];

	(void)state;
	knows_load1 = true;
	buf_init(&seen, 0);
	snprintf(path, sizeof(path), "%s/mux.sock", dir);
	if (ctl_addr(path, &addr, why, sizeof(why)) < 0)
		return -1;
	serve();
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return -1;
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || ioctl(master, TIOCSWINSZ, &w) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		dup2(slave, 0);
		dup2(slave, 1);
		_exit(screen());
	}
	return pid < 0 ? -1 : 0;
}

static int
stop(void **state)
{
	(void)state;
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		pid = 0;
	}
	if (listener >= 0)
		go_away();
	close(slave);
	close(master);
	buf_fini(&seen);
	return 0;
}

static void
answer(void)
{
	int fd = accept(listener, NULL, NULL);
	char line[64] = "";
	const char *text = "error: Unknown command\n";

	/* a request of these is one piece, which is there or comes at once */
	assert_true(fdio_set_nonblock(fd, false) == 0);
	assert_true(read(fd, line, sizeof(line) - 1) >= 0);
	if (strcmp(line, "workers\n") == 0)
		text = "0 B 811 scan ago=7 (scan \x1b[31mQ1)\n1 I 812 ago=2\n";
	else if (strcmp(line, "status\n") == 0)
		text = "BI 77 17 10 5 86423\n";
	else if (strcmp(line, "load1 60\n") == 0 && knows_load1)
		text = LOAD1;
	send(fd, text, strlen(text), MSG_NOSIGNAL); /* it may be gone */
	close(fd);
}

/* Serves it until this text was drawn. */
static void
until(const char *text)
{
	msec end = clock_mono_ms() + 60000;

	for (;;) {
		struct pollfd p[2] = { { .fd = master, .events = POLLIN },
			{ .fd = listener, .events = POLLIN } };
		char *to = buf_space(&seen, 4096);
		ssize_t n;

		if (clock_mono_ms() > end || poll(p, 2, 60000) <= 0) {
			print_message("waited for %s in vain; seen: %s\n", text,
			    buf_cstr(&seen));
			fail();
		}
		if (p[1].revents & POLLIN)
			answer();
		if (!p[0].revents)
			continue;
		n = read(master, to, 4096);
		assert_true(n > 0);
		buf_added(&seen, (size_t)n);
		if (strstr(buf_cstr(&seen), text)) {
			buf_reset(&seen);
			return;
		}
	}
}

static void
press(const char *key)
{
	assert_int_equal(fdio_write_all(master, key, strlen(key)), 0);
}

static tcflag_t
local_modes(void)
{
	struct termios t;

	assert_int_equal(tcgetattr(slave, &t), 0);
	return t.c_lflag & (ICANON | ECHO | ISIG);
}

/* The wait status; the terminal is as it was. */
static int
ended(void)
{
	int status;

	until(LEAVE);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	pid = 0;
	assert_int_equal(local_modes(), ICANON | ECHO | ISIG);
	return status;
}

static void
the_screen_comes_and_goes(void **state)
{
	(void)state;
	until(ENTER);
	until("1/2 busy");
	until("scan \\x1B[31mQ1");
	assert_int_equal(local_modes(), 0);
	press("q");
	assert_int_equal(ended(), 0);
}

static void
keys_look_and_pause(void **state)
{
	(void)state;
	until("q quit");
	press("p");
	until("PAUSED");
	press(" ");
	until("1/2 busy");
	press("p");
	until("p pause");
	press("\x0c");
	until("1/2 busy");
	press("\x03");
	assert_int_equal(ended(), 0);
}

static void
another_size_is_drawn(void **state)
{
	struct winsize w = { .ws_row = 5, .ws_col = 30 };

	(void)state;
	until("812");
	assert_int_equal(ioctl(master, TIOCSWINSZ, &w), 0);
	until("q quit  space look now  p pau>");
	press("q");
	assert_int_equal(ended(), 0);
}

static void
a_multiplexor_that_goes_away_is_waited_for(void **state)
{
	(void)state;
	until("1/2 busy");
	go_away();
	press(" ");
	until("NO ANSWER for ");
	serve();
	press(" ");
	until("BACK after ");
	press("q");
	assert_int_equal(ended(), 0);
}

static void
a_multiplexor_without_load1_is_asked_for_its_status(void **state)
{
	(void)state;
	until("Last 60 s");
	go_away();
	press(" ");
	until("NO ANSWER for ");
	knows_load1 = false;
	serve();
	press(" ");
	until("Scanned 77 messages");
	press("q");
	assert_int_equal(ended(), 0);
}

static void
a_signal_leaves_the_terminal_as_it_was(void **state)
{
	int status;

	(void)state;
	until("q quit");
	kill(pid, SIGTERM);
	status = ended();
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_screen_comes_and_goes),
		TEST(keys_look_and_pause),
		TEST(another_size_is_drawn),
		TEST(a_multiplexor_that_goes_away_is_waited_for),
		TEST(a_multiplexor_without_load1_is_asked_for_its_status),
		TEST(a_signal_leaves_the_terminal_as_it_was),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
