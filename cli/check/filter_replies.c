/* SPDX-License-Identifier: MIT */
/*
 * filter_replies: which reply a command gets, how many and when, and the texts
 * of replies, in the sessions of MTAs.
 */
#include "cli/check/filter_judged.h"
#include "cli/check/talk.h"

#include <ctype.h>
#include <string.h>

/* ---- how many ------------------------------------------------------------------------- */

/* Final replies; a modification outside EOM counts as none. */
static size_t
finals(const struct judged_command *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_replies; i++)
		n +=
		    c->replies[i].whole && !judged_is_edit(c->replies[i].octet);
	return n;
}

static const char *
command_word(const struct judged_command *c)
{
	const char *name = mlt_command_name(c->octet);

	return name ? name : "an unknown command";
}

#define EACH_COMMAND(s, c)                                                     \
	for (const struct judged_command *c = (s)->commands;                   \
	     c < (s)->commands + (s)->n_commands; c++)

static bool
is_last(const struct judged_session *s, const struct judged_command *c)
{
	return c + 1 == s->commands + s->n_commands;
}

/* After a verdict for the client, or a deviation, nothing more is said. */
static enum check_result
each_is_answered(const struct judged_session *s, struct buf *why)
{
	EACH_COMMAND(s, c)
	{
		size_t n = finals(c);

		if (c->octet == MLT_SMFIC_OPTNEG || !c->due)
			continue;
		if (n == 1)
			continue;
		if (n == 0 && is_last(s, c) && !s->silent && !s->closed &&
		    c->n_replies)
			continue; /* the play ended at one of them */
		if (n > 1)
			buf_addf(why, "%zu replies to %s", n, command_word(c));
		else
			buf_addf(why, "%s was not answered%s", command_word(c),
			    s->closed && is_last(s, c) ? ": the filter closed"
						       : "");
		return CHECK_FAIL;
	}
	return s->version ? CHECK_PASS : CHECK_NOT_APPLICABLE;
}

static enum check_result
leaves(const struct judged_session *s, struct buf *why)
{
	if (!s->quit || s->silent)
		return CHECK_NOT_APPLICABLE;
	if (s->left)
		return CHECK_PASS;
	buf_adds(why, "the connection stayed open behind QUIT");
	return CHECK_FAIL;
}

/* ---- which ---------------------------------------------------------------------------- */

/* The final reply to a command, NULL if none. */
static const struct judged_reply *
final_of(const struct judged_command *c)
{
	for (size_t i = 0; i < c->n_replies; i++) {
		const struct judged_reply *r = &c->replies[i];

		if (r->whole && !judged_is_edit(r->octet))
			return r;
	}
	return NULL;
}

/* Replies with a requirement of their own, or that nobody knows, aside. */
static enum check_result
fits_the_command(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	EACH_COMMAND(s, c)
	{
		const struct judged_reply *r = final_of(c);

		if (!r || !c->due || c->octet == MLT_SMFIC_OPTNEG ||
		    !strchr("cartyO", r->octet))
			continue;
		if (!talk_is_legal(c->octet, r->octet)) {
			buf_addf(why, "%s was answered by %s", command_word(c),
			    mlt_reply_name(r->octet));
			return CHECK_FAIL;
		}
		result = CHECK_PASS;
	}
	return result;
}

static enum check_result
discards_messages_only(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	JUDGED_EACH(s, c, r)
	{
		if (!r->whole || r->octet != MLT_SMFIR_DISCARD)
			continue;
		if (strchr("CHU", c->octet)) {
			buf_addf(
			    why, "%s was answered by DISCARD", command_word(c));
			return CHECK_FAIL;
		}
		result = CHECK_PASS;
	}
	return result;
}

static enum check_result
skips_the_body_only(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	JUDGED_EACH(s, c, r)
	{
		if (!r->whole || r->octet != MLT_SMFIR_SKIP)
			continue;
		if (c->octet != MLT_SMFIC_BODY ||
		    !(s->protocol & MLT_PROT_SKIP)) {
			buf_addf(why, "SKIP behind %s, protocol 0x%x",
			    command_word(c), s->protocol);
			return CHECK_FAIL;
		}
		result = CHECK_PASS;
	}
	return result;
}

static enum check_result
progress_at_eom(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	JUDGED_EACH(s, c, r)
	{
		if (!r->whole || r->octet != MLT_SMFIR_PROGRESS)
			continue;
		if (c->octet != MLT_SMFIC_EOM) {
			buf_addf(why, "PROGRESS behind %s", command_word(c));
			return CHECK_FAIL;
		}
		result = CHECK_PASS;
	}
	return result;
}

