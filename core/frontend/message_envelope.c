/* SPDX-License-Identifier: MIT */
/* message_envelope: the steps of an envelope: MAIL and RCPT. */
#include "core/frontend/message_parts.h"

#include "core/base/log.h"
#include "core/frontend/commands.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct mlt_bytes
content(const struct buf *b)
{
	return (struct mlt_bytes){ buf_data(b), buf_len(b) };
}

void
message_write_queue_id(struct message *m)
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
	if (mail_write(
		m->mail, &m->env->spool, MAIL_COMMANDS, message_log_id(m)) == 0)
		return true;
	message_fail(m);
	return false;
}

/* The number of SIZE=, 0 if there is none. */
static uint64_t
announced_size(const struct mlt_bytes *args, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (args[i].n > 5 && strncasecmp(args[i].p, "SIZE=", 5) == 0 &&
		    args[i].p[5] != '-')
			return strtoull(args[i].p + 5, NULL, 10);
	return 0;
}

/* Is there room for a message of that size?  If not, it is refused here,
 * before anything of it is written. */
static bool
has_room(struct message *m, uint64_t size)
{
	const struct limits *l = &m->env->opts->limits;

	if (l->message_bytes > 0 && size > (uint64_t)l->message_bytes) {
		log_msg(LOG_L_WARN, message_log_id(m),
		    "Message refused: it announces more than %ld octets",
		    l->message_bytes);
		message_refuse(m, "552", "5.3.4", "Message is too large");
		return false;
	}
	if (l->min_free_kb > 0 &&
	    !spool_has_room(&m->env->spool, (uint64_t)l->min_free_kb << 10,
		size, m->env->mono_ms(), message_log_id(m))) {
		message_refuse(
		    m, "452", "4.3.1", "Insufficient system storage");
		return false;
	}
	return true;
}

void
message_on_mail(struct message *m, const struct mlt_event *ev)
{
	struct message_env *env = m->env;

	message_drop(m, "aborted");
	m->queue_id[0] = '\0'; /* it was another message's */
	message_update_queue_id(m);
	m->mail = mail_new(&env->mails);
	if (!m->mail) {
		message_no_memory(m);
		return;
	}
	m->mail->body.strip_cr = env->opts->strip_cr;
	m->mail->validation = env->opts->validate_header;
	ident_make(m->mail->ident, env->wall_s(), env->counter++);
	spool_dir_name(&m->mail->dir, m->queue_id, m->mail->ident);
	commands_mail(&m->mail->file[MAIL_COMMANDS],
	    &(struct commands_about){ m->mail->ident, m->queue_id, &m->client,
		m->session, env->opts->macros },
	    ev->args.v, ev->args.n);
	m->mail->queue_id_written = *m->queue_id;
	if (env->opts->check_recipient || env->opts->log_summary)
		buf_add(&m->mail->sender, ev->args.v[0].p, ev->args.v[0].n);
	message_summary_begin(m);
	if (!has_room(m, announced_size(ev->args.v, ev->args.n)))
		return;
	if (!env->opts->check_sender) {
		message_conclude_plain(m, MLT_REPLY_CONTINUE);
	} else if (show_commands(m)) {
		struct request_about a = message_about(m);
		message_ask(m, Q_SENDER,
		    request_senderok(
			&env->request, &a, ev->args.v, ev->args.n));
	}
}

void
message_on_rcpt(struct message *m, const struct mlt_event *ev)
{
	struct mail *mail = m->mail;
	struct request_rcpt r = { .mailer = message_macro(m, "{rcpt_mailer}"),
		.host = message_macro(m, "{rcpt_host}"),
		.addr = message_macro(m, "{rcpt_addr}") };

	message_update_queue_id(m);
	message_write_queue_id(m);
	message_summary_rcpt(m, ev->args.v[0]);
	buf_reset(&mail->lines);
	commands_rcpt(
	    &mail->lines, ev->args.v, ev->args.n, r.mailer, r.host, r.addr);
	if (m->env->opts->check_recipient && buf_len(&mail->first_rcpt) == 0)
		buf_add(&mail->first_rcpt, ev->args.v[0].p, ev->args.v[0].n);
	if (mail->lines.failed || mail->sender.failed ||
	    mail->first_rcpt.failed) {
		message_no_memory(m);
	} else if (message_keep_small(m) < 0) { /* many recipients */
		message_fail(m);
	} else if (!m->env->opts->check_recipient) {
		message_give_verdict(m, MUX_CONTINUE,
		    &(struct mlt_reply){ .type = MLT_REPLY_CONTINUE });
	} else if (show_commands(m)) {
		struct request_about a = message_about(m);
		r.sender = content(&mail->sender);
		r.first = content(&mail->first_rcpt);
		message_ask(m, Q_RCPT,
		    request_recipok(
			&m->env->request, &a, &r, ev->args.v, ev->args.n));
	}
}
