/* SPDX-License-Identifier: MIT */
#include "cli/check/played.h"

#include <stdlib.h>
#include <string.h>

/* What commands there are, which of them have an answer, and by which flag
 * they lose it.  spec:commands */
static const struct command {
	uint8_t cmd;
	bool answered;
	uint32_t nr;
} commands[] = {
#define MLT_X_COMMAND(name, octet, version, no, nr, replies)                   \
	{ octet, sizeof(replies) > 1, nr },
#include <milterproto.def>
};

static const struct command *
find_command(uint8_t cmd)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].cmd == cmd)
			return &commands[i];
	return NULL;
}

void
played_init(struct played *f, const struct plan *plan)
{
	*f = (struct played){ .plan = plan };
	buf_init(&f->in, PLAYED_OCTETS_MAX);
	buf_init(&f->octets, PLAYED_OCTETS_MAX);
}

void
played_fini(struct played *f)
{
	buf_fini(&f->in);
	buf_fini(&f->octets);
	free(f->v);
	f->v = NULL;
	f->n = 0;
}

static uint32_t
get_u32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 |
	       (uint32_t)u[2] << 8 | u[3];
}

/* What is wrong with the frame that begins here, NULL: nothing so far. */
static const char *
fault(const char *p, size_t n)
{
	if (n >= 4 && get_u32(p) == 0)
		return "a frame of length 0";
	if (n >= 4 && get_u32(p) > MLT_DATA_MAX + 1u)
		return "a frame with more than 65535 octets of payload";
	if (n >= 5 && !find_command((uint8_t)p[4]))
		return "a command octet that the protocol does not have";
	return NULL;
}

static bool
keep(struct played *f, const struct played_frame *frame, const char *payload)
{
	if (f->n % 64 == 0) {
		void *v = f->n < PLAYED_FRAMES_MAX
			      ? realloc(f->v, (f->n + 64) * sizeof(*f->v))
			      : NULL;

		if (!v)
			return false;
		f->v = v;
	}
	if (buf_add(&f->octets, payload, frame->n) < 0)
		return false;
	f->v[f->n++] = *frame;
	return true;
}

/* OPTNEG: notes the offer.  A short one is a matter for judges. */
static void
note_offer(struct played *f, const char *payload, size_t n)
{
	f->offer = (struct plan_agreed){ 0 };
	if (n >= 12)
		f->offer = (struct plan_agreed){ get_u32(payload),
			get_u32(payload + 4), get_u32(payload + 8) };
}

/* Takes the next frame; false: there is none. */
static bool
take_frame(struct played *f)
{
	const char *p = buf_data(&f->in);
	size_t have = buf_len(&f->in);
	struct played_frame frame = { 0 };
	const struct command *c;

	f->bad = fault(p, have);
	if (f->bad || have < 5 || have - 4 < get_u32(p))
		return false;
	frame.cmd = (uint8_t)p[4];
	frame.n = get_u32(p) - 1;
	frame.at = buf_len(&f->octets);
	c = find_command(frame.cmd);
	frame.awaited = c->answered && !(f->agreed.protocol & c->nr);
	if (!keep(f, &frame, p + 5)) {
		f->full = true;
		return false;
	}
	if (frame.cmd == MLT_SMFIC_OPTNEG)
		note_offer(f, p + 5, frame.n);
	buf_take(&f->in, 5 + frame.n);
	f->due = plan_find(f->plan, frame.cmd, ++f->count[frame.cmd]);
	/* a plan may say something where nothing is awaited */
	f->is_due = frame.awaited || f->due;
	return true;
}

void
played_take(struct played *f)
{
	while (!f->is_due && !f->bad && !f->full && take_frame(f))
		;
}

void
played_answer(struct played *f, struct buf *out)
{
	const struct played_frame *last = &f->v[f->n - 1];
	static const char go_on[] = { 0, 0, 0, 1, MLT_SMFIR_CONTINUE };
	bool eager = last->awaited && buf_len(&f->in) > 0;
	size_t n = f->n;

	if (f->due)
		buf_add(
		    out, buf_data(&f->plan->octets) + f->due->at, f->due->n);
	else if (last->cmd == MLT_SMFIC_OPTNEG)
		plan_negotiate(f->plan, &f->offer, &f->agreed, out);
	else
		buf_add(out, go_on, sizeof(go_on));
	f->is_due = false;
	f->due = NULL;
	if (eager && take_frame(f))
		f->v[n].eager = true;
}

struct mlt_bytes
played_payload(const struct played *f, size_t i)
{
	return (
	    struct mlt_bytes){ buf_data(&f->octets) + f->v[i].at, f->v[i].n };
}

long
played_nth(const struct played *f, uint8_t cmd, unsigned nth)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].cmd == cmd && --nth == 0)
			return (long)i;
	return -1;
}

struct mlt_bytes
played_string(struct mlt_bytes payload, size_t skip, size_t i)
{
	const char *p = payload.p + skip, *end = payload.p + payload.n, *nul;

	for (; skip <= payload.n && p < end; p = nul + 1) {
		nul = memchr(p, 0, (size_t)(end - p));
		if (!nul)
			break;
		if (i-- == 0)
			return (struct mlt_bytes){ p, (size_t)(nul - p) };
	}
	return (struct mlt_bytes){ NULL, 0 };
}

void
played_word(const struct played *f, bool macros, struct buf *out)
{
	for (size_t i = 0; i < f->n; i++)
		if (macros || f->v[i].cmd != MLT_SMFIC_MACRO)
			buf_addc(out, (char)f->v[i].cmd);
}
