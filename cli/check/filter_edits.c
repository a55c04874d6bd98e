/* SPDX-License-Identifier: MIT */
/*
 * filter_edits: the changes of a message that a filter asks for, in the sessions
 * of MTAs.
 */
#include "cli/check/filter_judged.h"

#include <string.h>

/* The fields of a change; strings end in the NUL of the payload. */
struct edit {
	uint8_t octet;
	const char *name;
	uint32_t index;
	const char *strings[3];
	size_t n; /* strings, perhaps more than there is place for */
	bool cut; /* octets are left that are no string */
};

static const struct kind {
	uint8_t octet;
	bool indexed;
	unsigned least, most; /* strings */
	uint32_t action;
} kinds[] = {
	{ 'h', false, 2, 2, MLT_ACT_ADDHDRS },
	{ 'i', true, 2, 2, MLT_ACT_ADDHDRS },
	{ 'm', true, 2, 2, MLT_ACT_CHGHDRS },
	{ '+', false, 1, 1, MLT_ACT_ADDRCPT },
	{ '2', false, 1, 2, MLT_ACT_ADDRCPT_PAR },
	{ '-', false, 1, 1, MLT_ACT_DELRCPT },
	{ 'e', false, 1, 2, MLT_ACT_CHGFROM },
	{ 'q', false, 1, 1, MLT_ACT_QUARANTINE },
	{ 'b', false, 0, 0, MLT_ACT_CHGBODY },
};

static const struct kind *
kind_of(const struct judged_reply *r)
{
	for (size_t i = 0; r->whole && i < sizeof(kinds) / sizeof(*kinds);
	     i++) {
		if (kinds[i].octet == r->octet)
			return &kinds[i];
	}
	return NULL;
}

static void
read_edit(const struct kind *k, const struct judged_reply *r, struct edit *e)
{
	const uint8_t *p = r->payload, *end = r->payload + r->n, *nul;

	*e = (struct edit){ .octet = r->octet,
		.name = mlt_reply_name(r->octet) };
	if (k->indexed) {
		if (r->n < 4) {
			e->cut = true;
			return;
		}
		e->index = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			   (uint32_t)p[2] << 8 | p[3];
		p += 4;
	}
	for (; p < end; p = nul + 1) {
		nul = memchr(p, 0, (size_t)(end - p));
		if (!nul) {
			e->cut = true;
			return;
		}
		if (e->n < 3)
			e->strings[e->n] = (const char *)p;
		e->n++;
	}
}

static bool
is_whole(const struct kind *k, const struct edit *e)
{
	return !e->cut && e->n >= k->least && e->n <= k->most;
}

/* Judges one well-formed change; false with a line in why. */
typedef bool edit_judge(const struct edit *e, struct buf *why);

/* All of the kinds in `octets`. */
static enum check_result
each_edit(const struct judged_session *s, const char *octets, edit_judge *judge,
    struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	JUDGED_EACH(s, c, r)
	{
		const struct kind *k = kind_of(r);
		struct edit e;

		if (!k || !strchr(octets, r->octet))
			continue;
		read_edit(k, r, &e);
		if (!is_whole(k, &e))
			continue; /* another requirement */
		if (!judge(&e, why))
			return CHECK_FAIL;
		result = CHECK_PASS;
	}
	return result;
}

/* ---- when, and how many --------------------------------------------------------------- */

static enum check_result
comes_at_eom(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	JUDGED_EACH(s, c, r)
	{
		if (!kind_of(r))
			continue;
		if (c->octet != MLT_SMFIC_EOM) {
			const char *name = mlt_command_name(c->octet);

			buf_addf(why, "%s behind %s", mlt_reply_name(r->octet),
			    name ? name : "an unknown command");
			return CHECK_FAIL;
		}
		result = CHECK_PASS;
	}
	return result;
}

