/* SPDX-License-Identifier: MIT */
/*
 * client: options and a message become a script (client.h).
 *
 * Texts that have to be made (an address in angle brackets, its domain) lie in
 * one list until the end; all others are the caller's.
 */
#include "cli/check/client.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(a)     (sizeof(a) / sizeof(*(a)))
#define OUR_HOST     "mx.example.org"
#define OUR_ADDR     "192.0.2.1"
#define PORT         40025
#define ARGS_MAX     32 /* an address and its parameters */
#define RCPTS_MAX    OPT_LIST_MAX
#define OWN_MACROS   8
#define MESSAGES_MAX 2

struct args {
	struct mlt_bytes v[ARGS_MAX];
	size_t n;
};

/* What is told of a message, or a recipient: the user's macros come first. */
struct macros {
	struct mlt_bytes v[2 * (OPT_LIST_MAX + OWN_MACROS)];
	size_t n;
};

struct client {
	const struct client_opts *o;
	struct mlt_play_opts play;
	struct mlt_play_script script;
	struct mlt_play_message messages[MESSAGES_MAX];
	struct mlt_play_rcpt rcpts[RCPTS_MAX];
	struct args from, to[RCPTS_MAX];
	struct macros at_connect, at_mail, at_rcpt[RCPTS_MAX];
	char **texts;
	size_t n_texts;
	char *err;
	size_t errlen;
};

__attribute__((format(printf, 2, 3))) static int
fail(struct client *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->err, c->errlen, fmt, ap);
	va_end(ap);
	return -1;
}

static struct mlt_bytes
bytes(const char *s)
{
	return (struct mlt_bytes){ s, strlen(s) };
}

/* A new text that lives as long as the client; NULL if there is no memory. */
__attribute__((format(printf, 2, 3))) static const char *
make(struct client *c, const char *fmt, ...)
{
	char **grown = realloc(c->texts, (c->n_texts + 1) * sizeof(*c->texts));
	va_list ap;
	int n;

	if (!grown) {
		fail(c, "out of memory");
		return NULL;
	}
	c->texts = grown;
	va_start(ap, fmt);
	n = vasprintf(&c->texts[c->n_texts], fmt, ap);
	va_end(ap);
	if (n < 0) {
		fail(c, "out of memory");
		return NULL;
	}
	return c->texts[c->n_texts++];
}

/* ---- the MTA ------------------------------------------------------------------ */

static const struct mlt_profile *
find_profile(const char *name)
{
	if (strcmp(name, "postfix") == 0)
		name = "postfix-3";
	if (strcmp(name, "sendmail") == 0)
		name = "sendmail-8.17";
	return mlt_profile_find(name);
}

static int
set_profile(struct client *c)
{
	const struct mlt_profile *pf;
	char names[512] = "";
	size_t n = 0;

	if ((c->play.profile = find_profile(c->o->mta)))
		return 0;
	for (size_t i = 0; (pf = mlt_profile_at(i)) && n < sizeof(names); i++)
		n += (size_t)snprintf(
		    names + n, sizeof(names) - n, " %s", pf->name);
	return fail(
	    c, "--mta: \"%s\" is none of postfix sendmail%s", c->o->mta, names);
}

/* ---- the envelope --------------------------------------------------------------- */

/* "a@b.example SIZE=1" -> "<a@b.example>", "SIZE=1" */
static int
set_args(struct client *c, struct args *a, const char *option, const char *text)
{
	size_t n = strcspn(text, " ");
	bool bracketed = *text == '<';
	const char *address =
	    make(c, bracketed ? "%.*s" : "<%.*s>", (int)n, text);

	if (!address)
		return -1;
	a->v[a->n++] = bytes(address);
	for (text += n; *text; text += n) {
		text += strspn(text, " ");
		n = strcspn(text, " ");
		if (n == 0)
			break;
		if (a->n == ARGS_MAX)
			return fail(c, "%s: at most %d ESMTP parameters",
			    option, ARGS_MAX - 1);
		a->v[a->n++] = (struct mlt_bytes){ text, n };
	}
	return 0;
}

