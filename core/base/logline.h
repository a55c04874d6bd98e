/* SPDX-License-Identifier: MIT */
/*
 * logline: the text of one log line, plain or as a JSON object.  Pure.
 *
 * Nothing that is put in can end the line or forge another one: in plain text
 * control octets become \xNN, in values (key=value) also blanks, quotes, % and
 * octets over 0x7e become %NN; JSON is escaped as JSON wants it, and octets that
 * are no UTF-8 become \xNN.  What does not fit is cut, and the line is well-formed
 * all the same: put what matters first.
 */
#ifndef CORE_BASE_LOGLINE_H
#define CORE_BASE_LOGLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGLINE_MAX 2000 /* octets */

struct logline {
	char text[LOGLINE_MAX + 1]; /* with a NUL after logline_end */
	size_t n;
	bool json, full;
	bool in_list; /* of the last key */
};

/* What a JSON line says of itself; a plain one leaves that to its destination.
 */
struct logline_head {
	int64_t wall_ms; /* since 1970 */
	const char *level, *program;
	long pid;
};

/* The plain line "ctx: text"; ctx NULL = none. */
void logline_plain(struct logline *l, const char *ctx, const char *text);
/* The same as JSON: "context" and "message". */
void logline_json(struct logline *l, const struct logline_head *head,
    const char *ctx, const char *text);

/* An event: its name, then keys with values, then logline_end.  head NULL: as
 * plain text, "ctx: event key=value key=item,item".  Keys and the name are ours,
 * [a-z_]. */
void logline_event(struct logline *l, const struct logline_head *head,
    const char *ctx, const char *event);
void logline_number(struct logline *l, const char *key, uint64_t v);
/* At most `max` octets of p are taken. */
void logline_text(
    struct logline *l, const char *key, const char *p, size_t n, size_t max);
/* A list: as many items as follow. */
void logline_list(struct logline *l, const char *key);
void logline_item(struct logline *l, const char *p, size_t n, size_t max);
void logline_end(struct logline *l);

#endif
