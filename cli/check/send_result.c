/* SPDX-License-Identifier: MIT */
/*
 * send_result: what became of the message (send.h).
 *
 * The MTA's own Received field is in the edited message, because a filter that
 * inserts a field counts it; it is left out where the message is shown.
 */
#include "cli/check/send.h"

#include "cli/check/diff.h"

#include <stdlib.h>
#include <string.h>

#define OWN_NAME  "Received"
#define OWN_VALUE " by mx.example.org"
#define BYTES_MAX ((size_t)1 << 30)

int
send_result_init(
    struct send_result *r, const struct client *c, const struct eml *e)
{
	*r = (struct send_result){ .client = c, .eml = e };
	r->n_rcpts = client_script(c)->messages[0].n_rcpts;
	r->rcpts = calloc(r->n_rcpts, sizeof(*r->rcpts));
	buf_init(&r->old, 0);
	buf_init(&r->new, 0);
	buf_init(&r->broke, 0);
	buf_init(&r->verdict.told, 0);
	for (size_t i = 0; r->rcpts && i < r->n_rcpts; i++)
		buf_init(&r->rcpts[i].told, 0);
	return r->rcpts ? 0 : -1;
}

void
send_result_fini(struct send_result *r)
{
	for (size_t i = 0; r->rcpts && i < r->n_rcpts; i++)
		buf_fini(&r->rcpts[i].told);
	free(r->rcpts);
	mlt_edit_free(r->edit);
	buf_fini(&r->old);
	buf_fini(&r->new);
	buf_fini(&r->broke);
	buf_fini(&r->verdict.told);
}

int
send_verdict_set(struct send_verdict *to, enum mlt_verdict verdict,
    uint8_t stage, struct mlt_bytes told)
{
	to->verdict = verdict;
	to->stage = stage;
	buf_reset(&to->told);
	return told.n ? buf_add(&to->told, told.p, told.n) : 0;
}

/* ---- the envelope, as it was given ------------------------------------------------------ */

/* Without angle brackets, as struct mlt_edit has it. */
static struct mlt_bytes
bare(struct mlt_bytes a)
{
	if (a.n >= 2 && a.p[0] == '<' && a.p[a.n - 1] == '>')
		return (struct mlt_bytes){ a.p + 1, a.n - 2 };
	return a;
}

static const struct mlt_play_message *
message_of(const struct send_result *r)
{
	return &client_script(r->client)->messages[0];
}

struct mlt_bytes
send_result_rcpt(const struct send_result *r, size_t i)
{
	return bare(message_of(r)->rcpts[i].args.v[0]);
}

struct mlt_bytes
send_result_sender(const struct send_result *r)
{
	return bare(message_of(r)->from.v[0]);
}

/* ---- loading ---------------------------------------------------------------------------- */

/* ESMTP parameters in one text. */
static int
load_address(struct mlt_edit *e, struct mlt_play_list args,
    int (*load)(struct mlt_edit *, struct mlt_bytes, struct mlt_bytes))
{
	struct buf text;
	struct mlt_bytes esmtp = { NULL, 0 };
	int rc;

	buf_init(&text, 0);
	for (size_t i = 1; i < args.n; i++) {
		buf_adds(&text, i > 1 ? " " : "");
		buf_add(&text, args.v[i].p, args.v[i].n);
	}
	if (buf_len(&text) > 0)
		esmtp = (struct mlt_bytes){ buf_data(&text), buf_len(&text) };
	rc = text.failed ? MLT_E_NOMEM : load(e, args.v[0], esmtp);
	buf_fini(&text);
	return rc;
}

static int
load_envelope(struct send_result *r)
{
	const struct mlt_play_message *m = message_of(r);
	int rc = load_address(r->edit, m->from, mlt_edit_from);

	for (size_t i = 0; i < r->n_rcpts && rc == 0; i++) {
		if (r->rcpts[i].verdict == MLT_VERDICT_NONE)
			rc = load_address(
			    r->edit, m->rcpts[i].args, mlt_edit_rcpt);
	}
	return rc;
}

/* The value without the line end behind it. */
static struct mlt_bytes
value_of(const struct mlt_play_header *h)
{
	struct mlt_bytes v = h->value;

	if (v.n && v.p[v.n - 1] == '\n')
		v.n--;
	if (v.n && v.p[v.n - 1] == '\r')
		v.n--;
	return v;
}

static int
load_content(struct send_result *r)
{
	const struct eml *m = r->eml;
	int rc = mlt_edit_header(r->edit, MLT_EDIT_OWN,
	    (struct mlt_bytes){ OWN_NAME, strlen(OWN_NAME) },
	    (struct mlt_bytes){ OWN_VALUE, strlen(OWN_VALUE) });

	for (size_t i = 0; i < m->n_headers && rc == 0; i++)
		rc = mlt_edit_header(r->edit, MLT_EDIT_SEEN,
		    eml_name(&m->headers[i]), value_of(&m->headers[i]));
	return rc ? rc : mlt_edit_body(r->edit, m->body.p, m->body.n);
}

