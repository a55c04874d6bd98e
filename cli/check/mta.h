/* SPDX-License-Identifier: MIT */
/*
 * mta: what the cases of `milter-check mta` share: the MTA under test between
 * our SMTP client, our filter and the sink, and what is known of it.
 *
 * Helpers that return a pointer have noted in run->why what went wrong when it
 * is NULL: the case is then CHECK_FAIL.
 */
#ifndef CLI_CHECK_MTA_H
#define CLI_CHECK_MTA_H

#include "cli/check/check.h"
#include "cli/check/rig.h"

struct mta_opts {
	struct check_opts check;
	struct rig_opts rig;
	long wait_ms, grace_ms, progress_ms, mta_timeout_ms;
};

struct mta {
	struct mta_opts o;
	struct mta_rig rig;
	struct sink_message message; /* the last one that was looked at */
	/* learnt by the first session */
	bool has_from, has_to; /* the sink knows the envelope */
	struct plan_agreed offer;
};

/* The one profile: filters differ by what they say, MTAs are as they are. */
#define MTA_PROFILE 1

extern const struct check_case mta_framing_cases[], mta_negotiation_cases[],
    mta_macro_cases[], mta_state_cases[], mta_verdict_cases[],
    mta_content_cases[], mta_header_cases[], mta_edit_cases[],
    mta_reply_cases[], mta_timing_cases[], mta_loss_cases[],
    mta_garbage_cases[];

static inline struct mta *
mta_of(const struct check_run *run)
{
	return run->role;
}

/* ---- sessions -------------------------------------------------------------------- */

/* A new session: its plan can be made now. */
struct mta_rig *mta_begin(struct check_run *run);
/* One session with this message (NULL: the usual one), which must be
 * accepted, and of which the filter must have heard. */
const struct played *mta_heard(
    struct check_run *run, const struct rig_mail *mail);
/* The same for a session in which a command is said that no MTA knows, and, if
 * `second`, the usual message too. */
const struct played *mta_heard_all(
    struct check_run *run, const struct rig_mail *mail, bool second);
/* As mta_heard, and the message must arrive. */
const struct sink_message *mta_delivered(
    struct check_run *run, const struct rig_mail *mail);
/* It arrives, after a session that the case led itself. */
const struct sink_message *mta_arrives(struct check_run *run);

/* ---- results --------------------------------------------------------------------- */

/* FAIL: "MAIL: 451 4.7.1 no, but WANT was to be expected". */
enum check_result mta_told(
    struct check_run *run, enum rig_step step, const char *want);
/* After a session with a filter that did something bad: PASS if the client had
 * an answer to all it said and the next session works, else FAIL. */
enum check_result mta_survives(struct check_run *run);
/* The same for what MTAs may do in different ways: DIFFERS with what the client
 * was told. */
enum check_result mta_survives_so(struct check_run *run, const char *when);
/* The last message must not have arrived, nor arrive before the one of the next
 * session, which must work. */
enum check_result mta_never_arrives(struct check_run *run);
/* The body that arrived is this one, with LF line ends. */
enum check_result mta_body_is(struct check_run *run, const char *want);
/* The last message, of a filter that did something bad, was accepted and did not
 * arrive: PASS if the MTA holds the mail of filters that go away. */
enum check_result mta_held(struct check_run *run);
/* Field nth of a name has this value (all behind the colon); NULL: there is no
 * such field. */
enum check_result mta_field_is(
    struct check_run *run, const char *name, unsigned nth, const char *value);
/* The commands, without macros, match this extended regular expression. */
enum check_result mta_said(struct check_run *run, const char *pattern);
/* The value of a macro in a MACRO payload, by its name with or without braces;
 * {NULL, 0}: it is not there. */
struct mlt_bytes mta_macro(struct mlt_bytes payload, const char *name);
bool mta_is(struct mlt_bytes b, const char *text);
/* Octets for run->why: quoted, escaped, cut. */
struct mta_shown {
	char text[200];
};
struct mta_shown mta_show(const char *p, size_t n);
/* Reply classes, 2 to 5; 0: none was given. */
int mta_class(struct check_run *run, enum rig_step step);

#endif
