/* SPDX-License-Identifier: MIT */
/*
 * socketmap: netstrings and what stands in them (socketmap.h).
 */
#include "socketmap.h"

#include "core/base/muxproto.h"
#include "core/base/pct.h"

#include <string.h>

#define DIGITS_MAX 15

int
netstring_next(const char *p, size_t n, struct netstring *s)
{
	size_t len = 0, i = 0;

	for (; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
		if (i == DIGITS_MAX)
			return -1;
		len = len * 10 + (size_t)(p[i] - '0');
		if (len > NETSTRING_MAX)
			return -1;
	}
	if (i == n)
		return 0;
	if (i == 0 || p[i] != ':')
		return -1;
	i++;
	if (n - i < len + 1)
		return 0;
	*s = (struct netstring){ .p = p + i,
		.n = len,
		.used = i + len + 1,
		.unterminated = p[i + len] != ',' };
	return 1;
}

int
netstring_add(struct buf *b, const void *p, size_t n)
{
	size_t mark = buf_len(b);

	if (buf_addf(b, "%zu:", n) == 0 && buf_add(b, p, n) == 0 &&
	    buf_addc(b, ',') == 0)
		return 0;
	buf_cut(b, mark);
	return -1;
}

int
socketmap_line(struct buf *line, const char *p, size_t n)
{
	const char *nul = memchr(p, '\0', n);
	size_t len = nul ? (size_t)(nul - p) : n;
	const char *blank = memchr(p, ' ', len);
	size_t name = blank ? (size_t)(blank - p) : 0;

	if (name == 0) /* an empty word would shift the key */
		return -2;
	if (mux_word(line, "map") < 0 || mux_arg(line, p, name, NULL) < 0 ||
	    buf_addc(line, ' ') < 0 ||
	    pct_encode(line, PCT_WIRE, blank + 1, len - name - 1) < 0)
		return -1;
	return 0;
}

/* The pool's answers are not a map's. */
static const char *
translated(const char *answer)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "error: No free workers\n", "TEMP No free workers" },
		{ "error: Unable to activate worker\n",
		    "TEMP Unable to activate worker" },
		{ "error: Error talking to worker process\n",
		    "TEMP Error talking to worker process" },
		{ "error: Out of memory\n", "TEMP Out of memory" },
		{ MUX_NO_RESPONSE, "TEMP Busy timeout on worker" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(answer, rows[i].from) == 0)
			return rows[i].to;
	if (strncmp(answer, MUX_TIMED_OUT, strlen(MUX_TIMED_OUT)) == 0)
		return "TEMP Busy timeout on worker";
	return NULL;
}

const char *
socketmap_answer(char *answer, size_t *n)
{
	const char *to;

	if (!answer)
		return NULL;
	to = translated(answer);
	if (to) {
		*n = strlen(to);
		return to;
	}
	if (*n && answer[*n - 1] == '\n')
		--*n;
	*n = pct_decode(answer, *n);
	return answer;
}