static enum check_result
is_agreed(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	JUDGED_EACH(s, c, r)
	{
		const struct kind *k = kind_of(r);

		if (!k)
			continue;
		if (!(s->actions & k->action)) {
			buf_addf(why, "%s, but actions 0x%x were agreed",
			    mlt_reply_name(r->octet), s->actions);
			return CHECK_FAIL;
		}
		result = CHECK_PASS;
	}
	return result;
}

static enum check_result
has_its_strings(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	JUDGED_EACH(s, c, r)
	{
		const struct kind *k = kind_of(r);
		struct edit e;

		if (!k || !k->most)
			continue;
		read_edit(k, r, &e);
		if (!is_whole(k, &e)) {
			buf_addf(why, "%s had %zu strings%s", e.name, e.n,
			    e.cut ? " and octets that are none" : "");
			return CHECK_FAIL;
		}
		result = CHECK_PASS;
	}
	return result;
}

/* ---- header fields -------------------------------------------------------------------- */

static bool
name_is_good(const struct edit *e, struct buf *why)
{
	const char *name = e->strings[0];

	for (const char *p = name; *p; p++) {
		if (*p <= ' ' || *p > '~' || *p == ':') {
			buf_addf(why, "%s: an octet 0x%02x in the name",
			    e->name, (unsigned char)*p);
			return false;
		}
	}
	if (!*name)
		buf_addf(why, "%s without a name", e->name);
	return *name;
}

static bool
value_has_no_cr(const struct edit *e, struct buf *why)
{
	if (!strchr(e->strings[1], '\r'))
		return true;
	buf_addf(why, "%s: a CR in the value", e->name);
	return false;
}

static bool
value_is_folded(const struct edit *e, struct buf *why)
{
	const char *p = e->strings[1];

	while ((p = strchr(p, '\n'))) {
		if (p[1] != ' ' && p[1] != '\t') {
			buf_addf(why,
			    "%s: a line of the value begins with no blank",
			    e->name);
			return false;
		}
		p++;
	}
	return true;
}

static bool
lines_are_short(const struct edit *e, struct buf *why)
{
	const char *p = e->strings[1];
	size_t before = strlen(e->strings[0]) + 2;

	for (;;) {
		size_t n = strcspn(p, "\n");

		if (before + n > 998) {
			buf_addf(why, "%s: a line of %zu octets", e->name,
			    before + n);
			return false;
		}
		if (!p[n])
			return true;
		p += n + 1;
		before = 0;
	}
}

static bool
index_is_no_negative(const struct edit *e, struct buf *why)
{
	if (e->index <= INT32_MAX)
		return true;
	buf_addf(why, "%s with index %u", e->name, e->index);
	return false;
}

static enum check_result
good_name(const struct judged_session *s, struct buf *why)
{
	return each_edit(s, "him", name_is_good, why);
}

static enum check_result
no_cr(const struct judged_session *s, struct buf *why)
{
	return each_edit(s, "him", value_has_no_cr, why);
}

static enum check_result
folded(const struct judged_session *s, struct buf *why)
{
	return each_edit(s, "him", value_is_folded, why);
}

static enum check_result
short_lines(const struct judged_session *s, struct buf *why)
{
	return each_edit(s, "him", lines_are_short, why);
}

static enum check_result
good_index(const struct judged_session *s, struct buf *why)
{
	return each_edit(s, "im", index_is_no_negative, why);
}

/* With HDR_LEADSPC the MTA puts no blank before the value. */
static enum check_result
leading_blank(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	if (!(s->protocol & MLT_PROT_HDR_LEADSPC))
		return result;
	JUDGED_EACH(s, c, r)
	{
		const struct kind *k = kind_of(r);
		struct edit e;

		if (!k || !strchr("him", r->octet))
			continue;
		read_edit(k, r, &e);
		if (!is_whole(k, &e) || !*e.strings[1])
			continue;
		if (!strchr(" \t\n", *e.strings[1])) {
			buf_addf(why, "%s: the value begins with 0x%02x",
			    e.name, (unsigned char)*e.strings[1]);
			return CHECK_FAIL;
		}
		result = CHECK_PASS;
	}
	return result;
}

