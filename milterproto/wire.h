/* SPDX-License-Identifier: MIT */
/*
 * wire: frames and octets.  spec:framing
 *
 * A frame is u32 N, one octet command or reply, N - 1 octets payload.  Here
 * are the only places that read or write that header, the buffer that holds
 * what waits to leave or to be completed, and bounds-checked gets and puts.
 */
#ifndef MILTERPROTO_WIRE_H
#define MILTERPROTO_WIRE_H

#include <milterproto.h>
#include <string.h>

#pragma GCC visibility push(hidden)

enum {
	MLT_FRAME_HEAD = 5
};

/* Octets on the heap in one block; the pointer is NULL while there are none,
 * so that an idle session costs eight octets for each of its buffers.
 * Invariant: off <= len <= cap; [off, len) is the content. */
struct mlt_buf {
	uint32_t off, len, cap;
	uint8_t data[];
};

static inline size_t
mlt_buf_len(const struct mlt_buf *b)
{
	return b ? b->len - b->off : 0;
}
/* Room for n more at the end, not yet counted in len; NULL: no memory. */
uint8_t *mlt_buf_room(struct mlt_buf **b, size_t n);
/* Adds n octets.  0 or NOMEM (nothing added). */
int mlt_buf_add(struct mlt_buf **b, const void *p, size_t n);
/* Drops n octets from the front; frees the block when that was all. */
void mlt_buf_take(struct mlt_buf **b, size_t n);
void mlt_buf_free(struct mlt_buf **b);

struct mlt_frame {
	uint8_t cmd;
	const char *p; /* payload */
	size_t n;
};

/* Octets from the peer: what was left of earlier ones (`keep`), then borrowed
 * ones.  The last frame given stays readable until the next call. */
struct mlt_input {
	const uint8_t *p;
	uint32_t n, used; /* used: length of the last frame, if consumed */
	struct mlt_buf *keep;
};

/* Lends octets.  0, STATE (earlier ones not drained), ARG (over 4 GiB). */
int mlt_input_feed(struct mlt_input *in, const void *p, size_t n);
/* Next frame, not consumed.  `known` maps octets to non-zero: others are
 * refused as soon as they are seen, and so is a length of 0 or over max + 1,
 * before anything is allocated for it.  1, 0 (incomplete), NOMEM PROTO TOOBIG.
 */
int mlt_input_frame(struct mlt_input *in, size_t max, const uint8_t known[256],
    struct mlt_frame *f);
static inline void
mlt_input_consume(struct mlt_input *in, const struct mlt_frame *f)
{
	in->used = (uint32_t)(MLT_FRAME_HEAD + f->n);
}
/* Copies what is still borrowed.  0 or NOMEM (still borrowed). */
int mlt_input_keep(struct mlt_input *in);
void mlt_input_drop(struct mlt_input *in); /* forgets everything */

/* ---- get: from the front of *b; false = not there, *b unchanged ---------- */
/* Takes n octets, or returns NULL. */
static inline const uint8_t *
mlt_get(struct mlt_bytes *b, size_t n)
{
	const uint8_t *p = (const uint8_t *)b->p;

	if (b->n < n)
		return NULL;
	b->p += n;
	b->n -= n;
	return p;
}

static inline bool
mlt_get_u8(struct mlt_bytes *b, uint8_t *v)
{
	const uint8_t *p = mlt_get(b, 1);

	if (p)
		*v = p[0];
	return p;
}

static inline bool
mlt_get_u16(struct mlt_bytes *b, uint16_t *v)
{
	const uint8_t *p = mlt_get(b, 2);

	if (p)
		*v = (uint16_t)(p[0] << 8 | p[1]);
	return p;
}

static inline bool
mlt_get_u32(struct mlt_bytes *b, uint32_t *v)
{
	const uint8_t *p = mlt_get(b, 4);

	if (p)
		*v = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		     (uint32_t)p[2] << 8 | p[3];
	return p;
}

static inline bool
mlt_get_cstr(struct mlt_bytes *b, struct mlt_bytes *v)
{
	const char *nul = b->n ? memchr(b->p, 0, b->n) : NULL;

	if (!nul)
		return false;
	*v = (struct mlt_bytes){ b->p, (size_t)(nul - b->p) };
	mlt_get(b, v->n + 1);
	return true;
}

/* ---- put: returns the place behind; the caller made room ------------------ */
uint8_t *mlt_put_u16(uint8_t *p, uint16_t v);
uint8_t *mlt_put_u32(uint8_t *p, uint32_t v);
uint8_t *mlt_put_octets(uint8_t *p, struct mlt_bytes v);
uint8_t *mlt_put_cstr(uint8_t *p, struct mlt_bytes v);
/* A frame with n octets of payload, counted in; where the payload goes, or
 * NULL: no memory, nothing added. */
uint8_t *mlt_put_frame(struct mlt_buf **b, uint8_t cmd, size_t n);

#pragma GCC visibility pop
#endif
