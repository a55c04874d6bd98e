/* SPDX-License-Identifier: MIT */
/* play: three octets choose an MTA and where its client stops, the rest is a
 * hostile filter, a reply at a time.  All that is said is well-formed; messages
 * end in order, each once; the session comes to its end. */
#include "milterproto/codec.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define B(s)                                                                   \
	{                                                                      \
		s, sizeof(s) - 1                                               \
	}
static const struct mlt_bytes pairs[] = { B("i"), B("4F1A") };
static const struct mlt_bytes args[] = { B("<a@b>"), B("X=Y") };
static const struct mlt_play_rcpt rcpts[] = {
	{ .args = { args, 2 } },
	{ .args = { args, 1 }, .refused = true },
	{ .args = { args, 1 }, .macros = { pairs, 2 } },
};
static const struct mlt_play_header header = { B("A"), B(" b\r\n c") };
#define MESSAGE                                                                \
	{                                                                      \
		.from = { args, 2 }, .macros = { pairs, 2 }, .rcpts = rcpts,   \
		.n_rcpts = 3, .headers = &header, .n_headers = 1,              \
		.body = B("a\nb")                                              \
	}

/* Whole packets that a filter knows, and nothing else. */
static void
judge(struct mlt_play *p)
{
	struct mlt_input in = { 0 };
	struct mlt_frame f;
	const uint8_t *b;
	size_t n = mlt_play_output(p, &b);

	assert(mlt_input_feed(&in, b, n) == 0);
	while (mlt_input_frame(&in, MLT_DATA_MAX, mlt_command_index, &f) > 0)
		mlt_input_consume(&in, &f);
	assert(mlt_input_keep(&in) == 0 && !in.keep);
	mlt_play_sent(p, n);
}

/* Events up to the next reply; how many messages ended. */
static size_t
listen_to(struct mlt_play *p, size_t ended)
{
	struct mlt_play_event ev;
	int rc;

	while ((rc = mlt_play_next(p, &ev)) > 0) {
		assert(ev.message <= 2);
		if (ev.type == MLT_PLAY_MESSAGE) {
			assert(ev.verdict && ev.message == ended);
			ended++;
		}
		if (ev.type == MLT_PLAY_DONE)
			assert(ev.message == ended);
	}
	assert(rc == 0);
	judge(p);
	return ended;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlt_play_opts opts = { 0 };
	struct mlt_play_message m[] = { MESSAGE, MESSAGE };
	const struct mlt_play_script s = { .helo = args[1],
		.messages = m,
		.n_messages = 2,
		.unknown = { args, 2 } };
	struct mlt_play *p;
	size_t at = 3, n, ended = 0;

	if (size < 3)
		return 0;
	m[0].stop_after = (uint8_t) "\0\0MRTLNB"[data[1] % 8];
	m[0].stop_by = (enum mlt_play_end)(2u << data[2] % 4);
	opts.profile = mlt_profile_at(data[0] % 10);
	if (mlt_play_new(&p, &opts, &s) < 0)
		return 0;
	while (!mlt_play_done(p)) {
		ended = listen_to(p, ended);
		if (!mlt_play_awaits(p))
			continue;
		n = size - at < 5 ? size - at : 4 + (size_t)data[at + 3];
		if (n > size - at)
			n = size - at;
		if (n == 0)
			mlt_play_eof(p);
		else
			assert(mlt_play_feed(p, data + at, n) == 0);
		at += n;
	}
	mlt_play_free(p);
	return 0;
}
