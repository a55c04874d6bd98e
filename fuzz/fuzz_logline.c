/* SPDX-License-Identifier: MIT */
/* logline: whatever the values are, a line has no control octets, is not too
 * long, and as JSON is one object with balanced quotes and brackets. */
#include "core/base/logline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct logline *l)
{
	bool in_string = false;
	int depth = 0;

	assert(l->n <= LOGLINE_MAX && strlen(l->text) == l->n);
	for (const char *p = l->text; *p; p++) {
		assert((unsigned char)*p >= 0x20 && *p != 0x7f);
		if (!l->json)
			continue;
		if (in_string && *p == '\\') {
			p++;
			assert(*p);
		} else if (*p == '"') {
			in_string = !in_string;
		} else if (!in_string && (*p == '{' || *p == '[')) {
			depth++;
		} else if (!in_string && (*p == '}' || *p == ']')) {
			depth--;
			assert(depth > 0 || p[1] == '\0');
		}
	}
	assert(!in_string && depth == 0);
}

/* Octet 0: the kind of line.  Then pieces, each after its length; they repeat
 * themselves so that lines get full. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct logline_head head = { 1, "info", "p", 1 };
	struct logline l;
	char *text = malloc(size + 1);

	if (!text || size == 0) {
		free(text);
		return 0;
	}
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	logline_plain(&l, data[0] & 4 ? text : NULL, text);
	check(&l);
	logline_json(&l, &head, data[0] & 4 ? text : NULL, text);
	check(&l);
	logline_event(
	    &l, data[0] & 1 ? &head : NULL, data[0] & 2 ? text : NULL, "event");
	for (int round = 0; round < 20; round++)
		for (size_t at = 1, n; at < size; at += n + 1) {
			const char *p = (const char *)data + at + 1;

			n = data[at] & 63;
			n = n < size - at - 1 ? n : size - at - 1;
			if (data[at] & 64)
				logline_text(&l, "text", p, n, 40);
			else if (data[at] & 128)
				logline_number(&l, "number", n);
			else
				logline_list(&l, "list");
			if (!(data[at] & 64) && !(data[at] & 128))
				for (size_t i = 0; i < n; i++)
					logline_item(&l, p, i, 40);
		}
	logline_end(&l);
	check(&l);
	free(text);
	return 0;
}
