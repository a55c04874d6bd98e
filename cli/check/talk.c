/* SPDX-License-Identifier: MIT */
/*
 * talk: a conversation with the filter (talk.h).
 */
#include "cli/check/talk.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

struct step {
	const char *word;
	uint8_t octet;
};

static const struct step steps[TALK_STEP_N] = {
	[TALK_OPTNEG] = { "OPTNEG", MLT_SMFIC_OPTNEG },
	[TALK_CONNECT] = { "CONNECT", MLT_SMFIC_CONNECT },
	[TALK_HELO] = { "HELO", MLT_SMFIC_HELO },
	[TALK_MAIL] = { "MAIL", MLT_SMFIC_MAIL },
	[TALK_RCPT] = { "RCPT", MLT_SMFIC_RCPT },
	[TALK_DATA] = { "DATA", MLT_SMFIC_DATA },
	[TALK_HEADER] = { "HEADER", MLT_SMFIC_HEADER },
	[TALK_EOH] = { "EOH", MLT_SMFIC_EOH },
	[TALK_BODY] = { "BODY", MLT_SMFIC_BODY },
	[TALK_EOM] = { "EOM", MLT_SMFIC_EOM },
};

/* What the protocol says of one command. */
static const struct command {
	uint8_t octet;
	unsigned version;
	uint32_t no, nr;
	const char *replies;
} commands[] = {
#define MLT_X_COMMAND(name, octet, version, no, nr, replies)                   \
	{ octet, version, no, nr, replies },
#include <milterproto.def>
};

static const struct command *
command(uint8_t octet)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (commands[i].octet == octet)
			return &commands[i];
	}
	return NULL;
}

const char *
talk_step_word(enum talk_step s)
{
	return steps[s].word;
}

uint8_t
talk_step_octet(enum talk_step s)
{
	return steps[s].octet;
}

bool
talk_wants(const struct talk *t, uint8_t cmd)
{
	const struct command *c = command(cmd);

	return !c || (t->agreed.version >= c->version &&
			 !(t->agreed.protocol & c->no));
}

bool
talk_is_due(const struct talk *t, uint8_t cmd)
{
	const struct command *c = command(cmd);

	return c && *c->replies && !(t->agreed.protocol & c->nr);
}

bool
talk_is_legal(uint8_t cmd, int got)
{
	const struct command *c = command(cmd);

	return c && got > 0 && strchr(c->replies, got);
}

bool
talk_goes_on(int got)
{
	return got == TALK_NONE || got == MLT_SMFIR_CONTINUE ||
	       got == MLT_SMFIR_SKIP;
}

const char *
talk_got_word(int got)
{
	const char *name = got > 0 ? mlt_reply_name((uint8_t)got) : NULL;

	switch (got) {
	case TALK_NONE:
		return "nothing";
	case TALK_CLOSED:
		return "the connection closed";
	case TALK_SILENT:
		return "no answer";
	case TALK_BROKEN:
		return "octets that are no frame";
	default:
		return name ? name : "an unknown reply";
	}
}

enum check_result
talk_bad(struct talk *t, uint8_t cmd, int got)
{
	const char *name = mlt_command_name(cmd);

	return check_fail(t->run, "%s was followed by %s",
	    name ? name : "the octets", talk_got_word(got));
}

/* ---- answers -------------------------------------------------------------------- */

static const char edits[] = "himb+2-eqp";

static bool
is_edit(uint8_t cmd, const struct link_frame *f)
{
	return cmd == MLT_SMFIC_EOM && f->octet && strchr(edits, f->octet);
}

/* Reads one answer's frames within wait_ms. */
static int
read_answer(struct talk *t, uint8_t cmd, msec wait_ms)
{
	struct link_frame frame;

	for (;;) {
		switch (link_read(&t->link, &frame, wait_ms)) {
		case LINK_FRAME:
			break;
		case LINK_NOTHING:
			return TALK_SILENT;
		case LINK_CLOSED:
			return TALK_CLOSED;
		case LINK_BROKEN:
			return TALK_BROKEN;
		}
		if (!is_edit(cmd, &frame))
			return frame.octet;
		t->edits |= UINT32_C(1) << (strchr(edits, frame.octet) - edits);
	}
}

/* Silence is believed only if another session was served meanwhile: a filter
 * that is merely slow, or not scheduled, has had its chance then. */
