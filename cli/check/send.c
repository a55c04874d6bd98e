/* SPDX-License-Identifier: MIT */
/*
 * send: `milter-check send`, one message through a filter, as an MTA would lead
 * it (send.h).
 */
#include "cli/check/send.h"

#include "cli/check/link.h"
#include "cli/check/message.h"
#include "cli/check/subcommand.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FRAME_HEAD    4
#define MADE_UP_BYTES 228 /* three lines */

#define AT(member) offsetof(struct send_opts, member)
static const struct opt rows[] = {
	CLIENT_OPT_ROWS(struct send_opts),
	{ 0, "diff", OPT_FLAG, 0, AT(diff), NULL, NULL, 0, 0,
	    "show the difference of header and body only, as patch(1) reads it",
	    NULL },
	{ 0, "message", OPT_FLAG, 0, AT(message), NULL, NULL, 0, 0,
	    "show the edited message only (with --json: too)", NULL },
	{ 'x', "hex", OPT_FLAG, 0, AT(verbose), NULL, NULL, 0, 0,
	    "show the octets of each packet, too", NULL },
	{ 0, "timeout", OPT_INT, OPT_STRICT, AT(timeout_s), "SECS", "30", 1,
	    86400, "wait so long for each answer", NULL },
	{ 0, "json", OPT_FLAG, 0, AT(json), NULL, NULL, 0, 0,
	    "show all as a JSON object on one line", NULL },
};

struct send {
	const struct send_opts *o;
	struct mlt_play *play;
	struct link link;
	struct transcript transcript; /* of what is being heard */
	struct send_result result;
	struct buf json;
	uint64_t asked_us; /* when an answer began to be awaited */
};

static int
complain(const char *text, int status)
{
	fprintf(stderr, "milter-check send: %s\n", text);
	return status;
}

/* ---- showing ------------------------------------------------------------------------------ */

static bool
shows_dialogue(const struct send *s)
{
	return !s->o->json && !s->o->diff && !s->o->message;
}

static void
show_frame(struct send *s, const struct send_frame *f)
{
	if (s->o->json)
		send_json_frame(&s->json, f, s->o->verbose);
	else if (shows_dialogue(s))
		send_show_frame(f, s->o->verbose);
}

static void
note(struct send *s, const char *text)
{
	if (s->o->json)
		send_json_note(&s->json, text);
	else if (shows_dialogue(s))
		send_show_note(text);
}

static void
note_skipped(struct send *s, uint8_t stage)
{
	const char *name = mlt_command_name(stage);
	char text[80];

	snprintf(text, sizeof(text),
	    "%s is not said: the filter does not "
	    "want it",
	    name ? name : "?");
	note(s, text);
}

/* ---- the dialogue ---------------------------------------------------------------------------- */

static int
hear_reply(struct send *s, const struct mlt_play_event *ev)
{
	const struct mlt_mta *m = mlt_play_mta(s->play);
	struct send_result *r = &s->result;

	if (ev->stage == MLT_SMFIC_OPTNEG) {
		r->version = mlt_mta_version(m);
		r->actions = mlt_mta_actions(m);
		r->protocol = mlt_mta_protocol(m);
	}
	if (ev->verdict != MLT_VERDICT_NONE)
		r->verdict.stage = ev->stage;
	if (ev->stage == MLT_SMFIC_RCPT &&
	    (ev->verdict == MLT_VERDICT_REJECT ||
		ev->verdict == MLT_VERDICT_TEMPFAIL))
		return send_verdict_set(
		    &r->rcpts[ev->index], ev->verdict, ev->stage, ev->answer);
	return 0;
}

static int
hear_change(struct send *s, const struct mlt_play_event *ev)
{
	int rc = send_result_change(&s->result, &ev->action);

	if (rc == 1)
		note(s, "this MTA ignores that");
	return rc < 0 ? -1 : 0;
}

