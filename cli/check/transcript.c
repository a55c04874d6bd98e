/* SPDX-License-Identifier: MIT */
/*
 * transcript: what was said and heard (transcript.h).
 */
#include "cli/check/transcript.h"

#include "cli/check/words.h"
#include "cli/ctl_safe.h"

#include <stdlib.h>
#include <string.h>

#define SAID_MAX   1024u       /* octets kept of one write */
#define HEARD_MAX  (64u << 20) /* of all, so that a peer cannot fill memory */
#define SHOWN_HEAD 12u
#define SHOWN_TAIL 48u
#define HEX_MAX    64u

void
transcript_init(struct transcript *t)
{
	*t = (struct transcript){ .v = NULL };
	buf_init(&t->octets, HEARD_MAX);
}

void
transcript_fini(struct transcript *t)
{
	buf_fini(&t->octets);
	free(t->v);
	t->v = NULL;
	t->n = t->cap = 0;
}

void
transcript_reset(struct transcript *t)
{
	buf_reset(&t->octets);
	t->n = 0;
	t->failed = false;
}

static struct transcript_entry *
new_entry(struct transcript *t)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct transcript_entry *v = realloc(t->v, cap * sizeof(*v));

		if (!v) {
			t->failed = true;
			return NULL;
		}
		t->v = v;
		t->cap = cap;
	}
	return &t->v[t->n++];
}

void
transcript_add(struct transcript *t, enum transcript_kind kind, unsigned link,
    uint64_t us, bool from_filter, const void *p, size_t n)
{
	struct transcript_entry *e = new_entry(t);
	size_t kept = kind == TRANSCRIPT_SAID && n > SAID_MAX ? SAID_MAX : n;

	if (!e)
		return;
	*e = (struct transcript_entry){ .kind = kind,
		.link = link,
		.us = us,
		.off = t->octets.len,
		.n = kept,
		.whole = n,
		.from_filter = from_filter };
	if (buf_add(&t->octets, p, kept) < 0) {
		e->n = 0;
		t->failed = true;
	}
}

void
transcript_copy(struct transcript *t, const struct transcript *from)
{
	transcript_reset(t);
	for (size_t i = 0; i < from->n; i++) {
		const struct transcript_entry *e = &from->v[i];
		struct transcript_entry *copy;

		transcript_add(t, e->kind, e->link, e->us, e->from_filter,
		    transcript_octets(from, e), e->n);
		copy = t->n ? &t->v[t->n - 1] : NULL;
		if (copy)
			copy->whole = e->whole;
	}
	t->failed |= from->failed;
}

void
transcript_note(
    struct transcript *t, unsigned link, uint64_t us, const char *fmt, ...)
{
	struct buf text;
	va_list ap;

	buf_init(&text, 0);
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	transcript_add(t, TRANSCRIPT_NOTE, link, us, false, buf_data(&text),
	    buf_len(&text));
	buf_fini(&text);
}

const uint8_t *
transcript_octets(const struct transcript *t, const struct transcript_entry *e)
{
	return (const uint8_t *)t->octets.p + e->off;
}

void
transcript_words(const struct transcript *t, size_t i, struct buf *out)
{
	const struct transcript_entry *e = &t->v[i];
	const uint8_t *p = transcript_octets(t, e);

	buf_addf(out, "%c ", "><-"[e->kind]);
	if (e->kind == TRANSCRIPT_NOTE)
		ctl_safe(out, (const char *)p, e->n, true);
	else if (e->n < e->whole)
		buf_addf(out, "%zu octets, the first of them: ", e->whole);
	if (e->kind != TRANSCRIPT_NOTE)
		words_octets(out, e->from_filter, p, e->n);
}

void
transcript_gap(const struct transcript *t, size_t *from, size_t *to)
{
	*from = *to = t->n;
	if (t->n > SHOWN_HEAD + SHOWN_TAIL) {
		*from = SHOWN_HEAD;
		*to = t->n - SHOWN_TAIL;
	}
}

static void
print_entry(
    const struct transcript *t, size_t i, const char *prefix, struct buf *out)
{
	const struct transcript_entry *e = &t->v[i];

	buf_addf(out, "%s%8.3f #%u ", prefix, (double)e->us / 1e6, e->link);
	transcript_words(t, i, out);
	buf_addc(out, '\n');
	if (e->kind == TRANSCRIPT_NOTE || e->whole == 0)
		return;
	buf_addf(out, "%s           %c ", prefix, "><"[e->kind]);
	words_hex(out, transcript_octets(t, e), e->n, HEX_MAX);
	buf_addc(out, '\n');
}

void
transcript_print(
    const struct transcript *t, const char *prefix, struct buf *out)
{
	size_t from, to;

	transcript_gap(t, &from, &to);
	for (size_t i = 0; i < t->n; i++) {
		if (i >= from && i < to) {
			buf_addf(out, "%s... %zu entries left out\n", prefix,
			    to - from);
			i = to;
		}
		print_entry(t, i, prefix, out);
	}
	if (t->failed)
		buf_addf(out, "%sthere was more: memory ran out\n", prefix);
}
