/* SPDX-License-Identifier: MIT */
#include "qp.h"

#include <stdbool.h>
#include <string.h>

enum {
	WIDTH = 76, /* of a line, with the "=" of a soft break */
	SHORT = 74, /* a line of fewer octets, with its LF, is a short one */
};

struct out {
	unsigned char *p;
	size_t column;
};

size_t
qp_room(size_t n)
{
	return n * 3 + n / 8 + 8;
}

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_plain(unsigned char c)
{
	return (c >= ' ' && c <= '~' && c != '=') || c == '\t';
}

static void
soft_break(struct out *o)
{
	*o->p++ = '=';
	*o->p++ = '\n';
	o->column = 0;
}

/* last: the line ends behind it, so that no room for a soft break is needed. */
static void
plain(struct out *o, const unsigned char *in, size_t n, bool last)
{
	while (o->column + n > (size_t)(last ? WIDTH : WIDTH - 1)) {
		size_t fits = WIDTH - 1 - o->column;
		memcpy(o->p, in, fits);
		o->p += fits;
		in += fits;
		n -= fits;
		soft_break(o);
	}
	memcpy(o->p, in, n);
	o->p += n;
	o->column += n;
}

static void
escaped(struct out *o, unsigned char c, bool last)
{
	static const char hex[] = "0123456789ABCDEF";

	if (o->column + 3 > (size_t)(last ? WIDTH : WIDTH - 1))
		soft_break(o);
	*o->p++ = '=';
	*o->p++ = (unsigned char)hex[c >> 4];
	*o->p++ = (unsigned char)hex[c & 15];
	o->column += 3;
}

/* One line without its LF; ended: it has one. */
static void
encode_line(struct out *o, const unsigned char *in, size_t n, bool ended)
{
	size_t blanks = n; /* where the blanks at its end begin */

	while (blanks > 0 && is_blank(in[blanks - 1]))
		blanks--;
	for (size_t at = 0; at < n;) {
		size_t end = at;
		while (end < blanks && is_plain(in[end]))
			end++;
		if (end > at)
			plain(o, in + at, end - at, ended && end == n);
		else
			escaped(o, in[end++], ended && at + 1 == n);
		at = end;
	}
}

/* What lies between start and o->p is the whole of an encoded line. */
static void
hide(struct out *o, unsigned char *start)
{
	size_t n = (size_t)(o->p - start);

	if (n >= SHORT)
		return;
	if (n == 2 && start[0] == '.' && start[1] == '\n') {
		memcpy(start, "=2E\n", 4);
		o->p = start + 4;
	} else if (n > 5 && memcmp(start, "From ", 5) == 0) {
		memmove(start + 3, start + 1, n - 1);
		memcpy(start, "=46", 3);
		o->p += 2;
	}
}

size_t
qp_encode_text(const unsigned char *in, size_t n, unsigned char *out)
{
	struct out o = { out, 0 };

	while (n > 0) {
		const unsigned char *lf = memchr(in, '\n', n);
		size_t length = lf ? (size_t)(lf - in) : n;
		unsigned char *start = o.p;

		o.column = 0;
		encode_line(&o, in, length, lf != NULL);
		if (!lf)
			soft_break(&o);
		else
			*o.p++ = '\n';
		hide(&o, start);
		length += lf != NULL;
		in += length;
		n -= length;
	}
	return (size_t)(o.p - out);
}

static int
hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One line without its end and the blanks before that.  False: a soft break ends it. */
static bool
decode_line(const unsigned char *in, size_t n, bool ended, unsigned char **out)
{
	const unsigned char *end = in + n;

	while (in < end) {
		const unsigned char *equals =
		    memchr(in, '=', (size_t)(end - in));
		size_t span = (size_t)((equals ? equals : end) - in);
		memcpy(*out, in, span);
		*out += span;
		in += span;
		if (!equals)
			break;
		if (ended && end - in == 1)
			return false;
		int high = end - in > 2 ? hex_value(in[1]) : -1;
		int low = high >= 0 ? hex_value(in[2]) : -1;
		*(*out)++ = (unsigned char)(low < 0 ? '=' : high << 4 | low);
		in += low < 0 ? 1 : 3;
	}
	return true;
}

size_t
qp_decode(const unsigned char *in, size_t n, unsigned char *out)
{
	unsigned char *o = out;

	while (n > 0) {
		const unsigned char *lf = memchr(in, '\n', n);
		size_t length = lf ? (size_t)(lf - in) + 1 : n;
		size_t text = length;

		if (lf) {
			text--;
			if (text > 0 && in[text - 1] == '\r')
				text--;
			while (text > 0 && is_blank(in[text - 1]))
				text--;
		}
		if (decode_line(in, text, lf != NULL, &o) && lf)
			*o++ = '\n';
		in += length;
		n -= length;
	}
	return (size_t)(o - out);
}
