/* SPDX-License-Identifier: MIT */
/* ticks: when the filter's tick function is due. */
#include "ticks.h"

#include <assert.h>

void
ticks_init(struct ticks *t, unsigned n, msec period, msec now)
{
	assert(n >= 1 && n <= TICKS_MAX);
	*t = (struct ticks){ .n = n, .period = period };
	for (unsigned i = 0; i < n; i++)
		ticks_done(t, i, now);
}

int
ticks_next(struct ticks *t, msec now)
{
	int best = -1;

	for (unsigned i = 0; i < t->n; i++)
		if (t->due[i] <= now &&
		    (best < 0 || t->skipped[i] > t->skipped[best]))
			best = (int)i;
	if (best >= 0)
		t->due[best] = MSEC_NEVER;
	return best;
}

static void
set(struct ticks *t, unsigned type, msec now)
{
	assert(type < t->n);
	t->due[type] = t->period ? now + t->period : MSEC_NEVER;
}

void
ticks_done(struct ticks *t, unsigned type, msec now)
{
	set(t, type, now);
	t->skipped[type] = 0;
}

void
ticks_skipped(struct ticks *t, unsigned type, msec now)
{
	set(t, type, now);
	t->skipped[type]++;
}

msec
ticks_deadline(const struct ticks *t)
{
	msec at = MSEC_NEVER;

	for (unsigned i = 0; i < t->n; i++)
		if (t->due[i] < at)
			at = t->due[i];
	return at;
}
