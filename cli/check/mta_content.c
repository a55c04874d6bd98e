/* SPDX-License-Identifier: MIT */
/*
 * mta_content: what the filter is told of the client and its message.
 */
#include "cli/check/mta.h"

#include <string.h>

/* The payload of the nth command of this kind; fails if it was not sent. */
static struct mlt_bytes
nth(struct check_run *run, const struct played *f, uint8_t cmd, unsigned n)
{
	long i = played_nth(f, cmd, n);

	if (i >= 0)
		return played_payload(f, (size_t)i);
	check_fail(
	    run, "%s was sent %u times", mlt_command_name(cmd), f->count[cmd]);
	return (struct mlt_bytes){ NULL, 0 };
}

static enum check_result
is_text(struct check_run *run, struct mlt_bytes got, const char *want)
{
	if (mta_is(got, want))
		return CHECK_PASS;
	return check_fail(run, "the MTA told %s, not %s",
	    mta_show(got.p, got.n).text, mta_show(want, strlen(want)).text);
}

static enum check_result
client_address(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);
	const struct played *f = mta_heard(run, NULL);
	struct mlt_bytes p, addr;
	const unsigned char *rest;
	size_t at;

	if (!f || !(p = nth(run, f, MLT_SMFIC_CONNECT, 1)).p)
		return CHECK_FAIL;
	at = played_string(p, 0, 0).n + 1;
	if (at + 3 >= p.n)
		return check_fail(
		    run, "CONNECT is %s", mta_show(p.p, p.n).text);
	rest = (const unsigned char *)p.p + at;
	addr = played_string(p, at + 3, 0);
	if (addr.n > 5 && memcmp(addr.p, "IPv6:", 5) == 0)
		return check_not_applicable(
		    run, "the client is %s", mta_show(addr.p, addr.n).text);
	if ((rest[1] << 8 | rest[2]) != r->client_port)
		return check_fail(run, "the port is %d, not %u",
		    rest[1] << 8 | rest[2], r->client_port);
	return is_text(run, addr, r->client_addr);
}

static enum check_result
helo_name(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);
	const struct played *f = mta_heard(run, NULL);
	struct mlt_bytes p;

	if (!f || !(p = nth(run, f, MLT_SMFIC_HELO, 1)).p)
		return CHECK_FAIL;
	return is_text(run, played_string(p, 0, 0), r->o->helo);
}

/* <address> */
static enum check_result
is_address(struct check_run *run, struct mlt_bytes p, const char *address)
{
	struct mlt_bytes v = played_string(p, 0, 0);

	if (v.n >= 2 && v.p[0] == '<' && v.p[v.n - 1] == '>' &&
	    mta_is((struct mlt_bytes){ v.p + 1, v.n - 2 }, address))
		return CHECK_PASS;
	return check_fail(run, "the MTA told %s, not \"<%s>\"",
	    mta_show(v.p, v.n).text, address);
}

static enum check_result
sender(struct check_run *run)
{
	static const struct rig_mail sized = { .mail_args = " SIZE=1000" };
	struct mta_rig *r = mta_begin(run);
	bool size = smtp_reply_has(&r->ehlo, "SIZE");
	const struct played *f = mta_heard(run, size ? &sized : NULL);
	struct mlt_bytes p;

	if (!f || !(p = nth(run, f, MLT_SMFIC_MAIL, 1)).p ||
	    is_address(run, p, r->o->from) == CHECK_FAIL)
		return CHECK_FAIL;
	if (!size)
		return CHECK_PASS;
	return is_text(run, played_string(p, 0, 1), "SIZE=1000");
}

static enum check_result
recipients(struct check_run *run)
{
	static const struct rig_mail two = { .two = true };
	struct mta_rig *r = mta_begin(run);
	const struct played *f = mta_heard(run, &two);
	struct mlt_bytes p[2];

	if (!f || !(p[0] = nth(run, f, MLT_SMFIC_RCPT, 1)).p ||
	    !(p[1] = nth(run, f, MLT_SMFIC_RCPT, 2)).p ||
	    is_address(run, p[0], r->o->to) == CHECK_FAIL)
		return CHECK_FAIL;
	return is_address(run, p[1], r->o->to2);
}

