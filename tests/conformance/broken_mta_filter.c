/* SPDX-License-Identifier: MIT */
/*
 * broken_mta_filter: the filter's end of broken_mta: our session for MTAs on a
 * blocking socket, its steps, and what is made of the answers.
 */
#include "broken_mta.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_ACTION "451 4.7.1 Service unavailable - try again later"
#define B(literal)     ((struct mlt_bytes){ literal, sizeof(literal) - 1 })

int
filter_connect(const char *spec)
{
	const char *unix_path =
	    strncmp(spec, "unix:", 5) == 0 ? spec + 5 : NULL;

	return unix_path ? fdio_unix_connect(unix_path, false) : -EINVAL;
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
	wire_lose(b);
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
		wire_lose(b);
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

		if (b->filter < 0 || !wire_read(b, &frame)) {
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
	wire_say(b);
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
		wire_lose(b);
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
		wire_say(b);
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
		wire_say_raw(b, 'H', "x", 2, true);
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
		wire_say_raw(b, 'C', client, sizeof(client), true);
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
		wire_say_raw(b, 'R', "<x>", 4, true);
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
		wire_say_raw(b, 'T', "", 0, true);
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
			wire_say_raw(b, 'B', body.p, n, true);
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
			wire_say_raw(b, 'N', "", 0, true);
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
		wire_say_raw(b, 'U', "x", 2, true);
	step(b, rc, false);
}

void
filter_abort(struct broken *b)
{
	if (b->filter < 0 || !b->m.open)
		return;
	if (b->fault == FAULT_end_after_reset ||
	    b->fault == FAULT_end_of_the_vanished)
		wire_say_raw(b, 'E', "", 0, true);
	if (b->filter >= 0 && mlt_mta_abort(b->mta) > 0)
		wire_say(b);
}
