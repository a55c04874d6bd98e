/* SPDX-License-Identifier: MIT */
/*
 * convert: runs between CRs are found with memchr and copied whole.
 */
#include "convert.h"

#include <string.h>

/* CRLF -> LF, any other CR -> one space.  true if there was such a CR. */
static bool
add_folded(struct buf *b, struct mlt_bytes s)
{
	const char *p = s.p, *end = s.p + s.n, *cr;
	bool bare = false;

	while (p < end && (cr = memchr(p, '\r', (size_t)(end - p)))) {
		buf_add(b, p, (size_t)(cr - p));
		if (cr + 1 == end || cr[1] != '\n') {
			buf_addc(b, ' ');
			bare = true;
		}
		p = cr + 1;
	}
	buf_add(b, p, (size_t)(end - p));
	return bare;
}

void
convert_unfolded(struct buf *b, struct mlt_bytes s)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end) {
		const char *run = p;

		while (p < end && *p != '\r' && *p != '\n')
			p++;
		buf_add(b, run, (size_t)(p - run));
		p++;
	}
}

bool
convert_header(struct buf *inputmsg, struct buf *headers, struct mlt_bytes name,
    struct mlt_bytes value)
{
	bool suspicious;

	suspicious = add_folded(inputmsg, name);
	buf_add(inputmsg, ": ", 2);
	suspicious |= add_folded(inputmsg, value);
	buf_addc(inputmsg, '\n');

	convert_unfolded(headers, name);
	buf_add(headers, ": ", 2);
	convert_unfolded(headers, value);
	buf_addc(headers, '\n');
	return suspicious;
}

static void
add_bare_cr(struct convert_body *c, struct buf *b)
{
	c->suspicious = true;
	if (!c->strip_cr)
		buf_addc(b, '\r');
}

void
convert_body(struct convert_body *c, struct buf *b, const char *p, size_t n)
{
	const char *end = p + n, *cr;

	if (n == 0)
		return;
	if (c->held_cr && *p != '\n')
		add_bare_cr(c, b);
	c->held_cr = false;
	if (!c->suspicious && memchr(p, '\0', n))
		c->suspicious = true;
	if (!buf_space(b, n)) /* one allocation, whatever follows */
		return;
	while (p < end && (cr = memchr(p, '\r', (size_t)(end - p)))) {
		buf_add(b, p, (size_t)(cr - p));
		p = cr + 1;
		if (p == end)
			c->held_cr = true;
		else if (*p != '\n')
			add_bare_cr(c, b);
	}
	buf_add(b, p, (size_t)(end - p));
}

void
convert_body_end(struct convert_body *c, struct buf *b)
{
	if (c->held_cr)
		add_bare_cr(c, b);
	c->held_cr = false;
}
