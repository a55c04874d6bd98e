/* SPDX-License-Identifier: MIT */
/*
 * macros: see macros.h.
 *
 * The block holds the sets in the order of the protocol, only those that are
 * not empty: octet place (1 = CONNECT), u32 length, pairs.
 */
#include "macros.h"

#include <string.h>

enum {
	SET_HEAD = 5
};

/* Place of a stage in the order of the protocol; 0 = not a stage. */
static uint8_t
place_of(uint8_t cmd)
{
	static const char order[] = {
#define MLT_X_STAGE(name, number, command) command,
#include <milterproto.def>
	};
	const char *p = memchr(order, cmd, sizeof(order));

	return p ? (uint8_t)(p - order + 1) : 0;
}

/* One set off the front. */
static bool
next_set(struct mlt_bytes *b, uint8_t *place, struct mlt_bytes *pairs)
{
	uint32_t n;

	if (!mlt_get_u8(b, place) || !mlt_get_u32(b, &n))
		return false;
	*pairs = (struct mlt_bytes){ b->p, n };
	b->p += n;
	b->n -= n;
	return true;
}

/* Octets of the sets before this place. */
static uint32_t
offset_of(const struct mlt_buf *m, uint8_t place)
{
	struct mlt_bytes b = { (const char *)m->data, m->len }, pairs;
	uint8_t at;
	uint32_t off = 0;

	while (next_set(&b, &at, &pairs) && at < place)
		off = m->len - (uint32_t)b.n;
	return off;
}

int
mlt_macros_set(
    struct mlt_buf **mp, uint8_t stage_cmd, struct mlt_bytes pairs, size_t max)
{
	uint8_t place = place_of(stage_cmd);
	uint32_t from = 0, to = 0, old = 0;
	size_t set = pairs.n ? SET_HEAD + pairs.n : 0;
	uint8_t *p;

	if (!place)
		return 0;
	if (*mp) {
		from = offset_of(*mp, place);
		to = offset_of(*mp, place + 1);
		old = (*mp)->len;
	}
	if (set > max || old - (to - from) > max - set)
		return MLT_E_TOOBIG;
	if (set > to - from && !mlt_buf_room(mp, set - (to - from)))
		return MLT_E_NOMEM;
	if (!*mp)
		return 0;
	p = (*mp)->data + from;
	memmove(p + set, (*mp)->data + to, old - to);
	(*mp)->len = (uint32_t)(old - (to - from) + set);
	if (set) {
		*p++ = place;
		mlt_put_octets(mlt_put_u32(p, (uint32_t)pairs.n), pairs);
	}
	return 0;
}

void
mlt_macros_clear_after(struct mlt_buf **mp, uint8_t stage_cmd)
{
	uint8_t place = place_of(stage_cmd);

	if (*mp)
		(*mp)->len = offset_of(*mp, place + 1);
}

static bool
same_name(struct mlt_bytes a, struct mlt_bytes b)
{
	if (a.n == 3 && a.p[0] == '{' && a.p[2] == '}')
		a = (struct mlt_bytes){ a.p + 1, 1 }; /* [F-11] */
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

struct mlt_bytes
mlt_macros_get(const struct mlt_buf *m, const char *name)
{
	struct mlt_bytes want = { name, strlen(name) }, found = { NULL, 0 };
	struct mlt_bytes b, pairs, n, v;
	uint8_t place;

	if (want.n == 3 && name[0] == '{' && name[2] == '}')
		want = (struct mlt_bytes){ name + 1, 1 };
	if (!m || want.n == 0)
		return found;
	b = (struct mlt_bytes){ (const char *)m->data, m->len };
	while (next_set(&b, &place, &pairs)) {
		bool here = false; /* the first of a set, the last set wins */

		while (!here && mlt_get_cstr(&pairs, &n) &&
		       mlt_get_cstr(&pairs, &v))
			here = same_name(n, want);
		if (here)
			found = v;
	}
	return found;
}
