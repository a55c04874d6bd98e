/* SPDX-License-Identifier: MIT */
#include "cli/check/repeat.h"

#include <stdlib.h>
#include <string.h>

void
repeat_word(struct buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_=./:@,+";

	buf_addc(out, ' ');
	if (*word && word[strspn(word, plain)] == '\0') {
		buf_adds(out, word);
		return;
	}
	buf_addc(out, '\'');
	for (; *word; word++)
		if (*word == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *word);
	buf_addc(out, '\'');
}

/* Appends the value of a row if it is not the default: an int or a text. */
static void
option(struct buf *out, const struct opt *row, const void *value)
{
	const char *text;
	long number;

	if (row->type == OPT_STR) {
		memcpy(&text, value, sizeof(text));
		if (!text || (row->dflt && strcmp(text, row->dflt) == 0))
			return;
		buf_addf(out, " --%s", row->name);
		repeat_word(out, text);
	} else if (row->type == OPT_INT) {
		memcpy(&number, value, sizeof(number));
		if (number == (row->dflt ? strtol(row->dflt, NULL, 10) : 0))
			return;
		buf_addf(out, " --%s %ld", row->name, number);
	}
}

void
repeat_options(
    struct buf *out, const struct opt *rows, size_t n, const void *opts)
{
	for (size_t i = 0; i < n; i++)
		if (!(rows[i].flags & OPT_MODE))
			option(
			    out, &rows[i], (const char *)opts + rows[i].offset);
}
