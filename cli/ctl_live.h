/* SPDX-License-Identifier: MIT */
/*
 * ctl_live: `top`: looks at a multiplexor again and again, on a screen or as
 * plain text.
 */
#ifndef CLI_CTL_LIVE_H
#define CLI_CTL_LIVE_H

struct sockspec;
struct ctl_live_opts {
	const struct sockspec *addr;
	const char *socket, *host; /* as they are shown */
	long interval_s;
};
/* Until q, Ctrl-C or a signal.  Exit status. */
int ctl_live_screen(const struct ctl_live_opts *o);
/* So many times, on standard output; an ERROR line on standard error for a look
 * that failed.  Exit status: 1 if the last one did. */
int ctl_live_batch(const struct ctl_live_opts *o, long times);

#endif
