/* SPDX-License-Identifier: MIT */
/*
 * hist: how long things took, in buckets of fixed bounds: 1, 2 and 5 times each
 * power of ten from 100 microseconds to 500 seconds, and one for all beyond.
 * Constant memory, whatever comes; pure.
 */
#ifndef CORE_BASE_HIST_H
#define CORE_BASE_HIST_H

#include <stdint.h>

#define HIST_BUCKETS 22

/* All zero is empty.  Times in microseconds. */
struct hist {
	uint64_t n[HIST_BUCKETS];
	uint64_t count, sum, max;
};

void hist_add(struct hist *h, uint64_t us);
/* The longest time that belongs into bucket i; UINT64_MAX for the last. */
uint64_t hist_bound(unsigned i);
/* A time that `percent` (1 to 100) of all did not exceed, as exact as the
 * buckets are; never above the longest.  0 if there are none. */
uint64_t hist_percentile(const struct hist *h, unsigned percent);
uint64_t hist_mean(const struct hist *h); /* 0 if there are none */

#endif
