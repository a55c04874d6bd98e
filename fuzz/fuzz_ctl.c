/* SPDX-License-Identifier: MIT */
/*
 * A hostile multiplexor answers md-mx-ctrl.  The first line of the input says
 * what was asked ("t status", "j workers" for JSON, "s 24 80" for the screen of
 * that size), the rest is the answer, or two with a NUL between them.
 *
 * What is printed is text without a control character, JSON is JSON, an error
 * is one line, and the screen keeps to its columns.
 */
#include "cli/ctl_cmd.h"
#include "cli/ctl_safe.h"
#include "cli/ctl_top.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No octet that a terminal obeys: of C0 only LF and tab, no DEL, no C1, alone or
 * as UTF-8. */
static void
check_harmless(const struct buf *b)
{
	const unsigned char *p = (const unsigned char *)buf_data(b);
	size_t follow = 0;

	for (size_t i = 0; i < buf_len(b); i++) {
		if (follow) {
			assert(p[i] >= 0x80 && p[i] < 0xc0);
			assert(p[i - 1] != 0xc2 || p[i] >= 0xa0);
			follow--;
			continue;
		}
		assert(p[i] >= 0x20 || p[i] == '\n' || p[i] == '\t');
		assert(p[i] != 0x7f);
		assert(p[i] < 0x80 || (p[i] >= 0xc2 && p[i] < 0xf5));
		follow = p[i] < 0x80   ? 0
			 : p[i] < 0xe0 ? 1
			 : p[i] < 0xf0 ? 2
				       : 3;
	}
	assert(follow == 0);
}

/* ---- is it JSON?  Returns what follows the value. */

static const char *
json_string(const char *p)
{
	for (assert(*p == '"'), p++; *p != '"'; p++) {
		assert((unsigned char)*p >= 0x20);
		if (*p == '\\') {
			p++;
			assert(*p && strchr("\"\\u", *p));
		}
	}
	return p + 1;
}

static const char *
json_value(const char *p, unsigned depth)
{
	char end = *p == '{' ? '}' : ']';

	assert(depth < 6);
	if (*p == '"')
		return json_string(p);
	if (strncmp(p, "null", 4) == 0)
		return p + 4;
	if (*p != '{' && *p != '[') {
		size_t n = strspn(p, "0123456789.");

		assert(n > 0 && *p != '.' && p[n - 1] != '.');
		if (p[n] == 'e') /* of %g */
			n += 1 + strspn(p + n + 1, "+-0123456789");
		return p + n;
	}
	if (*++p == end)
		return p + 1;
	for (;; p++) {
		if (end == '}') {
			p = json_string(p);
			assert(*p == ':');
			p++;
		}
		p = json_value(p, depth + 1);
		if (*p == end)
			return p + 1;
		assert(*p == ',');
	}
}

static void
check_shown(struct ctl_shown *s, bool json)
{
	static const char no[] = "Could not interpret response: ";
	const char *out = buf_cstr(&s->out), *err = buf_cstr(&s->err);
	struct buf safe;

	assert(s->status == 0 || s->status == 1);
	if (buf_len(&s->err)) {
		assert(s->status == 1 && strncmp(err, "ERROR ", 6) == 0);
		assert(strchr(err, '\n') == err + buf_len(&s->err) - 1);
		check_harmless(&s->err);
	} else if (s->status == 1) {
		assert(json || strncmp(out, no, sizeof(no) - 1) == 0);
	}
	if (json) {
		check_harmless(&s->out);
		assert(strcmp(json_value(out, 0), "\n") == 0);
		assert(
		    (s->status == 1) == (strncmp(out, "{\"error\"", 8) == 0));
	}
	buf_init(&safe, 0);
	ctl_safe(&safe, out, buf_len(&s->out), false);
	check_harmless(&safe);
	buf_fini(&safe);
}

static void
ask(const char *line, size_t n, bool json, struct ctl_str answer)
{
	struct ctl_shown s = { .status = -1 };
	struct ctl_form_in in = { .text = answer, .hostname = "mx1" };
	const struct ctl_command *c = ctl_find(line, n);

	if (c->local || (json && c->json == c->text)) /* is not made here */
		return;
	buf_init(&s.out, 0);
	buf_init(&s.err, 0);
	ctl_show(c, json, &in, &s);
	check_shown(&s, json);
	buf_fini(&s.out);
	buf_fini(&s.err);
}

static void
draw(unsigned rows, unsigned columns, struct ctl_str answer)
{
	struct ctl_screen s = { .rows = rows % 300,
		.columns = columns % 600,
		.host = "mx1",
		.socket = "mux.sock" };
	const char *nul = answer.n ? memchr(answer.p, '\0', answer.n) : NULL;
	struct ctl_str workers = { NULL, 0 }, text, line;
	struct ctl_top t;
	struct buf out;

	if (nul) {
		workers.p = nul + 1;
		workers.n = answer.n - (size_t)(nul + 1 - answer.p);
		answer.n = (size_t)(nul - answer.p);
	}
	ctl_top_init(&t);
	for (msec now = 1; now <= 2; now++) /* a rate needs two looks */
		ctl_top_take(&t, answer, workers, now);
	buf_init(&out, 0);
	ctl_top_draw(&t, &s, &out);
	check_harmless(&out);
	text = (struct ctl_str){ buf_data(&out), buf_len(&out) };
	while (ctl_line(&text, &line))
		assert(s.columns == 0 || line.n <= s.columns);
	buf_fini(&out);
	ctl_top_fini(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	const char *lf = size ? memchr(p, '\n', size) : NULL;
	char line[64] = "";
	struct ctl_str answer;
	unsigned rows = 0, columns = 0;
	size_t n;

	if (!lf || lf - p < 2 || lf - p >= (long)sizeof(line))
		return 0;
	n = (size_t)(lf - p);
	memcpy(line, p, n);
	answer = (struct ctl_str){ lf + 1, size - n - 1 };
	if (line[0] == 's') {
		sscanf(line + 1, "%3u %3u", &rows, &columns);
		draw(rows, columns, answer);
	} else {
		ask(line + 2, n - 2, line[0] == 'j', answer);
	}
	return 0;
}
