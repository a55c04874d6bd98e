/* SPDX-License-Identifier: MIT */
/*
 * smtp: the two directions of a client's SMTP connection, as octets.  Pure.
 *
 * What a server says is not trusted: it is taken apart here and nowhere else.
 * rfc:5321#4.2
 */
#ifndef CLI_CHECK_SMTP_H
#define CLI_CHECK_SMTP_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* A reply longer than that is none: 32 lines of 980 octets are the most that a
 * filter may ask for. */
#define SMTP_REPLY_MAX 65536

struct smtp_reply {
	int code;   /* 200 to 599, of the first line */
	bool mixed; /* its lines have different codes */
	/* All lines with their codes as they came, joined by LF, without CR
	 * at the ends. */
	struct buf text;
};

void smtp_reply_init(struct smtp_reply *r);
void smtp_reply_fini(struct smtp_reply *r);
/* Takes the first whole reply off the front of `in`.  1: *r is filled; 0: more
 * is needed; -1: that is no SMTP reply (or there is no memory), `in` is as
 * before. */
int smtp_reply_take(struct buf *in, struct smtp_reply *r);
/* What of its text is behind "250-" of each line: a word that EHLO announced,
 * without regard to case. */
bool smtp_reply_has(const struct smtp_reply *r, const char *keyword);

/* Appends a message in CR LF form as DATA wants it: dots doubled, the final
 * dot.  A last line without an end gets one. */
void smtp_put_content(struct buf *out, const char *p, size_t n);

#endif
