/* SPDX-License-Identifier: MIT */
/*
 * filter_content: what may stand in commands, fields and bodies: whatever it is,
 * each step is answered, and the message is judged.
 */
#include "cli/check/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(literal) literal, sizeof(literal) - 1

/* One command with a payload, in place of the step it belongs to. */
struct content {
	const char *name;
	enum talk_step step; /* which it replaces */
	const char *payload;
	size_t n;
};

static const struct content contents[] = {
	/* spec:connect  The families, and how Sendmail and Postfix write them. */
	{ "client-ipv6-sendmail", TALK_CONNECT,
	    S("[IPv6:2001:db8:0:0:0:0:0:1]\0006\xa8\x61"
	      "IPv6:2001:db8:0:0:0:0:0:1\0") },
	{ "client-ipv6-postfix", TALK_CONNECT,
	    S("mail.example.net\0006\1\xbb"
	      "2001:db8::1\0") },
	{ "client-unix", TALK_CONNECT, S("localhost\0L\0\0/run/x.sock\0") },
	{ "client-unknown", TALK_CONNECT, S("unknown\0U") },
	{ "client-port-zero", TALK_CONNECT,
	    S("localhost\0004\0\000127.0.0.1\0") },
	{ "helo-of-8-bits", TALK_HELO, S("\303\244\377.example\0") },
	{ "helo-of-controls", TALK_HELO, S("a\tb\033[31mc\r\n.example\0") },
	{ "sender-null", TALK_MAIL, S("<>\0") },
	{ "sender-empty", TALK_MAIL, S("\0") },
	{ "sender-without-brackets", TALK_MAIL, S("alice@example.net\0") },
	{ "sender-of-8-bits", TALK_MAIL,
	    S("<j\303\266rg@example.net>\0SMTPUTF8\0") },
	{ "sender-with-line-ends", TALK_MAIL, S("<a\r\nb@example.net>\0") },
	{ "sender-with-parameters", TALK_MAIL,
	    S("<alice@example.net>\0SIZE=1\0BODY=8BITMIME\0RET=HDRS\0"
	      "ENVID=x+2Dy\0AUTH=<>\0") },
	{ "recipient-source-route", TALK_RCPT,
	    S("<@a.example,@b.example:bob@example.org>\0NOTIFY=NEVER\0") },
	{ "recipient-quoted", TALK_RCPT, S("<\"bob \\\" %s\"@example.org>\0") },
	{ "recipient-empty", TALK_RCPT, S("\0") },
	{ "header-without-value", TALK_HEADER, S("X-Empty\0\0") },
	{ "header-folded", TALK_HEADER,
	    S("To\0a@example.org,\n\tb@example.org\0") },
	{ "header-of-8-bits", TALK_HEADER, S("Subject\0\303\244\377\200\0") },
	{ "header-with-a-cr", TALK_HEADER, S("Subject\0one\rtwo\r\n three\0") },
	{ "header-with-a-strange-name", TALK_HEADER, S("X y:z%s\0v\0") },
	{ "body-with-nul", TALK_BODY, S("a\0b\r\n\0\0\r\n") },
	{ "body-of-bare-line-ends", TALK_BODY, S("a\nb\rc\r\r\nd\n\n.\n") },
	{ "body-of-8-bits", TALK_BODY, S("\377\376\303\244\200\r\n") },
	{ "body-of-one-long-line", TALK_BODY, NULL, 60000 },
	{ "header-of-64-kib", TALK_HEADER, NULL, MLT_DATA_MAX },
	{ "sender-of-64-kib", TALK_MAIL, NULL, MLT_DATA_MAX },
};

static const struct content *
find(const char *name)
{
	const struct content *c = contents;

	while (strcmp(c->name, name) != 0)
		c++;
	return c;
}

/* The payload; of the long ones, letters and the NULs that are due. */
static char *
payload(const struct content *c)
{
	char *p = malloc(c->n);

	if (!p)
		return NULL;
	memset(p, 'x', c->n);
	if (c->payload)
		memcpy(p, c->payload, c->n);
	else if (c->step != TALK_BODY)
		p[c->n - 1] = '\0';
	if (!c->payload && c->step == TALK_HEADER)
		p[20] = '\0';
	return p;
}

static enum check_result
run_content(struct check_run *run)
{
	const struct content *c = find(run->current->name);
	uint8_t cmd = talk_step_octet(c->step);
	enum check_result result = CHECK_PASS;
	char *p = payload(c);
	struct talk t;
	int rc, got;

	if (!p || talk_open(&t, run, NULL) < 0) {
		free(p);
		return CHECK_FAIL;
	}
	rc = talk_until(&t, c->step - 1);
	if (rc == 0 && talk_wants(&t, cmd)) {
		got = talk_say(&t, cmd, p, c->n);
		t.step = c->step;
		if (got != TALK_NONE && !talk_is_legal(cmd, got))
			result = talk_bad(&t, cmd, got);
		else if (talk_goes_on(got) && talk_until(&t, TALK_EOM) < 0)
			result = CHECK_FAIL;
	} else if (rc < 0) {
		result = CHECK_FAIL;
	} else {
		result = check_not_applicable(
		    run, "the filter does not see %s", talk_step_word(c->step));
	}
	talk_quit(&t);
	free(p);
	return result == CHECK_PASS ? talk_session(run, c->name) : result;
}

/* ---- many ------------------------------------------------------------------------------ */