/* Header and body as they are now, with LF. */
static int
render(const struct send_result *r, struct buf *out)
{
	struct mlt_edit_field h;
	struct mlt_bytes body = mlt_edit_get_body(r->edit);
	size_t at = 0;

	while (mlt_edit_next_header(r->edit, &at, &h)) {
		if (h.kind == MLT_EDIT_OWN)
			continue;
		buf_add(out, h.name.p, h.name.n);
		buf_addc(out, ':');
		buf_add(out, h.value.p, h.value.n);
		buf_addc(out, '\n');
	}
	buf_addc(out, '\n');
	return buf_add(out, body.p, body.n);
}

/* The message as it is before the first change.  0 or an mlt_err. */
static int
load(struct send_result *r)
{
	struct mlt_edit_opts o = {
		.rule = client_play_opts(r->client)->profile->edit_rule,
		.actions = r->actions,
		.protocol = r->protocol,
		.max_headers = 1 << 20,
		.max_bytes = BYTES_MAX,
	};
	int rc = mlt_edit_new(&r->edit, &o);

	if (rc == 0)
		rc = load_envelope(r);
	if (rc == 0)
		rc = load_content(r);
	if (rc == 0 && render(r, &r->old) < 0)
		rc = MLT_E_NOMEM;
	return rc;
}

/* ---- changing --------------------------------------------------------------------------- */

static const char *
words_of(int rc)
{
	switch (rc) {
	case MLT_E_PROTO:
		return "this change is malformed";
	case MLT_E_AGREED:
		return "this change was not negotiated";
	case MLT_E_TOOBIG:
		return "there are too many changes, or they are too large";
	}
	return mlt_strerror(rc);
}

int
send_result_change(struct send_result *r, const struct mlt_action *a)
{
	int rc = r->edit ? 0 : load(r);

	if (rc == 0)
		rc = mlt_edit_apply(r->edit, a);
	if (rc < 0)
		buf_addf(&r->broke, "%s: %s", mlt_reply_name(a->reply),
		    words_of(rc));
	return rc < 0 ? -1 : rc == MLT_EDIT_IGNORED;
}

int
send_result_finish(struct send_result *r)
{
	if (!r->edit && (load(r) < 0))
		return -1;
	return render(r, &r->new);
}

/* ---- what has changed --------------------------------------------------------------------- */

static bool
same(struct mlt_bytes a, struct mlt_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool
is_there(const struct send_result *r, struct mlt_bytes address)
{
	struct mlt_edit_address a;
	size_t at = 0;

	while (mlt_edit_next_rcpt(r->edit, &at, &a)) {
		if (same(a.addr, address))
			return true;
	}
	return false;
}

static bool
was_there(const struct send_result *r, struct mlt_bytes address)
{
	for (size_t i = 0; i < r->n_rcpts; i++) {
		if (r->rcpts[i].verdict == MLT_VERDICT_NONE &&
		    same(send_result_rcpt(r, i), address))
			return true;
	}
	return false;
}

bool
send_result_removed(
    const struct send_result *r, size_t *at, struct mlt_bytes *address)
{
	while (*at < r->n_rcpts) {
		size_t i = (*at)++;

		*address = send_result_rcpt(r, i);
		if (r->rcpts[i].verdict == MLT_VERDICT_NONE &&
		    !is_there(r, *address))
			return true;
	}
	return false;
}

bool
send_result_added(
    const struct send_result *r, size_t *at, struct mlt_edit_address *address)
{
	while (mlt_edit_next_rcpt(r->edit, at, address)) {
		if (!was_there(r, address->addr))
			return true;
	}
	return false;
}

bool
send_result_changed(const struct send_result *r)
{
	struct mlt_edit_address a;
	struct mlt_bytes address;
	size_t removed = 0, added = 0;

	return send_result_removed(r, &removed, &address) ||
	       send_result_added(r, &added, &a) ||
	       !same(mlt_edit_get_from(r->edit).addr, send_result_sender(r)) ||
	       mlt_edit_get_quarantine(r->edit).p ||
	       !same((struct mlt_bytes){ buf_data(&r->old), buf_len(&r->old) },
		   send_result_message(r));
}

struct mlt_bytes
send_result_message(const struct send_result *r)
{
	return (struct mlt_bytes){ buf_data(&r->new), buf_len(&r->new) };
}

int
send_result_diff(const struct send_result *r, struct buf *out)
{
	return diff_unified(out, "message",
	    (struct mlt_bytes){ buf_data(&r->old), buf_len(&r->old) },
	    "message, edited", send_result_message(r));
}
