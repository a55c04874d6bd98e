/* SPDX-License-Identifier: MIT */
/* What the two files of the rig share: rig.c speaks SMTP and waits, rig_loop.c
 * serves the sockets meanwhile. */
#ifndef CLI_CHECK_RIG_INT_H
#define CLI_CHECK_RIG_INT_H

#include "cli/check/rig.h"
#include "cli/check/sink_smtp.h"

/* One connection from the MTA to the filter. */
struct rig_link {
	int fd; /* -1: closed by one of us */
	struct played f;
	struct buf out;
	size_t shown;    /* frames that the transcript has */
	bool closed;     /* by the MTA */
	bool closing;    /* as soon as `out` has left */
	msec hold_until; /* the answer waits until then; 0: it does not */
	msec progress_until, next_progress;
	msec next_octet; /* of a piecemeal answer */
	size_t n_progress;
};

/* One connection from the MTA to the sink. */
struct rig_hop {
	int fd;
	struct buf in, out;
	struct sink_smtp smtp;
};

/* Waits for the next thing to happen, until then at the latest, and serves
 * it. */
void rig_turn(struct mta_rig *r, msec until);
void rig_link_free(struct rig_link *l);
void rig_hop_free(struct rig_hop *h);
uint64_t rig_now_us(const struct mta_rig *r); /* since it was made */
__attribute__((format(printf, 2, 3))) void rig_note(
    struct mta_rig *r, const char *fmt, ...);

/* HOST:PORT, [HOST]:PORT: a listener, or a connected socket; non-blocking and
 * close-on-exec.  -1 with a line in err. */
int rig_tcp(const char *where, bool listener, char *err, size_t errlen);

#endif
