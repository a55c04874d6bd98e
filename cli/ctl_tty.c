/* SPDX-License-Identifier: MIT */
/*
 * ctl_tty: the terminal of `top` (ctl_tty.h).
 *
 * Plain ANSI sequences, which every terminal in use knows, so that no library
 * is needed.  Signals are let in only while we wait.
 */
#include "cli/ctl_tty.h"
#include "core/base/fdio.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ENTER "\x1b[?1049h\x1b[?25l" /* other screen, no cursor */
#define LEAVE "\x1b[?25h\x1b[?1049l"

static const int caught[] = { SIGWINCH, SIGCONT, SIGINT, SIGTERM, SIGHUP };
#define N_CAUGHT (sizeof(caught) / sizeof(caught[0]))

static struct {
	struct termios before;
	bool has_keys;    /* standard input is a terminal too */
	sigset_t waiting; /* signals while we wait */
} tty;
static volatile sig_atomic_t resized, continued, ended_by;

static void
on_signal(int sig)
{
	if (sig == SIGWINCH)
		resized = 1;
	else if (sig == SIGCONT)
		continued = 1;
	else
		ended_by = sig;
}

bool
ctl_tty_usable(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

static void
say(const char *text)
{
	(void)!fdio_write_all(STDOUT_FILENO, text, strlen(text));
}

static void
enter(void)
{
	struct termios raw;

	if (tty.has_keys) {
		raw = tty.before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
	say(ENTER);
}

static void
leave(void)
{
	say(LEAVE);
	if (tty.has_keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &tty.before);
}

void
ctl_tty_open(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < N_CAUGHT; i++) {
		sigaddset(&set, caught[i]);
		sigaction(caught[i], &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, &tty.waiting);
	tty.has_keys = tcgetattr(STDIN_FILENO, &tty.before) == 0;
	enter();
}

void
ctl_tty_close(void)
{
	leave();
	if (ended_by) { /* as if we had not caught it */
		signal(ended_by, SIG_DFL);
		raise(ended_by);
	}
	sigprocmask(SIG_SETMASK, &tty.waiting, NULL);
}

void
ctl_tty_size(unsigned *rows, unsigned *columns)
{
	struct winsize w;

	*rows = 24;
	*columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row && w.ws_col) {
		*rows = w.ws_row;
		*columns = w.ws_col;
	}
}

void
ctl_tty_show(const char *p, size_t n)
{
	say("\x1b[H");
	(void)!fdio_write_all(STDOUT_FILENO, p, n);
	say("\x1b[J");
}

/* As Ctrl-Z would do it, with the terminal as the shell gave it to us. */
static void
stop_ourselves(void)
{
	leave();
	kill(0, SIGTSTP);
	continued = 0;
	enter();
}

static enum ctl_key
read_key(void)
{
	char c;

	if (read(STDIN_FILENO, &c, 1) != 1)
		return CTL_KEY_NONE;
	switch (c) {
	case 'q':
	case 'Q':
	case 3: /* Ctrl-C */
		return CTL_KEY_QUIT;
	case ' ':
	case '\r':
	case '\n':
		return CTL_KEY_LOOK;
	case 'p':
	case 'P':
		return CTL_KEY_PAUSE;
	case 12: /* Ctrl-L */
		return CTL_KEY_REDRAW;
	case 26: /* Ctrl-Z */
		stop_ourselves();
		return CTL_KEY_REDRAW;
	default:
		return CTL_KEY_NONE;
	}
}

/* What a signal asks for. */
static enum ctl_key
signalled(void)
{
	if (ended_by)
		return CTL_KEY_QUIT;
	if (continued) {
		continued = 0;
		enter(); /* the shell may have changed the terminal */
		return CTL_KEY_REDRAW;
	}
	if (resized) {
		resized = 0;
		return CTL_KEY_REDRAW;
	}
	return CTL_KEY_NONE;
}

enum ctl_key
ctl_tty_wait(int fd, short events, msec ms)
{
	struct pollfd p[2] = { { .fd = tty.has_keys ? STDIN_FILENO : -1,
				   .events = POLLIN },
		{ .fd = fd, .events = events } };
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	if (ppoll(p, 2, &ts, &tty.waiting) < 0)
		return signalled();
	if (p[0].revents & ~POLLIN) /* it is gone; POLLIN may be there too */
		return CTL_KEY_QUIT;
	return p[0].revents ? read_key() : CTL_KEY_NONE;
}
