/* SPDX-License-Identifier: MIT */
/*
 * mta: the MTA's side of a connection.
 *
 * A send function asks the table of state.c, then negotiation, then appends
 * one frame; an answer moves the state where a verdict ends a message or a
 * client.  The filter is not trusted: each reply must be awaited, legal for
 * the command, agreed and well-formed, else MLT_E_PROTO and nothing more is
 * read.  spec:bad-replies
 */
#include "codec.h"

#include <stdlib.h>
#include <string.h>

struct mlt_mta {
	struct mlt_input in;
	struct mlt_buf *out;
	struct mlt_buf *lists; /* macro lists as they came */
	struct mlt_agreement offer;
	uint32_t version, actions, protocol; /* agreed */
	size_t limit;                        /* of replies */
	uint64_t taken;                      /* octets of replies */
	uint8_t st;                          /* enum mlt_st */
	uint8_t cm;   /* enum mlt_cm whose answer is awaited, or CM_NONE */
	uint8_t skip; /* enum mlt_cm that need not be sent any more */
	int8_t dead;  /* as in struct mlt_filter */
	bool body_sent, body_closed; /* REPLBODY sequence at this EOM */
};

int
mlt_mta_new(struct mlt_mta **out, const struct mlt_mta_opts *opts)
{
	static const struct mlt_mta_opts none;
	struct mlt_mta *m = calloc(1, sizeof(*m));

	if (!m)
		return MLT_E_NOMEM;
	if (!opts)
		opts = &none;
	m->st = ST_INIT;
	m->offer.version = opts->version;
	m->offer.actions = opts->actions;
	m->offer.protocol = opts->protocol;
	if (!opts->version && !opts->actions && !opts->protocol) {
		m->offer.version = MLT_VERSION_MAX;
		m->offer.actions = MLT_ACT_ALL;
		m->offer.protocol = MLT_PROT_ALL;
	}
	m->limit =
	    opts->max_frame_bytes ? opts->max_frame_bytes : MLT_REPLY_DATA_MAX;
	*out = m;
	return 0;
}

void
mlt_mta_free(struct mlt_mta *m)
{
	if (!m)
		return;
	mlt_input_drop(&m->in);
	mlt_buf_free(&m->out);
	mlt_buf_free(&m->lists);
	free(m);
}

/* ---- sending -------------------------------------------------------------------- */

/* May cm be said now?  1 yes; 0 the filter does not want it: *m has moved on;
 * or STATE. */
static int
may_send(struct mlt_mta *m, enum mlt_cm cm)
{
	const struct mlt_command *c = &mlt_commands[cm];
	uint8_t to = mlt_mta_table[m->st][cm];

	if (m->dead || m->cm || to == ST_REFUSE)
		return MLT_E_STATE;
	if (!(to & STF_UNSENT) && !(m->protocol & c->no) && m->skip != cm &&
	    (cm == CM_OPTNEG || m->version >= c->version))
		return 1;
	m->st = to & ST_MASK;
	return 0;
}

/* After the frame was built: 1 or 2, or the encoder's error. */
static int
said(struct mlt_mta *m, enum mlt_cm cm, int rc)
{
	const struct mlt_command *c = &mlt_commands[cm];

	if (rc < 0)
		return rc;
	m->st = mlt_mta_table[m->st][cm] & ST_MASK;
	if (cm != CM_BODY)
		m->skip = CM_NONE;
	if (!c->replies[0] || m->protocol & c->nr)
		return 2;
	m->cm = (uint8_t)cm;
	return 1;
}

/* Largest payload that the filter takes. */
static size_t
max_of(const struct mlt_mta *m)
{
	if (m->protocol & MLT_PROT_MDS_1M)
		return MLT_DATA_MAX_1M;
	return m->protocol & MLT_PROT_MDS_256K ? MLT_DATA_MAX_256K
					       : MLT_DATA_MAX;
}

static int
say_strings(
    struct mlt_mta *m, enum mlt_cm cm, const struct mlt_bytes *v, size_t n)
{
	int rc = may_send(m, cm);

	if (rc <= 0)
		return rc;
	return said(m, cm,
	    mlt_put_strings(&m->out, mlt_commands[cm].octet,
		(struct mlt_bytes){ NULL, 0 }, v, n, max_of(m)));
}

static int
say_raw(struct mlt_mta *m, enum mlt_cm cm, const void *p, size_t n)
{
	int rc = may_send(m, cm);

	if (rc <= 0)
		return rc;
	return said(m, cm,
	    mlt_put_raw(&m->out, mlt_commands[cm].octet,
		(struct mlt_bytes){ p, n }, MLT_BODY_MAX));
}

