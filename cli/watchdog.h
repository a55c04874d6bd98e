/* SPDX-License-Identifier: MIT */
/* watchdog: tells the service manager, as often as it wants, that the loop
 * still runs. */
#ifndef CLI_WATCHDOG_H
#define CLI_WATCHDOG_H

#include "core/base/sdnotify.h"

struct event;
struct event_base;

/* *out: to be freed with event_free, NULL if no manager asked.  notify is
 * borrowed.  0, or -1: no memory. */
int watchdog_start(
    struct event **out, struct event_base *base, const struct sdnotify *notify);

#endif