/* ---- texts ---------------------------------------------------------------------------- */

/* One line of a REPLYCODE, without its CRLF. */
struct line {
	const char *p;
	size_t n;
};

typedef bool text_judge(const struct judged_reply *r, struct buf *why);

static enum check_result
each_text(const struct judged_session *s, text_judge *judge, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	JUDGED_EACH(s, c, r)
	{
		if (!r->whole || r->octet != MLT_SMFIR_REPLYCODE)
			continue;
		if (!judge(r, why))
			return CHECK_FAIL;
		result = CHECK_PASS;
	}
	return result;
}

/* Octets before the first NUL. */
static size_t
text_length(const struct judged_reply *r)
{
	return strnlen((const char *)r->payload, r->n);
}

/* Cuts the next line off the text; false: there is none. */
static bool
next_line(struct line *rest, struct line *line)
{
	const char *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;

	if (!rest->p)
		return false;
	line->p = rest->p;
	line->n = lf ? (size_t)(lf - rest->p) : rest->n;
	rest->n -= lf ? line->n + 1 : line->n;
	rest->p = lf && rest->n ? lf + 1 : NULL; /* an empty last one is none */
	if (lf && line->n && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

static struct line
whole_text(const struct judged_reply *r)
{
	return (struct line){ (const char *)r->payload, text_length(r) };
}

static bool
has_one_nul(const struct judged_reply *r, struct buf *why)
{
	size_t n = text_length(r);

	if (n + 1 == r->n)
		return true;
	buf_addf(why, "%zu octets, the first NUL behind %zu", r->n, n);
	return false;
}

static bool
has_a_code(const struct judged_reply *r, struct buf *why)
{
	struct line rest = whole_text(r), line;

	while (next_line(&rest, &line)) {
		if (line.n >= 4 && (line.p[0] == '4' || line.p[0] == '5') &&
		    isdigit((unsigned char)line.p[1]) &&
		    isdigit((unsigned char)line.p[2]) &&
		    strchr(" -", line.p[3]))
			continue;
		buf_addf(why, "a line \"%.*s\"", (int)line.n, line.p);
		return false;
	}
	return true;
}

static bool
lines_agree(const struct judged_reply *r, struct buf *why)
{
	struct line rest = whole_text(r), line;
	const char *first = rest.p;
	size_t n = rest.n;

	while (next_line(&rest, &line)) {
		bool last = !rest.p;

		if (line.n < 4 || n < 4)
			continue; /* has_a_code says it */
		if (strncmp(line.p, first, 3) != 0 ||
		    line.p[3] != (last ? ' ' : '-')) {
			buf_addf(why, "a %s \"%.*s\"",
			    last ? "last line" : "line", (int)line.n, line.p);
			return false;
		}
	}
	return true;
}

static bool
ends_lines_with_crlf(const struct judged_reply *r, struct buf *why)
{
	struct line all = whole_text(r);

	for (size_t i = 0; i < all.n; i++) {
		bool lf_next = i + 1 < all.n && all.p[i + 1] == '\n';

		if ((all.p[i] == '\r' && !lf_next) ||
		    (all.p[i] == '\n' && (i == 0 || all.p[i - 1] != '\r'))) {
			buf_addf(why, "a lone CR or LF at octet %zu", i);
			return false;
		}
	}
	if (all.n && all.p[all.n - 1] == '\n')
		buf_adds(why, "an end of line behind the last line");
	return !all.n || all.p[all.n - 1] != '\n';
}

static bool
doubles_percent(const struct judged_reply *r, struct buf *why)
{
	struct line all = whole_text(r);

	for (size_t i = 0; i < all.n; i++) {
		if (all.p[i] != '%')
			continue;
		if (i + 1 < all.n && all.p[i + 1] == '%') {
			i++;
			continue;
		}
		buf_addf(why, "a single %% at octet %zu", i);
		return false;
	}
	return true;
}

static bool
dsn_fits(const struct judged_reply *r, struct buf *why)
{
	struct line rest = whole_text(r), line;

	while (next_line(&rest, &line)) {
		if (line.n < 5 || !isdigit((unsigned char)line.p[4]) ||
		    line.p[4] == line.p[0])
			continue;
		buf_addf(why,
		    "\"%.*s\": a text that begins with a digit of "
		    "another class",
		    (int)line.n, line.p);
		return false;
	}
	return true;
}

static bool
is_printable(const struct judged_reply *r, struct buf *why)
{
	struct line all = whole_text(r);

	for (size_t i = 0; i < all.n; i++) {
		unsigned char o = (unsigned char)all.p[i];

		if ((o >= ' ' && o < 0x7f) || o == '\r' || o == '\n')
			continue;
		buf_addf(why, "an octet 0x%02x in the text", o);
		return false;
	}
	return true;
}

static bool
is_short(const struct judged_reply *r, struct buf *why)
{
	struct line rest = whole_text(r), line;
	size_t n = 0;

	for (; next_line(&rest, &line); n++) {
		if (line.n <= 4 + 12 + MLT_REPLY_LINE_MAX)
			continue;
		buf_addf(why, "a line of %zu octets", line.n);
		return false;
	}
	if (n > MLT_REPLY_LINES_MAX)
		buf_addf(why, "%zu lines", n);
	return n <= MLT_REPLY_LINES_MAX;
}

#define TEXT(name, judge)                                                      \
	static enum check_result name(                                         \
	    const struct judged_session *s, struct buf *why)                   \
	{                                                                      \
		return each_text(s, judge, why);                               \
	}
TEXT(text_nul, has_one_nul)
TEXT(text_code, has_a_code)
TEXT(text_lines, lines_agree)
TEXT(text_crlf, ends_lines_with_crlf)
TEXT(text_percent, doubles_percent)
TEXT(text_dsn, dsn_fits)
TEXT(text_printable, is_printable)
TEXT(text_short, is_short)

/* ---- when ----------------------------------------------------------------------------- */

static enum check_result
answers_in_time(const struct judged_session *s, struct buf *why)
{
	enum check_result result = CHECK_NOT_APPLICABLE;

	EACH_COMMAND(s, c)
	{
		bool content = strchr("LNBE", c->octet);
		uint64_t limit =
		    UINT64_C(1000) *
		    (content ? s->times.content_ms : s->times.command_ms);
		uint64_t last = c->us;

		for (size_t i = 0; c->due && i < c->n_replies; i++) {
			uint64_t us = c->replies[i].us - last;

			last = c->replies[i].us;
			result = CHECK_PASS;
			if (us <= limit)
				continue;
			buf_addf(why,
			    "%s waited %.1f s for a reply, the MTA "
			    "%.1f s",
			    command_word(c), (double)us / 1e6,
			    (double)limit / 1e6);
			return CHECK_FAIL;
		}
	}
	return result;
}

#define NO_TEXT "the filter sent no text of its own"
JUDGED(one_reply, each_is_answered, "nothing was agreed")
JUDGED(closes_behind_quit, leaves, "the sessions did not come to QUIT")
JUDGED(legal_replies, fits_the_command, "the filter answered nothing")
JUDGED(legal_discard, discards_messages_only, "the filter discarded nothing")
JUDGED(legal_skip, skips_the_body_only, "the filter skipped no body")
JUDGED(legal_progress, progress_at_eom, "the filter sent no PROGRESS")
JUDGED(in_time, answers_in_time, "the filter answered nothing")
JUDGED(reply_nul, text_nul, NO_TEXT)
JUDGED(reply_code, text_code, NO_TEXT)
JUDGED(reply_lines, text_lines, NO_TEXT)
JUDGED(reply_crlf, text_crlf, NO_TEXT)
JUDGED(reply_percent, text_percent, NO_TEXT)
JUDGED(reply_dsn, text_dsn, NO_TEXT)
JUDGED(reply_printable, text_printable, NO_TEXT)
JUDGED(reply_short, text_short, NO_TEXT)

const struct check_case filter_replies_cases[] = {
	{ "one-reply", 160, FILTER_MTAS, one_reply },
	{ "closes-behind-quit", 163, FILTER_MTAS, closes_behind_quit },
	{ "legal-replies", 230, FILTER_MTAS, legal_replies },
	{ "legal-discard", 231, FILTER_MTAS, legal_discard },
	{ "legal-skip", 232, FILTER_MTAS, legal_skip },
	{ "legal-progress", 233, FILTER_MTAS, legal_progress },
	{ "reply-nul", 234, FILTER_MTAS, reply_nul },
	{ "reply-code", 235, FILTER_MTAS, reply_code },
	{ "reply-lines", 236, FILTER_MTAS, reply_lines },
	{ "reply-crlf", 237, FILTER_MTAS, reply_crlf },
	{ "reply-percent", 238, FILTER_MTAS, reply_percent },
	{ "reply-dsn", 239, FILTER_MTAS, reply_dsn },
	{ "reply-printable", 240, FILTER_MTAS, reply_printable },
	{ "reply-short", 241, FILTER_MTAS, reply_short },
	{ "in-time", 250, FILTER_MTAS, in_time },
	{ .name = NULL },
};
