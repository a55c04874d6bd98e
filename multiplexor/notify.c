/* SPDX-License-Identifier: MIT */
/*
 * notify: what listeners are told, and how (notify.h).
 */
#include "notify.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOST_ROOM 40 /* octets kept free for "*LOST N" */

/* ---- what is told -------------------------------------------------------------- */

int
notify_init(struct notify *n, unsigned slots)
{
	*n = (struct notify){ .slots = slots,
		.free = slots,
		.told_free = slots,
		.state = calloc(slots, 1) };
	return n->state ? 0 : -ENOMEM;
}

void
notify_fini(struct notify *n)
{
	free(n->state);
	n->state = NULL;
}

static bool
is_free(unsigned state)
{
	return state == NOTIFY_IDLE || state == NOTIFY_STOPPED;
}

/* One step; spec:notify says in which order. */
static void
step(struct notify *n, unsigned slot, enum notify_state to, struct buf *out)
{
	static const char *const names[] = { "Stopped", "Idle", "Busy",
		"Killed" };
	unsigned from = n->state[slot], before = n->told_free;

	n->state[slot] = (unsigned char)to;
	n->free += is_free(to);
	n->free -= is_free(from);
	n->told_free = n->free;
	if (!out)
		return;
	buf_addf(
	    out, "S %u StateChange %s -> %s\n", slot, names[from], names[to]);
	if (n->free != before)
		buf_addf(out, "F %u\n", n->free);
	if (n->free == 0)
		buf_adds(out, "Z\n");
	else if (before == 0)
		buf_adds(out, "Y\n");
}

void
notify_change(
    struct notify *n, unsigned slot, enum notify_state to, struct buf *out)
{
	assert(slot < n->slots);
	/* whatever was not told in between */
	if (n->state[slot] == NOTIFY_STOPPED && to > NOTIFY_IDLE)
		step(n, slot, NOTIFY_IDLE, out);
	if (n->state[slot] != to)
		step(n, slot, to, out);
}

void
notify_tag(unsigned slot, const char *tag, struct buf *out)
{
	if (out && *tag)
		buf_addf(out, "S %u %s\n", slot, tag);
}

void
notify_event(char kind, struct buf *out)
{
	if (out)
		buf_addf(out, "%c\n", kind);
}

/* ---- who is told --------------------------------------------------------------- */

void
notify_ear_init(struct notify_ear *e, size_t out_max)
{
	*e = (struct notify_ear){ .out_max = out_max };
	line_init(&e->in, NOTIFY_LINE_MAX);
	buf_init(&e->out, 0);
}

void
notify_ear_fini(struct notify_ear *e)
{
	line_fini(&e->in);
	buf_fini(&e->out);
}

static uint32_t
wanted(const char *p, size_t n)
{
	uint32_t wants = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '*')
			wants = (1U << 26) - 1;
		else if (p[i] >= 'A' && p[i] <= 'Z')
			wants |= 1U << (p[i] - 'A');
	}
	return wants;
}

void
notify_hear(struct notify_ear *e, char *p, size_t n)
{
	struct line_text t;
	int rc;

	while ((rc = line_next(&e->in, &p, &n, &t)) != 0) {
		if (rc < 0 || t.n == 0 || t.p[0] != '?')
			continue;
		e->wants = wanted(t.p, t.n);
		e->asked = true;
	}
}

static bool
wants(const struct notify_ear *e, char kind)
{
	return kind == '*' ||
	       (kind >= 'A' && kind <= 'Z' && e->wants & 1U << (kind - 'A'));
}

/* false: no room. */
static bool
put(struct notify_ear *e, const char *p, size_t n, size_t room)
{
	if (buf_len(&e->out) + n + room > e->out_max)
		return false;
	if (buf_add(&e->out, p, n) == 0)
		return true;
	e->out.failed = false; /* it is as before */
	return false;
}

void
notify_has_room(struct notify_ear *e)
{
	size_t mark = buf_len(&e->out);

	if (!e->lost || mark + LOST_ROOM > e->out_max)
		return;
	if (buf_addf(&e->out, "*LOST %lu\n", e->lost) == 0) {
		e->lost = 0;
		return;
	}
	e->out.failed = false;
	buf_cut(&e->out, mark);
}

void
notify_tell(struct notify_ear *e, const char *p, size_t n)
{
	const char *end = p + n, *lf;

	notify_has_room(e);
	for (; p < end && (lf = memchr(p, '\n', (size_t)(end - p)));
	     p = lf + 1) {
		if (!wants(e, *p))
			continue;
		if (e->lost || !put(e, p, (size_t)(lf + 1 - p), LOST_ROOM))
			e->lost++;
	}
}
