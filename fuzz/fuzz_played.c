/* SPDX-License-Identifier: MIT */
/* played: whatever an MTA says, cut in two or not, the filter that we play
 * keeps the same frames and answers the same, and all payloads lie within what
 * was said. */
#include "cli/check/played.h"
#include "cli/check/sink.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
serve(struct played *f, const uint8_t *data, size_t size, struct buf *out)
{
	buf_add(&f->in, data, size);
	for (played_take(f); f->is_due; played_take(f))
		played_answer(f, out);
}

static void
judge(const struct played *f, size_t said)
{
	size_t payloads = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct mlt_bytes p = played_payload(f, i), s;

		payloads += p.n;
		assert(p.n <= MLT_DATA_MAX);
		for (size_t k = 0; (s = played_string(p, 1, k)).p; k++)
			assert(s.p >= p.p && s.p + s.n < p.p + p.n);
	}
	assert(payloads + 5 * f->n + buf_len(&f->in) == said);
}

static void
check_message(const uint8_t *data, size_t size)
{
	struct sink_message m;
	const char *value;
	unsigned line;

	sink_message_init(&m);
	assert(sink_message_add(&m, (const char *)data, size) == 0);
	assert(m.body <= buf_len(&m.text) && buf_len(&m.text) <= size);
	for (unsigned n = 1; n < 4; n++) {
		long len = sink_message_field(&m, "X", n, &value, &line);

		if (len < 0)
			break;
		assert(value >= buf_data(&m.text) &&
		       value + len <= buf_data(&m.text) + m.body);
	}
	sink_message_fini(&m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan plan;
	struct played a, b;
	struct buf out_a, out_b;
	size_t cut;

	if (size < 2)
		return 0;
	cut = data[0] * (size - 1) / 255;
	plan_init(&plan);
	plan.protocol = data[1] & 1 ? MLT_PROT_NR_ALL : 0;
	played_init(&a, &plan);
	played_init(&b, &plan);
	buf_init(&out_a, 0);
	buf_init(&out_b, 0);
	serve(&a, data + 1, size - 1, &out_a);
	serve(&b, data + 1, cut, &out_b);
	serve(&b, data + 1 + cut, size - 1 - cut, &out_b);
	judge(&a, size - 1);
	judge(&b, size - 1);
	assert(
	    a.n == b.n && a.bad == b.bad &&
	    buf_len(&out_a) == buf_len(&out_b) &&
	    memcmp(buf_data(&out_a), buf_data(&out_b), buf_len(&out_a)) == 0);
	check_message(data, size);
	buf_fini(&out_a);
	buf_fini(&out_b);
	played_fini(&a);
	played_fini(&b);
	plan_fini(&plan);
	return 0;
}
