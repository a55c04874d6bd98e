/* SPDX-License-Identifier: MIT */
/*
 * broken_mta_filter: the filter's end of broken_mta: our session for MTAs on a
 * blocking socket, and the faults that it would not make by itself, put in
 * between it and the wire.
 */
#include "broken_mta.h"

#include "core/base/fdio.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_ACTION "451 4.7.1 Service unavailable - try again later"
#define FRAME_MAX_     (1u << 20)
#define B(literal)     ((struct mlt_bytes){ literal, sizeof(literal) - 1 })

int
filter_connect(const char *spec)
{
	const char *unix_path =
	    strncmp(spec, "unix:", 5) == 0 ? spec + 5 : NULL;

	return unix_path ? fdio_unix_connect(unix_path, false) : -EINVAL;
}

/* ---- frames ------------------------------------------------------------------------ */

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

static void
lose(struct broken *b)
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
		lose(b);
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
static bool
read_frame(struct broken *b, struct buf *in)
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
static void
say_raw(
    struct broken *b, char octet, const char *payload, size_t n, bool answer)
{
	struct buf frame;

	buf_init(&frame, 0);
	put_frame(&frame, octet, payload, n);
	write_octets(b, &frame);
	if (answer && b->filter >= 0 && !read_frame(b, &frame))
		lose(b);
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
static void
say(struct broken *b)
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

/* ---- what is answered ------------------------------------------------------------------ */

static enum verdict
refuse(struct broken *b, const char *text)
{
	snprintf(b->reply, sizeof(b->reply), "%s", text);
	return V_REFUSE;
}

static enum verdict
default_action(struct broken *b)
{
	lose(b);
	return refuse(b, DEFAULT_ACTION);
}

/* The filter's own text for the client: each %% is one. */
static enum verdict
own_text(struct broken *b, struct mlt_bytes text)
{
	size_t n = 0;

	if (b->fault == FAULT_own_words)
		return refuse(b, "554 5.7.1 Command rejected");
	for (size_t i = 0; i < text.n && n < sizeof(b->reply) - 1; i++) {
		if (text.p[i] == '%' && b->fault != FAULT_percent_doubled &&
		    i + 1 < text.n)
			i++;
		b->reply[n++] = text.p[i];
	}
	b->reply[n] = '\0';
	if (b->fault == FAULT_last_line_only && strrchr(b->reply, '\n'))
		memmove(b->reply, strrchr(b->reply, '\n') + 1,
		    strlen(strrchr(b->reply, '\n')));
	return V_REFUSE;
}

static enum verdict
final_reply(struct broken *b, const struct mlt_action *a)
{
	bool reject = a->reply == MLT_SMFIR_REJECT;

	if ((b->fault == FAULT_rejects_with_4xx && reject) ||
	    (b->fault == FAULT_tempfails_with_5xx &&
		a->reply == MLT_SMFIR_TEMPFAIL))
		reject = !reject;
	switch (a->reply) {
	case MLT_SMFIR_DISCARD:
		b->m.dropped = true;
		return V_GO_ON;
	case MLT_SMFIR_ACCEPT:
		b->m.accepted = true;
		return V_GO_ON;
	case MLT_SMFIR_REJECT:
	case MLT_SMFIR_TEMPFAIL:
		return refuse(
		    b, reject ? "550 5.7.1 Command rejected" : DEFAULT_ACTION);
	case MLT_SMFIR_REPLYCODE:
		return own_text(b, a->text);
	default:
		return V_GO_ON;
	}
}

/* Takes a frame for something else than it is: true, nothing is left of it. */
static bool
mistake(struct broken *b, struct buf *frame, bool at_end, enum verdict *v)
{
	char *p = frame->p + frame->off;
	size_t n = buf_len(frame);
	char octet = n >= 5 ? p[4] : '\0';

	if (octet == MLT_SMFIR_ADDHEADER &&
	    ((b->fault == FAULT_changes_early && !at_end) ||
		(b->fault == FAULT_unagreed_is_done &&
		    !(mlt_mta_actions(b->mta) & MLT_ACT_ADDHDRS)))) {
		b->early = true;
		return true;
	}
	if (b->fault == FAULT_text_unseen && octet == MLT_SMFIR_REPLYCODE) {
		*v = own_text(b, (struct mlt_bytes){ p + 5, n - 6 });
		lose(b);
		return true;
	}
	if (n == 5 &&
	    ((b->fault == FAULT_unknown_is_approval && octet == 'z') ||
		(b->fault == FAULT_progress_is_final &&
		    octet == MLT_SMFIR_PROGRESS)))
		p[4] = MLT_SMFIR_CONTINUE;
	return false;
}

/* Frames of the filter until the final one. */
static enum verdict
hear(struct broken *b, bool at_end)
{
	enum verdict v = V_GO_ON;
	bool final = false;
	struct buf frame;

	buf_init(&frame, 0);
	while (!final && v == V_GO_ON) {
		struct mlt_action a;
		int rc = 0;

		if (b->filter < 0 || !read_frame(b, &frame)) {
			v = default_action(b);
			break;
		}
		if (mistake(b, &frame, at_end, &v))
			continue;
		if (mlt_mta_feed(b->mta, buf_data(&frame), buf_len(&frame)) < 0)
			rc = -1;
		while (rc >= 0 && (rc = mlt_mta_next(b->mta, &a)) > 0) {
			final |= a.final;
			if (a.final)
				v = final_reply(b, &a);
			else if (!message_change(b, &a))
				rc = -1;
		}
		if (rc < 0)
			v = default_action(b);
	}
	buf_fini(&frame);
	return v;
}

/* After a step of the session: says it, takes the answer if there will be one.
 * spec:mta-states */
static enum verdict
step(struct broken *b, int rc, bool at_end)
{
	char mute;

	if (b->filter < 0)
		return b->lost ? refuse(b, DEFAULT_ACTION) : V_GO_ON;
	if (rc < 0)
		return default_action(b);
	say(b);
	if (rc == 2 && b->fault == FAULT_awaits_the_unsaid)
		(void)!read(b->filter, &mute, 1);
	return rc == 1 ? hear(b, at_end) : V_GO_ON;
}

/* ---- macros ------------------------------------------------------------------------------ */

/* Names are separated by blanks. */
static bool
is_listed(struct mlt_bytes list, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; list.p && i + n <= list.n; i++)
		if (memcmp(list.p + i, name, n) == 0 &&
		    (i == 0 || list.p[i - 1] == ' ') &&
		    (i + n == list.n || list.p[i + n] == ' '))
			return true;
	return !list.p;
}

