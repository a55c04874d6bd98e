/* SPDX-License-Identifier: MIT */
/*
 * sink_smtp: an SMTP server that takes everything and writes each message with
 * its envelope into the sink's directory: the next hop of an MTA that relays.
 *
 * Octets in, octets out; the only thing done is to write the file.
 */
#ifndef CLI_CHECK_SINK_SMTP_H
#define CLI_CHECK_SINK_SMTP_H

#include "core/base/buf.h"

#include <stdbool.h>

struct sink_smtp {
	const char *dir;     /* borrowed */
	unsigned *n_written; /* borrowed: makes the names of files unique */
	bool data, quit;
	struct buf envelope, message;
};

/* Begins with the greeting, in out. */
void sink_smtp_init(
    struct sink_smtp *s, const char *dir, unsigned *n_written, struct buf *out);
void sink_smtp_fini(struct sink_smtp *s);
/* Takes whole lines off the front of `in`, appends answers.  0, or -1: the
 * connection is of no use any more. */
int sink_smtp_step(struct sink_smtp *s, struct buf *in, struct buf *out);

#endif