int
mlt_mta_negotiate(struct mlt_mta *m)
{
	int rc = may_send(m, CM_OPTNEG);

	if (rc <= 0)
		return rc;
	return said(m, CM_OPTNEG,
	    mlt_put_options(&m->out, &m->offer, NULL, MLT_DATA_MAX));
}

int
mlt_mta_macros(struct mlt_mta *m, uint8_t stage_cmd,
    const struct mlt_bytes *pairs, size_t n_pairs)
{
	const char stage = (char)stage_cmd;
	int rc = may_send(m, CM_MACRO);

	if (rc <= 0)
		return rc;
	rc = mlt_put_strings(&m->out, MLT_SMFIC_MACRO,
	    (struct mlt_bytes){ &stage, 1 }, pairs, n_pairs * 2, max_of(m));
	return rc < 0 ? rc : 2;
}

int
mlt_mta_connect(struct mlt_mta *m, struct mlt_bytes host, char family,
    uint16_t port, struct mlt_bytes addr)
{
	int rc = may_send(m, CM_CONNECT);

	if (rc <= 0)
		return rc;
	return said(m, CM_CONNECT,
	    mlt_put_connect(&m->out, host, family, port, addr, max_of(m)));
}

int
mlt_mta_helo(struct mlt_mta *m, struct mlt_bytes text)
{
	return say_strings(m, CM_HELO, &text, 1);
}

int
mlt_mta_mail(struct mlt_mta *m, const struct mlt_bytes *v, size_t n)
{
	return n ? say_strings(m, CM_MAIL, v, n) : MLT_E_ARG;
}

int
mlt_mta_rcpt(struct mlt_mta *m, const struct mlt_bytes *v, size_t n)
{
	return n ? say_strings(m, CM_RCPT, v, n) : MLT_E_ARG;
}

int
mlt_mta_data(struct mlt_mta *m)
{
	return say_raw(m, CM_DATA, NULL, 0);
}

int
mlt_mta_unknown(struct mlt_mta *m, struct mlt_bytes line)
{
	return say_strings(m, CM_UNKNOWN, &line, 1);
}

int
mlt_mta_header(struct mlt_mta *m, struct mlt_bytes name, struct mlt_bytes value)
{
	if (name.n == 0)
		return MLT_E_ARG;
	if (!(m->protocol & MLT_PROT_HDR_LEADSPC) && value.n > 0 &&
	    value.p[0] == ' ') {
		value.p++;
		value.n--;
	}
	return say_strings(
	    m, CM_HEADER, (const struct mlt_bytes[]){ name, value }, 2);
}

int
mlt_mta_eoh(struct mlt_mta *m)
{
	return say_raw(m, CM_EOH, NULL, 0);
}

int
mlt_mta_body(struct mlt_mta *m, const void *p, size_t n)
{
	return say_raw(m, CM_BODY, p, n);
}

int
mlt_mta_eom(struct mlt_mta *m)
{
	int rc = say_raw(m, CM_EOM, NULL, 0);

	if (rc > 0)
		m->body_sent = m->body_closed = false;
	return rc;
}

int
mlt_mta_abort(struct mlt_mta *m)
{
	return say_raw(m, CM_ABORT, NULL, 0);
}

int
mlt_mta_quit(struct mlt_mta *m, bool more)
{
	return say_raw(m, more ? CM_QUIT_NC : CM_QUIT, NULL, 0);
}

size_t
mlt_mta_output(const struct mlt_mta *m, const uint8_t **p)
{
	*p = m->out ? m->out->data + m->out->off : NULL;
	return mlt_buf_len(m->out);
}

void
mlt_mta_sent(struct mlt_mta *m, size_t n)
{
	mlt_buf_take(&m->out, n);
}

/* ---- receiving ------------------------------------------------------------------ */

int
mlt_mta_feed(struct mlt_mta *m, const void *buf, size_t len)
{
	if (m->dead)
		return MLT_E_STATE;
	return mlt_input_feed(&m->in, buf, len);
}

/* The answer to OPTNEG must be a part of the offer.  spec:negotiation */
static int
agreed(struct mlt_mta *m, struct mlt_bytes payload)
{
	struct mlt_agreement a;
	struct mlt_bytes rest, names;
	uint32_t stage, seen = 0;
	int rc = mlt_decode_options(payload, &a);

	if (rc < 0 || a.version < MLT_VERSION_MIN ||
	    a.version > m->offer.version || a.actions & ~m->offer.actions ||
	    a.protocol & ~m->offer.protocol)
		return MLT_E_PROTO;
	if (a.lists.n > 0 && !(m->offer.actions & MLT_ACT_SETSYMLIST))
		return MLT_E_PROTO;
	rest = a.lists;
	while ((rc = mlt_next_list(&rest, &stage, &names)) > 0) {
		if (seen & 1u << stage)
			return MLT_E_PROTO;
		seen |= 1u << stage;
	}
	if (rc == 0)
		rc = mlt_buf_add(&m->lists, a.lists.p, a.lists.n);
	if (rc < 0)
		return rc;
	m->version = a.version;
	m->actions = a.actions;
	m->protocol = a.protocol;
	return 0;
}

