/* SPDX-License-Identifier: MIT */
/*
 * filter_scripts: the clients' scripts (filter_scripts.h).
 */
#include "cli/check/filter_scripts.h"

#include <string.h>

#define B(literal)                                                             \
	{                                                                      \
		literal, sizeof(literal) - 1                                   \
	}
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LIST(a)                                                                \
	{                                                                      \
		a, COUNT(a)                                                    \
	}

#define MANY_RCPTS  20
#define MANY_FIELDS 200
#define LARGE       200000 /* octets: three full chunks and a rest */

static struct mlt_bytes
text(const char *s)
{
	return (struct mlt_bytes){ s, strlen(s) };
}

/* ---- the parts of a message -------------------------------------------------------- */

static const struct mlt_bytes connection_macros[] = { B("j"),
	B("mx.example.org"), B("_"), B("client.example.net [192.0.2.17]"),
	B("{daemon_name}"), B("MTA"), B("v"), B("9.9"), B("{if_addr}"),
	B("192.0.2.1") };
static const struct mlt_bytes message_macros[] = { B("i"), B("4dfLk16Zq0z123"),
	B("{mail_mailer}"), B("esmtp"), B("{mail_host}"), B("example.net."),
	B("{mail_addr}"), B("alice@example.net") };
static const struct mlt_bytes rcpt_macros[] = { B("{rcpt_mailer}"), B("local"),
	B("{rcpt_host}"), B(""), B("{rcpt_addr}"), B("bob") };
static const struct mlt_bytes refused_macros[] = { B("{rcpt_mailer}"),
	B("error"), B("{rcpt_host}"), B("5.1.1"), B("{rcpt_addr}"),
	B("no such user") };
static const struct mlt_bytes unknown_lines[] = { B("FOOBAR some words") };

static struct mlt_bytes sender[3], null_sender[1] = { B("<>") };
static struct mlt_bytes recipient[1];
static struct mlt_play_rcpt rcpts[MANY_RCPTS + 1];

static struct mlt_play_header fields[MANY_FIELDS];
static size_t n_fields; /* of an ordinary message */
static char names[OPT_LIST_MAX][256];
static char large[LARGE];

static const struct mlt_play_header ordinary[] = {
	{ B("Received"),
	    B(" from client.example.net (client.example.net [192.0.2.17])\n"
	      "\tby mx.example.org with ESMTPS id 4AMLk1Zq012345\n"
	      "\tfor <bob@example.org>; Sun, 29 Nov 2026 12:00:01 GMT") },
	{ B("From"), B(" Alice Example <alice@example.net>") },
	{ B("To"), B(" Bob Example <bob@example.org>") },
	{ B("Subject"), B(" Minutes of the meeting") },
	{ B("Date"), B(" Sun, 29 Nov 2026 12:00:00 +0000") },
	{ B("Message-ID"), B(" <20261129120000.1@example.net>") },
	{ B("X-Empty"), B("") },
	{ B("X-Tab"), B("\tvalue") },
};

static void
fill_fields(const struct opt_list *more)
{
	static const struct mlt_play_header filler = { B("X-Filler"),
		B(" one\n\ttwo\n three \303\244") };

	n_fields = COUNT(ordinary);
	memcpy(fields, ordinary, sizeof(ordinary));
	for (size_t i = 0; i < more->n; i++) {
		const char *colon = strchr(more->v[i], ':');
		size_t n = (size_t)(colon - more->v[i]);

		memcpy(names[i], more->v[i], n);
		fields[n_fields++] = (struct mlt_play_header){ { names[i], n },
			text(colon + 1) };
	}
	for (size_t i = n_fields; i < MANY_FIELDS; i++)
		fields[i] = filler;
}

static void
fill(const struct filter_opts *o)
{
	static const char line[] =
	    "Lorem ipsum dolor sit amet, consectetur\r\n";

	sender[0] = text(o->from);
	sender[1] = text("SIZE=10800");
	sender[2] = text("BODY=8BITMIME");
	recipient[0] = text(o->to);
	for (size_t i = 0; i < COUNT(rcpts); i++)
		rcpts[i] = (struct mlt_play_rcpt){ .args = LIST(recipient),
			.macros = LIST(rcpt_macros) };
	rcpts[MANY_RCPTS] = (struct mlt_play_rcpt){ .args = LIST(recipient),
		.macros = LIST(refused_macros),
		.refused = true };
	fill_fields(&o->headers);
	for (size_t i = 0; i < LARGE; i++)
		large[i] = line[i % (sizeof(line) - 1)];
}

