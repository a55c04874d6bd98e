/* SPDX-License-Identifier: MIT */
/*
 * mta_edits: changes of the envelope and the body, quarantine.
 */
#include "cli/check/mta.h"

#include <string.h>

/* A session whose filter says what is in the plan for EOM, then CONTINUE. */
static const struct sink_message *
edited(struct check_run *run, const struct rig_mail *mail)
{
	plan_reply(&mta_of(run)->rig.plan, MLT_SMFIR_CONTINUE);
	return mta_delivered(run, mail);
}

static struct mta_rig *
begin_edit(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	return r;
}

static enum check_result
no_envelope(struct check_run *run)
{
	return check_not_applicable(
	    run, "the sink does not tell the envelope (see --sink-listen)");
}

/* Who has it, by all files that have arrived so far. */
static enum check_result
arrived_for(struct check_run *run, const char *address, bool yes)
{
	const struct sink_message *m = &mta_of(run)->message;

	if (sink_message_is_to(m, address) == yes)
		return CHECK_PASS;
	return check_fail(run, "the message arrived for %s: %s is%s there",
	    mta_show(buf_data(&m->to), buf_len(&m->to)).text, address,
	    yes ? " not" : "");
}

/* ---- recipients -------------------------------------------------------------------- */

/* Copies for recipients may come one by one: looks until they are there. */
static bool
is_everywhere(struct mta_rig *r)
{
	struct sink_message m;
	bool all;

	sink_message_init(&m);
	all = rig_is_there(r, r->marker) && sink_get(&r->sink, r->marker, &m) &&
	      sink_message_is_to(&m, r->o->to) &&
	      sink_message_is_to(&m, r->o->to_added);
	sink_message_fini(&m);
	return all;
}

static enum check_result
added_with(struct check_run *run, uint8_t reply, const char *payload, size_t n)
{
	struct mta *m = mta_of(run);

	if (!m->has_to)
		return no_envelope(run);
	plan_frame(&m->rig.plan, reply, payload, n);
	if (!edited(run, NULL))
		return CHECK_FAIL;
	rig_wait(&m->rig, is_everywhere);
	if (!mta_arrives(run) ||
	    arrived_for(run, m->o.rig.to, true) == CHECK_FAIL)
		return CHECK_FAIL;
	return arrived_for(run, m->o.rig.to_added, true);
}

static enum check_result
rcpt_added(struct check_run *run)
{
	struct mta_rig *r = begin_edit(run);
	enum check_result result;
	struct buf payload;

	buf_init(&payload, 0);
	buf_addf(&payload, "<%s>", r->o->to_added);
	buf_addc(&payload, '\0');
	result = added_with(
	    run, MLT_SMFIR_ADDRCPT, buf_data(&payload), buf_len(&payload));
	buf_fini(&payload);
	return result;
}

static enum check_result
rcpt_added_with_parameters(struct check_run *run)
{
	struct mta_rig *r = begin_edit(run);
	enum check_result result;
	struct buf payload;

	if (!(mta_of(run)->offer.actions & MLT_ACT_ADDRCPT_PAR))
		return check_not_applicable(run, "ADDRCPT_PAR is not offered");
	buf_init(&payload, 0);
	buf_addf(&payload, "<%s>", r->o->to_added);
	buf_add(&payload, "\0NOTIFY=NEVER", 14);
	result = added_with(
	    run, MLT_SMFIR_ADDRCPT_PAR, buf_data(&payload), buf_len(&payload));
	buf_fini(&payload);
	return result;
}

static enum check_result
rcpt_deleted(struct check_run *run)
{
	static const struct rig_mail two = { .two = true };
	struct mta_rig *r = begin_edit(run);
	char marker[sizeof(r->marker)];
	struct buf address;

	if (!mta_of(run)->has_to)
		return no_envelope(run);
	buf_init(&address, 0);
	buf_addf(&address, "<%s>", r->o->to2);
	plan_text(&r->plan, MLT_SMFIR_DELRCPT,
	    buf_cstr(&address) ? buf_cstr(&address) : "");
	buf_fini(&address);
	if (!edited(run, &two))
		return CHECK_FAIL;
	/* a copy for the other would have come before a later message */
	memcpy(marker, r->marker, sizeof(marker));
	if (mta_survives(run) == CHECK_FAIL)
		return CHECK_FAIL;
	memcpy(r->marker, marker, sizeof(marker));
	if (!mta_arrives(run) || arrived_for(run, r->o->to, true) == CHECK_FAIL)
		return CHECK_FAIL;
	return arrived_for(run, r->o->to2, false);
}

