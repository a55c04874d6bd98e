/* SPDX-License-Identifier: MIT */
/*
 * played: the filter that we play, on one connection: takes what the MTA says
 * apart, answers by plan, and keeps all for whoever judges it.  Pure.
 *
 * It does not stand on libmilterproto's sessions: it has to say what those
 * refuse to say, and a judge should not share its faults with the judged.
 */
#ifndef CLI_CHECK_PLAYED_H
#define CLI_CHECK_PLAYED_H

#include "cli/check/plan.h"

/* All that one connection may say; more than any case makes an MTA say. */
#define PLAYED_OCTETS_MAX (64u << 20)
#define PLAYED_FRAMES_MAX 20000

struct played_frame {
	uint8_t cmd;
	bool eager;   /* it came before the answer to an earlier one */
	bool awaited; /* an answer to it was due */
	size_t at, n; /* its payload, in `octets` */
};

struct played {
	const struct plan *plan; /* borrowed */
	struct buf in, octets;
	struct played_frame *v;
	size_t n;
	unsigned count[256]; /* of each command */
	struct plan_agreed offer, agreed;
	const char *bad; /* why its octets are no frames: static; nothing more
			  * is taken */
	/* The answer that is due now, NULL: none is.  Whoever has the socket
	 * sends it and says so by played_answered. */
	const struct plan_answer *due;
	bool is_due;
	bool full; /* more was said than is kept */
};

void played_init(struct played *f, const struct plan *plan);
void played_fini(struct played *f);
/* What came from the MTA is in f->in; takes frames until an answer is due, or
 * more is needed. */
void played_take(struct played *f);
/* The octets of the answer that is due (is_due); then goes on. */
void played_answer(struct played *f, struct buf *out);

/* ---- for judges ------------------------------------------------------------- */

/* Payload of frame i. */
struct mlt_bytes played_payload(const struct played *f, size_t i);
/* The nth (from 1) frame with this command, -1 if there is none. */
long played_nth(const struct played *f, uint8_t cmd, unsigned nth);
/* Strings of a payload behind `skip` octets: the i-th, from 0; {NULL, 0} if
 * there is no whole one. */
struct mlt_bytes played_string(struct mlt_bytes payload, size_t skip, size_t i);
/* All commands as a word, such as "ODCCHMRRTLLNBEQ"; macros are left out unless
 * asked for.  A run of L or B is as long as it was. */
void played_word(const struct played *f, bool macros, struct buf *out);

#endif
