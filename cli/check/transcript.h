/* SPDX-License-Identifier: MIT */
/*
 * transcript: what was sent and received, in order, with the time; for reports
 * and for those who judge it afterwards.  Pure: times are given.
 *
 * A case may have many connections, which are told apart by a number.  What was
 * received is kept frame by frame and whole; of what was sent, as it was
 * written, the beginning.
 */
#ifndef CLI_CHECK_TRANSCRIPT_H
#define CLI_CHECK_TRANSCRIPT_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum transcript_kind {
	TRANSCRIPT_SAID,
	TRANSCRIPT_HEARD,
	TRANSCRIPT_NOTE /* connected, closed, a time passed: a text */
};

struct transcript_entry {
	enum transcript_kind kind;
	unsigned link;    /* which connection */
	uint64_t us;      /* since the transcript began */
	size_t off, n;    /* what is kept of it, in octets */
	size_t whole;     /* how many octets they were */
	bool from_filter; /* SAID, HEARD: these are replies */
};

struct transcript {
	struct buf octets;
	struct transcript_entry *v;
	size_t n, cap;
	bool failed; /* out of memory: entries are missing */
};

void transcript_init(struct transcript *t);
void transcript_fini(struct transcript *t);
void transcript_reset(struct transcript *t); /* empty, keeps its memory */
/* Makes t the same as another one. */
void transcript_copy(struct transcript *t, const struct transcript *from);

/* Octets as they were written, or a frame, with its length, or what is left of
 * one, as it was read. */
void transcript_add(struct transcript *t, enum transcript_kind kind,
    unsigned link, uint64_t us, bool from_filter, const void *p, size_t n);
__attribute__((format(printf, 4, 5))) void transcript_note(
    struct transcript *t, unsigned link, uint64_t us, const char *fmt, ...);
/* What is kept of an entry. */
const uint8_t *transcript_octets(
    const struct transcript *t, const struct transcript_entry *e);

/* Entry i in words, without LF: "> MAIL <a@example.org>", "< CONTINUE",
 * "- closed by the filter". */
void transcript_words(const struct transcript *t, size_t i, struct buf *out);
/* All, a line or two each, behind `prefix`; of a long one, the first and the
 * last. */
void transcript_print(
    const struct transcript *t, const char *prefix, struct buf *out);
/* Entries that transcript_print leaves out: those of [*from, *to). */
void transcript_gap(const struct transcript *t, size_t *from, size_t *to);

#endif
