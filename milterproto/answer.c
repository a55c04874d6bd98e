/* SPDX-License-Identifier: MIT */
/*
 * answer: what the filter says: the agreement, verdicts, modifications.
 *
 * Nothing leaves that the MTA could take for something else: no reply that is
 * not awaited, no verdict that is not legal for the command, no modification
 * outside the end of a message or without its bit, no text outside the grammar.
 * A failed call has added nothing to the output.
 */
#include "filter.h"
#include "codec.h"
#include "replytext.h"

#include <string.h>

/* ---- the agreement  spec:negotiation ------------------------------------------ */

/* Macro lists as they will be sent: overriding EOM without EOH, or the other
 * way round, makes Sendmail send the wrong ones, [F-40]. */
static bool
macro_lists(const struct mlt_options *o, const char *lists[MLT_STAGE_N])
{
	bool any = false;

	for (int i = 0; i < MLT_STAGE_N; i++)
		lists[i] = o->macros[i];
	if (!lists[MLT_STAGE_EOM])
		lists[MLT_STAGE_EOM] = lists[MLT_STAGE_EOH];
	if (!lists[MLT_STAGE_EOH])
		lists[MLT_STAGE_EOH] = lists[MLT_STAGE_EOM];
	for (int i = 0; i < MLT_STAGE_N; i++)
		any = any || lists[i];
	return any;
}

int
mlt_filter_agree(struct mlt_filter *f, const struct mlt_options *o)
{
	const char *lists[MLT_STAGE_N];
	bool any = macro_lists(o, lists);
	uint32_t mds = o->protocol & f->protocol & MLT_PROT_MDS;
	struct mlt_agreement a = {
		.version = f->version,
		.actions = (o->actions_required | o->actions_wanted) &
			   f->actions & MLT_ACT_ALL,
		.protocol = o->protocol & f->protocol & MLT_PROT_ALL,
	};
	int rc;

	if (o->actions_required & ~f->actions)
		return MLT_E_OFFER;
	/* [F-42] the larger one wins, and only one is answered */
	a.protocol |= mds & MLT_PROT_MDS_1M ? MLT_PROT_MDS_1M : mds;
	any = any && f->actions & MLT_ACT_SETSYMLIST;
	if (any)
		a.actions |= MLT_ACT_SETSYMLIST;
	rc = mlt_put_options(&f->out, &a, any ? lists : NULL, MLT_DATA_MAX);
	if (rc < 0)
		return rc;
	f->actions = a.actions;
	f->protocol = a.protocol;
	f->want = o->protocol;
	f->negotiating = false;
	f->st = ST_READY;
	return 0;
}

int
mlt_filter_negotiate(struct mlt_filter *f, const struct mlt_options *o)
{
	int rc;

	if (!f->negotiating || f->await != AWAIT_REPLY)
		return MLT_E_STATE;
	rc = mlt_filter_agree(f, o);
	if (rc == 0 || rc == MLT_E_OFFER)
		f->await = AWAIT_NONE;
	if (rc == MLT_E_OFFER)
		f->dead = (int8_t)(MLT_E_DEAD - rc);
	return rc;
}

/* ---- verdicts  spec:replies ----------------------------------------------------- */

static bool
legal(enum mlt_cm cm, uint8_t reply)
{
	return reply && strchr(mlt_commands[cm].replies, reply);
}

static int
put_plain(struct mlt_filter *f, uint8_t reply)
{
	return mlt_put_raw(&f->out, reply, (struct mlt_bytes){ NULL, 0 }, 0);
}

int
mlt_filter_continue(struct mlt_filter *f, enum mlt_cm cm)
{
	if (f->protocol & mlt_commands[cm].nr)
		return 0;
	return put_plain(f, MLT_SMFIR_CONTINUE);
}

