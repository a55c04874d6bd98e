/* SPDX-License-Identifier: MIT */
/*
 * modify: what the filter asks for at the end of a message.
 * spec:modifications
 *
 * Refused is what no MTA would take or what two would take differently: outside
 * EOM, without the action's bit, malformed, body after something else.  A
 * failed call has added nothing to the output.
 */
#include "filter.h"
#include "codec.h"

static int
may_modify(const struct mlt_filter *f, uint32_t actions)
{
	if (f->dead || f->cm != CM_EOM || f->await != AWAIT_REPLY)
		return MLT_E_STATE;
	return f->actions & actions ? 0 : MLT_E_AGREED;
}

/* Once something else than body was sent, no more body may follow. */
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
			       mlt_filter_send_limit(f)));
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
		   mlt_filter_send_limit(f)));
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
	    f->repl == REPL_OPEN) /* more body may follow */
		return MLT_E_STATE;
	return mlt_put_raw(
	    &f->out, MLT_SMFIR_PROGRESS, (struct mlt_bytes){ NULL, 0 }, 0);
}