/* Macros of one packet. */
struct macros {
	struct mlt_bytes v[8];
	size_t n;
};

/* One macro, if it is not off the filter's list. */
static void
add_macro(const struct broken *b, struct macros *m, unsigned stage,
    const char *name, struct mlt_bytes value)
{
	if (b->filter < 0 ||
	    (b->fault != FAULT_own_macro_lists &&
		!is_listed(mlt_mta_macro_list(b->mta, stage), name)))
		return;
	m->v[m->n++] = (struct mlt_bytes){ name, strlen(name) };
	m->v[m->n++] = value;
}

static void
say_macros(struct broken *b, uint8_t octet, const struct macros *m)
{
	if (m->n && mlt_mta_macros(b->mta, octet, m->v, m->n / 2) < 0)
		lose(b);
}

static struct mlt_bytes
queue_id(const struct broken *b)
{
	return (struct mlt_bytes){ b->m.id,
		b->fault == FAULT_no_queue_id ? 0 : strlen(b->m.id) };
}

static struct mlt_bytes
bare(const struct broken *b, struct mlt_bytes address)
{
	if (b->fault != FAULT_macro_with_brackets && address.n >= 2)
		return (struct mlt_bytes){ address.p + 1, address.n - 2 };
	return address;
}

/* ---- the steps ----------------------------------------------------------------------------- */

