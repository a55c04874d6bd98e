/* SPDX-License-Identifier: MIT */
/*
 * play_say: each command of a played session put as its MTA would put it.
 *
 * The script is what an SMTP client said; here it gets the MTA's spelling of
 * addresses and its line ends.  Nothing is copied that can be sent as it is.
 */
#include "play.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	ADDR_ROOM = 112 /* a socket path, or an address with its prefix */
};

/* Room for n octets, valid until the next call. */
static char *
scratch(struct mlt_play *p, size_t n)
{
	return (char *)mlt_buf_room(&p->scratch, n);
}

/* ---- CONNECT ------------------------------------------------------------------ */

/* The spelling of an address; *family may become '4'.  spec:addresses */
static int
spell(const struct mlt_play *p, const char *given, char *family, char *out,
    size_t room)
{
	struct in6_addr a;
	size_t n = strlen(given);

	if (*family != '6') {
		if (*family == '4' && inet_pton(AF_INET, given, &a) != 1)
			return MLT_E_ARG;
		memcpy(out, given, n + 1);
		return 0;
	}
	if (strncasecmp(given, "IPv6:", 5) == 0)
		given += 5;
	if (inet_pton(AF_INET6, given, &a) != 1)
		return MLT_E_ARG;
	if (IN6_IS_ADDR_V4MAPPED(&a)) {
		*family = '4';
		inet_ntop(AF_INET, a.s6_addr + 12, out, (socklen_t)room);
	} else if (!play_has(p, MLT_HABIT_IPV6_PREFIX)) {
		inet_ntop(AF_INET6, &a, out, (socklen_t)room);
	} else {
		n = (size_t)snprintf(out, room, "IPv6");
		for (size_t i = 0; i < 16; i += 2)
			n += (size_t)snprintf(out + n, room - n, ":%x",
			    a.s6_addr[i] << 8 | a.s6_addr[i + 1]);
	}
	return 0;
}

int
mlt_play_say_connect(struct mlt_play *p)
{
	const struct mlt_play_script *s = p->s;
	char family = s->family ? s->family : p->pf->family;
	struct mlt_bytes addr = s->family ? s->addr : play_text(p->pf->addr);
	struct mlt_bytes host = s->host;
	char given[ADDR_ROOM] = "", text[ADDR_ROOM], bracketed[ADDR_ROOM + 2];
	int rc;

	if (addr.n >= sizeof(given))
		return MLT_E_ARG;
	if (addr.n)
		memcpy(given, addr.p, addr.n);
	rc = spell(p, given, &family, text, sizeof(text));
	if (rc < 0)
		return rc;
	if (!host.p && s->family && (family == '4' || family == '6')) {
		snprintf(bracketed, sizeof(bracketed), "[%s]", text);
		host = play_text(bracketed);
	} else if (!host.p) {
		host = play_text(family == 'L' ? "localhost" : p->pf->host);
	}
	return mlt_mta_connect(p->m, host, family, s->port, play_text(text));
}

/* ---- the envelope --------------------------------------------------------------- */

int
mlt_play_say_helo(struct mlt_play *p)
{
	int rc = mlt_mta_helo(
	    p->m, p->s->helo.p ? p->s->helo : play_text(p->pf->helo));

	if (rc >= 0 && p->at == STEP_HELO)
		p->greeted = true;
	return rc;
}

int
mlt_play_say_unknown(struct mlt_play *p)
{
	struct mlt_bytes line = p->s->unknown.v[p->i];
	const char *blank = line.n ? memchr(line.p, ' ', line.n) : NULL;

	if (blank && play_has(p, MLT_HABIT_VERB_ONLY))
		line.n = (size_t)(blank - line.p);
	return mlt_mta_unknown(p->m, line);
}

/* spec:addresses */
static struct mlt_bytes
bare(struct mlt_bytes a)
{
	if (a.n >= 2 && a.p[0] == '<' && a.p[a.n - 1] == '>')
		return (struct mlt_bytes){ a.p + 1, a.n - 2 };
	return a;
}

typedef int (*args_fn)(struct mlt_mta *, const struct mlt_bytes *, size_t);

static int
say_args(struct mlt_play *p, struct mlt_play_list args, args_fn say)
{
	struct mlt_bytes address;

	if (!args.n || !play_has(p, MLT_HABIT_BARE))
		return say(p->m, args.v, args.n);
	address = bare(args.v[0]);
	return say(p->m, &address, 1);
}

