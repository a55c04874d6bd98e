/* SPDX-License-Identifier: MIT */
/*
 * play: what the files of a played session share.
 */
#ifndef MILTERPROTO_PLAY_INTERNAL_H
#define MILTERPROTO_PLAY_INTERNAL_H

#include "state.h"

#include <milterproto_play.h>
#include <string.h>

#pragma GCC visibility push(hidden)

enum play_step {
	STEP_OPTNEG,
	STEP_CONNECT,
	STEP_HELO,
	STEP_UNKNOWN,
	STEP_MAIL, /* a message begins */
	STEP_RCPT,
	STEP_DATA,
	STEP_HEADER,
	STEP_EOH,
	STEP_BODY,
	STEP_EOM,
	STEP_MESSAGE, /* the event; what follows is what the end brings about */
	STEP_ABORT,
	STEP_HELO_AGAIN,
	STEP_ABORT_LATE,
	STEP_LAST_ABORT, /* the client is going */
	STEP_QUIT,
	STEP_DONE, /* the event */
	STEP_OVER
};

/* How much of the body, as it goes on the wire, was sent. */
struct play_cursor {
	size_t off;   /* octets of the script's body */
	uint8_t tail; /* octets of the CRLF behind it */
	bool cr_sent; /* that of the LF at off */
};

struct mlt_play {
	/* of the session */
	struct mlt_mta *m;
	const struct mlt_profile *pf;
	const struct mlt_play_script *s;
	const char *macros[MLT_STAGE_N]; /* NULL = none */
	struct mlt_buf *scratch; /* one value, converted; never counted */
	struct mlt_buf *answer;  /* the filter's text */
	struct mlt_bytes told;   /* that, or the profile's text */
	struct mlt_action heard; /* not yet reported if .reply */
	enum mlt_verdict client; /* for all that is still to come */
	bool greeted;            /* HELO said */
	bool gone;               /* the client: no more messages */
	bool eof;
	/* of the step */
	enum play_step at;
	size_t i; /* which recipient, header, ... */
	bool macros_sent;
	uint8_t skipped; /* command octet last reported as such */
	/* of the message */
	size_t msg;
	size_t accepted; /* recipients */
	enum mlt_verdict verdict;
	uint32_t end; /* enum mlt_play_end, 0 = it did not begin */
	bool mail_answered;
	struct play_cursor body;
};

static inline bool
play_has(const struct mlt_play *p, enum mlt_habit h)
{
	return p->pf->habits & h;
}

static inline const struct mlt_play_message *
play_message(const struct mlt_play *p)
{
	return &p->s->messages[p->msg];
}

static inline struct mlt_bytes
play_text(const char *s)
{
	return (struct mlt_bytes){ s, s ? strlen(s) : 0 };
}

static inline bool
play_refuses(enum mlt_verdict v)
{
	return v == MLT_VERDICT_REJECT || v == MLT_VERDICT_TEMPFAIL;
}

/* play.c: the next step is this one; the message is over; another one begins,
 * or what comes instead. */
void mlt_play_go(struct mlt_play *p, enum play_step at);
void mlt_play_decide(
    struct mlt_play *p, enum mlt_verdict v, enum mlt_play_end end);
void mlt_play_next_message(struct mlt_play *p);

/* play_verdict.c: NONE means go on; p->told is what a refused client hears: 0
 * or NOMEM; what the final reply to this command leads to. */
enum mlt_verdict mlt_play_verdict_of(const struct mlt_action *a);
int mlt_play_tell(
    struct mlt_play *p, const struct mlt_action *a, enum mlt_verdict v);
void mlt_play_judge(
    struct mlt_play *p, const struct mlt_action *a, enum mlt_verdict v);

/* play_say.c: each as mlt_mta_*: 0 not wanted, 1 an answer will come, 2 said, NOMEM, ARG;
 * nothing has happened on failure. */
int mlt_play_say_connect(struct mlt_play *p);
int mlt_play_say_helo(struct mlt_play *p);
int mlt_play_say_unknown(struct mlt_play *p);
int mlt_play_say_mail(struct mlt_play *p);
int mlt_play_say_rcpt(struct mlt_play *p);
int mlt_play_say_header(struct mlt_play *p);
int mlt_play_say_body(struct mlt_play *p); /* next chunk; moves p->body */
bool mlt_play_body_left(const struct mlt_play *p);
/* play_macros.c: the MACRO packet that precedes command cm now, if any.  0 NOMEM ARG. */
int mlt_play_say_macros(struct mlt_play *p, enum mlt_cm cm);

#pragma GCC visibility pop
#endif
