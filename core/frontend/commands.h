/* SPDX-License-Identifier: MIT */
/*
 * commands: the lines of COMMANDS (spec:spool-commands).  Pure.
 *
 * A failed buf is the only error and sticks there; check it at the end.
 */
#ifndef CORE_FRONTEND_COMMANDS_H
#define CORE_FRONTEND_COMMANDS_H

#include "core/base/buf.h"
#include "core/base/opt.h"
#include "core/frontend/client.h"

#include <milterproto.h>

/* LETTER ARG LF; an absent arg is an empty one. */
void commands_line(struct buf *b, char letter, struct mlt_bytes arg);

/* What is known at MAIL; all borrowed. */
struct commands_about {
	const char *ident, *queue_id; /* queue_id "" = not known */
	const struct client *client;
	const struct mlt_filter *session; /* for macros */
	const struct opt_list *extra;     /* names without braces; NULL: none */
};
/* The first block; args[0] is the sender. */
void commands_mail(struct buf *b, const struct commands_about *a,
    const struct mlt_bytes *args, size_t n);
/* R and r lines; args[0] is the address.  What is empty becomes "?". */
void commands_rcpt(struct buf *b, const struct mlt_bytes *args, size_t n,
    struct mlt_bytes mailer, struct mlt_bytes host, struct mlt_bytes addr);
/* J line, if value begins with an address, blanks before it allowed: IPv4, or
 * IPv6 with or without "IPv6:" before it. */
void commands_relay(struct buf *b, struct mlt_bytes value);

#endif
