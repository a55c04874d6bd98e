/* SPDX-License-Identifier: MIT */
/*
 * buf: a growable octet buffer, filled at the end, taken from the front.
 *
 * The first failure sticks (`failed`), so that a caller who builds a line of
 * ten pieces checks once at the end; until buf_reset nothing more is added.
 */
#ifndef CORE_BASE_BUF_H
#define CORE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Invariant: off <= len <= cap.  Octets [off, len) are the content. */
struct buf {
	char *p;
	size_t off, len, cap;
	size_t max; /* content may not grow beyond; 0 = SIZE_MAX / 2 */
	bool failed;
};

void buf_init(struct buf *b, size_t max); /* allocates nothing */
void buf_fini(struct buf *b);             /* frees; b is as after buf_init */
void buf_reset(struct buf *b);            /* empty, not failed, keeps memory */

static inline const char *
buf_data(const struct buf *b)
{
	return b->p ? b->p + b->off : "";
}
static inline size_t
buf_len(const struct buf *b)
{
	return b->len - b->off;
}

/* Each returns 0, or -1 (no memory, or beyond max) with the content as it was
 * and `failed` set; on a failed buffer they do nothing and return -1. */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_addc(struct buf *b, char c);
int buf_adds(struct buf *b, const char *s);
int buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int buf_vaddf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* Room for n more octets, to be filled by the caller and then counted in with
 * buf_added; NULL as above. */
char *buf_space(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);
void buf_cut(struct buf *b, size_t len); /* keeps the first len octets */
void buf_take(struct buf *b, size_t n);  /* drops n octets from the front */
/* Content as a C string: a NUL behind it, not counted.  NULL as above. */
const char *buf_cstr(struct buf *b);

#endif