/* Passes what `say` says in place of a step, then the rest of the message. */
static enum check_result
amid(struct check_run *run, enum talk_step step, int (*say)(struct talk *t))
{
	struct talk t;
	int rc;

	if (talk_open(&t, run, NULL) < 0)
		return CHECK_FAIL;
	rc = talk_until(&t, step - 1);
	if (rc == 0) {
		rc = say(&t);
		t.step = step;
	}
	if (rc == 0)
		rc = talk_until(&t, TALK_EOM);
	talk_quit(&t);
	return rc < 0 ? CHECK_FAIL : talk_session(run, run->current->name);
}

/* What talk_until gives, of one command. */
static int
judge(struct talk *t, uint8_t cmd, int got)
{
	if (got == TALK_NONE || talk_goes_on(got))
		return 0;
	if (talk_is_legal(cmd, got))
		return 1;
	talk_bad(t, cmd, got);
	return -1;
}

static int
say_many_headers(struct talk *t)
{
	int rc = 0;

	for (int i = 0; i < 10000 && rc == 0; i++) {
		char field[40];
		int n =
		    snprintf(field, sizeof(field), "X-Field%cvalue %d", 0, i);

		rc = judge(t, MLT_SMFIC_HEADER,
		    talk_say(t, MLT_SMFIC_HEADER, field, (size_t)n + 1));
	}
	return rc;
}

static enum check_result
many_headers(struct check_run *run)
{
	return amid(run, TALK_HEADER, say_many_headers);
}

static int
say_chunk(struct talk *t, const char *p, size_t n)
{
	return judge(t, MLT_SMFIC_BODY, talk_say(t, MLT_SMFIC_BODY, p, n));
}

/* Bodies whose last chunk ends around a boundary, a line end across it. */
static int
say_boundary(struct talk *t, size_t size)
{
	static char chunk[MLT_BODY_MAX];
	int rc = 0;

	memset(chunk, 'x', sizeof(chunk));
	chunk[sizeof(chunk) - 1] = '\r';
	chunk[0] = '\n';
	while (size > 0 && rc == 0) {
		size_t n = size < sizeof(chunk) ? size : sizeof(chunk);

		rc = say_chunk(t, chunk, n);
		size -= n;
	}
	return rc;
}

static int
say_65534(struct talk *t)
{
	return say_boundary(t, 65534);
}

static int
say_65536(struct talk *t)
{
	return say_boundary(t, 65536);
}

static int
say_131070(struct talk *t)
{
	return say_boundary(t, 131070);
}

static int
say_1_mib(struct talk *t)
{
	return say_boundary(t, 1 << 20);
}

static int
say_single_octets(struct talk *t)
{
	static const char body[] = "one\r\ntwo\r\n";
	int rc = 0;

	for (size_t i = 0; i < sizeof(body) - 1 && rc == 0; i++)
		rc = say_chunk(t, body + i, 1);
	return rc;
}

#define BODY(name)                                                             \
	static enum check_result body_##name(struct check_run *run)            \
	{                                                                      \
		return amid(run, TALK_BODY, say_##name);                       \
	}
BODY(65534)
BODY(65536)
BODY(131070)
BODY(1_mib)
BODY(single_octets)

const struct check_case filter_content_cases[] = {
	{ "client-ipv6-sendmail", 194, FILTER_HOSTILE, run_content },
	{ "client-ipv6-postfix", 194, FILTER_HOSTILE, run_content },
	{ "client-unix", 194, FILTER_HOSTILE, run_content },
	{ "client-unknown", 194, FILTER_HOSTILE, run_content },
	{ "client-port-zero", 194, FILTER_HOSTILE, run_content },
	{ "helo-of-8-bits", 195, FILTER_HOSTILE, run_content },
	{ "helo-of-controls", 195, FILTER_HOSTILE, run_content },
	{ "sender-null", 196, FILTER_HOSTILE, run_content },
	{ "sender-empty", 196, FILTER_HOSTILE, run_content },
	{ "sender-without-brackets", 196, FILTER_HOSTILE, run_content },
	{ "sender-of-8-bits", 195, FILTER_HOSTILE, run_content },
	{ "sender-with-line-ends", 195, FILTER_HOSTILE, run_content },
	{ "sender-with-parameters", 196, FILTER_HOSTILE, run_content },
	{ "sender-of-64-kib", 199, FILTER_HOSTILE, run_content },
	{ "recipient-source-route", 196, FILTER_HOSTILE, run_content },
	{ "recipient-quoted", 196, FILTER_HOSTILE, run_content },
	{ "recipient-empty", 196, FILTER_HOSTILE, run_content },
	{ "header-without-value", 197, FILTER_HOSTILE, run_content },
	{ "header-folded", 197, FILTER_HOSTILE, run_content },
	{ "header-of-8-bits", 195, FILTER_HOSTILE, run_content },
	{ "header-with-a-cr", 195, FILTER_HOSTILE, run_content },
	{ "header-with-a-strange-name", 195, FILTER_HOSTILE, run_content },
	{ "header-of-64-kib", 199, FILTER_HOSTILE, run_content },
	{ "many-headers", 198, FILTER_HOSTILE, many_headers },
	{ "body-with-nul", 200, FILTER_HOSTILE, run_content },
	{ "body-of-bare-line-ends", 200, FILTER_HOSTILE, run_content },
	{ "body-of-8-bits", 200, FILTER_HOSTILE, run_content },
	{ "body-of-one-long-line", 200, FILTER_HOSTILE, run_content },
	{ "body-of-65534", 201, FILTER_HOSTILE, body_65534 },
	{ "body-of-65536", 201, FILTER_HOSTILE, body_65536 },
	{ "body-of-131070", 201, FILTER_HOSTILE, body_131070 },
	{ "body-of-1-mib", 201, FILTER_HOSTILE, body_1_mib },
	{ "body-of-single-octets", 201, FILTER_HOSTILE, body_single_octets },
	{ .name = NULL },
};