static enum check_result
null_sender(struct check_run *run)
{
	static const struct rig_mail mail = { .null_sender = true };
	const struct played *f;
	struct mlt_bytes p;

	mta_begin(run);
	f = mta_heard(run, &mail);
	if (!f || !(p = nth(run, f, MLT_SMFIC_MAIL, 1)).p)
		return CHECK_FAIL;
	return is_address(run, p, "");
}

/* ---- header ------------------------------------------------------------------------ */

struct field {
	const char *name, *value;
};

/* These fields are told in this order, perhaps with others between them. */
static enum check_result
fields_are(struct check_run *run, const struct played *f,
    const struct field *want, size_t n)
{
	size_t got = 0;

	for (size_t i = 0; i < f->n && got < n; i++) {
		struct mlt_bytes p = played_payload(f, i), value;

		if (f->v[i].cmd != MLT_SMFIC_HEADER ||
		    !mta_is(played_string(p, 0, 0), want[got].name))
			continue;
		value = played_string(p, 0, 1);
		if (!mta_is(value, want[got].value))
			return check_fail(run, "%s is told as %s, not %s",
			    want[got].name, mta_show(value.p, value.n).text,
			    mta_show(want[got].value, strlen(want[got].value))
				.text);
		got++;
	}
	return got == n ? CHECK_PASS
			: check_fail(run, "%s is not told, or not there",
			      want[got].name);
}

static enum check_result
header_fields(struct check_run *run)
{
	static const struct rig_mail mail = {
		.fields = "X-First: 1\r\nX-Second: two words \r\n"
			  "x-first: again\r\nX-Colon: a: b\r\n"
	};
	static const struct field want[] = { { "Subject", "milter-check" },
		{ "X-First", "1" }, { "X-Second", "two words " },
		{ "x-first", "again" }, { "X-Colon", "a: b" } };
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, &mail);
	return f ? fields_are(run, f, want, sizeof(want) / sizeof(want[0]))
		 : CHECK_FAIL;
}

static enum check_result
folded_field(struct check_run *run)
{
	static const struct rig_mail mail = {
		.fields = "X-Fold: one\r\n two\r\n\tthree\r\n"
	};
	static const struct field want = { "X-Fold", "one\n two\n\tthree" };
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, &mail);
	return f ? fields_are(run, f, &want, 1) : CHECK_FAIL;
}

static enum check_result
end_of_header(struct check_run *run)
{
	static const struct rig_mail empty = { .body = "" };

	mta_begin(run);
	if (!mta_heard(run, NULL) ||
	    mta_said(run, "^OCH+MRT?L+NB+E[AQ]*$") == CHECK_FAIL)
		return CHECK_FAIL;
	mta_begin(run);
	return mta_heard(run, &empty) ? mta_said(run, "^OCH+MRT?L+NB*E[AQ]*$")
				      : CHECK_FAIL;
}

static enum check_result
own_received(struct check_run *run)
{
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, NULL);
	for (size_t i = 0; f && i < f->n; i++)
		if (f->v[i].cmd == MLT_SMFIC_HEADER &&
		    mta_is(
			played_string(played_payload(f, i), 0, 0), "Received"))
			return check_fail(run, "Received is told");
	return f ? CHECK_PASS : CHECK_FAIL;
}

/* ---- body -------------------------------------------------------------------------- */

/* The pieces of the body make up this text. */
static enum check_result
body_is(
    struct check_run *run, const struct played *f, const char *want, size_t n)
{
	enum check_result result = CHECK_PASS;
	struct buf got;
	size_t same = 0;

	buf_init(&got, 0);
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].cmd == MLT_SMFIC_BODY)
			buf_add(&got, played_payload(f, i).p, f->v[i].n);
	while (same < n && same < buf_len(&got) &&
	       buf_data(&got)[same] == want[same])
		same++;
	if (same < n || same < buf_len(&got))
		result = check_fail(run,
		    "the body told has %zu octets, of which the first %zu are "
		    "as they were sent; %zu were sent",
		    buf_len(&got), same, n);
	buf_fini(&got);
	return result;
}

