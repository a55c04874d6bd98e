/* SPDX-License-Identifier: MIT */
/*
 * muxclient_ev: asks a multiplexor behind a UNIX socket, one connection for
 * each request (docs/muxproto.md): connect, one line, read until the other side
 * closes.  Nothing blocks; a request without an answer ends after a time.
 */
#ifndef CORE_FRONTEND_MUXCLIENT_EV_H
#define CORE_FRONTEND_MUXCLIENT_EV_H

#include "core/base/clock.h"
#include "core/frontend/ask.h"

#include <stddef.h>

struct event_base;
struct muxclient;

#define MUXCLIENT_ANSWER_MAX 16382  /* octets; a longer one is an error */
#define MUXCLIENT_WAIT_MS    900000 /* choice:multiplexor-wait */

/* path is borrowed.  0, or -1 with one line in err. */
int muxclient_new(struct muxclient **out, struct event_base *base,
    const char *path, char *err, size_t errlen);
void muxclient_set_wait(struct muxclient *c, msec longest); /* of a request */
struct asker muxclient_asker(struct muxclient *c);
/* Open requests are cancelled; NULL is allowed. */
void muxclient_free(struct muxclient *c);

#endif
