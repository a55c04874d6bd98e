/* SPDX-License-Identifier: MIT */
/*
 * pool_report: what reports are made of.
 */
#include "pool_int.h"

void
pool_count(const struct pool *p, struct pool_counts *c)
{
	const struct slot *s;

	*c = (struct pool_counts){
		.idle = p->n[POOL_IDLE] + p->n[POOL_STARTING],
		.busy = p->n[POOL_BUSY],
		.stopped = p->n[POOL_DEAD],
		.killed = p->o.max_workers - pool_alive(p) - p->n[POOL_DEAD],
		.queued = p->queued,
		.msgs = p->msgs,
		.activations = p->activations,
		.early = p->early,
		.start_at = pool_start_allowed_at(p),
		.old = p->n_old,
	};
	TAILQ_FOREACH(s, &p->in[POOL_STARTING], link) {
		if (s->req) {
			c->idle--;
			c->busy++;
		}
	}
}

unsigned
pool_running(const struct pool *p)
{
	return p->o.max_workers - p->n[POOL_DEAD];
}

uint64_t
pool_req(const struct pool *p, unsigned slot)
{
	const struct req *r = p->slots[slot].req;

	return r ? r->id : 0;
}

void
pool_info(const struct pool *p, unsigned slot, struct pool_info *i)
{
	const struct slot *s = &p->slots[slot];

	*i = (struct pool_info){
		.state = s->state,
		.req = pool_req(p, slot),
		.cls = s->req ? s->req->cls : MUX_OTHER,
		.last = s->last,
		.requests = s->requests,
		.scans = s->scans,
		.activation = s->activation,
		.since = s->since,
		.started = s->started,
		.first_req = s->first_req,
	};
}

const char *
pool_state_name(enum pool_state s)
{
	static const char *const names[POOL_STATE_N] = {
		[POOL_DEAD] = "Stopped",
		[POOL_STARTING] = "Idle",
		[POOL_IDLE] = "Idle",
		[POOL_BUSY] = "Busy",
		[POOL_GONE] = "Killed",
		[POOL_CLOSED] = "Killed",
		[POOL_TERMED] = "Killed",
		[POOL_KILLED] = "Killed",
	};

	return names[s];
}
