/* SPDX-License-Identifier: MIT */
/* filter: 16 octets script the filter, the rest is a hostile MTA.  Whatever it
 * says, each reply asked for gives one final frame, every frame sent is
 * well-formed and agreed, and ABORT and EOM come for open messages only. */
#include "milterproto/codec.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	SCRIPT = 16
};

/* Takes the output and returns the number of final replies in it. */
static unsigned
judge(struct mlt_filter *f)
{
	struct mlt_input in = { 0 };
	struct mlt_frame fr;
	struct mlt_action a;
	const uint8_t *p;
	size_t n = mlt_filter_output(f, &p);
	unsigned finals = 0;

	assert(mlt_input_feed(&in, p, n) == 0);
	while (mlt_input_frame(&in, MLT_DATA_MAX, mlt_reply_index, &fr) > 0) {
		assert(mlt_decode_reply(&fr, &a) == 0);
		finals += a.final;
		if (!a.final && fr.cmd != MLT_SMFIR_PROGRESS)
			assert(mlt_replies[mlt_reply_index[fr.cmd]].actions &
			       mlt_filter_actions(f));
		mlt_input_consume(&in, &fr);
	}
	assert(mlt_input_keep(&in) == 0 && !in.keep); /* nothing cut off */
	mlt_filter_sent(f, n);
	return finals;
}

static void
modify(struct mlt_filter *f, uint8_t how, struct mlt_bytes b)
{
	mlt_filter_add_header(f, b, b);
	if (how & 1)
		mlt_filter_replace_body(f, b.p, b.n);
	if (how & 2)
		mlt_filter_progress(f);
	mlt_filter_change_header(f, how, (struct mlt_bytes){ "A", 1 }, b);
	mlt_filter_add_rcpt(f, b, b);
	mlt_filter_change_from(f, b, b);
	mlt_filter_quarantine(f, b);
	mlt_filter_replace_body(f, b.p, b.n);
}

static void
answer(struct mlt_filter *f, const struct mlt_event *ev, uint8_t how,
    struct mlt_bytes b)
{
	struct mlt_reply r = { (enum mlt_reply_type)(how % 7),
		how & 64 ? "450" : "550", NULL, b };

	judge(f);
	if (ev->type == MLT_EV_EOM)
		modify(f, how, b);
	if (mlt_filter_reply(f, &r) < 0) {
		r.type = MLT_REPLY_TEMPFAIL;
		assert(mlt_filter_reply(f, &r) == 0 || !ev->need_reply);
	}
	assert(!mlt_filter_wants_reply(f));
	/* CONTINUE to a last chunk says nothing: EOM comes next */
	if (ev->need_reply && ev->type != MLT_EV_BODY)
		assert(judge(f) == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlt_filter_opts o = { .max_macro_bytes = 200 };
	struct mlt_filter *f = NULL;
	struct mlt_event ev;
	bool open = false;
	size_t step, turn = 0;
	int rc = 0;

	if (size < SCRIPT)
		return 0;
	o.want.actions_wanted = data[0] | (data[1] & 1u) << 8;
	o.want.protocol = (uint32_t)data[2] << 16 | (uint32_t)data[3] << 8;
	o.want.protocol |= data[4];
	step = data[5] ? data[5] : size;
	assert(mlt_filter_new(&f, &o) == 0);
	for (size_t i = SCRIPT; i < size && rc >= 0; i += step) {
		size_t n = size - i < step ? size - i : step;

		if (mlt_filter_feed(f, data + i, n) < 0)
			break;
		while ((rc = mlt_filter_next(f, &ev)) > 0) {
			uint8_t how = data[turn++ % SCRIPT];

			/* an unwanted MAIL opens a message without event */
			assert(ev.type != MLT_EV_ABORT || open ||
			       o.want.protocol & MLT_PROT_NO_ALL);
			if (ev.type != MLT_EV_UNKNOWN)
				open = ev.type >= MLT_EV_MAIL &&
				       ev.type <= MLT_EV_BODY;
			if (ev.type != MLT_EV_NEGOTIATE)
				answer(f, &ev, how,
				    (struct mlt_bytes){
					(const char *)data, how % SCRIPT });
		}
	}
	mlt_filter_eof(f);
	while (mlt_filter_next(f, &ev) > 0)
		;
	judge(f);
	assert(mlt_filter_done(f));
	mlt_filter_free(f);
	return 0;
}
