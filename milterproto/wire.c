/* SPDX-License-Identifier: MIT */
/* wire: frames and octets; see wire.h. */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum {
	BUF_MIN = 52
}; /* with the header 64 octets: most answers */

uint8_t *
mlt_buf_room(struct mlt_buf **bp, size_t n)
{
	struct mlt_buf *b = *bp;
	size_t len = b ? b->len : 0, cap = b ? b->cap : 0;

	if (n > UINT32_MAX / 2 - len)
		return NULL;
	if (n <= cap - len)
		return b->data + len;
	if (b && b->off > 0 && len - b->off + n <= cap) {
		memmove(b->data, b->data + b->off, len - b->off);
		b->len -= b->off;
		b->off = 0;
		return b->data + b->len;
	}
	cap = cap < BUF_MIN / 2 ? BUF_MIN : cap * 2;
	if (cap < len + n)
		cap = len + n;
	b = realloc(b, sizeof(*b) + cap);
	if (!b)
		return NULL;
	if (!*bp)
		b->off = b->len = 0;
	b->cap = (uint32_t)cap;
	*bp = b;
	return b->data + len;
}

int
mlt_buf_add(struct mlt_buf **b, const void *p, size_t n)
{
	uint8_t *to;

	if (n == 0)
		return 0;
	to = mlt_buf_room(b, n);
	if (!to)
		return MLT_E_NOMEM;
	memcpy(to, p, n);
	(*b)->len += (uint32_t)n;
	return 0;
}

void
mlt_buf_take(struct mlt_buf **b, size_t n)
{
	if (n < mlt_buf_len(*b))
		(*b)->off += (uint32_t)n;
	else
		mlt_buf_free(b);
}

void
mlt_buf_free(struct mlt_buf **b)
{
	free(*b);
	*b = NULL;
}

/* ---- input ----------------------------------------------------------------- */

int
mlt_input_feed(struct mlt_input *in, const void *p, size_t n)
{
	if (in->n > in->used || (in->n > 0 && in->keep))
		return MLT_E_STATE;
	if (n > UINT32_MAX)
		return MLT_E_ARG;
	if (!in->keep)
		in->used = 0; /* it was the end of the previous octets */
	in->p = p;
	in->n = (uint32_t)n;
	return 0;
}

/* Forgets the frame that was given last. */
static void
input_advance(struct mlt_input *in)
{
	if (in->keep) {
		mlt_buf_take(&in->keep, in->used);
	} else if (in->used) { /* p may be NULL */
		in->p += in->used;
		in->n -= in->used;
	}
	in->used = 0;
}

/* Total length of the frame whose first n octets are at p; 0 = unknown yet. */
static int
frame_length(const uint8_t *p, size_t n, size_t max, const uint8_t known[256],
    size_t *total)
{
	uint32_t len;

	*total = 0;
	if (n < 4)
		return 0;
	len = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	      (uint32_t)p[2] << 8 | p[3];
	if (len == 0)
		return MLT_E_PROTO; /* nothing behind it can be trusted */
	if (len - 1 > max)
		return MLT_E_TOOBIG;
	if (n < MLT_FRAME_HEAD)
		return 0;
	if (!known[p[4]])
		return MLT_E_PROTO;
	*total = 4 + (size_t)len;
	return 0;
}

int
mlt_input_frame(struct mlt_input *in, size_t max, const uint8_t known[256],
    struct mlt_frame *f)
{
	const uint8_t *p;
	size_t n, total, more;
	int rc;

	input_advance(in);
	for (;;) {
		p = in->keep ? in->keep->data + in->keep->off : in->p;
		n = in->keep ? mlt_buf_len(in->keep) : in->n;
		rc = frame_length(p, n, max, known, &total);
		if (rc < 0)
			return rc;
		if (total && n >= total)
			break;
		if (!in->keep || in->n == 0)
			return 0;
		/* Complete this one frame, so that the rest is not copied. */
		more = (total ? total : MLT_FRAME_HEAD) - n;
		if (more > in->n)
			more = in->n;
		rc = mlt_buf_add(&in->keep, in->p, more);
		if (rc < 0)
			return rc;
		in->p += more;
		in->n -= (uint32_t)more;
	}
	f->cmd = p[4];
	f->p = (const char *)p + MLT_FRAME_HEAD;
	f->n = total - MLT_FRAME_HEAD;
	return 1;
}

int
mlt_input_keep(struct mlt_input *in)
{
	int rc;

	input_advance(in);
	rc = mlt_buf_add(&in->keep, in->p, in->n);
	if (rc < 0)
		return rc;
	in->n = 0;
	return 0;
}

void
mlt_input_drop(struct mlt_input *in)
{
	mlt_buf_free(&in->keep);
	in->n = in->used = 0;
}

/* ---- get and put ------------------------------------------------------------ */

uint8_t *
mlt_put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

uint8_t *
mlt_put_u32(uint8_t *p, uint32_t v)
{
	return mlt_put_u16(mlt_put_u16(p, (uint16_t)(v >> 16)), (uint16_t)v);
}

uint8_t *
mlt_put_octets(uint8_t *p, struct mlt_bytes v)
{
	if (v.n)
		memcpy(p, v.p, v.n);
	return p + v.n;
}

uint8_t *
mlt_put_cstr(uint8_t *p, struct mlt_bytes v)
{
	p = mlt_put_octets(p, v);
	*p = 0;
	return p + 1;
}

uint8_t *
mlt_put_frame(struct mlt_buf **b, uint8_t cmd, size_t n)
{
	uint8_t *p;

	if (n >= UINT32_MAX / 2)
		return NULL;
	p = mlt_buf_room(b, MLT_FRAME_HEAD + n);
	if (!p)
		return NULL;
	(*b)->len += (uint32_t)(MLT_FRAME_HEAD + n);
	p = mlt_put_u32(p, (uint32_t)n + 1);
	*p = cmd;
	return p + 1;
}
