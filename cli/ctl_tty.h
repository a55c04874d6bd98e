/* SPDX-License-Identifier: MIT */
/*
 * ctl_tty: the terminal of `top`: keys one by one, a screen of its own, and all
 * as it was when we go, also by a signal.  One in a process.
 */
#ifndef CLI_CTL_TTY_H
#define CLI_CTL_TTY_H

#include "core/base/clock.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/* Standard output is a terminal that knows cursor addressing. */
bool ctl_tty_usable(void);
void ctl_tty_open(void);
void ctl_tty_close(void);
void ctl_tty_size(unsigned *rows, unsigned *columns);
/* Draws from the upper left corner; what is below goes. */
void ctl_tty_show(const char *p, size_t n);

enum ctl_key {
	CTL_KEY_NONE, /* time is up, or `fd` is ready */
	CTL_KEY_QUIT,
	CTL_KEY_LOOK,
	CTL_KEY_PAUSE,
	CTL_KEY_REDRAW /* another size, or back from a pause */
};
/* Waits for a key, for events on fd (-1: none), or for so many ms. */
enum ctl_key ctl_tty_wait(int fd, short events, msec ms);

#endif
