/* SPDX-License-Identifier: MIT */
/* load_reply: a filter's octets.  However they are cut, the same replies are
 * found, up to the same place; what they lead to is always defined, and a final
 * one that is not legal for a command of an MTA session is not legal here. */
#include "cli/check/load_reply.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REPLIES_MAX 64

struct found {
	int reply[REPLIES_MAX];
	size_t n;
	size_t bad_at; /* octets before a bad one; SIZE_MAX: none */
};

static void
check_then(const struct load_reply *r, uint8_t reply)
{
	static const char stages[] = "OCHMRTLNBE";

	for (const char *s = stages; *s; s++) {
		for (int others = 0; others < 2; others++) {
			enum mlt_verdict v = MLT_VERDICT_STOPPED;
			enum load_then then =
			    load_reply_then(r, (uint8_t)*s, others, &v);

			assert(v < MLT_VERDICT_STOPPED);
			assert((then == LOAD_THEN_MESSAGE ||
				   then == LOAD_THEN_CLIENT) <=
			       (v != MLT_VERDICT_NONE));
			assert(then != LOAD_THEN_REPLY || *s == 'E');
			assert(then != LOAD_THEN_CLIENT || strchr("CH", *s));
			assert(then == LOAD_THEN_BAD ||
			       (*s == 'O') == (reply == MLT_SMFIR_OPTNEG));
		}
	}
}

static struct found
find(const uint8_t *p, size_t n, size_t piece)
{
	struct load_reply r = { .got = 0 };
	struct found f = { .bad_at = SIZE_MAX };
	size_t used;

	for (size_t at = 0; at < n && f.n < REPLIES_MAX; at += used) {
		size_t left = n - at < piece ? n - at : piece;
		int reply = load_reply_take(&r, p + at, left, &used);

		assert(used <= left && used > 0);
		if (reply == LOAD_REPLY_BAD) {
			f.bad_at = at + used;
			break;
		}
		assert(reply != LOAD_REPLY_MORE || used == left);
		if (reply != LOAD_REPLY_MORE) {
			check_then(&r, (uint8_t)reply);
			f.reply[f.n++] = reply;
		}
	}
	return f;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct found whole = find(data, size, SIZE_MAX);

	for (size_t piece = 1; piece <= 7; piece++) {
		struct found f = find(data, size, piece);

		assert(f.n == whole.n && f.bad_at == whole.bad_at);
		assert(memcmp(f.reply, whole.reply, f.n * sizeof(int)) == 0);
	}
	return 0;
}
