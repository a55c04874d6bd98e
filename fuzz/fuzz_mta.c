/* SPDX-License-Identifier: MIT */
/* mta: 16 octets script an MTA, the rest is a hostile filter.  Every command
 * sent is well-formed; every action heard was awaited, agreed, and at the right
 * place; after a violation nothing is said or heard any more. */
#include "milterproto/codec.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	SCRIPT = 16
};

static int
say(struct mlt_mta *m, uint8_t what, struct mlt_bytes b)
{
	struct mlt_bytes two[] = { b, b };

	switch (what % 12) {
	case 0:
		return mlt_mta_connect(m, b, "UL46"[what % 4], what, b);
	case 1:
		return mlt_mta_helo(m, b);
	case 2:
	case 3:
		return mlt_mta_mail(m, two, 2);
	case 4:
		return mlt_mta_rcpt(m, two, 1);
	case 5:
		return mlt_mta_data(m);
	case 6:
		return mlt_mta_header(m, b, b);
	case 7:
		return mlt_mta_eoh(m);
	case 8:
		return mlt_mta_body(m, b.p, b.n);
	case 9:
		return mlt_mta_eom(m);
	case 10:
		return mlt_mta_macros(m, what, two, 1);
	}
	return what & 16 ? mlt_mta_abort(m) : mlt_mta_unknown(m, b);
}

/* All commands in the output are what a filter accepts. */
static void
judge(struct mlt_mta *m)
{
	struct mlt_input in = { 0 };
	struct mlt_frame f;
	struct mlt_bytes v[SCRIPT];
	struct mlt_event ev;
	const uint8_t *p;
	size_t n = mlt_mta_output(m, &p);

	assert(mlt_input_feed(&in, p, n) == 0);
	while (mlt_input_frame(&in, MLT_DATA_MAX, mlt_command_index, &f) > 0) {
		enum mlt_cm cm = mlt_command_index[f.cmd];
		struct mlt_bytes b = { f.p, f.n };

		if (cm > CM_CONNECT) /* OPTNEG MACRO CONNECT */
			assert(mlt_decode_command(cm, b, v, &ev) == 0);
		mlt_input_consume(&in, &f);
	}
	assert(mlt_input_keep(&in) == 0 && !in.keep);
	mlt_mta_sent(m, n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlt_mta *m;
	struct mlt_action a;
	size_t turn = 0, at = SCRIPT;
	int rc = 0;

	if (size < SCRIPT || mlt_mta_new(&m, NULL) < 0)
		return 0;
	assert(mlt_mta_negotiate(m) == 1);
	while (at < size && rc >= 0) {
		uint8_t n = data[turn++ % SCRIPT];
		struct mlt_bytes b = { (const char *)data, n % SCRIPT };

		if (!mlt_mta_awaits(m))
			assert(say(m, n, b) != MLT_E_NOMEM);
		judge(m);
		n = size - at < n ? (uint8_t)(size - at) : n;
		assert(mlt_mta_feed(m, data + at, n) == 0);
		for (bool due = mlt_mta_awaits(m);
		     (rc = mlt_mta_next(m, &a)) > 0;) {
			assert(due && mlt_reply_name(a.reply));
			assert(mlt_mta_awaits(m) == !a.final);
			due = !a.final;
		}
		at += n ? n : 1;
	}
	if (rc < 0)
		assert(rc < MLT_E_DEAD && mlt_mta_quit(m, false) < 0 &&
		       mlt_mta_next(m, &a) == rc && !mlt_mta_awaits(m));
	mlt_mta_free(m);
	return 0;
}
