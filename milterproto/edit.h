/* SPDX-License-Identifier: MIT */
/*
 * edit: inside of a struct mlt_edit, for edit.c (memory, body, result),
 * edit_headers.c and edit_envelope.c.
 *
 * A header and an address are both a pair of texts in one block; headers and
 * recipients are lists of pairs.  Everything that grows is counted in `bytes`
 * before it is allocated; what fails has changed nothing.
 */
#ifndef MILTERPROTO_EDIT_PRIVATE_H
#define MILTERPROTO_EDIT_PRIVATE_H

#include "wire.h"

#pragma GCC visibility push(hidden)

struct mlt_pair {
	char *p;       /* first text, then second */
	uint32_t a, b; /* their lengths */
	uint8_t kind;  /* of a header: enum mlt_edit_kind */
	bool deleted;  /* Sendmail: still counted.  spec:edit-chgheader */
};

struct mlt_pairs {
	struct mlt_pair *v;
	uint32_t n, cap, max;
};

struct mlt_edit {
	enum mlt_edit_rule rule;
	uint32_t actions, protocol;
	int dead;               /* what apply says from now on */
	bool applied;           /* no more loading */
	bool replaced, closed;  /* REPLBODY began; and something came behind */
	struct mlt_pair from;   /* address, parameters */
	struct mlt_pair reason; /* of quarantine */
	struct mlt_pairs headers, rcpts;
	struct mlt_buf *body; /* LF form; one spare LF lies behind it */
	size_t bytes, max_bytes;
};

static inline struct mlt_bytes
mlt_first(const struct mlt_pair *p)
{
	return (struct mlt_bytes){ p->p, p->a };
}

static inline struct mlt_bytes
mlt_second(const struct mlt_pair *p)
{
	return (struct mlt_bytes){ p->p ? p->p + p->a : NULL, p->b };
}

static inline struct mlt_bytes
mlt_content(const struct mlt_buf *b)
{
	return (struct mlt_bytes){ b ? (const char *)b->data + b->off : "",
		mlt_buf_len(b) };
}

/* A payload that lacks something: ignored or an error.  spec:edit-odd */
static inline int
mlt_odd(const struct mlt_edit *e)
{
	return e->rule == MLT_EDIT_SENDMAIL ? MLT_EDIT_IGNORED : MLT_E_PROTO;
}

/* Gives *p new texts, copied, which may be its own.  b: `blank` puts one before
 * it, a CR before LF is dropped, a LF that no blank follows gets one.  0 NOMEM
 * TOOBIG. */
int mlt_pair_set(struct mlt_edit *e, struct mlt_pair *p, struct mlt_bytes a,
    bool blank, struct mlt_bytes b);
/* A new pair before place `at`.  0 NOMEM TOOBIG. */
int mlt_pairs_insert(struct mlt_edit *e, struct mlt_pairs *list, uint32_t at,
    struct mlt_bytes a, bool blank, struct mlt_bytes b);
/* Removes the pairs marked `deleted`. */
void mlt_pairs_sweep(struct mlt_edit *e, struct mlt_pairs *list);

/* ADDHEADER INSHEADER CHGHEADER, and the other four; as mlt_edit_apply. */
int mlt_apply_header(struct mlt_edit *e, const struct mlt_action *a);
int mlt_apply_from(struct mlt_edit *e, const struct mlt_action *a);
int mlt_apply_add_rcpt(struct mlt_edit *e, const struct mlt_action *a);
int mlt_apply_delete_rcpt(struct mlt_edit *e, const struct mlt_action *a);
int mlt_apply_quarantine(struct mlt_edit *e, const struct mlt_action *a);

#pragma GCC visibility pop
#endif
