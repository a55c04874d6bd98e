/* SPDX-License-Identifier: MIT */
/*
 * mta_negotiation: what the MTA offers, and how it keeps to what was agreed.
 */
#include "cli/check/mta.h"

#include <string.h>

static enum check_result
offer_first(struct check_run *run)
{
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, NULL);
	if (!f)
		return CHECK_FAIL;
	if (f->v[0].cmd != MLT_SMFIC_OPTNEG || f->count[MLT_SMFIC_OPTNEG] != 1)
		return check_fail(run,
		    "the first packet is %s, OPTNEG came %u "
		    "times",
		    mlt_command_name(f->v[0].cmd), f->count[MLT_SMFIC_OPTNEG]);
	return CHECK_PASS;
}

static enum check_result
offer_form(struct check_run *run)
{
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, NULL);
	if (!f)
		return CHECK_FAIL;
	if (f->v[0].n < 12)
		return check_fail(run, "the offer has %zu octets", f->v[0].n);
	if (f->offer.version < 2 || f->offer.version > 6)
		return check_fail(
		    run, "the offer has version %u", f->offer.version);
	return CHECK_PASS;
}

/* spec:protocol-flags spec:action-flags  By version. */
static enum check_result
offer_known(struct check_run *run)
{
	static const struct {
		uint32_t actions, protocol;
	} known[] = {
		[2] = { 0x3f, 0x7f },
		[3] = { 0x3f, 0x17f },
		[4] = { 0x3f, 0x37f },
		[5] = { 0x3f, 0x37f },
		[6] = { 0x1ff, 0x1fffff | MLT_PROT_MDS },
	};
	const struct played *f;
	uint32_t actions, protocol;

	mta_begin(run);
	f = mta_heard(run, NULL);
	if (!f)
		return CHECK_FAIL;
	if (f->offer.version < 2 || f->offer.version > 6)
		return check_not_applicable(
		    run, "the offer has version %u", f->offer.version);
	actions = f->offer.actions & ~known[f->offer.version].actions;
	protocol = f->offer.protocol & ~known[f->offer.version].protocol;
	if (actions || protocol)
		return check_fail(run,
		    "version %u is offered with the actions 0x%x and the "
		    "protocol bits 0x%x, which it does not have",
		    f->offer.version, actions, protocol);
	return CHECK_PASS;
}

/* Nothing is said while the answer to this command is held back. */
static enum check_result
awaits(struct check_run *run, uint8_t only)
{
	struct mta_rig *r = mta_begin(run);
	const struct played *f;

	r->plan.hold = true;
	f = mta_heard(run, NULL);
	for (size_t i = 0; f && i < f->n; i++)
		if (f->v[i].eager && i > 0 &&
		    (!only || f->v[i - 1].cmd == only))
			return check_fail(run,
			    "%s was sent before the answer to %s",
			    mlt_command_name(f->v[i].cmd),
			    mlt_command_name(f->v[i - 1].cmd));
	return f ? CHECK_PASS : CHECK_FAIL;
}

static enum check_result
awaits_answer_to_offer(struct check_run *run)
{
	return awaits(run, MLT_SMFIC_OPTNEG);
}

static enum check_result
awaits_answers(struct check_run *run)
{
	return awaits(run, 0);
}

/* These bits are agreed, and none of these commands comes. */
static enum check_result
unsent(struct check_run *run, uint32_t bits, const char *commands)
{
	struct mta_rig *r = mta_begin(run);
	const struct played *f;

	r->plan.protocol = bits;
	f = mta_heard_all(run, NULL, false);
	if (!f)
		return CHECK_FAIL;
	if (bits & ~f->offer.protocol)
		return check_not_applicable(
		    run, "the MTA does not offer 0x%x", bits);
	for (; *commands; commands++)
		if (f->count[(uint8_t)*commands])
			return check_fail(run, "%s was sent all the same",
			    mlt_command_name((uint8_t)*commands));
	return f->count[MLT_SMFIC_EOM]
		   ? CHECK_PASS
		   : check_fail(run, "no end of the message was sent");
}

static enum check_result
no_connect(struct check_run *run)
{
	return unsent(run, MLT_PROT_NO_CONNECT | MLT_PROT_NO_HELO, "CH");
}

static enum check_result
no_envelope(struct check_run *run)
{
	return unsent(
	    run, MLT_PROT_NO_MAIL | MLT_PROT_NO_RCPT | MLT_PROT_NO_DATA, "MRT");
}