static int
wait_answer(struct talk *t, uint8_t cmd, msec wait_ms)
{
	int got = read_answer(t, cmd, wait_ms);

	if (got != TALK_SILENT || filter_pass_session(t->f) < 0)
		return got;
	return read_answer(t, cmd, (msec)t->f->o.grace_ms);
}

int
talk_answer(struct talk *t, uint8_t cmd)
{
	uint64_t start = clock_mono_us(), us;
	int got = wait_answer(t, cmd, filter_wait_ms(t->f));

	us = clock_mono_us() - start;
	if (got != TALK_SILENT && us > t->f->slowest_us)
		t->f->slowest_us = us;
	return got;
}

int
talk_unasked(struct talk *t)
{
	int got = read_answer(t, 0, (msec)t->f->o.grace_ms);

	return got == TALK_SILENT ? TALK_NONE : got;
}

int
talk_quiet(struct talk *t)
{
	int got = wait_answer(t, 0, (msec)t->f->o.grace_ms);

	return got == TALK_SILENT ? TALK_NONE : got;
}

/* ---- saying --------------------------------------------------------------------- */

int
talk_raw(struct talk *t, const void *p, size_t n)
{
	return link_write(&t->link, p, n, (msec)t->f->o.reply_ms);
}

int
talk_say(struct talk *t, uint8_t cmd, const void *payload, size_t n)
{
	if (!talk_wants(t, cmd))
		return TALK_NONE;
	/* if it cannot be written, reading says why */
	link_say(&t->link, cmd, payload, n, (msec)t->f->o.reply_ms);
	return talk_is_due(t, cmd) ? talk_answer(t, cmd) : TALK_NONE;
}

int
talk_says(struct talk *t, uint8_t cmd, const char *string)
{
	return talk_say(t, cmd, string, strlen(string) + 1);
}

static void
add_u32(struct buf *b, uint32_t v)
{
	v = htonl(v);
	buf_add(b, &v, sizeof(v));
}

static uint32_t
u32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

int
talk_dial(struct talk *t, struct check_run *run)
{
	struct filter *f = filter_of(run);
	char err[300];

	*t = (struct talk){ .run = run, .f = f, .agreed = { .version = 6 } };
	if (run->transcript.n == 0)
		f->links = 0;
	if (link_open(&t->link, f->socket, (msec)f->o.reply_ms,
		&run->transcript, ++f->links, err, sizeof(err)) == 0)
		return 0;
	check_fail(run, "%s", err);
	return -1;
}

int
talk_open(struct talk *t, struct check_run *run, const struct talk_offer *offer)
{
	static const struct talk_offer all = { 6, MLT_ACT_ALL, MLT_PROT_ALL };
	struct link_frame frame;
	struct buf b;

	if (talk_dial(t, run) < 0)
		return -1;
	offer = offer ? offer : &all;
	buf_init(&b, 0);
	add_u32(&b, offer->version);
	add_u32(&b, offer->actions);
	add_u32(&b, offer->protocol);
	link_say(&t->link, MLT_SMFIC_OPTNEG, buf_data(&b), buf_len(&b),
	    (msec)t->f->o.reply_ms);
	buf_fini(&b);
	if (link_read(&t->link, &frame, filter_wait_ms(t->f)) == LINK_FRAME &&
	    frame.octet == MLT_SMFIR_OPTNEG && frame.n >= 12) {
		t->agreed = (struct talk_offer){ u32_at(frame.payload),
			u32_at(frame.payload + 4), u32_at(frame.payload + 8) };
		return 0;
	}
	check_fail(run, "the offer was not answered by a whole OPTNEG");
	talk_close(t);
	return -1;
}

void
talk_close(struct talk *t)
{
	link_close(&t->link);
}

void
talk_quit(struct talk *t)
{
	if (t->link.fd >= 0 && !t->link.closed)
		link_say(
		    &t->link, MLT_SMFIC_QUIT, NULL, 0, (msec)t->f->o.reply_ms);
	talk_close(t);
}

/* ---- the ordinary message -------------------------------------------------------- */

static void
say_macros(struct talk *t, uint8_t cmd, const char *text, size_t n)
{
	struct buf b;

	buf_init(&b, 0);
	buf_addc(&b, (char)cmd);
	buf_add(&b, text, n);
	talk_say(t, MLT_SMFIC_MACRO, buf_data(&b), buf_len(&b));
	buf_fini(&b);
}

