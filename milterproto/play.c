/* SPDX-License-Identifier: MIT */
/*
 * play: an SMTP client led through a filter connection; see milterproto_play.h.
 *
 * One table of steps is walked from top to bottom: what a step says, how often,
 * and with which command.  A reply changes the walk only through mlt_play_decide() (the
 * message is over) and leave() (where the steps branch).  Every step can be
 * repeated after a failed allocation.  How commands are put is say.c's
 * business, how MTAs differ that of profile.c.
 */
#include "play.h"

#include <stdlib.h>
#include <string.h>

enum {
	OUTPUT_MAX = 128 * 1024 /* then the caller must write first */
};

static bool
can_stop(const struct mlt_play_message *m)
{
	const char *after = "";

	if (m->stop_by == MLT_END_OTHERS || m->stop_by == MLT_END_CLOSE)
		after = "MRTLNB";
	else if (m->stop_by == MLT_END_RSET || m->stop_by == MLT_END_HELO)
		after = "MRT"; /* content cannot be interrupted */
	return !m->stop_after || strchr(after, m->stop_after);
}

int
mlt_play_new(struct mlt_play **out, const struct mlt_play_opts *opts,
    const struct mlt_play_script *s)
{
	static const struct mlt_play_opts none;
	struct mlt_play *p;
	int rc;

	if (!opts)
		opts = &none;
	for (size_t i = 0; i < s->n_messages; i++) {
		if (!can_stop(&s->messages[i]))
			return MLT_E_ARG;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return MLT_E_NOMEM;
	p->pf = opts->profile ? opts->profile : mlt_profile_find("generic-v6");
	rc = mlt_mta_new(
	    &p->m, opts->offer.version ? &opts->offer : &p->pf->offer);
	if (rc < 0) {
		free(p);
		return rc;
	}
	p->s = s;
	for (size_t i = 0; i < MLT_STAGE_N; i++)
		p->macros[i] =
		    opts->macros[i] ? opts->macros[i] : p->pf->macros[i];
	*out = p;
	return 0;
}

void
mlt_play_free(struct mlt_play *p)
{
	if (!p)
		return;
	mlt_mta_free(p->m);
	mlt_buf_free(&p->scratch);
	mlt_buf_free(&p->answer);
	free(p);
}

/* ---- steps ---------------------------------------------------------------------- */

static size_t
one(const struct mlt_play *p)
{
	(void)p;
	return 1;
}

static size_t
count_helo(const struct mlt_play *p)
{
	return p->s->helo.p || p->pf->helo;
}

static size_t
count_unknown(const struct mlt_play *p)
{
	return p->s->unknown.n;
}

static size_t
count_rcpt(const struct mlt_play *p)
{
	return play_message(p)->n_rcpts;
}

static size_t
count_header(const struct mlt_play *p)
{
	return play_message(p)->n_headers;
}

static size_t
count_body(const struct mlt_play *p)
{
	return mlt_play_body_left(p) ? SIZE_MAX : 0;
}

/* spec:abort-habits */
static bool
aborts(const struct mlt_play *p, bool late)
{
	if (p->client || !(p->pf->aborts & p->end) ||
	    (p->end & (MLT_END_RSET | MLT_END_HELO) && !p->mail_answered &&
		play_has(p, MLT_HABIT_ABORT_MAIL)))
		return false;
	return late ==
	       (p->end == MLT_END_HELO && play_has(p, MLT_HABIT_ABORT_LATE));
}

static size_t
count_abort(const struct mlt_play *p)
{
	return aborts(p, false);
}

static size_t
count_helo_again(const struct mlt_play *p)
{
	return p->end == MLT_END_HELO && count_helo(p);
}

/* The client that said HELO before is forgotten.  spec:abort-habits */
static size_t
count_last_abort(const struct mlt_play *p)
{
	return !p->client && p->greeted && p->pf->aborts & MLT_END_GREETED;
}

static size_t
count_abort_late(const struct mlt_play *p)
{
	return aborts(p, true) +
	       (p->end == MLT_END_HELO ? count_last_abort(p) : 0);
}

static size_t
count_quit(const struct mlt_play *p)
{
	return !p->client || play_has(p, MLT_HABIT_QUIT_VERDICT);
}

static int
say_negotiate(struct mlt_play *p)
{
	return mlt_mta_negotiate(p->m);
}

static int
say_data(struct mlt_play *p)
{
	return mlt_mta_data(p->m);
}

static int
say_eoh(struct mlt_play *p)
{
	return mlt_mta_eoh(p->m);
}

static int
say_eom(struct mlt_play *p)
{
	return mlt_mta_eom(p->m);
}

static int
say_abort(struct mlt_play *p)
{
	return mlt_mta_abort(p->m);
}

static int
say_quit(struct mlt_play *p)
{
	return mlt_mta_quit(p->m, false);
}

static const struct {
	enum mlt_cm cm;
	size_t (*count)(const struct mlt_play *);
	int (*say)(struct mlt_play *);
} steps[STEP_OVER + 1] = {
	[STEP_OPTNEG] = { CM_OPTNEG, one, say_negotiate },
	[STEP_CONNECT] = { CM_CONNECT, one, mlt_play_say_connect },
	[STEP_HELO] = { CM_HELO, count_helo, mlt_play_say_helo },
	[STEP_UNKNOWN] = { CM_UNKNOWN, count_unknown, mlt_play_say_unknown },
	[STEP_MAIL] = { CM_MAIL, one, mlt_play_say_mail },
	[STEP_RCPT] = { CM_RCPT, count_rcpt, mlt_play_say_rcpt },
	[STEP_DATA] = { CM_DATA, one, say_data },
	[STEP_HEADER] = { CM_HEADER, count_header, mlt_play_say_header },
	[STEP_EOH] = { CM_EOH, one, say_eoh },
	[STEP_BODY] = { CM_BODY, count_body, mlt_play_say_body },
	[STEP_EOM] = { CM_EOM, one, say_eom },
	[STEP_ABORT] = { CM_ABORT, count_abort, say_abort },
	[STEP_HELO_AGAIN] = { CM_HELO, count_helo_again, mlt_play_say_helo },
	[STEP_ABORT_LATE] = { CM_ABORT, count_abort_late, say_abort },
	[STEP_LAST_ABORT] = { CM_ABORT, count_last_abort, say_abort },
	[STEP_QUIT] = { CM_QUIT, count_quit, say_quit },
};

void
mlt_play_go(struct mlt_play *p, enum play_step at)
{
	p->at = at;
	p->i = 0;
	p->skipped = 0;
}

/* The message is over. */
void
mlt_play_decide(struct mlt_play *p, enum mlt_verdict v, enum mlt_play_end end)
{
	p->verdict = v;
	p->end = end;
	if (end == MLT_END_CLOSE)
		p->gone = true;
	mlt_play_go(p, STEP_MESSAGE);
}

/* Where a message begins, or what comes instead. */
void
mlt_play_next_message(struct mlt_play *p)
{
	p->verdict = MLT_VERDICT_NONE;
	p->end = 0;
	p->accepted = 0;
	p->mail_answered = false;
	p->body = (struct play_cursor){ 0, 0, false };
	if (p->gone || p->msg == p->s->n_messages ||
	    (p->msg > 0 && play_has(p, MLT_HABIT_ONE_MESSAGE)))
		mlt_play_go(p, STEP_LAST_ABORT);
	else if (p->client)
		mlt_play_decide(p, p->client, 0); /* without asking */
	else
		mlt_play_go(p, STEP_MAIL);
}

/* All of this step is said and answered. */
static void
leave(struct mlt_play *p)
{
	enum play_step at = p->at;
	const struct mlt_play_message *m;

	if (at >= STEP_MAIL && at < STEP_EOM) {
		m = play_message(p);
		if (m->stop_after == mlt_commands[steps[at].cm].octet) {
			mlt_play_decide(p, MLT_VERDICT_STOPPED, m->stop_by);
			return;
		}
		if (at == STEP_RCPT && p->accepted == 0) {
			mlt_play_decide(p,
			    p->verdict ? p->verdict : MLT_VERDICT_STOPPED,
			    MLT_END_RSET);
			return;
		}
	}
	if (at == STEP_ABORT_LATE)
		p->msg++;
	if (at == STEP_ABORT_LATE || at == STEP_UNKNOWN)
		mlt_play_next_message(p);
	else
		mlt_play_go(p, at + 1);
}

/* ---- walking ------------------------------------------------------------------------ */

/* p->heard is news.  1 or NOMEM: it stays news. */
static int
hear(struct mlt_play *p, struct mlt_play_event *ev)
{
	enum play_step at = p->at;
	size_t i = p->i;

	ev->type = p->heard.final ? MLT_PLAY_REPLY : MLT_PLAY_CHANGE;
	ev->action = p->heard;
	ev->verdict = mlt_play_verdict_of(&p->heard);
	if (play_refuses(ev->verdict)) {
		if (mlt_play_tell(p, &p->heard, ev->verdict) < 0)
			return MLT_E_NOMEM;
		ev->answer = p->told;
	}
	p->heard.reply = 0;
	if (!ev->action.final)
		return 1;
	mlt_play_judge(p, &ev->action, ev->verdict);
	if (p->at == at && p->i == i)
		p->i++;
	return 1;
}

static int
violated(struct mlt_play *p, struct mlt_play_event *ev, const char *text)
{
	ev->type = MLT_PLAY_VIOLATION;
	ev->text = text;
	ev->offset = mlt_mta_taken(p->m);
	mlt_play_go(p, STEP_OVER);
	return 1;
}

/* One step, or its end.  1 an event, 0 go on, NOMEM ARG. */
static int
say(struct mlt_play *p, struct mlt_play_event *ev)
{
	enum mlt_cm cm = steps[p->at].cm;
	uint8_t octet = mlt_commands[cm].octet;
	int rc;

	if (p->i >= steps[p->at].count(p)) {
		leave(p);
		return 0;
	}
	if (!p->macros_sent) {
		rc = mlt_play_say_macros(p, cm);
		if (rc < 0)
			return rc;
		p->macros_sent = true;
	}
	rc = steps[p->at].say(p);
	if (rc < 0)
		return rc;
	p->macros_sent = false;
	if (rc == 1)
		return 0; /* hear() does the rest */
	if (p->at == STEP_RCPT && !play_message(p)->rcpts[p->i].refused)
		p->accepted++;
	p->i++;
	if (rc == 2 || p->skipped == octet)
		return 0;
	p->skipped = octet;
	ev->type = MLT_PLAY_SKIPPED;
	return 1;
}

/* The events that are not replies.  spec:answers */
static int
conclude(struct mlt_play *p, struct mlt_play_event *ev)
{
	if (p->at == STEP_DONE) {
		ev->type = MLT_PLAY_DONE;
	} else {
		ev->type = MLT_PLAY_MESSAGE;
		ev->verdict = p->verdict;
		if (play_refuses(p->verdict))
			ev->answer = p->told;
	}
	mlt_play_go(p, p->at + 1);
	return 1;
}

int
mlt_play_next(struct mlt_play *p, struct mlt_play_event *out)
{
	struct mlt_play_event ev;
	const uint8_t *b;
	int rc = 0;

	while (rc == 0 && p->at != STEP_OVER) {
		memset(&ev, 0, sizeof(ev));
		ev.message = p->msg;
		ev.index = p->i;
		ev.stage = mlt_commands[steps[p->at].cm].octet;
		rc = p->heard.reply ? 1 : mlt_mta_next(p->m, &p->heard);
		if (rc > 0)
			rc = hear(p, &ev);
		else if (rc < MLT_E_DEAD)
			rc = violated(p, &ev, mlt_strerror(rc));
		else if (rc < 0)
			break;
		else if (mlt_mta_awaits(p->m) && p->eof)
			rc = violated(p, &ev, "the filter closed");
		else if (mlt_mta_awaits(p->m) ||
			 mlt_mta_output(p->m, &b) > OUTPUT_MAX)
			break;
		else if (p->at == STEP_MESSAGE || p->at == STEP_DONE)
			rc = conclude(p, &ev);
		else
			rc = say(p, &ev);
	}
	if (rc > 0)
		*out = ev;
	return rc;
}

int
mlt_play_feed(struct mlt_play *p, const void *buf, size_t len)
{
	return mlt_mta_feed(p->m, buf, len);
}

void
mlt_play_eof(struct mlt_play *p)
{
	p->eof = true;
}

size_t
mlt_play_output(const struct mlt_play *p, const uint8_t **b)
{
	return mlt_mta_output(p->m, b);
}

void
mlt_play_sent(struct mlt_play *p, size_t n)
{
	mlt_mta_sent(p->m, n);
}

bool
mlt_play_awaits(const struct mlt_play *p)
{
	return mlt_mta_awaits(p->m);
}

uint32_t
mlt_play_wait_ms(const struct mlt_play *p)
{
	return p->at >= STEP_HEADER && p->at <= STEP_EOM
		   ? p->pf->times.content_ms
		   : p->pf->times.command_ms;
}

bool
mlt_play_done(const struct mlt_play *p)
{
	return p->at == STEP_OVER;
}

const struct mlt_mta *
mlt_play_mta(const struct mlt_play *p)
{
	return p->m;
}

const char *
mlt_verdict_name(enum mlt_verdict v)
{
	switch (v) {
	case MLT_VERDICT_NONE:
		return "none";
	case MLT_VERDICT_ACCEPT:
		return "accept";
	case MLT_VERDICT_REJECT:
		return "reject";
	case MLT_VERDICT_TEMPFAIL:
		return "tempfail";
	case MLT_VERDICT_DISCARD:
		return "discard";
	case MLT_VERDICT_STOPPED:
		return "stopped";
	}
	return "?";
}