static enum check_result
no_content(struct check_run *run)
{
	return unsent(
	    run, MLT_PROT_NO_HDRS | MLT_PROT_NO_EOH | MLT_PROT_NO_BODY, "LNB");
}

static enum check_result
no_unknown(struct check_run *run)
{
	return unsent(run, MLT_PROT_NO_UNKNOWN, "U");
}

static enum check_result
no_replies(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);
	const struct played *f;

	r->plan.protocol = MLT_PROT_NR_ALL;
	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	plan_header(&r->plan, MLT_SMFIR_ADDHEADER, 0, "X-Quiet", "yes");
	plan_reply(&r->plan, MLT_SMFIR_CONTINUE);
	if (!mta_delivered(run, NULL))
		return CHECK_FAIL;
	f = rig_played(r);
	if (!f || !(f->agreed.protocol & MLT_PROT_NR_ALL))
		return check_not_applicable(
		    run, "the MTA offers to do without no answer");
	return mta_field_is(run, "X-Quiet", 1, " yes");
}

static enum check_result
some_replies(struct check_run *run)
{
	static const struct rig_mail two = { .two = true };
	struct mta_rig *r = mta_begin(run);

	r->plan.protocol = MLT_PROT_NR_CONN | MLT_PROT_NR_MAIL |
			   MLT_PROT_NR_HDR | MLT_PROT_NR_BODY;
	plan_on(&r->plan, MLT_SMFIC_RCPT, 2);
	plan_text(&r->plan, MLT_SMFIR_REPLYCODE, "550 5.7.1 second");
	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	plan_text(&r->plan, MLT_SMFIR_REPLYCODE, "451 4.7.1 at the end");
	rig_deliver(r, &two);
	if (mta_of(run)->offer.version < 6)
		return check_not_applicable(run, "version 6 is not offered");
	if (rig_code(r, RIG_RCPT) != 250)
		return mta_told(run, RIG_RCPT, "250");
	if (rig_code(r, RIG_RCPT2) != 550)
		return mta_told(run, RIG_RCPT2, "550");
	if (rig_code(r, RIG_DATA) != 354)
		return mta_told(run, RIG_DATA, "354");
	if (rig_code(r, RIG_CONTENT) != 451)
		return mta_told(run, RIG_CONTENT, "451");
	return CHECK_PASS;
}

static enum check_result
older_version(struct check_run *run)
{
	for (uint32_t version = 3; version >= 2; version--) {
		struct mta_rig *r = mta_begin(run);
		const struct played *f;

		r->plan.version = version;
		r->plan.actions = 0x3f;
		f = mta_heard_all(run, NULL, false);
		if (!f)
			return CHECK_FAIL;
		if (f->count[MLT_SMFIC_DATA])
			return check_fail(
			    run, "DATA was sent in version %u", version);
		if (version == 2 && f->count[MLT_SMFIC_UNKNOWN])
			return check_fail(run, "UNKNOWN was sent in version 2");
	}
	return CHECK_PASS;
}

static enum check_result
macro_lists(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);
	const struct played *f;
	size_t names = 0;

	if (!(mta_of(run)->offer.actions & MLT_ACT_SETSYMLIST))
		return check_not_applicable(run, "the MTA takes no lists");
	r->plan.macros[MLT_STAGE_MAIL] = "{mail_addr}";
	f = mta_heard(run, NULL);
	for (size_t i = 0; f && i < f->n; i++) {
		struct mlt_bytes p = played_payload(f, i);

		if (f->v[i].cmd != MLT_SMFIC_MACRO || !p.n ||
		    *p.p != MLT_SMFIC_MAIL)
			continue;
		while (played_string(p, 1, 2 * names).p)
			names++;
		if (names != 1 || !mta_macro(p, "mail_addr").p)
			return check_fail(run,
			    "MAIL has %zu macros: %s; {mail_addr} alone was "
			    "asked for",
			    names, mta_show(p.p, p.n).text);
	}
	if (f && !names)
		return check_fail(run, "MAIL has no macros");
	return f ? CHECK_PASS : CHECK_FAIL;
}