static int
say_connect(struct talk *t)
{
	static const char macros[] = "j\0mx.example.org\0{daemon_name}\0MTA";
	const struct filter_opts *o = &t->f->o;
	struct buf b;
	int got;

	say_macros(t, MLT_SMFIC_CONNECT, macros, sizeof(macros));
	buf_init(&b, 0);
	buf_add(&b, o->host, strlen(o->host) + 1);
	buf_addc(&b, strchr(o->ip, ':') ? '6' : '4');
	buf_add(&b, "\x9c\x59", 2); /* port 40025 */
	buf_add(&b, o->ip, strlen(o->ip) + 1);
	got = talk_say(t, MLT_SMFIC_CONNECT, buf_data(&b), buf_len(&b));
	buf_fini(&b);
	return got;
}

static int
say_header(struct talk *t, const char *name, const char *value)
{
	struct buf b;
	int got;

	buf_init(&b, 0);
	buf_add(&b, name, strlen(name) + 1);
	if (t->agreed.protocol & MLT_PROT_HDR_LEADSPC)
		buf_addc(&b, ' ');
	buf_add(&b, value, strlen(value) + 1);
	got = talk_say(t, MLT_SMFIC_HEADER, buf_data(&b), buf_len(&b));
	buf_fini(&b);
	return got;
}

/* The fields of the command line behind those that every message has. */
static int
say_headers(struct talk *t)
{
	static const char *const fields[][2] = {
		{ "From", "Alice Example <alice@example.net>" },
		{ "To", "Bob Example <bob@example.org>" },
		{ "Subject", "Minutes of the meeting" },
		{ "Date", "Sun, 29 Nov 2026 12:00:00 +0000" },
		{ "Message-ID", "<20261129120000.1@example.net>" },
	};
	const struct opt_list *more = &t->f->o.headers;
	int got = TALK_NONE;

	for (size_t i = 0; talk_goes_on(got) && i < 5; i++)
		got = say_header(t, fields[i][0], fields[i][1]);
	for (size_t i = 0; talk_goes_on(got) && i < more->n; i++) {
		const char *colon = strchr(more->v[i], ':');
		char name[256];

		snprintf(name, sizeof(name), "%.*s", (int)(colon - more->v[i]),
		    more->v[i]);
		got = say_header(t, name, colon + 1 + (colon[1] == ' '));
	}
	return got;
}

int
talk_go(struct talk *t, enum talk_step step)
{
	static const char id[] = "i\0004dfLk16Zq0z123";
	const struct filter_opts *o = &t->f->o;
	int got = TALK_NONE;

	switch (step) {
	case TALK_CONNECT:
		got = say_connect(t);
		break;
	case TALK_HELO:
		got = talk_says(t, MLT_SMFIC_HELO, o->helo);
		break;
	case TALK_MAIL:
		say_macros(t, MLT_SMFIC_MAIL, id, sizeof(id));
		got = talk_says(t, MLT_SMFIC_MAIL, o->from);
		break;
	case TALK_RCPT:
		got = talk_says(t, MLT_SMFIC_RCPT, o->to);
		break;
	case TALK_HEADER:
		got = say_headers(t);
		break;
	case TALK_BODY:
		got = talk_say(
		    t, MLT_SMFIC_BODY, filter_body(o), strlen(filter_body(o)));
		break;
	case TALK_DATA:
	case TALK_EOH:
	case TALK_EOM:
		got = talk_say(t, steps[step].octet, NULL, 0);
		break;
	case TALK_OPTNEG:
	case TALK_STEP_N:
		break;
	}
	t->step = step;
	return got;
}

int
talk_until(struct talk *t, enum talk_step to)
{
	while (t->step < to) {
		enum talk_step next = t->step + 1;
		int got = talk_go(t, next);

		if (got < 0 ||
		    (got > 0 && !talk_is_legal(steps[next].octet, got))) {
			talk_bad(t, steps[next].octet, got);
			return -1;
		}
		if (!talk_goes_on(got) && next < TALK_EOM)
			return 1;
	}
	return 0;
}

enum check_result
talk_session(struct check_run *run, const char *after)
{
	struct talk t;
	struct buf why;
	int rc;

	transcript_note(&run->transcript, 0, 0, "a good session follows");
	rc = talk_open(&t, run, NULL);
	if (rc == 0) {
		rc = talk_until(&t, TALK_EOM);
		talk_quit(&t);
	}
	if (rc >= 0)
		return CHECK_PASS;
	buf_init(&why, 0);
	buf_add(&why, buf_data(&run->why), buf_len(&run->why));
	check_fail(
	    run, "the next good session, after %s: %s", after, buf_cstr(&why));
	buf_fini(&why);
	return CHECK_FAIL;
}
