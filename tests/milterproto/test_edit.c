/* SPDX-License-Identifier: MIT */
/*
 * edit: a filter's requests applied as Sendmail and as Postfix do.
 * docs/edit.md
 *
 * Messages are written as fields that end in '|':
 *   Sname:value  header that filters see      Faddr esmtp  sender
 *   Oname:value  the MTA's own                Raddr esmtp  recipient
 *   Dname:value  Sendmail's default           Btext        body
 *   Qreason      quarantine
 * A result is one character for each action (0 done, i ignored, P protocol
 * error, A not agreed, L limit, X no such action), a blank, then the message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <milterproto.h>

#include "tests/support/failmalloc.h"

#define B(s)                                                                   \
	{                                                                      \
		(s), sizeof(s) - 1                                             \
	}
#define ADD(n, v)                                                              \
	{                                                                      \
		.reply = 'h', .name = B(n), .value = B(v)                      \
	}
#define INS(i, n, v)                                                           \
	{                                                                      \
		.reply = 'i', .index = i, .name = B(n), .value = B(v)          \
	}
#define CHG(i, n, v)                                                           \
	{                                                                      \
		.reply = 'm', .index = i, .name = B(n), .value = B(v)          \
	}
#define DEL(i, n) CHG(i, n, "")
#define TEXT(r, t)                                                             \
	{                                                                      \
		.reply = r, .text = B(t)                                       \
	}
#define PAR(r, t, p)                                                           \
	{                                                                      \
		.reply = r, .text = B(t), .esmtp = B(p)                        \
	}
#define BARE(r)                                                                \
	{                                                                      \
		.reply = r                                                     \
	}

struct edit_case {
	const char *label, *load;
	struct mlt_action a[6];
	const char *want[2]; /* Sendmail, Postfix; NULL = the same */
};

static const struct mlt_edit_opts by_rule[2] = {
	{ .rule = MLT_EDIT_SENDMAIL, .actions = MLT_ACT_ALL },
	{ .rule = MLT_EDIT_POSTFIX, .actions = MLT_ACT_ALL },
};

/* One field of `load`.  As the load functions. */
static int
load_field(struct mlt_edit *e, char kind, const char *p, size_t n)
{
	const char *cut = memchr(p, kind == 'F' || kind == 'R' ? ' ' : ':', n);
	struct mlt_bytes one = { p, cut ? (size_t)(cut - p) : n },
			 two = { NULL, 0 };

	if (cut)
		two = (struct mlt_bytes){ cut + 1, n - one.n - 1 };
	switch (kind) {
	case 'F':
		return mlt_edit_from(e, one, two);
	case 'R':
		return mlt_edit_rcpt(e, one, two);
	case 'B':
		return mlt_edit_body(e, p, n);
	case 'O':
		return mlt_edit_header(e, MLT_EDIT_OWN, one, two);
	case 'D':
		return mlt_edit_header(e, MLT_EDIT_DEFAULT, one, two);
	}
	return mlt_edit_header(e, MLT_EDIT_SEEN, one, two);
}

static int
load(struct mlt_edit *e, const char *s)
{
	int rc = 0;

	for (const char *end; rc == 0 && *s; s = end + 1) {
		end = strchr(s, '|');
		rc = load_field(e, *s, s + 1, (size_t)(end - s - 1));
	}
	return rc;
}

static void
say(char *to, char kind, struct mlt_bytes a, const char *sep,
    struct mlt_bytes b)
{
	sprintf(to + strlen(to), "%c%.*s%s%.*s|", kind, (int)a.n,
	    a.p ? a.p : "", sep, (int)b.n, b.p ? b.p : "");
}

static void
dump(const struct mlt_edit *e, char *to)
{
	static const struct mlt_bytes none;
	struct mlt_edit_address r = mlt_edit_get_from(e);
	struct mlt_bytes s;
	struct mlt_edit_field h;
	size_t at = 0;

	if (r.addr.p)
		say(to, 'F', r.addr, r.esmtp.n ? " " : "", r.esmtp);
	while (mlt_edit_next_rcpt(e, &at, &r))
		say(to, 'R', r.addr, r.esmtp.n ? " " : "", r.esmtp);
	for (at = 0; mlt_edit_next_header(e, &at, &h);)
		say(to, "SOD"[h.kind], h.name, ":", h.value);
	s = mlt_edit_get_body(e);
	if (s.n)
		say(to, 'B', s, "", none);
	s = mlt_edit_get_quarantine(e);
	if (s.p)
		say(to, 'Q', s, "", none);
}

static char
letter(int rc)
{
	switch (rc) {
	case 0:
		return '0';
	case MLT_EDIT_IGNORED:
		return 'i';
	case MLT_E_PROTO:
		return 'P';
	case MLT_E_AGREED:
		return 'A';
	case MLT_E_TOOBIG:
		return 'L';
	case MLT_E_ARG:
		return 'X';
	}
	return '?';
}