int
mlt_filter_again(struct mlt_filter *f, enum mlt_cm cm)
{
	const struct mlt_buf *h = f->held;
	int rc;

	if (f->protocol & mlt_commands[cm].nr)
		return 0;
	if (!legal(cm, h ? h->data[4] : f->sticky))
		return put_plain(f, MLT_SMFIR_CONTINUE);
	if (!h)
		return put_plain(f, f->sticky);
	/* It could not be sent when it was given: now, once, with its text. */
	rc = mlt_buf_add(&f->out, h->data, h->len);
	if (rc == 0)
		mlt_buf_free(&f->held);
	return rc;
}

static uint8_t
octet_of(const struct mlt_filter *f, const struct mlt_reply *r)
{
	switch (r->type) {
	case MLT_REPLY_CONTINUE:
		return MLT_SMFIR_CONTINUE;
	case MLT_REPLY_ACCEPT:
		return MLT_SMFIR_ACCEPT;
	case MLT_REPLY_REJECT:
		return MLT_SMFIR_REJECT;
	case MLT_REPLY_TEMPFAIL:
		return MLT_SMFIR_TEMPFAIL;
	case MLT_REPLY_DISCARD:
		return MLT_SMFIR_DISCARD;
	case MLT_REPLY_SKIP: /* [F-35] */
		return f->cm == CM_BODY && f->protocol & MLT_PROT_SKIP
			   ? MLT_SMFIR_SKIP
			   : MLT_SMFIR_CONTINUE;
	case MLT_REPLY_CODE:
		return MLT_SMFIR_REPLYCODE;
	}
	return 0;
}

/* The verdict is given: where are we now?  kept: it could not be sent. */
static void
decide(
    struct mlt_filter *f, const struct mlt_reply *r, uint8_t octet, bool kept)
{
	enum mlt_st to = ST_DECIDED;

	switch (f->cm) {
	case CM_CONNECT:
	case CM_HELO:
		to = ST_DONE;
		break;
	case CM_RCPT: /* r, t and y concern one recipient only */
		if (octet == MLT_SMFIR_DISCARD)
			to = ST_DISCARD; /* [F-43] */
		else if (octet != MLT_SMFIR_ACCEPT && !kept)
			return;
		break;
	case CM_MAIL:
	case CM_DATA:
	case CM_HEADER:
	case CM_EOH:
	case CM_BODY:
		break;
	default: /* EOM: nothing is open; UNKNOWN changes nothing */
		return;
	}
	if (octet == MLT_SMFIR_REPLYCODE)
		octet =
		    r->code[0] == '4' ? MLT_SMFIR_TEMPFAIL : MLT_SMFIR_REJECT;
	f->st = (uint8_t)to;
	f->sticky = octet;
}

/* The reply to a last chunk inside EOM: a verdict is the one to EOM. */
static int
reply_last_chunk(struct mlt_filter *f, const struct mlt_reply *r, uint8_t octet)
{
	int rc = 0;

	if (octet != MLT_SMFIR_CONTINUE && octet != MLT_SMFIR_SKIP) {
		rc = octet == MLT_SMFIR_REPLYCODE
			 ? mlt_put_code(&f->out, r, mlt_filter_limit(f))
			 : put_plain(f, octet);
		if (rc < 0)
			return rc;
		f->eom_due = false;
		f->st = ST_IDLE;
		f->skip_body = false;
	}
	f->await = AWAIT_NONE;
	return rc;
}