/* 0; -1: it ends here, with a violation or without memory. */
static int
hear(struct send *s, const struct mlt_play_event *ev)
{
	struct send_result *r = &s->result;
	uint8_t stage = r->verdict.stage;

	switch (ev->type) {
	case MLT_PLAY_REPLY:
		return hear_reply(s, ev);
	case MLT_PLAY_CHANGE:
		return hear_change(s, ev);
	case MLT_PLAY_SKIPPED:
		note_skipped(s, ev->stage);
		return 0;
	case MLT_PLAY_MESSAGE:
		if (ev->verdict == MLT_VERDICT_ACCEPT && !stage)
			stage = MLT_SMFIC_EOM;
		return send_verdict_set(
		    &r->verdict, ev->verdict, stage, ev->answer);
	case MLT_PLAY_VIOLATION:
		buf_addf(&r->broke, "%s (%s, octet %ju of what it said)",
		    ev->text, mlt_command_name(ev->stage),
		    (uintmax_t)ev->offset);
		return -1;
	case MLT_PLAY_DONE:
	case MLT_PLAY_EVENT_N:
		break;
	}
	return 0;
}

/* Shows what is about to leave, frame by frame. */
static void
show_output(struct send *s, const uint8_t *p, size_t n)
{
	size_t len;

	for (; n > FRAME_HEAD; p += len, n -= len) {
		struct send_frame f = { .octet = p[FRAME_HEAD],
			.payload = p + FRAME_HEAD + 1 };

		len = FRAME_HEAD + ((size_t)p[0] << 24 | (size_t)p[1] << 16 |
				       (size_t)p[2] << 8 | p[3]);
		f.n = len - FRAME_HEAD - 1;
		show_frame(s, &f);
	}
}

static int
write_output(struct send *s)
{
	const uint8_t *p;
	size_t n = mlt_play_output(s->play, &p);
	int rc;

	if (n == 0)
		return 0;
	show_output(s, p, n);
	rc = link_write(&s->link, p, n, (msec)s->o->timeout_s * 1000);
	mlt_play_sent(s->play, n);
	s->asked_us = clock_mono_us();
	if (rc == -ETIMEDOUT)
		buf_addf(&s->result.broke, "it did not read for %ld s",
		    s->o->timeout_s);
	else if (rc < 0)
		mlt_play_eof(s->play); /* what it said before may explain it */
	return rc == -ETIMEDOUT ? -1 : 0;
}

static int
read_answer(struct send *s)
{
	struct link_frame f;
	struct send_frame shown;

	transcript_reset(&s->transcript); /* what was lent is done with */
	switch (link_read(&s->link, &f, (msec)s->o->timeout_s * 1000)) {
	case LINK_FRAME:
		break;
	case LINK_CLOSED:
		mlt_play_eof(s->play);
		return 0;
	case LINK_BROKEN:
		buf_adds(&s->result.broke,
		    "a reply with an impossible length, or cut off");
		return -1;
	case LINK_NOTHING:
		buf_addf(
		    &s->result.broke, "no answer for %ld s", s->o->timeout_s);
		return -1;
	}
	shown = (struct send_frame){ .reply = true,
		.octet = f.octet,
		.payload = f.payload,
		.n = f.n,
		.us = clock_mono_us() - s->asked_us };
	show_frame(s, &shown);
	/* length and octet lie before the payload */
	return mlt_play_feed(s->play, f.payload - FRAME_HEAD - 1,
		   f.n + FRAME_HEAD + 1) < 0
		   ? -1
		   : 0;
}

/* 0; -1: it ended early, the result says why, or there was no memory; 1: the
 * script cannot be said. */
static int
converse(struct send *s)
{
	struct mlt_play_event ev;
	int rc;

	while (!mlt_play_done(s->play)) {
		while ((rc = mlt_play_next(s->play, &ev)) > 0) {
			if (hear(s, &ev) < 0)
				return -1;
		}
		if (rc < 0)
			return rc == MLT_E_ARG ? 1 : -1;
		if (write_output(s) < 0 ||
		    (mlt_play_awaits(s->play) && read_answer(s) < 0))
			return -1;
	}
	return 0;
}

/* ---- all ---------------------------------------------------------------------------------------- */

