/* SPDX-License-Identifier: MIT */
/*
 * mta_timing: filters that take their time.
 */
#include "cli/check/mta.h"
#include "cli/check/rig_int.h"

static enum check_result
progress_before_end(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	for (int i = 0; i < 3; i++)
		plan_reply(&r->plan, MLT_SMFIR_PROGRESS);
	plan_header(&r->plan, MLT_SMFIR_ADDHEADER, 0, "X-Progress", "3");
	plan_reply(&r->plan, MLT_SMFIR_PROGRESS);
	plan_reply(&r->plan, MLT_SMFIR_CONTINUE);
	return mta_delivered(run, NULL)
		   ? mta_field_is(run, "X-Progress", 1, " 3")
		   : CHECK_FAIL;
}

/* The command never gets an answer. */
static enum check_result
silent_at(struct check_run *run, uint8_t cmd)
{
	struct mta_rig *r = mta_begin(run);

	if (!mta_of(run)->o.mta_timeout_ms)
		return check_not_applicable(run,
		    "how long the MTA waits is not known (--mta-timeout-ms)");
	plan_on(&r->plan, cmd, 0);
	rig_deliver(r, NULL);
	return mta_survives(run);
}

static enum check_result
silent_at_mail(struct check_run *run)
{
	return silent_at(run, MLT_SMFIC_MAIL);
}

static enum check_result
silent_at_end(struct check_run *run)
{
	return silent_at(run, MLT_SMFIC_EOM);
}

static enum check_result
progress_without_end(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);
	size_t n = 0;
	bool left = false, ok;

	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	plan_then(&r->plan, PLAN_PROGRESS);
	plan_reply(&r->plan, MLT_SMFIR_CONTINUE);
	ok = rig_deliver(r, NULL);
	if (r->n_links) {
		n = r->link[0]->n_progress;
		left = r->link[0]->f.is_due;
	}
	if (!n)
		return mta_told(run, rig_last(r), "success");
	if (left)
		return mta_survives_so(run, "after PROGRESS without end");
	if (!ok)
		return mta_told(run, RIG_CONTENT, "success");
	return check_differs(run,
	    "the MTA took %zu PROGRESS in %ld ms, and the reply after them", n,
	    mta_of(run)->o.progress_ms);
}

static enum check_result
progress_early(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_MAIL, 0);
	plan_reply(&r->plan, MLT_SMFIR_PROGRESS);
	plan_reply(&r->plan, MLT_SMFIR_CONTINUE);
	rig_deliver(r, NULL);
	return mta_survives_so(run, "after PROGRESS to MAIL");
}

const struct check_case mta_timing_cases[] = {
	{ "progress-before-end", 430, MTA_PROFILE, progress_before_end },
	{ "silent-at-mail", 431, MTA_PROFILE, silent_at_mail },
	{ "silent-at-end", 432, MTA_PROFILE, silent_at_end },
	{ "progress-without-end", 433, MTA_PROFILE, progress_without_end },
	{ "progress-early", 434, MTA_PROFILE, progress_early },
	{ .name = NULL },
};
