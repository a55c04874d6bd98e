/* SPDX-License-Identifier: MIT */
/*
 * sink_message: a delivered message and the envelope that was noted in front
 * of it (sink.h).  Pure.
 */
#include "cli/check/sink.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

void
sink_message_init(struct sink_message *m)
{
	*m = (struct sink_message){ .copies = 0 };
	buf_init(&m->text, 0);
	buf_init(&m->from, 0);
	buf_init(&m->to, 0);
}

void
sink_message_fini(struct sink_message *m)
{
	buf_fini(&m->text);
	buf_fini(&m->from);
	buf_fini(&m->to);
}

/* Behind the name and colon of a line, NULL if it has another name. */
static const char *
behind(const char *line, size_t n, const char *name)
{
	size_t len = strlen(name);

	if (n <= len || line[len] != ':' || strncasecmp(line, name, len) != 0)
		return NULL;
	return line + len + 1;
}

/* The address between angle brackets, or all; without blanks around. */
static void
cut_address(const char **p, size_t *n)
{
	const char *open, *close;

	while (*n && isspace((unsigned char)**p)) {
		++*p;
		--*n;
	}
	while (*n && isspace((unsigned char)(*p)[*n - 1]))
		--*n;
	open = memchr(*p, '<', *n);
	close = open ? memchr(open, '>', *n - (size_t)(open - *p)) : NULL;
	if (close) {
		*p = open + 1;
		*n = (size_t)(close - *p);
	}
}

static bool
holds(const struct buf *list, const char *p, size_t n)
{
	const char *at = buf_data(list), *end = at + buf_len(list), *nl;

	for (; at < end; at = nl + 1) {
		nl = memchr(at, '\n', (size_t)(end - at));
		if (!nl)
			break;
		if ((size_t)(nl - at) == n && strncasecmp(at, p, n) == 0)
			return true;
	}
	return false;
}

/* One line in front of the message: true if it is of the envelope. */
static bool
take_envelope(struct sink_message *m, const char *line, size_t n)
{
	static const struct {
		const char *name;
		enum {
			NOTHING,
			FROM,
			TO
		} what;
	} rows[] = {
		{ "Return-Path", FROM },
		{ "X-Envelope-From", FROM },
		{ "X-Envelope-To", TO },
		{ "X-Original-To", TO },
		{ "Delivered-To", TO },
		{ "Envelope-To", TO },
	};
	const char *p;

	if (n >= 5 && memcmp(line, "From ", 5) == 0)
		return true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(p = behind(line, n, rows[i].name)))
			continue;
		n -= (size_t)(p - line);
		cut_address(&p, &n);
		if (rows[i].what == FROM && !m->has_from) {
			m->has_from = true;
			buf_add(&m->from, p, n);
		} else if (rows[i].what == TO && !holds(&m->to, p, n)) {
			m->has_to = true;
			buf_add(&m->to, p, n);
			buf_addc(&m->to, '\n');
		}
		return true;
	}
	return false;
}

/* Appends a line without its CR. */
static void
take_line(struct sink_message *m, const char *line, size_t n)
{
	if (n >= 2 && line[n - 1] == '\n' && line[n - 2] == '\r') {
		buf_add(&m->text, line, n - 2);
		buf_addc(&m->text, '\n');
	} else {
		buf_add(&m->text, line, n);
	}
}

int
sink_message_add(struct sink_message *m, const char *p, size_t n)
{
	const char *end = p + n, *nl;
	bool envelope = true, header = true, first = m->copies++ == 0;

	for (; p < end && (first || envelope); p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			nl = end - 1;
		n = (size_t)(nl + 1 - p);
		envelope = envelope && take_envelope(m, p, n);
		if (envelope || !first)
			continue;
		take_line(m, p, n);
		if (header && (*p == '\n' || (*p == '\r' && n == 2))) {
			header = false;
			m->body = buf_len(&m->text);
		}
	}
	if (first && header)
		m->body = buf_len(&m->text);
	return m->text.failed || m->from.failed || m->to.failed ? -1 : 0;
}

bool
sink_message_is_to(const struct sink_message *m, const char *address)
{
	return holds(&m->to, address, strlen(address));
}

long
sink_message_field(const struct sink_message *m, const char *name, unsigned nth,
    const char **value, unsigned *line)
{
	const char *p = buf_data(&m->text), *end = p + m->body, *next;
	unsigned fields = 0;

	for (; p < end && *p != '\n'; p = next, fields++) {
		const char *v;

		next = p;
		do {
			next = memchr(next, '\n', (size_t)(end - next));
			next = next ? next + 1 : end;
		} while (next < end && (*next == ' ' || *next == '\t'));
		v = behind(p, (size_t)(next - p), name);
		if (!v || --nth)
			continue;
		*value = v;
		if (line)
			*line = fields;
		return next - v - (next[-1] == '\n');
	}
	return -1;
}