static void
run(const struct mlt_edit_opts *opts, const struct edit_case *c, char *got)
{
	struct mlt_edit *e;
	size_t i;

	assert_int_equal(mlt_edit_new(&e, opts), 0);
	assert_int_equal(load(e, c->load), 0);
	for (i = 0; i < 6 && c->a[i].reply; i++)
		got[i] = letter(mlt_edit_apply(e, &c->a[i]));
	strcpy(got + i, " ");
	dump(e, got);
	mlt_edit_free(e);
}

static void
check(const struct edit_case *c, size_t n, uint32_t protocol)
{
	static const char *const name[] = { "Sendmail", "Postfix" };
	char got[4096];

	for (; n--; c++) {
		for (int r = 0; r < 2; r++) {
			struct mlt_edit_opts o = by_rule[r];
			const char *want = c->want[c->want[r] ? r : 0];

			o.protocol = protocol;
			run(&o, c, got);
			if (strcmp(got, want) == 0)
				continue;
			print_error("%s, %s\n got  \"%s\"\n want \"%s\"\n",
			    name[r], c->label, got, want);
			fail();
		}
	}
}
#define CHECK(cases) check(cases, sizeof(cases) / sizeof(cases[0]), 0)

/* ---- header fields ------------------------------------------------------------- */

static void
addheader_finds_its_place(void **state)
{
	static const struct edit_case cases[] = {
		{ "new name", "OReceived: m|SA: 1|SB: 2|", { ADD("X", "v") },
		    { "0 OReceived: m|SA: 1|SB: 2|SX: v|" } },
		{ "known name", "SA: 1|SB: 2|SC: 3|Sb: 4|", { ADD("B", "v") },
		    { "0 SA: 1|SB: v|SB: 2|SC: 3|Sb: 4|",
			"0 SA: 1|SB: 2|SC: 3|Sb: 4|SB: v|" } },
		{ "name of the MTA's own", "OReceived: m|SA: 1|",
		    { ADD("received", "v") },
		    { "0 Sreceived: v|OReceived: m|SA: 1|",
			"0 OReceived: m|SA: 1|Sreceived: v|" } },
		{ "name of a default", "DDate: d|SA: 1|", { ADD("DATE", "v") },
		    { "0 SDate: v|SA: 1|", "0 DDate: d|SA: 1|SDATE: v|" } },
		{ "a default before others", "SDate: 1|DDate: d|",
		    { ADD("Date", "v"), ADD("Date", "w") },
		    { "00 SDate: w|SDate: 1|SDate: v|",
			"00 SDate: 1|DDate: d|SDate: v|SDate: w|" } },
		{ "twice", "SA: 1|", { ADD("X", "1"), ADD("X", "2") },
		    { "00 SA: 1|SX: 2|SX: 1|", "00 SA: 1|SX: 1|SX: 2|" } },
		{ "empty value", "SA: 1|", { ADD("X", "") },
		    { "0 SA: 1|SX: |" } },
		{ "no headers", "", { ADD("X", "v") }, { "0 SX: v|" } },
		{ "beside a deleted one", "SA: 1|SB: 2|",
		    { DEL(1, "A"), ADD("A", "v") },
		    { "00 SA: v|SB: 2|", "00 SB: 2|SA: v|" } },
	};

	(void)state;
	CHECK(cases);
}

static void
insheader_counts_all_headers(void **state)
{
	static const struct edit_case cases[] = {
		{ "0 is the top", "OReceived: m|SA: 1|", { INS(0, "X", "v") },
		    { "0 SX: v|OReceived: m|SA: 1|" } },
		{ "1 is behind the MTA's own", "OReceived: m|SA: 1|",
		    { INS(1, "X", "v") }, { "0 OReceived: m|SX: v|SA: 1|" } },
		{ "just the end", "OReceived: m|SA: 1|", { INS(2, "X", "v") },
		    { "0 OReceived: m|SA: 1|SX: v|" } },
		{ "beyond the end", "OReceived: m|SA: 1|",
		    { INS(INT32_MAX, "X", "v") },
		    { "0 OReceived: m|SA: 1|SX: v|" } },
		{ "negative", "OReceived: m|SA: 1|",
		    { INS(1u << 31, "X", "v"), INS(UINT32_MAX, "Y", "v") },
		    { "00 SY: v|SX: v|OReceived: m|SA: 1|",
			"00 OReceived: m|SA: 1|SX: v|SY: v|" } },
		{ "later ones see earlier ones", "SA: 1|",
		    { INS(0, "X", "1"), INS(1, "X", "2") },
		    { "00 SX: 1|SX: 2|SA: 1|" } },
		{ "a deleted one is counted or gone", "SA: 1|SB: 2|SC: 3|",
		    { DEL(1, "A"), INS(2, "X", "v") },
		    { "00 SB: 2|SX: v|SC: 3|", "00 SB: 2|SC: 3|SX: v|" } },
		{ "a default stays", "DDate: d|SA: 1|", { INS(1, "Date", "v") },
		    { "0 DDate: d|SDate: v|SA: 1|" } },
	};

	(void)state;
	CHECK(cases);
}

