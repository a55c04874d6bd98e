/* SPDX-License-Identifier: MIT */
/*
 * filter_negotiation: what a filter answers to an offer.
 */
#include "cli/check/filter_judged.h"
#include "cli/check/talk.h"

#include <string.h>

/* ---- in the sessions of MTAs ---------------------------------------------------------- */

static const struct judged_command *
offer_of(const struct judged_session *s)
{
	return s->n_commands && s->commands[0].octet == MLT_SMFIC_OPTNEG
		   ? &s->commands[0]
		   : NULL;
}

/* Its whole answer, or NULL. */
static const struct judged_reply *
answer_of(const struct judged_session *s)
{
	const struct judged_command *c = offer_of(s);

	return c && c->n_replies && c->replies[0].whole &&
		       c->replies[0].octet == MLT_SMFIR_OPTNEG
		   ? &c->replies[0]
		   : NULL;
}

static enum check_result
answers_once(const struct judged_session *s, struct buf *why)
{
	const struct judged_command *c = offer_of(s);

	if (!c)
		return CHECK_NOT_APPLICABLE;
	if (c->n_replies == 0 && s->closed)
		return CHECK_PASS;
	if (c->n_replies == 0)
		buf_adds(why, "the offer was not answered");
	else if (!answer_of(s))
		buf_addf(
		    why, "the first reply was 0x%02x", c->replies[0].octet);
	else if (c->n_replies > 1)
		buf_addf(why, "%zu replies to the offer", c->n_replies);
	else
		return CHECK_PASS;
	return CHECK_FAIL;
}

static enum check_result
answers_in_full(const struct judged_session *s, struct buf *why)
{
	const struct judged_reply *r = answer_of(s);

	if (!r)
		return CHECK_NOT_APPLICABLE;
	if (r->n >= 12)
		return CHECK_PASS;
	buf_addf(why, "the answer had %zu octets of options", r->n);
	return CHECK_FAIL;
}

static enum check_result
version_is_offered(const struct judged_session *s, struct buf *why)
{
	if (!s->version)
		return CHECK_NOT_APPLICABLE;
	if (s->version >= MLT_VERSION_MIN && s->version <= s->offer.version)
		return CHECK_PASS;
	buf_addf(why, "%u was offered, the answer was version %u",
	    s->offer.version, s->version);
	return CHECK_FAIL;
}

static enum check_result
are_offered(uint32_t offered, uint32_t answered, const char *what,
    const struct judged_session *s, struct buf *why)
{
	if (!s->version)
		return CHECK_NOT_APPLICABLE;
	if (!(answered & ~offered))
		return CHECK_PASS;
	buf_addf(why, "0x%x were offered, the answer was %s 0x%x", offered,
	    what, answered);
	return CHECK_FAIL;
}

static enum check_result
actions_are_offered(const struct judged_session *s, struct buf *why)
{
	return are_offered(s->offer.actions, s->actions, "actions", s, why);
}

static enum check_result
protocol_is_offered(const struct judged_session *s, struct buf *why)
{
	return are_offered(s->offer.protocol, s->protocol, "protocol", s, why);
}

/* ---- macro lists -------------------------------------------------------------------- */

struct lists {
	bool given[MLT_STAGE_N], cut, twice;
	uint32_t unknown; /* the number of a stage that there is not */
	const char *names[MLT_STAGE_N];
	size_t n, most; /* lists, names of the longest */
	bool unknown_stage;
};

static size_t
count_names(const char *s)
{
	size_t n = 0;

	for (s += strspn(s, " ,"); *s; s += strspn(s, " ,")) {
		n++;
		s += strcspn(s, " ,");
	}
	return n;
}

static void
read_lists(const struct judged_reply *r, struct lists *l)
{
	const uint8_t *p = r->payload + 12;
	size_t left = r->n - 12;

	while (left > 0) {
		const uint8_t *end =
		    left > 4 ? memchr(p + 4, 0, left - 4) : NULL;
		uint32_t stage;
		size_t names;

		if (!end) {
			l->cut = true;
			return;
		}
		stage = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			(uint32_t)p[2] << 8 | p[3];
		if (stage >= MLT_STAGE_N) {
			l->unknown = stage;
			l->unknown_stage = true;
		} else {
			l->twice |= l->given[stage];
			l->given[stage] = true;
			l->names[stage] = (const char *)p + 4;
		}
		names = count_names((const char *)p + 4);
		l->most = names > l->most ? names : l->most;
		l->n++;
		left -= (size_t)(end + 1 - p);
		p = end + 1;
	}
}

