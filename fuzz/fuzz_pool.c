/* SPDX-License-Identifier: MIT */
/* pool: octets are options, then inputs with their arguments; the invariants
 * hold after each, and no deadline is passed by. */
#include "multiplexor/pool.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
drain(struct pool *p, msec now, unsigned x)
{
	struct pool_action a;

	while (pool_next(p, &a)) {
		if (a.type == POOL_SPAWN && (x++ & 7) == 7)
			pool_failed(p, a.slot, now);
		else if (a.type == POOL_SPAWN && (x & 3) != 2)
			pool_ready(p, a.slot, now); /* else later, or never */
	}
	pool_check(p);
}

static void
scale(struct pool *p, unsigned x, uint64_t req, msec now)
{
	if (x < 64)
		pool_grow(p, now);
	else if (x < 128)
		pool_shrink(p, now);
	else
		pool_request_now(p, req, MUX_OTHER, now);
}

static void
one_input(struct pool *p, unsigned op, unsigned x, uint64_t req, msec now)
{
	static void (*const slot_inputs[])(struct pool *, unsigned,
	    msec) = { pool_gone, pool_stuck, pool_noisy };
	unsigned slot = x % 4;

	if (op < 3)
		slot_inputs[op](p, slot, now);
	else if (op < 6 && pool_req(p, slot))
		pool_finished(p, slot, (enum pool_after)(op - 3), now);
	else if (op < 10)
		pool_request(
		    p, req, (enum mux_class)(x % MUX_CLASS_N), x & 3, now);
	else if (op < 11)
		pool_cancel(p, req - x % 8);
	else if (op < 12)
		pool_exited(p, slot, now);
	else if (op < 13)
		x < 16 ? pool_reread(p, now) : (void)0;
	else if (op < 14)
		x == 77 ? pool_stop(p, now) : (void)0;
	else if (op < 15)
		pool_ready(p, slot, now);
	else
		scale(p, x, req, now);
	pool_tick(p, now);
	assert(pool_deadline(p) > now);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool_opts o = { .min_workers = 1,
		.max_workers = 4,
		.max_requests = 3,
		.queue_ms = 3000,
		.busy_ms = 12000,
		.idle_ms = 30000,
		.lifetime_ms = 20000,
		.start_delay_ms = 1000,
		.start_ms = 5000,
		.term_ms = 10000,
		.gone_ms = 1000,
		.backoff_ms = 1000,
		.backoff_max_ms = 60000 };
	struct pool *p;
	msec now = 1;

	if (size < 1)
		return 0;
	o.queue_max = data[0] & 3;
	o.per_domain = data[0] >> 2 & 1;
	o.start_min_ms = data[0] >> 3 & 1 ? 2000 : 0;
	if (pool_new(&p, &o) < 0)
		return 0;
	pool_start(p, now);
	drain(p, now, 0);
	for (size_t i = 1; i + 1 < size; i += 2) {
		unsigned x = data[i + 1];

		one_input(p, data[i] & 15, x, i, now);
		drain(p, now, x);
		now += (msec)(data[i] >> 4) * (data[i] >> 4) * 50;
	}
	pool_free(p);
	return 0;
}
