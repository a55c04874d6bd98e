/* SPDX-License-Identifier: MIT */
/*
 * message_parts: what the files of message share.  Nobody else includes this.
 *
 * message.c           ends and inputs
 * message_ask.c       questions, and answers to checks
 * message_connect.c   connect, HELO
 * message_envelope.c  MAIL, RCPT
 * message_content.c   header, body, end of message
 * message_summary.c   the line that is logged of each message
 */
#ifndef CORE_FRONTEND_MESSAGE_PARTS_H
#define CORE_FRONTEND_MESSAGE_PARTS_H

#include "core/base/muxproto.h"
#include "core/frontend/client.h"
#include "core/frontend/held.h"
#include "core/frontend/message.h"
#include "core/frontend/request.h"

#define MESSAGE_PROGRESS_MS 5000 /* below an MTA's 10 s; spec:timing */

enum question {
	Q_NONE,
	Q_FREE,
	Q_RELAY,
	Q_HELO,
	Q_SENDER,
	Q_RCPT,
	Q_SCAN,
	Q_N
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
	/* what the line of the next message says of its questions */
	msec asked_at, took[Q_N];
	bool was_asked[Q_N];
	struct client client;
	/* "" = not known.  A longer one is cut, and then unfit for a name. */
	char queue_id[SPOOL_QUEUE_ID_MAX + 2];
};

const char *message_log_id(const struct message *m);
struct mlt_bytes message_macro(const struct message *m, const char *name);
void message_update_queue_id(struct message *m);

/* ---- ends: each is the last thing that a function does ------------------------ */

void message_conclude(struct message *m, const struct mlt_reply *r);
void message_conclude_plain(struct message *m, enum mlt_reply_type type);
/* The safe default, for everything that goes wrong: the message is given up and
 * the MTA told to try later, now or at the next step that is answered
 * (choice:deferred-failure).  Why was logged by the caller. */
void message_fail(struct message *m);
void message_no_memory(struct message *m); /* logs, and fails */
/* The message is given up, with a reply of our own. */
void message_refuse(
    struct message *m, const char *code, const char *dsn, const char *text);
/* The mail ends, if there is one: its line is logged with this verdict, it and
 * its directory go. */
void message_drop(struct message *m, const char *verdict);

/* ---- questions ------------------------------------------------------------------ */

/* Sends env->request; fits is what request_*() said of it. */
void message_ask(struct message *m, enum question q, int fits);
struct request_about message_about(const struct message *m);
/* A question ends without its worker's answer: that one may go on with it. */
void message_leave_worker(struct message *m);
/* Logs the answer as an error; what was asked for fails. */
void message_answer_is_error(
    struct message *m, enum question q, const char *answer);
/* A check's verdict is carried out at the step that it was asked for. */
void message_give_verdict(
    struct message *m, enum mux_verdict v, const struct mlt_reply *r);

/* ---- steps, and answers to their questions ----------------------------------------- */

void message_on_connect(struct message *m, const struct mlt_event *ev);
void message_free_answered(struct message *m, const char *answer, size_t n);
void message_on_helo(struct message *m, const struct mlt_event *ev);

void message_on_mail(struct message *m, const struct mlt_event *ev);
/* There is a mail at these. */
void message_on_rcpt(struct message *m, const struct mlt_event *ev);
void message_write_queue_id(struct message *m);
/* What outgrew memory goes to disk; -1: it cannot, and that was logged. */
__attribute__((warn_unused_result)) int message_keep_small(struct message *m);
void message_on_content(struct message *m, const struct mlt_event *ev);
void message_on_eom(struct message *m);
void message_scan_answered(struct message *m, const char *answer, size_t n);

/* ---- summary: nothing happens unless it is wanted ------------------------------------ */

/* The times of this question and those that come after it. */
void message_summary_forget(struct message *m, enum question first);
void message_summary_begin(struct message *m);
void message_summary_asked(struct message *m);
void message_summary_answered(struct message *m, enum question q);
/* A recipient is offered; later: the MTA keeps it or not. */
void message_summary_rcpt(struct message *m, struct mlt_bytes rcpt);
void message_summary_rcpt_end(struct message *m, bool kept);
void message_summary_log(struct message *m, const char *verdict);
/* accept, reject, tempfail or discard */
const char *message_verdict_name(const struct mlt_reply *r);

#endif
