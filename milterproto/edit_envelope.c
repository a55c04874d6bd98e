/* SPDX-License-Identifier: MIT */
/* edit_envelope: sender, recipients and quarantine of a struct mlt_edit.
 * spec:edit-envelope */
#include "edit.h"

#include <string.h>
#include <strings.h>

enum {
	ADDRESS_MAX = 2048, /* an address; parameters.  spec:edit-limits */
	REASON_MAX = 100    /* that Postfix knows.  spec:edit-quarantine */
};

/* ---- texts -------------------------------------------------------------------- */

/* A control character could end the SMTP command that carries the text. */
static bool
clean(struct mlt_bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	}
	return true;
}

/* Octets before the first `stop` outside of quotes, angle brackets, comments.
 */
static size_t
until(struct mlt_bytes s, char stop)
{
	char close = 0; /* ends the group that we are in */

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\\')
			i++;
		else if (close)
			close = c == close ? 0 : close;
		else if (c == stop)
			return i;
		else
			close = c == '"'   ? '"'
				: c == '<' ? '>'
				: c == '(' ? ')'
					   : 0;
	}
	return s.n;
}

/* The address alone, without a phrase, angle brackets, blanks around. */
static struct mlt_bytes
bare(struct mlt_bytes s)
{
	size_t from;

	for (; s.n > 0 && s.p[0] == ' '; s.n--)
		s.p++;
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	from = until(s, '<');
	if (from < s.n && s.p[s.n - 1] == '>') {
		s.p += from + 1;
		s.n -= from + 2;
	}
	return s;
}

/* The next word off the front of *s; false: none. */
static bool
next_word(struct mlt_bytes *s, struct mlt_bytes *word)
{
	const char *end;

	for (; s->n > 0 && s->p[0] == ' '; s->n--)
		s->p++;
	if (s->n == 0)
		return false;
	end = memchr(s->p, ' ', s->n);
	*word = (struct mlt_bytes){ s->p, end ? (size_t)(end - s->p) : s->n };
	s->p += word->n;
	s->n -= word->n;
	return true;
}

/* Is there a word in `list` with the same keyword (what precedes "=")? */
static bool
has_keyword(struct mlt_bytes list, struct mlt_bytes word)
{
	struct mlt_bytes w;
	size_t n = until(word, '=');

	while (next_word(&list, &w)) {
		if (until(w, '=') == n && strncasecmp(w.p, word.p, n) == 0)
			return true;
	}
	return false;
}

/* ---- parameters ------------------------------------------------------------------ */

static int
add_word(struct mlt_buf **to, struct mlt_bytes word)
{
	int rc = mlt_buf_len(*to) > 0 ? mlt_buf_add(to, " ", 1) : 0;

	return rc < 0 ? rc : mlt_buf_add(to, word.p, word.n);
}

/* *out = the old parameters, those with the same keyword replaced by the new
 * ones.  Postfix ignores new ones that are not `known`.  0 NOMEM. */
static int
merge(const struct mlt_edit *e, struct mlt_buf **out, struct mlt_bytes old,
    struct mlt_bytes new, const char *known)
{
	struct mlt_bytes all = { known, strlen(known) }, w;
	bool any = e->rule == MLT_EDIT_SENDMAIL;
	int rc = 0;

	while (rc == 0 && next_word(&old, &w)) {
		if (!has_keyword(new, w) || (!any && !has_keyword(all, w)))
			rc = add_word(out, w);
	}
	while (rc == 0 && next_word(&new, &w)) {
		if (any || has_keyword(all, w))
			rc = add_word(out, w);
	}
	return rc;
}

/* ---- loading --------------------------------------------------------------------- */

/* 0 STATE ARG TOOBIG. */
static int
may_load(
    const struct mlt_edit *e, struct mlt_bytes addr, struct mlt_bytes esmtp)
{
	if (e->applied)
		return MLT_E_STATE;
	if (!clean(addr) || !clean(esmtp))
		return MLT_E_ARG;
	return addr.n > ADDRESS_MAX || esmtp.n > ADDRESS_MAX ? MLT_E_TOOBIG : 0;
}

int
mlt_edit_from(struct mlt_edit *e, struct mlt_bytes addr, struct mlt_bytes esmtp)
{
	int rc = may_load(e, addr, esmtp);

	return rc < 0 ? rc
		      : mlt_pair_set(e, &e->from, bare(addr), false, esmtp);
}

static int
append_rcpt(struct mlt_edit *e, struct mlt_bytes addr, struct mlt_bytes esmtp)
{
	return mlt_pairs_insert(e, &e->rcpts, e->rcpts.n, addr, false, esmtp);
}

int
mlt_edit_rcpt(struct mlt_edit *e, struct mlt_bytes addr, struct mlt_bytes esmtp)
{
	int rc = may_load(e, addr, esmtp);

	return rc < 0 ? rc : append_rcpt(e, bare(addr), esmtp);
}

