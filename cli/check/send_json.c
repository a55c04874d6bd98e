/* SPDX-License-Identifier: MIT */
/*
 * send_json: the dialogue with a filter, and what came of it, for programs
 * (send.h).
 */
#include "cli/check/send.h"

#include "cli/check/frame_json.h"
#include "cli/ctl_safe.h"

#include <string.h>

static void
add_text(struct buf *out, const char *key, const char *p, size_t n)
{
	buf_addf(out, ",\"%s\":", key);
	ctl_json_string(out, p ? p : "", n);
}

void
send_json_begin(struct buf *out, const char *socket, const struct client *c)
{
	buf_adds(out, "{\"socket\":");
	ctl_json_string(out, socket, strlen(socket));
	buf_addf(out, ",\"mta\":\"%s\",\"dialogue\":[",
	    client_play_opts(c)->profile->name);
}

/* A comma if something precedes in the array. */
static void
next_item(struct buf *out)
{
	const char *p = buf_data(out);

	if (p[buf_len(out) - 1] != '[')
		buf_addc(out, ',');
}

void
send_json_frame(struct buf *out, const struct send_frame *f, bool hex)
{
	next_item(out);
	buf_addc(out, '{');
	frame_json(out, f->reply, f->octet, f->payload, f->n, hex);
	if (f->reply)
		buf_addf(out, ",\"us\":%ju", (uintmax_t)f->us);
	buf_addc(out, '}');
}

void
send_json_note(struct buf *out, const char *text)
{
	next_item(out);
	buf_adds(out, "{\"note\":");
	ctl_json_string(out, text, strlen(text));
	buf_addc(out, '}');
}

static void
add_bits(struct buf *out, const char *key, uint32_t bits,
    const char *(*name)(uint32_t))
{
	const char *comma = "";

	buf_addf(out, ",\"%s\":[", key);
	for (uint32_t bit = 1; bit; bit <<= 1) {
		if (!(bits & bit) || !name(bit))
			continue;
		buf_addf(out, "%s\"%s\"", comma, name(bit));
		comma = ",";
	}
	buf_addc(out, ']');
}

static void
add_verdict(struct buf *out, const struct send_verdict *v)
{
	const char *stage = mlt_command_name(v->stage);

	buf_addf(out, ",\"verdict\":\"%s\"", mlt_verdict_name(v->verdict));
	if (v->stage && stage)
		buf_addf(out, ",\"stage\":\"%s\"", stage);
	if (buf_len(&v->told) > 0)
		add_text(out, "told", buf_data(&v->told), buf_len(&v->told));
}

static void
add_refused(struct buf *out, const struct send_result *r)
{
	const char *comma = "";

	buf_adds(out, ",\"refused_recipients\":[");
	for (size_t i = 0; i < r->n_rcpts; i++) {
		struct mlt_bytes a = send_result_rcpt(r, i);

		if (r->rcpts[i].verdict == MLT_VERDICT_NONE)
			continue;
		buf_addf(out, "%s{\"address\":", comma);
		ctl_json_string(out, a.p, a.n);
		add_verdict(out, &r->rcpts[i]);
		buf_addc(out, '}');
		comma = ",";
	}
	buf_addc(out, ']');
}

static void
add_changes(struct buf *out, const struct send_result *r)
{
	struct mlt_bytes why = mlt_edit_get_quarantine(r->edit), address;
	struct mlt_edit_address a = mlt_edit_get_from(r->edit);
	const char *comma = "";
	size_t at = 0;
	struct buf diff;

	buf_addf(
	    out, ",\"changed\":%s", send_result_changed(r) ? "true" : "false");
	add_text(out, "sender", a.addr.p, a.addr.n);
	buf_adds(out, ",\"removed_recipients\":[");
	for (; send_result_removed(r, &at, &address); comma = ",") {
		buf_adds(out, comma);
		ctl_json_string(out, address.p, address.n);
	}
	buf_adds(out, "],\"added_recipients\":[");
	comma = "";
	for (at = 0; send_result_added(r, &at, &a); comma = ",") {
		buf_adds(out, comma);
		ctl_json_string(out, a.addr.p, a.addr.n);
	}
	buf_addc(out, ']');
	if (why.p)
		add_text(out, "quarantine", why.p, why.n);
	buf_init(&diff, 0);
	if (send_result_diff(r, &diff) == 0)
		add_text(out, "diff", buf_data(&diff), buf_len(&diff));
	buf_fini(&diff);
}

void
send_json_end(struct buf *out, const struct send_result *r, bool with_message)
{
	struct mlt_bytes m = send_result_message(r);

	buf_addf(out, "],\"version\":%u", r->version);
	add_bits(out, "actions", r->actions, mlt_action_name);
	add_bits(out, "protocol", r->protocol, mlt_protocol_name);
	add_verdict(out, &r->verdict);
	add_refused(out, r);
	if (buf_len(&r->broke) > 0)
		add_text(
		    out, "violation", buf_data(&r->broke), buf_len(&r->broke));
	else if (r->verdict.verdict == MLT_VERDICT_ACCEPT)
		add_changes(out, r);
	if (with_message && m.n > 0)
		add_text(out, "message", m.p, m.n);
	buf_adds(out, "}\n");
}
