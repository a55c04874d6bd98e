/* SPDX-License-Identifier: MIT */
/* pct: decoding undoes encoding, and an encoded text holds nothing special. */
#include "core/base/pct.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_round_trip(enum pct_set set, const uint8_t *data, size_t size)
{
	const char *forbidden = set == PCT_WIRE ? "\\'\"" : "";
	struct buf b;
	size_t n;

	buf_init(&b, 0);
	assert(pct_encode(&b, set, data, size) == 0);
	n = buf_len(&b);
	assert(n == pct_encoded_len(set, data, size));
	for (size_t i = 0; i < n; i++)
		assert(b.p[i] > 0x20 && b.p[i] < 0x7f &&
		       !strchr(forbidden, b.p[i]));
	assert(pct_decode(b.p, n) == size);
	assert(size == 0 || memcmp(b.p, data, size) == 0);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	check_round_trip(PCT_FILE, data, size);
	check_round_trip(PCT_WIRE, data, size);
	if (copy && size) {
		memcpy(copy, data, size);
		assert(pct_decode(copy, size) <= size);
		if (!memchr(data, '%', size))
			assert(memcmp(copy, data, size) == 0);
	}
	free(copy);
	return 0;
}
