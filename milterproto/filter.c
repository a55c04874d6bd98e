/* SPDX-License-Identifier: MIT */
/*
 * filter: what the MTA says, as events.
 *
 * mlt_filter_next takes one frame after the other, asks the table of state.c,
 * and returns at the first that the caller must see.  Answers are made in
 * answer.c.  Everything that the table does not allow, and every frame that
 * codec.h refuses, ends the session: an ABORT event if a message is open, then
 * the code.  spec:states spec:bad-input
 */
#include "filter.h"
#include "codec.h"
#include "macros.h"

#include <stdlib.h>

void
mlt_filter_init(struct mlt_filter *f, const struct mlt_filter_opts *opts)
{
	*f = (struct mlt_filter){ .opts = opts, .st = ST_INIT };
}

void
mlt_filter_fini(struct mlt_filter *f)
{
	mlt_input_drop(&f->in);
	mlt_buf_free(&f->out);
	mlt_buf_free(&f->held);
	mlt_buf_free(&f->macros);
	free(f->args);
}

int
mlt_filter_new(struct mlt_filter **out, const struct mlt_filter_opts *opts)
{
	/* one block: the session, then its copy of the options */
	struct {
		struct mlt_filter f;
		struct mlt_filter_opts opts;
	} *both = calloc(1, sizeof(*both));

	if (!both)
		return MLT_E_NOMEM;
	if (opts)
		both->opts = *opts;
	mlt_filter_init(&both->f, &both->opts);
	*out = &both->f;
	return 0;
}

void
mlt_filter_free(struct mlt_filter *f)
{
	if (!f)
		return;
	mlt_filter_fini(f);
	free(f);
}

size_t
mlt_filter_limit(const struct mlt_filter *f)
{
	size_t max = f->opts->max_frame_bytes;

	if (!max)
		max = MLT_DATA_MAX;
	if (f->st == ST_INIT)
		return max; /* the bits are only offered yet */
	if (f->protocol & MLT_PROT_MDS_1M && max < MLT_DATA_MAX_1M)
		max = MLT_DATA_MAX_1M;
	if (f->protocol & MLT_PROT_MDS_256K && max < MLT_DATA_MAX_256K)
		max = MLT_DATA_MAX_256K;
	return max;
}

int
mlt_filter_feed(struct mlt_filter *f, const void *buf, size_t len)
{
	if (f->dead || f->eof || f->st == ST_END)
		return MLT_E_STATE;
	return mlt_input_feed(&f->in, buf, len);
}

void
mlt_filter_eof(struct mlt_filter *f)
{
	if (f->dead)
		return;
	f->eof = true;
	f->eom_due = false;
	f->await = AWAIT_NONE;
}

struct mlt_bytes
mlt_filter_macro(const struct mlt_filter *f, const char *name)
{
	return mlt_macros_get(f->macros, name);
}

bool
mlt_filter_done(const struct mlt_filter *f)
{
	return f->dead || f->st == ST_END;
}

uint32_t
mlt_filter_version(const struct mlt_filter *f)
{
	return f->version;
}

uint32_t
mlt_filter_actions(const struct mlt_filter *f)
{
	return f->actions;
}

uint32_t
mlt_filter_protocol(const struct mlt_filter *f)
{
	return f->protocol;
}

/* ---- transitions -------------------------------------------------------------- */

static void
enter(struct mlt_filter *f, enum mlt_st st)
{
	f->st = (uint8_t)st;
	if (st == ST_READY || st == ST_IDLE || st == ST_ENVELOPE ||
	    st == ST_END) {
		/* no message, or a new one: nothing of a verdict survives */
		f->sticky = 0;
		f->skip_body = false;
		mlt_buf_free(&f->held);
	}
}

/* The open message dies.  The frame that killed it is looked at again. */
static int
abort_event(struct mlt_filter *f, enum mlt_st next, struct mlt_event *ev)
{
	enter(f, next);
	f->cm = CM_ABORT;
	f->await = AWAIT_NONE;
	ev->type = MLT_EV_ABORT;
	ev->need_reply = false;
	return 1;
}

