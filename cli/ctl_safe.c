/* SPDX-License-Identifier: MIT */
/*
 * ctl_safe: text from a multiplexor, made fit to be seen (ctl_safe.h).
 */
#include "cli/ctl_safe.h"

#include <stdint.h>
#include <string.h>

/* rfc:3629  The octets of the well-formed character at p, or 0. */
static size_t
utf8_length(const unsigned char *p, size_t n, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80             ? 1
		     : (p[0] & 0xe0) == 0xc0 ? 2
		     : (p[0] & 0xf0) == 0xe0 ? 3
		     : (p[0] & 0xf8) == 0xf0 ? 4
					     : 0;

	if (len == 0 || len > n)
		return 0;
	*c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3fu);
	}
	if (*c < least[len] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
		return 0;
	return len;
}

static bool
is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
	       c == 0x2029 || c == 0x200e || c == 0x200f ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

size_t
ctl_printable(const char *p, size_t n)
{
	uint32_t c;
	size_t len = utf8_length((const unsigned char *)p, n, &c);

	return len && !is_control(c) ? len : 0;
}

void
ctl_safe(struct buf *out, const char *p, size_t n, bool one_line)
{
	for (size_t i = 0, len; i < n; i += len) {
		len = ctl_printable(p + i, n - i);
		if (len == 0) {
			len = 1;
			if (one_line || (p[i] != '\n' && p[i] != '\t')) {
				buf_addf(out, "\\x%02X", (unsigned char)p[i]);
				continue;
			}
		}
		buf_add(out, p + i, len);
	}
}

void
ctl_safe_cut(struct buf *out, const char *p, size_t n, size_t columns)
{
	size_t start = buf_len(out);

	for (size_t i = 0; i < n; i++) {
		size_t before = buf_len(out);

		if (p[i] >= 0x20 && p[i] < 0x7f)
			buf_addc(out, p[i]);
		else
			buf_addf(out, "\\x%02X", (unsigned char)p[i]);
		if (buf_len(out) - start <= columns)
			continue;
		buf_cut(out, before);
		while (columns && buf_len(out) - start >= columns)
			buf_cut(out, buf_len(out) - 1);
		if (columns)
			buf_addc(out, '>');
		return;
	}
}

void
ctl_json_string(struct buf *out, const char *p, size_t n)
{
	buf_addc(out, '"');
	for (size_t i = 0, len; i < n; i += len) {
		uint32_t c = 0xfffd;

		len = utf8_length((const unsigned char *)p + i, n - i, &c);
		if (len && !is_control(c)) {
			if (c == '"' || c == '\\')
				buf_addc(out, '\\');
			buf_add(out, p + i, len);
			continue;
		}
		/* all control characters are in the first plane */
		buf_addf(out, "\\u%04x", len ? (unsigned)c : 0xfffdu);
		len += len == 0;
	}
	buf_addc(out, '"');
}
