/* SPDX-License-Identifier: MIT */
/*
 * send_show: the dialogue with a filter, and what came of it, for people
 * (send.h).  All octets are escaped.
 */
#include "cli/check/send.h"

#include "cli/check/words.h"
#include "cli/ctl_safe.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SLOW_US 10000 /* worth telling */
#define HEX_MAX 4096

static void
print(FILE *to, struct buf *text)
{
	if (buf_cstr(text))
		fputs(buf_cstr(text), to);
	fflush(to);
	buf_fini(text);
}

void
send_show_frame(const struct send_frame *f, bool hex)
{
	struct buf text;

	buf_init(&text, 0);
	buf_adds(&text, f->reply ? "< " : "> ");
	words_frame(&text, f->reply, f->octet, f->payload, f->n);
	if (f->us >= SLOW_US)
		buf_addf(&text, "   (%.0f ms)", (double)f->us / 1e3);
	buf_addc(&text, '\n');
	if (hex) {
		buf_addf(&text, "  %08zx %02x ", f->n + 1, f->octet);
		words_hex(&text, f->payload, f->n, HEX_MAX);
		buf_addc(&text, '\n');
	}
	print(stdout, &text);
}

void
send_show_note(const char *text)
{
	printf("- %s\n", text);
	fflush(stdout);
}

/* ---- the verdict -------------------------------------------------------------------------- */

static const char *
verdict_words(enum mlt_verdict v)
{
	switch (v) {
	case MLT_VERDICT_ACCEPT:
		return "accepted";
	case MLT_VERDICT_REJECT:
		return "rejected";
	case MLT_VERDICT_TEMPFAIL:
		return "put off (tempfail)";
	case MLT_VERDICT_DISCARD:
		return "discarded";
	case MLT_VERDICT_STOPPED:
		return "stopped: no recipient was left";
	case MLT_VERDICT_NONE:
		break;
	}
	return "none";
}

static void
add_told(struct buf *out, const struct buf *told)
{
	const char *p = buf_data(told);
	size_t left = buf_len(told);

	while (left > 0) {
		const char *lf = memchr(p, '\n', left);
		size_t n = lf ? (size_t)(lf - p) : left;

		ctl_safe(out, p, n && p[n - 1] == '\r' ? n - 1 : n, true);
		if (lf)
			buf_adds(out, " | "); /* of several lines */
		n += lf != NULL;
		p += n;
		left -= n;
	}
}

static void
add_rcpts(struct buf *out, const struct send_result *r)
{
	for (size_t i = 0; i < r->n_rcpts; i++) {
		struct mlt_bytes a = send_result_rcpt(r, i);

		if (r->rcpts[i].verdict == MLT_VERDICT_NONE)
			continue;
		buf_adds(out, "recipient <");
		ctl_safe(out, a.p, a.n, true);
		buf_addf(out, ">: %s, the client is told: ",
		    verdict_words(r->rcpts[i].verdict));
		add_told(out, &r->rcpts[i].told);
		buf_addc(out, '\n');
	}
}

static void
add_verdict(struct buf *out, const struct send_result *r)
{
	const struct send_verdict *v = &r->verdict;
	const char *stage = mlt_command_name(v->stage);

	if (buf_len(&r->broke) > 0) {
		buf_adds(out, "the filter broke the protocol: ");
		buf_add(out, buf_data(&r->broke), buf_len(&r->broke));
		buf_addc(out, '\n');
		return;
	}
	buf_addf(out, "verdict: %s", verdict_words(v->verdict));
	if (v->stage && stage)
		buf_addf(out, ", at %s", stage);
	buf_addc(out, '\n');
	if (v->verdict == MLT_VERDICT_ACCEPT)
		buf_adds(out, "the client is told: 250, in the MTA's words\n");
	if (v->verdict == MLT_VERDICT_DISCARD)
		buf_adds(out, "the client is told: 250, in the MTA's words; "
			      "nobody gets the message\n");
	if (buf_len(&v->told) > 0) {
		buf_adds(out, "the client is told: ");
		add_told(out, &v->told);
		buf_addc(out, '\n');
	}
}

/* ---- changes --------------------------------------------------------------------------------- */

static void
add_address(struct buf *out, struct mlt_bytes address, struct mlt_bytes esmtp)
{
	buf_addc(out, '<');
	ctl_safe(out, address.p ? address.p : "", address.n, true);
	buf_addc(out, '>');
	if (esmtp.n) {
		buf_addc(out, ' ');
		ctl_safe(out, esmtp.p, esmtp.n, true);
	}
}

static void
add_envelope(struct buf *out, const struct send_result *r)
{
	static const struct mlt_bytes none;
	struct mlt_edit_address from = mlt_edit_get_from(r->edit), a;
	struct mlt_bytes was = send_result_sender(r), address;
	struct mlt_bytes why = mlt_edit_get_quarantine(r->edit);
	size_t at = 0;

	if (was.n != from.addr.n ||
	    (was.n && memcmp(was.p, from.addr.p, was.n) != 0)) {
		buf_adds(out, "sender: ");
		add_address(out, was, none);
		buf_adds(out, " -> ");
		add_address(out, from.addr, from.esmtp);
		buf_addc(out, '\n');
	}
	while (send_result_removed(r, &at, &address)) {
		buf_adds(out, "recipient removed: ");
		add_address(out, address, none);
		buf_addc(out, '\n');
	}
	for (at = 0; send_result_added(r, &at, &a);) {
		buf_adds(out, "recipient added: ");
		add_address(out, a.addr, a.esmtp);
		buf_addc(out, '\n');
	}
	if (why.p) {
		buf_adds(out, "quarantine: ");
		ctl_safe(out, why.p, why.n, true);
		buf_addc(out, '\n');
	}
}

void
send_show_result(const struct send_result *r)
{
	struct buf text;

	buf_init(&text, 0);
	buf_addc(&text, '\n');
	add_rcpts(&text, r);
	add_verdict(&text, r);
	if (r->verdict.verdict == MLT_VERDICT_ACCEPT &&
	    buf_len(&r->broke) == 0) {
		if (!send_result_changed(r))
			buf_adds(&text, "nothing is changed\n");
		add_envelope(&text, r);
		send_result_diff(r, &text);
	}
	print(stdout, &text);
}

void
send_show_verdict(const struct send_result *r)
{
	struct buf text;

	buf_init(&text, 0);
	add_rcpts(&text, r);
	add_verdict(&text, r);
	print(stderr, &text);
}

void
send_show_message(const struct send_result *r)
{
	struct mlt_bytes m = send_result_message(r);
	struct buf text;

	if (!isatty(STDOUT_FILENO)) {
		fwrite(m.p, 1, m.n, stdout);
		fflush(stdout);
		return;
	}
	buf_init(&text, 0);
	ctl_safe(&text, m.p, m.n, false);
	print(stdout, &text);
}
