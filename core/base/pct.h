/* SPDX-License-Identifier: MIT */
/*
 * pct: the percent codec of working-directory files and multiplexor lines.
 *
 * An octet that is in the set becomes '%' and two upper-case hex digits.  The
 * decoder takes either case; a '%' that no two hex digits follow stays as it
 * is, as existing readers do (spec:percent).
 */
#ifndef CORE_BASE_PCT_H
#define CORE_BASE_PCT_H

#include "core/base/buf.h"

#include <stddef.h>

enum pct_set {
	PCT_FILE, /* COMMANDS, RESULTS: 00-20 % 7F-FF */
	PCT_WIRE, /* multiplexor lines: as FILE, and \ ' " */
};

/* 0, or -1 (see buf) with b as before. */
int pct_encode(struct buf *b, enum pct_set set, const void *p, size_t n);
/* In place; returns the new length, <= n.  Exact inverse of pct_encode. */
size_t pct_decode(char *p, size_t n);
/* The octets that pct_encode would produce. */
size_t pct_encoded_len(enum pct_set set, const void *p, size_t n);

#endif