/* What in the script does not fit into a packet. */
static int
complain_too_long(const struct eml *e)
{
	char text[200];

	for (size_t i = 0; i < e->n_headers; i++) {
		const struct mlt_play_header *h = &e->headers[i];

		if (h->name.n + h->value.n <= MLT_DATA_MAX)
			continue;
		snprintf(text, sizeof(text),
		    "header field %zu has %zu octets, and a filter takes %d: "
		    "shorten it",
		    i + 1, h->name.n + h->value.n, MLT_DATA_MAX);
		return complain(text, CHECK_EXIT_USAGE);
	}
	return complain("an address or a macro is too long, or has a NUL: a "
			"filter cannot be told it",
	    CHECK_EXIT_USAGE);
}

static int
show_end(struct send *s)
{
	const struct send_result *r = &s->result;
	bool broke = buf_len(&r->broke) > 0;
	struct buf text;

	buf_init(&text, 0);
	if (s->o->json) {
		send_json_end(&s->json, r, s->o->message);
		buf_add(&text, buf_data(&s->json), buf_len(&s->json));
	} else if (shows_dialogue(s)) {
		send_show_result(r);
	} else {
		send_show_verdict(r);
		if (broke || r->verdict.verdict != MLT_VERDICT_ACCEPT)
			;
		else if (s->o->message)
			send_show_message(r);
		else
			send_result_diff(r, &text);
	}
	fwrite(buf_data(&text), 1, buf_len(&text), stdout);
	buf_fini(&text);
	if (fflush(stdout) != 0)
		return complain(strerror(errno), CHECK_EXIT_DOES_NOT);
	return broke ? CHECK_EXIT_DOES_NOT : CHECK_EXIT_CONFORMS;
}

static int
run(struct send *s, const struct eml *e)
{
	struct send_result *r = &s->result;
	int rc = converse(s);

	if (rc > 0)
		return complain_too_long(e);
	if (rc == 0 && r->verdict.verdict == MLT_VERDICT_ACCEPT &&
	    send_result_finish(r) < 0)
		rc = -1;
	if (r->broke.failed || (rc < 0 && buf_len(&r->broke) == 0))
		return complain("out of memory", CHECK_EXIT_DOES_NOT);
	return show_end(s);
}

static int
send_message(const struct send_opts *o, const char *socket, const struct eml *e)
{
	struct send s = { .o = o };
	struct client *c;
	char err[300];
	int rc = CHECK_EXIT_DOES_NOT;

	c = client_new(&o->client, e, 1, err, sizeof(err));
	if (!c)
		return complain(err, CHECK_EXIT_USAGE);
	transcript_init(&s.transcript);
	buf_init(&s.json, 0);
	if (link_open(&s.link, socket, (msec)o->timeout_s * 1000, &s.transcript,
		1, err, sizeof(err)) < 0)
		rc = complain(err, CHECK_EXIT_UNREACHABLE);
	else if (send_result_init(&s.result, c, e) < 0 ||
		 mlt_play_new(&s.play, client_play_opts(c), client_script(c)) <
		     0)
		complain("out of memory", rc);
	else {
		if (o->json)
			send_json_begin(&s.json, socket, c);
		if (e->odd_line && shows_dialogue(&s))
			printf("- line %zu of the message is no header field: "
			       "the body begins there, as for an MTA\n",
			    e->odd_line);
		rc = run(&s, e);
	}
	link_close(&s.link);
	mlt_play_free(s.play);
	send_result_fini(&s.result);
	buf_fini(&s.json);
	transcript_fini(&s.transcript);
	client_free(c);
	return rc;
}

int
check_send_main(int argc, char **argv)
{
	const struct cmdline line = { .name = "milter-check send",
		.rows = rows,
		.n = sizeof(rows) / sizeof(*rows),
		.words = " SOCKET [MESSAGE]",
		.command = true,
		.permute = true,
		.usage_status = CHECK_EXIT_USAGE };
	struct send_opts o = { .json = false };
	struct message m;
	int first, rc;

	first = cmdline_parse(&line, &o, argc, argv);
	if (argc - first < 1 || argc - first > 2)
		cmdline_usage(&line, &o);
	rc = argc - first == 2 ? message_read(&m, argv[first + 1])
			       : message_make(&m, MADE_UP_BYTES);
	if (rc < 0)
		return CHECK_EXIT_USAGE;
	rc = send_message(&o, argv[first], &m.eml);
	message_fini(&m);
	return rc;
}
