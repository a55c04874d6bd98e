/* SPDX-License-Identifier: MIT */
/*
 * message: what is decided about the messages of one SMTP session.
 *
 * An event either ends in conclude(), which replies, or in ask(), whose answer
 * does so later; both are the last thing that a function does, for the reply
 * may bring the next event or the end of the session.  Without m->mail there is
 * no message that could be accepted: every step of one is then tempfailed.
 */
#include "message.h"

#include "core/base/log.h"
#include "core/base/muxproto.h"
#include "core/frontend/client.h"
#include "core/frontend/commands.h"
#include "core/frontend/held.h"
#include "core/frontend/negotiate.h"
#include "core/frontend/reply.h"
#include "core/frontend/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DELAY_MAX_S  300  /* choice:delay-cap */
#define PROGRESS_MS  5000 /* below an MTA's 10 s; spec:timing */
#define MEMORY_BYTES (64 << 10)

enum question {
	Q_NONE,
	Q_FREE,
	Q_RELAY,
	Q_HELO,
	Q_SENDER,
	Q_RCPT,
	Q_SCAN
};

struct message {
	struct message_env *env;
	struct mlt_filter *session;
	const struct message_ops *ops;
	void *arg;
	enum mlt_event_type step; /* of the last event */
	bool awaited;             /* it needs a reply and has none yet */
	enum question question;   /* open, with this ticket */
	uint64_t ticket;
	struct held *held; /* NULL: no reply waits for its delay */
	struct mail *mail; /* NULL: no message, or one that is given up */
	msec scan_began;
	struct client client;
	/* "" = not known.  A longer one is cut, and then unfit for a name. */
	char queue_id[SPOOL_QUEUE_ID_MAX + 2];
};

static struct mlt_bytes
content(const struct buf *b)
{
	return (struct mlt_bytes){ buf_data(b), buf_len(b) };
}

static const char *
log_id(const struct message *m)
{
	return *m->queue_id ? m->queue_id : "NOQUEUE";
}

static struct mlt_bytes
macro(const struct message *m, const char *name)
{
	return mlt_filter_macro(m->session, name);
}

/* ---- ends ----------------------------------------------------------------- */

static void
drop_mail(struct message *m)
{
	if (!m->mail)
		return;
	spool_discard(&m->env->spool, &m->mail->dir, m->mail->fate, log_id(m));
	mail_free(&m->env->mails, m->mail);
	m->mail = NULL;
}

/* Nothing that was begun for the last event goes on. */
static void
stop_waiting(struct message *m)
{
	if (m->question != Q_NONE)
		m->env->asker->cancel(m->env->asker->self, m->ticket);
	if (m->held || m->question == Q_SCAN)
		m->ops->wake(m->arg, MSEC_NEVER);
	m->question = Q_NONE;
	free(m->held);
	m->held = NULL;
}

static void
conclude(struct message *m, const struct mlt_reply *r)
{
	/* If nobody waits, the session keeps a verdict for the next step
	 * that is answered; to continue is no verdict. */
	bool said = m->awaited || r->type != MLT_REPLY_CONTINUE;

	m->awaited = false;
	if (said)
		m->ops->reply(m->arg, r);
}

static void
conclude_plain(struct message *m, enum mlt_reply_type type)
{
	conclude(m, &(struct mlt_reply){ .type = type });
}

/* The safe default, for everything that goes wrong: the message is given up and
 * the MTA told to try later, now or at the next step that is answered
 * (choice:deferred-failure).  Why was logged by the caller. */
static void
message_fail(struct message *m)
{
	drop_mail(m);
	conclude_plain(m, MLT_REPLY_TEMPFAIL);
}

static void
out_of_memory(struct message *m)
{
	log_msg(LOG_L_ERR, log_id(m), "Out of memory");
	message_fail(m);
}

/* ---- questions -------------------------------------------------------------- */

static ask_done_fn answered;

static void
ask(struct message *m, enum question q, int fits)
{
	struct message_env *env = m->env;

	if (fits < 0) {
		log_msg(LOG_L_ERR, log_id(m),
		    "Request for the multiplexor is too long (%zu octets)",
		    buf_len(&env->request));
		message_fail(m);
		return;
	}
	if (fits > 0)
		log_msg(LOG_L_WARN, log_id(m),
		    "Request for the multiplexor is too long: %d ESMTP "
		    "parameters left out",
		    fits);
	m->ticket = env->asker->ask(env->asker->self, buf_data(&env->request),
	    buf_len(&env->request), answered, m);
	if (!m->ticket) {
		out_of_memory(m);
		return;
	}
	m->question = q;
}

