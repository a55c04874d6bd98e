/* SPDX-License-Identifier: MIT */
/*
 * message: the core of one SMTP session's logic: its ends, and its inputs.
 *
 * An event either ends in message_conclude(), which replies, or in
 * message_ask(), whose answer does so later; both are the last thing that a
 * function does, for the reply may bring the next event or the end of the
 * session.  Without m->mail there is no message that could be accepted: every
 * step of one is then tempfailed.
 */
#include "core/frontend/message_parts.h"

#include "core/base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *
message_log_id(const struct message *m)
{
	return *m->queue_id ? m->queue_id : "NOQUEUE";
}

struct mlt_bytes
message_macro(const struct message *m, const char *name)
{
	return mlt_filter_macro(m->session, name);
}

void
message_update_queue_id(struct message *m)
{
	struct mlt_bytes id = message_macro(m, "i");
	size_t n = id.n;

	if (n == 0)
		return;
	if (n > sizeof(m->queue_id) - 1)
		n = sizeof(m->queue_id) - 1;
	if (strlen(m->queue_id) == n && memcmp(m->queue_id, id.p, n) == 0)
		return;
	memcpy(m->queue_id, id.p, n);
	m->queue_id[n] = '\0';
	if (m->mail)
		m->mail->queue_id_written = false;
}

/* ---- ends ----------------------------------------------------------------- */

void
message_drop(struct message *m, const char *verdict)
{
	if (!m->mail)
		return;
	message_summary_log(m, verdict);
	spool_discard(
	    &m->env->spool, &m->mail->dir, m->mail->fate, message_log_id(m));
	mail_free(&m->env->mails, m->mail);
	m->mail = NULL;
}

void
message_leave_worker(struct message *m)
{
	if (m->mail)
		m->mail->dir.unsure = true;
}

/* Nothing that was begun for the last event goes on. */
static void
stop_waiting(struct message *m)
{
	if (m->question != Q_NONE) {
		m->env->asker->cancel(m->env->asker->self, m->ticket);
		message_leave_worker(m);
	}
	if (m->held || m->question == Q_SCAN)
		m->ops->wake(m->arg, MSEC_NEVER);
	m->question = Q_NONE;
	free(m->held);
	m->held = NULL;
}

void
message_conclude(struct message *m, const struct mlt_reply *r)
{
	/* If nobody waits, the session keeps a verdict for the next step
	 * that is answered; to continue is no verdict. */
	bool said = m->awaited || r->type != MLT_REPLY_CONTINUE;

	m->awaited = false;
	if (said)
		m->ops->reply(m->arg, r);
}

void
message_conclude_plain(struct message *m, enum mlt_reply_type type)
{
	message_conclude(m, &(struct mlt_reply){ .type = type });
}

/* The safe default, for everything that goes wrong: the message is given up and
 * the MTA told to try later, now or at the next step that is answered
 * (choice:deferred-failure).  Why was logged by the caller. */
void
message_fail(struct message *m)
{
	message_drop(m, "failed");
	message_conclude_plain(m, MLT_REPLY_TEMPFAIL);
}

void
message_refuse(
    struct message *m, const char *code, const char *dsn, const char *text)
{
	struct mlt_reply r = { .type = MLT_REPLY_CODE,
		.code = code,
		.dsn = dsn,
		.text = { text, strlen(text) } };

	message_drop(m, message_verdict_name(&r));
	message_conclude(m, &r);
}

void
message_no_memory(struct message *m)
{
	log_msg(LOG_L_ERR, message_log_id(m), "Out of memory");
	message_fail(m);
}

/* ---- inputs ---------------------------------------------------------------- */

void
message_tick(struct message *m)
{
	struct held *h = m->held;

	if (h) {
		m->held = NULL;
		message_give_verdict(m, h->verdict, &h->reply);
		free(h);
	} else if (m->question == Q_SCAN) {
		(void)m->ops->wake(m->arg, MESSAGE_PROGRESS_MS);
		if (mlt_filter_progress(m->session) == 0)
			m->ops->flush(m->arg);
	}
}

static void
on_message_step(struct message *m, const struct mlt_event *ev)
{
	if (!m->mail) /* given up before */
		message_fail(m);
	else if (ev->type == MLT_EV_RCPT)
		message_on_rcpt(m, ev);
	else if (ev->type == MLT_EV_EOM)
		message_on_eom(m);
	else if (ev->type == MLT_EV_DATA)
		message_conclude_plain(m, MLT_REPLY_CONTINUE);
	else
		message_on_content(m, ev);
}

void
message_event(struct message *m, const struct mlt_event *ev)
{
	stop_waiting(m); /* an MTA that goes on waits no longer */
	m->step = ev->type;
	m->awaited = ev->need_reply;
	switch (ev->type) {
	case MLT_EV_NEGOTIATE:
		if (m->env->opts->set_symlist &&
		    !(ev->negotiate.actions & MLT_ACT_SETSYMLIST))
			log_msg(LOG_L_INFO, NULL, "smfi_setsymlist() failed");
		break;
	case MLT_EV_CONNECT:
		message_on_connect(m, ev);
		break;
	case MLT_EV_HELO:
		message_on_helo(m, ev);
		break;
	case MLT_EV_MAIL:
		message_on_mail(m, ev);
		break;
	case MLT_EV_RCPT:
	case MLT_EV_DATA:
	case MLT_EV_HEADER:
	case MLT_EV_EOH:
	case MLT_EV_BODY:
	case MLT_EV_EOM:
		on_message_step(m, ev);
		break;
	case MLT_EV_ABORT:
	case MLT_EV_QUIT:
		message_drop(m, "aborted");
		break;
	case MLT_EV_UNKNOWN:
		message_conclude_plain(m, MLT_REPLY_CONTINUE);
		break;
	case MLT_EV_N:
		assert(false);
	}
}

void
message_give_up(struct message *m)
{
	stop_waiting(m);
	if (m->awaited)
		message_fail(m);
}

bool
message_is_open(const struct message *m)
{
	return m->mail != NULL;
}

struct message *
message_new(struct message_env *env, struct mlt_filter *session,
    const struct message_ops *ops, void *arg)
{
	struct message *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->env = env;
	m->session = session;
	m->ops = ops;
	m->arg = arg;
	return m;
}

void
message_free(struct message *m)
{
	if (!m)
		return;
	stop_waiting(m);
	message_drop(m, "aborted");
	client_fini(&m->client);
	free(m);
}

void
message_env_fini(struct message_env *env)
{
	mail_pool_fini(&env->mails);
	outcome_room_fini(&env->room);
	buf_fini(&env->request);
	buf_fini(&env->path);
}
