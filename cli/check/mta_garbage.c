/* SPDX-License-Identifier: MIT */
/*
 * mta_garbage: filters that say what they must not.
 */
#include "cli/check/mta.h"

#include <string.h>

/* A session in which these octets are the answer to a command. */
static struct mta_rig *
said(struct check_run *run, uint8_t cmd, const char *octets, size_t n)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, cmd, 0);
	plan_octets(&r->plan, octets, n);
	rig_deliver(r, NULL);
	return r;
}
#define SAID(run, cmd, octets) said(run, cmd, octets, sizeof(octets) - 1)

/* A reply text as the answer to RCPT. */
static struct mta_rig *
text(struct check_run *run, const char *reply)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_RCPT, 0);
	plan_text(&r->plan, MLT_SMFIR_REPLYCODE, reply);
	rig_deliver(r, NULL);
	return r;
}

/* The class of the MTA's default action for a filter that fails at this
 * command: learnt from one that closes. */
static int
default_class(struct check_run *run, uint8_t cmd)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, cmd, 0);
	plan_then(&r->plan, PLAN_CLOSE);
	rig_deliver(r, NULL);
	return mta_class(run, rig_last(r));
}

/* After what was said: the filter was given up as if it had gone. */
static enum check_result
is_given_up(struct check_run *run, int class_)
{
	struct mta_rig *r = &mta_of(run)->rig;

	if (mta_class(run, rig_last(r)) != class_)
		return mta_told(
		    run, rig_last(r), "what a filter that has gone leads to");
	return mta_survives(run);
}

static enum check_result
no_offer(struct check_run *run)
{
	int class_ = default_class(run, MLT_SMFIC_OPTNEG);

	SAID(run, MLT_SMFIC_OPTNEG, "\0\0\0\1c");
	return is_given_up(run, class_);
}

static enum check_result
short_offer(struct check_run *run)
{
	int class_ = default_class(run, MLT_SMFIC_OPTNEG);

	SAID(run, MLT_SMFIC_OPTNEG, "\0\0\0\x9O\0\0\0\6\0\0\0\0");
	return is_given_up(run, class_);
}

static enum check_result
unoffered_action(struct check_run *run)
{
	int class_ = default_class(run, MLT_SMFIC_OPTNEG);
	struct mta_rig *r = mta_begin(run);

	r->plan.stubborn = true;
	r->plan.actions = 0x200;
	rig_deliver(r, NULL);
	return is_given_up(run, class_);
}

static enum check_result
length_zero(struct check_run *run)
{
	int class_ = default_class(run, MLT_SMFIC_MAIL);

	SAID(run, MLT_SMFIC_MAIL, "\0\0\0\0c");
	return is_given_up(run, class_);
}

static enum check_result
unknown_reply(struct check_run *run)
{
	int class_ = default_class(run, MLT_SMFIC_MAIL);

	SAID(run, MLT_SMFIC_MAIL, "\0\0\0\1z");
	return is_given_up(run, class_);
}

static enum check_result
conn_fail(struct check_run *run)
{
	int class_ = default_class(run, MLT_SMFIC_MAIL);

	SAID(run, MLT_SMFIC_MAIL, "\0\0\0\1f");
	return is_given_up(run, class_);
}

static enum check_result
reply_with_payload(struct check_run *run)
{
	SAID(run, MLT_SMFIC_HELO, "\0\0\0\2cx");
	return mta_survives_so(run, "after CONTINUE with a payload to HELO");
}

static enum check_result
shutdown_reply(struct check_run *run)
{
	SAID(run, MLT_SMFIC_MAIL, "\0\0\0\0014");
	return mta_survives_so(run, "after SHUTDOWN to MAIL");
}

static enum check_result
second_answer(struct check_run *run)
{
	SAID(run, MLT_SMFIC_RCPT, "\0\0\0\1c\0\0\0\1r");
	return mta_survives_so(run, "after CONTINUE and REJECT to RCPT");
}

static enum check_result
answer_to_macro(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_MACRO, 2);
	plan_reply(&r->plan, MLT_SMFIR_REJECT);
	rig_deliver(r, NULL);
	return mta_survives_so(run, "after REJECT to the second MACRO");
}

/* ---- changes ---------------------------------------------------------------------- */