/* Deleting several fields of a name: from the last one on. */
static enum check_result
deleted_backwards(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;
	struct edit last = { .n = 0 };
	const struct judged_command *of = NULL;

	JUDGED_EACH(s, c, r)
	{
		const struct kind *k = kind_of(r);
		struct edit e;

		if (!k || r->octet != 'm')
			continue;
		read_edit(k, r, &e);
		if (!is_whole(k, &e) || *e.strings[1])
			continue;
		if (of == c && strcasecmp(last.strings[0], e.strings[0]) == 0) {
			if (e.index >= last.index) {
				buf_addf(why, "index %u deleted behind %u",
				    e.index, last.index);
				return CHECK_FAIL;
			}
			result = CHECK_PASS;
		}
		last = e;
		of = c;
	}
	return result;
}

/* ---- envelope and body ------------------------------------------------------------------ */

static bool
address_is_there(const struct edit *e, struct buf *why)
{
	if (*e->strings[0])
		return true;
	buf_addf(why, "%s without %s", e->name,
	    e->octet == 'q' ? "a reason" : "an address");
	return false;
}

static enum check_result
address_given(const struct judged_session *s, struct buf *why)
{
	return each_edit(s, "+2-e", address_is_there, why);
}

static enum check_result
reason_given(const struct judged_session *s, struct buf *why)
{
	return each_edit(s, "q", address_is_there, why);
}

static bool
has_no_controls(const struct edit *e, struct buf *why)
{
	for (size_t i = 0; i < e->n && i < 3; i++) {
		for (const char *p = e->strings[i]; *p; p++) {
			if ((unsigned char)*p >= ' ' && *p != 0x7f)
				continue;
			buf_addf(why, "%s: an octet 0x%02x", e->name,
			    (unsigned char)*p);
			return false;
		}
	}
	return true;
}

static enum check_result
no_controls(const struct judged_session *s, struct buf *why)
{
	return each_edit(s, "+2-eq", has_no_controls, why);
}

static enum check_result
body_in_one_go(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;
	const struct judged_command *of = NULL;
	bool over = false;

	JUDGED_EACH(s, c, r)
	{
		if (!r->whole || c->octet != MLT_SMFIC_EOM)
			continue;
		if (of != c) {
			of = NULL;
			over = false;
		}
		if (r->octet != MLT_SMFIR_REPLBODY) {
			over = of == c;
			continue;
		}
		if (over) {
			buf_adds(why, "a REPLBODY behind something else that "
				      "came behind a REPLBODY");
			return CHECK_FAIL;
		}
		of = c;
		result = CHECK_PASS;
	}
	return result;
}

static enum check_result
body_in_chunks(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	JUDGED_EACH(s, c, r)
	{
		if (!r->whole || r->octet != MLT_SMFIR_REPLBODY)
			continue;
		if (r->n > MLT_BODY_MAX) {
			buf_addf(why, "a chunk of %zu octets", r->n);
			return CHECK_FAIL;
		}
		result = CHECK_PASS;
	}
	return result;
}

/* A recipient of the message: what DELRCPT names. */
static bool
was_rcpt(const struct judged_session *s, const struct judged_command *at,
    const char *address)
{
	for (const struct judged_command *c = at; c-- > s->commands;) {
		if (c->octet == MLT_SMFIC_MAIL)
			return false;
		if (c->octet == MLT_SMFIC_RCPT && c->n &&
		    strcmp((const char *)c->payload, address) == 0)
			return true;
	}
	return false;
}