static void
tell(struct macros *m, const char *name, struct mlt_bytes value)
{
	m->v[m->n++] = bytes(name);
	m->v[m->n++] = value;
}

/* NAME=VALUE of the command line.  A name of several letters has braces on the
 * wire, written or not. */
static int
set_user_macros(struct client *c, struct macros *m)
{
	for (size_t i = 0; i < c->o->macros.n; i++) {
		const char *given = c->o->macros.v[i];
		const char *eq = strchr(given, '='), *name;
		int n = eq ? (int)(eq - given) : 0;

		if (n == 0)
			return fail(c,
			    "--macro: \"%s\" is not NAME=VALUE, as in "
			    "auth_authen=alice",
			    given);
		name = make(
		    c, n > 1 && *given != '{' ? "{%.*s}" : "%.*s", n, given);
		if (!name)
			return -1;
		tell(m, name, bytes(eq + 1));
	}
	return 0;
}

/* What the MTA says about an address: without brackets, and its domain. */
static int
set_address_macros(struct client *c, struct macros *m,
    const struct mlt_bytes *address, const char *const names[3],
    const char *mailer)
{
	struct mlt_bytes bare = *address;
	const char *at;

	if (set_user_macros(c, m) < 0)
		return -1;
	if (bare.n >= 2 && bare.p[bare.n - 1] == '>') {
		bare.p++;
		bare.n -= 2;
	}
	at = memrchr(bare.p, '@', bare.n);
	tell(m, names[0], bare);
	tell(m, names[1],
	    at ? (struct mlt_bytes){ at + 1,
		     (size_t)(bare.p + bare.n - at) - 1 }
	       : bytes(""));
	tell(m, names[2], bytes(mailer));
	return 0;
}

static int
set_rcpt(struct client *c, size_t i, const char *text)
{
	static const char *const names[] = { "{rcpt_addr}", "{rcpt_host}",
		"{rcpt_mailer}" };
	struct args *a = &c->to[i];
	struct macros *m = &c->at_rcpt[i];

	if (set_args(c, a, "--to", text) < 0 ||
	    set_address_macros(c, m, &a->v[0], names, "local") < 0)
		return -1;
	c->rcpts[i].args = (struct mlt_play_list){ a->v, a->n };
	c->rcpts[i].macros = (struct mlt_play_list){ m->v, m->n };
	return 0;
}

/* What Sendmail knows a message by, if it has a name. */
static void
tell_message_id(struct macros *m, const struct eml *e)
{
	for (size_t i = 0; i < e->n_headers; i++) {
		struct mlt_bytes name = eml_name(&e->headers[i]);
		struct mlt_bytes v = e->headers[i].value;

		if (name.n != strlen("Message-ID") ||
		    strncasecmp(name.p, "Message-ID", name.n) != 0)
			continue;
		while (v.n > 0 && strchr(" \t\r\n", v.p[0])) {
			v.p++;
			v.n--;
		}
		while (v.n > 0 && strchr(" \t\r\n", v.p[v.n - 1]))
			v.n--;
		tell(m, "{msg_id}", v);
		return;
	}
}

static int
set_messages(struct client *c, const struct eml *e, size_t n_messages)
{
	static const char *const names[] = { "{mail_addr}", "{mail_host}",
		"{mail_mailer}" };
	size_t n_rcpts = c->o->to.n ? c->o->to.n : 1;
	struct macros *m = &c->at_mail;

	if (set_args(c, &c->from, "--from", c->o->from) < 0 ||
	    set_address_macros(c, m, &c->from.v[0], names, "esmtp") < 0)
		return -1;
	tell(m, "i", bytes(CLIENT_QUEUE_ID));
	tell_message_id(m, e);
	for (size_t i = 0; i < n_rcpts; i++) {
		if (set_rcpt(c, i, c->o->to.n ? c->o->to.v[i] : CLIENT_TO) < 0)
			return -1;
	}
	for (size_t i = 0; i < n_messages; i++)
		c->messages[i] = (struct mlt_play_message){
			.from = { c->from.v, c->from.n },
			.macros = { m->v, m->n },
			.rcpts = c->rcpts,
			.n_rcpts = n_rcpts,
			.headers = e->headers,
			.n_headers = e->n_headers,
			.body = e->body,
		};
	c->script.messages = c->messages;
	c->script.n_messages = n_messages;
	return 0;
}

