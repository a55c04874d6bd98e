/* SPDX-License-Identifier: MIT */
/*
 * line: lines out of pieces of any size (line.h).
 */
#include "line.h"

#include <string.h>

void
line_init(struct line *l, size_t max)
{
	*l = (struct line){ .max = max };
}

void
line_fini(struct line *l)
{
	buf_fini(&l->part);
	line_init(l, l->max);
}

void
line_reset(struct line *l)
{
	buf_reset(&l->part);
	l->given = l->cut = false;
}

/* As much of the n octets as the maximum allows, behind the part. */
static int
keep(struct line *l, const char *p, size_t n)
{
	size_t room = l->max - buf_len(&l->part);

	if (n > room) {
		l->cut = true;
		n = room;
	}
	return buf_add(&l->part, p, n);
}

static void
lend(struct line *l, struct line_text *t, size_t n)
{
	*t = (struct line_text){ l->part.p + l->part.off, n, l->cut };
	l->given = true;
}

int
line_next(struct line *l, char **p, size_t *n, struct line_text *t)
{
	char *from = *p, *lf;
	size_t len;

	if (l->given)
		line_reset(l);
	if (*n == 0)
		return 0;
	lf = memchr(from, '\n', *n);
	len = lf ? (size_t)(lf - from) : *n;
	*p += lf ? len + 1 : len;
	*n -= lf ? len + 1 : len;
	if (lf && buf_len(&l->part) == 0 && !l->cut) { /* wholly in the piece */
		t->cut = len > l->max;
		t->n = t->cut ? l->max : len;
		t->p = from;
		return 1;
	}
	if (keep(l, from, len) < 0 || (lf && buf_addc(&l->part, '\n') < 0)) {
		l->given = lf != NULL;
		return -1;
	}
	if (!lf)
		return 0;
	lend(l, t, buf_len(&l->part) - 1);
	return 1;
}

bool
line_has_part(const struct line *l)
{
	return !l->given && (buf_len(&l->part) || l->cut);
}

bool
line_rest(struct line *l, struct line_text *t)
{
	if (l->given)
		line_reset(l);
	if (buf_len(&l->part) == 0)
		return false;
	if (!buf_cstr(&l->part)) /* room for one more octet */
		return false;
	lend(l, t, buf_len(&l->part));
	return true;
}
