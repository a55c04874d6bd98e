/* SPDX-License-Identifier: MIT */
/*
 * client: the SMTP client that options describe, and what an MTA knows about it
 * and its message, as a script for struct mlt_play.  Pure.
 */
#ifndef CLI_CHECK_CLIENT_H
#define CLI_CHECK_CLIENT_H

#include "cli/check/eml.h"
#include "core/base/opt.h"

/* As on the command line; all borrowed. */
struct client_opts {
	const char *mta;        /* postfix, sendmail or a profile's name */
	const char *from;       /* address, ESMTP parameters behind blanks */
	struct opt_list to;     /* the same; none: recipient@example.org */
	const char *helo;       /* NULL: the host's name */
	const char *ip, *host;  /* of the client; NULL: a documentation one */
	struct opt_list macros; /* NAME=VALUE, before what the MTA would say */
};
/* Rows for an option table, of a program whose options begin with a struct
 * client_opts. */
#define CLIENT_ROWS 7
extern const struct opt client_rows[CLIENT_ROWS];

#define CLIENT_QUEUE_ID "4dfLk16Zq0z123"

struct client;
/* NULL with one line in err that says what would be right; also if there is no
 * memory.  o and m are borrowed for the life of the client.  The script has
 * n_messages (1 or 2) times the same message. */
struct client *client_new(const struct client_opts *o, const struct eml *m,
    size_t n_messages, char *err, size_t errlen);
void client_free(struct client *c); /* NULL is allowed */
const struct mlt_play_script *client_script(const struct client *c);
const struct mlt_play_opts *client_play_opts(const struct client *c);

#endif
