/* SPDX-License-Identifier: MIT */
/* reply: a verdict with text, code and DSN -> what the MTA is told. */
#include "reply.h"

#include <stdbool.h>
#include <string.h>

#define LINES_MAX 31 /* spec:reply-mapping */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
good_code(const char *s, char class)
{
	return s && s[0] == class && is_digit(s[1]) && is_digit(s[2]) &&
	       s[3] == '\0';
}

/* "." and one to three digits at *s, which moves behind them. */
static bool
dsn_part(const char **s)
{
	const char *first;

	if (*(*s)++ != '.')
		return false;
	for (first = *s; is_digit(**s); (*s)++)
		;
	return *s > first && *s - first <= 3;
}

static bool
good_dsn(const char *s, char class)
{
	return s && *s++ == class && dsn_part(&s) && dsn_part(&s) && *s == '\0';
}

/* A line of a reply is limited; the part that does not fit is cut off
 * (choice:reply-line-cut).  Control octets become blanks. */
static void
add_line(struct buf *room, const char *p, const char *end)
{
	size_t left = MLT_REPLY_LINE_MAX;

	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;
		size_t need = c == '%' ? 2 : 1; /* doubled on the wire */

		if (need > left)
			return;
		left -= need;
		buf_addc(room, c < 0x20 || c == 0x7f ? ' ' : *p);
	}
}

static void
add_lines(struct buf *room, struct mlt_bytes text)
{
	const char *p = text.p, *end = text.p + text.n, *lf;

	while (end > p && end[-1] == '\n')
		end--;
	for (int line = 1; line < LINES_MAX && p < end; line++) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (!lf)
			break;
		add_line(room, p, lf);
		buf_addc(room, '\n');
		p = lf + 1;
	}
	add_line(room, p, end); /* LF is a control octet in here */
}

int
reply_refusal(struct mlt_reply *r, enum mlt_reply_type type, const char *code,
    const char *dsn, struct mlt_bytes text, struct buf *room)
{
	bool temp = type == MLT_REPLY_TEMPFAIL;
	char class = temp ? '4' : '5';

	buf_reset(room);
	if (text.n)
		add_lines(room, text);
	if (buf_len(room) == 0)
		buf_adds(room, temp ? "Please try again later"
				    : "Forbidden for policy reasons");
	if (room->failed)
		return -1;
	*r = (struct mlt_reply){
		.type = MLT_REPLY_CODE,
		.code = good_code(code, class) ? code
			: temp                 ? "451"
					       : "554",
		.dsn = good_dsn(dsn, class) ? dsn
		       : temp               ? "4.3.0"
					    : "5.7.1",
		.text = { buf_data(room), buf_len(room) },
	};
	return 0;
}

enum mlt_reply_type
reply_type(enum mux_verdict v)
{
	switch (v) {
	case MUX_CONTINUE:
		return MLT_REPLY_CONTINUE;
	case MUX_ACCEPT:
		return MLT_REPLY_ACCEPT;
	case MUX_DISCARD:
		return MLT_REPLY_DISCARD;
	case MUX_REJECT:
		return MLT_REPLY_REJECT;
	case MUX_TEMPFAIL:
		break;
	}
	return MLT_REPLY_TEMPFAIL;
}

int
reply_answer(struct mlt_reply *r, const struct mux_answer *a, struct buf *room)
{
	enum mlt_reply_type type = reply_type(a->verdict);

	if (a->has_fields &&
	    (type == MLT_REPLY_REJECT || type == MLT_REPLY_TEMPFAIL))
		return reply_refusal(r, type, a->code, a->dsn,
		    (struct mlt_bytes){ a->text, a->text_len }, room);
	*r = (struct mlt_reply){ .type = type };
	return 0;
}