static enum verdict
tell_client(struct broken *b)
{
	struct macros m = { .n = 0 };
	uint16_t port = b->port;

	if (b->fault == FAULT_wrong_port)
		port = (uint16_t)(port ^ 1);
	add_macro(b, &m, MLT_STAGE_CONNECT, "j", B("mx.example"));
	say_macros(b, MLT_SMFIC_CONNECT, &m);
	return step(b,
	    mlt_mta_connect(
		b->mta, B("[127.0.0.1]"), '4', port, B("127.0.0.1")),
	    false);
}

/* A verdict that is for all mail of the client. */
static enum verdict
for_client(struct broken *b, enum verdict v)
{
	if (v == V_REFUSE)
		memcpy(b->whole, b->reply, sizeof(b->whole));
	else if (b->m.accepted)
		filter_end(b);
	b->m.accepted = b->m.dropped = false;
	return v;
}

enum verdict
filter_begin(struct broken *b, int fd)
{
	enum verdict v;

	b->filter = fd;
	b->lost = b->early = false;
	b->whole[0] = '\0';
	if (fd < 0 || mlt_mta_new(&b->mta, NULL) < 0)
		return default_action(b);
	v = step(b, mlt_mta_negotiate(b->mta), false);
	return for_client(b, v == V_GO_ON ? tell_client(b) : v);
}

void
filter_end(struct broken *b)
{
	if (b->filter >= 0) {
		mlt_mta_quit(b->mta, false);
		say(b);
	}
	if (b->filter >= 0 && b->fault != FAULT_stays_with_filter)
		close(b->filter);
	b->filter = -1;
	mlt_mta_free(b->mta);
	b->mta = NULL;
}

enum verdict
filter_helo(struct broken *b, const char *name)
{
	int rc;

	if (b->filter < 0)
		return V_GO_ON;
	rc = mlt_mta_helo(b->mta, (struct mlt_bytes){ name, strlen(name) });
	if (rc == 0 && b->fault == FAULT_helo_unasked)
		say_raw(b, 'H', "x", 2, true);
	return for_client(b, step(b, rc, false));
}

enum verdict
filter_mail(struct broken *b)
{
	static const char client[] = "x\0"
				     "4\0\1"
				     "127.0.0.1";
	const struct args *f = &b->m.from;
	struct macros m = { .n = 0 };
	enum verdict v;

	if (b->whole[0])
		return refuse(b, b->whole);
	if (b->filter < 0)
		return step(b, 0, false);
	if (b->fault == FAULT_connects_again && b->n_messages > 1)
		say_raw(b, 'C', client, sizeof(client), true);
	add_macro(b, &m, MLT_STAGE_MAIL, "i", queue_id(b));
	add_macro(b, &m, MLT_STAGE_MAIL, "{mail_addr}", bare(b, f->v[0]));
	if (b->fault != FAULT_macros_late)
		say_macros(b, MLT_SMFIC_MAIL, &m);
	v = step(b,
	    mlt_mta_mail(
		b->mta, f->v, b->fault == FAULT_no_parameters ? 1 : f->n),
	    false);
	if (b->fault == FAULT_macros_late && b->filter >= 0)
		say_macros(b, MLT_SMFIC_MAIL, &m);
	if (v == V_REFUSE && b->fault == FAULT_rcpt_after_refusal)
		say_raw(b, 'R', "<x>", 4, true);
	return v;
}

enum verdict
filter_rcpt(struct broken *b, const struct args *rcpt)
{
	struct mlt_bytes v[ARGS_MAX];
	struct macros m = { .n = 0 };

	if (b->filter < 0)
		return step(b, 0, false);
	memcpy(v, rcpt->v, sizeof(v));
	add_macro(b, &m, MLT_STAGE_RCPT, "{rcpt_addr}", bare(b, v[0]));
	say_macros(b, MLT_SMFIC_RCPT, &m);
	if (b->fault == FAULT_no_brackets)
		v[0] = bare(b, v[0]);
	return step(b, mlt_mta_rcpt(b->mta, v, rcpt->n), false);
}

enum verdict
filter_data(struct broken *b)
{
	bool old, unwanted;
	int rc;

	if (b->filter < 0)
		return step(b, 0, false);
	old = mlt_mta_version(b->mta) < 4;
	unwanted = mlt_mta_protocol(b->mta) & MLT_PROT_NO_DATA;
	rc = mlt_mta_data(b->mta);
	if ((old && b->fault == FAULT_data_in_old_version) ||
	    (unwanted && b->fault == FAULT_data_unasked))
		say_raw(b, 'T', "", 0, true);
	return step(b, rc, false);
}

