/* SPDX-License-Identifier: MIT */
/*
 * mta_state: what an MTA says in which order, message after message.
 */
#include "cli/check/mta.h"

#include <string.h>

/* One message as it is told, for mta_said. */
#define MESSAGE "MRT?L+NB+E"

/* Two messages in one session; first: must the first one be accepted? */
static enum check_result
two_messages(struct check_run *run, bool first, const char *pattern)
{
	struct mta_rig *r = &mta_of(run)->rig;

	if (rig_hello(r) != 250)
		return mta_told(run, RIG_HELO, "250");
	if (rig_send(r, NULL) != first)
		return mta_told(
		    run, rig_last(r), first ? "success" : "a refusal");
	if (!rig_send(r, NULL))
		return mta_told(run, rig_last(r), "success");
	rig_quit(r);
	return mta_said(run, pattern);
}

static enum check_result
order(struct check_run *run)
{
	mta_begin(run);
	return mta_heard(run, NULL) ? mta_said(run, "^OCH+" MESSAGE "[AQ]*$")
				    : CHECK_FAIL;
}

static enum check_result
second_message(struct check_run *run)
{
	mta_begin(run);
	return two_messages(run, true, "^OCH+" MESSAGE "A*" MESSAGE "[AQ]*$");
}

/* EHLO, MAIL, RCPT, RSET and a message. */
static bool
gives_up(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);
	const struct rig_opts *o = r->o;
	bool ok = rig_hello(r) == 250 &&
		  rig_say(r, RIG_MAIL, "MAIL FROM:<%s>", o->from) == 250 &&
		  rig_say(r, RIG_RCPT, "RCPT TO:<%s>", o->to) == 250;

	if (ok && rig_say(r, RIG_OTHER, "RSET") != 250) {
		mta_told(run, RIG_OTHER, "250");
		return false;
	}
	ok = ok && rig_send(r, NULL);
	rig_quit(r);
	if (!ok)
		mta_told(run, rig_last(r), "success");
	return ok;
}

static enum check_result
given_up(struct check_run *run)
{
	return gives_up(run) ? mta_said(run, "^OCH+MRA*" MESSAGE "[AQ]*$")
			     : CHECK_FAIL;
}

/* How often a command was sent between two others. */
static unsigned
between(const struct played *f, uint8_t cmd, long from, long to)
{
	unsigned n = 0;

	for (long i = from; i >= 0 && i < to; i++)
		n += f->v[i].cmd == cmd;
	return n;
}

static enum check_result
abort_at_reset(struct check_run *run)
{
	const struct played *f;
	unsigned n;

	if (!gives_up(run))
		return CHECK_FAIL;
	f = rig_played(&mta_of(run)->rig);
	if (!f)
		return check_fail(run, "the MTA did not connect");
	n = between(f, MLT_SMFIC_ABORT, played_nth(f, MLT_SMFIC_RCPT, 1),
	    played_nth(f, MLT_SMFIC_MAIL, 2));
	return check_differs(run, "ABORT packets: %u", n);
}

static enum check_result
abort_after_end(struct check_run *run)
{
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, NULL);
	if (!f)
		return CHECK_FAIL;
	return check_differs(
	    run, "ABORT packets: %u", f->count[MLT_SMFIC_ABORT]);
}

static enum check_result
quit_at_end(struct check_run *run)
{
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, NULL);
	if (!f)
		return CHECK_FAIL;
	return check_differs(run, "QUIT packets: %u", f->count[MLT_SMFIC_QUIT]);
}

static enum check_result
client_goes_away(struct check_run *run)
{
	static const char part[] = "Subject: half\r\n\r\nThis is not all of";
	struct mta_rig *r = mta_begin(run);
	const struct rig_opts *o = r->o;
	const struct played *f;

	if (rig_hello(r) != 250 ||
	    rig_say(r, RIG_MAIL, "MAIL FROM:<%s>", o->from) != 250 ||
	    rig_say(r, RIG_RCPT, "RCPT TO:<%s>", o->to) != 250 ||
	    rig_say(r, RIG_DATA, "DATA") != 354)
		return mta_told(run, rig_last(r), "success");
	rig_octets(r, part, sizeof(part) - 1);
	rig_hang_up(r);
	f = rig_played(r);
	if (!f)
		return check_fail(run, "the MTA did not connect");
	if (f->count[MLT_SMFIC_EOM])
		return check_fail(run, "the end of the message was sent");
	return r->lingered ? check_fail(run, "the connection stays open")
			   : CHECK_PASS;
}

static enum check_result
helo_again(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);
	const struct played *f;
	bool ok = rig_hello(r) == 250 &&
		  rig_say(r, RIG_HELO, "EHLO again.%s", r->o->helo) == 250 &&
		  rig_send(r, NULL);

	rig_quit(r);
	f = rig_played(r);
	if (!ok || !f)
		return mta_told(run, rig_last(r), "success");
	if (f->count[MLT_SMFIC_HELO] != 2)
		return check_fail(
		    run, "HELO was sent %u times", f->count[MLT_SMFIC_HELO]);
	return CHECK_PASS;
}

/* ---- verdicts ------------------------------------------------------------------- */

static enum check_result
after_refused_mail(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_MAIL, 1);
	plan_reply(&r->plan, MLT_SMFIR_REJECT);
	return two_messages(run, false, "^OCH+MA*" MESSAGE "[AQ]*$");
}

static enum check_result
after_accepted_mail(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_MAIL, 1);
	plan_reply(&r->plan, MLT_SMFIR_ACCEPT);
	if (two_messages(run, true, "^OCH+MA*" MESSAGE "[AQ]*$") == CHECK_FAIL)
		return CHECK_FAIL;
	return mta_arrives(run) ? CHECK_PASS : CHECK_FAIL;
}