/* The connection ends: ABORT if owed, then QUIT (once), then 0. */
static int
ending(struct mlt_filter *f, struct mlt_event *ev)
{
	mlt_input_drop(&f->in);
	if (mlt_message_open(f->st))
		return abort_event(f, ST_IDLE, ev);
	if (f->st == ST_END)
		return 0;
	enter(f, ST_END);
	mlt_buf_free(&f->macros);
	f->cm = CM_QUIT;
	ev->type = MLT_EV_QUIT;
	ev->need_reply = false;
	ev->quit.more = false;
	return 1;
}

/* A dead code: ABORT if owed comes first. */
static int
fail(struct mlt_filter *f, int code, struct mlt_event *ev)
{
	f->dead = (int8_t)(MLT_E_DEAD - code);
	f->await = AWAIT_NONE;
	mlt_input_drop(&f->in);
	if (mlt_message_open(f->st))
		return abort_event(f, ST_IDLE, ev);
	return code;
}

/* What the table says, with note (1): a message may begin in the middle if
 * the steps before are not wanted.  spec:opening */
static uint8_t
look_up(const struct mlt_filter *f, enum mlt_cm cm)
{
	uint8_t to = mlt_filter_table[f->st][cm];
	uint32_t need = mlt_opens[cm], have = f->protocol;

	if (!(to & STF_OPENS))
		return to;
	if (f->version < mlt_commands[CM_DATA].version)
		have |= MLT_PROT_NO_DATA;
	if ((have & need) != need)
		return ST_REFUSE;
	return mlt_filter_table[ST_ENVELOPE][cm];
}

/* Macros of later stages do not outlive the command.  spec:macro-stages */
static void
forget_macros(struct mlt_filter *f, enum mlt_cm cm)
{
	if (cm == CM_CONNECT || cm == CM_HELO || cm == CM_MAIL || cm == CM_RCPT)
		mlt_macros_clear_after(&f->macros, mlt_commands[cm].octet);
	else if (cm == CM_QUIT || cm == CM_QUIT_NC || cm == CM_OPTNEG)
		mlt_buf_free(&f->macros);
}

/* ---- one frame ------------------------------------------------------------------ */

static int
store_macros(struct mlt_filter *f, struct mlt_bytes payload)
{
	size_t max = f->opts->max_macro_bytes;
	struct mlt_bytes pairs;
	uint8_t stage;
	int rc;

	if (payload.n && !mlt_macros_known((uint8_t)payload.p[0]))
		return 0;
	rc = mlt_decode_macros(payload, &stage, &pairs);
	if (rc < 0 || f->st == ST_INIT)
		return rc;
	return mlt_macros_set(
	    &f->macros, stage, pairs, max ? max : MLT_MACRO_BYTES_MAX);
}

/* OPTNEG.  With ask_options the event asks, else it tells what was agreed. */
static int
negotiate(struct mlt_filter *f, struct mlt_bytes payload, struct mlt_event *ev)
{
	struct mlt_agreement a;
	int rc = mlt_decode_options(payload, &a);

	if (rc < 0 || a.version < MLT_VERSION_MIN)
		return MLT_E_PROTO;
	f->version =
	    a.version < MLT_VERSION_MAX ? (uint8_t)a.version : MLT_VERSION_MAX;
	f->actions = a.actions ? a.actions : MLT_ACT_V1;
	f->protocol = a.protocol ? a.protocol : MLT_PROT_V1;
	f->negotiating = true;
	if (!f->opts->ask_options) {
		rc = mlt_filter_agree(f, &f->opts->want);
		if (rc < 0)
			return rc == MLT_E_ARG ? MLT_E_PROTO : rc;
	}
	f->cm = CM_OPTNEG;
	f->await = f->negotiating ? AWAIT_REPLY : AWAIT_NONE;
	ev->type = MLT_EV_NEGOTIATE;
	ev->need_reply = f->negotiating;
	ev->negotiate.version = f->version;
	ev->negotiate.actions = f->actions;
	ev->negotiate.protocol = f->protocol;
	return 1;
}

static int
decode(struct mlt_filter *f, enum mlt_cm cm, struct mlt_bytes payload,
    struct mlt_event *ev)
{
	if (cm == CM_MAIL || cm == CM_RCPT) {
		free(f->args); /* of a frame that gave no event */
		/* one more, so that no strings are no failure */
		f->args =
		    calloc(mlt_count_strings(payload) + 1, sizeof(*f->args));
		if (!f->args)
			return MLT_E_NOMEM;
	}
	return mlt_decode_command(cm, payload, f->args, ev);
}

