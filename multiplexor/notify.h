/* SPDX-License-Identifier: MIT */
/*
 * notify: what listeners are told of the workers, and how (spec:notify).  Pure.
 *
 * It keeps a state for each worker, so that what it tells is in order whatever
 * the pool has decided meanwhile.
 */
#ifndef MULTIPLEXOR_NOTIFY_H
#define MULTIPLEXOR_NOTIFY_H

#include "line.h"

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- what is told ---- */

enum notify_state {
	NOTIFY_STOPPED,
	NOTIFY_IDLE,
	NOTIFY_BUSY,
	NOTIFY_KILLED,
};

struct notify {
	unsigned slots, free; /* free: idle or stopped */
	unsigned told_free;   /* after the last change of a state */
	unsigned char *state; /* of each slot */
};
int notify_init(struct notify *n, unsigned slots); /* all stopped; -ENOMEM */
void notify_fini(struct notify *n);

/* Each appends messages to `out`, a line each; NULL: nobody listens, only the
 * books are kept. */
void notify_change(
    struct notify *n, unsigned slot, enum notify_state to, struct buf *out);
void notify_tag(unsigned slot, const char *tag, struct buf *out);
/* 'B': a request took too long; 'U': a worker died; 'R': reread. */
void notify_event(char kind, struct buf *out);

/* ---- who is told ---- */

#define NOTIFY_LINE_MAX 256 /* octets of what a listener says */

struct notify_ear {
	uint32_t wants; /* bit n: the n-th letter */
	bool asked;     /* has said what it wants */
	struct line in;
	struct buf out;
	size_t out_max;
	unsigned long lost; /* messages since the last that found room */
};
void notify_ear_init(struct notify_ear *e, size_t out_max);
void notify_ear_fini(struct notify_ear *e);
/* What the listener says; modified. */
void notify_hear(struct notify_ear *e, char *p, size_t n);
/* Appends those of these messages that it wants.  What finds no room is lost,
 * but the listener is told so, in place of the messages, as soon as there is
 * room again: "*LOST N". */
void notify_tell(struct notify_ear *e, const char *messages, size_t n);
/* When octets have left `out`. */
void notify_has_room(struct notify_ear *e);

#endif
