/* SPDX-License-Identifier: MIT */
/*
 * send: inside of `milter-check send`, for send.c (options, the dialogue with
 * the filter), send_result.c (what became of the message), send_show.c (for
 * people) and send_json.c (for programs).
 */
#ifndef CLI_CHECK_SEND_H
#define CLI_CHECK_SEND_H

#include "cli/check/client.h"
#include "core/base/buf.h"

struct send_opts {
	struct client_opts client;
	bool message, diff, json, verbose;
	long timeout_s;
};

/* What the filter, and so the MTA, did with a recipient, or with the message. */
struct send_verdict {
	enum mlt_verdict verdict; /* NONE: nothing */
	uint8_t stage;            /* command octet */
	struct buf told;          /* what the refused client is told */
};

/* What became of the message. */
struct send_result {
	const struct client *client;
	const struct eml *eml;
	struct send_verdict verdict;
	struct send_verdict
	    *rcpts; /* by recipient; refused: REJECT, TEMPFAIL */
	size_t n_rcpts;
	uint32_t version, actions, protocol; /* agreed; 0 before */
	struct mlt_edit *edit; /* NULL until something is to be changed */
	struct buf old, new;   /* header and body with LF; see _finish */
	struct buf broke;      /* how the filter broke the protocol, in one
				 * line; empty: it did not */
};

/* 0, or -1: no memory. */
int send_result_init(
    struct send_result *r, const struct client *c, const struct eml *e);
void send_result_fini(struct send_result *r);
int send_verdict_set(struct send_verdict *to, enum mlt_verdict verdict,
    uint8_t stage, struct mlt_bytes told);
/* The filter asks for a change.  0; 1: this MTA ignores it; or -1 with
 * r->broke, or r->broke.failed. */
int send_result_change(struct send_result *r, const struct mlt_action *a);
/* When the message was accepted: what is below may be asked.  0 or -1. */
int send_result_finish(struct send_result *r);
bool send_result_changed(const struct send_result *r);
/* Appends the difference of header and body. */
int send_result_diff(const struct send_result *r, struct buf *out);
/* The message as it is now, with LF. */
struct mlt_bytes send_result_message(const struct send_result *r);
/* The address of a recipient, or the sender, as it was given. */
struct mlt_bytes send_result_rcpt(const struct send_result *r, size_t i);
struct mlt_bytes send_result_sender(const struct send_result *r);
/* A recipient that is not in the other list: of those that were told (removed),
 * or of those that are now (added); *at is 0 before the first. */
bool send_result_removed(
    const struct send_result *r, size_t *at, struct mlt_bytes *address);
bool send_result_added(
    const struct send_result *r, size_t *at, struct mlt_edit_address *address);

/* One frame of the dialogue. */
struct send_frame {
	bool reply;
	uint8_t octet;
	const void *payload;
	size_t n;
	uint64_t us; /* of a reply: since it is awaited */
};

/* For people, to standard output: frames and notes as they come, then the rest. */
void send_show_frame(const struct send_frame *f, bool hex);
void send_show_note(const char *text);
void send_show_result(const struct send_result *r);
/* The verdict in one line, to standard error. */
void send_show_verdict(const struct send_result *r);
/* The message, to standard output: octet by octet unless that is a terminal. */
void send_show_message(const struct send_result *r);

/* For programs: appended to *out, which becomes one object. */
void send_json_begin(
    struct buf *out, const char *socket, const struct client *c);
void send_json_frame(struct buf *out, const struct send_frame *f, bool hex);
void send_json_note(struct buf *out, const char *text);
void send_json_end(
    struct buf *out, const struct send_result *r, bool with_message);

#endif
