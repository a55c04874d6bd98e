/* SPDX-License-Identifier: MIT */
/* edit: octets load and change a message; limits hold, what is rendered reads
 * back as the same, and fields deleted upwards are gone under both rules. */
#include <milterproto.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mlt_edit_opts opts = { .actions = MLT_ACT_ALL,
	.max_headers = 8,
	.max_rcpts = 4,
	.max_bytes = 512 };

/* Loads what was rendered and deletes its fields, the last one first. */
static void
read_back(const char *p, size_t n, enum mlt_edit_rule rule)
{
	struct mlt_action del[8] = { { 0 } };
	const char *next = p, *colon, *end = p + n;
	char *again = malloc(n);
	struct mlt_edit_opts o = opts;
	struct mlt_edit *e;
	size_t count = 0, at = 0;

	o.rule = rule;
	o.max_bytes = n;
	assert(again && mlt_edit_new(&e, &o) == 0);
	for (const char *f = p; *f != '\r'; f = next, count++) {
		struct mlt_bytes value, name = { f, 0 };

		do
			next = (char *)memchr(next, '\n', n) + 1;
		while (*next == ' ' || *next == '\t');
		colon = memchr(f, ':', n);
		name.n = (size_t)(colon - f);
		value =
		    (struct mlt_bytes){ colon + 1, (size_t)(next - colon) - 3 };
		assert(!mlt_edit_header(e, MLT_EDIT_SEEN, name, value));
		del[count] = (struct mlt_action){
			.reply = 'm', .name = name, .value = { "", 0 }
		};
		for (size_t i = 0; i <= count; i++)
			del[count].index +=
			    del[i].name.n == name.n &&
			    !strncasecmp(del[i].name.p, f, name.n);
	}
	assert(!mlt_edit_body(e, next + 2, (size_t)(end - next) - 2));
	if (rule == opts.rule)
		assert(mlt_edit_render(e, again, n) == n &&
		       memcmp(p, again, n) == 0);
	while (count-- > 0)
		assert(mlt_edit_apply(e, &del[count]) == 0);
	assert(!mlt_edit_next_header(e, &at, &(struct mlt_edit_field){ 0 }));
	mlt_edit_free(e);
	free(again);
}

/* One record: what to do, index, two lengths, two texts.  Upper case loads. */
static int
act(struct mlt_edit *e, char what, uint8_t index, struct mlt_bytes a,
    struct mlt_bytes b)
{
	struct mlt_action action = { .reply = (uint8_t)what,
		.index = index < 128 ? index : UINT32_MAX,
		.name = a,
		.value = b,
		.text = a,
		.esmtp = b };

	switch (what) {
	case 'F':
		return mlt_edit_from(e, a, b);
	case 'R':
		return mlt_edit_rcpt(e, a, b);
	case 'L':
		return mlt_edit_header(
		    e, (enum mlt_edit_kind)(index % 3), a, b);
	case 'B':
		return mlt_edit_body(e, a.p, a.n);
	case 'N':
		mlt_edit_next_filter(e, MLT_ACT_ALL, (uint32_t)index << 13);
		return 0;
	}
	return mlt_edit_apply(e, &action);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1, *end = p + size - 1;
	struct mlt_edit_address r;
	size_t n, at = 0, rcpts = 0;
	struct mlt_edit *e;
	char *text;

	if (size == 0)
		return 0;
	opts.rule = (enum mlt_edit_rule)(*data & 1);
	opts.protocol = *data & 2 ? MLT_PROT_HDR_LEADSPC : 0;
	assert(mlt_edit_new(&e, &opts) == 0);
	while (end - p >= 4 && end - p - 4 >= (uint8_t)p[2] + (uint8_t)p[3]) {
		struct mlt_bytes a = { p + 4, (uint8_t)p[2] };
		struct mlt_bytes b = { a.p + a.n, (uint8_t)p[3] };

		(void)!act(e, p[0], (uint8_t)p[1], a, b);
		p = b.p + b.n;
	}
	while (mlt_edit_next_rcpt(e, &at, &r))
		rcpts++;
	n = mlt_edit_render(e, NULL, 0);
	assert(rcpts <= opts.max_rcpts && n < 2 * opts.max_bytes + 8 * 3 + 5);
	text = malloc(n);
	assert(text && mlt_edit_render(e, text, n) == n);
	for (unsigned rule = 0; rule < 2; rule++)
		read_back(text, n, (enum mlt_edit_rule)rule);
	mlt_edit_free(e);
	free(text);
	return 0;
}
