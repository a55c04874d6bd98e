/* SPDX-License-Identifier: MIT */
/*
 * mta_macros: MACRO packets, their place and what they tell.
 */
#include "cli/check/mta.h"

#include <stdio.h>
#include <string.h>

static enum check_result
before_their_command(struct check_run *run)
{
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, NULL);
	for (size_t i = 0; f && i < f->n; i++) {
		struct mlt_bytes p = played_payload(f, i);
		uint8_t next;

		if (f->v[i].cmd != MLT_SMFIC_MACRO)
			continue;
		next = i + 1 < f->n ? f->v[i + 1].cmd : 0;
		if (p.n && (uint8_t)*p.p == next)
			continue;
		return check_fail(run, "the packet %s is before %s",
		    mta_show(p.p, p.n).text,
		    next ? mlt_command_name(next) : "nothing");
	}
	return f ? CHECK_PASS : CHECK_FAIL;
}

static enum check_result
are_pairs(struct check_run *run)
{
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, NULL);
	for (size_t i = 0; f && i < f->n; i++) {
		struct mlt_bytes p = played_payload(f, i), name;
		size_t n = 0;

		if (f->v[i].cmd != MLT_SMFIC_MACRO)
			continue;
		while ((name = played_string(p, 1, n)).p && (n % 2 || name.n))
			n++;
		if (name.p || n % 2 || (p.n > 1 && p.p[p.n - 1] != '\0'))
			return check_fail(
			    run, "the packet is %s", mta_show(p.p, p.n).text);
	}
	return f ? CHECK_PASS : CHECK_FAIL;
}

/* The value of a macro in the next MACRO packet for this command (0: for any)
 * that has it, from frame *from on, which is then the one behind it. */
static struct mlt_bytes
macro_at(const struct played *f, uint8_t cmd, const char *name, size_t *from)
{
	struct mlt_bytes none = { NULL, 0 };

	for (size_t i = *from; i < f->n; i++) {
		struct mlt_bytes p = played_payload(f, i), value;

		if (f->v[i].cmd != MLT_SMFIC_MACRO || !p.n ||
		    (cmd && (uint8_t)*p.p != cmd))
			continue;
		value = mta_macro(p, name);
		if (value.p) {
			*from = i + 1;
			return value;
		}
	}
	return none;
}

static enum check_result
queue_id_known(struct check_run *run)
{
	const struct played *f;
	size_t from = 0;

	mta_begin(run);
	f = mta_heard(run, NULL);
	if (!f)
		return CHECK_FAIL;
	if (macro_at(f, 0, "i", &from).n)
		return CHECK_PASS;
	return check_fail(run, "macro i was never sent with a value");
}

/* The queue id of the nth message of the connection, of its last packet that
 * has one. */
static struct mlt_bytes
queue_id(const struct played *f, unsigned nth)
{
	struct mlt_bytes id = { NULL, 0 }, next;
	long begin = played_nth(f, MLT_SMFIC_MAIL, nth),
	     end = played_nth(f, MLT_SMFIC_EOM, nth);
	size_t from = begin > 0 ? (size_t)begin - 1 : 0;

	while ((next = macro_at(f, 0, "i", &from)).p && end >= 0 &&
	       from <= (size_t)end)
		id = next;
	return id;
}

static enum check_result
queue_ids_differ(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);
	bool ok = rig_hello(r) == 250 && rig_send(r, NULL) && rig_send(r, NULL);
	const struct played *f;
	struct mlt_bytes a, b;

	rig_quit(r);
	f = rig_played(r);
	if (!ok || !f)
		return mta_told(run, rig_last(r), "success");
	a = queue_id(f, 1);
	b = queue_id(f, 2);
	if (!a.p || !b.p)
		return check_not_applicable(run, "macro i is not sent");
	if (a.n == b.n && memcmp(a.p, b.p, a.n) == 0)
		return check_fail(run, "both have %s", mta_show(a.p, a.n).text);
	return CHECK_PASS;
}

/* The nth macro of that name with this command, if sent, is want. */
static enum check_result
macro_is(struct check_run *run, const struct played *f, uint8_t cmd,
    const char *name, const char *first, const char *second)
{
	size_t from = 0;
	const char *want = first;

	for (; want; want = want == first ? second : NULL) {
		struct mlt_bytes v = macro_at(f, cmd, name, &from);

		if (!v.p)
			return check_not_applicable(
			    run, "macro {%s} is not sent", name);
		if (!mta_is(v, want))
			return check_fail(run, "{%s} is %s, not \"%s\"", name,
			    mta_show(v.p, v.n).text, want);
	}
	return CHECK_PASS;
}

static enum check_result
mail_address(struct check_run *run)
{
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, NULL);
	return f ? macro_is(run, f, MLT_SMFIC_MAIL, "mail_addr",
		       mta_of(run)->o.rig.from, NULL)
		 : CHECK_FAIL;
}

static enum check_result
rcpt_address(struct check_run *run)
{
	static const struct rig_mail two = { .two = true };
	const struct rig_opts *o = &mta_of(run)->o.rig;
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, &two);
	return f ? macro_is(run, f, MLT_SMFIC_RCPT, "rcpt_addr", o->to, o->to2)
		 : CHECK_FAIL;
}

static enum check_result
own_name(struct check_run *run)
{
	const struct played *f;
	size_t from = 0;

	mta_begin(run);
	f = mta_heard(run, NULL);
	if (!f)
		return CHECK_FAIL;
	if (macro_at(f, MLT_SMFIC_CONNECT, "j", &from).n)
		return CHECK_PASS;
	return check_fail(run, "macro j was not sent with CONNECT");
}

static enum check_result
queue_id_first(struct check_run *run)
{
	const struct played *f;
	size_t from = 0;

	mta_begin(run);
	f = mta_heard(run, NULL);
	if (!f)
		return CHECK_FAIL;
	if (!macro_at(f, 0, "i", &from).p)
		return check_not_applicable(run, "macro i is not sent");
	return check_differs(run, "it is sent first with %s",
	    mlt_command_name((uint8_t)*played_payload(f, from - 1).p));
}

const struct check_case mta_macro_cases[] = {
	{ "macros-before-their-command", 330, MTA_PROFILE,
	    before_their_command },
	{ "macros-are-pairs", 331, MTA_PROFILE, are_pairs },
	{ "queue-id-known", 332, MTA_PROFILE, queue_id_known },
	{ "queue-ids-differ", 333, MTA_PROFILE, queue_ids_differ },
	{ "macro-mail-addr", 334, MTA_PROFILE, mail_address },
	{ "macro-rcpt-addr", 335, MTA_PROFILE, rcpt_address },
	{ "macro-own-name", 336, MTA_PROFILE, own_name },
	{ "queue-id-first", 337, MTA_PROFILE, queue_id_first },
	{ .name = NULL },
};
