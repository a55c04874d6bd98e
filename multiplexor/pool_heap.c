/* SPDX-License-Identifier: MIT */
/*
 * pool_heap: idle workers of one class, the oldest process on top.  A slot
 * knows its place, so that any of them can leave.
 */
#include "pool_int.h"

static void
put(struct heap *h, unsigned at, struct slot *s)
{
	h->v[at] = s;
	s->heap_at = at;
}

/* s goes to `at` or nearer to the top. */
static void
rise(struct heap *h, unsigned at, struct slot *s)
{
	while (at > 0) {
		unsigned up = (at - 1) / 2;

		if (h->v[up]->activation < s->activation)
			break;
		put(h, at, h->v[up]);
		at = up;
	}
	put(h, at, s);
}

/* s goes to `at` or farther from the top. */
static void
sink(struct heap *h, unsigned at, struct slot *s)
{
	for (;;) {
		unsigned down = 2 * at + 1;

		if (down + 1 < h->n &&
		    h->v[down + 1]->activation < h->v[down]->activation)
			down++;
		if (down >= h->n || s->activation < h->v[down]->activation)
			break;
		put(h, at, h->v[down]);
		at = down;
	}
	put(h, at, s);
}

void
pool_heap_add(struct heap *h, struct slot *s)
{
	rise(h, h->n++, s);
}

void
pool_heap_remove(struct heap *h, struct slot *s)
{
	struct slot *last = h->v[--h->n];
	unsigned at = s->heap_at;

	if (last == s)
		return;
	if (last->activation < s->activation)
		rise(h, at, last);
	else
		sink(h, at, last);
}

struct slot *
pool_heap_top(const struct heap *h)
{
	return h->n ? h->v[0] : NULL;
}

struct heap *
pool_kin(struct pool *p, const struct slot *s)
{
	return &p->kin[s->last == POOL_NO_CLASS ? MUX_OTHER : s->last];
}
