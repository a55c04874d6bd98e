/* SPDX-License-Identifier: MIT */
/*
 * edit: what a filter's requests do to a message; see milterproto_edit.h.
 *
 * Here are its memory, the body, the dispatch and the result.  Header fields
 * are in edit_headers.c, addresses in edit_envelope.c.
 */
#include "edit.h"

#include <stdlib.h>
#include <string.h>

enum { /* spec:edit-limits */
	HEADERS_MAX = 4096,
	RCPTS_MAX = 10000,
	BYTES_MAX = 64 << 20,
	COUNT_MAX = 1 << 24,    /* so that no size overflows */
	BYTES_MAX_MAX = 1 << 30 /* what a mlt_buf may hold */
};

int
mlt_edit_new(struct mlt_edit **out, const struct mlt_edit_opts *opts)
{
	static const struct mlt_edit_opts none;
	struct mlt_edit *e;

	if (!opts)
		opts = &none;
	if (opts->max_bytes > BYTES_MAX_MAX || opts->max_headers > COUNT_MAX ||
	    opts->max_rcpts > COUNT_MAX)
		return MLT_E_ARG;
	e = calloc(1, sizeof(*e));
	if (!e)
		return MLT_E_NOMEM;
	e->rule = opts->rule;
	e->actions = opts->actions;
	e->protocol = opts->protocol;
	e->headers.max = opts->max_headers ? opts->max_headers : HEADERS_MAX;
	e->rcpts.max = opts->max_rcpts ? opts->max_rcpts : RCPTS_MAX;
	e->max_bytes = opts->max_bytes ? opts->max_bytes : BYTES_MAX;
	*out = e;
	return 0;
}

static void
pairs_free(struct mlt_pairs *list)
{
	while (list->n > 0)
		free(list->v[--list->n].p);
	free(list->v);
}

void
mlt_edit_free(struct mlt_edit *e)
{
	if (!e)
		return;
	pairs_free(&e->headers);
	pairs_free(&e->rcpts);
	free(e->from.p);
	free(e->reason.p);
	mlt_buf_free(&e->body);
	free(e);
}

/* ---- pairs -------------------------------------------------------------------- */

/* Copies s to `to`, or only counts if that is NULL: a CR before LF is dropped,
 * and a LF that no blank follows gets `fold`.  Octets written. */
static size_t
copy_lines(char *to, struct mlt_bytes s, char fold)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : '\0';

		if (c == '\r' && next == '\n')
			continue;
		if (to)
			to[n] = c;
		n++;
		if (c != '\n' || next == ' ' || next == '\t')
			continue;
		if (to)
			to[n] = fold;
		n++;
	}
	return n;
}

int
mlt_pair_set(struct mlt_edit *e, struct mlt_pair *p, struct mlt_bytes a,
    bool blank, struct mlt_bytes b)
{
	size_t room = e->max_bytes - e->bytes;
	/* spec:edit-headers */
	char fold = e->rule == MLT_EDIT_POSTFIX ? '\t' : ' ';
	size_t n = blank + copy_lines(NULL, b, fold);
	char *text;

	if (a.n > room || n > room - a.n)
		return MLT_E_TOOBIG;
	text = malloc(a.n + n + 1);
	if (!text)
		return MLT_E_NOMEM;
	if (a.n > 0)
		memcpy(text, a.p, a.n);
	if (blank)
		text[a.n] = ' ';
	copy_lines(text + a.n + blank, b, fold);
	free(p->p);
	e->bytes -= (size_t)p->a + p->b;
	p->p = text;
	p->a = (uint32_t)a.n;
	p->b = (uint32_t)n;
	e->bytes += a.n + n;
	return 0;
}

int
mlt_pairs_insert(struct mlt_edit *e, struct mlt_pairs *list, uint32_t at,
    struct mlt_bytes a, bool blank, struct mlt_bytes b)
{
	struct mlt_pair new = { 0 };
	int rc;

