/* SPDX-License-Identifier: MIT */
/* What a worker wrote into RESULTS: whatever it is, the list is within the
 * text, header values cannot begin a second field, a refused message keeps
 * nothing but quarantines, and a limit refuses or changes nothing. */
#include "core/frontend/results.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_inside(struct mlt_bytes s, const char *text, size_t n)
{
	if (!s.p)
		return;
	assert(s.p >= text && s.p + s.n <= text + n);
	assert(s.p[s.n] == '\0' || s.p[s.n] == '\n' || s.p[s.n] == '\r' ||
	       s.n < n);
	assert(!memchr(s.p, '\0', s.n));
}

static void
check_value(struct mlt_bytes s)
{
	assert(!memchr(s.p, '\r', s.n));
	for (size_t i = 0; i < s.n; i++)
		assert(
		    s.p[i] != '\n' ||
		    (i + 1 < s.n && (s.p[i + 1] == ' ' || s.p[i + 1] == '\t')));
}

/* A limit refuses the file or changes nothing. */
static void
check_limit(const uint8_t *data, size_t size)
{
	char *a = malloc(size + 1), *b = malloc(size + 1);
	struct results ra = { 0 }, rb = { 0 };
	int rc;

	assert(a && b);
	memcpy(a, data, size);
	memcpy(b, data, size);
	a[size] = b[size] = '\0';
	rc = results_parse(&ra, a, size, 20);
	if (rc == RESULTS_E_LONG) {
		assert(ra.overlong > 20 && ra.overlong <= size);
	} else {
		assert(results_parse(&rb, b, size, size) == rc);
		assert(ra.n == rb.n && (rc < 0 || ra.end == rb.end));
		for (size_t i = 0; rc == 0 && i < ra.n; i++)
			assert(ra.v[i].op == rb.v[i].op &&
			       ra.v[i].index == rb.v[i].index);
	}
	results_fini(&ra);
	results_fini(&rb);
	free(a);
	free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct results r = { 0 };

	if (!text)
		return 0;
	check_limit(data, size);
	memcpy(text, data, size);
	text[size] = '\0';
	if (results_parse(&r, text, size, size) == 0)
		for (size_t i = 0; i < r.n; i++) {
			const struct result *one = &r.v[i];

			check_inside(one->name, text, size);
			check_inside(one->value, text, size);
			if (one->op <= RESULT_CHANGE_HEADER ||
			    one->op == RESULT_CONTENT_TYPE)
				check_value(one->value);
			assert(r.end == RESULTS_DONE ||
			       one->op == RESULT_QUARANTINE);
			assert(one->index <= INT32_MAX);
		}
	results_fini(&r);
	free(text);
	return 0;
}
