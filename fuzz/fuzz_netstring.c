/* SPDX-License-Identifier: MIT */
/* What a client of the map socket sends, whole and octet by octet, is the same
 * requests; a worker's line for one has no octet that could end it early, and
 * decodes to the request; what we answer is a netstring. */
#include "multiplexor/socketmap.h"

#include "core/base/pct.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(const struct netstring *s)
{
	struct buf line = { 0 };
	const char *name, *key, *end;
	char *copy;
	size_t n;

	if (socketmap_line(&line, s->p, s->n) < 0) {
		assert(s->n == 0 || *s->p == ' ' || !memchr(s->p, ' ', s->n) ||
		       memchr(s->p, '\0', s->n));
		buf_fini(&line);
		return;
	}
	end = buf_data(&line) + buf_len(&line);
	for (const char *p = buf_data(&line); p < end; p++)
		assert(*p >= ' ' && *p < 0x7f);
	assert(memcmp(buf_data(&line), "map ", 4) == 0);
	name = buf_data(&line) + 4;
	key = memchr(name, ' ', (size_t)(end - name));
	assert(key && key > name &&
	       !memchr(key + 1, ' ', (size_t)(end - key) - 1));
	n = (size_t)(end - name);
	copy = malloc(n);
	assert(copy);
	memcpy(copy, name, n);
	n = pct_decode(copy, n); /* the blank between is as it was */
	assert(n <= s->n && memcmp(copy, s->p, n) == 0);
	assert(n == s->n || s->p[n] == '\0');
	free(copy);
	buf_fini(&line);
}

/* A checksum of what was found. */
static size_t
take(const char *p, size_t size, size_t step)
{
	size_t at = 0, have = 0, sum = 1;
	struct netstring s;
	int rc = 0;

	while (have < size && rc >= 0) {
		have += size - have < step ? size - have : step;
		while ((rc = netstring_next(p + at, have - at, &s)) > 0) {
			assert(s.n <= NETSTRING_MAX && s.used <= have - at);
			assert(s.p + s.n + 1 == p + at + s.used);
			sum = sum * 31 + s.used * 2 + s.unterminated;
			check_line(&s);
			at += s.used;
		}
	}
	return sum * 2 + (rc < 0);
}

static void
check_answer(const char *p, size_t size)
{
	char *copy = malloc(size + 1);
	struct buf out = { 0 };
	struct netstring s;
	const char *text;
	size_t n = size;

	assert(copy);
	memcpy(copy, p, size);
	copy[size] = '\0';
	text = socketmap_answer(copy, &n);
	assert(netstring_add(&out, text, n) == 0);
	if (n <= NETSTRING_MAX) {
		assert(netstring_next(buf_data(&out), buf_len(&out), &s) == 1);
		assert(s.used == buf_len(&out) && !s.unterminated);
		assert(s.n == n && memcmp(s.p, text, n) == 0);
	}
	buf_fini(&out);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;

	if (size == 0)
		return 0;
	assert(take(p, size, size) == take(p, size, 1));
	check_answer(p, size);
	return 0;
}
