/* SPDX-License-Identifier: MIT */
/*
 * frame_json: a packet for programs (frame_json.h).
 */
#include "cli/check/frame_json.h"

#include "cli/check/words.h"
#include "cli/ctl_safe.h"

#include <milterproto.h>
#include <string.h>

static void
add_words(
    struct buf *out, bool reply, uint8_t octet, const void *payload, size_t n)
{
	struct buf words;

	buf_init(&words, 0);
	words_frame(&words, reply, octet, payload, n);
	buf_adds(out, ",\"words\":");
	ctl_json_string(out, buf_data(&words), buf_len(&words));
	buf_fini(&words);
}

/* The next string of a payload; false: there is none that ends. */
static bool
take_string(struct mlt_bytes *rest, struct mlt_bytes *s)
{
	const char *end = rest->n ? memchr(rest->p, 0, rest->n) : NULL;

	if (!end)
		return false;
	*s = (struct mlt_bytes){ rest->p, (size_t)(end - rest->p) };
	rest->p += s->n + 1;
	rest->n -= s->n + 1;
	return true;
}

static void
add_macros(struct buf *out, struct mlt_bytes rest)
{
	struct mlt_bytes name, value;
	const char *comma = "";

	if (rest.n == 0)
		return;
	buf_adds(out, ",\"for\":");
	ctl_json_string(out, rest.p++, 1);
	rest.n--;
	buf_adds(out, ",\"macros\":{");
	while (take_string(&rest, &name) && take_string(&rest, &value)) {
		buf_adds(out, comma);
		ctl_json_string(out, name.p, name.n);
		buf_addc(out, ':');
		ctl_json_string(out, value.p, value.n);
		comma = ",";
	}
	buf_addc(out, '}');
}

static void
add_strings(struct buf *out, struct mlt_bytes rest)
{
	const char *comma = "";
	struct mlt_bytes s;

	buf_adds(out, ",\"strings\":[");
	while (take_string(&rest, &s)) {
		buf_adds(out, comma);
		ctl_json_string(out, s.p, s.n);
		comma = ",";
	}
	buf_addc(out, ']');
}

static bool
has_strings(bool reply, uint8_t octet)
{
	return octet && strchr(reply ? "h+-2eqy" : "HMRLU", octet);
}

void
frame_json(struct buf *out, bool reply, uint8_t octet, const void *payload,
    size_t n, bool hex)
{
	const char *name =
	    reply ? mlt_reply_name(octet) : mlt_command_name(octet);
	struct mlt_bytes all = { payload, n };

	buf_addf(out, "\"from\":\"%s\",\"name\":\"%s\"",
	    reply ? "filter" : "mta", name ? name : "");
	if (!reply && octet == MLT_SMFIC_MACRO)
		add_macros(out, all);
	else if (has_strings(reply, octet))
		add_strings(out, all);
	add_words(out, reply, octet, payload, n);
	buf_addf(out, ",\"octets\":%zu", n + 1);
	if (!hex)
		return;
	buf_addf(out, ",\"hex\":\"%08zx%02x", n + 1, octet);
	words_hex(out, payload, n, n);
	buf_addc(out, '"');
}
