/* SPDX-License-Identifier: MIT */
/* message_content: header, body, the end of a message and its scan. */
#include "core/frontend/message_parts.h"

#include "core/base/log.h"

#include <string.h>

/* true: there was more than may be; the message is refused for good, for it
 * will not be smaller at the next try (choice:too-large). */
static bool
is_too_large(struct message *m)
{
	const struct limits *l = &m->env->opts->limits;
	const struct mail *mail = m->mail;
	const char *what = NULL;
	long max = 0;

	if (l->headers > 0 && mail->n_header > (size_t)l->headers) {
		max = l->headers;
		what = "fields of its header";
	} else if (l->header_bytes > 0 &&
		   mail->header_bytes > (size_t)l->header_bytes) {
		max = l->header_bytes;
		what = "octets of its header";
	} else if (l->message_bytes > 0 &&
		   mail_size(mail) > (uint64_t)l->message_bytes) {
		max = l->message_bytes;
		what = "octets";
	}
	if (!what)
		return false;
	log_msg(LOG_L_WARN, message_log_id(m),
	    "Message refused: it has more than %ld %s", max, what);
	message_refuse(m, "552", "5.3.4", "Message is too large");
	return true;
}

int
message_keep_small(struct message *m)
{
	long limit = m->env->opts->limits.memory_bytes;

	return mail_keep_small(m->mail, &m->env->spool,
	    limits_of(limit, LIMITS_MEMORY), message_log_id(m));
}

void
message_on_content(struct message *m, const struct mlt_event *ev)
{
	if (ev->type == MLT_EV_HEADER) {
		mail_header(m->mail, ev->header.name, ev->header.value,
		    m->mail->validation);
	} else {
		message_update_queue_id(m);
		if (ev->type == MLT_EV_EOH)
			mail_eoh(m->mail);
		else
			mail_body(m->mail, ev->text);
	}
	if (is_too_large(m))
		return;
	if (message_keep_small(m) < 0)
		message_fail(m);
	else
		message_conclude_plain(m, MLT_REPLY_CONTINUE);
}

void
message_on_eom(struct message *m)
{
	message_update_queue_id(m);
	message_write_queue_id(m);
	m->scan_began = m->env->opts->log_time ? m->env->mono_ms() : 0;
	if (mail_seal(m->mail, &m->env->spool, message_log_id(m)) < 0) {
		message_fail(m);
		return;
	}
	struct request_about a = message_about(m);
	/* Without a timer the MTA just hears nothing meanwhile. */
	(void)m->ops->wake(m->arg, MESSAGE_PROGRESS_MS);
	message_ask(m, Q_SCAN, request_scan(&m->env->request, &a));
}

static int
obey_results(struct message *m, struct mlt_reply *r)
{
	const struct frontend_opts *o = m->env->opts;
	const struct apply_to to = { .session = m->session,
		.mail = m->mail,
		.spool_path = m->env->spool.path,
		.ctx = message_log_id(m),
		.scanned_by = o->scanned_by ? o->scanned_by : "",
		.my_ip = m->client.my_ip,
		.validation = m->mail->validation,
		.limits = &o->limits };

	return outcome_obey(&to, &m->env->room, r);
}

void
message_scan_answered(struct message *m, const char *answer, size_t n)
{
	struct mlt_reply r;

	if (n != 3 || memcmp(answer, "ok\n", 3) != 0) {
		if (strcmp(answer, MUX_NO_RESPONSE) == 0)
			m->mail->fate = SPOOL_KILLER;
		message_answer_is_error(m, Q_SCAN, answer);
		return;
	}
	if (obey_results(m, &r) < 0)
		m->mail->fate = SPOOL_FAILED;
	if (m->env->opts->log_time)
		log_msg(LOG_L_INFO, message_log_id(m), "Filter time is %llums",
		    (unsigned long long)(m->env->mono_ms() - m->scan_began));
	if (m->mail->fate != SPOOL_DONE) {
		message_fail(m);
		return;
	}
	message_drop(m, message_verdict_name(&r));
	message_conclude(m, &r);
}
