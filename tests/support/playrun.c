/* SPDX-License-Identifier: MIT */
/* playrun: a script played in memory; see playrun.h. */
#include "tests/support/playrun.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define B(s) PLAYRUN_B(s)

/* ---- what was said ------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void
add(char *to, size_t room, const char *fmt, ...)
{
	size_t n = strlen(to);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to + n, room - n, fmt, ap);
	va_end(ap);
}
#define ADD(member, ...) add(member, sizeof(member), __VA_ARGS__)

static void
note_macros(struct playrun *r, const char *p, size_t n)
{
	const char *end = p + n;
	const char *blank = "";

	ADD(r->macros, "%s%c(", *r->macros ? " " : "", *p++);
	while (p < end) {
		ADD(r->macros, "%s%s", blank, p);
		p += strlen(p) + 1;
		ADD(r->macros, "=%s", p);
		p += strlen(p) + 1;
		blank = " ";
	}
	ADD(r->macros, ")");
}

/* Whole packets only: the MTA side gives nothing else. */
static void
note_wire(struct playrun *r, const uint8_t *p, size_t n)
{
	size_t len;

	r->octets += n;
	for (; n >= 5; p += len, n -= len) {
		len = 4 + ((size_t)p[0] << 24 | (size_t)p[1] << 16 |
			      (size_t)p[2] << 8 | p[3]);
		if (len > n)
			abort();
		ADD(r->wire, "%s%c", *r->wire ? " " : "", p[4]);
		if (p[4] == 'D') {
			ADD(r->wire, "%c", p[5]);
			note_macros(r, (const char *)p + 5, len - 5);
		}
		for (size_t i = 5; p[4] == 'B' && i < len; i++)
			r->body_sum += (uint32_t)++r->body_octets * p[i];
	}
	if (n > 0)
		abort();
}

static void
note_event(struct playrun *r, const struct mlt_play_event *ev)
{
	ADD(r->events, "%s", *r->events ? " " : "");
	switch (ev->type) {
	case MLT_PLAY_REPLY:
		ADD(r->events, "%c%c", ev->stage, ev->action.reply);
		break;
	case MLT_PLAY_CHANGE:
		ADD(r->events, "%c:%c", ev->stage, ev->action.reply);
		break;
	case MLT_PLAY_SKIPPED:
		ADD(r->events, "%c-", ev->stage);
		break;
	case MLT_PLAY_MESSAGE:
		ADD(r->events, "%s", mlt_verdict_name(ev->verdict));
		snprintf(r->told, sizeof(r->told), "%.*s", (int)ev->answer.n,
		    ev->answer.n ? ev->answer.p : "");
		break;
	case MLT_PLAY_DONE:
		ADD(r->events, "done(%zu)", ev->message);
		break;
	case MLT_PLAY_VIOLATION:
		ADD(r->events, "violation(%c %s %llu)", ev->stage, ev->text,
		    (unsigned long long)ev->offset);
		break;
	case MLT_PLAY_EVENT_N:
		abort();
	}
}

/* ---- the filter ------------------------------------------------------------------ */

static const struct playrun_rule *
rule_for(const struct playrun *r, enum mlt_event_type type, unsigned rcpt)
{
	static const char octets[MLT_EV_N] = {
		[MLT_EV_CONNECT] = 'C',
		[MLT_EV_HELO] = 'H',
		[MLT_EV_MAIL] = 'M',
		[MLT_EV_RCPT] = 'R',
		[MLT_EV_DATA] = 'T',
		[MLT_EV_HEADER] = 'L',
		[MLT_EV_EOH] = 'N',
		[MLT_EV_BODY] = 'B',
		[MLT_EV_EOM] = 'E',
		[MLT_EV_UNKNOWN] = 'U',
	};
	const struct playrun_rule *rule = r->rules;

	for (; rule && rule->at; rule++) {
		if (rule->at[0] == octets[type] &&
		    (!rule->at[1] || rule->at[1] == (char)('0' + rcpt)))
			return rule;
	}
	return NULL;
}

static int
answer(struct playrun *r, struct mlt_filter *f, const struct mlt_event *ev,
    unsigned *rcpt)
{
	const struct playrun_rule *rule;
	struct mlt_reply reply = { MLT_REPLY_CONTINUE, NULL, NULL, { "", 0 } };
	int rc;

	if (ev->type == MLT_EV_MAIL)
		*rcpt = 0;
	if (ev->type == MLT_EV_RCPT)
		++*rcpt;
	if (ev->type == MLT_EV_EOM && r->at_eom)
		r->at_eom(f);
	if (!mlt_filter_wants_reply(f))
		return 0;
	rule = rule_for(r, ev->type, *rcpt);
	if (rule) {
		reply.type = rule->type;
		reply.code = rule->code;
		if (rule->text)
			reply.text = (struct mlt_bytes){ rule->text,
				strlen(rule->text) };
	}
	do
		rc = mlt_filter_reply(f, &reply);
	while (rc == MLT_E_NOMEM && r->retry);
	return rc;
}