static struct request_about
about(const struct message *m)
{
	struct message_env *env = m->env;
	const char *dir = NULL;

	if (m->mail) {
		buf_reset(&env->path);
		buf_addf(
		    &env->path, "%s/%s", env->spool.path, m->mail->dir.name);
		dir = buf_cstr(&env->path);
	}
	return (struct request_about){ &m->client, m->queue_id, dir };
}

/* There is no answer, or one that is an error; logged.  At RCPT only this
 * recipient is refused: nothing is accepted unscanned by that. */
static void
question_failed(struct message *m, enum question q)
{
	if (q == Q_FREE)
		log_msg(LOG_L_WARN, NULL,
		    "mfconnect: Error communicating with multiplexor");
	else if (q == Q_SCAN && m->mail->fate == SPOOL_DONE)
		m->mail->fate = SPOOL_FAILED;
	if (q == Q_RCPT)
		conclude_plain(m, MLT_REPLY_TEMPFAIL);
	else
		message_fail(m);
}

static void
answer_is_error(struct message *m, enum question q, const char *answer)
{
	log_msg(LOG_L_ERR, q < Q_SENDER ? "NOQUEUE" : log_id(m),
	    "Error from multiplexor: %.*s", (int)strcspn(answer, "\r\n"),
	    answer);
	question_failed(m, q);
}

/* ---- answers to checks -------------------------------------------------------- */

static void
give_verdict(struct message *m, enum mux_verdict v, const struct mlt_reply *r)
{
	bool early = m->step == MLT_EV_CONNECT || m->step == MLT_EV_HELO;
	struct mlt_reply other = *r;

	if (m->step == MLT_EV_RCPT && v == MUX_CONTINUE)
		buf_add(&m->mail->file[MAIL_COMMANDS],
		    buf_data(&m->mail->lines), buf_len(&m->mail->lines));
	if (v == MUX_ACCEPT || v == MUX_DISCARD ||
	    (m->step == MLT_EV_MAIL && v != MUX_CONTINUE))
		drop_mail(m);
	if (early && v == MUX_ACCEPT) {
		log_msg(LOG_L_INFO, log_id(m),
		    "Nothing from %s is filtered: the filter said so at %s",
		    m->client.ip, mlt_event_name(m->step));
	} else if (early && v == MUX_DISCARD) {
		/* There is nothing to discard yet, and some MTAs would take
		 * it for no more filtering.  choice:early-discard */
		log_msg(LOG_L_WARN, log_id(m),
		    "Discard is not possible at %s: going on",
		    mlt_event_name(m->step));
		other.type = MLT_REPLY_CONTINUE;
	}
	conclude(m, &other);
}

static void
hold(struct message *m, enum mux_verdict v, const struct mlt_reply *r,
    long delay_s)
{
	m->held = held_new(v, r);
	if (!m->held) {
		out_of_memory(m);
		return;
	}
	if (delay_s > DELAY_MAX_S)
		delay_s = DELAY_MAX_S;
	if (m->ops->wake(m->arg, (msec)delay_s * 1000) < 0)
		message_tick(m);
}

static void
check_answered(struct message *m, enum question q, char *answer, size_t n)
{
	struct mux_answer a;
	struct mlt_reply r;

	if (mux_parse_answer(answer, n, &a) < 0) {
		answer_is_error(m, q, answer);
		return;
	}
	if (q == Q_RELAY) /* no text is possible there, and no delay */
		a.has_fields = false;
	if (reply_answer(&r, &a, &m->env->room.text) < 0)
		out_of_memory(m);
	else if (a.has_fields && a.delay_s > 0)
		hold(m, a.verdict, &r, a.delay_s);
	else
		give_verdict(m, a.verdict, &r);
}

/* ---- connect and HELO ----------------------------------------------------------- */

static void
check_relay(struct message *m)
{
	struct request_about a = about(m);

	if (m->env->opts->check_relay)
		ask(m, Q_RELAY, request_relayok(&m->env->request, &a));
	else
		conclude_plain(m, MLT_REPLY_CONTINUE);
}

static void
free_answered(struct message *m, const char *answer, size_t n)
{
	const struct frontend_opts *o = m->env->opts;
	long found = mux_parse_free(answer, n);
	long reserved = o->reserve > 0 ? o->reserve : 0;

	if (found < 0) {
		answer_is_error(m, Q_FREE, answer);
	} else if (found > reserved ||
		   (o->reserve >= 0 && client_is_local(&m->client))) {
		check_relay(m);
	} else {
		log_msg(LOG_L_WARN, NULL,
		    "mfconnect: No free workers: Need %ld, found %ld",
		    reserved + 1, found);
		message_fail(m);
	}
}

