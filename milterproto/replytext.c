/* SPDX-License-Identifier: MIT */
/* replytext: the SMTP reply inside REPLYCODE; see replytext.h. */
#include "replytext.h"

#include <string.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
code_ok(const char *s)
{
	return (s[0] == '4' || s[0] == '5') && is_digit(s[1]) && is_digit(s[2]);
}

/* class "." 1*3DIGIT "." 1*3DIGIT with this class */
static bool
dsn_ok(const char *s, char class)
{
	if (*s++ != class)
		return false;
	for (int part = 0; part < 2; part++) {
		int digits = 0;

		if (*s++ != '.')
			return false;
		while (digits < 3 && is_digit(*s)) {
			digits++;
			s++;
		}
		if (digits == 0)
			return false;
	}
	return *s == 0;
}

/* ---- making one ---------------------------------------------------------- */

/* Takes one line from *text; false after the last.  An LF at the very end
 * begins no further line. */
static bool
next_line(struct mlt_bytes *text, struct mlt_bytes *line)
{
	const char *lf;

	if (!text->p)
		return false;
	*line = *text;
	lf = text->n ? memchr(text->p, '\n', text->n) : NULL;
	if (lf) {
		line->n = (size_t)(lf - text->p);
		text->p = lf + 1;
		text->n -= line->n + 1;
	}
	if (!lf || text->n == 0)
		text->p = NULL;
	if (lf && line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

/* Octets of the line with '%' doubled; -1 = it cannot be sent. */
static int
line_length(struct mlt_bytes line)
{
	int n = 0;

	if (line.n > MLT_REPLY_LINE_MAX)
		return -1;
	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return -1;
		n += c == '%' ? 2 : 1;
	}
	return n;
}

static uint8_t *
put_line(uint8_t *to, struct mlt_bytes line)
{
	for (size_t i = 0; i < line.n; i++) {
		char c = line.p[i];

		if (c == '%')
			*to++ = '%';
		if (c == '\t')
			c = ' ';
		*to++ = (unsigned char)c < 0x80 ? (uint8_t)c : '?';
	}
	return to;
}

int
mlt_put_code(struct mlt_buf **b, const struct mlt_reply *r, size_t max)
{
	char generic[] = "x.0.0";
	const char *dsn = r->dsn;
	struct mlt_bytes rest, line, text = r->text;
	size_t lines = 0, n = 0, head;
	uint8_t *p;

	if (!text.p)
		text = (struct mlt_bytes){ "", 0 };
	if (!r->code || !code_ok(r->code) || r->code[3])
		return MLT_E_ARG;
	if (dsn && !dsn_ok(dsn, r->code[0]))
		return MLT_E_ARG;
	for (rest = text; next_line(&rest, &line); lines++) {
		int len = line_length(line);

		if (len < 0 || lines == MLT_REPLY_LINES_MAX)
			return MLT_E_ARG;
		n += (size_t)len;
	}
	/* Several lines need a DSN on each, and text that begins with a digit
	 * would be read as one. */
	if (!dsn && (lines > 1 || (text.n && is_digit(text.p[0])))) {
		generic[0] = r->code[0];
		dsn = generic;
	}
	head = 4 + (dsn ? strlen(dsn) + 1 : 0);
	n += lines * head + (lines - 1) * 2 + 1;
	if (n > max)
		return MLT_E_ARG;
	p = mlt_put_frame(b, MLT_SMFIR_REPLYCODE, n);
	if (!p)
		return MLT_E_NOMEM;
	for (rest = text; next_line(&rest, &line);) {
		p = mlt_put_octets(p, (struct mlt_bytes){ r->code, 3 });
		*p++ = rest.p ? '-' : ' ';
		if (dsn) {
			p = mlt_put_octets(
			    p, (struct mlt_bytes){ dsn, strlen(dsn) });
			*p++ = ' ';
		}
		p = put_line(p, line);
		if (rest.p) {
			*p++ = '\r';
			*p++ = '\n';
		}
	}
	*p = 0;
	return 0;
}

/* ---- judging one ----------------------------------------------------------- */

/* One line, whose separator must be sep. */
static bool
line_valid(const char *s, size_t n, const char *code, char sep)
{
	if (n < 4 || memcmp(s, code, 3) != 0 || s[3] != sep)
		return false;
	if (n > 4 && is_digit(s[4]) && s[4] != code[0])
		return false;
	for (size_t i = 4; i < n; i++) {
		if (s[i] == '%' && (++i == n || s[i] != '%'))
			return false;
		if (s[i] == '\r' || s[i] == '\n')
			return false;
	}
	return true;
}

bool
mlt_code_valid(struct mlt_bytes text)
{
	const char *s = text.p;
	size_t n = text.n;

	if (n < 4 || memchr(s, 0, n) || !code_ok(s))
		return false;
	for (;;) {
		const char *lf = memchr(s, '\n', n);
		size_t len = lf ? (size_t)(lf - s) : n;

		if (!lf)
			return line_valid(s, n, text.p, ' ');
		if (len == 0 || s[len - 1] != '\r' ||
		    !line_valid(s, len - 1, text.p, '-'))
			return false;
		s += len + 1;
		n -= len + 1;
		if (n == 0)
			return false;
	}
}
