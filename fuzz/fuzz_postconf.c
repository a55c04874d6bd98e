/* SPDX-License-Identifier: MIT */
/* Whatever postconf prints: lines are pieces of the text, without blanks in
 * their keys, and printed again they are the same; items of a list do not
 * overlap; what is kept of them fits.  The first octet picks whose socket is
 * looked for. */
#include "cli/mta_postfix.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const sockets[] = { "/run/md.sock", "inet:10025@127.0.0.1",
	"unix:/var/spool/postfix/md/s", "inet6:25@::1" };

static void
check_list(const char *p, size_t n)
{
	const char *end = p + n, *last = p;
	struct milter_item item;

	while (milter_item_next(&p, end, &item)) {
		assert(item.spec >= last && item.options >= item.spec);
		assert(item.spec + item.n_spec <= item.options);
		assert(item.options + item.n_options <= p && p <= end);
		assert(p > last);
		last = p;
	}
	assert(p == end);
}

/* The same lines as one text. */
static void
print_lines(const char *p, size_t n, struct buf *out)
{
	const char *end = p + n, *start = p;
	struct postconf_line line;

	while (postconf_next(&p, end, &line)) {
		assert(line.n_key > 0 && line.key >= start);
		assert(line.key + line.n_key <= line.value);
		assert(line.value + line.n_value <= end);
		assert(!memchr(line.key, ' ', line.n_key));
		assert(!memchr(line.key, '\n', line.n_key));
		assert(!memchr(line.value, '\n', line.n_value));
		check_list(line.value, line.n_value);
		buf_add(out, line.key, line.n_key);
		buf_adds(out, " = ");
		buf_add(out, line.value, line.n_value);
		buf_addc(out, '\n');
	}
	assert(p == end);
}

#define IS_TEXT(a) assert(memchr((a), '\0', sizeof(a)))

static void
check_facts(const struct mta *m)
{
	assert(m->postfix && m->n_ways <= MTA_WAYS_MAX);
	assert(m->message_bytes >= 0);
	IS_TEXT(m->queue_dir);
	IS_TEXT(m->user.name);
	for (size_t i = 0; i < MTA_STAGES; i++)
		IS_TEXT(m->macros[i]);
	for (const struct mta_way *w = m->way; w < m->way + m->n_ways; w++) {
		IS_TEXT(w->name);
		IS_TEXT(w->list);
		assert(w->ours || !w->hidden);
		if (!w->ours)
			continue;
		assert(w->terms.connect_s >= 0 && w->terms.command_s >= 0);
		assert(w->terms.content_s >= 0 && w->terms.end_s == 0);
		assert(w->terms.version >= 0 && w->terms.version <= 9);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mta m, again;
	const char *text = (const char *)data + 1, *conn;
	struct mta_addr ours;
	struct buf printed;

	if (size == 0)
		return 0;
	conn = sockets[*data % 4];
	assert(mta_addr_ours(&ours, conn, strlen(conn)) == 0);
	memset(&m, 0, sizeof(m));
	memset(&again, 0, sizeof(again));
	mta_postfix_read(&m, &ours, text, size - 1);
	check_facts(&m);

	buf_init(&printed, 0);
	print_lines(text, size - 1, &printed);
	mta_postfix_read(&again, &ours, buf_data(&printed), buf_len(&printed));
	assert(memcmp(&m, &again, sizeof(m)) == 0);
	buf_fini(&printed);
	return 0;
}