static void
chgheader_counts_what_the_filter_sees(void **state)
{
	static const struct edit_case cases[] = {
		{ "first", "SA: 1|SA: 2|", { CHG(1, "A", "v") },
		    { "0 SA: v|SA: 2|" } },
		{ "0 is 1", "SA: 1|SA: 2|", { CHG(0, "A", "v") },
		    { "0 SA: v|SA: 2|" } },
		{ "letter case", "SA: 1|SB: 2|Sa: 3|", { CHG(2, "A", "v") },
		    { "0 SA: 1|SB: 2|Sa: v|", "0 SA: 1|SB: 2|SA: v|" } },
		{ "the MTA's own", "OReceived: m|SReceived: 1|SReceived: 2|",
		    { CHG(1, "Received", "v"), DEL(2, "Received") },
		    { "00 OReceived: m|SReceived: v|" } },
		{ "only the MTA's own", "OReceived: m|SA: 1|",
		    { DEL(1, "Received"), CHG(1, "Received", "v") },
		    { "i0 SReceived: v|OReceived: m|SA: 1|",
			"i0 OReceived: m|SA: 1|SReceived: v|" } },
		{ "missing: added", "SA: 1|SB: 2|", { CHG(2, "A", "v") },
		    { "0 SA: v|SA: 1|SB: 2|", "0 SA: 1|SB: 2|SA: v|" } },
		{ "missing: a default goes", "DDate: d|SA: 1|",
		    { CHG(1, "Date", "v") },
		    { "0 SDate: v|SA: 1|", "0 DDate: d|SA: 1|SDate: v|" } },
		{ "one that was added", "SA: 1|",
		    { ADD("X", "1"), CHG(1, "X", "2") },
		    { "00 SA: 1|SX: 2|" } },
		{ "highest index", "SA: 1|", { CHG(INT32_MAX, "A", "v") },
		    { "0 SA: v|SA: 1|", "0 SA: 1|SA: v|" } },
		{ "negative is 1 or beyond the end", "SA: 1|SA: 2|",
		    { CHG(1u << 31, "A", "v"), CHG(UINT32_MAX, "A", "w") },
		    { "00 SA: w|SA: 2|", "00 SA: 1|SA: 2|SA: v|SA: w|" } },
		{ "negative, to delete", "SA: 1|", { DEL(UINT32_MAX, "A") },
		    { "0 ", "i SA: 1|" } },
		{ "not the MTA's own, wherever it is", "OReceived: m|SA: 1|",
		    { INS(0, "Received", "v"), CHG(1, "Received", "w") },
		    { "00 SReceived: w|OReceived: m|SA: 1|" } },
	};

	(void)state;
	CHECK(cases);
}

static void
deleted_headers_are_counted_by_sendmail(void **state)
{
	static const struct edit_case cases[] = {
		{ "one", "SA: 1|SA: 2|SB: 3|", { DEL(2, "a") },
		    { "0 SA: 1|SB: 3|" } },
		{ "missing", "SA: 1|", { DEL(2, "A"), DEL(1, "B") },
		    { "ii SA: 1|" } },
		{ "upwards", "SA: 1|SA: 2|SA: 3|SA: 4|",
		    { DEL(1, "A"), DEL(2, "A") },
		    { "00 SA: 3|SA: 4|", "00 SA: 2|SA: 4|" } },
		{ "upwards to the end", "SA: 1|SA: 2|SA: 3|",
		    { DEL(1, "A"), DEL(2, "A"), DEL(3, "A") },
		    { "000 ", "00i SA: 2|" } },
		{ "first again and again", "SA: 1|SA: 2|SA: 3|",
		    { DEL(1, "A"), DEL(1, "A"), DEL(1, "A") },
		    { "0ii SA: 2|SA: 3|", "000 " } },
		{ "downwards", "SA: 1|SA: 2|SA: 3|",
		    { DEL(3, "A"), DEL(2, "A"), DEL(1, "A") }, { "000 " } },
		{ "change behind a deleted one", "SA: 1|SA: 2|SA: 3|",
		    { DEL(1, "A"), CHG(2, "A", "v") },
		    { "00 SA: v|SA: 3|", "00 SA: 2|SA: v|" } },
		{ "change a deleted one", "SA: 1|SB: 2|",
		    { DEL(1, "A"), CHG(1, "A", "v") },
		    { "00 SA: v|SB: 2|", "00 SB: 2|SA: v|" } },
	};

	(void)state;
	CHECK(cases);
}

static void
leading_space_is_the_filters_when_agreed(void **state)
{
	static const struct edit_case without[] = {
		{ "one is put", "SA:1|",
		    { ADD("X", "v"), INS(0, "Y", " v"), CHG(1, "A", "\tv") },
		    { "000 SY:  v|SA: \tv|SX: v|" } },
		{ "folds", "SA: 1\r\n\t2|", { ADD("X", "v\n w\n\tx") },
		    { "0 SA: 1\n\t2|SX: v\n w\n\tx|" } },
	};
	static const struct edit_case with[] = {
		{ "verbatim", "SA:1|",
		    { ADD("X", "v"), INS(0, "Y", " v"), CHG(1, "A", "\tv") },
		    { "000 SY: v|SA:\tv|SX:v|" } },
		{ "a blank is a value", "SA:1|", { CHG(1, "A", " ") },
		    { "0 SA: |" } },
		{ "no blank is none", "SA:1|", { ADD("X", ""), DEL(1, "A") },
		    { "00 SX:|" } },
	};

	(void)state;
	check(without, sizeof(without) / sizeof(without[0]), 0);
	check(with, sizeof(with) / sizeof(with[0]), MLT_PROT_HDR_LEADSPC);
}

