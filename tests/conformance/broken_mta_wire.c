/* SPDX-License-Identifier: MIT */
/*
 * broken_mta_wire: frames between our session for MTAs and the filter's socket,
 * and the faults that the session would not make by itself, put in here.
 */
#include "broken_mta.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FRAME_MAX_ (1u << 20)

static uint32_t
get_u32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 |
	       (uint32_t)u[2] << 8 | u[3];
}

static void
put_frame(struct buf *out, char octet, const char *payload, size_t n)
{
	char head[5] = { (char)((n + 1) >> 24), (char)((n + 1) >> 16),
		(char)((n + 1) >> 8), (char)(n + 1), octet };

	buf_add(out, head, sizeof(head));
	buf_add(out, payload, n);
}

void
wire_lose(struct broken *b)
{
	if (b->filter >= 0)
		close(b->filter);
	b->filter = -1;
	b->lost = true;
}

static void
write_octets(struct broken *b, const struct buf *out)
{
	if (b->filter >= 0 &&
	    fdio_write_all(b->filter, buf_data(out), buf_len(out)) < 0)
		wire_lose(b);
}

static bool
read_octets(struct broken *b, char *to, size_t n)
{
	while (n > 0 && b->filter >= 0) {
		ssize_t got = read(b->filter, to, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 ||
		    (b->fault == FAULT_reads_once && (size_t)got < n))
			return false;
		to += got;
		n -= (size_t)got;
	}
	return n == 0;
}

/* One frame of the filter, as it is; what has no sense is cut off behind its
 * head.  false: it has gone. */
bool
wire_read(struct broken *b, struct buf *in)
{
	char head[5], *room;
	size_t n;

	buf_reset(in);
	if (!read_octets(b, head, 4))
		return false;
	buf_add(in, head, 4);
	n = get_u32(head);
	if (n == 0 || n > FRAME_MAX_)
		return true;
	room = buf_space(in, n);
	if (!room || !read_octets(b, room, n))
		return false;
	buf_added(in, n);
	return true;
}

/* Says a frame that the session would not say, and takes its answer. */
void
wire_say_raw(
    struct broken *b, char octet, const char *payload, size_t n, bool answer)
{
	struct buf frame;

	buf_init(&frame, 0);
	put_frame(&frame, octet, payload, n);
	write_octets(b, &frame);
	if (answer && b->filter >= 0 && !wire_read(b, &frame))
		wire_lose(b);
	buf_fini(&frame);
}

/* ---- what is said, spoiled ------------------------------------------------------------ */

static void
crlf_for_lf(struct buf *out, char octet, const char *p, size_t n)
{
	struct buf text;

	buf_init(&text, 0);
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n')
			buf_addc(&text, '\r');
		buf_addc(&text, p[i]);
	}
	put_frame(out, octet, buf_data(&text), buf_len(&text));
	buf_fini(&text);
}

static void
changed_octets(
    struct buf *out, char octet, const char *p, size_t n, enum fault fault)
{
	size_t begin = buf_len(out) + 5;
	char *at;

	put_frame(out, octet, p, n);
	at = out->p + out->off + begin;
	for (size_t i = 0; i < n; i++)
		if (fault == FAULT_seven_bits)
			at[i] &= 0x7f;
		else if (fault == FAULT_helo_in_capitals && at[i] >= 'a' &&
			 at[i] <= 'z')
			at[i] = (char)(at[i] - 'a' + 'A');
	if (fault == FAULT_offers_version_7)
		at[3] = 7;
	if (fault == FAULT_offers_unknown_bits)
		at[8] = 0x0f;
}

/* Without its last string. */
static size_t
cut_string(const char *p, size_t n)
{
	if (n > 1)
		n--;
	while (n > 1 && p[n - 1] != '\0')
		n--;
	return n;
}

/* Is this the command that the fault spoils? */
static bool
concerns(enum fault fault, char octet)
{
	static const struct {
		enum fault fault;
		char octet;
	} rows[] = {
		{ FAULT_long_frame, 'B' },
		{ FAULT_mail_without_nul, 'M' },
		{ FAULT_data_with_payload, 'T' },
		{ FAULT_end_with_data, 'E' },
		{ FAULT_offers_twice, 'Q' },
		{ FAULT_offers_version_7, 'O' },
		{ FAULT_offers_unknown_bits, 'O' },
		{ FAULT_hasty_after_offer, 'O' },
		{ FAULT_macro_without_value, 'D' },
		{ FAULT_hasty, 'M' },
		{ FAULT_helo_in_capitals, 'H' },
		{ FAULT_crlf_in_field, 'L' },
		{ FAULT_seven_bits, 'B' },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].fault == fault)
			return rows[i].octet == octet;
	return false;
}

static void
spoil(struct buf *out, enum fault fault, char octet, const char *p, size_t n)
{
	switch ((int)fault) {
	case FAULT_long_frame:
		put_frame(out, octet, p, n);
		if (n == MLT_BODY_MAX) /* one more than is legal */
			out->p[out->off + buf_len(out) - n - 2]++;
		break;
	case FAULT_mail_without_nul:
		put_frame(out, octet, p, n - 1);
		break;
	case FAULT_data_with_payload:
	case FAULT_end_with_data:
		put_frame(out, octet, "x\r\n", 3);
		break;
	case FAULT_offers_twice:
		put_frame(out, 'O', "\0\0\0\6\0\0\1\xff\0\x1f\xff\xff", 12);
		put_frame(out, octet, p, n);
		break;
	case FAULT_hasty_after_offer:
	case FAULT_hasty:
		put_frame(out, octet, p, n);
		put_frame(out, 'A', "", 0);
		break;
	case FAULT_macro_without_value:
		put_frame(out, octet, p, cut_string(p, n));
		break;
	case FAULT_crlf_in_field:
		crlf_for_lf(out, octet, p, n);
		break;
	default: /* octets of the payload */
		changed_octets(out, octet, p, n, fault);
	}
}

/* Writes what the session has to say. */
void
wire_say(struct broken *b)
{
	const uint8_t *octets;
	size_t n = mlt_mta_output(b->mta, &octets);
	const char *p = (const char *)octets, *end = p + n;
	struct buf out;

	buf_init(&out, 0);
	while (p < end) {
		size_t frame = 4 + get_u32(p);

		if (concerns(b->fault, p[4]))
			spoil(&out, b->fault, p[4], p + 5, frame - 5);
		else
			buf_add(&out, p, frame);
		p += frame;
	}
	mlt_mta_sent(b->mta, n);
	write_octets(b, &out);
	buf_fini(&out);
}
