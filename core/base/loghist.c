/* SPDX-License-Identifier: MIT */
/*
 * loghist: how long things took (loghist.h).
 *
 * Below 64 each number has a bucket of its own.  Above, a number is shifted
 * right until it is below 64: it is then 32 to 63, and the number of shifts says
 * which group of 32 buckets it falls into.
 */
#include "core/base/loghist.h"

#define TOP ((1ull << 40) - 1)

static unsigned
bucket(uint64_t time)
{
	unsigned shift = 0;

	if (time > TOP)
		time = TOP;
	while (time >> shift >= 2 * LOGHIST_PARTS)
		shift++;
	return shift * LOGHIST_PARTS + (unsigned)(time >> shift);
}

/* The longest time that belongs into bucket i. */
static uint64_t
bound(unsigned i)
{
	unsigned shift = i < 2 * LOGHIST_PARTS ? 0 : i / LOGHIST_PARTS - 1;

	return ((uint64_t)(i - shift * LOGHIST_PARTS + 1) << shift) - 1;
}

void
loghist_add(struct loghist *h, uint64_t time)
{
	h->n[bucket(time)]++;
	h->count++;
	h->sum += time;
	if (time > h->max)
		h->max = time;
}

uint64_t
loghist_quantile(const struct loghist *h, unsigned per_mille)
{
	uint64_t rank = (h->count * per_mille + 999) / 1000, before = 0;

	if (h->count == 0)
		return 0;
	for (unsigned i = 0; i < LOGHIST_BUCKETS; i++) {
		before += h->n[i];
		if (before >= rank)
			return bound(i) < h->max ? bound(i) : h->max;
	}
	return h->max;
}

uint64_t
loghist_mean(const struct loghist *h)
{
	return h->count ? h->sum / h->count : 0;
}