int
mlt_filter_reply(struct mlt_filter *f, const struct mlt_reply *r)
{
	bool kept = f->await == AWAIT_KEEP;
	struct mlt_buf **to = kept ? &f->held : &f->out;
	uint8_t octet = octet_of(f, r);
	int rc;

	if (f->dead || f->negotiating || f->await == AWAIT_NONE)
		return MLT_E_STATE;
	if (!legal(f->cm, octet))
		return MLT_E_ARG;
	if (f->eom_due)
		return reply_last_chunk(f, r, octet);
	if (octet == MLT_SMFIR_CONTINUE || octet == MLT_SMFIR_SKIP ||
	    f->cm == CM_UNKNOWN) {
		if (r->type == MLT_REPLY_SKIP && f->cm == CM_BODY)
			f->skip_body = true;
		if (kept)
			return 0;
	}
	rc = octet == MLT_SMFIR_REPLYCODE
		 ? mlt_put_code(to, r, mlt_filter_limit(f))
		 : mlt_put_raw(to, octet, (struct mlt_bytes){ NULL, 0 }, 0);
	if (rc < 0)
		return rc;
	f->await = AWAIT_NONE;
	if (octet != MLT_SMFIR_CONTINUE && octet != MLT_SMFIR_SKIP)
		decide(f, r, octet, kept);
	return 0;
}

bool
mlt_filter_wants_reply(const struct mlt_filter *f)
{
	return f->await == AWAIT_REPLY;
}

/* ---- modifications  spec:modifications -------------------------------------------- */

static int
may_modify(const struct mlt_filter *f, uint32_t actions)
{
	if (f->dead || f->cm != CM_EOM || f->await != AWAIT_REPLY)
		return MLT_E_STATE;
	return f->actions & actions ? 0 : MLT_E_AGREED;
}

/* Once something else than body was sent, no more body may follow, [F-36]. */
static int
modified(struct mlt_filter *f, int rc)
{
	if (rc == 0 && f->repl == REPL_OPEN)
		f->repl = REPL_CLOSED;
	return rc;
}

static bool
name_ok(struct mlt_bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == ':')
			return false;
	}
	return name.n > 0;
}

static bool
value_ok(struct mlt_bytes v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '\r' || v.p[i] == 0)
			return false;
		if (v.p[i] == '\n' &&
		    (i + 1 == v.n || (v.p[i + 1] != ' ' && v.p[i + 1] != '\t')))
			return false;
	}
	return true;
}

/* What cannot be part of an SMTP command line. */
static bool
address_ok(struct mlt_bytes a)
{
	for (size_t i = 0; i < a.n; i++) {
		if ((unsigned char)a.p[i] < ' ' || a.p[i] == 0x7f)
			return false;
	}
	return a.n > 0;
}

static int
put_header(struct mlt_filter *f, uint8_t reply, const uint32_t *index,
    struct mlt_bytes name, struct mlt_bytes value)
{
	const struct mlt_reply_info *info =
	    &mlt_replies[mlt_reply_index[reply]];
	struct mlt_bytes head = { NULL, 0 };
	uint8_t be[4];
	int rc = may_modify(f, info->actions);

	if (rc < 0)
		return rc;
	if (!name_ok(name) || !value_ok(value) || (index && *index > INT32_MAX))
		return MLT_E_ARG;
	if (index) {
		mlt_put_u32(be, *index);
		head = (struct mlt_bytes){ (const char *)be, sizeof(be) };
	}
	/* A caller who wants to place the blank himself writes " value"; an MTA
	 * that did not agree adds one of its own.  spec:leading-space */
	if (f->want & MLT_PROT_HDR_LEADSPC &&
	    !(f->protocol & MLT_PROT_HDR_LEADSPC) && value.n > 0 &&
	    value.p[0] == ' ') {
		value.p++;
		value.n--;
	}
	return modified(f, mlt_put_strings(&f->out, reply, head,
			       (const struct mlt_bytes[]){ name, value }, 2,
			       mlt_filter_limit(f)));
}

int
mlt_filter_add_header(
    struct mlt_filter *f, struct mlt_bytes name, struct mlt_bytes value)
{
	return put_header(f, MLT_SMFIR_ADDHEADER, NULL, name, value);
}

int
mlt_filter_insert_header(struct mlt_filter *f, uint32_t index,
    struct mlt_bytes name, struct mlt_bytes value)
{
	return put_header(f, MLT_SMFIR_INSHEADER, &index, name, value);
}