/* False: there are none. */
static bool
lists_of(const struct judged_session *s, struct lists *l)
{
	const struct judged_reply *r = answer_of(s);

	memset(l, 0, sizeof(*l));
	if (r && r->n > 12)
		read_lists(r, l);
	return r && r->n > 12;
}

static enum check_result
lists_are_whole(const struct judged_session *s, struct buf *why)
{
	struct lists l;

	if (!lists_of(s, &l))
		return CHECK_NOT_APPLICABLE;
	if (l.cut)
		buf_adds(why, "a macro list is cut off");
	else if (l.unknown_stage)
		buf_addf(why, "a macro list for stage %u", l.unknown);
	else if (l.twice)
		buf_adds(why, "two macro lists for one stage");
	else
		return CHECK_PASS;
	return CHECK_FAIL;
}

static enum check_result
lists_are_offered(const struct judged_session *s, struct buf *why)
{
	struct lists l;

	if (!lists_of(s, &l))
		return CHECK_NOT_APPLICABLE;
	if (s->offer.actions & MLT_ACT_SETSYMLIST)
		return CHECK_PASS;
	buf_adds(why, "macro lists, though SETSYMLIST was not offered");
	return CHECK_FAIL;
}

static enum check_result
lists_are_paired(const struct judged_session *s, struct buf *why)
{
	const char *eom, *eoh;
	struct lists l;

	if (!lists_of(s, &l))
		return CHECK_NOT_APPLICABLE;
	eom = l.names[MLT_STAGE_EOM];
	eoh = l.names[MLT_STAGE_EOH];
	if (!eom && !eoh)
		return CHECK_NOT_APPLICABLE;
	if (eom && eoh)
		return CHECK_PASS;
	buf_addf(why, "a macro list for %s and none for %s",
	    eom ? "EOM" : "EOH", eom ? "EOH" : "EOM");
	return CHECK_FAIL;
}

static enum check_result
lists_are_short(const struct judged_session *s, struct buf *why)
{
	struct lists l;

	if (!lists_of(s, &l))
		return CHECK_NOT_APPLICABLE;
	if (l.most <= 50)
		return CHECK_PASS;
	buf_addf(why, "a macro list of %zu names", l.most);
	return CHECK_FAIL;
}

#define NOT_AGREED "the filter did not answer the offer"
#define NO_LISTS   "the filter asks for no macros"
JUDGED(one_answer, answers_once, "no offer could be made")
JUDGED(whole_answer, answers_in_full, NOT_AGREED)
JUDGED(version, version_is_offered, NOT_AGREED)
JUDGED(actions, actions_are_offered, NOT_AGREED)
JUDGED(protocol, protocol_is_offered, NOT_AGREED)
JUDGED(whole_lists, lists_are_whole, NO_LISTS)
JUDGED(offered_lists, lists_are_offered, NO_LISTS)
JUDGED(paired_lists, lists_are_paired,
    "the filter asks for no macros of EOM "
    "or EOH")
JUDGED(short_lists, lists_are_short, NO_LISTS)

/* ---- strange offers ------------------------------------------------------------------- */

/* A session that offers that: what was agreed is in it. */
static int
agree(struct check_run *run, const struct talk_offer *offer,
    struct talk_offer *agreed)
{
	struct talk t;

	if (talk_open(&t, run, offer) < 0)
		return -1;
	*agreed = t.agreed;
	talk_quit(&t);
	return 0;
}

static enum check_result
within(struct check_run *run, const struct talk_offer *a, uint32_t version,
    uint32_t acts, uint32_t prot)
{
	if (a->version <= version && !(a->actions & ~acts) &&
	    !(a->protocol & ~prot))
		return CHECK_PASS;
	return check_fail(run,
	    "the answer was version %u, actions 0x%x, protocol 0x%x",
	    a->version, a->actions, a->protocol);
}

/* rfc-like politeness to the future: what is not known is not answered. */
static enum check_result
newer_offer(struct check_run *run)
{
	const struct talk_offer all = { 7, 0xffffffff, 0xffffffff };
	struct talk_offer a;

	if (agree(run, &all, &a) < 0)
		return CHECK_FAIL;
	return within(run, &a, 7, MLT_ACT_ALL, MLT_PROT_ALL | MLT_PROT_MDS);
}

