/* SPDX-License-Identifier: MIT */
/*
 * message: what is decided about the messages of one SMTP session
 * (spec:stages): events of its milter session in, questions to a multiplexor
 * and one reply to each event that waits for one out.
 *
 * No loop and no clock in here: the caller delivers events, answers and the
 * passing of time.  Whatever goes wrong ends in message_fail: tempfail.
 */
#ifndef CORE_FRONTEND_MESSAGE_H
#define CORE_FRONTEND_MESSAGE_H

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/frontend/ask.h"
#include "core/frontend/frontend_ev.h"
#include "core/frontend/mail.h"
#include "core/frontend/outcome.h"
#include "core/frontend/spool.h"

#include <milterproto.h>
#include <stdint.h>

/* What all sessions of a front-end share.  The caller fills the first part;
 * zero the rest. */
struct message_env {
	const struct frontend_opts *opts;
	const struct asker *asker;
	struct spool spool;
	msec (*mono_ms)(void);
	int64_t (*wall_s)(void);

	unsigned counter; /* of MAIL commands */
	struct mail_pool mails;
	/* scratch of one call */
	struct outcome_room room;
	struct buf request, path;
};
void message_env_fini(struct message_env *env); /* not what the caller filled */

/* How a session reaches the loop.  reply and flush may call message_free, and
 * reply may deliver the next event, so they are the last thing done here. */
struct message_ops {
	void (*reply)(void *arg, const struct mlt_reply *r);
	void (*flush)(void *arg); /* what is on the session leaves now */
	/* message_tick in this many ms instead of what was asked before;
	 * MSEC_NEVER: not at all.  0, or -1: no memory, there will be none. */
	int (*wake)(void *arg, msec in_ms);
};

struct message;

/* session, env and ops are borrowed until message_free.  NULL: no memory. */
struct message *message_new(struct message_env *env, struct mlt_filter *session,
    const struct message_ops *ops, void *arg);
void message_free(struct message *m); /* removes what is open; NULL is fine */
/* Events of `session`, in order; each that needs a reply gets one, now or
 * later. */
void message_event(struct message *m, const struct mlt_event *ev);
void message_tick(struct message *m);
/* Answers what is open with tempfail: there is no more time. */
void message_give_up(struct message *m);
bool message_is_open(const struct message *m); /* between MAIL and its end */

#endif