static enum check_result
deletes_who_was_there(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	JUDGED_EACH(s, c, r)
	{
		const struct kind *k = kind_of(r);
		struct edit e;

		if (!k || r->octet != MLT_SMFIR_DELRCPT ||
		    (s->protocol & MLT_PROT_NO_RCPT))
			continue;
		read_edit(k, r, &e);
		if (!is_whole(k, &e))
			continue;
		if (!was_rcpt(s, c, e.strings[0])) {
			buf_addf(why, "DELRCPT of %s, spelled so in no RCPT",
			    e.strings[0]);
			return CHECK_FAIL;
		}
		result = CHECK_PASS;
	}
	return result;
}

/* Nothing of it would be done. */
static enum check_result
edits_are_of_use(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;
	bool changed = false;

	JUDGED_EACH(s, c, r)
	{
		if (c->octet != MLT_SMFIC_EOM || !r->whole)
			continue;
		if (r == c->replies)
			changed = false;
		if (kind_of(r)) {
			changed = true;
			continue;
		}
		if (!changed || judged_is_edit(r->octet))
			continue;
		if (strchr("rtdy", r->octet)) {
			buf_addf(
			    why, "changes, then %s", mlt_reply_name(r->octet));
			return CHECK_DIFFERS;
		}
		result = CHECK_PASS;
	}
	return result;
}

#define NO_CHANGES "the filter asked for no such change"
JUDGED(edits_at_eom, comes_at_eom, NO_CHANGES)
JUDGED(edits_agreed, is_agreed, NO_CHANGES)
JUDGED(edit_strings, has_its_strings, NO_CHANGES)
JUDGED(header_names, good_name, NO_CHANGES)
JUDGED(header_cr, no_cr, NO_CHANGES)
JUDGED(header_folding, folded, NO_CHANGES)
JUDGED(header_lines, short_lines, NO_CHANGES)
JUDGED(header_index, good_index, NO_CHANGES)
JUDGED(header_blank, leading_blank,
    "the filter does not ask for leading blanks, or added no field")
JUDGED(header_deletion, deleted_backwards,
    "the filter did not delete several fields of one name")
JUDGED(edit_addresses, address_given, NO_CHANGES)
JUDGED(edit_reason, reason_given, NO_CHANGES)
JUDGED(edit_controls, no_controls, NO_CHANGES)
JUDGED(body_contiguous, body_in_one_go, "the filter did not replace the body")
JUDGED(body_chunks, body_in_chunks, "the filter did not replace the body")
JUDGED(deleted_rcpts, deletes_who_was_there,
    "the filter deleted no recipient that it knew")
JUDGED(edits_before_refusal, edits_are_of_use, NO_CHANGES)

const struct check_case filter_edits_cases[] = {
	{ "edits-at-eom", 210, FILTER_MTAS, edits_at_eom },
	{ "edits-agreed", 211, FILTER_MTAS, edits_agreed },
	{ "edit-strings", 212, FILTER_MTAS, edit_strings },
	{ "header-names", 213, FILTER_MTAS, header_names },
	{ "header-without-cr", 214, FILTER_MTAS, header_cr },
	{ "header-folding", 215, FILTER_MTAS, header_folding },
	{ "header-lines", 216, FILTER_MTAS, header_lines },
	{ "header-index", 217, FILTER_MTAS, header_index },
	{ "header-leading-blank", 218, FILTER_MTAS, header_blank },
	{ "header-deletion", 219, FILTER_MTAS, header_deletion },
	{ "edit-addresses", 220, FILTER_MTAS, edit_addresses },
	{ "quarantine-reason", 221, FILTER_MTAS, edit_reason },
	{ "edit-controls", 222, FILTER_MTAS, edit_controls },
	{ "body-contiguous", 223, FILTER_MTAS, body_contiguous },
	{ "body-chunks", 224, FILTER_MTAS, body_chunks },
	{ "deleted-recipients", 225, FILTER_MTAS, deleted_rcpts },
	{ "edits-before-refusal", 226, FILTER_MTAS, edits_before_refusal },
	{ .name = NULL },
};
