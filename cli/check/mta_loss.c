/* SPDX-License-Identifier: MIT */
/*
 * mta_loss: filters that go away, at each stage, in the middle of a reply or of
 * a new body.  What the MTA does then is its configuration's matter (the
 * default action); that it answers, and goes on with the next client, is not.
 */
#include "cli/check/mta.h"

#include <string.h>

/* Says these octets to the command and closes. */
static struct mta_rig *
lost(struct check_run *run, uint8_t cmd, const char *octets, size_t n)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, cmd, 0);
	plan_octets(&r->plan, octets, n);
	plan_then(&r->plan, PLAN_CLOSE);
	rig_deliver(r, NULL);
	return r;
}

#define STAGES(X)                                                              \
	X(offer, MLT_SMFIC_OPTNEG)                                             \
	X(connect, MLT_SMFIC_CONNECT)                                          \
	X(helo, MLT_SMFIC_HELO)                                                \
	X(mail, MLT_SMFIC_MAIL)                                                \
	X(rcpt, MLT_SMFIC_RCPT)                                                \
	X(data, MLT_SMFIC_DATA)                                                \
	X(header, MLT_SMFIC_HEADER)                                            \
	X(eoh, MLT_SMFIC_EOH)                                                  \
	X(body, MLT_SMFIC_BODY)                                                \
	X(end, MLT_SMFIC_EOM)

#define X(name, cmd)                                                           \
	static enum check_result lost_at_##name(struct check_run *run)         \
	{                                                                      \
		lost(run, cmd, "", 0);                                         \
		return mta_survives(run);                                      \
	}
STAGES(X)
#undef X

static const char *
class_word(int class_)
{
	static const char *const words[] = { "no reply", "", "success", "",
		"4xx", "5xx" };

	return words[class_];
}

static enum check_result
same_action(struct check_run *run)
{
	static const uint8_t stages[] = {
#define X(name, cmd) cmd,
		STAGES(X)
#undef X
	};
	int first = -1;

	for (size_t i = 0; i < sizeof(stages); i++) {
		struct mta_rig *r = lost(run, stages[i], "", 0);
		int class_ = mta_class(run, rig_last(r));

		if (first < 0)
			first = class_;
		if (class_ != first)
			return check_fail(run,
			    "a filter lost at OPTNEG gives %s, at %s %s",
			    class_word(first), mlt_command_name(stages[i]),
			    class_word(class_));
	}
	return CHECK_PASS;
}

/* ---- half of something ---------------------------------------------------------------- */

static enum check_result
half_length(struct check_run *run)
{
	lost(run, MLT_SMFIC_RCPT, "\0\0\0", 3);
	return mta_survives(run);
}

static enum check_result
half_text(struct check_run *run)
{
	static const char half[] = "\0\0\0\x20y550 5.7.1 half";
	struct mta_rig *r = lost(run, MLT_SMFIC_RCPT, half, sizeof(half) - 1);

	if (strstr(rig_text(r, RIG_RCPT), "half"))
		return mta_told(run, RIG_RCPT, "the MTA's own reply");
	return mta_survives(run);
}

static enum check_result
huge_frame(struct check_run *run)
{
	lost(run, MLT_SMFIC_MAIL,
	    "\x7f\xff\xff\xff"
	    "c",
	    5);
	return mta_survives(run);
}

/* What arrives, if the MTA accepts it all the same, is what was sent. */
static enum check_result
half_body(struct check_run *run)
{
	static const char piece[] = "\0\0\0\x13"
				    "bhalf of a new one\n";
	struct mta_rig *r = lost(run, MLT_SMFIC_EOM, piece, sizeof(piece) - 1);

	if (rig_code(r, RIG_CONTENT) != 250)
		return mta_never_arrives(run);
	if (!mta_arrives(run))
		return mta_held(run);
	if (mta_body_is(run, "A message of milter-check.\n") == CHECK_FAIL)
		return CHECK_FAIL;
	return mta_survives(run);
}

/* ---- the same client goes on ------------------------------------------------------------ */

static enum check_result
next_of_client(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);
	enum rig_step last;

	plan_on(&r->plan, MLT_SMFIC_RCPT, 1);
	plan_then(&r->plan, PLAN_CLOSE);
	if (rig_hello(r) != 250)
		return mta_told(run, rig_last(r), "250");
	rig_send(r, NULL);
	last = rig_last(r);
	if (rig_code(r, last) == RIG_SILENT || rig_code(r, last) == RIG_GARBAGE)
		return mta_told(run, last, "an answer");
	if (rig_code(r, last) != RIG_CLOSED && rig_code(r, last) / 10 != 42) {
		if (rig_say(r, RIG_OTHER, "RSET") != 250 &&
		    rig_code(r, RIG_OTHER) != 421)
			return mta_told(run, RIG_OTHER, "250");
		rig_send(r, NULL);
	}
	rig_quit(r);
	return mta_survives(run);
}

#define X(name, cmd) { "lost-at-" #name, 450, MTA_PROFILE, lost_at_##name },
const struct check_case mta_loss_cases[] = {
	/* clang-format off */
	STAGES(X)
	/* clang-format on */
	{ "lost-same-action", 451, MTA_PROFILE, same_action },
	{ "half-length", 455, MTA_PROFILE, half_length },
	{ "half-text", 455, MTA_PROFILE, half_text },
	{ "huge-frame", 454, MTA_PROFILE, huge_frame },
	{ "half-body", 467, MTA_PROFILE, half_body },
	{ "next-of-client", 470, MTA_PROFILE, next_of_client },
	{ .name = NULL },
};
#undef X
