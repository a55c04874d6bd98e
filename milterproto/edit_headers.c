/* SPDX-License-Identifier: MIT */
/* edit_headers: header fields of a struct mlt_edit.  spec:edit-headers */
#include "edit.h"

#include <string.h>
#include <strings.h>

enum {
	SEEN = 1u << MLT_EDIT_SEEN,
	DEFAULT = 1u << MLT_EDIT_DEFAULT,
	ANY = SEEN | DEFAULT | 1u << MLT_EDIT_OWN
};

static bool
name_ok(struct mlt_bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == ':')
			return false;
	}
	return s.n > 0;
}

/* No line begins another field, or the body: a blank follows each LF. */
static bool
folds_ok(struct mlt_bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		char next = i + 1 < s.n ? s.p[i + 1] : '\0';

		if (s.p[i] == '\n' && next != ' ' && next != '\t')
			return false;
	}
	return true;
}

static bool
has_nul(struct mlt_bytes s)
{
	return s.n > 0 && memchr(s.p, 0, s.n);
}

int
mlt_edit_header(struct mlt_edit *e, enum mlt_edit_kind kind,
    struct mlt_bytes name, struct mlt_bytes value)
{
	struct mlt_pairs *list = &e->headers;
	int rc;

	if (e->applied)
		return MLT_E_STATE;
	if (!name_ok(name) || has_nul(value) || !folds_ok(value))
		return MLT_E_ARG;
	rc = mlt_pairs_insert(e, list, list->n, name, false, value);
	if (rc == 0)
		list->v[list->n - 1].kind = (uint8_t)kind;
	return rc;
}

/* Place of the index-th header, from 1, of that name and of these kinds;
 * behind the last one if there is none. */
static uint32_t
find(const struct mlt_edit *e, struct mlt_bytes name, unsigned kinds,
    uint32_t index)
{
	uint32_t i;

	for (i = 0; i < e->headers.n; i++) {
		const struct mlt_pair *h = &e->headers.v[i];

		if (kinds & 1u << h->kind && h->a == name.n &&
		    strncasecmp(h->p, name.p, name.n) == 0 && --index == 0)
			break;
	}
	return i;
}

static int
insert(struct mlt_edit *e, uint32_t at, const struct mlt_action *a)
{
	return mlt_pairs_insert(e, &e->headers, at, a->name,
	    !(e->protocol & MLT_PROT_HDR_LEADSPC), a->value);
}

/* Gives the header in this place a new value, and Postfix its name too. */
static int
set(struct mlt_edit *e, uint32_t at, const struct mlt_action *a)
{
	struct mlt_pair *h = &e->headers.v[at];
	int rc = mlt_pair_set(e, h,
	    e->rule == MLT_EDIT_POSTFIX ? a->name : mlt_first(h),
	    !(e->protocol & MLT_PROT_HDR_LEADSPC), a->value);

	if (rc < 0)
		return rc;
	h->kind = MLT_EDIT_SEEN;
	h->deleted = false;
	return 0;
}

/* spec:edit-addheader */
static int
add(struct mlt_edit *e, const struct mlt_action *a)
{
	uint32_t at;

	if (e->rule == MLT_EDIT_POSTFIX)
		return insert(e, e->headers.n, a);
	at = find(e, a->name, DEFAULT, 1);
	if (at < e->headers.n)
		return set(e, at, a);
	return insert(e, find(e, a->name, ANY, 1), a);
}

/* spec:edit-chgheader */
static int
change(struct mlt_edit *e, const struct mlt_action *a)
{
	uint32_t at = find(e, a->name, SEEN, a->index ? a->index : 1);
	bool there = at < e->headers.n;

	if (a->value.n > 0)
		return there ? set(e, at, a) : add(e, a);
	if (!there || e->headers.v[at].deleted)
		return MLT_EDIT_IGNORED;
	e->headers.v[at].deleted = true;
	if (e->rule == MLT_EDIT_POSTFIX)
		mlt_pairs_sweep(e, &e->headers);
	return 0;
}

int
mlt_apply_header(struct mlt_edit *e, const struct mlt_action *a)
{
	struct mlt_action b = *a;

	if (a->name.n == 0 || !a->value.p)
		return mlt_odd(e);
	if (!name_ok(a->name) || has_nul(a->value) ||
	    memmem(a->value.p, a->value.n, "\r\n", 2))
		return MLT_E_PROTO;
	if (a->index > INT32_MAX && e->rule == MLT_EDIT_SENDMAIL)
		b.index = 0; /* negative */
	if (a->reply == MLT_SMFIR_CHGHEADER)
		return change(e, &b);
	if (a->reply == MLT_SMFIR_ADDHEADER)
		return add(e, &b);
	return insert(e, b.index < e->headers.n ? b.index : e->headers.n, &b);
}