/* ---- changing -------------------------------------------------------------------- */

int
mlt_apply_from(struct mlt_edit *e, const struct mlt_action *a)
{
	struct mlt_buf *esmtp = NULL;
	struct mlt_bytes addr = { a->text.p, until(a->text, ',') };
	int rc;

	if (!a->text.p)
		return mlt_odd(e);
	if (!clean(a->text) || !clean(a->esmtp))
		return MLT_E_PROTO;
	addr = bare(addr);
	if (addr.n == 0 && e->rule == MLT_EDIT_SENDMAIL &&
	    !memchr(a->text.p, '<', a->text.n))
		return MLT_EDIT_IGNORED; /* empty, but not "<>" */
	if (addr.n > ADDRESS_MAX || a->esmtp.n > ADDRESS_MAX)
		return MLT_E_TOOBIG;
	rc = merge(e, &esmtp, mlt_second(&e->from), a->esmtp, "RET ENVID");
	if (rc == 0 && mlt_buf_len(esmtp) > ADDRESS_MAX)
		rc = MLT_E_TOOBIG;
	if (rc == 0)
		rc = mlt_pair_set(e, &e->from, addr, false, mlt_content(esmtp));
	mlt_buf_free(&esmtp);
	return rc;
}

/* Takes those behind `n` back. */
static void
shorten(struct mlt_edit *e, uint32_t n)
{
	for (uint32_t i = n; i < e->rcpts.n; i++)
		e->rcpts.v[i].deleted = true;
	mlt_pairs_sweep(e, &e->rcpts);
}

static bool
is_addr(const struct mlt_pair *r, struct mlt_bytes addr)
{
	return r->a == addr.n && memcmp(r->p, addr.p, addr.n) == 0;
}

/* Sendmail knows a recipient only once. */
static bool
is_twice(const struct mlt_edit *e, struct mlt_bytes addr)
{
	uint32_t i = 0, n = e->rule == MLT_EDIT_SENDMAIL ? e->rcpts.n : 0;

	while (i < n && !is_addr(&e->rcpts.v[i], addr))
		i++;
	return i < n;
}

/* Each address of a list; Postfix: the first.  spec:edit-addrcpt */
static int
add_list(struct mlt_edit *e, struct mlt_bytes list, struct mlt_bytes esmtp)
{
	uint32_t had = e->rcpts.n;
	int rc = MLT_EDIT_IGNORED;

	while (list.n > 0 && (rc > 0 || e->rule == MLT_EDIT_SENDMAIL)) {
		size_t n = until(list, ',');
		struct mlt_bytes addr = bare((struct mlt_bytes){ list.p, n });

		if (addr.n > ADDRESS_MAX)
			rc = MLT_E_TOOBIG;
		else if (addr.n > 0 && !is_twice(e, addr))
			rc = append_rcpt(e, addr, esmtp);
		if (rc < 0) {
			shorten(e, had);
			break;
		}
		n += n < list.n;
		list.p += n;
		list.n -= n;
	}
	return rc;
}

int
mlt_apply_add_rcpt(struct mlt_edit *e, const struct mlt_action *a)
{
	struct mlt_buf *esmtp = NULL;
	int rc;

	if (!a->text.p)
		return mlt_odd(e);
	if (!clean(a->text) || !clean(a->esmtp))
		return MLT_E_PROTO;
	if (a->esmtp.n > ADDRESS_MAX)
		return MLT_E_TOOBIG;
	rc = merge(
	    e, &esmtp, (struct mlt_bytes){ "", 0 }, a->esmtp, "NOTIFY ORCPT");
	if (rc == 0)
		rc = add_list(e, a->text, mlt_content(esmtp));
	mlt_buf_free(&esmtp);
	return rc;
}

/* spec:edit-delrcpt */
int
mlt_apply_delete_rcpt(struct mlt_edit *e, const struct mlt_action *a)
{
	struct mlt_bytes addr = bare(a->text);
	uint32_t had = e->rcpts.n;

	if (!a->text.p)
		return mlt_odd(e);
	for (uint32_t i = 0; i < had; i++) {
		struct mlt_pair *r = &e->rcpts.v[i];

		r->deleted = is_addr(r, addr);
	}
	mlt_pairs_sweep(e, &e->rcpts);
	return e->rcpts.n < had ? 0 : MLT_EDIT_IGNORED;
}

/* spec:edit-quarantine */
int
mlt_apply_quarantine(struct mlt_edit *e, const struct mlt_action *a)
{
	struct mlt_bytes reason = a->text;

	if (!reason.p)
		return mlt_odd(e);
	if (!clean(reason))
		return MLT_E_PROTO;
	if (e->rule == MLT_EDIT_POSTFIX && reason.n > REASON_MAX)
		reason.n = REASON_MAX;
	return mlt_pair_set(
	    e, &e->reason, reason, false, (struct mlt_bytes){ "", 0 });
}
