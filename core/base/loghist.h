/* SPDX-License-Identifier: MIT */
/*
 * loghist: how long things took, fine enough for any percentile: each power of
 * two is divided into 32 buckets, so that a result is off by 3 % at most.
 * Constant memory, whatever comes; pure.  (hist.h has few buckets with round
 * bounds, for whoever keeps and shows them all.)
 */
#ifndef CORE_BASE_LOGHIST_H
#define CORE_BASE_LOGHIST_H

#include <stdint.h>

#define LOGHIST_PARTS   32
#define LOGHIST_BUCKETS (36 * LOGHIST_PARTS) /* up to 2^40 - 1 */

/* All zero is empty.  Times in any unit; microseconds reach for 12 days. */
struct loghist {
	uint64_t n[LOGHIST_BUCKETS];
	uint64_t count, sum, max;
};

void loghist_add(struct loghist *h, uint64_t time);
/* A time that `per_mille` (1 to 1000) of all did not exceed, rounded up to the
 * end of its bucket, but never above the longest.  0 if there are none. */
uint64_t loghist_quantile(const struct loghist *h, unsigned per_mille);
uint64_t loghist_mean(const struct loghist *h); /* 0 if there are none */

#endif
