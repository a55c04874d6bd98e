/* SPDX-License-Identifier: MIT */
/* pct: the percent codec.  Pure; spec:percent. */
#include "pct.h"

#include <stdbool.h>
#include <string.h>

static bool
is_special(enum pct_set set, unsigned char c)
{
	if (c <= 0x20 || c >= 0x7f || c == '%')
		return true;
	return set == PCT_WIRE && (c == '\\' || c == '\'' || c == '"');
}

size_t
pct_encoded_len(enum pct_set set, const void *p, size_t n)
{
	const unsigned char *s = p;
	size_t len = n;

	for (size_t i = 0; i < n; i++)
		if (is_special(set, s[i]))
			len += 2;
	return len;
}

int
pct_encode(struct buf *b, enum pct_set set, const void *p, size_t n)
{
	static const char hex[] = "0123456789ABCDEF";
	const unsigned char *s = p;
	size_t len = pct_encoded_len(set, p, n);
	char *to;

	if (len == n)
		return buf_add(b, p, n);
	to = buf_space(b, len);
	if (!to)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (is_special(set, s[i])) {
			*to++ = '%';
			*to++ = hex[s[i] >> 4];
			*to++ = hex[s[i] & 15];
		} else {
			*to++ = (char)s[i];
		}
	}
	buf_added(b, len);
	return 0;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

size_t
pct_decode(char *p, size_t n)
{
	const char *s = n ? memchr(p, '%', n) : NULL, *end = p + n;
	char *to;

	if (!s)
		return n;
	for (to = p + (s - p); s < end; to++) {
		int hi = -1, lo = -1;

		if (*s == '%' && end - s > 2) {
			hi = hex_value(s[1]);
			lo = hex_value(s[2]);
		}
		if (hi >= 0 && lo >= 0) {
			*to = (char)(unsigned char)(hi << 4 | lo);
			s += 3;
		} else {
			*to = *s++;
		}
	}
	return (size_t)(to - p);
}
