/* SPDX-License-Identifier: MIT */
/*
 * broken_mta: a small MTA that speaks to one client at a time, passes its mail
 * by a filter with our session for MTAs and writes it into a directory - right,
 * or with one fault, by name.  It is what `milter-check mta` is tested with.
 *
 * broken_mta.c speaks SMTP, broken_mta_filter.c leads the filter over
 * broken_mta_wire.c, broken_mta_deliver.c keeps the message.
 */
#ifndef TESTS_CONFORMANCE_BROKEN_MTA_H
#define TESTS_CONFORMANCE_BROKEN_MTA_H

#include "core/base/buf.h"

#include <milterproto.h>
#include <stdbool.h>

enum fault {
	FAULT_NONE,
#define FAULT(name, requirement, case) FAULT_##name,
#include "broken_mta.def"
#undef FAULT
	FAULT_N
};

#define ARGS_MAX  8
#define RCPTS_MAX 8

/* MAIL or RCPT as it was said: address in brackets, parameters. */
struct args {
	char line[1000];
	struct mlt_bytes v[ARGS_MAX];
	size_t n;
};

struct message {
	struct args from, rcpt[RCPTS_MAX];
	size_t n_rcpts;
	struct buf content; /* CR LF, without dots */
	struct mlt_edit *edit;
	char id[32];
	bool open, accepted, dropped, held, replaced;
	unsigned n_changes;
};

enum verdict {
	V_GO_ON,
	V_REFUSE /* b->reply is what the client is told */
};

struct broken {
	enum fault fault;
	const char *sink;
	/* the client */
	int client;
	struct buf in;
	uint16_t port;
	char reply[40000]; /* lines end in CR LF, but the last */
	char whole[40000]; /* the same for all mail of the client, or "" */
	/* the filter; fd -1: there is none, or none any more */
	int filter;
	struct mlt_mta *mta;
	bool lost;
	bool early; /* a change was taken that should not have been */
	struct message m;
	unsigned n_messages;
};

/* ---- broken_mta_wire.c ------------------------------------------------------- */

/* The filter has gone, or is taken for broken: nothing more is said to it. */
void wire_lose(struct broken *b);
/* Writes what the session has to say, spoiled by the fault. */
void wire_say(struct broken *b);
/* Says a frame that the session would not say, and takes its answer. */
void wire_say_raw(
    struct broken *b, char octet, const char *payload, size_t n, bool answer);
/* One frame of the filter, as it is; of one that has no sense the head.  false:
 * it has gone. */
bool wire_read(struct broken *b, struct buf *in);

/* ---- broken_mta_filter.c ----------------------------------------------------------- */

int filter_connect(const char *spec);
/* Negotiates; tells of the client. */
enum verdict filter_begin(struct broken *b, int fd);
void filter_end(struct broken *b); /* QUIT, close */
enum verdict filter_helo(struct broken *b, const char *name);
enum verdict filter_mail(struct broken *b);
enum verdict filter_rcpt(struct broken *b, const struct args *rcpt);
enum verdict filter_data(struct broken *b);
enum verdict filter_content(struct broken *b);
void filter_unknown(struct broken *b, const char *line);
void filter_abort(struct broken *b);

/* ---- broken_mta_deliver.c ---------------------------------------------------------- */

void message_begin(struct broken *b);
void message_end(struct broken *b); /* forgets it */
/* Before the changes. */
int message_load(struct broken *b);
/* One change of the filter's; false: it is taken for broken. */
bool message_change(struct broken *b, struct mlt_action *a);
/* Writes it into the sink, unless it was dropped or is held. */
bool message_deliver(struct broken *b);
/* Calls the function with each field: name, value behind the colon. */
typedef enum verdict field_fn(
    struct broken *b, struct mlt_bytes name, struct mlt_bytes value);
enum verdict message_fields(struct broken *b, field_fn *fn);
struct mlt_bytes message_body(const struct broken *b);

#endif