static void
broken_headers_never_get_in(void **state)
{
	static const struct edit_case cases[] = {
		{ "empty name: add", "SA: 1|", { ADD("", "v") },
		    { "i SA: 1|", "P SA: 1|" } },
		{ "empty name: insert", "SA: 1|", { INS(0, "", "v") },
		    { "i SA: 1|", "P SA: 1|" } },
		{ "empty name: change", "SA: 1|", { CHG(1, "", "v") },
		    { "i SA: 1|", "P SA: 1|" } },
		{ "no value", "SA: 1|", { { .reply = 'h', .name = B("A") } },
		    { "i SA: 1|", "P SA: 1|" } },
		{ "colon", "SA: 1|", { ADD("X:Y", "v") }, { "P SA: 1|" } },
		{ "blank", "SA: 1|", { ADD("X ", "v") }, { "P SA: 1|" } },
		{ "8 bit", "SA: 1|", { ADD("X\xe9", "v") }, { "P SA: 1|" } },
		{ "LF", "SA: 1|", { ADD("X\nY", "v") }, { "P SA: 1|" } },
		{ "CRLF", "SA: 1|", { ADD("X", "v\r\n w") }, { "P SA: 1|" } },
		{ "another field", "SA: 1|", { CHG(1, "A", "v\nB: w") },
		    { "0 SA: v\n B: w|", "0 SA: v\n\tB: w|" } },
		{ "the body", "SA: 1|", { INS(0, "X", "\n\nv\n") },
		    { "0 SX: \n \n v\n |SA: 1|",
			"0 SX: \n\t\n\tv\n\t|SA: 1|" } },
		{ "NUL", "SA: 1|", { ADD("X", "v\0w") }, { "P SA: 1|" } },
		{ "for ever", "SA: 1|", { ADD("X ", "v"), ADD("X", "v") },
		    { "PP SA: 1|" } },
	};

	(void)state;
	CHECK(cases);
}

/* ---- body --------------------------------------------------------------------------- */

static void
replbody_replaces_once_then_appends(void **state)
{
	static const struct edit_case cases[] = {
		{ "one", "Bold\r\n|", { TEXT('b', "new\r\n") },
		    { "0 Bnew\n|" } },
		{ "two", "Bold\r\n|",
		    { TEXT('b', "1\r\n"), TEXT('b', "2\r\n") },
		    { "00 B1\n2\n|" } },
		{ "empty", "Bold\r\n|", { TEXT('b', "") }, { "0 " } },
		{ "empty, then more", "Bold\r\n|",
		    { TEXT('b', ""), TEXT('b', "1\r\n") }, { "00 B1\n|" } },
		{ "no body before", "", { TEXT('b', "1\r\n") }, { "0 B1\n|" } },
		{ "after other requests", "SA: 1|Bold\r\n|",
		    { DEL(1, "A"), BARE('p'), TEXT('b', "1\r\n") },
		    { "000 B1\n|" } },
		{ "before other requests", "SA: 1|Bold\r\n|",
		    { TEXT('b', "1\r\n"), DEL(1, "A"), BARE('p') },
		    { "000 B1\n|" } },
		{ "PROGRESS between", "Bold\r\n|",
		    { TEXT('b', "1\r\n"), BARE('p'), TEXT('b', "2\r\n") },
		    { "000 B1\n2\n|", "00P B1\n|" } },
		{ "a header between", "Bold\r\n|",
		    { TEXT('b', "1\r\n"), ADD("X", "v"), TEXT('b', "2\r\n") },
		    { "000 SX: v|B1\n2\n|", "00P SX: v|B1\n|" } },
		{ "something ignored between", "Bold\r\n|",
		    { TEXT('b', "1\r\n"), DEL(1, "X"), TEXT('b', "2\r\n") },
		    { "0i0 B1\n2\n|", "0iP B1\n|" } },
	};

	(void)state;
	CHECK(cases);
}

static void
replbody_converts_line_ends(void **state)
{
	static const struct edit_case cases[] = {
		{ "cut between CR and LF", "",
		    { TEXT('b', "1\r"), TEXT('b', "\n2\r\n") },
		    { "00 B1\n2\n|" } },
		{ "cut, with nothing between", "",
		    { TEXT('b', "1\r"), TEXT('b', ""), TEXT('b', "\n") },
		    { "000 B1\n|" } },
		{ "lone LF", "", { TEXT('b', "1\n2\n\n") },
		    { "0 B1\n2\n\n|" } },
		{ "lone CR", "", { TEXT('b', "1\r2\r\n") }, { "0 B1\r2\n|" } },
		{ "two CR", "", { TEXT('b', "1\r\r\n2\r\n") },
		    { "0 B1\r\n2\n|" } },
		{ "two CR, cut", "", { TEXT('b', "1\r\r"), TEXT('b', "\n") },
		    { "00 B1\r\n|" } },
		{ "last line", "", { TEXT('b', "1\r\n2") },
		    { "0 B1\n2|", "0 B1\n2\n|" } },
		{ "last line in pieces", "",
		    { TEXT('b', "1"), TEXT('b', "2"), TEXT('b', "3\r") },
		    { "000 B123\r|", "000 B123\r\n|" } },
		{ "a CR of the old body is not the new one's", "B1\r|",
		    { TEXT('b', "\n2\n") }, { "0 B\n2\n|" } },
		{ "loading", "B1\r|B\n2\r\r\n|B3|", { BARE('p') },
		    { "0 B1\n2\r\n3|", "0 B1\n2\r\n3\n|" } },
	};

	(void)state;
	CHECK(cases);
}

