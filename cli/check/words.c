/* SPDX-License-Identifier: MIT */
/*
 * words: frames as text (words.h).
 */
#include "cli/check/words.h"

#include "cli/ctl_safe.h"

#include <milterproto.h>
#include <string.h>

#define TEXT_MAX 160 /* octets shown of one string */

/* What is left of a payload. */
struct rest {
	const char *p;
	size_t n;
};

static void
add_text(struct buf *out, const char *p, size_t n)
{
	ctl_safe(out, p, n < TEXT_MAX ? n : TEXT_MAX, true);
	if (n > TEXT_MAX)
		buf_addf(out, "... (%zu octets)", n);
}

/* One string and its NUL; false: it has none. */
static bool
take_string(struct rest *r, struct rest *s)
{
	const char *end = r->n ? memchr(r->p, 0, r->n) : NULL;

	if (!end)
		return false;
	*s = (struct rest){ r->p, (size_t)(end - r->p) };
	r->p = end + 1;
	r->n -= s->n + 1;
	return true;
}

static bool
take_u32(struct rest *r, uint32_t *v)
{
	if (r->n < 4)
		return false;
	*v = 0;
	for (size_t i = 0; i < 4; i++)
		*v = *v << 8 | (uint8_t)r->p[i];
	r->p += 4;
	r->n -= 4;
	return true;
}

static void
add_rest(struct buf *out, struct rest r)
{
	if (r.n == 0)
		return;
	buf_addf(out, " [%zu octets: \"", r.n);
	add_text(out, r.p, r.n);
	buf_adds(out, "\"]");
}

static void
add_strings(struct buf *out, struct rest *r)
{
	struct rest s;

	while (take_string(r, &s)) {
		buf_addc(out, ' ');
		if (s.n == 0)
			buf_adds(out, "\"\"");
		add_text(out, s.p, s.n);
	}
}

static void
add_bits(struct buf *out, const char *what, uint32_t v,
    const char *(*name)(uint32_t bit))
{
	buf_addf(out, ", %s 0x%x", what, v);
	for (uint32_t bit = 1; bit; bit <<= 1) {
		if ((v & bit) && name(bit))
			buf_addf(out, " %s", name(bit));
	}
}

static void
add_options(struct buf *out, struct rest *r)
{
	uint32_t version, actions, protocol, stage;
	struct rest s, before = *r;

	if (!take_u32(r, &version) || !take_u32(r, &actions) ||
	    !take_u32(r, &protocol)) {
		*r = before;
		return;
	}
	buf_addf(out, " version %u", version);
	add_bits(out, "actions", actions, mlt_action_name);
	add_bits(out, "protocol", protocol, mlt_protocol_name);
	for (before = *r; take_u32(r, &stage) && take_string(r, &s);
	     before = *r) {
		buf_addf(out, ", macros of stage %u: ", stage);
		add_text(out, s.p, s.n);
	}
	*r = before;
}

static void
add_connect(struct buf *out, struct rest *r)
{
	struct rest host;

	if (!take_string(r, &host))
		return;
	buf_addc(out, ' ');
	add_text(out, host.p, host.n);
	if (r->n == 0)
		return;
	buf_adds(out, " family ");
	add_text(out, r->p, 1);
	r->p++;
	r->n--;
	if (r->n < 3 || r->p[r->n - 1] != '\0')
		return;
	buf_addf(out, " port %u address ",
	    (unsigned)(uint8_t)r->p[0] << 8 | (uint8_t)r->p[1]);
	add_text(out, r->p + 2, r->n - 3);
	r->n = 0;
}

static void
add_macros(struct buf *out, struct rest *r)
{
	struct rest name, value, before;

	if (r->n == 0)
		return;
	buf_adds(out, " for ");
	add_text(out, r->p, 1);
	buf_addc(out, ':');
	r->p++;
	r->n--;
	for (before = *r; take_string(r, &name) && take_string(r, &value);
	     before = *r) {
		buf_addc(out, ' ');
		add_text(out, name.p, name.n);
		buf_addc(out, '=');
		add_text(out, value.p, value.n);
	}
	*r = before;
}

static void
add_header(struct buf *out, struct rest *r, bool indexed)
{
	struct rest name, value, before = *r;
	uint32_t index = 0;

	if ((indexed && !take_u32(r, &index)) || !take_string(r, &name) ||
	    !take_string(r, &value)) {
		*r = before;
		return;
	}
	if (indexed)
		buf_addf(out, " index %u", index);
	buf_addc(out, ' ');
	add_text(out, name.p, name.n);
	buf_adds(out, ": ");
	add_text(out, value.p, value.n);
}

static void
add_command(struct buf *out, uint8_t octet, struct rest *r)
{
	switch (octet) {
	case MLT_SMFIC_OPTNEG:
		add_options(out, r);
		return;
	case MLT_SMFIC_MACRO:
		add_macros(out, r);
		return;
	case MLT_SMFIC_CONNECT:
		add_connect(out, r);
		return;
	case MLT_SMFIC_HEADER:
		add_header(out, r, false);
		return;
	case MLT_SMFIC_BODY:
	case MLT_SMFIC_EOM:
		return;
	default:
		add_strings(out, r);
	}
}

static void
add_reply(struct buf *out, uint8_t octet, struct rest *r)
{
	switch (octet) {
	case MLT_SMFIR_OPTNEG:
		add_options(out, r);
		return;
	case MLT_SMFIR_ADDHEADER:
		add_header(out, r, false);
		return;
	case MLT_SMFIR_INSHEADER:
	case MLT_SMFIR_CHGHEADER:
		add_header(out, r, true);
		return;
	case MLT_SMFIR_REPLBODY:
		return;
	default:
		add_strings(out, r);
	}
}

void
words_frame(
    struct buf *out, bool reply, uint8_t octet, const void *payload, size_t n)
{
	struct rest r = { payload, n };
	const char *name =
	    reply ? mlt_reply_name(octet) : mlt_command_name(octet);

	if (!name) {
		buf_addf(out, "unknown %s 0x%02x", reply ? "reply" : "command",
		    octet);
	} else {
		buf_adds(out, name);
		if (reply)
			add_reply(out, octet, &r);
		else
			add_command(out, octet, &r);
	}
	add_rest(out, r);
}

void
words_octets(struct buf *out, bool reply, const void *p, size_t n)
{
	struct rest r = { p, n }, before = r;
	const char *between = "";
	uint32_t len;

	for (; take_u32(&r, &len) && len > 0 && r.n >= len; before = r) {
		buf_adds(out, between);
		words_frame(out, reply, (uint8_t)r.p[0], r.p + 1, len - 1);
		between = "; ";
		r.p += len;
		r.n -= len;
	}
	if (before.n)
		buf_addf(out, "%s%zu octets that are no whole frame", between,
		    before.n);
}

void
words_hex(struct buf *out, const void *p, size_t n, size_t most)
{
	const uint8_t *o = p;

	for (size_t i = 0; i < n && i < most; i++)
		buf_addf(out, "%02x", o[i]);
	if (n > most)
		buf_addf(out, "... (%zu octets)", n);
}
