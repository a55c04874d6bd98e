/* SPDX-License-Identifier: MIT */
/*
 * diff: a unified difference (diff.h), after E. W. Myers, "An O(ND) Difference
 * Algorithm and Its Variations" (1986): the furthest points that paths with d
 * edits reach, for d = 0, 1, ..., kept for each d to walk back.
 *
 * What is equal at the beginning and at the end is set aside first.
 */
#include "cli/check/diff.h"

#include "cli/ctl_safe.h"

#include <stdlib.h>
#include <string.h>

#define CONTEXT   3
#define EDITS_MAX 1000 /* the furthest points then take 4 MB */

struct lines {
	struct mlt_bytes *v; /* each with its LF, if it has one */
	bool *changed;       /* it is not in the other text */
	size_t n;
};

struct diff {
	struct lines old, new;
	size_t same_head, same_tail;    /* lines set aside */
	size_t *reached[EDITS_MAX + 1]; /* by d: x on diagonal -d .. d */
};

static int
split(struct lines *l, struct mlt_bytes text)
{
	const char *p = text.p, *end = p + text.n, *lf;
	size_t n = 0;

	for (const char *q = p;
	     q < end && (lf = memchr(q, '\n', (size_t)(end - q))); q = lf + 1)
		n++;
	l->v = calloc(n + 1, sizeof(*l->v));
	l->changed = calloc(n + 1, sizeof(*l->changed));
	if (!l->v || !l->changed)
		return -1;
	while (p < end) {
		lf = memchr(p, '\n', (size_t)(end - p));
		l->v[l->n].p = p;
		p = lf ? lf + 1 : end;
		l->v[l->n].n = (size_t)(p - l->v[l->n].p);
		l->n++;
	}
	return 0;
}

