/* SPDX-License-Identifier: MIT */
#include "cli/check/plan.h"

#include <assert.h>
#include <string.h>

void
plan_init(struct plan *p)
{
	*p =
	    (struct plan){ .version = MLT_VERSION_MAX, .actions = MLT_ACT_ALL };
	buf_init(&p->octets, 0);
}

void
plan_fini(struct plan *p)
{
	buf_fini(&p->octets);
	p->n = 0;
}

void
plan_on(struct plan *p, uint8_t cmd, unsigned nth)
{
	assert(p->n < PLAN_MAX);
	p->v[p->n++] = (struct plan_answer){
		.cmd = cmd, .nth = nth, .at = buf_len(&p->octets)
	};
}

void
plan_octets(struct plan *p, const void *octets, size_t n)
{
	assert(p->n > 0);
	if (buf_add(&p->octets, octets, n) == 0)
		p->v[p->n - 1].n += n;
}

static void
put_u32(char *to, uint32_t v)
{
	to[0] = (char)(v >> 24);
	to[1] = (char)(v >> 16);
	to[2] = (char)(v >> 8);
	to[3] = (char)v;
}

/* Length and octet of a frame with so much payload. */
static void
head(struct plan *p, uint8_t reply, size_t payload)
{
	char octets[5];

	put_u32(octets, (uint32_t)(payload + 1));
	octets[4] = (char)reply;
	plan_octets(p, octets, sizeof(octets));
}

void
plan_reply(struct plan *p, uint8_t reply)
{
	head(p, reply, 0);
}

void
plan_frame(struct plan *p, uint8_t reply, const void *payload, size_t n)
{
	head(p, reply, n);
	plan_octets(p, payload, n);
}

void
plan_text(struct plan *p, uint8_t reply, const char *text)
{
	plan_frame(p, reply, text, strlen(text) + 1);
}

void
plan_header(struct plan *p, uint8_t reply, uint32_t index, const char *name,
    const char *value)
{
	size_t skip = reply == MLT_SMFIR_ADDHEADER ? 0 : 4;
	char number[4];

	put_u32(number, index);
	head(p, reply, skip + strlen(name) + 1 + strlen(value) + 1);
	plan_octets(p, number, skip);
	plan_octets(p, name, strlen(name) + 1);
	plan_octets(p, value, strlen(value) + 1);
}

void
plan_then(struct plan *p, enum plan_then then)
{
	assert(p->n > 0);
	p->v[p->n - 1].then = then;
}

const struct plan_answer *
plan_find(const struct plan *p, uint8_t cmd, unsigned nth)
{
	const struct plan_answer *each = NULL;

	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].cmd != cmd)
			continue;
		if (p->v[i].nth == nth)
			return &p->v[i];
		if (p->v[i].nth == 0)
			each = &p->v[i];
	}
	return each;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

void
plan_negotiate(const struct plan *p, const struct plan_agreed *offer,
    struct plan_agreed *agreed, struct buf *out)
{
	char octets[17];
	size_t lists = 0;

	*agreed = (struct plan_agreed){ p->version, p->actions, p->protocol };
	if (!p->stubborn) {
		agreed->version = least(p->version, offer->version);
		agreed->actions &= offer->actions;
		agreed->protocol &= offer->protocol;
	}
	for (uint32_t i = 0; i < MLT_STAGE_N; i++)
		if (p->macros[i])
			lists += 4 + strlen(p->macros[i]) + 1;
	put_u32(octets, (uint32_t)(13 + lists));
	octets[4] = MLT_SMFIC_OPTNEG;
	put_u32(octets + 5, agreed->version);
	put_u32(octets + 9, agreed->actions);
	put_u32(octets + 13, agreed->protocol);
	buf_add(out, octets, sizeof(octets));
	for (uint32_t i = 0; i < MLT_STAGE_N; i++) {
		if (!p->macros[i])
			continue;
		put_u32(octets, i);
		buf_add(out, octets, 4);
		buf_add(out, p->macros[i], strlen(p->macros[i]) + 1);
	}
}
