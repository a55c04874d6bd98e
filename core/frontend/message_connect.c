/* SPDX-License-Identifier: MIT */
/* message_connect: the steps of a connection: connect and HELO. */
#include "core/frontend/message_parts.h"

#include "core/base/log.h"

static void
check_relay(struct message *m)
{
	struct request_about a = message_about(m);

	if (m->env->opts->check_relay)
		message_ask(m, Q_RELAY, request_relayok(&m->env->request, &a));
	else
		message_conclude_plain(m, MLT_REPLY_CONTINUE);
}

void
message_free_answered(struct message *m, const char *answer, size_t n)
{
	const struct frontend_opts *o = m->env->opts;
	long found = mux_parse_free(answer, n);
	long reserved = o->reserve > 0 ? o->reserve : 0;

	if (found < 0) {
		message_answer_is_error(m, Q_FREE, answer);
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

void
message_on_connect(struct message *m, const struct mlt_event *ev)
{
	const struct frontend_opts *o = m->env->opts;

	client_fini(&m->client);
	m->queue_id[0] = '\0';
	message_summary_forget(m, Q_FREE);
	if (client_connect(&m->client, ev, o->loopback) < 0) {
		message_no_memory(m);
		return;
	}
	client_set_my_ip(&m->client, message_macro(m, "{if_addr}"), o->my_ip);
	client_set_daemon_port(&m->client, message_macro(m, "{daemon_port}"));
	message_update_queue_id(m);
	if (o->queue_connections) {
		check_relay(m);
		return;
	}
	buf_reset(&m->env->request);
	message_ask(m, Q_FREE, mux_word(&m->env->request, "free"));
}

void
message_on_helo(struct message *m, const struct mlt_event *ev)
{
	if (client_helo(&m->client, ev->text) < 0) {
		message_no_memory(m);
		return;
	}
	message_update_queue_id(m);
	if (m->env->opts->check_helo) {
		struct request_about a = message_about(m);
		message_ask(m, Q_HELO, request_helook(&m->env->request, &a));
	} else {
		message_conclude_plain(m, MLT_REPLY_CONTINUE);
	}
}
