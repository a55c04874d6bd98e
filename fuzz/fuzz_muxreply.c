/* SPDX-License-Identifier: MIT */
/* What a multiplexor sends on a pipelined connection is the same answers whole and
 * octet by octet, and a greeting is the same when written again.  What it
 * answered to a check -> a reply that is always fit for the
 * MTA: a code and a DSN of its class, at most 31 lines of at most 980 octets, no
 * control octets. */
#include "core/base/muxpipe.h"
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

/* A checksum of what was found. */
static size_t
take_answers(const char *p, size_t size, size_t step)
{
	size_t at = 0, have = 0, sum = 1;
	struct muxpipe_answer a;
	int rc = 0;

	while (have < size && rc >= 0) {
		have += size - have < step ? size - have : step;
		while ((rc = muxpipe_next_answer(p + at, have - at, 1000, &a)) >
		       0) {
			assert(a.id && a.n <= 1000 && (!a.none || !a.n));
			assert(a.at + a.n == a.used && a.used <= have - at);
			sum = sum * 31 + (size_t)a.id + a.n * 2 + a.none;
			at += a.used;
		}
	}
	return sum * 2 + (rc < 0);
}

static void
check_greeting(const char *p, size_t size)
{
	struct muxpipe_limits l, again;
	struct buf b = { 0 };

	if (muxpipe_parse_greeting(p, size, &l) < 0)
		return;
	assert(l.in_flight > 0);
	muxpipe_add_greeting(&b, &l);
	assert(
	    muxpipe_parse_greeting(buf_data(&b), buf_len(&b) - 1, &again) == 0);
	assert(again.in_flight == l.in_flight && again.idle_s == l.idle_s);
	buf_fini(&b);
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
	check_greeting(line, size);
	assert(take_answers(line, size, size) == take_answers(line, size, 1));
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
