/* SPDX-License-Identifier: MIT */
/*
 * dump_show: what an MTA said on one connection, and what it was told (dump.h).
 * Each line is written as soon as it is known.
 */
#include "cli/check/dump.h"

#include "cli/check/frame_json.h"
#include "cli/check/words.h"
#include "cli/ctl_safe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FRAME_HEAD  4
#define PAYLOAD_MAX ((1u << 20) + 1)
#define HEX_MAX     4096

void
dump_show_begin(struct dump_show *d, const struct dump_form *form,
    uint64_t number, uint64_t now_us)
{
	*d = (struct dump_show){
		.form = form, .number = number, .start_us = now_us
	};
	buf_init(&d->heard, 0);
	buf_init(&d->said, 0);
}

static void
print(struct buf *text)
{
	if (buf_cstr(text))
		fputs(buf_cstr(text), stdout);
	fflush(stdout);
	buf_fini(text);
}

static void
show_packet(
    struct dump_show *d, bool sent, const uint8_t *p, size_t n, uint64_t now_us)
{
	uint64_t us = now_us - d->start_us;
	struct buf text;

	buf_init(&text, 0);
	if (d->form->json) {
		buf_addf(&text,
		    "{\"connection\":%" PRIu64 ",\"us\":%" PRIu64 ",",
		    d->number, us);
		frame_json(&text, sent, p[0], p + 1, n - 1, d->form->hex);
		buf_adds(&text, "}\n");
	} else {
		buf_addf(&text, "#%" PRIu64 " %8.3f %c ", d->number,
		    (double)us / 1e6, sent ? '<' : '>');
		words_frame(&text, sent, p[0], p + 1, n - 1);
		buf_addc(&text, '\n');
	}
	if (d->form->hex && !d->form->json) {
		buf_addf(&text, "              %08zx %02x ", n, p[0]);
		words_hex(&text, p + 1, n - 1, HEX_MAX);
		buf_addc(&text, '\n');
	}
	print(&text);
}

static void
note(const struct dump_show *d, const char *what, uint64_t now_us)
{
	uint64_t us = now_us - d->start_us;
	struct buf text;

	buf_init(&text, 0);
	if (d->form->json) {
		buf_addf(&text,
		    "{\"connection\":%" PRIu64 ",\"us\":%" PRIu64 ",\"note\":",
		    d->number, us);
		ctl_json_string(&text, what, strlen(what));
		buf_adds(&text, "}\n");
	} else {
		buf_addf(&text, "#%" PRIu64 " %8.3f - %s\n", d->number,
		    (double)us / 1e6, what);
	}
	print(&text);
}

/* Octets of the packet at the front with its length; 0: it is not whole. */
static size_t
packet_there(const struct buf *b, uint32_t *length)
{
	const uint8_t *p = (const uint8_t *)buf_data(b);

	if (buf_len(b) < FRAME_HEAD)
		return 0;
	*length = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		  (uint32_t)p[2] << 8 | p[3];
	return *length > buf_len(b) - FRAME_HEAD ? 0 : FRAME_HEAD + *length;
}

void
dump_show_octets(
    struct dump_show *d, bool sent, const void *p, size_t n, uint64_t now_us)
{
	struct buf *b = sent ? &d->said : &d->heard;
	uint32_t length = 1;
	size_t whole;

	if (d->lost)
		return;
	if (buf_add(b, p, n) < 0) {
		note(d, "out of memory: the rest is not shown", now_us);
		d->lost = true;
		return;
	}
	while ((whole = packet_there(b, &length)) > FRAME_HEAD) {
		show_packet(d, sent, (const uint8_t *)buf_data(b) + FRAME_HEAD,
		    length, now_us);
		buf_take(b, whole);
	}
	if (length == 0 || length > PAYLOAD_MAX) {
		note(d, "what follows is no packet: a length that none has",
		    now_us);
		d->lost = true;
	}
}

void
dump_show_end(struct dump_show *d, const char *why, uint64_t now_us)
{
	if (!d->lost && buf_len(&d->heard) > 0)
		note(d, "a packet was cut off", now_us);
	note(d, why ? why : "closed", now_us);
	buf_fini(&d->heard);
	buf_fini(&d->said);
}
