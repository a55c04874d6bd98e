/* SPDX-License-Identifier: MIT */
/*
 * link: one connection to a peer, of which a transcript is kept.
 *
 * It writes whatever it is told, in whatever pieces, and reads frames; it knows
 * nothing of what they mean.  Every wait ends.
 */
#ifndef CLI_CHECK_LINK_H
#define CLI_CHECK_LINK_H

#include "cli/check/transcript.h"
#include "core/base/buf.h"
#include "core/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_FRAME_MAX (1u << 20) /* payload; choice:reply-limit */

struct link {
	int fd; /* -1: closed by us */
	unsigned number;
	bool to_filter; /* the peer is a filter: what is heard are replies */
	bool closed;    /* by the peer */
	bool broken;    /* what was heard is no frame; nothing more is read */
	struct buf in;
	size_t lent; /* of its octets, as a frame, until the next read */
	uint64_t start_us;
	struct transcript *transcript;
};

/* One frame, borrowed until the next read. */
struct link_frame {
	uint8_t octet;
	const uint8_t *payload;
	size_t n;
};

enum link_got {
	LINK_FRAME = 1,
	LINK_NOTHING = 0, /* in time */
	LINK_CLOSED = -1, /* by the peer; whole frames before it were given */
	LINK_BROKEN = -2  /* not a frame, or cut off; see the transcript */
};

/* Connects to a filter's socket, written as the filter has it
 * (spec:connection-strings).  0, or -1 with one line in err.  The transcript is
 * borrowed. */
int link_open(struct link *l, const char *spec, msec wait_ms,
    struct transcript *t, unsigned number, char *err, size_t errlen);
/* The same for a connected descriptor, which it takes; to_filter false: the
 * peer is an MTA. */
void link_adopt(struct link *l, int fd, bool to_filter, struct transcript *t,
    unsigned number);
void link_close(struct link *l); /* allowed twice */
void link_reset(struct link *l); /* as if our machine had died */
void link_half_close(struct link *l);

/* 0, or -errno: the peer closed, or did not take it in time (-ETIMEDOUT). */
int link_write(struct link *l, const void *p, size_t n, msec wait_ms);
/* In pieces, with a pause between them. */
int link_write_slowly(struct link *l, const void *p, size_t n, size_t piece,
    unsigned pause_us, msec wait_ms);
/* One frame. */
int link_say(
    struct link *l, uint8_t octet, const void *payload, size_t n, msec wait_ms);
/* The next frame. */
enum link_got link_read(struct link *l, struct link_frame *f, msec wait_ms);
/* Reads away what comes until the peer closes.  LINK_CLOSED, or LINK_NOTHING. */
enum link_got link_read_end(struct link *l, msec wait_ms);

/* Milliseconds from a start, for whoever counts down. */
msec link_left(msec start_ms, msec wait_ms);

#endif
