/* SPDX-License-Identifier: MIT */
/*
 * socketmap: netstrings, and what stands in them when Sendmail or Postfix looks
 * something up (spec:socket-maps).  Pure.
 */
#ifndef MULTIPLEXOR_SOCKETMAP_H
#define MULTIPLEXOR_SOCKETMAP_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define NETSTRING_MAX 65536 /* octets of data */

struct netstring {
	const char *p; /* borrowed */
	size_t n, used;
	bool unterminated; /* another octet than a comma behind it */
};
/* The first of n octets.  1; 0: it is not complete; -1: it is none, or longer
 * than NETSTRING_MAX: nothing behind it can be understood. */
int netstring_next(const char *p, size_t n, struct netstring *s);
int netstring_add(struct buf *b, const void *p, size_t n); /* see buf */

/* The worker's line for a request "NAME KEY", without LF.  0; -1: no memory; -2:
 * it is no request. */
int socketmap_line(struct buf *line, const char *p, size_t n);
/* What the client gets for an answer that a worker or the pool gave, decoded in
 * place; *n becomes its length.  NULL: there was none. */
const char *socketmap_answer(char *answer, size_t *n);

#endif