/* ---- sender ------------------------------------------------------------------------ */

static enum check_result
sender_becomes(struct check_run *run, const char *address)
{
	struct mta *m = mta_of(run);
	struct mta_rig *r = begin_edit(run);
	const struct sink_message *got;
	struct buf text;

	if (!m->has_from)
		return no_envelope(run);
	if (!(m->offer.actions & MLT_ACT_CHGFROM))
		return check_not_applicable(run, "CHGFROM is not offered");
	buf_init(&text, 0);
	buf_addf(&text, "<%s>", address);
	plan_text(&r->plan, MLT_SMFIR_CHGFROM,
	    buf_cstr(&text) ? buf_cstr(&text) : "");
	buf_fini(&text);
	got = edited(run, NULL);
	if (!got)
		return CHECK_FAIL;
	if (buf_len(&got->from) == strlen(address) &&
	    memcmp(buf_data(&got->from), address, strlen(address)) == 0)
		return CHECK_PASS;
	return check_fail(run, "the sender is %s, not \"%s\"",
	    mta_show(buf_data(&got->from), buf_len(&got->from)).text, address);
}

static enum check_result
sender_changed(struct check_run *run)
{
	return sender_becomes(run, mta_of(run)->o.rig.new_from);
}

static enum check_result
sender_removed(struct check_run *run)
{
	return sender_becomes(run, "");
}

/* ---- body -------------------------------------------------------------------------- */

static void
put_body(struct mta_rig *r, const char *piece)
{
	plan_frame(&r->plan, MLT_SMFIR_REPLBODY, piece, strlen(piece));
}

static enum check_result
body_replaced(struct check_run *run)
{
	struct mta_rig *r = begin_edit(run);

	put_body(r, "A new");
	put_body(r, " body\r");
	put_body(r, "\nof two lines\r\n");
	return edited(run, NULL)
		   ? mta_body_is(run, "A new body\nof two lines\n")
		   : CHECK_FAIL;
}

static enum check_result
body_emptied(struct check_run *run)
{
	struct mta_rig *r = begin_edit(run);

	put_body(r, "");
	return edited(run, NULL) ? mta_body_is(run, "") : CHECK_FAIL;
}

/* ---- the whole message -------------------------------------------------------------- */

static enum check_result
quarantined(struct check_run *run)
{
	struct mta_rig *r = begin_edit(run);

	if (!(mta_of(run)->offer.actions & MLT_ACT_QUARANTINE))
		return check_not_applicable(run, "QUARANTINE is not offered");
	plan_text(&r->plan, MLT_SMFIR_QUARANTINE, "milter-check");
	plan_reply(&r->plan, MLT_SMFIR_CONTINUE);
	if (!rig_deliver(r, NULL))
		return mta_told(run, rig_last(r), "success");
	return mta_never_arrives(run);
}

static enum check_result
refused_after_changes(struct check_run *run)
{
	struct mta_rig *r = begin_edit(run);

	plan_header(&r->plan, MLT_SMFIR_ADDHEADER, 0, "X-Void", "1");
	put_body(r, "void\r\n");
	plan_reply(&r->plan, MLT_SMFIR_REJECT);
	if (rig_deliver(r, NULL) || mta_class(run, RIG_CONTENT) != 5)
		return mta_told(run, RIG_CONTENT, "5xx");
	return mta_never_arrives(run);
}

const struct check_case mta_edit_cases[] = {
	{ "rcpt-added", 393, MTA_PROFILE, rcpt_added },
	{ "rcpt-added-with-parameters", 394, MTA_PROFILE,
	    rcpt_added_with_parameters },
	{ "rcpt-deleted", 395, MTA_PROFILE, rcpt_deleted },
	{ "sender-changed", 396, MTA_PROFILE, sender_changed },
	{ "sender-removed", 397, MTA_PROFILE, sender_removed },
	{ "body-replaced", 398, MTA_PROFILE, body_replaced },
	{ "body-emptied", 399, MTA_PROFILE, body_emptied },
	{ "quarantined", 400, MTA_PROFILE, quarantined },
	{ "refused-after-changes", 401, MTA_PROFILE, refused_after_changes },
	{ .name = NULL },
};
