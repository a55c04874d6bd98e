/* SPDX-License-Identifier: MIT */
/*
 * play_verdict: what the filter's reply means for the message and the client.
 */
#include "play.h"

#include <string.h>

enum mlt_verdict
mlt_play_verdict_of(const struct mlt_action *a)
{
	switch (a->reply) {
	case MLT_SMFIR_ACCEPT:
		return MLT_VERDICT_ACCEPT;
	case MLT_SMFIR_REJECT:
		return MLT_VERDICT_REJECT;
	case MLT_SMFIR_TEMPFAIL:
		return MLT_VERDICT_TEMPFAIL;
	case MLT_SMFIR_DISCARD:
		return MLT_VERDICT_DISCARD;
	case MLT_SMFIR_REPLYCODE:
		return a->text.p[0] == '4' ? MLT_VERDICT_TEMPFAIL
					   : MLT_VERDICT_REJECT;
	default:
		return MLT_VERDICT_NONE;
	}
}

/* What the client hears of this.  spec:answers  0 or NOMEM. */
int
mlt_play_tell(
    struct mlt_play *p, const struct mlt_action *a, enum mlt_verdict v)
{
	const struct mlt_profile *pf = p->pf;
	const char *generic = v == MLT_VERDICT_TEMPFAIL  ? pf->tempfail
			      : p->at < STEP_MAIL        ? pf->reject_client
			      : p->at == STEP_HELO_AGAIN ? pf->reject_client
			      : p->at < STEP_HEADER      ? pf->reject_envelope
							 : pf->reject_content;
	char *to;

	p->told = play_text(generic);
	if (a->reply != MLT_SMFIR_REPLYCODE ||
	    (p->at == STEP_CONNECT && !play_has(p, MLT_HABIT_CONNECT_TEXT)))
		return 0;
	to = (char *)mlt_buf_room(&p->answer, a->text.n);
	if (!to)
		return MLT_E_NOMEM;
	p->told = (struct mlt_bytes){ to, 0 };
	for (size_t i = 0; i < a->text.n; i++) {
		to[p->told.n++] = a->text.p[i];
		i += a->text.p[i] == '%'; /* doubled: mlt_code_valid */
	}
	return 0;
}

/* spec:simulated  To refuse a recipient here is taken for a misconfiguration.
 */
static void
defer(struct mlt_play *p)
{
	p->told = play_text(p->pf->tempfail);
	mlt_play_decide(p, MLT_VERDICT_TEMPFAIL, MLT_END_VERDICT);
}

static void
judge_rcpt(struct mlt_play *p, enum mlt_verdict v)
{
	bool refused = play_message(p)->rcpts[p->i].refused;

	if (refused && (v == MLT_VERDICT_NONE || play_refuses(v)))
		return; /* spec:rcpt-rejected: nothing revives it */
	if (v == MLT_VERDICT_NONE)
		p->accepted++;
	else if (!play_refuses(v))
		mlt_play_decide(p, v,
		    v == MLT_VERDICT_DISCARD ? MLT_END_DROPPED
					     : MLT_END_VERDICT);
	else if (play_has(p, MLT_HABIT_RCPT_DEFERS))
		defer(p);
	else if (p->gone)
		mlt_play_decide(p, v, MLT_END_CLOSE);
	else
		p->verdict = v; /* should all be refused */
}

/* What a final reply leads to.  spec:after-verdicts */
void
mlt_play_judge(
    struct mlt_play *p, const struct mlt_action *a, enum mlt_verdict v)
{
	enum mlt_play_end end = MLT_END_VERDICT;
	enum play_step at = p->at;

	if (a->reply == MLT_SMFIR_REPLYCODE && memcmp(a->text.p, "421", 3) == 0)
		p->gone = true;
	if (at == STEP_BODY && a->reply == MLT_SMFIR_SKIP)
		mlt_play_go(p, STEP_EOM);
	if (at == STEP_MAIL)
		p->mail_answered = v == MLT_VERDICT_NONE;
	if (at == STEP_RCPT) {
		judge_rcpt(p, v);
	} else if (at == STEP_EOM) {
		mlt_play_decide(p, v ? v : MLT_VERDICT_ACCEPT, MLT_END_EOM);
	} else if (v && at >= STEP_MAIL && at < STEP_EOM) {
		if (at == STEP_MAIL && play_refuses(v))
			end = MLT_END_MAIL;
		if (at == STEP_DATA && play_refuses(v))
			end = p->gone ? MLT_END_CLOSE : MLT_END_RSET;
		mlt_play_decide(p, v, end);
	} else if (v && at != STEP_UNKNOWN) {
		p->client = v;
		if (at < STEP_MAIL)
			mlt_play_next_message(p);
	} else if (at == STEP_UNKNOWN && p->gone) {
		mlt_play_go(p, STEP_LAST_ABORT);
	}
}
