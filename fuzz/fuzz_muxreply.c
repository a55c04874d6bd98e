/* SPDX-License-Identifier: MIT */
/* What a multiplexor answered to a check -> a reply that is always fit for the
 * MTA: a code and a DSN of its class, at most 31 lines of at most 980 octets, no
 * control octets. */
#include "core/frontend/reply.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_reply(const struct mlt_reply *r)
{
	size_t lines = 1, len = 0;

	assert(strlen(r->code) == 3 && (r->code[0] == '4' || *r->code == '5'));
	assert(strlen(r->dsn) <= 9 && r->dsn[0] == r->code[0]);
	assert(r->text.n > 0);
	for (size_t i = 0; i < r->text.n; i++) {
		unsigned char c = (unsigned char)r->text.p[i];

		if (c == '\n') {
			lines++;
			len = 0;
			continue;
		}
		assert(c >= 0x20 && c != 0x7f);
		len += c == '%' ? 2 : 1;
		assert(len <= 980);
	}
	assert(lines <= 31);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1);
	struct mux_answer a;
	struct mlt_reply r;
	struct buf room;

	if (!line)
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	buf_init(&room, 0);
	if (mux_parse_answer(line, size, &a) == 0 &&
	    reply_answer(&r, &a, &room) == 0) {
		if (r.type == MLT_REPLY_CODE)
			check_reply(&r);
		else
			assert(r.type == reply_type(a.verdict));
	}
	buf_fini(&room);
	free(line);
	return 0;
}
