/* SPDX-License-Identifier: MIT */
#include "cli/check/smtp.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

void
smtp_reply_init(struct smtp_reply *r)
{
	r->code = 0;
	r->mixed = false;
	buf_init(&r->text, SMTP_REPLY_MAX);
}

void
smtp_reply_fini(struct smtp_reply *r)
{
	buf_fini(&r->text);
	r->code = 0;
}

/* The code of a line (without its end), 0 if it has none; *last: no more lines
 * follow. */
static int
line_code(const char *p, size_t n, bool *last)
{
	if (n < 3 || p[0] < '2' || p[0] > '5' ||
	    !isdigit((unsigned char)p[1]) || !isdigit((unsigned char)p[2]))
		return 0;
	if (n > 3 && p[3] != ' ' && p[3] != '-')
		return 0;
	*last = n == 3 || p[3] == ' ';
	return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

int
smtp_reply_take(struct buf *in, struct smtp_reply *r)
{
	const char *p = buf_data(in), *end = p + buf_len(in), *nl;
	bool last = false;

	r->code = 0;
	r->mixed = false;
	buf_reset(&r->text);
	for (; !last; p = nl + 1) {
		size_t n;
		int code;

		nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
		if (!nl)
			return (size_t)(end - buf_data(in)) > SMTP_REPLY_MAX
				   ? -1
				   : 0;
		n = (size_t)(nl - p);
		if (n && p[n - 1] == '\r')
			n--;
		code = line_code(p, n, &last);
		if (!code)
			return -1;
		r->mixed |= r->code && code != r->code;
		if (r->code)
			buf_addc(&r->text, '\n');
		else
			r->code = code;
		if (buf_add(&r->text, p, n) < 0)
			return -1;
	}
	buf_take(in, (size_t)(p - buf_data(in)));
	return 1;
}

bool
smtp_reply_has(const struct smtp_reply *r, const char *keyword)
{
	const char *p = buf_data(&r->text), *end = p + buf_len(&r->text), *nl;
	size_t len = strlen(keyword);

	for (; p < end; p = nl + 1) {
		size_t n;

		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			nl = end;
		n = (size_t)(nl - p);
		if (n >= 4 + len && strncasecmp(p + 4, keyword, len) == 0 &&
		    (n == 4 + len || p[4 + len] == ' '))
			return true;
	}
	return false;
}

void
smtp_put_content(struct buf *out, const char *p, size_t n)
{
	const char *end = p + n, *nl;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (*p == '.')
			buf_addc(out, '.');
		if (!nl) {
			buf_add(out, p, (size_t)(end - p));
			buf_adds(out, "\r\n");
			break;
		}
		buf_add(out, p, (size_t)(nl + 1 - p));
	}
	buf_adds(out, ".\r\n");
}