static bool
same(const struct diff *d, size_t i, size_t j)
{
	struct mlt_bytes a = d->old.v[i], b = d->new.v[j];

	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static void
set_aside(struct diff *d)
{
	size_t n = d->old.n < d->new.n ? d->old.n : d->new.n;

	while (d->same_head < n && same(d, d->same_head, d->same_head))
		d->same_head++;
	while (
	    d->same_tail < n - d->same_head &&
	    same(d, d->old.n - 1 - d->same_tail, d->new.n - 1 - d->same_tail))
		d->same_tail++;
}

/* ---- the shortest way -------------------------------------------------------------- */

/* x on diagonal k (x - y) after d edits; the caller sees to |k| <= d. */
static size_t *
at(const struct diff *d, size_t edits, ptrdiff_t k)
{
	return &d->reached[edits][(ptrdiff_t)edits + k];
}

/* Whether the way to diagonal k with so many edits came down (a line more in
 * the new text), not from the left. */
static bool
came_down(const struct diff *d, size_t edits, ptrdiff_t k)
{
	ptrdiff_t e = (ptrdiff_t)edits;

	return k == -e ||
	       (k != e && *at(d, edits - 1, k - 1) < *at(d, edits - 1, k + 1));
}

/* Where the way enters diagonal k. */
static size_t
enters(const struct diff *d, size_t edits, ptrdiff_t k)
{
	if (edits == 0)
		return 0;
	return came_down(d, edits, k) ? *at(d, edits - 1, k + 1)
				      : *at(d, edits - 1, k - 1) + 1;
}

/* All diagonals with so many edits.  1: the end was reached, on *end; 0: not;
 * -1: no memory. */
static int
advance(struct diff *d, size_t edits, ptrdiff_t *end)
{
	size_t rows = d->old.n - d->same_head - d->same_tail;
	size_t columns = d->new.n - d->same_head - d->same_tail;
	ptrdiff_t e = (ptrdiff_t)edits;

	d->reached[edits] = calloc(2 * edits + 1, sizeof(size_t));
	if (!d->reached[edits])
		return -1;
	for (ptrdiff_t k = -e; k <= e; k += 2) {
		size_t x = enters(d, edits, k);
		size_t y = (size_t)((ptrdiff_t)x - k);

		while (x < rows && y < columns &&
		       same(d, d->same_head + x, d->same_head + y)) {
			x++;
			y++;
		}
		*at(d, edits, k) = x;
		if (x >= rows && y >= columns) {
			*end = k;
			return 1;
		}
	}
	return 0;
}

/* From the end back to the beginning: each step is a line that changed. */
static void
walk_back(struct diff *d, size_t edits, ptrdiff_t k)
{
	for (; edits > 0; edits--) {
		size_t x = enters(d, edits, k);
		size_t y = (size_t)((ptrdiff_t)x - k);

		if (came_down(d, edits, k)) {
			d->new.changed[d->same_head + y - 1] = true;
			k++;
		} else {
			d->old.changed[d->same_head + x - 1] = true;
			k--;
		}
	}
}

static void
replace_all(struct diff *d)
{
	for (size_t i = d->same_head; i < d->old.n - d->same_tail; i++)
		d->old.changed[i] = true;
	for (size_t i = d->same_head; i < d->new.n - d->same_tail; i++)
		d->new.changed[i] = true;
}

static int
compare(struct diff *d)
{
	ptrdiff_t end = 0;
	int rc = 0;

	set_aside(d);
	for (size_t edits = 0; edits <= EDITS_MAX; edits++) {
		rc = advance(d, edits, &end);
		if (rc < 0)
			return -1;
		if (rc > 0) {
			walk_back(d, edits, end);
			return 0;
		}
	}
	replace_all(d);
	return 0;
}

/* ---- showing it -------------------------------------------------------------------- */

static void
show_line(struct buf *out, char mark, struct mlt_bytes line)
{
	size_t n = line.n;
	bool ended = n > 0 && line.p[n - 1] == '\n';

	buf_addc(out, mark);
	ctl_safe(out, line.p, ended ? n - 1 : n, false);
	buf_adds(out, ended ? "\n" : "\n\\ No newline at end of file\n");
}

static void
show_range(struct buf *out, char mark, size_t from, size_t n)
{
	/* an empty range is named by the line before it */
	buf_addf(out, " %c%zu", mark, n > 0 ? from + 1 : from);
	if (n != 1)
		buf_addf(out, ",%zu", n);
}

/* A place in both texts. */
struct place {
	size_t i, j;
};

/* The end of the hunk that begins with the change at p: behind the last change
 * that no more than twice the context separates from the one before. */
static struct place
hunk_end(const struct diff *d, struct place p)
{
	struct place end = p;
	size_t equal = 0;

	while (p.i < d->old.n || p.j < d->new.n) {
		if (p.i < d->old.n && d->old.changed[p.i]) {
			p.i++;
		} else if (p.j < d->new.n && d->new.changed[p.j]) {
			p.j++;
		} else {
			p.i++;
			p.j++;
			if (++equal > 2 * CONTEXT)
				break;
			continue;
		}
		equal = 0;
		end = p;
	}
	return end;
}

static void
show_hunk(
    struct buf *out, const struct diff *d, struct place p, struct place end)
{
	buf_adds(out, "@@");
	show_range(out, '-', p.i, end.i - p.i);
	show_range(out, '+', p.j, end.j - p.j);
	buf_adds(out, " @@\n");
	while (p.i < end.i || p.j < end.j) {
		if (p.i < end.i && d->old.changed[p.i]) {
			show_line(out, '-', d->old.v[p.i++]);
		} else if (p.j < end.j && d->new.changed[p.j]) {
			show_line(out, '+', d->new.v[p.j++]);
		} else {
			show_line(out, ' ', d->old.v[p.i++]);
			p.j++;
		}
	}
}

static void
show(struct buf *out, const struct diff *d)
{
	struct place p = { 0, 0 };

	while (p.i < d->old.n || p.j < d->new.n) {
		struct place from = p, end;
		size_t before, after;

		if (!(p.i < d->old.n && d->old.changed[p.i]) &&
		    !(p.j < d->new.n && d->new.changed[p.j])) {
			p.i++;
			p.j++;
			continue;
		}
		end = hunk_end(d, p);
		before = p.i < CONTEXT ? p.i : CONTEXT;
		after = d->old.n - end.i < CONTEXT ? d->old.n - end.i : CONTEXT;
		from.i -= before;
		from.j -= before;
		p = end;
		end.i += after;
		end.j += after;
		show_hunk(out, d, from, end);
	}
}

int
diff_unified(struct buf *out, const char *old_name, struct mlt_bytes old,
    const char *new_name, struct mlt_bytes new)
{
	struct diff d = { 0 };
	int rc = -1;

	if (split(&d.old, old) == 0 && split(&d.new, new) == 0)
		rc = compare(&d);
	if (rc == 0 && (d.old.n != d.new.n || d.same_head < d.old.n)) {
		buf_addf(out, "--- %s\n+++ %s\n", old_name, new_name);
		show(out, &d);
	}
	if (rc < 0 || out->failed) {
		out->failed = true;
		rc = -1;
	}
	for (size_t i = 0; i <= EDITS_MAX; i++)
		free(d.reached[i]);
	free(d.old.v);
	free(d.old.changed);
	free(d.new.v);
	free(d.new.changed);
	return rc;
}
