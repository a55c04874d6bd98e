/* SPDX-License-Identifier: MIT */
/* muxproto: words lie inside the line, and an answer that is understood can be
 * said again and means the same. */
#include "core/base/muxproto.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
say_again(const struct mux_answer *a)
{
	struct mux_answer again;
	struct buf b;

	buf_init(&b, 0);
	buf_addf(&b, "ok %d", (int)a->verdict);
	mux_arg(&b, a->text, a->text_len, "?");
	mux_arg(&b, a->code, strlen(a->code), "?");
	mux_arg(&b, a->dsn, strlen(a->dsn), "?");
	buf_addf(&b, " %ld\n", a->delay_s);
	assert(buf_cstr(&b));
	assert(mux_parse_answer(b.p, buf_len(&b), &again) == 0);
	assert(again.verdict == a->verdict && again.delay_s == a->delay_s);
	assert(a->text_len == 0 || again.text_len == a->text_len);
	assert(memcmp(again.text, a->text, a->text_len) == 0);
	assert(!*a->code || strcmp(again.code, a->code) == 0);
	assert(!*a->dsn || strcmp(again.dsn, a->dsn) == 0);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = calloc(1, size + 1);
	struct mux_answer a;
	const char *p;
	size_t n;

	if (!line)
		return 0;
	if (size)
		memcpy(line, data, size);
	for (size_t i = 0; i < 20 && mux_nth(line, size, i, &p, &n); i++)
		assert(n && p >= line && p + n <= line + size);
	assert(mux_classify(line, size) < MUX_CLASS_N);
	assert(mux_parse_free(line, size) < 1000000000);
	if (mux_parse_answer(line, size, &a) == 0) {
		assert(a.delay_s >= 0 && strlen(a.text) <= a.text_len);
		if (a.has_fields)
			say_again(&a);
	}
	free(line);
	return 0;
}
