/* SPDX-License-Identifier: MIT */
/* Whatever is in a sendmail.cf: what is kept of it fits and is consistent; with
 * comments and lines of other kinds between, it is the same; fields of a list are
 * pieces of it, in order.  The first octet picks whose socket is looked for. */
#include "cli/mta_sendmail.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const sockets[] = { "/run/md.sock", "inet:10025@127.0.0.1",
	"unix:/m", "inet6:25@::1" };

static void
check_fields(const char *p, size_t n)
{
	const char *end = p + n, *last = p;
	struct cf_field f;

	while (cf_field_next(&p, end, ',', &f)) {
		assert(f.name >= last && f.name + f.n_name <= p);
		assert(f.value >= last && f.value + f.n_value <= p);
		assert(!memchr(f.name, ',', f.n_name));
		assert(!memchr(f.name, '=', f.n_name));
		assert(!memchr(f.value, ',', f.n_value));
		assert(p > last && p <= end);
		last = p;
	}
	assert(p == end);
}

/* The same text, with lines that mean nothing before each that begins one. */
static void
add_others(const char *p, size_t n, struct buf *out)
{
	const char *end = p + n;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((lf ? lf + 1 : end) - p);

		if (*p != ' ' && *p != '\t')
			buf_adds(out, "# X, S=/m\nKaccess hash x\n");
		buf_add(out, p, len);
		p += len;
	}
}

#define IS_TEXT(a) assert(memchr((a), '\0', sizeof(a)))

static void
check_facts(const struct mta *m)
{
	bool ours = false;

	assert(!m->postfix && m->n_ways >= 1 && m->n_ways <= MTA_WAYS_MAX);
	assert(m->message_bytes >= 0);
	IS_TEXT(m->user.name);
	for (size_t i = 0; i < MTA_STAGES; i++)
		IS_TEXT(m->macros[i]);
	for (const struct mta_way *w = m->way; w < m->way + m->n_ways; w++) {
		IS_TEXT(w->name);
		IS_TEXT(w->list);
		assert(w->name[0] && !w->local && !w->chroot && !w->hidden);
		ours |= w->ours;
		if (w->ours)
			assert(w->terms.command_s >= 0 && w->terms.end_s >= 0);
	}
	assert(!(ours && m->unlisted));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mta m, again;
	const char *text = (const char *)data + 1, *conn;
	struct mta_addr ours;
	struct buf more;

	if (size == 0)
		return 0;
	conn = sockets[*data % 4];
	assert(mta_addr_ours(&ours, conn, strlen(conn)) == 0);
	memset(&m, 0, sizeof(m));
	memset(&again, 0, sizeof(again));
	mta_sendmail_read(&m, &ours, text, size - 1);
	check_facts(&m);
	check_fields(text, size - 1);

	buf_init(&more, 0);
	if (size > 1 && text[0] != ' ' && text[0] != '\t') {
		add_others(text, size - 1, &more);
		mta_sendmail_read(
		    &again, &ours, buf_data(&more), buf_len(&more));
		assert(memcmp(&m, &again, sizeof(m)) == 0);
	}
	buf_fini(&more);
	return 0;
}
