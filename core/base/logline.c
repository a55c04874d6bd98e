/* SPDX-License-Identifier: MIT */
/*
 * logline: the text of one log line.
 *
 * Pieces are added whole or not at all, and never into the last TAIL octets, so
 * that what must close a line always fits.
 */
#include "logline.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TAIL 3 /* "]} or fewer */

static const char hex[] = "0123456789ABCDEF";

/* The first piece that does not fit ends the line. */
static void
add(struct logline *l, const char *p, size_t n)
{
	if (l->full || l->n + n > LOGLINE_MAX - (l->json ? TAIL : 0)) {
		l->full = true;
		return;
	}
	memcpy(l->text + l->n, p, n);
	l->n += n;
}

static void
add_text(struct logline *l, const char *s)
{
	add(l, s, strlen(s));
}

static void
begin(struct logline *l, bool json)
{
	l->n = 0;
	l->json = json;
	l->full = l->in_list = false;
}

/* Two hex digits behind a prefix. */
static void
add_hex(struct logline *l, const char *prefix, unsigned char c)
{
	char s[8];
	size_t n = strlen(prefix);

	memcpy(s, prefix, n);
	s[n] = hex[c >> 4];
	s[n + 1] = hex[c & 15];
	add(l, s, n + 2);
}

/* ---- plain ------------------------------------------------------------------- */

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static void
add_harmless(struct logline *l, const char *s)
{
	while (*s && !l->full) {
		size_t run = 0, room = LOGLINE_MAX - l->n;

		while (s[run] && !is_control(s[run]))
			run++;
		if (run > room) /* text alone may be cut anywhere */
			run = room;
		add(l, s, run);
		s += run;
		if (run == room)
			l->full = true;
		else if (*s)
			add_hex(l, "\\x", (unsigned char)*s++);
	}
}

void
logline_plain(struct logline *l, const char *ctx, const char *text)
{
	begin(l, false);
	if (ctx) {
		add_harmless(l, ctx);
		add_text(l, ": ");
	}
	add_harmless(l, text);
	logline_end(l);
}

/* ---- JSON --------------------------------------------------------------------- */

/* The length of the UTF-8 sequence at p (RFC 3629), 0 if there is none. */
static size_t
utf8_length(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc2 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
		     : p[0] < 0xf5 ? 4
				   : 0;

	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

static void
add_json(struct logline *l, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	while (n > 0 && !l->full) {
		size_t len = utf8_length(p, n);

		if (len == 0) {
			add_hex(l, "\\\\x", *p);
			len = 1;
		} else if (is_control((char)*p))
			add_hex(l, "\\u00", *p);
		else if (*p == '"' || *p == '\\')
			add(l, *p == '"' ? "\\\"" : "\\\\", 2);
		else
			add(l, (const char *)p, len);
		p += len;
		n -= len;
	}
}

/* What does not fit is left out, but for the quotes. */
static void
add_quoted(struct logline *l, const char *p, size_t n)
{
	add_text(l, "\"");
	if (l->full)
		return;
	add_json(l, p, n);
	l->text[l->n++] = '"'; /* the tail has room */
}

static void
add_head(struct logline *l, const struct logline_head *h, const char *ctx)
{
	time_t s = (time_t)(h->wall_ms / 1000);
	struct tm tm = { 0 };
	char text[160];

	gmtime_r(&s, &tm);
	snprintf(text, sizeof(text),
	    "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\",\"level\":\"%s\""
	    ",\"program\":",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, (int)(h->wall_ms % 1000), h->level);
	add_text(l, text);
	add_quoted(l, h->program, strlen(h->program));
	snprintf(text, sizeof(text), ",\"pid\":%ld", h->pid);
	add_text(l, text);
	if (ctx)
		logline_text(l, "context", ctx, strlen(ctx), LOGLINE_MAX);
}

void
logline_json(struct logline *l, const struct logline_head *head,
    const char *ctx, const char *text)
{
	begin(l, true);
	add_head(l, head, ctx);
	logline_text(l, "message", text, strlen(text), LOGLINE_MAX);
	logline_end(l);
}

/* ---- events -------------------------------------------------------------------- */

void
logline_event(struct logline *l, const struct logline_head *head,
    const char *ctx, const char *event)
{
	begin(l, head != NULL);
	if (head) {
		add_head(l, head, ctx);
		logline_text(l, "event", event, strlen(event), LOGLINE_MAX);
		return;
	}
	if (ctx) {
		add_harmless(l, ctx);
		add_text(l, ": ");
	}
	add_text(l, event);
}

/* " key=" or ,"key":  A line with no room for a key and the least of values is
 * full. */
static void
add_key(struct logline *l, const char *key)
{
	size_t n = strlen(key);

	if (l->in_list && l->json)
		l->text[l->n++] = ']'; /* the tail has room */
	l->in_list = false;
	if (l->n + n + 8 > LOGLINE_MAX - TAIL)
		l->full = true;
	add_text(l, l->json ? ",\"" : " ");
	add(l, key, n);
	add_text(l, l->json ? "\":" : "=");
}

void
logline_number(struct logline *l, const char *key, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	if (l->n + strlen(key) + strlen(text) + 4 + TAIL > LOGLINE_MAX)
		l->full = true; /* no key without its number */
	add_key(l, key);
	add_text(l, text);
}

static void
add_value(struct logline *l, const char *p, size_t n, size_t max)
{
	n = n < max ? n : max;
	if (l->json) {
		add_quoted(l, p, n);
		return;
	}
	for (; n > 0 && !l->full; p++, n--) {
		unsigned char c = (unsigned char)*p;

		if (c <= 0x20 || c >= 0x7f || strchr("%\"'\\,", c))
			add_hex(l, "%", c);
		else
			add(l, p, 1);
	}
}

void
logline_text(
    struct logline *l, const char *key, const char *p, size_t n, size_t max)
{
	add_key(l, key);
	if (!l->full)
		add_value(l, p, n, max);
}

void
logline_list(struct logline *l, const char *key)
{
	add_key(l, key);
	if (l->json)
		add_text(l, "[");
	l->in_list = !l->full;
}

void
logline_item(struct logline *l, const char *p, size_t n, size_t max)
{
	char before = l->n ? l->text[l->n - 1] : '\0';

	if (l->n + 8 > LOGLINE_MAX - TAIL)
		l->full = true;
	if (before != (l->json ? '[' : '='))
		add_text(l, ",");
	if (!l->full)
		add_value(l, p, n, max);
}

void
logline_end(struct logline *l)
{
	if (l->json && l->in_list)
		l->text[l->n++] = ']';
	if (l->json)
		l->text[l->n++] = '}';
	l->text[l->n] = '\0';
}
