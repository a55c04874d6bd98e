/* SPDX-License-Identifier: MIT */
/*
 * message: the message of `send` and `load`: a file, standard input, or one that
 * is made up.
 */
#ifndef CLI_CHECK_MESSAGE_H
#define CLI_CHECK_MESSAGE_H

#include "cli/check/eml.h"
#include "core/base/buf.h"

struct message {
	struct buf text;
	struct eml eml; /* of it */
};
/* "-" is standard input.  0, or -1 with a line on stderr that says what would
 * help; then there is nothing to free. */
int message_read(struct message *m, const char *path);
/* Eight header fields and a body of so many octets of text. */
int message_make(struct message *m, size_t body_bytes);
void message_fini(struct message *m);

#endif
