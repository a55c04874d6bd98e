/* SPDX-License-Identifier: MIT */
/* held: a copy of a verdict and its reply. */
#include "held.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *
copy_word(char *to, size_t size, const char *s)
{
	if (!s)
		return NULL;
	assert(strlen(s) < size);
	return strcpy(to, s);
}

struct held *
held_new(enum mux_verdict v, const struct mlt_reply *r)
{
	struct held *h = malloc(sizeof(*h) + r->text.n);

	if (!h)
		return NULL;
	h->verdict = v;
	h->reply = *r;
	h->reply.code = copy_word(h->code, sizeof(h->code), r->code);
	h->reply.dsn = copy_word(h->dsn, sizeof(h->dsn), r->dsn);
	if (r->text.n)
		memcpy(h->text, r->text.p, r->text.n);
	h->reply.text.p = h->text;
	return h;
}
