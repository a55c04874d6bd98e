/* SPDX-License-Identifier: MIT */
/* pair: the two sessions face to face, steered by the input, the octets moved
 * in pieces.  Neither may find fault with the other, every event carries what
 * was said, and every action what was answered. */
#include <milterproto.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mlt_filter *f;
static struct mlt_mta *m;
static const uint8_t *in, *end;
static struct mlt_bytes said; /* the text of the last command */

static uint8_t
octet(void)
{
	return in < end ? *in++ : 0;
}

static struct mlt_bytes
text(void)
{
	size_t n = octet() % 24u;
	struct mlt_bytes b = { (const char *)in, n };

	if ((size_t)(end - in) < n)
		b.n = (size_t)(end - in);
	in += b.n;
	if (b.n && memchr(b.p, 0, b.n))
		b.n = strlen(b.p);
	return b;
}

static int
say(uint8_t what)
{
	struct mlt_bytes b = said = text(), pair[] = { { "i", 1 }, b };

	switch (what % 14) {
	case 0:
		return mlt_mta_connect(m, b, 'U', 0, b);
	case 1:
		return mlt_mta_helo(m, b);
	case 2:
	case 3:
		return mlt_mta_mail(m, &b, 1);
	case 4:
		return mlt_mta_rcpt(m, &b, 1);
	case 5:
		return mlt_mta_data(m);
	case 6:
		return mlt_mta_header(m, (struct mlt_bytes){ "N", 1 }, b);
	case 7:
		return mlt_mta_eoh(m);
	case 8:
		return mlt_mta_body(m, b.p, b.n);
	case 9:
		return mlt_mta_eom(m);
	case 10:
		return mlt_mta_macros(m, 'M', pair, 1);
	case 11:
		return mlt_mta_abort(m);
	case 12:
		return mlt_mta_unknown(m, b);
	}
	return what & 64 ? mlt_mta_quit(m, true) : 0;
}

static void
same(struct mlt_bytes got)
{
	assert(got.n == said.n && (!got.n || !memcmp(got.p, said.p, got.n)));
}

/* One event: as said?  Then an answer. */
static void
hear(const struct mlt_event *ev)
{
	uint8_t how = octet();
	struct mlt_reply r = { (enum mlt_reply_type)(how % 7), "450", "4.7.1",
		said };

	if (ev->type == MLT_EV_MAIL || ev->type == MLT_EV_RCPT)
		same(ev->args.v[0]);
	if (ev->type == MLT_EV_HELO || ev->type == MLT_EV_BODY ||
	    ev->type == MLT_EV_UNKNOWN)
		same(ev->text);
	if (ev->type == MLT_EV_HEADER && ev->header.value.n == said.n)
		same(ev->header.value);
	if (ev->type == MLT_EV_EOM) {
		mlt_filter_add_header(f, (struct mlt_bytes){ "N", 1 }, said);
		mlt_filter_replace_body(f, said.p, said.n);
		mlt_filter_delete_rcpt(f, said);
	}
	if (mlt_filter_reply(f, &r) == MLT_E_ARG) {
		r.type = MLT_REPLY_CONTINUE;
		assert(mlt_filter_reply(f, &r) == 0);
	}
}

/* Moves octets both ways until both are silent. */
static void
settle(void)
{
	const uint8_t *p;
	struct mlt_event ev;
	struct mlt_action a;
	size_t n, piece = octet() % 8u + 1;
	int rc;

	while ((n = mlt_mta_output(m, &p)) > 0) {
		n = n < piece ? n : piece;
		assert(mlt_filter_feed(f, p, n) == 0);
		while ((rc = mlt_filter_next(f, &ev)) > 0)
			hear(&ev);
		assert(rc == 0);
		mlt_mta_sent(m, n);
	}
	while ((n = mlt_filter_output(f, &p)) > 0) {
		n = n < piece ? n : piece;
		assert(mlt_mta_feed(m, p, n) == 0);
		while ((rc = mlt_mta_next(m, &a)) > 0)
			if (a.reply == MLT_SMFIR_REPLBODY)
				same(a.text);
		assert(rc == 0);
		mlt_filter_sent(f, n);
	}
	assert(!mlt_mta_awaits(m));
	assert(mlt_filter_protocol(f) == mlt_mta_protocol(m));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlt_filter_opts o = { .want = { .macros = { "j", "i" } } };

	in = data;
	end = data + size;
	o.want.actions_wanted = octet() | (octet() & 1u) << 8;
	o.want.protocol = (uint32_t)octet() << 16 | (uint32_t)octet() << 8;
	o.want.protocol |= octet();
	if (o.want.protocol & MLT_PROT_NO_MAIL) /* no DATA without RCPT */
		o.want.protocol |= MLT_PROT_NO_RCPT;
	if (mlt_filter_new(&f, &o) < 0 || mlt_mta_new(&m, NULL) < 0)
		abort();
	assert(mlt_mta_negotiate(m) == 1);
	settle();
	while (in < end) {
		say(octet());
		settle();
	}
	mlt_filter_free(f);
	mlt_mta_free(m);
	return 0;
}
