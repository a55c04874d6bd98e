/* SPDX-License-Identifier: MIT */
/*
 * message_ask: questions to the multiplexor, and what the answers to checks
 * (spec:reply-mapping) make of a step.
 */
#include "core/frontend/message_parts.h"

#include "core/base/log.h"
#include "core/frontend/reply.h"

#include <assert.h>
#include <string.h>

static ask_done_fn answered;

void
message_ask(struct message *m, enum question q, int fits)
{
	struct message_env *env = m->env;

	if (fits < 0) {
		log_msg(LOG_L_ERR, message_log_id(m),
		    "Request for the multiplexor is too long (%zu octets)",
		    buf_len(&env->request));
		message_fail(m);
		return;
	}
	if (fits > 0)
		log_msg(LOG_L_WARN, message_log_id(m),
		    "Request for the multiplexor is too long: %d ESMTP "
		    "parameters left out",
		    fits);
	m->ticket = env->asker->ask(env->asker->self, buf_data(&env->request),
	    buf_len(&env->request), answered, m);
	if (!m->ticket) {
		message_no_memory(m);
		return;
	}
	m->question = q;
	message_summary_asked(m);
}

struct request_about
message_about(const struct message *m)
{
	struct message_env *env = m->env;
	const char *dir = NULL;

	if (m->mail) {
		buf_reset(&env->path);
		buf_addf(
		    &env->path, "%s/%s", env->spool.path, m->mail->dir.name);
		dir = buf_cstr(&env->path);
	}
	return (struct request_about){ &m->client, m->queue_id, dir,
		limits_of(env->opts->limits.request_bytes, MUX_REQUEST_MAX) };
}

/* There is no answer, or one that is an error; logged.  At RCPT only this
 * recipient is refused: nothing is accepted unscanned by that. */
static void
question_failed(struct message *m, enum question q)
{
	message_leave_worker(m);
	if (q == Q_FREE)
		log_msg(LOG_L_WARN, NULL,
		    "mfconnect: Error communicating with multiplexor");
	else if (q == Q_SCAN && m->mail->fate == SPOOL_DONE)
		m->mail->fate = SPOOL_FAILED;
	if (q != Q_RCPT) {
		message_fail(m);
		return;
	}
	message_summary_rcpt_end(m, false);
	message_conclude_plain(m, MLT_REPLY_TEMPFAIL);
}

void
message_answer_is_error(struct message *m, enum question q, const char *answer)
{
	log_msg(LOG_L_ERR, q < Q_SENDER ? "NOQUEUE" : message_log_id(m),
	    "Error from multiplexor: %.*s", (int)strcspn(answer, "\r\n"),
	    answer);
	question_failed(m, q);
}

/* ---- answers ---------------------------------------------------------------- */

void
message_give_verdict(
    struct message *m, enum mux_verdict v, const struct mlt_reply *r)
{
	bool early = m->step == MLT_EV_CONNECT || m->step == MLT_EV_HELO;
	struct mlt_reply other = *r;

	if (m->step == MLT_EV_RCPT) {
		if (v == MUX_CONTINUE)
			buf_add(&m->mail->file[MAIL_COMMANDS],
			    buf_data(&m->mail->lines),
			    buf_len(&m->mail->lines));
		message_summary_rcpt_end(m, v == MUX_CONTINUE);
	}
	if (v == MUX_ACCEPT || v == MUX_DISCARD ||
	    (m->step == MLT_EV_MAIL && v != MUX_CONTINUE))
		message_drop(m, message_verdict_name(r));
	if (early && v == MUX_ACCEPT) {
		log_msg(LOG_L_INFO, message_log_id(m),
		    "Nothing from %s is filtered: the filter said so at %s",
		    m->client.ip, mlt_event_name(m->step));
	} else if (early && v == MUX_DISCARD) {
		/* There is nothing to discard yet, and some MTAs would take
		 * it for no more filtering.  choice:early-discard */
		log_msg(LOG_L_WARN, message_log_id(m),
		    "Discard is not possible at %s: going on",
		    mlt_event_name(m->step));
		other.type = MLT_REPLY_CONTINUE;
	}
	message_conclude(m, &other);
}

static void
hold(struct message *m, enum mux_verdict v, const struct mlt_reply *r,
    long delay_s)
{
	/* choice:delay-cap */
	long max =
	    (long)limits_of(m->env->opts->limits.delay_s, LIMITS_DELAY_S);

	m->held = held_new(v, r);
	if (!m->held) {
		message_no_memory(m);
		return;
	}
	if (delay_s > max) {
		log_msg(LOG_L_INFO, message_log_id(m),
		    "The filter's delay of %ld s is cut to %ld s", delay_s,
		    max);
		delay_s = max;
	}
	if (m->ops->wake(m->arg, (msec)delay_s * 1000) < 0)
		message_tick(m);
}

static void
check_answered(struct message *m, enum question q, char *answer, size_t n)
{
	struct mux_answer a;
	struct mlt_reply r;

	if (mux_parse_answer(answer, n, &a) < 0) {
		message_answer_is_error(m, q, answer);
		return;
	}
	if (q == Q_RELAY) /* no text is possible there, and no delay */
		a.has_fields = false;
	if (reply_answer(&r, &a, &m->env->room.text) < 0)
		message_no_memory(m);
	else if (a.has_fields && a.delay_s > 0)
		hold(m, a.verdict, &r, a.delay_s);
	else
		message_give_verdict(m, a.verdict, &r);
}

static void
answered(void *arg, char *answer, size_t n, const char *error)
{
	struct message *m = arg;
	enum question q = m->question;

	m->question = Q_NONE;
	message_summary_answered(m, q);
	if (q == Q_SCAN)
		m->ops->wake(m->arg, MSEC_NEVER);
	if (!answer) {
		/* the early ones carry no queue id; spec:log-lines */
		log_msg(LOG_L_ERR, q < Q_SENDER ? "NOQUEUE" : message_log_id(m),
		    "MXCommand: %s", error);
		question_failed(m, q);
		return;
	}
	switch (q) {
	case Q_FREE:
		message_free_answered(m, answer, n);
		break;
	case Q_SCAN:
		message_scan_answered(m, answer, n);
		break;
	case Q_RELAY:
	case Q_HELO:
	case Q_SENDER:
	case Q_RCPT:
		check_answered(m, q, answer, n);
		break;
	case Q_NONE:
	case Q_N:
		assert(false);
	}
}