/* The value of our field X-Blank as it was told. */
static enum check_result
blank_is(struct check_run *run, uint32_t protocol, const char *want)
{
	static const struct rig_mail mail = { .fields = "X-Blank:  two\r\n" };
	struct mta_rig *r = mta_begin(run);
	const struct played *f;

	r->plan.protocol = protocol;
	f = mta_heard(run, &mail);
	for (size_t i = 0; f && i < f->n; i++) {
		struct mlt_bytes p = played_payload(f, i), value;

		if (f->v[i].cmd != MLT_SMFIC_HEADER ||
		    !mta_is(played_string(p, 0, 0), "X-Blank"))
			continue;
		value = played_string(p, 0, 1);
		return mta_is(value, want)
			   ? CHECK_PASS
			   : check_fail(run, "the value is %s, not %s",
				 mta_show(value.p, value.n).text,
				 mta_show(want, strlen(want)).text);
	}
	return f ? check_fail(run, "X-Blank was not told") : CHECK_FAIL;
}

static enum check_result
leading_blank(struct check_run *run)
{
	if (blank_is(run, 0, " two") == CHECK_FAIL)
		return CHECK_FAIL;
	if (!(mta_of(run)->offer.protocol & MLT_PROT_HDR_LEADSPC))
		return CHECK_PASS;
	return blank_is(run, MLT_PROT_HDR_LEADSPC, "  two");
}

static enum check_result
skip_body(struct check_run *run)
{
	static char body[140000];
	struct rig_mail large = { .body = body, .body_n = sizeof(body) };
	struct mta_rig *r = mta_begin(run);
	const struct played *f;

	if (!(mta_of(run)->offer.protocol & MLT_PROT_SKIP))
		return check_not_applicable(run, "SKIP is not offered");
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = i % 70 == 68 ? '\r' : i % 70 == 69 ? '\n' : 'x';
	r->plan.protocol = MLT_PROT_SKIP;
	plan_on(&r->plan, MLT_SMFIC_BODY, 0);
	plan_reply(&r->plan, MLT_SMFIR_SKIP);
	f = mta_heard(run, &large);
	if (!f)
		return CHECK_FAIL;
	if (f->count[MLT_SMFIC_BODY] != 1 || f->count[MLT_SMFIC_EOM] != 1)
		return check_fail(run,
		    "BODY was sent %u times, the end of the "
		    "message %u times",
		    f->count[MLT_SMFIC_BODY], f->count[MLT_SMFIC_EOM]);
	return CHECK_PASS;
}

static enum check_result
version_above(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	r->plan.stubborn = true;
	r->plan.version = 7;
	rig_deliver(r, NULL);
	return mta_survives_so(run, "after an answer with version 7");
}

static enum check_result
version_zero(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	r->plan.version = 0;
	rig_deliver(r, NULL);
	return mta_survives_so(run, "after an answer with version 0");
}

static enum check_result
unoffered_protocol(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	r->plan.stubborn = true;
	r->plan.protocol = 0x00200000;
	rig_deliver(r, NULL);
	return mta_survives_so(run, "after an answer with protocol bit 21");
}

const struct check_case mta_negotiation_cases[] = {
	{ "offer-first", 310, MTA_PROFILE, offer_first },
	{ "offer-form", 311, MTA_PROFILE, offer_form },
	{ "offer-known-bits", 312, MTA_PROFILE, offer_known },
	{ "awaits-answer-to-offer", 313, MTA_PROFILE, awaits_answer_to_offer },
	{ "no-connect", 314, MTA_PROFILE, no_connect },
	{ "no-envelope", 315, MTA_PROFILE, no_envelope },
	{ "no-content", 316, MTA_PROFILE, no_content },
	{ "no-unknown", 317, MTA_PROFILE, no_unknown },
	{ "no-replies", 318, MTA_PROFILE, no_replies },
	{ "some-replies", 319, MTA_PROFILE, some_replies },
	{ "older-version", 320, MTA_PROFILE, older_version },
	{ "macro-lists", 321, MTA_PROFILE, macro_lists },
	{ "leading-blank", 322, MTA_PROFILE, leading_blank },
	{ "skip-body", 323, MTA_PROFILE, skip_body },
	{ "version-above", 324, MTA_PROFILE, version_above },
	{ "version-zero", 326, MTA_PROFILE, version_zero },
	{ "unoffered-protocol", 325, MTA_PROFILE, unoffered_protocol },
	{ "awaits-answers", 341, MTA_PROFILE, awaits_answers },
	{ .name = NULL },
};
