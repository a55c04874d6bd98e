/* SPDX-License-Identifier: MIT */
/*
 * buf: a growable octet buffer.
 *
 * Capacity doubles, so that adding is linear in the end; content moves to the
 * front only when that frees at least half.  One octet is always kept for the
 * NUL of buf_cstr and of vsnprintf.
 */
#include "buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_BYTES 64

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_fini(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	b->off = b->len = 0;
	b->failed = false;
}

static size_t
max_of(const struct buf *b)
{
	return b->max ? b->max : SIZE_MAX / 2;
}

/* Room for n octets and a NUL, whatever max says.  0 or -1. */
static int
make_room(struct buf *b, size_t n)
{
	size_t have = buf_len(b), cap;
	char *p;

	if (b->cap - b->len > n)
		return 0;
	if (b->off) {
		memmove(b->p, b->p + b->off, have);
		b->off = 0;
		b->len = have;
		if (b->cap - have > n && have <= b->cap / 2)
			return 0;
	}
	cap = b->cap ? b->cap * 2 : BUF_FIRST_BYTES;
	if (cap - have <= n)
		cap = have + n + 1;
	p = realloc(b->p, cap);
	if (!p)
		return -1;
	b->p = p;
	b->cap = cap;
	return 0;
}

char *
buf_space(struct buf *b, size_t n)
{
	if (!b->failed && n <= max_of(b) - buf_len(b) && make_room(b, n) == 0)
		return b->p + b->len;
	b->failed = true;
	return NULL;
}

void
buf_added(struct buf *b, size_t n)
{
	assert(n <= b->cap - b->len);
	b->len += n;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_space(b, n);

	if (!to)
		return -1;
	if (n)
		memcpy(to, p, n);
	b->len += n;
	return 0;
}

int
buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int
buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_vaddf(b, fmt, ap);
	va_end(ap);
	return r;
}

int
buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	size_t room = b->cap - b->len;
	va_list again;
	char *to = NULL;
	int n;

	if (b->failed)
		return -1;
	va_copy(again, ap);
	n = vsnprintf(room ? b->p + b->len : NULL, room, fmt, ap);
	if (n >= 0)
		to = buf_space(b, (size_t)n);
	if (to && (size_t)n >= room)
		vsnprintf(to, (size_t)n + 1, fmt, again);
	va_end(again);
	if (!to) {
		b->failed = true;
		return -1;
	}
	b->len += (size_t)n;
	return 0;
}

void
buf_cut(struct buf *b, size_t len)
{
	assert(len <= buf_len(b));
	b->len = b->off + len;
}

void
buf_take(struct buf *b, size_t n)
{
	assert(n <= buf_len(b));
	b->off += n;
	if (b->off == b->len)
		b->off = b->len = 0;
}

const char *
buf_cstr(struct buf *b)
{
	if (b->failed || make_room(b, 0) < 0) {
		b->failed = true;
		return NULL;
	}
	b->p[b->len] = '\0';
	return b->p + b->off;
}