static void
replbody_must_be_agreed_with_sendmail(void **state)
{
	static const struct edit_case c = { "", "B1\n|",
		{ ADD("X", "v"), TEXT('b', "2\n"), ADD("Y", "v") }, { 0 } };
	struct mlt_edit_opts o = { .actions = MLT_ACT_ADDRCPT };
	char got[256];

	(void)state;
	run(&o, &c, got);
	assert_string_equal(got, "0AA SX: v|B1\n|");
	run(NULL, &c, got);
	assert_string_equal(got, "0AA SX: v|B1\n|");
	o.rule = MLT_EDIT_POSTFIX;
	run(&o, &c, got);
	assert_string_equal(got, "000 SX: v|SY: v|B2\n|");
}

/* ---- envelope ------------------------------------------------------------------------ */

static void
addrcpt_takes_one_or_a_list(void **state)
{
	static const struct edit_case cases[] = {
		{ "with brackets or without", "R<a@x>|",
		    { TEXT('+', "<b@x>"), TEXT('+', "c@x") },
		    { "00 Ra@x|Rb@x|Rc@x|" } },
		{ "empty", "Ra@x|",
		    { TEXT('+', ""), TEXT('+', "<>"), TEXT('+', " , ") },
		    { "iii Ra@x|" } },
		{ "a list", "", { TEXT('+', "<a@x>, b@x,,c@x") },
		    { "0 Ra@x|Rb@x|Rc@x|", "0 Ra@x|" } },
		{ "commas that separate nothing", "",
		    { TEXT('+', "\"a,\\\"b\"@x"), TEXT('+', "<@c,@d:e@x>") },
		    { "00 R\"a,\\\"b\"@x|R@c,@d:e@x|" } },
		{ "phrase", "", { TEXT('+', "Joe (a, b) <j@x>") },
		    { "0 Rj@x|" } },
		{ "already there", "Ra@x|",
		    { TEXT('+', "<a@x>"), TEXT('+', "b@x,b@x,a@x") },
		    { "i0 Ra@x|Rb@x|", "00 Ra@x|Ra@x|Rb@x|" } },
		{ "parameters", "",
		    { PAR('2', "<a@x>", "NOTIFY=NEVER orcpt=rfc822;b@x X=1") },
		    { "0 Ra@x NOTIFY=NEVER orcpt=rfc822;b@x X=1|",
			"0 Ra@x NOTIFY=NEVER orcpt=rfc822;b@x|" } },
		{ "no parameters", "",
		    { PAR('2', "a@x", ""), TEXT('2', "b@x") },
		    { "00 Ra@x|Rb@x|" } },
		{ "control characters", "", { TEXT('+', "a@x\nRCPT TO:<b@x>") },
		    { "P " } },
		{ "control characters behind", "",
		    { PAR('2', "a@x", "NOTIFY=NEVER\r\nDATA") }, { "P " } },
		{ "absent", "", { BARE('+') }, { "i ", "P " } },
	};

	(void)state;
	CHECK(cases);
}

static void
delrcpt_compares_without_brackets(void **state)
{
	static const struct edit_case cases[] = {
		{ "brackets there", "R<a@x>|Rb@x|", { TEXT('-', "a@x") },
		    { "0 Rb@x|" } },
		{ "brackets here", "Ra@x|Rb@x|", { TEXT('-', "<b@x>") },
		    { "0 Ra@x|" } },
		{ "both, with parameters", "R<a@x> NOTIFY=NEVER|",
		    { TEXT('-', "<a@x>") }, { "0 " } },
		{ "unknown", "Ra@x|", { TEXT('-', "b@x"), TEXT('-', "A@x") },
		    { "ii Ra@x|" } },
		{ "a part", "Raa@x|", { TEXT('-', "a@x") }, { "i Raa@x|" } },
		{ "all of them", "Ra@x|Rb@x|R<a@x>|", { TEXT('-', "a@x") },
		    { "0 Rb@x|" } },
		{ "one that was added", "Ra@x|",
		    { TEXT('+', "b@x"), TEXT('-', "<b@x>") }, { "00 Ra@x|" } },
		{ "the last", "Ra@x|", { TEXT('-', "a@x"), TEXT('-', "a@x") },
		    { "0i " } },
		{ "absent", "Ra@x|", { BARE('-') }, { "i Ra@x|", "P Ra@x|" } },
	};

	(void)state;
	CHECK(cases);
}