/* A message that was accepted has no field X-Early; it need not be accepted. */
static enum check_result
not_carried_out(struct check_run *run)
{
	struct mta_rig *r = &mta_of(run)->rig;

	if (rig_code(r, RIG_CONTENT) != 250)
		return mta_survives(run);
	if (!mta_arrives(run))
		return mta_held(run);
	if (mta_field_is(run, "X-Early", 1, NULL) == CHECK_FAIL ||
	    mta_body_is(run, "A message of milter-check.\n") == CHECK_FAIL)
		return CHECK_FAIL;
	return mta_survives(run);
}

static enum check_result
change_too_early(struct check_run *run)
{
	SAID(run, MLT_SMFIC_MAIL, "\0\0\0\xbhX-Early\0y\0\0\0\0\1c");
	return not_carried_out(run);
}

static enum check_result
header_not_agreed(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	r->plan.actions = 0;
	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	plan_header(&r->plan, MLT_SMFIR_ADDHEADER, 0, "X-Early", "y");
	plan_reply(&r->plan, MLT_SMFIR_CONTINUE);
	rig_deliver(r, NULL);
	return not_carried_out(run);
}

static enum check_result
body_not_agreed(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	r->plan.actions = 0;
	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	plan_frame(&r->plan, MLT_SMFIR_REPLBODY, "new\r\n", 5);
	plan_reply(&r->plan, MLT_SMFIR_CONTINUE);
	rig_deliver(r, NULL);
	return not_carried_out(run);
}

/* Every line of the header is a field with a name, or goes on with one. */
static bool
is_header(const struct sink_message *m)
{
	const char *p = buf_data(&m->text), *end = p + m->body, *nl;

	for (; p < end && *p != '\n'; p = nl + 1) {
		const char *colon;

		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			return false;
		if (*p == ' ' || *p == '\t')
			continue;
		colon = memchr(p, ':', (size_t)(nl - p));
		if (!colon || colon == p)
			return false;
		for (; p < colon; p++)
			if (*p <= ' ' || *p > '~')
				return false;
	}
	return true;
}

/* The answer to EOM is this change and CONTINUE: a message that is accepted
 * all the same arrives as one message. */
static enum check_result
stays_whole(struct check_run *run, uint8_t reply, const char *payload, size_t n)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	plan_frame(&r->plan, reply, payload, n);
	plan_reply(&r->plan, MLT_SMFIR_CONTINUE);
	rig_deliver(r, NULL);
	if (rig_code(r, RIG_CONTENT) != 250)
		return mta_survives(run);
	if (!mta_arrives(run))
		return mta_held(run);
	if (mta_body_is(run, "A message of milter-check.\n") == CHECK_FAIL ||
	    mta_field_is(run, "X-Early", 1, NULL) == CHECK_FAIL)
		return CHECK_FAIL;
	if (!is_header(&mta_of(run)->message))
		return check_fail(
		    run, "a line of the header that arrived is no field");
	return mta_survives(run);
}
#define STAYS(run, reply, payload)                                             \
	stays_whole(run, reply, payload, sizeof(payload) - 1)

static enum check_result
header_without_value(struct check_run *run)
{
	return STAYS(run, MLT_SMFIR_ADDHEADER, "X-Half\0");
}

static enum check_result
header_without_name(struct check_run *run)
{
	return STAYS(run, MLT_SMFIR_ADDHEADER, "\0value\0");
}

static enum check_result
header_index_huge(struct check_run *run)
{
	return STAYS(run, MLT_SMFIR_CHGHEADER, "\x80\0\0\0X-Huge\0value\0");
}

static enum check_result
header_index_cut(struct check_run *run)
{
	return STAYS(run, MLT_SMFIR_CHGHEADER, "\0\0\1");
}

static enum check_result
header_with_field(struct check_run *run)
{
	return STAYS(run, MLT_SMFIR_ADDHEADER, "X-Long\0a\nX-Early: y\0");
}

static enum check_result
header_with_crlf(struct check_run *run)
{
	return STAYS(run, MLT_SMFIR_ADDHEADER, "X-Long\0a\r\nX-Early: y\0");
}

static enum check_result
header_with_body(struct check_run *run)
{
	return STAYS(run, MLT_SMFIR_ADDHEADER, "X-Long\0a\n\nX-Early: y\0");
}