/* How the event just made is to be answered. */
static enum mlt_await
await(const struct mlt_filter *f, enum mlt_cm cm)
{
	const struct mlt_command *c = &mlt_commands[cm];

	if (!c->replies[0])
		return AWAIT_NONE;
	if (f->protocol & c->nr)
		return AWAIT_KEEP;
	return f->want & c->nr ? AWAIT_AUTO : AWAIT_REPLY;
}

static int
give(struct mlt_filter *f, enum mlt_cm cm, enum mlt_await how,
    struct mlt_event *ev)
{
	f->cm = (uint8_t)cm;
	f->await = (uint8_t)how;
	ev->need_reply = how == AWAIT_REPLY;
	return 1;
}

/* The caller does not want to hear of this one. */
static bool
unwanted(const struct mlt_filter *f, enum mlt_cm cm)
{
	return f->want & mlt_commands[cm].no || (cm == CM_BODY && f->skip_body);
}

/* Processes a frame.  1 = event, 0 = none, else an error.  The frame is
 * consumed unless it must be looked at again. */
static int
take(struct mlt_filter *f, const struct mlt_frame *fr, struct mlt_event *ev)
{
	enum mlt_cm cm = mlt_command_index[fr->cmd];
	struct mlt_bytes payload = { fr->p, fr->n };
	uint8_t to = look_up(f, cm);
	enum mlt_st next = to & ST_MASK;
	bool mute = unwanted(f, cm);
	int rc;

	if (to == ST_REFUSE)
		return MLT_E_PROTO;
	if (to & STF_ABORT)
		return abort_event(f, next, ev);
	if (cm == CM_MACRO) {
		rc = store_macros(f, payload);
		if (rc == 0)
			mlt_input_consume(&f->in, fr);
		return rc;
	}
	rc = cm == CM_OPTNEG ? negotiate(f, payload, ev)
			     : decode(f, cm, payload, ev);
	if (rc >= 0 && to & STF_STICKY)
		rc = mlt_filter_again(f, cm);
	else if (rc >= 0 && mute)
		rc = mlt_filter_continue(f, cm);
	if (rc < 0)
		return rc;
	mlt_input_consume(&f->in, fr);
	forget_macros(f, cm);
	if (cm == CM_OPTNEG)
		return rc;
	if (cm == CM_EOM)
		f->repl = REPL_NONE;
	if (cm == CM_EOM && !(to & STF_STICKY) && fr->n > 0 &&
	    !unwanted(f, CM_BODY)) {
		/* a last chunk: BODY now, EOM with the next call */
		f->st = ST_BODY;
		f->eom_due = true;
		ev->type = MLT_EV_BODY;
		ev->text = payload;
		return give(f, CM_BODY, AWAIT_REPLY, ev);
	}
	if (next != ST_DONE)
		enter(f, next);
	if (mute || to & (STF_STICKY | STF_QUIET))
		return 0;
	return give(f, cm, await(f, cm), ev);
}

int
mlt_filter_next(struct mlt_filter *f, struct mlt_event *ev)
{
	struct mlt_frame fr;
	int rc = 0;

	if (f->args) {
		free(f->args);
		f->args = NULL;
	}
	if (f->await == AWAIT_AUTO) {
		rc = mlt_filter_continue(f, f->cm);
		if (rc < 0)
			return rc;
		f->await = AWAIT_KEEP;
	}
	if (f->dead)
		return MLT_E_DEAD - f->dead;
	if (f->eof || f->st == ST_END)
		return ending(f, ev);
	if (f->await == AWAIT_REPLY)
		return mlt_input_keep(&f->in);
	if (f->eom_due) {
		f->eom_due = false;
		enter(f, ST_IDLE);
		ev->type = MLT_EV_EOM;
		return give(f, CM_EOM, AWAIT_REPLY, ev);
	}
	while (rc == 0) {
		rc = mlt_input_frame(
		    &f->in, mlt_filter_limit(f), mlt_command_index, &fr);
		if (rc == 0)
			return mlt_input_keep(&f->in);
		if (rc > 0)
			rc = take(f, &fr, ev);
		if (f->st == ST_END)
			mlt_input_drop(&f->in);
	}
	return rc < MLT_E_DEAD ? fail(f, rc, ev) : rc;
}