static void
chgfrom_changes_address_and_parameters(void **state)
{
	static const struct edit_case cases[] = {
		{ "address", "F<a@x> SIZE=1|", { TEXT('e', "<b@x>") },
		    { "0 Fb@x SIZE=1|" } },
		{ "null sender", "F<a@x>|", { TEXT('e', "<>") }, { "0 F|" } },
		{ "empty", "F<a@x>|", { TEXT('e', "") },
		    { "i Fa@x|", "0 F|" } },
		{ "a list", "F<a@x>|", { TEXT('e', "\"b,c\"@x, d@x") },
		    { "0 F\"b,c\"@x|" } },
		{ "from the null sender", "F<>|", { TEXT('e', "b@x") },
		    { "0 Fb@x|" } },
		{ "parameters", "F<a@x> BODY=8BITMIME RET=HDRS|",
		    { PAR('e', "b@x", "ret=FULL  ENVID=q") },
		    { "0 Fb@x BODY=8BITMIME ret=FULL ENVID=q|" } },
		{ "unknown parameters", "F<a@x> BODY=8BITMIME|",
		    { PAR('e', "b@x", "BODY=7BIT RET=FULL SMTPUTF8") },
		    { "0 Fb@x BODY=7BIT RET=FULL SMTPUTF8|",
			"0 Fb@x BODY=8BITMIME RET=FULL|" } },
		{ "control characters", "Fa@x|", { TEXT('e', "b@x\r\nDATA") },
		    { "P Fa@x|" } },
		{ "absent", "Fa@x|", { BARE('e') }, { "i Fa@x|", "P Fa@x|" } },
	};

	(void)state;
	CHECK(cases);
}

static void
quarantine_keeps_the_reason(void **state)
{
#define TEN     "123456789 "
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
	static const struct edit_case cases[] = {
		{ "reason", "", { TEXT('q', "virus") }, { "0 Qvirus|" } },
		{ "long", "", { TEXT('q', HUNDRED "x") },
		    { "0 Q" HUNDRED "x|", "0 Q" HUNDRED "|" } },
		{ "twice", "", { TEXT('q', "1"), TEXT('q', "2") },
		    { "00 Q2|" } },
		{ "empty", "", { TEXT('q', "") }, { "0 Q|" } },
		{ "absent", "", { BARE('q') }, { "i ", "P " } },
		{ "control characters", "", { TEXT('q', "a\nb") }, { "P " } },
	};

	(void)state;
	CHECK(cases);
}

static void
other_replies_are_no_changes(void **state)
{
	static const struct edit_case cases[] = {
		{ "progress", "SA: 1|", { BARE('p'), BARE('p') },
		    { "00 SA: 1|" } },
		{ "final", "SA: 1|",
		    { BARE('c'), BARE('r'), BARE('y'), ADD("X", "v") },
		    { "XXX0 SA: 1|SX: v|" } },
	};

	(void)state;
	CHECK(cases);
}

/* ---- the object ----------------------------------------------------------------------- */

static void
next_filter_counts_anew(void **state)
{
	static const struct mlt_action del = DEL(1, "A"), body = TEXT('b', "v"),
				       chg = CHG(1, "A", "v"), prog = BARE('p');
	static const char *const want[] = {
		" DB:x|SA:v|SA: 3|Bv|",
		" DB:x|SA:v|SA: 3|Bv\n|",
	};
	char got[256];

	(void)state;
	for (int r = 0; r < 2; r++) {
		struct mlt_edit *e;

		assert_int_equal(mlt_edit_new(&e, &by_rule[r]), 0);
		assert_int_equal(load(e, "SA: 1|DB:x|SA: 2|SA: 3|B1\n|"), 0);
		assert_int_equal(mlt_edit_apply(e, &del), 0);
		assert_int_equal(mlt_edit_apply(e, &body), 0);
		assert_int_equal(mlt_edit_apply(e, &prog), 0);
		mlt_edit_next_filter(e, MLT_ACT_ALL, MLT_PROT_HDR_LEADSPC);
		assert_int_equal(mlt_edit_apply(e, &chg), 0);
		assert_int_equal(mlt_edit_apply(e, &body), 0);
		strcpy(got, " ");
		dump(e, got);
		assert_string_equal(got, want[r]);
		mlt_edit_free(e);
	}
}