static enum check_result
interrupted_body(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	plan_frame(&r->plan, MLT_SMFIR_REPLBODY, "one\r\n", 5);
	plan_header(&r->plan, MLT_SMFIR_ADDHEADER, 0, "X-Between", "y");
	plan_frame(&r->plan, MLT_SMFIR_REPLBODY, "two\r\n", 5);
	plan_reply(&r->plan, MLT_SMFIR_CONTINUE);
	rig_deliver(r, NULL);
	if (rig_code(r, RIG_CONTENT) != 250)
		return mta_never_arrives(run);
	if (!mta_arrives(run))
		return mta_held(run);
	if (mta_body_is(run, "one\ntwo\n") == CHECK_FAIL)
		return CHECK_FAIL;
	return mta_survives(run);
}

/* ---- reply texts ------------------------------------------------------------------- */

/* An MTA that takes a filter with such a text for broken may be configured to go
 * on without it. */
static enum check_result
text_refuses(struct check_run *run)
{
	int class_ = mta_class(run, RIG_RCPT);

	if (class_ == 4 || class_ == 5)
		return mta_survives(run);
	mta_told(run, RIG_RCPT, "a refusal");
	if (class_ == 2 && default_class(run, MLT_SMFIC_RCPT) == 2)
		return check_not_applicable(
		    run, "the MTA goes on without a filter that fails");
	return CHECK_FAIL;
}

static enum check_result
text_unterminated(struct check_run *run)
{
	SAID(run, MLT_SMFIC_RCPT, "\0\0\0\xby550 no NUL");
	return text_refuses(run);
}

static enum check_result
text_single_percent(struct check_run *run)
{
	text(run, "550 5.7.1 50% off, %s %n");
	return text_refuses(run);
}

static enum check_result
text_of_success(struct check_run *run)
{
	text(run, "250 2.1.5 ok");
	return text_refuses(run);
}

/* The client has one reply, however the lines of the text fit together. */
static enum check_result
text_without_dash(struct check_run *run)
{
	text(run, "550 5.7.1 one\r\n550 5.7.1 two");
	return mta_survives(run);
}

static enum check_result
text_without_end(struct check_run *run)
{
	text(run, "550-5.7.1 one");
	return mta_survives(run);
}

static enum check_result
text_of_two_codes(struct check_run *run)
{
	struct mta_rig *r = text(run, "550-5.7.1 one\r\n450 4.7.1 two");

	if (r->told[RIG_RCPT].mixed)
		return mta_told(run, RIG_RCPT, "one code");
	return mta_survives(run);
}

/* ---- macro lists -------------------------------------------------------------------- */

static enum check_result
list_unterminated(struct check_run *run)
{
	SAID(run, MLT_SMFIC_OPTNEG,
	    "\0\0\0\x12O\0\0\0\6\0\0\1\0\0\0\0\0\0\0\0\0i");
	return mta_survives(run);
}

/* Appends the names of the macros that came with CONNECT, a LF behind each. */
static void
connect_macros(struct check_run *run, struct buf *out)
{
	const struct played *f = rig_played(&mta_of(run)->rig);

	for (size_t i = 0; f && i < f->n; i++) {
		struct mlt_bytes p = played_payload(f, i), name;

		if (f->v[i].cmd != MLT_SMFIC_MACRO || !p.n || *p.p != 'C')
			continue;
		for (size_t n = 0; (name = played_string(p, 1, n)).p; n += 2) {
			buf_add(out, name.p, name.n);
			buf_addc(out, '\n');
		}
	}
}

/* The first macro of these that is not known, NULL: there is none. */
static const char *
first_unknown(const struct buf *got, const struct buf *known)
{
	const char *p = buf_data(got), *end = p + buf_len(got), *nl;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl || !memmem(buf_data(known), buf_len(known), p,
			       (size_t)(nl + 1 - p)))
			return p;
	}
	return NULL;
}

/* A list for CONNECT with the name i, and no NUL: what is sent as a macro is i,
 * or what is sent without a list.  What lies behind it in the MTA's memory is
 * not the same each time, so blanks before the name make the list of several
 * lengths. */
