/* SPDX-License-Identifier: MIT */
/*
 * mta_replies: verdicts and replies, and what the client is told.
 */
#include "cli/check/mta.h"

#include <string.h>

/* Each command that gets a verdict on a message: word, octet, where the client
 * hears of it. */
#define STAGES(X)                                                              \
	X(mail, MLT_SMFIC_MAIL, RIG_MAIL)                                      \
	X(rcpt, MLT_SMFIC_RCPT, RIG_RCPT)                                      \
	X(data, MLT_SMFIC_DATA, RIG_DATA)                                      \
	X(header, MLT_SMFIC_HEADER, RIG_CONTENT)                               \
	X(eoh, MLT_SMFIC_EOH, RIG_CONTENT)                                     \
	X(body, MLT_SMFIC_BODY, RIG_CONTENT)                                   \
	X(end, MLT_SMFIC_EOM, RIG_CONTENT)

/* A session with this answer to this command, each time. */
static struct mta_rig *
answered(struct check_run *run, uint8_t cmd, uint8_t reply)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, cmd, 0);
	plan_reply(&r->plan, reply);
	rig_deliver(r, NULL);
	return r;
}

static enum check_result
lacks(struct check_run *run, uint8_t cmd)
{
	return check_not_applicable(
	    run, "the MTA does not send %s", mlt_command_name(cmd));
}

static bool
was_sent(struct check_run *run, uint8_t cmd)
{
	const struct played *f = rig_played(&mta_of(run)->rig);

	return f && f->count[cmd];
}

static enum check_result
refuses(struct check_run *run, uint8_t cmd, uint8_t reply, enum rig_step step)
{
	int want = reply == MLT_SMFIR_REJECT ? 5 : 4;

	answered(run, cmd, reply);
	if (mta_class(run, step) == want)
		return CHECK_PASS;
	return was_sent(run, cmd)
		   ? mta_told(run, step, want == 5 ? "5xx" : "4xx")
		   : lacks(run, cmd);
}

#define X(name, cmd, step)                                                     \
	static enum check_result reject_##name(struct check_run *run)          \
	{                                                                      \
		return refuses(run, cmd, MLT_SMFIR_REJECT, step);              \
	}                                                                      \
	static enum check_result tempfail_##name(struct check_run *run)        \
	{                                                                      \
		return refuses(run, cmd, MLT_SMFIR_TEMPFAIL, step);            \
	}
STAGES(X)
#undef X

/* ---- DISCARD, ACCEPT --------------------------------------------------------------- */

static enum check_result
discards(struct check_run *run, uint8_t cmd)
{
	struct mta_rig *r = answered(run, cmd, MLT_SMFIR_DISCARD);

	if (!was_sent(run, cmd))
		return lacks(run, cmd);
	if (rig_code(r, RIG_CONTENT) != 250)
		return mta_told(run, rig_last(r), "250");
	return mta_never_arrives(run);
}

#define X(name, cmd, step)                                                     \
	static enum check_result discard_##name(struct check_run *run)         \
	{                                                                      \
		return discards(run, cmd);                                     \
	}
STAGES(X)
#undef X

static enum check_result
accept_at_end(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	plan_header(&r->plan, MLT_SMFIR_ADDHEADER, 0, "X-Added", "yes");
	plan_reply(&r->plan, MLT_SMFIR_ACCEPT);
	return mta_delivered(run, NULL)
		   ? mta_field_is(run, "X-Added", 1, " yes")
		   : CHECK_FAIL;
}

/* ---- the filter's own text --------------------------------------------------------- */

/* Code, separator and DSN of a line: "450-4.7.1 " */
#define HEAD_LEN 10

/* Each line has the code and DSN of the other's, and ends in its text: some
 * MTAs put the address before it. */
static bool
is_told_with_more(const char *got, const char *want)
{
	for (;;) {
		size_t g = strcspn(got, "\n"), w = strcspn(want, "\n");

		if (g < w || w < HEAD_LEN || memcmp(got, want, HEAD_LEN) != 0 ||
		    memcmp(got + g - (w - HEAD_LEN), want + HEAD_LEN,
			w - HEAD_LEN) != 0)
			return false;
		if (!got[g] || !want[w])
			return got[g] == want[w];
		got += g + 1;
		want += w + 1;
	}
}

/* Says the text to this command; the client must hear `want`. */
static enum check_result
tells(struct check_run *run, uint8_t cmd, const char *text, enum rig_step step,
    const char *want)
{
	struct mta_rig *r = mta_begin(run);
	const char *got;

	plan_on(&r->plan, cmd, 0);
	plan_text(&r->plan, MLT_SMFIR_REPLYCODE, text);
	rig_deliver(r, NULL);
	got = rig_text(r, step);
	if (strcmp(got, want) == 0)
		return CHECK_PASS;
	if (!was_sent(run, cmd))
		return lacks(run, cmd);
	if (is_told_with_more(got, want))
		return check_differs(run, "the client heard at %s %s",
		    rig_step_word(step), mta_show(got, strlen(got)).text);
	return check_fail(run, "the client heard at %s %s, not %s",
	    rig_step_word(step), mta_show(got, strlen(got)).text,
	    mta_show(want, strlen(want)).text);
}

