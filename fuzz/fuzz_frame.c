/* SPDX-License-Identifier: MIT */
/* frame: the input cut into pieces gives the same frames as in one piece, they
 * lie one behind the other in the input, and what is left is kept in order. */
#include "milterproto/codec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MAX = 300
};

/* Checks one frame against the input at *at; payloads must decode or not
 * without touching anything else. */
static void
check(const struct mlt_frame *f, const uint8_t *data, size_t size, size_t *at)
{
	enum mlt_cm cm = mlt_command_index[f->cmd];
	struct mlt_bytes v[MAX + 1], b = { f->p, f->n };
	struct mlt_event ev;

	assert(f->n <= MAX && size - *at >= MLT_FRAME_HEAD + f->n);
	assert(data[*at + 4] == f->cmd);
	assert(!f->n || memcmp(f->p, data + *at + MLT_FRAME_HEAD, f->n) == 0);
	*at += MLT_FRAME_HEAD + f->n;
	if (mlt_decode_command(cm, b, v, &ev) == 0 && ev.type == MLT_EV_HEADER)
		assert(ev.header.name.n > 0 &&
		       ev.header.value.p + ev.header.value.n < f->p + f->n);
}

/* Returns the code that ended it, or 0; *at: octets of whole frames. */
static int
run(const uint8_t *data, size_t size, size_t piece, size_t *at)
{
	struct mlt_input in = { 0 };
	struct mlt_frame f;
	int rc = 0;

	*at = 0;
	for (size_t fed = 0; fed < size && rc == 0; fed += piece) {
		size_t n = size - fed < piece ? size - fed : piece;
		uint8_t *lent = malloc(n);

		assert(lent);
		memcpy(lent, data + fed, n);
		assert(mlt_input_feed(&in, lent, n) == 0);
		while ((rc = mlt_input_frame(&in, MAX, mlt_command_index, &f)) >
		       0) {
			check(&f, data, size, at);
			mlt_input_consume(&in, &f);
		}
		if (rc == 0)
			assert(mlt_input_keep(&in) == 0);
		free(lent);
	}
	mlt_input_drop(&in);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t whole, cut, piece = size ? data[size - 1] % 16u + 1 : 1;
	int rc, rc_cut;

	if (size == 0)
		return 0;
	rc = run(data, size, size, &whole);
	rc_cut = run(data, size, piece, &cut);
	assert(rc_cut == rc && cut == whole);
	return 0;
}
