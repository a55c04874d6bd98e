/* SPDX-License-Identifier: MIT */
/* worker: its output gives the same lines in pieces of any size, none longer
 * than the limit, and none is lost.  The first octet is the piece size. */
#include "multiplexor/line.h"
#include "multiplexor/report.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX 16 /* small, so that the limit is met often */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Hash of all lines and their ends. */
static uint64_t
read_all(char *p, size_t size, size_t step, size_t *lines)
{
	uint64_t h = 1;
	struct line_text t;
	struct line l;
	char tag[REPORT_TAG_MAX + 1];

	*lines = 0;
	line_init(&l, MAX);
	for (size_t at = 0; at < size; at += step) {
		size_t n = size - at < step ? size - at : step;
		char *q = p + at;

		while (line_next(&l, &q, &n, &t) > 0) {
			assert(t.n <= MAX && !memchr(t.p, '\n', t.n));
			assert(t.cut || t.p[t.n] == '\n');
			for (size_t i = 0; i < t.n; i++)
				h = h * 31 + (unsigned char)t.p[i];
			h = h * 31 + 256 + t.cut;
			report_status_tag(t.p, t.n, tag);
			++*lines;
		}
		assert(n == 0);
	}
	if (line_rest(&l, &t))
		h = h * 31 + t.n;
	line_fini(&l);
	return h;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t want = 0, a, b, step = size ? data[0] % 32u + 1 : 1;
	char *copy = malloc(size ? size : 1);
	uint64_t whole, pieces;

	for (size_t i = 1; i < size; i++)
		want += data[i] == '\n';
	if (copy && size > 1) {
		memcpy(copy, data, size);
		whole = read_all(copy + 1, size - 1, size, &a);
		pieces = read_all(copy + 1, size - 1, step, &b);
		assert(whole == pieces && a == want && b == want);
	}
	free(copy);
	return 0;
}
