/* SPDX-License-Identifier: MIT */
/* eml: any text.  Its pieces, put together again, are the text; every field can
 * be told to a filter and loaded into an MTA's message; a header that ended
 * early ended with a line that is none. */
#include "cli/check/eml.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_line(const char *p, const char *end, const char *want)
{
	size_t n = strlen(want);

	return (size_t)(end - p) >= n && memcmp(p, want, n) == 0;
}

/* Where the first field, or what is in its place, begins. */
static const char *
behind_mbox_line(const struct eml *e, const char *p, const char *end)
{
	const char *lf;

	if (!e->mbox)
		return p;
	assert(is_line(p, end, "From "));
	lf = memchr(p, '\n', (size_t)(end - p));
	return lf ? lf + 1 : end;
}

static void
load(const struct eml *e)
{
	struct mlt_edit *edit;

	assert(mlt_edit_new(&edit, NULL) == 0);
	for (size_t i = 0; i < e->n_headers && i < 4000; i++) {
		struct mlt_bytes v = e->headers[i].value;

		if (v.n && v.p[v.n - 1] == '\n')
			v.n--;
		if (v.n && v.p[v.n - 1] == '\r')
			v.n--;
		assert(mlt_edit_header(edit, MLT_EDIT_SEEN,
			   eml_name(&e->headers[i]), v) == 0);
	}
	mlt_edit_free(edit);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *end = text + size;
	struct eml_error err;
	const char *p = text;
	struct eml e;

	assert(text);
	if (size > 0)
		memcpy(text, data, size);
	if (eml_parse(&e, text, size, &err) < 0) {
		assert(err.line > 0 && memchr(text, 0, size));
		free(text);
		return 0;
	}
	p = behind_mbox_line(&e, p, end);
	for (size_t i = 0; i < e.n_headers; i++) {
		const struct mlt_play_header *h = &e.headers[i];

		assert(h->name.p == p && h->name.n > 0);
		assert(p[h->name.n] == ':' && h->value.p == p + h->name.n + 1);
		p = h->value.p + h->value.n;
		assert(p == end || p[-1] == '\n');
	}
	if (p < end && !e.odd_line) {
		assert(is_line(p, end, "\n") || is_line(p, end, "\r\n"));
		p += *p == '\r' ? 2 : 1;
	}
	assert(e.body.p == p && e.body.n == (size_t)(end - p));
	assert(!e.odd_line || e.body.n > 0);
	load(&e);
	eml_fini(&e);
	free(text);
	return 0;
}