int
mlt_play_say_mail(struct mlt_play *p)
{
	return say_args(p, play_message(p)->from, mlt_mta_mail);
}

int
mlt_play_say_rcpt(struct mlt_play *p)
{
	const struct mlt_play_rcpt *r = &play_message(p)->rcpts[p->i];

	if (r->refused && !(mlt_mta_protocol(p->m) & MLT_PROT_RCPT_REJ))
		return 0;
	return say_args(p, r->args, mlt_mta_rcpt);
}

/* ---- the content ---------------------------------------------------------------- */

/* spec:header-lines  The final line end goes, the others become LF. */
int
mlt_play_say_header(struct mlt_play *p)
{
	const struct mlt_play_header *h = &play_message(p)->headers[p->i];
	struct mlt_bytes name = h->name, v = h->value;
	size_t n = 0, max = p->pf->header_max;
	char *to;

	while (play_has(p, MLT_HABIT_TRIM_NAME) && name.n > 1 &&
	       strchr(" \t", name.p[name.n - 1]))
		name.n--;
	if (v.n && v.p[v.n - 1] == '\n')
		v.n -= v.n > 1 && v.p[v.n - 2] == '\r' ? 2 : 1;
	if (v.n && memmem(v.p, v.n, "\r\n", 2)) {
		to = scratch(p, v.n);
		if (!to)
			return MLT_E_NOMEM;
		for (size_t i = 0; i < v.n; i++) {
			if (v.p[i] != '\r' || i + 1 == v.n ||
			    v.p[i + 1] != '\n')
				to[n++] = v.p[i];
		}
		v = (struct mlt_bytes){ to, n };
	}
	if (max && name.n + 1 + v.n > max && name.n + 1 <= max)
		v.n = max - name.n - 1;
	return mlt_mta_header(p->m, name, v);
}

/* Octets of the CRLF that the last line lacks and still has to get. */
static unsigned
tail_left(const struct mlt_play *p, const struct play_cursor *c)
{
	struct mlt_bytes b = play_message(p)->body;

	if (!b.n || b.p[b.n - 1] == '\n' || !play_has(p, MLT_HABIT_LAST_LINE))
		return 0;
	return 2u - c->tail;
}

bool
mlt_play_body_left(const struct mlt_play *p)
{
	return p->body.off < play_message(p)->body.n || tail_left(p, &p->body);
}

/* Is there an LF in b[from, to) that wants a CR?  spec:body-lines */
static bool
has_bare_lf(struct mlt_bytes b, size_t from, size_t to)
{
	const char *p = b.p + from, *end = b.p + to;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		if (p == b.p || p[-1] != '\r')
			return true;
		p++;
	}
	return false;
}

/* Fills to[room] from c on, with CRLF line ends; its length. */
static size_t
convert(struct mlt_play *p, struct play_cursor *c, char *to, size_t room)
{
	struct mlt_bytes b = play_message(p)->body;
	size_t n = 0;

	while (n < room && c->off < b.n) {
		if (b.p[c->off] == '\n' && !c->cr_sent &&
		    (c->off == 0 || b.p[c->off - 1] != '\r')) {
			to[n++] = '\r';
			c->cr_sent = true;
			continue;
		}
		c->cr_sent = false;
		to[n++] = b.p[c->off++];
	}
	while (n < room && c->off == b.n && tail_left(p, c) > 0)
		to[n++] = "\r\n"[c->tail++];
	return n;
}

int
mlt_play_say_body(struct mlt_play *p)
{
	struct mlt_bytes b = play_message(p)->body, chunk;
	struct play_cursor c = p->body;
	size_t end = b.n - c.off > MLT_BODY_MAX ? c.off + MLT_BODY_MAX : b.n;
	char *to;
	int rc;

	if (!c.cr_sent && !(end == b.n && tail_left(p, &c)) &&
	    !has_bare_lf(b, c.off, end)) {
		chunk = (struct mlt_bytes){ b.p + c.off, end - c.off };
		c.off = end;
	} else {
		to = scratch(p, MLT_BODY_MAX);
		if (!to)
			return MLT_E_NOMEM;
		chunk.p = to;
		chunk.n = convert(p, &c, to, MLT_BODY_MAX);
	}
	rc = mlt_mta_body(p->m, chunk.p, chunk.n);
	if (rc >= 0)
		p->body = c;
	return rc;
}
