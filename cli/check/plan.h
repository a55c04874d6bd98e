/* SPDX-License-Identifier: MIT */
/*
 * plan: what the filter that we play will say, perfect or not.
 *
 * Answers are octets, so that nothing is too wrong to be said.  A command
 * without one is answered CONTINUE, if the MTA was not told that it gets no
 * answer.
 */
#ifndef CLI_CHECK_PLAN_H
#define CLI_CHECK_PLAN_H

#include "core/base/buf.h"

#include <milterproto.h>

#define PLAN_MAX 24

enum plan_then {
	PLAN_GO_ON,
	PLAN_CLOSE,   /* after the octets, which may be none */
	PLAN_PROGRESS /* before the octets PROGRESS is said again and again,
		       * until the time for that is over */
};

struct plan_answer {
	uint8_t cmd;
	unsigned nth; /* the command's number in its connection, from 1; 0: each
		       * one */
	enum plan_then then;
	size_t at, n; /* in the plan's octets */
};

struct plan {
	/* The answer to OPTNEG: of these what is offered, unless `stubborn`. */
	uint32_t version, actions, protocol;
	bool stubborn;
	const char *macros[MLT_STAGE_N]; /* NULL: no list */
	bool piecemeal;                  /* every octet is written by itself */
	bool hold; /* before each answer time is given to say something out of
		    * turn */
	struct plan_answer v[PLAN_MAX];
	size_t n;
	struct buf octets;
};

/* Version 6, all actions, every command with its answer CONTINUE. */
void plan_init(struct plan *p);
void plan_fini(struct plan *p);

/* What follows is the answer to this command; the nth if nth > 0, which goes
 * before the one for each.  At most PLAN_MAX. */
void plan_on(struct plan *p, uint8_t cmd, unsigned nth);
/* Appends a frame: a reply without payload; with one; with a text that is a C
 * string, its NUL too; a header change with its index (none for ADDHEADER). */
void plan_reply(struct plan *p, uint8_t reply);
void plan_frame(struct plan *p, uint8_t reply, const void *payload, size_t n);
void plan_text(struct plan *p, uint8_t reply, const char *text);
void plan_header(struct plan *p, uint8_t reply, uint32_t index,
    const char *name, const char *value);
/* Appends octets as they are. */
void plan_octets(struct plan *p, const void *octets, size_t n);
void plan_then(struct plan *p, enum plan_then then);

/* The answer for the nth command of this kind, or NULL. */
const struct plan_answer *plan_find(
    const struct plan *p, uint8_t cmd, unsigned nth);
/* Appends the answer to an offer; sets what was agreed. */
struct plan_agreed {
	uint32_t version, actions, protocol;
};
void plan_negotiate(const struct plan *p, const struct plan_agreed *offer,
    struct plan_agreed *agreed, struct buf *out);

#endif
