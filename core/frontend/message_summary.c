/* SPDX-License-Identifier: MIT */
/*
 * message_summary: one log line for each message, when it ends
 * (spec:summary-line): a clock is read at each question, and one line is
 * written.  Without memory a recipient is not shown; nothing else fails.
 */
#include "core/frontend/message_parts.h"

#include "core/base/log.h"

#include <string.h>

#define SHOWN_RCPTS  3   /* of as many recipients as there are */
#define SHOWN_OCTETS 100 /* of each address */

void
message_summary_forget(struct message *m, enum question first)
{
	for (enum question q = first; q < Q_N; q++) {
		m->was_asked[q] = false;
		m->took[q] = 0;
	}
}

void
message_summary_begin(struct message *m)
{
	if (!m->env->opts->log_summary)
		return;
	m->mail->began = m->env->mono_ms();
	message_summary_forget(m, Q_SENDER);
}

void
message_summary_asked(struct message *m)
{
	if (m->env->opts->log_summary)
		m->asked_at = m->env->mono_ms();
}

void
message_summary_answered(struct message *m, enum question q)
{
	if (!m->env->opts->log_summary)
		return;
	m->was_asked[q] = true;
	m->took[q] += m->env->mono_ms() - m->asked_at;
}

void
message_summary_rcpt(struct message *m, struct mlt_bytes rcpt)
{
	struct mail *mail = m->mail;

	if (!m->env->opts->log_summary)
		return;
	mail->shown_before = buf_len(&mail->shown);
	if (mail->n_rcpt >= SHOWN_RCPTS)
		return;
	buf_add(&mail->shown, rcpt.p,
	    rcpt.n < SHOWN_OCTETS ? rcpt.n : SHOWN_OCTETS);
	buf_addc(&mail->shown, '\0');
}

void
message_summary_rcpt_end(struct message *m, bool kept)
{
	struct mail *mail = m->mail;

	if (!m->env->opts->log_summary)
		return;
	if (kept) {
		mail->n_rcpt++;
	} else {
		mail->n_refused++;
		if (!mail->shown.failed)
			buf_cut(&mail->shown, mail->shown_before);
	}
}

const char *
message_verdict_name(const struct mlt_reply *r)
{
	switch (r->type) {
	case MLT_REPLY_CONTINUE:
	case MLT_REPLY_ACCEPT:
	case MLT_REPLY_SKIP:
		return "accept";
	case MLT_REPLY_REJECT:
		return "reject";
	case MLT_REPLY_DISCARD:
		return "discard";
	case MLT_REPLY_CODE:
		return *r->code == '5' ? "reject" : "tempfail";
	case MLT_REPLY_TEMPFAIL:
		break;
	}
	return "tempfail";
}

static void
text(struct logline *l, const char *key, const char *s)
{
	logline_text(l, key, s, strlen(s), LOGLINE_MAX);
}

static void
recipients(struct logline *l, const struct buf *shown)
{
	const char *p = buf_data(shown), *end = p + buf_len(shown);

	logline_list(l, "rcpt");
	for (; !shown->failed && p < end; p += strlen(p) + 1)
		logline_item(l, p, strlen(p), SHOWN_OCTETS);
}

void
message_summary_log(struct message *m, const char *verdict)
{
	static const char *const keys[Q_N] = { [Q_FREE] = "ms_free",
		[Q_RELAY] = "ms_relay",
		[Q_HELO] = "ms_helo",
		[Q_SENDER] = "ms_sender",
		[Q_RCPT] = "ms_rcpt",
		[Q_SCAN] = "ms_scan" };
	const struct mail *mail = m->mail;
	struct logline l;

	if (!m->env->opts->log_summary ||
	    !log_event_begin(&l, LOG_L_INFO, message_log_id(m), "message"))
		return;
	text(&l, "qid", message_log_id(m));
	text(&l, "id", mail->ident);
	text(&l, "verdict", verdict);
	text(&l, "at", mlt_event_name(m->step));
	logline_number(&l, "size", mail_size(mail));
	logline_number(&l, "rcpts", mail->n_rcpt);
	if (mail->n_refused)
		logline_number(&l, "refused", mail->n_refused);
	if (mail->went_early)
		text(&l, "disk", "early");
	logline_number(&l, "ms", m->env->mono_ms() - mail->began);
	for (enum question q = Q_FREE; q < Q_N; q++)
		if (m->was_asked[q])
			logline_number(&l, keys[q], m->took[q]);
	message_summary_forget(m, Q_FREE);
	text(&l, "client", m->client.ip);
	logline_text(&l, "from", buf_data(&mail->sender),
	    buf_len(&mail->sender), SHOWN_OCTETS);
	recipients(&l, &mail->shown);
	log_event_end(&l, LOG_L_INFO);
}