static void
loading_refuses_what_cannot_be(void **state)
{
	static const struct {
		const char *load;
		int want;
	} cases[] = {
		{ "S: 1|", MLT_E_ARG },
		{ "SA B: 1|", MLT_E_ARG },
		{ "S\x7f: 1|", MLT_E_ARG },
		{ "SA: 1\n|", MLT_E_ARG },
		{ "SA: 1\r\nB: 2|", MLT_E_ARG },
		{ "SA: 1\r\n\t2\n 3|", 0 },
		{ "SA:|", 0 },
		{ "F<a@x\n>|", MLT_E_ARG },
		{ "Ra@x S\t1|", MLT_E_ARG },
		{ "F|R|", 0 },
	};
	static const struct mlt_edit_opts much = { .max_bytes = 1u << 31 };
	static const struct mlt_edit_opts many = { .max_rcpts = 1u << 31 };
	static const struct mlt_action prog = BARE('p');
	struct mlt_edit *e;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(mlt_edit_new(&e, NULL), 0);
		assert_int_equal(load(e, cases[i].load), cases[i].want);
		mlt_edit_free(e);
	}
	assert_int_equal(mlt_edit_new(&e, &much), MLT_E_ARG);
	assert_int_equal(mlt_edit_new(&e, &many), MLT_E_ARG);
	assert_int_equal(mlt_edit_new(&e, NULL), 0);
	assert_int_equal(mlt_edit_apply(e, &prog), 0);
	assert_int_equal(load(e, "SA: 1|"), MLT_E_STATE);
	assert_int_equal(load(e, "B1|"), MLT_E_STATE);
	assert_int_equal(load(e, "Fa@x|"), MLT_E_STATE);
	assert_int_equal(load(e, "Ra@x|"), MLT_E_STATE);
	mlt_edit_free(e);
	mlt_edit_free(NULL);
}

static void
limits_hold(void **state)
{
	/* Loaded: 20 octets of 30, 2 headers of 3, 1 recipient of 2. */
	static const char *const message = "SA: 1|SB: 2|Ra@x|B0123456789\n|";
	static const struct edit_case cases[] = {
		{ "headers", message, { ADD("X", ""), ADD("X", "") },
		    { "0L Ra@x|SA: 1|SB: 2|SX: |B0123456789\n|" } },
		{ "deleted headers count with Sendmail", message,
		    { DEL(1, "B"), ADD("X", ""), ADD("Y", "") },
		    { "00L Ra@x|SA: 1|SX: |B0123456789\n|",
			"000 Ra@x|SA: 1|SX: |SY: |B0123456789\n|" } },
		{ "recipients", message, { TEXT('+', "b"), TEXT('+', "c") },
		    { "0L Ra@x|Rb|SA: 1|SB: 2|B0123456789\n|" } },
		{ "a list of recipients", message, { TEXT('+', "b,c") },
		    { "L Ra@x|SA: 1|SB: 2|B0123456789\n|",
			"0 Ra@x|Rb|SA: 1|SB: 2|B0123456789\n|" } },
		{ "just enough octets", message, { TEXT('q', "0123456789") },
		    { "0 Ra@x|SA: 1|SB: 2|B0123456789\n|Q0123456789|" } },
		{ "octets", message, { TEXT('q', "0123456789a") },
		    { "L Ra@x|SA: 1|SB: 2|B0123456789\n|" } },
		{ "octets of a header", message, { CHG(1, "A", "0123456789") },
		    { "L Ra@x|SA: 1|SB: 2|B0123456789\n|" } },
		{ "octets of a body", message, { TEXT('b', "0123456789a") },
		    { "L Ra@x|SA: 1|SB: 2|B0123456789\n|" } },
		{ "the old body makes room", message,
		    { TEXT('b', "1234567890"), TEXT('b', "abcdefghij\n") },
		    { "00 Ra@x|SA: 1|SB: 2|B1234567890abcdefghij\n|" } },
	};
	struct mlt_edit_opts o;
	char got[256];

	(void)state;
	for (size_t i = 0; i < 2 * (sizeof(cases) / sizeof(cases[0])); i++) {
		const struct edit_case *c = &cases[i / 2];

		o = by_rule[i & 1];
		o.max_bytes = 30;
		o.max_headers = 3;
		o.max_rcpts = 2;
		run(&o, c, got);
		assert_string_equal(got, c->want[c->want[i & 1] ? i & 1 : 0]);
	}
}

static void
long_addresses_are_refused(void **state)
{
	static char text[2050];
	struct mlt_action a[] = { { .reply = '+' }, { .reply = 'e' } };
	struct mlt_bytes t = { text, 2049 }, none = { NULL, 0 };
	struct mlt_edit *e;

	(void)state;
	memset(text, 'x', 2049);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(mlt_edit_new(&e, NULL), 0);
		assert_int_equal(mlt_edit_from(e, t, none), MLT_E_TOOBIG);
		assert_int_equal(mlt_edit_rcpt(e, none, t), MLT_E_TOOBIG);
		a[i & 1].text = i < 2 ? t : (struct mlt_bytes)B("a");
		a[i & 1].esmtp = i < 2 ? none : t;
		assert_int_equal(mlt_edit_apply(e, &a[i & 1]), MLT_E_TOOBIG);
		mlt_edit_free(e);
	}
	/* Parameters that add up. */
	assert_int_equal(mlt_edit_new(&e, NULL), 0);
	t.n = 2048;
	assert_int_equal(mlt_edit_from(e, none, t), 0);
	a[1].text = a[1].esmtp = (struct mlt_bytes)B("Y");
	assert_int_equal(mlt_edit_apply(e, &a[1]), MLT_E_TOOBIG);
	mlt_edit_free(e);
}

