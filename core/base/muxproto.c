/* SPDX-License-Identifier: MIT */
/*
 * muxproto: the one-line requests and answers between front-end, multiplexor
 * and worker (docs/muxproto.md).  Pure.
 *
 * Whatever is not recognised is an error of the other side, and the caller's
 * answer to that is tempfail; nothing here guesses.
 */
#include "muxproto.h"

#include "core/base/pct.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const class_names[MUX_CLASS_N] = {
	[MUX_SCAN] = "scan",
	[MUX_RELAYOK] = "relayok",
	[MUX_SENDEROK] = "senderok",
	[MUX_RECIPOK] = "recipok",
	[MUX_OTHER] = "other",
};

const char *
mux_class_name(enum mux_class c)
{
	assert(c < MUX_CLASS_N);
	return class_names[c];
}

enum mux_class
mux_classify(const char *line, size_t n)
{
	for (enum mux_class c = 0; c < MUX_OTHER; c++) {
		size_t len = strlen(class_names[c]);

		if (n >= len && memcmp(line, class_names[c], len) == 0 &&
		    (n == len || line[len] == ' '))
			return c;
	}
	return MUX_OTHER;
}

int
mux_word(struct buf *b, const char *word)
{
	return buf_adds(b, word);
}

int
mux_arg(struct buf *b, const void *p, size_t n, const char *substitute)
{
	size_t mark = buf_len(b);

	if (n == 0) {
		if (!substitute)
			return 0;
		p = substitute;
		n = strlen(substitute);
	}
	if (buf_addc(b, ' ') == 0 && pct_encode(b, PCT_WIRE, p, n) == 0)
		return 0;
	buf_cut(b, mark);
	return -1;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool
mux_nth(const char *line, size_t n, size_t nth, const char **p, size_t *len)
{
	const char *s = line, *end = line + n, *word;

	for (;; nth--) {
		while (s < end && is_space(*s))
			s++;
		word = s;
		while (s < end && !is_space(*s))
			s++;
		if (word == s)
			return false;
		if (nth == 0)
			break;
	}
	*p = word;
	*len = (size_t)(s - word);
	return true;
}

/* Reads "ok N" in front of the line: the octets read, or 0. */
static size_t
read_verdict(const char *line, size_t n, enum mux_verdict *verdict)
{
	static const struct {
		const char *text;
		enum mux_verdict verdict;
	} rows[] = {
		{ "ok 1", MUX_CONTINUE },
		{ "ok 0", MUX_REJECT },
		{ "ok -1", MUX_TEMPFAIL },
		{ "ok 2", MUX_ACCEPT },
		{ "ok 3", MUX_DISCARD },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].text);

		if (n >= len && memcmp(line, rows[i].text, len) == 0) {
			*verdict = rows[i].verdict;
			return len;
		}
	}
	return 0;
}

/* Deletes every CR and LF; returns the new length. */
static size_t
delete_line_ends(char *line, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (line[i] != '\r' && line[i] != '\n')
			line[kept++] = line[i];
	return kept;
}

/* Cuts the field at *p: up to one white space, or to the end if `rest`.
 * Returns it decoded, with a NUL behind it; *p is then behind the field. */
static const char *
cut_field(char **p, char *end, bool rest, size_t *len)
{
	char *field = *p, *s = field;

	while (s < end && (rest || !is_space(*s)))
		s++;
	*p = s < end ? s + 1 : end;
	*len = pct_decode(field, (size_t)(s - field));
	field[*len] = '\0';
	return field;
}

int
mux_parse_answer(char *line, size_t n, struct mux_answer *a)
{
	struct mux_answer r = { .text = "", .code = "", .dsn = "" };
	size_t at, len;
	char *p;

	assert(line[n] == '\0');
	if (memchr(line, '\0', n))
		return -1;
	at = read_verdict(line, n, &r.verdict);
	if (at && n == at + 1 && line[at] == '\n') {
		*a = r;
		return 0;
	}
	n = delete_line_ends(line, n);
	line[n] = '\0';
	at = read_verdict(line, n, &r.verdict);
	if (!at || n < at + 2 || line[at] != ' ')
		return -1;
	p = line + at + 1;
	r.has_fields = true;
	r.text = cut_field(&p, line + n, false, &r.text_len);
	r.code = cut_field(&p, line + n, false, &len);
	r.dsn = cut_field(&p, line + n, false, &len);
	r.delay_s = strtol(cut_field(&p, line + n, true, &len), NULL, 10);
	if (r.delay_s < 0)
		r.delay_s = 0;
	*a = r;
	return 0;
}

long
mux_parse_free(const char *line, size_t n)
{
	long v = 0;

	/* nine digits fit into a long everywhere */
	if (n < 2 || n > 10 || line[n - 1] != '\n')
		return -1;
	for (size_t i = 0; i < n - 1; i++) {
		if (line[i] < '0' || line[i] > '9')
			return -1;
		v = v * 10 + (line[i] - '0');
	}
	return v;
}
