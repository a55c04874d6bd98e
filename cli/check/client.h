/* SPDX-License-Identifier: MIT */
/*
 * client: the SMTP client that options describe, and what an MTA knows about it
 * and its message, as a script for struct mlt_play.  Pure.
 */
#ifndef CLI_CHECK_CLIENT_H
#define CLI_CHECK_CLIENT_H

#include "cli/check/eml.h"
#include "core/base/opt.h"

#include <stddef.h>

/* As on the command line; all borrowed. */
struct client_opts {
	const char *mta;        /* postfix, sendmail or a profile's name */
	const char *from;       /* address, ESMTP parameters behind blanks */
	struct opt_list to;     /* the same; none: recipient@example.org */
	const char *helo;       /* NULL: the host's name */
	const char *ip, *host;  /* of the client; NULL: a documentation one */
	struct opt_list macros; /* NAME=VALUE, before what the MTA would say */
};
/* Who it is, and to whom it writes, if no option says so. */
#define CLIENT_HOST "client.example.net"
#define CLIENT_IP   "192.0.2.17"
#define CLIENT_TO   "recipient@example.org"
/* Rows for an option table; the member of the program's struct is `client`. */
/* clang-format off */
#define CLIENT_OPT_ROWS(type)                                                  \
	{ 0, "mta", OPT_STR, 0, offsetof(type, client.mta), "MTA",             \
	    "postfix", 0, 0,                                                   \
	    "whose habits to follow: postfix, sendmail, or a profile", NULL }, \
	{ 'f', "from", OPT_STR, 0, offsetof(type, client.from),                \
	    "ADDRESS", "sender@example.net", 0, 0,                             \
	    "the sender, ESMTP parameters behind a blank; '' is the null "     \
	    "sender",                                                          \
	    NULL },                                                            \
	{ 't', "to", OPT_LIST, 0, offsetof(type, client.to), "ADDRESS",        \
	    NULL, 0, 0,                                                        \
	    "a recipient, likewise; repeatable (default: " CLIENT_TO ")",      \
	    NULL },                                                            \
	{ 0, "helo", OPT_STR, 0, offsetof(type, client.helo), "NAME",          \
	    NULL, 0, 0, "what the client says at HELO (default: its host)",    \
	    NULL },                                                            \
	{ 0, "ip", OPT_STR, 0, offsetof(type, client.ip), "ADDRESS",           \
	    NULL, 0, 0,                                                        \
	    "the client's IPv4 or IPv6 address (default: " CLIENT_IP ")",      \
	    NULL },                                                            \
	{ 0, "host", OPT_STR, 0, offsetof(type, client.host), "NAME",          \
	    NULL, 0, 0,                                                        \
	    "the name of the client's host (default: " CLIENT_HOST             \
	    ", with --ip none)",                                               \
	    NULL },                                                            \
	{ 0, "macro", OPT_LIST, 0, offsetof(type, client.macros),              \
	    "NAME=VALUE", NULL, 0, 0, "the value of a macro; repeatable",      \
	    NULL }
/* clang-format on */

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