static enum verdict
tell_field(struct broken *b, struct mlt_bytes name, struct mlt_bytes value)
{
	char text[4096];
	size_t n = 0;
	bool blank =
	    b->fault == FAULT_keeps_blank && value.n && *value.p == ' ';

	if (b->fault == FAULT_field_lost && name.n == 8 &&
	    memcmp(name.p, "X-Second", 8) == 0)
		return V_GO_ON;
	if (blank)
		text[n++] = ' ';
	for (size_t i = 0; i < value.n && n < sizeof(text); i++)
		if (value.p[i] != '\r')
			text[n++] = value.p[i];
	return step(b,
	    mlt_mta_header(b->mta, name, (struct mlt_bytes){ text, n }), false);
}

static enum verdict
tell_body(struct broken *b)
{
	struct mlt_bytes body = message_body(b);
	enum verdict v = V_GO_ON;

	for (size_t n; v == V_GO_ON && body.n; body.p += n, body.n -= n) {
		int rc;

		n = body.n < MLT_BODY_MAX ? body.n : MLT_BODY_MAX;
		rc = mlt_mta_body(b->mta, body.p, n);
		if (rc == 0 && b->fault == FAULT_body_after_skip)
			say_raw(b, 'B', body.p, n, true);
		v = step(b, rc, false);
	}
	return v;
}

static bool
is_decided(const struct broken *b)
{
	return b->m.dropped || b->m.accepted;
}

/* What the filter did before it was lost counts, or it does not. */
static enum verdict
at_end(struct broken *b)
{
	struct macros m = { .n = 0 };
	enum verdict v;

	add_macro(b, &m, MLT_STAGE_EOM, "i", queue_id(b));
	say_macros(b, MLT_SMFIC_EOM, &m);
	if (message_load(b) < 0)
		return default_action(b);
	v = step(b, mlt_mta_eom(b->mta), true);
	if (b->lost && b->m.replaced && b->fault == FAULT_delivers_half_a_body)
		return V_GO_ON;
	if (v == V_REFUSE && b->m.n_changes && !b->lost &&
	    b->fault == FAULT_delivers_refused)
		message_deliver(b);
	return v;
}

enum verdict
filter_content(struct broken *b)
{
	enum verdict v = V_GO_ON;

	if (b->filter < 0 || is_decided(b))
		return is_decided(b) ? V_GO_ON : step(b, 0, false);
	if (b->fault == FAULT_tells_received)
		v = tell_field(b, B("Received"), B(" by mx.example"));
	if (v == V_GO_ON)
		v = message_fields(b, tell_field);
	if (v == V_GO_ON && !is_decided(b)) {
		int rc = mlt_mta_eoh(b->mta);

		if ((rc == 0 && b->fault == FAULT_eoh_unasked) ||
		    (rc == 1 && b->fault == FAULT_eoh_twice))
			say_raw(b, 'N', "", 0, true);
		v = step(b, rc, false);
	}
	if (v == V_GO_ON && !is_decided(b))
		v = tell_body(b);
	return v == V_GO_ON && !is_decided(b) ? at_end(b) : v;
}

void
filter_unknown(struct broken *b, const char *line)
{
	int rc;

	if (b->filter < 0)
		return;
	rc = mlt_mta_unknown(b->mta, (struct mlt_bytes){ line, strlen(line) });
	if (rc == 0 && b->fault == FAULT_unknown_unasked)
		say_raw(b, 'U', "x", 2, true);
	step(b, rc, false);
}

void
filter_abort(struct broken *b)
{
	if (b->filter < 0 || !b->m.open)
		return;
	if (b->fault == FAULT_end_after_reset ||
	    b->fault == FAULT_end_of_the_vanished)
		say_raw(b, 'E', "", 0, true);
	if (b->filter >= 0 && mlt_mta_abort(b->mta) > 0)
		say(b);
}