static enum check_result
whole_body(struct check_run *run)
{
	static const char body[] = "Hello.\r\n.\r\n..two dots\r\n\r\n"
				   "\ttab, blanks at the end  \r\nlast\r\n";
	static const struct rig_mail mail = { .body = body };
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, &mail);
	return f ? body_is(run, f, body, sizeof(body) - 1) : CHECK_FAIL;
}

static enum check_result
large_body(struct check_run *run)
{
	static char body[200000];
	struct rig_mail mail = { .body = body, .body_n = sizeof(body) };
	const struct played *f;

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = i % 80 == 78   ? '\r'
			  : i % 80 == 79 ? '\n'
					 : (char)('a' + i % 23);
	mta_begin(run);
	f = mta_heard(run, &mail);
	for (size_t i = 0; f && i < f->n; i++)
		if (f->v[i].cmd == MLT_SMFIC_BODY &&
		    (f->v[i].n < 1 || f->v[i].n > MLT_BODY_MAX))
			return check_fail(
			    run, "a piece has %zu octets", f->v[i].n);
	return f ? body_is(run, f, body, sizeof(body)) : CHECK_FAIL;
}

static enum check_result
empty_body(struct check_run *run)
{
	static const struct rig_mail empty = { .body = "" };
	const struct played *f;

	mta_begin(run);
	f = mta_heard(run, &empty);
	if (f && f->count[MLT_SMFIC_BODY])
		return check_fail(
		    run, "BODY was sent %u times", f->count[MLT_SMFIC_BODY]);
	return f ? CHECK_PASS : CHECK_FAIL;
}

static enum check_result
octets_over_127(struct check_run *run)
{
	static const char body[] = "Gr\xc3\xbc\xc3\x9f"
				   "e, \xfe\xff\r\n";
	static const struct rig_mail mail = { .body = body,
		.mail_args = " BODY=8BITMIME" };
	struct mta_rig *r = mta_begin(run);
	const struct played *f;

	if (!smtp_reply_has(&r->ehlo, "8BITMIME"))
		return check_not_applicable(run, "EHLO has no 8BITMIME");
	f = mta_heard(run, &mail);
	return f ? body_is(run, f, body, sizeof(body) - 1) : CHECK_FAIL;
}

static enum check_result
unknown_command(struct check_run *run)
{
	const struct played *f;
	struct mlt_bytes p;

	mta_begin(run);
	if (mta_of(run)->offer.version < 3)
		return check_not_applicable(run, "version 3 is not offered");
	f = mta_heard_all(run, NULL, false);
	if (!f || !(p = nth(run, f, MLT_SMFIC_UNKNOWN, 1)).p)
		return CHECK_FAIL;
	if (p.n >= 6 && memcmp(p.p, "XCHECK", 6) == 0)
		return CHECK_PASS;
	return check_fail(run, "the MTA told %s", mta_show(p.p, p.n).text);
}

const struct check_case mta_content_cases[] = {
	{ "client-address", 360, MTA_PROFILE, client_address },
	{ "helo-name", 361, MTA_PROFILE, helo_name },
	{ "sender", 362, MTA_PROFILE, sender },
	{ "recipients", 363, MTA_PROFILE, recipients },
	{ "null-sender", 364, MTA_PROFILE, null_sender },
	{ "header-fields", 365, MTA_PROFILE, header_fields },
	{ "folded-field", 366, MTA_PROFILE, folded_field },
	{ "end-of-header", 367, MTA_PROFILE, end_of_header },
	{ "whole-body", 368, MTA_PROFILE, whole_body },
	{ "large-body", 369, MTA_PROFILE, large_body },
	{ "empty-body", 370, MTA_PROFILE, empty_body },
	{ "unknown-command", 371, MTA_PROFILE, unknown_command },
	{ "octets-over-127", 372, MTA_PROFILE, octets_over_127 },
	{ "own-received", 373, MTA_PROFILE, own_received },
	{ .name = NULL },
};