/* Everything that is there to be heard. */
static int
filter_turn(struct playrun *r, struct mlt_filter *f, unsigned *rcpt)
{
	struct mlt_event ev;
	int rc;

	for (;;) {
		rc = mlt_filter_next(f, &ev);
		if (rc == MLT_E_NOMEM && r->retry)
			continue;
		if (rc <= 0)
			return rc;
		rc = answer(r, f, &ev, rcpt);
		if (rc < 0)
			return rc;
	}
}

/* ---- both ------------------------------------------------------------------------ */

static int
play_turn(struct playrun *r, struct mlt_play *p)
{
	struct mlt_play_event ev;
	int rc;

	for (;;) {
		rc = mlt_play_next(p, &ev);
		if (rc == MLT_E_NOMEM && r->retry)
			continue;
		if (rc <= 0)
			return rc;
		note_event(r, &ev);
	}
}

static int
converse(struct playrun *r, struct mlt_play *p, struct mlt_filter *f)
{
	static uint8_t lent[4096]; /* borrowed by p */
	const uint8_t *b;
	unsigned rcpt = 0;
	size_t n;
	int rc;

	for (;;) {
		rc = play_turn(r, p);
		n = mlt_play_output(p, &b);
		note_wire(r, b, n);
		if (rc < 0)
			return rc;
		rc = mlt_filter_feed(f, b, n);
		if (rc == 0)
			rc = filter_turn(r, f, &rcpt);
		if (rc < 0)
			return rc;
		mlt_play_sent(p, n);
		if (mlt_play_done(p))
			return 0;
		r->turns += mlt_play_awaits(p);
		n = mlt_filter_output(f, &b);
		if (n == 0)
			continue;
		if (n > sizeof(lent))
			abort();
		memcpy(lent, b, n);
		mlt_filter_sent(f, n);
		rc = mlt_play_feed(p, lent, n);
		if (rc < 0)
			return rc;
	}
}

void
playrun(struct playrun *r)
{
	struct mlt_play *p = NULL;
	struct mlt_filter *f = NULL;

	do
		r->rc = mlt_play_new(&p, &r->play, r->script);
	while (r->rc == MLT_E_NOMEM && r->retry);
	if (r->rc < 0)
		return;
	do
		r->rc = mlt_filter_new(&f, &r->filter);
	while (r->rc == MLT_E_NOMEM && r->retry);
	if (r->rc == 0)
		r->rc = converse(r, p, f);
	mlt_filter_free(f);
	mlt_play_free(p);
}

/* ---- the script ------------------------------------------------------------------ */

const struct mlt_play_script *
playrun_script(size_t n_messages)
{
	static const struct mlt_bytes client[] = { B("j"), B("mx.example"),
		B("_"), B("c.example [192.0.2.1]"), B("{daemon_name}"),
		B("MTA"), B("{daemon_addr}"), B("192.0.2.9"), B("v"), B("1.0"),
		B("{if_addr}"), B("192.0.2.9") };
	static const struct mlt_bytes from[] = { B("<a@example.org>"),
		B("SIZE=10") };
	static const struct mlt_bytes from2[] = { B("<>") };
	static const struct mlt_bytes mail[] = { B("i"), B("4F1A"),
		B("{mail_addr}"), B("a@example.org"), B("{mail_host}"),
		B("example.org"), B("{msg_id}"), B("<1@example.org>") };
	static const struct mlt_bytes mail2[] = { B("{i}"), B("4F1B"),
		B("{mail_addr}"), B("") };
	static const struct mlt_bytes to[] = { B("<b@example.com>"),
		B("NOTIFY=NEVER") };
	static const struct mlt_bytes to2[] = { B("<c@example.com>") };
	static const struct mlt_bytes rcpt[] = { B("{rcpt_addr}"),
		B("b@example.com"), B("{rcpt_mailer}"), B("smtp") };
	static const struct mlt_bytes rcpt2[] = { B("{rcpt_addr}"),
		B("c@example.com"), B("{rcpt_mailer}"), B("smtp") };
	static const struct mlt_play_rcpt rcpts[] = {
		{ PLAYRUN_LIST(to), PLAYRUN_LIST(rcpt), false },
		{ PLAYRUN_LIST(to2), PLAYRUN_LIST(rcpt2), false }
	};
	static const struct mlt_play_header headers[] = {
		{ B("From"), B(" a@example.org") },
		{ B("Subject"), B(" two\r\n lines\r\n") }
	};
	static const struct mlt_play_message messages[] = {
		{ .from = PLAYRUN_LIST(from),
		    .macros = PLAYRUN_LIST(mail),
		    .rcpts = rcpts,
		    .n_rcpts = 2,
		    .headers = headers,
		    .n_headers = 2,
		    .body = B("one\ntwo") },
		{ .from = PLAYRUN_LIST(from2),
		    .macros = PLAYRUN_LIST(mail2),
		    .rcpts = rcpts,
		    .n_rcpts = 1 },
	};
	static struct mlt_play_script s = { .host = B("c.example"),
		.addr = B("192.0.2.1"),
		.port = 1234,
		.family = '4',
		.helo = B("h.example"),
		.macros = PLAYRUN_LIST(client),
		.messages = messages };

	s.n_messages = n_messages;
	return &s;
}
