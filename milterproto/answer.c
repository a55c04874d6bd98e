/* SPDX-License-Identifier: MIT */
/*
 * answer: what the filter says: the agreement and verdicts.
 *
 * Nothing leaves that the MTA could take for something else: no reply that is
 * not awaited, no verdict that is not legal for the command, no text outside
 * the grammar.  A failed call has added nothing to the output.
 */
#include "filter.h"
#include "codec.h"
#include "replytext.h"

#include <string.h>

/* Largest payload that an MTA takes.  spec:size-limits */
size_t
mlt_filter_send_limit(const struct mlt_filter *f)
{
	if (f->protocol & MLT_PROT_MDS_1M)
		return MLT_DATA_MAX_1M;
	return f->protocol & MLT_PROT_MDS_256K ? MLT_DATA_MAX_256K
					       : MLT_DATA_MAX;
}

/* ---- the agreement  spec:negotiation ------------------------------------------ */

/* Macro lists as they will be sent: overriding EOM without EOH, or the other
 * way round, makes Sendmail send the wrong ones.  spec:macro-lists */
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
	/* the larger one wins, and only one is answered */
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
	case MLT_REPLY_SKIP: /* spec:legal-replies */
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
			to = ST_DISCARD;
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
			 ? mlt_put_code(&f->out, r, mlt_filter_send_limit(f))
			 : put_plain(f, octet);
		if (rc < 0)
			return rc;
		f->eom_due = false;
		f->st = ST_IDLE;
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
		 ? mlt_put_code(to, r, mlt_filter_send_limit(f))
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