/* Is this reply, well-formed as it is, legal here?  spec:legal-replies */
static bool
expected(struct mlt_mta *m, const struct mlt_action *a)
{
	const struct mlt_reply_info *r =
	    &mlt_replies[mlt_reply_index[a->reply]];

	if (a->final)
		return strchr(mlt_commands[m->cm].replies, a->reply) &&
		       (a->reply != MLT_SMFIR_SKIP ||
			   m->protocol & MLT_PROT_SKIP);
	if (m->cm != CM_EOM || (r->actions && !(m->actions & r->actions)))
		return false;
	if (a->reply != MLT_SMFIR_REPLBODY) {
		m->body_closed = m->body_sent;
		return true;
	}
	m->body_sent = true;
	return !m->body_closed; /* one uninterrupted sequence */
}

/* What a final reply does to the message or the client.  spec:verdicts */
static void
conclude(struct mlt_mta *m, uint8_t reply)
{
	enum mlt_cm cm = m->cm;

	m->cm = CM_NONE;
	if (reply == MLT_SMFIR_SKIP)
		m->skip = CM_BODY;
	if (reply == MLT_SMFIR_CONTINUE || reply == MLT_SMFIR_SKIP)
		return;
	switch ((uint8_t)cm) {
	case CM_CONNECT:
	case CM_HELO:
		m->st = ST_DONE;
		break;
	case CM_RCPT:
		if (reply == MLT_SMFIR_ACCEPT || reply == MLT_SMFIR_DISCARD)
			m->st = ST_DECIDED;
		break;
	case CM_DATA:
		/* The client may send RCPT or DATA again. */
		m->st = reply == MLT_SMFIR_ACCEPT || reply == MLT_SMFIR_DISCARD
			    ? ST_DECIDED
			    : ST_ENVELOPE;
		break;
	case CM_MAIL:
	case CM_HEADER:
	case CM_EOH:
	case CM_BODY:
		m->st = ST_DECIDED;
		break;
	}
}

int
mlt_mta_next(struct mlt_mta *m, struct mlt_action *out)
{
	struct mlt_frame f;
	struct mlt_action a = { 0 };
	int rc;

	if (m->dead)
		return MLT_E_DEAD - m->dead;
	rc = mlt_input_frame(&m->in, m->limit, mlt_reply_index, &f);
	if (rc == 0)
		rc = mlt_input_keep(&m->in);
	else if (rc > 0)
		rc = m->cm ? mlt_decode_reply(&f, &a) : MLT_E_PROTO;
	if (rc == 0 && a.reply && !expected(m, &a))
		rc = MLT_E_PROTO;
	if (rc == 0 && a.reply == MLT_SMFIR_OPTNEG)
		rc = agreed(m, (struct mlt_bytes){ f.p, f.n });
	if (rc < MLT_E_DEAD) {
		m->dead = (int8_t)(MLT_E_DEAD - rc);
		mlt_input_drop(&m->in);
	}
	if (rc < 0 || !a.reply)
		return rc;
	mlt_input_consume(&m->in, &f);
	m->taken += MLT_FRAME_HEAD + f.n;
	if (a.final)
		conclude(m, a.reply);
	*out = a;
	return 1;
}

uint64_t
mlt_mta_taken(const struct mlt_mta *m)
{
	return m->taken;
}

bool
mlt_mta_awaits(const struct mlt_mta *m)
{
	return m->cm && !m->dead;
}

uint32_t
mlt_mta_version(const struct mlt_mta *m)
{
	return m->version;
}

uint32_t
mlt_mta_actions(const struct mlt_mta *m)
{
	return m->actions;
}

uint32_t
mlt_mta_protocol(const struct mlt_mta *m)
{
	return m->protocol;
}

struct mlt_bytes
mlt_mta_macro_list(const struct mlt_mta *m, unsigned stage)
{
	struct mlt_bytes rest, names;
	uint32_t at;

	if (m->lists) {
		rest = (struct mlt_bytes){ (const char *)m->lists->data,
			m->lists->len };
		while (mlt_next_list(&rest, &at, &names) > 0) {
			if (at == stage)
				return names;
		}
	}
	return (struct mlt_bytes){ NULL, 0 };
}
