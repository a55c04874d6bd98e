/* SPDX-License-Identifier: MIT */
/* commands: the lines of COMMANDS. */
#include "commands.h"

#include "core/base/pct.h"
#include "core/frontend/negotiate.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

void
commands_line(struct buf *b, char letter, struct mlt_bytes arg)
{
	buf_addc(b, letter);
	pct_encode(b, PCT_FILE, arg.p, arg.n);
	buf_addc(b, '\n');
}

static void
text_line(struct buf *b, char letter, const char *s)
{
	commands_line(b, letter, (struct mlt_bytes){ s, s ? strlen(s) : 0 });
}

/* "=NAME VALUE", the name without its braces; nothing if it is not known. */
static void
macro_line(struct buf *b, const struct mlt_filter *session, const char *name)
{
	struct mlt_bytes value = mlt_filter_macro(session, name);
	size_t n = strlen(name);

	if (!value.p)
		return;
	if (n > 2 && *name == '{') {
		name++;
		n -= 2;
	}
	buf_addc(b, '=');
	pct_encode(b, PCT_FILE, name, n);
	buf_addc(b, ' ');
	pct_encode(b, PCT_FILE, value.p, value.n);
	buf_addc(b, '\n');
}

void
commands_mail(struct buf *b, const struct commands_about *a,
    const struct mlt_bytes *args, size_t n)
{
	char spelled[NEGOTIATE_MACRO_MAX];

	text_line(b, 'i', a->ident);
	commands_line(b, 'S', args[0]);
	for (size_t i = 1; i < n; i++)
		commands_line(b, 's', args[i]);
	for (size_t i = 0; negotiate_macros[i]; i++)
		macro_line(b, a->session, negotiate_macros[i]);
	buf_addf(b, "=client_port %u\n", a->client->port);
	for (size_t i = 0; a->extra && i < a->extra->n; i++) {
		negotiate_spell(spelled, a->extra->v[i]);
		macro_line(b, a->session, spelled);
	}
	if (*a->queue_id)
		text_line(b, 'Q', a->queue_id);
	text_line(b, 'H', a->client->host);
	text_line(b, 'I', a->client->ip);
	if (a->client->helo)
		text_line(b, 'E', a->client->helo);
}

static void
add_field(struct buf *b, struct mlt_bytes s)
{
	buf_addc(b, ' ');
	if (s.n)
		pct_encode(b, PCT_FILE, s.p, s.n);
	else
		buf_addc(b, '?');
}

void
commands_rcpt(struct buf *b, const struct mlt_bytes *args, size_t n,
    struct mlt_bytes mailer, struct mlt_bytes host, struct mlt_bytes addr)
{
	buf_addc(b, 'R');
	pct_encode(b, PCT_FILE, args[0].p, args[0].n);
	add_field(b, mailer);
	add_field(b, host);
	add_field(b, addr);
	buf_addc(b, '\n');
	for (size_t i = 1; i < n; i++)
		commands_line(b, 'r', args[i]);
}

/* The address at p; false if there is none. */
static bool
take_ip4(const char *p, const char *end, unsigned part[4])
{
	for (int i = 0; i < 4; i++) {
		const char *first;

		if (i > 0 && (p == end || *p++ != '.'))
			return false;
		part[i] = 0;
		for (first = p; p < end && *p >= '0' && *p <= '9'; p++) {
			part[i] = part[i] * 10 + (unsigned)(*p - '0');
			if (part[i] > 255)
				return false;
		}
		if (p == first)
			return false;
	}
	return true;
}

/* The longest run of what may be in an IPv6 address must be one. */
static bool
take_ip6(const char *p, const char *end, char out[CLIENT_IP_MAX])
{
	char text[CLIENT_IP_MAX];
	size_t n = 0;

	if (end - p > 5 && strncasecmp(p, "IPv6:", 5) == 0)
		p += 5;
	while (p + n < end && n < sizeof(text) - 1 &&
	       (isxdigit((unsigned char)p[n]) || p[n] == ':' || p[n] == '.'))
		n++;
	memcpy(text, p, n);
	text[n] = '\0';
	return client_ip6_text(out, text);
}

void
commands_relay(struct buf *b, struct mlt_bytes value)
{
	const char *p = value.p, *end = value.p + value.n;
	char ip6[CLIENT_IP_MAX];
	unsigned part[4];

	while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
		p++;
	if (take_ip4(p, end, part))
		buf_addf(
		    b, "J%u.%u.%u.%u\n", part[0], part[1], part[2], part[3]);
	else if (take_ip6(p, end, ip6))
		buf_addf(b, "J%s\n", ip6);
}
