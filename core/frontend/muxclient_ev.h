/* SPDX-License-Identifier: MIT */
/*
 * muxclient_ev: asks a multiplexor behind a UNIX socket: one request a
 * connection, answer read until end of file, never blocking.
 */
#ifndef CORE_FRONTEND_MUXCLIENT_EV_H
#define CORE_FRONTEND_MUXCLIENT_EV_H

#include "core/frontend/ask.h"

struct event_base;
struct muxclient;

/* path is borrowed.  0, or -1 with one line in err (too long a path, no
 * memory); nobody has to listen there yet. */
int muxclient_new(struct muxclient **out, struct event_base *base,
    const char *path, char *err, size_t errlen);
struct asker muxclient_asker(struct muxclient *c);
void muxclient_free(struct muxclient *c); /* requests in progress are
					   * forgotten; NULL is allowed */

#endif