#define X(name, cmd, step)                                                     \
	static enum check_result own_5xx_##name(struct check_run *run)         \
	{                                                                      \
		return tells(run, cmd, "554 5.7.1 No, not this one", step,     \
		    "554 5.7.1 No, not this one");                             \
	}                                                                      \
	static enum check_result own_4xx_##name(struct check_run *run)         \
	{                                                                      \
		return tells(run, cmd, "450 4.7.1 Later, perhaps", step,       \
		    "450 4.7.1 Later, perhaps");                               \
	}
STAGES(X)
#undef X

static enum check_result
several_lines(struct check_run *run)
{
	static const char text[] = "550-5.7.1 The first line\r\n"
				   "550-5.7.1 and another\r\n"
				   "550 5.7.1 and the last";
	static const char want[] = "550-5.7.1 The first line\n"
				   "550-5.7.1 and another\n"
				   "550 5.7.1 and the last";

	enum check_result at_rcpt =
	    tells(run, MLT_SMFIC_RCPT, text, RIG_RCPT, want);

	return at_rcpt == CHECK_PASS
		   ? tells(run, MLT_SMFIC_EOM, text, RIG_CONTENT, want)
		   : at_rcpt;
}

static enum check_result
percent(struct check_run *run)
{
	return tells(run, MLT_SMFIC_RCPT, "451 4.7.1 100%% sure, %%s", RIG_RCPT,
	    "451 4.7.1 100% sure, %s");
}

static enum check_result
closes_at_421(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_RCPT, 0);
	plan_text(&r->plan, MLT_SMFIR_REPLYCODE, "421 4.7.0 Good bye");
	if (rig_hello(r) != 250 || rig_send(r, NULL) ||
	    strcmp(rig_text(r, RIG_RCPT), "421 4.7.0 Good bye") != 0)
		return mta_told(run, rig_last(r), "421 4.7.0 Good bye");
	if (!rig_is_closed(r))
		return check_fail(run, "the SMTP connection stays open");
	return CHECK_PASS;
}

/* ---- the client --------------------------------------------------------------------- */

/* A verdict for the client: no mail of it is accepted. */
static enum check_result
refuses_client(struct check_run *run, uint8_t cmd, uint8_t reply)
{
	struct mta_rig *r = answered(run, cmd, reply);
	int want = reply == MLT_SMFIR_REJECT ? 5 : 4;

	if (rig_last(r) < RIG_DATA && mta_class(run, rig_last(r)) == want)
		return CHECK_PASS;
	/* some say so in the greeting, and stay for QUIT */
	if (rig_last(r) == RIG_GREETING && mta_class(run, RIG_GREETING) == 5)
		return CHECK_PASS;
	return mta_told(run, rig_last(r), want == 5 ? "5xx" : "4xx");
}

#define CLIENT(stage, cmd)                                                     \
	static enum check_result reject_##stage(struct check_run *run)         \
	{                                                                      \
		return refuses_client(run, cmd, MLT_SMFIR_REJECT);             \
	}                                                                      \
	static enum check_result tempfail_##stage(struct check_run *run)       \
	{                                                                      \
		return refuses_client(run, cmd, MLT_SMFIR_TEMPFAIL);           \
	}
CLIENT(connect, MLT_SMFIC_CONNECT)
CLIENT(helo, MLT_SMFIC_HELO)
#undef CLIENT

static enum check_result
reply_at_connect(struct check_run *run)
{
	answered(run, MLT_SMFIC_CONNECT, MLT_SMFIR_REJECT);
	return mta_survives_so(run, "after REJECT");
}

static enum check_result
text_at_connect(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_CONNECT, 0);
	plan_text(&r->plan, MLT_SMFIR_REPLYCODE, "550 5.7.1 Not from you");
	rig_deliver(r, NULL);
	return mta_survives_so(run, "after \"550 5.7.1 Not from you\"");
}

#define X(name, cmd, step)                                                     \
	{ "reject-" #name, 410, MTA_PROFILE, reject_##name },                  \
	    { "tempfail-" #name, 411, MTA_PROFILE, tempfail_##name },          \
	    { "discard-" #name, 412, MTA_PROFILE, discard_##name },
const struct check_case mta_verdict_cases[] = {
	/* clang-format off */
	STAGES(X)
	/* clang-format on */
	{ "accept-end", 413, MTA_PROFILE, accept_at_end },
	{ "reject-connect", 419, MTA_PROFILE, reject_connect },
	{ "reject-helo", 419, MTA_PROFILE, reject_helo },
	{ "tempfail-connect", 420, MTA_PROFILE, tempfail_connect },
	{ "tempfail-helo", 420, MTA_PROFILE, tempfail_helo },
	{ "reply-at-connect", 421, MTA_PROFILE, reply_at_connect },
	{ "text-at-connect", 422, MTA_PROFILE, text_at_connect },
	{ .name = NULL },
};
#undef X

#define X(name, cmd, step)                                                     \
	{ "own-5xx-" #name, 414, MTA_PROFILE, own_5xx_##name },                \
	    { "own-4xx-" #name, 415, MTA_PROFILE, own_4xx_##name },
const struct check_case mta_reply_cases[] = {
	/* clang-format off */
	STAGES(X)
	/* clang-format on */
	{ "several-lines", 416, MTA_PROFILE, several_lines },
	{ "percent", 417, MTA_PROFILE, percent },
	{ "closes-at-421", 418, MTA_PROFILE, closes_at_421 },
	{ .name = NULL },
};
