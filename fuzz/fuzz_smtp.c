/* SPDX-License-Identifier: MIT */
/* smtp: what a server says, in one piece and octet by octet, gives the same
 * replies, each of which obeys an independent reading of the grammar; and
 * content that was made transparent comes out as it was (rfc:5321#4.2). */
#include "cli/check/smtp.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every line is CODE SEP TEXT, and only the last has no '-'. */
static void
judge(struct smtp_reply *r)
{
	const char *p = buf_cstr(&r->text), *nl;
	size_t n = buf_len(&r->text);

	assert(p && r->code >= 200 && r->code <= 599);
	for (const char *end = p + n; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		assert(end - p >= 3 && isdigit((unsigned char)p[1]) &&
		       isdigit((unsigned char)p[2]));
		if (!nl) {
			assert(p + 3 == end || p[3] == ' ');
			return;
		}
		assert(p[3] == '-');
	}
	assert(false && "the last line is missing");
}

static void
check_replies(const uint8_t *data, size_t size)
{
	struct smtp_reply a, b;
	struct buf whole, octets;
	size_t i = 0;
	int rc, cut;

	smtp_reply_init(&a);
	smtp_reply_init(&b);
	buf_init(&whole, 0);
	buf_init(&octets, 0);
	buf_add(&whole, data, size);
	while ((rc = smtp_reply_take(&whole, &a)) > 0) {
		judge(&a);
		while ((cut = smtp_reply_take(&octets, &b)) == 0 && i < size)
			buf_addc(&octets, (char)data[i++]);
		assert(cut == 1 && a.code == b.code && a.mixed == b.mixed &&
		       buf_len(&a.text) == buf_len(&b.text) &&
		       memcmp(buf_data(&a.text), buf_data(&b.text),
			   buf_len(&a.text)) == 0);
	}
	while ((cut = smtp_reply_take(&octets, &b)) == 0 && i < size)
		buf_addc(&octets, (char)data[i++]);
	assert(cut == rc);
	smtp_reply_fini(&a);
	smtp_reply_fini(&b);
	buf_fini(&whole);
	buf_fini(&octets);
}

/* Reads lines up to the lone dot, as a server does. */
static void
check_content(const uint8_t *data, size_t size)
{
	struct buf wire, back;
	const char *p, *nl;

	buf_init(&wire, 0);
	buf_init(&back, 0);
	smtp_put_content(&wire, (const char *)data, size);
	p = buf_data(&wire);
	for (const char *end = p + buf_len(&wire);; p = nl + 1) {
		assert(p < end);
		nl = memchr(p, '\n', (size_t)(end - p));
		assert(nl);
		if (nl + 1 == end) {
			assert(memcmp(p, ".\r\n", 3) == 0);
			break;
		}
		p += *p == '.';
		buf_add(&back, p, (size_t)(nl + 1 - p));
	}
	assert(buf_len(&back) >= size &&
	       (size == 0 || memcmp(buf_data(&back), data, size) == 0));
	buf_fini(&wire);
	buf_fini(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4096)
		return 0;
	check_replies(data, size);
	check_content(data, size);
	return 0;
}
