/* SPDX-License-Identifier: MIT */
/*
 * hist: how long things took, in buckets of fixed bounds.
 */
#include "hist.h"

#include <assert.h>

#define BEYOND (HIST_BUCKETS - 1)

static const uint64_t bounds[BEYOND] = { 100, 200, 500, 1000, 2000, 5000, 10000,
	20000, 50000, 100000, 200000, 500000, 1000000, 2000000, 5000000,
	10000000, 20000000, 50000000, 100000000, 200000000, 500000000 };

uint64_t
hist_bound(unsigned i)
{
	assert(i < HIST_BUCKETS);
	return i == BEYOND ? UINT64_MAX : bounds[i];
}

void
hist_add(struct hist *h, uint64_t us)
{
	unsigned i = 0;

	while (i < BEYOND && us > bounds[i])
		i++;
	h->n[i]++;
	h->count++;
	h->sum += us;
	if (us > h->max)
		h->max = us;
}

/* The nth (from 1) of those in bucket i, as if they lay evenly in it. */
static uint64_t
inside(const struct hist *h, unsigned i, uint64_t nth)
{
	uint64_t from = i ? bounds[i - 1] : 0;
	uint64_t to = i == BEYOND || h->max < bounds[i] ? h->max : bounds[i];

	return from +
	       (uint64_t)((double)(to - from) * (double)nth / (double)h->n[i]);
}

uint64_t
hist_percentile(const struct hist *h, unsigned percent)
{
	uint64_t rank, before = 0;

	if (h->count == 0)
		return 0;
	rank = (h->count * percent + 99) / 100;
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		if (before + h->n[i] >= rank)
			return inside(h, i, rank - before);
		before += h->n[i];
	}
	return h->max;
}

uint64_t
hist_mean(const struct hist *h)
{
	return h->count ? h->sum / h->count : 0;
}
