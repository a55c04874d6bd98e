/* SPDX-License-Identifier: MIT */
/*
 * results: a row of `lines` says which arguments a letter has; decoding is in
 * place, for an escape is longer than what it stands for.
 */
#include "results.h"

#include "core/base/pct.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* args: n name, i index from 0, I index from 1, v value (the rest),
 * h header value (the rest) */
static const struct {
	char letter;
	const char *args;
	enum result_op op;
} lines[] = {
	{ 'H', "nh", RESULT_ADD_HEADER },
	{ 'N', "nih", RESULT_INSERT_HEADER },
	{ 'I', "nIh", RESULT_CHANGE_HEADER },
	{ 'J', "nI", RESULT_DELETE_HEADER },
	{ 'R', "v", RESULT_ADD_RCPT },
	{ 'S', "v", RESULT_DELETE_RCPT },
	{ 'f', "v", RESULT_CHANGE_FROM },
	{ 'Q', "v", RESULT_QUARANTINE },
	{ 'M', "h", RESULT_CONTENT_TYPE },
	{ 'C', "", RESULT_REPLACE_BODY },
};

/* What is left of a line. */
struct cursor {
	char *p, *end;
	bool more; /* a blank was there, so a field is, if only an empty one */
};

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes the next field, or all that is left, decodes it and ends it with a
 * NUL, which takes the place of the blank or LF behind it at the latest. */
static struct mlt_bytes
take(struct cursor *c, bool rest)
{
	char *first = c->p;
	size_t n;

	while (c->p < c->end && (rest || !is_space(*c->p)))
		c->p++;
	n = pct_decode(first, (size_t)(c->p - first));
	c->more = c->p < c->end;
	if (c->more)
		c->p++;
	first[n] = '\0';
	return (struct mlt_bytes){ first, strlen(first) };
}

/* The milter interface folds with LF and a blank.  CR goes; an LF that no
 * blank follows would begin another header field: it becomes a blank, at the
 * end it goes.  choice:header-lf */
static struct mlt_bytes
header_value(struct mlt_bytes s)
{
	char *p = (char *)(uintptr_t)s.p, *to = p, *end = p + s.n;

	while (end > p && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	for (char *from = p; from < end; from++)
		if (*from != '\r')
			*to++ = *from;
	for (char *lf = p; lf < to; lf++)
		if (*lf == '\n' && lf[1] != ' ' && lf[1] != '\t')
			*lf = ' ';
	return (struct mlt_bytes){ p, (size_t)(to - p) };
}

/* As strtol(3) of the field, at least `min`; not a number is min. */
static uint32_t
take_index(struct cursor *c, uint32_t min)
{
	struct mlt_bytes s = take(c, false);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
		v = v * 10 + (uint64_t)(s.p[i] - '0');
		if (v > INT32_MAX)
			return INT32_MAX;
	}
	return v < min ? min : (uint32_t)v;
}

/* false: an argument is missing. */
static bool
take_args(struct result *r, const char *args, struct cursor c)
{
	for (const char *a = args; *a; a++) {
		if (!c.more)
			return false;
		switch (*a) {
		case 'n':
			r->name = take(&c, false);
			break;
		case 'i':
		case 'I':
			r->index = take_index(&c, *a == 'I');
			break;
		case 'v':
			r->value = take(&c, true);
			break;
		case 'h':
			r->value = header_value(take(&c, true));
			break;
		}
	}
	return true;
}

static struct result *
add(struct results *r)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 32;
		struct result *v = realloc(r->v, cap * sizeof(*v));

		if (!v)
			return NULL;
		r->v = v;
		r->cap = cap;
	}
	r->v[r->n] = (struct result){ .op = RESULT_UNKNOWN };
	return &r->v[r->n++];
}

/* 1: the line ends the list; 0; RESULTS_E_NOMEM. */
static int
parse_line(struct results *r, char *line, size_t n)
{
	struct cursor c = { line + (n > 0), line + n, true };
	char letter = n ? *line : '\0';
	struct result *one;

	switch (letter) {
	case 'F':
		r->end = RESULTS_DONE;
		return 1;
	case 'D':
		r->end = RESULTS_DISCARD;
		return 1;
	case 'B':
	case 'T':
		r->end = letter == 'B' ? RESULTS_REJECT : RESULTS_TEMPFAIL;
		r->code = take(&c, false).p;
		r->dsn = take(&c, false).p;
		r->text = take(&c, true);
		return 1;
	}
	one = add(r);
	if (!one)
		return RESULTS_E_NOMEM;
	one->letter = letter;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].letter == letter) {
			one->op = lines[i].op;
			if (!take_args(one, lines[i].args, c))
				one->op = RESULT_INCOMPLETE;
			break;
		}
	return 0;
}

/* A refused message is not changed; only its quarantine counts. */
static void
drop_changes(struct results *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].op == RESULT_QUARANTINE)
			r->v[kept++] = r->v[i];
	r->n = kept;
}

int
results_parse(struct results *r, char *text, size_t n, size_t line_max)
{
	char *p = text, *end;
	int rc = 0;

	assert(text[n] == '\0');
	end = text + strlen(text);
	r->n = 0;
	r->code = r->dsn = NULL;
	r->text = (struct mlt_bytes){ NULL, 0 };
	while (rc == 0 && p < end) {
		char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((lf ? lf : end) - p);

		if (len > line_max) {
			r->overlong = len;
			return RESULTS_E_LONG;
		}
		rc = parse_line(r, p, len);
		p += len + 1;
	}
	if (rc < 0)
		return rc;
	if (rc == 0)
		return RESULTS_E_NO_END;
	if (r->end != RESULTS_DONE)
		drop_changes(r);
	return 0;
}

void
results_fini(struct results *r)
{
	free(r->v);
	*r = (struct results){ 0 };
}