/* ---- the connection --------------------------------------------------------------- */

static int
set_address(struct client *c, const char *ip)
{
	unsigned char octets[16];

	if (inet_pton(AF_INET, ip, octets) == 1)
		c->script.family = '4';
	else if (inet_pton(AF_INET6, ip, octets) == 1)
		c->script.family = '6';
	else
		return fail(c, "--ip: \"%s\" is no IPv4 or IPv6 address", ip);
	c->script.addr = bytes(ip);
	c->script.port = PORT;
	return 0;
}

static bool
is_loopback(const char *ip)
{
	return strncmp(ip, "127.", 4) == 0 || strcmp(ip, "::1") == 0;
}

static int
set_connection(struct client *c)
{
	const char *ip = c->o->ip ? c->o->ip : CLIENT_IP;
	const char *host = c->o->host ? c->o->host : CLIENT_HOST;
	const char *helo = c->o->helo ? c->o->helo : host, *underscore;
	struct macros *m = &c->at_connect;

	if (c->o->ip && !c->o->host)
		host = NULL;
	underscore = host ? make(c, "%s [%s]", host, ip) : make(c, "[%s]", ip);
	if (!underscore || set_address(c, ip) < 0 || set_user_macros(c, m) < 0)
		return -1;
	tell(m, "j", bytes(OUR_HOST));
	tell(m, "_", bytes(underscore));
	tell(m, "v", bytes("milter-check " MD_VERSION));
	tell(m, "{daemon_name}", bytes(OUR_HOST));
	tell(m, "{daemon_addr}", bytes(OUR_ADDR));
	tell(m, "{if_name}", bytes(OUR_HOST));
	if (!is_loopback(ip)) /* else Sendmail has none */
		tell(m, "{if_addr}", bytes(OUR_ADDR));
	c->script.macros = (struct mlt_play_list){ m->v, m->n };
	if (host)
		c->script.host = bytes(host);
	c->script.helo = bytes(helo);
	return 0;
}

/* Is it in one of the MTA's lists? */
static bool
listed(const struct client *c, const char *name)
{
	for (size_t i = 0; i < MLT_STAGE_N; i++) {
		const char *list = c->play.profile->macros[i];
		size_t n = strlen(name);

		for (; list && *list; list += strspn(list, " ")) {
			if (strncmp(list, name, n) == 0 && strchr(" ", list[n]))
				return true;
			list += strcspn(list, " ");
		}
	}
	return false;
}

/* A site that wants a macro to be told adds it to the MTA's list: here those
 * that no list has are told at CONNECT, so that a filter sees them at every
 * stage.  It does not if it asks for others. */
static int
list_user_macros(struct client *c)
{
	const char *list = c->play.profile->macros[MLT_STAGE_CONNECT];

	for (size_t i = 0; i < c->o->macros.n; i++) {
		const char *name = c->at_connect.v[2 * i].p;

		if (listed(c, name))
			continue;
		list = make(c, "%s %s", list ? list : "", name);
		if (!list)
			return -1;
	}
	c->play.macros[MLT_STAGE_CONNECT] = list;
	return 0;
}

/* ---- all -------------------------------------------------------------------------- */

struct client *
client_new(const struct client_opts *o, const struct eml *m, size_t n_messages,
    char *err, size_t errlen)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	c->o = o;
	c->err = err;
	c->errlen = errlen;
	if (set_profile(c) < 0 || set_connection(c) < 0 ||
	    set_messages(c, m, n_messages) < 0 || list_user_macros(c) < 0) {
		client_free(c);
		return NULL;
	}
	return c;
}

void
client_free(struct client *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_texts; i++)
		free(c->texts[i]);
	free(c->texts);
	free(c);
}

const struct mlt_play_script *
client_script(const struct client *c)
{
	return &c->script;
}

const struct mlt_play_opts *
client_play_opts(const struct client *c)
{
	return &c->play;
}