	if (list->n >= list->max)
		return MLT_E_TOOBIG;
	if (list->n == list->cap) {
		uint32_t cap = list->cap ? list->cap * 2 : 16;
		void *v = realloc(list->v, cap * sizeof(*list->v));

		if (!v)
			return MLT_E_NOMEM;
		list->v = v;
		list->cap = cap;
	}
	rc = mlt_pair_set(e, &new, a, blank, b);
	if (rc < 0)
		return rc;
	memmove(
	    &list->v[at + 1], &list->v[at], (list->n - at) * sizeof(*list->v));
	list->v[at] = new;
	list->n++;
	return 0;
}

void
mlt_pairs_sweep(struct mlt_edit *e, struct mlt_pairs *list)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < list->n; i++) {
		struct mlt_pair *p = &list->v[i];

		if (p->deleted) {
			e->bytes -= (size_t)p->a + p->b;
			free(p->p);
		} else {
			list->v[kept++] = *p;
		}
	}
	list->n = kept;
}

/* ---- the body ------------------------------------------------------------------ */

/* Appends in LF form; CR and LF may come in different pieces, and only one CR
 * goes with a LF.  spec:edit-body */
static int
append(struct mlt_edit *e, struct mlt_buf **body, const char *p, size_t n)
{
	size_t had = mlt_buf_len(*body);
	char *to, *start;

	if (n == 0)
		return 0;
	if (n > e->max_bytes - e->bytes)
		return MLT_E_TOOBIG;
	to = (char *)mlt_buf_room(body, n + 1);
	if (!to)
		return MLT_E_NOMEM;
	start = to - had;
	while (n > 0) {
		const char *lf = memchr(p, '\n', n);
		size_t len = lf ? (size_t)(lf - p) : n;

		memcpy(to, p, len);
		to += len;
		if (lf) {
			if (to > start && to[-1] == '\r')
				to--;
			*to++ = '\n';
			len++;
		}
		p += len;
		n -= len;
	}
	*to = '\n';
	(*body)->len = (uint32_t)(to - start);
	e->bytes += mlt_buf_len(*body);
	e->bytes -= had;
	return 0;
}

int
mlt_edit_body(struct mlt_edit *e, const void *p, size_t n)
{
	if (e->applied)
		return MLT_E_STATE;
	return append(e, &e->body, p, n);
}

static int
replace_body(struct mlt_edit *e, struct mlt_bytes text)
{
	struct mlt_buf *body = NULL;
	int rc;

	if (e->rule == MLT_EDIT_SENDMAIL && !(e->actions & MLT_ACT_CHGBODY))
		return MLT_E_AGREED;
	if (e->rule == MLT_EDIT_POSTFIX && e->closed)
		return MLT_E_PROTO;
	if (e->replaced)
		return append(e, &e->body, text.p, text.n);
	rc = append(e, &body, text.p, text.n);
	if (rc < 0)
		return rc;
	e->bytes -= mlt_buf_len(e->body);
	mlt_buf_free(&e->body);
	e->body = body;
	e->replaced = true;
	return 0;
}

/* ---- changing --------------------------------------------------------------------- */

static int
dispatch(struct mlt_edit *e, const struct mlt_action *a)
{
	switch (a->reply) {
	case MLT_SMFIR_ADDHEADER:
	case MLT_SMFIR_INSHEADER:
	case MLT_SMFIR_CHGHEADER:
		return mlt_apply_header(e, a);
	case MLT_SMFIR_REPLBODY:
		return replace_body(e, a->text);
	case MLT_SMFIR_ADDRCPT:
	case MLT_SMFIR_ADDRCPT_PAR:
		return mlt_apply_add_rcpt(e, a);
	case MLT_SMFIR_DELRCPT:
		return mlt_apply_delete_rcpt(e, a);
	case MLT_SMFIR_CHGFROM:
		return mlt_apply_from(e, a);
	case MLT_SMFIR_QUARANTINE:
		return mlt_apply_quarantine(e, a);
	case MLT_SMFIR_PROGRESS:
		return 0;
	}
	return MLT_E_ARG;
}