static void
update_queue_id(struct message *m)
{
	struct mlt_bytes id = macro(m, "i");
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

static void
on_connect(struct message *m, const struct mlt_event *ev)
{
	const struct frontend_opts *o = m->env->opts;

	client_fini(&m->client);
	m->queue_id[0] = '\0';
	if (client_connect(&m->client, ev, o->loopback) < 0) {
		out_of_memory(m);
		return;
	}
	client_set_my_ip(&m->client, macro(m, "{if_addr}"), o->my_ip);
	client_set_daemon_port(&m->client, macro(m, "{daemon_port}"));
	update_queue_id(m);
	if (o->queue_connections) {
		check_relay(m);
		return;
	}
	buf_reset(&m->env->request);
	ask(m, Q_FREE, mux_word(&m->env->request, "free"));
}

static void
on_helo(struct message *m, const struct mlt_event *ev)
{
	if (client_helo(&m->client, ev->text) < 0) {
		out_of_memory(m);
		return;
	}
	update_queue_id(m);
	if (m->env->opts->check_helo) {
		struct request_about a = about(m);
		ask(m, Q_HELO, request_helook(&m->env->request, &a));
	} else {
		conclude_plain(m, MLT_REPLY_CONTINUE);
	}
}

/* ---- envelope --------------------------------------------------------------------- */

static void
write_queue_id(struct message *m)
{
	if (!*m->queue_id || m->mail->queue_id_written)
		return;
	commands_line(&m->mail->file[MAIL_COMMANDS], 'Q',
	    (struct mlt_bytes){ m->queue_id, strlen(m->queue_id) });
	m->mail->queue_id_written = true;
}

/* A worker that is asked about a message reads its COMMANDS.  false: failed. */
static bool
show_commands(struct message *m)
{
	if (mail_write(m->mail, &m->env->spool, MAIL_COMMANDS, log_id(m)) == 0)
		return true;
	message_fail(m);
	return false;
}

static void
on_mail(struct message *m, const struct mlt_event *ev)
{
	struct message_env *env = m->env;

	drop_mail(m);
	m->queue_id[0] = '\0'; /* it was another message's */
	update_queue_id(m);
	m->mail = mail_new(&env->mails);
	if (!m->mail) {
		out_of_memory(m);
		return;
	}
	m->mail->body.strip_cr = env->opts->strip_cr;
	ident_make(m->mail->ident, env->wall_s(), env->counter++);
	spool_dir_name(&m->mail->dir, m->queue_id, m->mail->ident);
	commands_mail(&m->mail->file[MAIL_COMMANDS],
	    &(struct commands_about){ m->mail->ident, m->queue_id, &m->client,
		m->session, env->opts->macros },
	    ev->args.v, ev->args.n);
	m->mail->queue_id_written = *m->queue_id;
	if (env->opts->check_recipient)
		buf_add(&m->mail->sender, ev->args.v[0].p, ev->args.v[0].n);
	if (!env->opts->check_sender) {
		conclude_plain(m, MLT_REPLY_CONTINUE);
	} else if (show_commands(m)) {
		struct request_about a = about(m);
		ask(m, Q_SENDER,
		    request_senderok(
			&env->request, &a, ev->args.v, ev->args.n));
	}
}

static void
on_rcpt(struct message *m, const struct mlt_event *ev)
{
	struct mail *mail = m->mail;
	struct request_rcpt r = { .mailer = macro(m, "{rcpt_mailer}"),
		.host = macro(m, "{rcpt_host}"),
		.addr = macro(m, "{rcpt_addr}") };

	update_queue_id(m);
	write_queue_id(m);
	buf_reset(&mail->lines);
	commands_rcpt(
	    &mail->lines, ev->args.v, ev->args.n, r.mailer, r.host, r.addr);
	if (m->env->opts->check_recipient && buf_len(&mail->first_rcpt) == 0)
		buf_add(&mail->first_rcpt, ev->args.v[0].p, ev->args.v[0].n);
	if (mail->lines.failed || mail->sender.failed ||
	    mail->first_rcpt.failed) {
		out_of_memory(m);
	} else if (!m->env->opts->check_recipient) {
		give_verdict(m, MUX_CONTINUE,
		    &(struct mlt_reply){ .type = MLT_REPLY_CONTINUE });
	} else if (show_commands(m)) {
		struct request_about a = about(m);
		r.sender = content(&mail->sender);
		r.first = content(&mail->first_rcpt);
		ask(m, Q_RCPT,
		    request_recipok(
			&m->env->request, &a, &r, ev->args.v, ev->args.n));
	}
}

/* ---- content ------------------------------------------------------------------------ */

static void
on_content(struct message *m, const struct mlt_event *ev)
{
	const struct frontend_opts *o = m->env->opts;
	size_t limit = o->memory_bytes ? o->memory_bytes : MEMORY_BYTES;

	if (ev->type == MLT_EV_HEADER) {
		mail_header(m->mail, ev->header.name, ev->header.value,
		    o->validate_header);
	} else {
		update_queue_id(m);
		if (ev->type == MLT_EV_EOH)
			mail_eoh(m->mail);
		else
			mail_body(m->mail, ev->text);
	}
	if (mail_keep_small(m->mail, &m->env->spool, limit, log_id(m)) < 0)
		message_fail(m);
	else
		conclude_plain(m, MLT_REPLY_CONTINUE);
}

static void
on_eom(struct message *m)
{
	update_queue_id(m);
	write_queue_id(m);
	m->scan_began = m->env->opts->log_time ? m->env->mono_ms() : 0;
	if (mail_seal(m->mail, &m->env->spool, log_id(m)) < 0) {
		message_fail(m);
		return;
	}
	struct request_about a = about(m);
	/* Without a timer the MTA just hears nothing meanwhile. */
	(void)m->ops->wake(m->arg, PROGRESS_MS);
	ask(m, Q_SCAN, request_scan(&m->env->request, &a));
}

/* ---- results --------------------------------------------------------- */

static int
obey_results(struct message *m, struct mlt_reply *r)
{
	const struct frontend_opts *o = m->env->opts;
	const struct apply_to to = { .session = m->session,
		.mail = m->mail,
		.spool_path = m->env->spool.path,
		.ctx = log_id(m),
		.scanned_by = o->scanned_by ? o->scanned_by : "",
		.my_ip = m->client.my_ip,
		.validation = o->validate_header };

	return outcome_obey(&to, &m->env->room, r);
}

static void
scan_answered(struct message *m, const char *answer, size_t n)
{
	struct mlt_reply r;

	if (n != 3 || memcmp(answer, "ok\n", 3) != 0) {
		if (strcmp(answer, MUX_NO_RESPONSE) == 0)
			m->mail->fate = SPOOL_KILLER;
		answer_is_error(m, Q_SCAN, answer);
		return;
	}
	if (obey_results(m, &r) < 0)
		m->mail->fate = SPOOL_FAILED;
	if (m->env->opts->log_time)
		log_msg(LOG_L_INFO, log_id(m), "Filter time is %llums",
		    (unsigned long long)(m->env->mono_ms() - m->scan_began));
	if (m->mail->fate != SPOOL_DONE) {
		message_fail(m);
		return;
	}
	drop_mail(m);
	conclude(m, &r);
}

static void
answered(void *arg, char *answer, size_t n, const char *error)
{
	struct message *m = arg;
	enum question q = m->question;

	m->question = Q_NONE;
	if (q == Q_SCAN)
		m->ops->wake(m->arg, MSEC_NEVER);
	if (!answer) {
		/* the early ones carry no queue id; spec:log-lines */
		log_msg(LOG_L_ERR, q < Q_SENDER ? "NOQUEUE" : log_id(m),
		    "MXCommand: %s", error);
		question_failed(m, q);
		return;
	}
	switch (q) {
	case Q_FREE:
		free_answered(m, answer, n);
		break;
	case Q_SCAN:
		scan_answered(m, answer, n);
		break;
	case Q_RELAY:
	case Q_HELO:
	case Q_SENDER:
	case Q_RCPT:
		check_answered(m, q, answer, n);
		break;
	case Q_NONE:
		assert(false);
	}
}

/* ---- inputs ---------------------------------------------------------------------------- */

void
message_tick(struct message *m)
{
	struct held *h = m->held;

	if (h) {
		m->held = NULL;
		give_verdict(m, h->verdict, &h->reply);
		free(h);
	} else if (m->question == Q_SCAN) {
		(void)m->ops->wake(m->arg, PROGRESS_MS);
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
		on_rcpt(m, ev);
	else if (ev->type == MLT_EV_EOM)
		on_eom(m);
	else if (ev->type == MLT_EV_DATA)
		conclude_plain(m, MLT_REPLY_CONTINUE);
	else
		on_content(m, ev);
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
		on_connect(m, ev);
		break;
	case MLT_EV_HELO:
		on_helo(m, ev);
		break;
	case MLT_EV_MAIL:
		on_mail(m, ev);
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
		drop_mail(m);
		break;
	case MLT_EV_UNKNOWN:
		conclude_plain(m, MLT_REPLY_CONTINUE);
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
	drop_mail(m);
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
