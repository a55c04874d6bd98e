/* SPDX-License-Identifier: MIT */
/*
 * muxclient_ev: asks a multiplexor behind a UNIX socket (docs/muxproto.md).
 *
 * Ours is asked on one lasting connection that carries many requests, anybody
 * else's on a connection for each request; which of them it is, is found out by
 * asking, and meanwhile nobody waits.  Nothing blocks, and every wait ends.
 */
#ifndef CORE_FRONTEND_MUXCLIENT_EV_H
#define CORE_FRONTEND_MUXCLIENT_EV_H

#include "core/base/clock.h"
#include "core/frontend/ask.h"

#include <stddef.h>

struct event_base;
struct muxclient;

#define MUXCLIENT_ANSWER_MAX 16382  /* octets; a longer one is an error */
#define MUXCLIENT_CONNECT_MS 10000  /* choice:multiplexor-connect */
#define MUXCLIENT_WAIT_MS    900000 /* choice:multiplexor-wait */

/* path is borrowed.  0, or -1 with one line in err. */
int muxclient_new(struct muxclient **out, struct event_base *base,
    const char *path, char *err, size_t errlen);
/* Before the first request.  connect: until the multiplexor takes a
 * connection or a request, or shows a sign of life; wait: until it has
 * answered a request. */
void muxclient_set_times(struct muxclient *c, msec connect, msec wait);
struct asker muxclient_asker(struct muxclient *c);
/* Open requests are cancelled; NULL is allowed. */
void muxclient_free(struct muxclient *c);

#endif