int
mlt_filter_change_header(struct mlt_filter *f, uint32_t index,
    struct mlt_bytes name, struct mlt_bytes value)
{
	return put_header(f, MLT_SMFIR_CHGHEADER, &index, name, value);
}

/* An address or text, and perhaps ESMTP parameters. */
static int
put_text(struct mlt_filter *f, uint8_t reply, struct mlt_bytes text,
    struct mlt_bytes esmtp)
{
	const struct mlt_reply_info *info =
	    &mlt_replies[mlt_reply_index[reply]];
	int rc = may_modify(f, info->actions);

	if (rc < 0)
		return rc;
	if (!address_ok(text) || (esmtp.n && !address_ok(esmtp)))
		return MLT_E_ARG;
	return modified(
	    f, mlt_put_strings(&f->out, reply, (struct mlt_bytes){ NULL, 0 },
		   (const struct mlt_bytes[]){ text, esmtp }, esmtp.n ? 2 : 1,
		   mlt_filter_limit(f)));
}

int
mlt_filter_add_rcpt(
    struct mlt_filter *f, struct mlt_bytes addr, struct mlt_bytes esmtp)
{
	bool par = esmtp.n > 0 || !(f->actions & MLT_ACT_ADDRCPT);

	return put_text(
	    f, par ? MLT_SMFIR_ADDRCPT_PAR : MLT_SMFIR_ADDRCPT, addr, esmtp);
}

int
mlt_filter_delete_rcpt(struct mlt_filter *f, struct mlt_bytes addr)
{
	return put_text(
	    f, MLT_SMFIR_DELRCPT, addr, (struct mlt_bytes){ NULL, 0 });
}

int
mlt_filter_change_from(
    struct mlt_filter *f, struct mlt_bytes addr, struct mlt_bytes esmtp)
{
	return put_text(f, MLT_SMFIR_CHGFROM, addr, esmtp);
}

int
mlt_filter_quarantine(struct mlt_filter *f, struct mlt_bytes reason)
{
	return put_text(
	    f, MLT_SMFIR_QUARANTINE, reason, (struct mlt_bytes){ NULL, 0 });
}

int
mlt_filter_replace_body(struct mlt_filter *f, const void *p, size_t n)
{
	const char *from = p;
	int rc = may_modify(f, MLT_ACT_CHGBODY);
	size_t pieces = n / MLT_BODY_MAX + 1;

	if (rc < 0)
		return rc;
	if (f->repl == REPL_CLOSED)
		return MLT_E_STATE;
	if (n == 0 && f->repl == REPL_OPEN)
		return 0; /* nothing to append */
	/* Room for all pieces first: half a body must not leave. */
	if (n > UINT32_MAX / 4 ||
	    !mlt_buf_room(&f->out, n + pieces * MLT_FRAME_HEAD))
		return MLT_E_NOMEM;
	do {
		size_t piece = n < MLT_BODY_MAX ? n : MLT_BODY_MAX;

		mlt_put_octets(
		    mlt_put_frame(&f->out, MLT_SMFIR_REPLBODY, piece),
		    (struct mlt_bytes){ from, piece });
		from = piece ? from + piece : from;
		n -= piece;
	} while (n > 0);
	f->repl = REPL_OPEN;
	return 0;
}

int
mlt_filter_progress(struct mlt_filter *f)
{
	if (f->dead || f->cm != CM_EOM || f->await != AWAIT_REPLY ||
	    f->repl == REPL_OPEN) /* [F-38] more body may follow */
		return MLT_E_STATE;
	return put_plain(f, MLT_SMFIR_PROGRESS);
}

/* ---- output --------------------------------------------------------------------- */

size_t
mlt_filter_output(const struct mlt_filter *f, const uint8_t **p)
{
	*p = f->out ? f->out->data + f->out->off : NULL;
	return mlt_buf_len(f->out);
}

void
mlt_filter_sent(struct mlt_filter *f, size_t n)
{
	mlt_buf_take(&f->out, n);
}