/* ACCEPT to this command: the message arrives, and was told like that. */
static enum check_result
accepted_at(struct check_run *run, uint8_t cmd, const char *pattern)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, cmd, 0);
	plan_reply(&r->plan, MLT_SMFIR_ACCEPT);
	return mta_delivered(run, NULL) ? mta_said(run, pattern) : CHECK_FAIL;
}

static enum check_result
accepted_client(struct check_run *run)
{
	return accepted_at(run, MLT_SMFIC_CONNECT, "^OC[AQ]*$");
}

static enum check_result
accepted_rcpt(struct check_run *run)
{
	return accepted_at(run, MLT_SMFIC_RCPT, "^OCH+MR[AQ]*$");
}

static enum check_result
refused_rcpt(struct check_run *run, uint8_t reply, int class_)
{
	static const struct rig_mail two = { .two = true };
	struct mta *m = mta_of(run);
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_RCPT, 1);
	plan_reply(&r->plan, reply);
	if (!rig_deliver(r, &two))
		return mta_told(run, rig_last(r), "success");
	if (mta_class(run, RIG_RCPT) != class_)
		return mta_told(run, RIG_RCPT, class_ == 5 ? "5xx" : "4xx");
	if (rig_code(r, RIG_RCPT2) != 250)
		return mta_told(run, RIG_RCPT2, "250");
	if (mta_said(run, "^OCH+MRRT?L+NB+E[AQ]*$") == CHECK_FAIL ||
	    !mta_arrives(run))
		return CHECK_FAIL;
	if (m->has_to && (sink_message_is_to(&m->message, r->o->to) ||
			     !sink_message_is_to(&m->message, r->o->to2)))
		return check_fail(run, "the message arrived for %s",
		    mta_show(buf_data(&m->message.to), buf_len(&m->message.to))
			.text);
	return CHECK_PASS;
}

static enum check_result
rejected_rcpt(struct check_run *run)
{
	return refused_rcpt(run, MLT_SMFIR_REJECT, 5);
}

static enum check_result
deferred_rcpt(struct check_run *run)
{
	return refused_rcpt(run, MLT_SMFIR_TEMPFAIL, 4);
}

/* A verdict in the middle of the content ends what is told of it. */
static enum check_result
decided_at(
    struct check_run *run, uint8_t cmd, uint8_t reply, const char *pattern)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, cmd, 1);
	plan_reply(&r->plan, reply);
	rig_deliver(r, NULL);
	return mta_said(run, pattern);
}

static enum check_result
decided_in_header(struct check_run *run)
{
	return decided_at(
	    run, MLT_SMFIC_HEADER, MLT_SMFIR_REJECT, "^OCH+MRT?L[AQ]*$");
}

static enum check_result
decided_after_header(struct check_run *run)
{
	return decided_at(
	    run, MLT_SMFIC_EOH, MLT_SMFIR_ACCEPT, "^OCH+MRT?L+N[AQ]*$");
}

static enum check_result
decided_in_body(struct check_run *run)
{
	return decided_at(
	    run, MLT_SMFIC_BODY, MLT_SMFIR_DISCARD, "^OCH+MRT?L+NB[AQ]*$");
}

/* ---- connections ------------------------------------------------------------------ */

static enum check_result
own_connections(struct check_run *run)
{
	for (int client = 1; client <= 2; client++) {
		const struct played *f;

		mta_begin(run);
		f = mta_heard(run, NULL);
		if (!f)
			return CHECK_FAIL;
		if (mta_of(run)->rig.n_links != 1 ||
		    f->count[MLT_SMFIC_CONNECT] != 1)
			return check_fail(run,
			    "client %d: %zu connections, CONNECT was sent %u "
			    "times",
			    client, mta_of(run)->rig.n_links,
			    f->count[MLT_SMFIC_CONNECT]);
	}
	return CHECK_PASS;
}

static enum check_result
connection_closed(struct check_run *run)
{
	mta_begin(run);
	if (!mta_heard(run, NULL))
		return CHECK_FAIL;
	return mta_of(run)->rig.lingered
		   ? check_fail(run, "it is open %ld ms after the client's end",
			 mta_of(run)->o.wait_ms)
		   : CHECK_PASS;
}

const struct check_case mta_state_cases[] = {
	{ "order", 340, MTA_PROFILE, order },
	{ "second-message", 342, MTA_PROFILE, second_message },
	{ "given-up", 343, MTA_PROFILE, given_up },
	{ "abort-at-reset", 344, MTA_PROFILE, abort_at_reset },
	{ "abort-after-end", 345, MTA_PROFILE, abort_after_end },
	{ "quit-at-end", 346, MTA_PROFILE, quit_at_end },
	{ "client-goes-away", 347, MTA_PROFILE, client_goes_away },
	{ "helo-again", 348, MTA_PROFILE, helo_again },
	{ "after-refused-mail", 349, MTA_PROFILE, after_refused_mail },
	{ "after-accepted-mail", 350, MTA_PROFILE, after_accepted_mail },
	{ "accepted-client", 351, MTA_PROFILE, accepted_client },
	{ "rejected-rcpt", 352, MTA_PROFILE, rejected_rcpt },
	{ "deferred-rcpt", 352, MTA_PROFILE, deferred_rcpt },
	{ "accepted-rcpt", 353, MTA_PROFILE, accepted_rcpt },
	{ "decided-in-header", 354, MTA_PROFILE, decided_in_header },
	{ "decided-after-header", 354, MTA_PROFILE, decided_after_header },
	{ "decided-in-body", 354, MTA_PROFILE, decided_in_body },
	{ "own-connections", 440, MTA_PROFILE, own_connections },
	{ "connection-closed", 441, MTA_PROFILE, connection_closed },
	{ .name = NULL },
};