static void
rendering_gives_crlf(void **state)
{
	static const struct {
		const char *load, *want[2];
	} cases[] = {
		{ "", { "\r\n" } },
		{ "SA: 1\n\t2|OB:|", { "A: 1\r\n\t2\r\nB:\r\n\r\n" } },
		{ "B1\r\n\n2\n|", { "\r\n1\r\n\r\n2\r\n" } },
		{ "B1|", { "\r\n1", "\r\n1\r\n" } },
		{ "B\n|", { "\r\n\r\n" } },
		{ "B1\r2\r\n|", { "\r\n1\r2\r\n" } },
		{ "B1\r\r\n|", { "\r\n1\r\r\n" } },
		{ "SA: 1\r|", { "A: 1\r\r\n\r\n" } },
	};
	char got[64];

	(void)state;
	for (size_t i = 0; i < 2 * (sizeof(cases) / sizeof(cases[0])); i++) {
		const char *const *want = cases[i / 2].want;
		struct mlt_edit *e;
		size_t n;

		want += want[i & 1] ? i & 1 : 0;
		assert_int_equal(mlt_edit_new(&e, &by_rule[i & 1]), 0);
		assert_int_equal(load(e, cases[i / 2].load), 0);
		n = mlt_edit_render(e, NULL, 0);
		assert_int_equal(n, strlen(*want));
		memset(got, '#', sizeof(got));
		assert_int_equal(mlt_edit_render(e, got, n - 1), n);
		assert_int_equal(got[0], '#');
		assert_int_equal(mlt_edit_render(e, got, n), n);
		assert_memory_equal(got, *want, n);
		assert_int_equal(got[n], '#');
		mlt_edit_free(e);
	}
}

static const struct mlt_action everything[] = { ADD("A", "v"), INS(1, "X", "v"),
	CHG(2, "A", "v"), DEL(1, "A"), PAR('2', "c@x,d@x", "NOTIFY=NEVER"),
	TEXT('-', "<a@x>"), PAR('e', "e@x", "RET=FULL"), TEXT('q', "why"),
	TEXT('b', "1\r\n"), TEXT('b', "2\r\n") };

/* All requests on a message; NOMEM is repeated once.  What came of it is
 * added to `got`; number of calls that failed. */
static unsigned
all_of_it(int rule, char *got)
{
	static const struct mlt_bytes from = B("<f@x>"), size = B("SIZE=1");
	unsigned failed = 0;
	struct mlt_edit *e;
#define AGAIN(call)                                                            \
	if (call == MLT_E_NOMEM) {                                             \
		failed++;                                                      \
		assert_int_equal(call, 0);                                     \
	}
	AGAIN(mlt_edit_new(&e, &by_rule[rule]))
	AGAIN(mlt_edit_from(e, from, size))
	AGAIN(load(e, "Ra@x NOTIFY=NEVER|"))
	AGAIN(load(e, "Rb@x|"))
	AGAIN(load(e, "SA: 1|"))
	AGAIN(load(e, "SA: 2|"))
	AGAIN(load(e, "Bold\r\n|"))
	for (size_t i = 0; i < sizeof(everything) / sizeof(everything[0]); i++)
		AGAIN(mlt_edit_apply(e, &everything[i]))
	dump(e, got);
	mlt_edit_free(e);
	return failed;
}

static void
a_call_that_found_no_memory_can_be_repeated(void **state)
{
	static const char *const want[] = {
		"Fe@x SIZE=1 RET=FULL|Rb@x|Rc@x NOTIFY=NEVER|Rd@x NOTIFY=NEVER|"
		"SX: v|SA: v|SA: 2|B1\n2\n|Qwhy|",
		"Fe@x SIZE=1 RET=FULL|Rb@x|Rc@x NOTIFY=NEVER|SX: v|SA: v|SA: v|"
		"B1\n2\n|Qwhy|",
	};

	(void)state;
	for (int r = 0; r < 2; r++) {
		unsigned failed = 1;

		for (size_t i = 0; failed; i++) {
			char got[512] = "";

			failmalloc_once(i);
			failed = all_of_it(r, got);
			failmalloc_off();
			assert_string_equal(got, want[r]);
			if (!failed)
				assert_in_range(i, 15, 60);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addheader_finds_its_place),
		cmocka_unit_test(insheader_counts_all_headers),
		cmocka_unit_test(chgheader_counts_what_the_filter_sees),
		cmocka_unit_test(deleted_headers_are_counted_by_sendmail),
		cmocka_unit_test(leading_space_is_the_filters_when_agreed),
		cmocka_unit_test(broken_headers_never_get_in),
		cmocka_unit_test(replbody_replaces_once_then_appends),
		cmocka_unit_test(replbody_converts_line_ends),
		cmocka_unit_test(replbody_must_be_agreed_with_sendmail),
		cmocka_unit_test(addrcpt_takes_one_or_a_list),
		cmocka_unit_test(delrcpt_compares_without_brackets),
		cmocka_unit_test(chgfrom_changes_address_and_parameters),
		cmocka_unit_test(quarantine_keeps_the_reason),
		cmocka_unit_test(other_replies_are_no_changes),
		cmocka_unit_test(next_filter_counts_anew),
		cmocka_unit_test(loading_refuses_what_cannot_be),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(long_addresses_are_refused),
		cmocka_unit_test(rendering_gives_crlf),
		cmocka_unit_test(a_call_that_found_no_memory_can_be_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
