/* SPDX-License-Identifier: MIT */
#include "cli/watchdog.h"

#include <event2/event.h>
#include <stdint.h>

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sdnotify_watchdog(arg);
}

int
watchdog_start(
    struct event **out, struct event_base *base, const struct sdnotify *notify)
{
	uint64_t us = notify->watchdog_us / 2; /* as sd_watchdog_enabled says */
	struct timeval tv = { (time_t)(us / 1000000),
		(suseconds_t)(us % 1000000) };

	*out = NULL;
	if (!us)
		return 0;
	*out =
	    event_new(base, -1, EV_PERSIST, on_time, (void *)(uintptr_t)notify);
	if (!*out)
		return -1;
	if (event_add(*out, &tv) < 0) {
		event_free(*out);
		*out = NULL;
		return -1;
	}
	return 0;
}