/* ---- the scripts -------------------------------------------------------------------- */

/* How one session differs from the ordinary one: two messages by a client whom
 * DNS knows. */
static const struct plan {
	const char *name;
	uint8_t stop_after; /* of the first message */
	enum mlt_play_end stop_by;
	char family;
	const char *addr;
	bool many, empty, large, null, no_helo;
} plans[] = {
	{ .name = "two ordinary messages" },
	{ .name = "many recipients, one refused; an unknown command",
	    .many = true },
	{ .name = "a message of neither fields nor body", .empty = true },
	{ .name = "many fields, a large body", .large = true },
	{ .name = "the null sender, by IPv6",
	    .null = true,
	    .family = '6',
	    .addr = "2001:db8::17" },
	{ .name = "a client of whom nothing is known", .family = 'U' },
	{ .name = "a client that says no HELO", .no_helo = true },
	{ .name = "RSET behind MAIL",
	    .stop_after = 'M',
	    .stop_by = MLT_END_RSET },
	{ .name = "RSET behind RCPT",
	    .stop_after = 'R',
	    .stop_by = MLT_END_RSET },
	{ .name = "HELO behind RCPT",
	    .stop_after = 'R',
	    .stop_by = MLT_END_HELO },
	{ .name = "refused by the MTA behind DATA",
	    .stop_after = 'T',
	    .stop_by = MLT_END_OTHERS },
	{ .name = "refused by the MTA amid the fields",
	    .stop_after = 'L',
	    .stop_by = MLT_END_OTHERS },
	{ .name = "refused by the MTA behind the fields",
	    .stop_after = 'N',
	    .stop_by = MLT_END_OTHERS },
	{ .name = "refused by the MTA behind the body",
	    .stop_after = 'B',
	    .stop_by = MLT_END_OTHERS },
	{ .name = "the client goes away amid the body",
	    .stop_after = 'B',
	    .stop_by = MLT_END_CLOSE },
};

static struct mlt_play_message
message(const struct plan *p, const struct filter_opts *o)
{
	struct mlt_play_message m = { .from = LIST(sender),
		.macros = LIST(message_macros),
		.rcpts = rcpts,
		.n_rcpts = 1,
		.headers = fields,
		.n_headers = n_fields,
		.body = text(filter_body(o)) };

	if (p->null)
		m.from = (struct mlt_play_list)LIST(null_sender);
	if (p->many)
		m.n_rcpts = MANY_RCPTS + 1;
	if (p->empty) {
		m.n_headers = 0;
		m.body.n = 0;
	}
	if (p->large) {
		m.n_headers = MANY_FIELDS;
		m.body = (struct mlt_bytes){ large, LARGE };
	}
	return m;
}

const struct script *
script_at(size_t i, const struct filter_opts *o)
{
	static struct mlt_play_message messages[2];
	static struct script s;
	const struct plan *p = &plans[i];

	if (i >= COUNT(plans))
		return NULL;
	fill(o);
	messages[0] = messages[1] = message(p, o);
	messages[0].stop_after = p->stop_after;
	messages[0].stop_by = p->stop_by;
	s = (struct script){ .name = p->name,
		.play = { .host = text(o->host),
		    .addr = text(p->addr ? p->addr : o->ip),
		    .port = 40025,
		    .family = strchr(o->ip, ':') ? '6' : '4',
		    .helo = p->no_helo ? (struct mlt_bytes){ NULL, 0 }
				       : text(o->helo),
		    .macros = LIST(connection_macros),
		    .messages = messages,
		    .n_messages = 2 } };
	if (p->family)
		s.play.family = p->family;
	if (p->family == 'U')
		s.play.addr = s.play.host = (struct mlt_bytes){ NULL, 0 };
	if (p->many)
		s.play.unknown = (struct mlt_play_list)LIST(unknown_lines);
	return &s;
}
