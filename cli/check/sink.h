/* SPDX-License-Identifier: MIT */
/*
 * sink: where the MTA under test delivers to: a Maildir, or any directory with
 * one file for each message.
 *
 * A message of ours has a marker, a word that is in no other, in its field
 * X-Milter-Check.  Files have to appear whole, as those of a Maildir do: names
 * that begin with a dot are taken for being written.  What is older than the
 * sink is not looked at.
 */
#ifndef CLI_CHECK_SINK_H
#define CLI_CHECK_SINK_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SINK_FIELD "X-Milter-Check"

struct sink_file;
struct sink {
	const char *dir;
	int64_t since_s;
	struct sink_file *v;
	size_t n, room;
};

/* One message that arrived, perhaps in several files.  All but `copies` is of
 * the first of them. */
struct sink_message {
	unsigned copies;
	struct buf text; /* LF line ends; without the lines of the envelope */
	size_t body;     /* where its body begins */
	/* As the delivering program noted it in front of the message
	 * (Return-Path, X-Envelope-To, Delivered-To and their like), without
	 * angle brackets; of all files.  Recipients have a LF behind each. */
	bool has_from, has_to;
	struct buf from, to;
};

/* dir is borrowed.  0 or -errno: it cannot be read. */
int sink_init(struct sink *s, const char *dir);
void sink_fini(struct sink *s);
/* Reads what is new.  0 or -errno. */
int sink_look(struct sink *s);
/* Has this message arrived, as of the last look? */
bool sink_has(const struct sink *s, const char *marker);
/* The same, with all that is known of it; m is one of sink_message_init. */
bool sink_get(const struct sink *s, const char *marker, struct sink_message *m);

void sink_message_init(struct sink_message *m);
void sink_message_fini(struct sink_message *m);
/* Adds one file with the message; pure.  -1: no memory. */
int sink_message_add(struct sink_message *m, const char *p, size_t n);
bool sink_message_is_to(const struct sink_message *m, const char *address);
/* The value of the nth field (from 1) of this name, all behind the colon,
 * folds as they are, without the last LF: its length, -1 if there is none.
 * *line: the number of the field among all, from 0. */
long sink_message_field(const struct sink_message *m, const char *name,
    unsigned nth, const char **value, unsigned *line);

#endif
