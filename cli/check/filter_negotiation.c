/* SPDX-License-Identifier: MIT */
/*
 * filter_negotiation: what a filter answers to an offer.
 */
#include "cli/check/filter.h"

static enum check_result
answers_once(struct check_run *run)
{
	static const uint8_t offer[] = { 0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f,
		0xff, 0xff };
	struct filter *f = filter_of(run);
	enum check_result result = CHECK_PASS;
	struct link_frame frame;
	struct link l;
	char err[200];

	if (link_open(&l, f->socket, (msec)f->o.reply_ms, &run->transcript, 1,
		err, sizeof(err)) < 0)
		return check_fail(run, "%s", err);
	link_say(
	    &l, MLT_SMFIC_OPTNEG, offer, sizeof(offer), (msec)f->o.reply_ms);
	if (link_read(&l, &frame, (msec)f->o.reply_ms) != LINK_FRAME ||
	    frame.octet != MLT_SMFIR_OPTNEG)
		result = check_fail(run, "no OPTNEG came");
	link_close(&l);
	return result;
}

const struct check_case filter_negotiation_cases[] = {
	{ "answers-once", 120, FILTER_MTAS, answers_once },
	{ .name = NULL },
};
