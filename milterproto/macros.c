/* SPDX-License-Identifier: MIT */
/*
 * macros: see macros.h.
 *
 * The block holds the sets in the order of the protocol, only those that are
 * not empty: octet place (1 = CONNECT), u32 length, pairs.
 */
#include "macros.h"

#include <stdlib.h>
#include <string.h>

enum {
	SET_HEAD = 5
};

/* Places of the stages in the order of the protocol; 0 = not a stage. */
enum place {
	PLACE_NONE,
#define MLT_X_STAGE(name, number, command) PLACE_##name,
#include <milterproto.def>
};
static const uint8_t places[256] = {
#define MLT_X_STAGE(name, number, command) [command] = PLACE_##name,
#include <milterproto.def>
};

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

/* Where the set of this place is, or would be: [*from, *to). */
static void
find_set(const struct mlt_buf *m, uint8_t place, uint32_t *from, uint32_t *to)
{
	struct mlt_bytes b = { (const char *)m->data, m->len }, pairs;
	uint8_t at;

	*from = *to = 0;
	while (next_set(&b, &at, &pairs) && at <= place) {
		*to = m->len - (uint32_t)b.n;
		if (at < place)
			*from = *to;
	}
}

int
mlt_macros_set(
    struct mlt_buf **mp, uint8_t stage_cmd, struct mlt_bytes pairs, size_t max)
{
	uint8_t place = places[stage_cmd];
	uint32_t from = 0, to = 0, old = 0;
	size_t set = pairs.n ? SET_HEAD + pairs.n : 0, len;
	uint8_t *p;
	struct mlt_buf *m = *mp;

	if (!place)
		return 0;
	if (m) {
		find_set(m, place, &from, &to);
		old = m->len;
	}
	if (set > max || old - (to - from) > max - set)
		return MLT_E_TOOBIG;
	len = old - (to - from) + set;
	if (len > (m ? m->cap : 0)) { /* exactly: it stays for long */
		m = realloc(m, sizeof(*m) + len);
		if (!m)
			return MLT_E_NOMEM;
		m->off = 0;
		m->cap = (uint32_t)len;
		*mp = m;
	}
	if (!m)
		return 0;
	p = m->data + from;
	if (set != to - from && to < old)
		memmove(p + set, m->data + to, old - to);
	m->len = (uint32_t)len;
	if (set) {
		*p++ = place;
		mlt_put_octets(mlt_put_u32(p, (uint32_t)pairs.n), pairs);
	}
	return 0;
}

void
mlt_macros_clear_after(struct mlt_buf **mp, uint8_t stage_cmd)
{
	uint32_t from, to;

	if (*mp) {
		find_set(*mp, places[stage_cmd], &from, &to);
		(*mp)->len = to;
	}
}

bool
mlt_macros_known(uint8_t stage_cmd)
{
	return places[stage_cmd] != 0;
}

static bool
same_name(struct mlt_bytes a, struct mlt_bytes b)
{
	if (a.n == 3 && a.p[0] == '{' && a.p[2] == '}')
		a = (struct mlt_bytes){ a.p + 1, 1 }; /* {x} is x */
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
