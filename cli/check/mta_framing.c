/* SPDX-License-Identifier: MIT */
/*
 * mta_framing: packets and their payloads, before what they mean.
 */
#include "cli/check/mta.h"

#include <string.h>

/* A session with all that an MTA says of its own accord. */
static const struct played *
tour(struct check_run *run)
{
	static char body[150000];
	static const char line[] =
	    "0123456789 the quick brown fox jumps over the lazy dog\r\n";
	struct rig_mail large = { .body = body, .two = true };

	while (large.body_n + sizeof(line) - 1 <= sizeof(body)) {
		memcpy(body + large.body_n, line, sizeof(line) - 1);
		large.body_n += sizeof(line) - 1;
	}
	mta_begin(run);
	return mta_heard_all(run, &large, true);
}

static enum check_result
whole_packets(struct check_run *run)
{
	const struct played *f = tour(run);

	if (!f)
		return CHECK_FAIL;
	if (buf_len(&f->in))
		return check_fail(run,
		    "%zu octets behind the last packet are none",
		    buf_len(&f->in));
	return CHECK_PASS;
}

/* Whether a payload behind `skip` octets is so many strings, and no more. */
static bool
is_strings(struct mlt_bytes p, size_t skip, size_t least, size_t most)
{
	size_t n = 0;

	if (p.n < skip)
		return false;
	for (size_t i = skip; i < p.n; i++)
		n += p.p[i] == '\0';
	return n >= least && n <= most && p.n > skip && p.p[p.n - 1] == '\0';
}

/* spec:connect  The name, a family, and for all but U a port and an address. */
static bool
is_connect(struct mlt_bytes p)
{
	struct mlt_bytes host = played_string(p, 0, 0);
	size_t family = host.n + 1;

	if (!host.p || family >= p.n || !strchr("UL46", p.p[family]))
		return false;
	if (p.p[family] == 'U')
		return family + 1 == p.n;
	return is_strings(p, family + 3, 1, 1);
}

static bool
strings_are_right(uint8_t cmd, struct mlt_bytes p)
{
	switch (cmd) {
	case MLT_SMFIC_CONNECT:
		return is_connect(p);
	case MLT_SMFIC_HELO:
	case MLT_SMFIC_UNKNOWN:
		return is_strings(p, 0, 1, 1);
	case MLT_SMFIC_MAIL:
	case MLT_SMFIC_RCPT:
		return is_strings(p, 0, 1, SIZE_MAX);
	case MLT_SMFIC_HEADER:
		return is_strings(p, 0, 2, 2) && *p.p != '\0';
	default:
		return true;
	}
}

static enum check_result
strings_terminated(struct check_run *run)
{
	const struct played *f = tour(run);

	for (size_t i = 0; f && i < f->n; i++) {
		struct mlt_bytes p = played_payload(f, i);

		if (!strings_are_right(f->v[i].cmd, p))
			return check_fail(run, "the payload of %s is %s",
			    mlt_command_name(f->v[i].cmd),
			    mta_show(p.p, p.n).text);
	}
	return f ? CHECK_PASS : CHECK_FAIL;
}

/* Those of these commands have no payload. */
static enum check_result
are_empty(struct check_run *run, const char *commands)
{
	const struct played *f = tour(run);

	for (size_t i = 0; f && i < f->n; i++)
		if (strchr(commands, f->v[i].cmd) && f->v[i].n)
			return check_fail(run, "%s has %zu octets of payload",
			    mlt_command_name(f->v[i].cmd), f->v[i].n);
	return f ? CHECK_PASS : CHECK_FAIL;
}

static enum check_result
empty_payloads(struct check_run *run)
{
	return are_empty(run, "TNAQ");
}

static enum check_result
end_without_data(struct check_run *run)
{
	return are_empty(run, "E");
}

static enum check_result
answers_in_pieces(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	r->plan.piecemeal = true;
	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	plan_header(&r->plan, MLT_SMFIR_ADDHEADER, 0, "X-Piece", "by piece");
	plan_reply(&r->plan, MLT_SMFIR_CONTINUE);
	if (!mta_delivered(run, NULL))
		return CHECK_FAIL;
	return mta_field_is(run, "X-Piece", 1, " by piece");
}

static enum check_result
answers_together(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	plan_header(&r->plan, MLT_SMFIR_ADDHEADER, 0, "X-One", "1");
	plan_reply(&r->plan, MLT_SMFIR_PROGRESS);
	plan_header(&r->plan, MLT_SMFIR_ADDHEADER, 0, "X-Two", "2");
	plan_reply(&r->plan, MLT_SMFIR_CONTINUE);
	if (!mta_delivered(run, NULL) ||
	    mta_field_is(run, "X-One", 1, " 1") == CHECK_FAIL)
		return CHECK_FAIL;
	return mta_field_is(run, "X-Two", 1, " 2");
}

const struct check_case mta_framing_cases[] = {
	{ "whole-packets", 300, MTA_PROFILE, whole_packets },
	{ "strings-terminated", 301, MTA_PROFILE, strings_terminated },
	{ "empty-payloads", 302, MTA_PROFILE, empty_payloads },
	{ "end-without-data", 303, MTA_PROFILE, end_without_data },
	{ "answers-in-pieces", 304, MTA_PROFILE, answers_in_pieces },
	{ "answers-together", 305, MTA_PROFILE, answers_together },
	{ .name = NULL },
};
