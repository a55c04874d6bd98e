/* SPDX-License-Identifier: MIT */
/*
 * muxpipe: the frames of a pipelined connection (muxpipe.h).
 */
#include "muxpipe.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#define GREETING "ok pipeline-1"

/* A decimal number at *p: not empty, no sign, no leading zero but "0" itself.
 * false: none, or more than max; *p is then anywhere. */
static bool
number(const char **p, const char *end, uint64_t max, uint64_t *v)
{
	const char *s = *p;

	*v = 0;
	for (; s < end && *s >= '0' && *s <= '9'; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		if (s > *p && *v == 0)
			return false;
		if (digit > max || *v > (max - digit) / 10)
			return false;
		*v = *v * 10 + digit;
	}
	if (s == *p)
		return false;
	*p = s;
	return true;
}

/* ---- the greeting ---- */

int
muxpipe_add_greeting(struct buf *b, const struct muxpipe_limits *l)
{
	return buf_addf(
	    b, GREETING " in-flight=%u idle=%u\n", l->in_flight, l->idle_s);
}

/* "key=NUMBER" as a whole word. */
static bool
setting(const char *word, const char *end, const char *key, unsigned *to)
{
	size_t n = strlen(key);
	uint64_t v;

	if ((size_t)(end - word) < n || memcmp(word, key, n) != 0)
		return false;
	word += n;
	if (!number(&word, end, INT_MAX, &v) || word != end)
		return false;
	*to = (unsigned)v;
	return true;
}

int
muxpipe_parse_greeting(const char *line, size_t n, struct muxpipe_limits *l)
{
	const char *p = line + strlen(GREETING), *end = line + n;
	struct muxpipe_limits r = { .in_flight = 1 };

	if (n < strlen(GREETING) ||
	    memcmp(line, GREETING, strlen(GREETING)) != 0)
		return -1;
	while (p < end) {
		const char *word = ++p;

		if (word[-1] != ' ')
			return -1;
		while (p < end && *p != ' ')
			p++;
		if (!setting(word, p, "in-flight=", &r.in_flight))
			setting(word, p, "idle=", &r.idle_s);
	}
	if (r.in_flight == 0)
		return -1;
	*l = r;
	return 0;
}

/* ---- requests ---- */

int
muxpipe_add_request(struct buf *b, uint64_t id, const char *line, size_t n)
{
	size_t mark = buf_len(b);

	if (buf_addf(b, "%" PRIu64 " ", id) == 0 && buf_add(b, line, n) == 0 &&
	    buf_addc(b, '\n') == 0)
		return 0;
	buf_cut(b, mark);
	return -1;
}

int
muxpipe_add_cancel(struct buf *b, uint64_t id)
{
	return buf_addf(b, "-%" PRIu64 "\n", id);
}

int
muxpipe_parse_request(const char *line, size_t n, struct muxpipe_request *r)
{
	const char *p = line, *end = line + n;
	bool cancel = n && *p == '-';

	p += cancel;
	*r = (struct muxpipe_request){ .cancel = cancel };
	if (!number(&p, end, UINT64_MAX, &r->id) || r->id == 0)
		return -1;
	if (cancel)
		return p == end ? 0 : -1;
	if (p == end || *p != ' ')
		return -1;
	r->line = p + 1;
	r->n = (size_t)(end - r->line);
	return 0;
}

/* ---- answers ---- */

int
muxpipe_add_answer(struct buf *b, uint64_t id, const char *p, size_t n)
{
	size_t mark = buf_len(b);

	if (!p)
		return buf_addf(b, "%" PRIu64 " -\n", id);
	if (buf_addf(b, "%" PRIu64 " %zu\n", id, n) == 0 &&
	    buf_add(b, p, n) == 0)
		return 0;
	buf_cut(b, mark);
	return -1;
}

int
muxpipe_next_answer(
    const char *p, size_t n, size_t max, struct muxpipe_answer *a)
{
	const char *lf = memchr(p, '\n', n), *s = p;
	uint64_t len = 0;

	if (!lf) /* two numbers and a blank are not longer */
		return n > 2 * MUXPIPE_HEAD_MAX ? -1 : 0;
	*a = (struct muxpipe_answer){ 0 };
	if (!number(&s, lf, UINT64_MAX, &a->id) || a->id == 0 || *s++ != ' ')
		return -1;
	a->none = s + 1 == lf && *s == '-';
	if (!a->none && (!number(&s, lf, max, &len) || s != lf))
		return -1;
	a->at = (size_t)(lf + 1 - p);
	a->n = (size_t)len;
	a->used = a->at + a->n;
	return n >= a->used;
}