static enum check_result
newer_version(struct check_run *run)
{
	const struct talk_offer all = { 7, MLT_ACT_ALL, MLT_PROT_ALL };
	struct talk_offer a;

	if (agree(run, &all, &a) < 0)
		return CHECK_FAIL;
	return within(run, &a, MLT_VERSION_MAX, MLT_ACT_ALL, MLT_PROT_ALL);
}

/* The filter may close, since it cannot work so. */
static enum check_result
empty_offer(struct check_run *run)
{
	static const uint8_t offer[12] = { 0, 0, 0, 2 };
	struct link_frame frame;
	struct talk t;
	enum link_got got;

	if (talk_dial(&t, run) < 0)
		return CHECK_FAIL;
	link_say(&t.link, MLT_SMFIC_OPTNEG, offer, sizeof(offer),
	    (msec)t.f->o.reply_ms);
	got = link_read(&t.link, &frame, filter_wait_ms(t.f));
	if (got == LINK_FRAME && frame.octet == 'O' && frame.n >= 12 &&
	    !frame.payload[4] && !frame.payload[5] && !frame.payload[6] &&
	    !(frame.payload[7] & ~MLT_ACT_V1) && !frame.payload[8] &&
	    !frame.payload[9] && !frame.payload[10] &&
	    !(frame.payload[11] & ~MLT_PROT_V1))
		got = LINK_CLOSED; /* as good */
	talk_close(&t);
	if (got == LINK_CLOSED)
		return talk_session(run, "an empty offer");
	return check_fail(run,
	    "an offer of no bits, which means the oldest ones, was answered "
	    "otherwise");
}

static enum check_result
both_sizes(struct check_run *run)
{
	const struct talk_offer all = { 6, MLT_ACT_ALL,
		MLT_PROT_ALL | MLT_PROT_MDS };
	struct talk_offer a;

	if (agree(run, &all, &a) < 0)
		return CHECK_FAIL;
	if ((a.protocol & MLT_PROT_MDS) != MLT_PROT_MDS)
		return CHECK_PASS;
	return check_fail(run, "both sizes were answered");
}

/* Two sessions at once, the second with less: neither must take the other's. */
static enum check_result
sessions_agree_alone(struct check_run *run)
{
	const struct talk_offer old = { 2, 0x3f, 0x7f };
	struct talk_offer before, after, less;
	enum check_result result;
	struct talk held;

	if (talk_open(&held, run, NULL) < 0)
		return CHECK_FAIL;
	before = held.agreed;
	if (agree(run, &old, &less) < 0) {
		talk_close(&held);
		return check_not_applicable(
		    run, "the filter does not work with version 2");
	}
	result = talk_until(&held, TALK_EOM) < 0 ? CHECK_FAIL : CHECK_PASS;
	talk_quit(&held);
	if (result == CHECK_FAIL || agree(run, NULL, &after) < 0)
		return CHECK_FAIL;
	if (before.version == after.version &&
	    before.actions == after.actions &&
	    before.protocol == after.protocol)
		return within(run, &less, 2, old.actions, old.protocol);
	return check_fail(run,
	    "behind a session of version 2 the same offer gave other actions "
	    "or flags (0x%x 0x%x, then 0x%x 0x%x)",
	    before.actions, before.protocol, after.actions, after.protocol);
}

const struct check_case filter_negotiation_cases[] = {
	{ "answers-once", 120, FILTER_MTAS, one_answer },
	{ "whole-answer", 121, FILTER_MTAS, whole_answer },
	{ "version-offered", 122, FILTER_MTAS, version },
	{ "actions-offered", 123, FILTER_MTAS, actions },
	{ "protocol-offered", 124, FILTER_MTAS, protocol },
	{ "whole-lists", 125, FILTER_MTAS, whole_lists },
	{ "offered-lists", 126, FILTER_MTAS, offered_lists },
	{ "paired-lists", 127, FILTER_MTAS, paired_lists },
	{ "short-lists", 128, FILTER_MTAS, short_lists },
	{ "newer-version", 130, FILTER_HOSTILE, newer_version },
	{ "newer-bits", 131, FILTER_HOSTILE, newer_offer },
	{ "empty-offer", 132, FILTER_HOSTILE, empty_offer },
	{ "both-sizes", 133, FILTER_HOSTILE, both_sizes },
	{ "sessions-agree-alone", 134, FILTER_HOSTILE, sessions_agree_alone },
	{ .name = NULL },
};