int
mlt_edit_apply(struct mlt_edit *e, const struct mlt_action *a)
{
	int rc;

	if (e->dead)
		return e->dead;
	rc = dispatch(e, a);
	if (rc == MLT_E_NOMEM || rc == MLT_E_ARG)
		return rc;
	e->applied = true;
	if (a->reply != MLT_SMFIR_REPLBODY)
		e->closed = e->replaced;
	if (rc < 0)
		e->dead = rc;
	return rc;
}

void
mlt_edit_next_filter(struct mlt_edit *e, uint32_t actions, uint32_t protocol)
{
	mlt_pairs_sweep(e, &e->headers);
	e->actions = actions;
	e->protocol = protocol;
	e->replaced = e->closed = false;
}

/* ---- the result --------------------------------------------------------------------- */

/* The pair at *at or behind that is not deleted, or NULL. */
static const struct mlt_pair *
next_pair(const struct mlt_pairs *list, size_t *at)
{
	while (*at < list->n) {
		const struct mlt_pair *p = &list->v[(*at)++];

		if (!p->deleted)
			return p;
	}
	return NULL;
}

bool
mlt_edit_next_header(
    const struct mlt_edit *e, size_t *at, struct mlt_edit_field *out)
{
	const struct mlt_pair *h = next_pair(&e->headers, at);

	if (!h)
		return false;
	out->name = mlt_first(h);
	out->value = mlt_second(h);
	out->kind = (enum mlt_edit_kind)h->kind;
	return true;
}

bool
mlt_edit_next_rcpt(
    const struct mlt_edit *e, size_t *at, struct mlt_edit_address *out)
{
	const struct mlt_pair *r = next_pair(&e->rcpts, at);

	if (!r)
		return false;
	out->addr = mlt_first(r);
	out->esmtp = mlt_second(r);
	return true;
}

struct mlt_edit_address
mlt_edit_get_from(const struct mlt_edit *e)
{
	return (struct mlt_edit_address){ mlt_first(&e->from),
		mlt_second(&e->from) };
}

struct mlt_bytes
mlt_edit_get_quarantine(const struct mlt_edit *e)
{
	return mlt_first(&e->reason);
}

struct mlt_bytes
mlt_edit_get_body(const struct mlt_edit *e)
{
	struct mlt_bytes s = mlt_content(e->body);

	/* Postfix completes the last line: with the spare LF. */
	if (e->rule == MLT_EDIT_POSTFIX && s.n > 0 && s.p[s.n - 1] != '\n')
		s.n++;
	return s;
}

/* Puts s at to + at, if there is a `to`.  The place behind. */
static size_t
put(char *to, size_t at, const char *p, size_t n)
{
	if (to && n > 0)
		memcpy(to + at, p, n);
	return at + n;
}

/* The same with CRLF for each LF. */
static size_t
put_lines(char *to, size_t at, struct mlt_bytes s)
{
	while (s.n > 0) {
		const char *lf = memchr(s.p, '\n', s.n);
		size_t len = lf ? (size_t)(lf - s.p) : s.n;

		at = put(to, at, s.p, len);
		if (!lf)
			break;
		at = put(to, at, "\r\n", 2);
		s.p += len + 1;
		s.n -= len + 1;
	}
	return at;
}

static size_t
render(const struct mlt_edit *e, char *to)
{
	struct mlt_edit_field h;
	size_t n = 0, at = 0;

	while (mlt_edit_next_header(e, &at, &h)) {
		n = put(to, n, h.name.p, h.name.n);
		n = put(to, n, ":", 1);
		n = put_lines(to, n, h.value);
		n = put(to, n, "\r\n", 2);
	}
	n = put(to, n, "\r\n", 2);
	return put_lines(to, n, mlt_edit_get_body(e));
}

size_t
mlt_edit_render(const struct mlt_edit *e, char *to, size_t room)
{
	size_t n = render(e, NULL);

	if (to && n <= room)
		render(e, to);
	return n;
}