#define TRIES 40
#define HEAD  16 /* octets before the list: options, and its stage */
static enum check_result
list_read_beyond(struct check_run *run)
{
	char payload[HEAD + TRIES] = "\0\0\0\6\0\0\1\0\0\0\0\0\0\0\0";
	enum check_result result = CHECK_PASS;
	struct mta_rig *r;
	struct buf known, got;
	const char *p;

	memset(payload + HEAD, ' ', TRIES);
	buf_init(&known, 0);
	buf_init(&got, 0);
	buf_adds(&known, "i\n{i}\n");
	mta_begin(run);
	if (!mta_heard(run, NULL))
		result = CHECK_FAIL;
	connect_macros(run, &known);
	for (size_t i = 0; i < TRIES && result == CHECK_PASS; i++) {
		buf_reset(&got);
		r = mta_begin(run);
		plan_on(&r->plan, MLT_SMFIC_OPTNEG, 0);
		payload[HEAD + i] = 'i';
		plan_frame(&r->plan, MLT_SMFIR_OPTNEG, payload, HEAD + i + 1);
		payload[HEAD + i] = ' ';
		rig_deliver(r, NULL);
		connect_macros(run, &got);
		p = first_unknown(&got, &known);
		if (p)
			result = check_fail(run,
			    "CONNECT came with the macros %s",
			    mta_show(
				p, buf_len(&got) - (size_t)(p - buf_data(&got)))
				.text);
	}
	buf_fini(&known);
	buf_fini(&got);
	return result;
}

static enum check_result
list_of_no_stage(struct check_run *run)
{
	SAID(run, MLT_SMFIC_OPTNEG,
	    "\0\0\0\x13O\0\0\0\6\0\0\1\0\0\0\0\0\0\0\0\7i\0");
	return mta_survives(run);
}

const struct check_case mta_garbage_cases[] = {
	{ "no-offer", 452, MTA_PROFILE, no_offer },
	{ "short-offer", 452, MTA_PROFILE, short_offer },
	{ "unoffered-action", 327, MTA_PROFILE, unoffered_action },
	{ "length-zero", 453, MTA_PROFILE, length_zero },
	{ "unknown-reply", 456, MTA_PROFILE, unknown_reply },
	{ "conn-fail", 456, MTA_PROFILE, conn_fail },
	{ "reply-with-payload", 457, MTA_PROFILE, reply_with_payload },
	{ "shutdown", 458, MTA_PROFILE, shutdown_reply },
	{ "second-answer", 459, MTA_PROFILE, second_answer },
	{ "answer-to-macro", 473, MTA_PROFILE, answer_to_macro },
	{ "change-too-early", 460, MTA_PROFILE, change_too_early },
	{ "header-not-agreed", 461, MTA_PROFILE, header_not_agreed },
	{ "body-not-agreed", 461, MTA_PROFILE, body_not_agreed },
	{ "text-unterminated", 462, MTA_PROFILE, text_unterminated },
	{ "text-single-percent", 462, MTA_PROFILE, text_single_percent },
	{ "text-of-success", 463, MTA_PROFILE, text_of_success },
	{ "text-without-dash", 464, MTA_PROFILE, text_without_dash },
	{ "text-without-end", 464, MTA_PROFILE, text_without_end },
	{ "text-of-two-codes", 465, MTA_PROFILE, text_of_two_codes },
	{ "header-without-value", 466, MTA_PROFILE, header_without_value },
	{ "header-without-name", 466, MTA_PROFILE, header_without_name },
	{ "header-index-huge", 466, MTA_PROFILE, header_index_huge },
	{ "header-index-cut", 466, MTA_PROFILE, header_index_cut },
	{ "interrupted-body", 468, MTA_PROFILE, interrupted_body },
	{ "list-unterminated", 469, MTA_PROFILE, list_unterminated },
	{ "list-read-beyond", 472, MTA_PROFILE, list_read_beyond },
	{ "list-of-no-stage", 469, MTA_PROFILE, list_of_no_stage },
	{ "header-with-field", 471, MTA_PROFILE, header_with_field },
	{ "header-with-crlf", 471, MTA_PROFILE, header_with_crlf },
	{ "header-with-body", 471, MTA_PROFILE, header_with_body },
	{ .name = NULL },
};
