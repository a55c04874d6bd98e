/* SPDX-License-Identifier: MIT */
/*
 * milterproto_play.h: one SMTP client led through one filter connection, as a
 * given MTA would do it.
 *
 * A profile says how that MTA behaves, a script what its client does; the
 * session sends everything in that MTA's order, with its macros, ABORTs and
 * line ends, and reports what the filter answered and what came of it.  Like
 * struct mlt_mta, on which it stands, it has no I/O and no clock, and takes
 * every deviation of the filter as the end.  Facts: docs/mta-profiles.md.
 *
 *	mlt_play_new(&p, &opts, &script);
 *	while (!mlt_play_done(p)) {
 *		while ((rc = mlt_play_next(p, &ev)) > 0)
 *			look_at(&ev);
 *		if (rc < 0)
 *			break;
 *		write_all(mlt_play_output), mlt_play_sent;
 *		if (mlt_play_awaits(p))
 *			read, mlt_play_feed; at its end mlt_play_eof;
 *	}
 *	close, mlt_play_free(p);
 */
#ifndef MILTERPROTO_PLAY_H
#define MILTERPROTO_PLAY_H

#include <milterproto.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- profiles --------------------------------------------------------------- */

/* Why a message, or the client's session, ended: each is a reason to send
 * ABORT for some MTAs. */
enum mlt_play_end {
	MLT_END_EOM = 0x001,     /* end of message, answered */
	MLT_END_RSET = 0x002,    /* the client gave up */
	MLT_END_HELO = 0x004,    /* the client said HELO in the middle */
	MLT_END_OTHERS = 0x008,  /* refused by the MTA or another filter */
	MLT_END_CLOSE = 0x010,   /* the client went away, or got 421 */
	MLT_END_MAIL = 0x020,    /* this filter refused MAIL */
	MLT_END_DROPPED = 0x040, /* it said DISCARD at RCPT */
	MLT_END_VERDICT = 0x080, /* any other verdict before the end */
	MLT_END_GREETED = 0x100  /* what HELO said ends: HELO again, QUIT */
};

/* What one MTA does and others do not; each comment says it in order. */
enum mlt_habit {
	/* A MACRO packet is sent if it has content and its command is sent;
	 * also if there is a list, but no value; if there is not even a list;
	 * for a recipient that the MTA refused and does not send; for a
	 * command too new for the version agreed. */
	MLT_HABIT_MACROS_LISTED = 1 << 0,
	MLT_HABIT_MACROS_ALWAYS = 1 << 1,
	MLT_HABIT_MACROS_REFUSED = 1 << 2,
	MLT_HABIT_MACROS_OLD = 1 << 3,
	/* An empty list of the filter's means none, not the MTA's own.  Its
	 * EOM list counts if, and only if, it gave one for EOH.  `i` has no
	 * value until a recipient was accepted. */
	MLT_HABIT_EMPTY_LIST = 1 << 4,
	MLT_HABIT_EOM_BY_EOH = 1 << 5,
	MLT_HABIT_LATE_ID = 1 << 6,
	/* IPv6: and eight groups.  Addresses without <> and parameters.  The
	 * last line of a body has an end.  No blank between name and colon of a
	 * header.  UNKNOWN has the first word only.  A connection for each
	 * message. */
	MLT_HABIT_IPV6_PREFIX = 1 << 7,
	MLT_HABIT_BARE = 1 << 8,
	MLT_HABIT_LAST_LINE = 1 << 9,
	MLT_HABIT_TRIM_NAME = 1 << 10,
	MLT_HABIT_VERB_ONLY = 1 << 11,
	MLT_HABIT_ONE_MESSAGE = 1 << 12,
	/* A refused recipient tempfails the message.  The client is told the
	 * text given at CONNECT.  QUIT also after a verdict for the client, not
	 * just closed.  No ABORT at RSET and HELO unless MAIL was answered.
	 * HELO amid a message goes before ABORT. */
	MLT_HABIT_RCPT_DEFERS = 1 << 13,
	MLT_HABIT_CONNECT_TEXT = 1 << 14,
	MLT_HABIT_QUIT_VERDICT = 1 << 15,
	MLT_HABIT_ABORT_MAIL = 1 << 16,
	MLT_HABIT_ABORT_LATE = 1 << 17
};

/* Milliseconds; 0 = no limit. */
struct mlt_play_times {
	uint32_t connect_ms, write_ms; /* connect(); one packet written */
	uint32_t command_ms;           /* one reply, OPTNEG to DATA */
	uint32_t content_ms; /* one reply, HEADER to EOM; PROGRESS is one */
	uint32_t eom_ms;     /* all replies to EOM; PROGRESS is no help */
};

struct mlt_profile {
	const char *name, *about;
	struct mlt_mta_opts offer;
	uint32_t habits; /* MLT_HABIT_* */
	uint32_t aborts; /* MLT_END_* after which ABORT is sent */
	const char *macros[MLT_STAGE_N]; /* default lists; NULL = none */
	const char *macros_before;  /* command octets that MACRO precedes; 'L'
				     * takes the list of EOH, 'B' of EOM */
	const char *macros_unsent;  /* those of them that need not be sent */
	const char *macros_unknown; /* names that have no value there */
	uint32_t header_max; /* octets of name, colon and value; 0 = none */
	/* a client of whom the script says nothing; helo NULL: none said */
	const char *host, *addr, *helo;
	char family;
	/* what the client is told after REJECT and TEMPFAIL */
	const char *reject_client, *reject_envelope, *reject_content;
	const char *tempfail;
	struct mlt_play_times times;
	enum mlt_edit_rule edit_rule; /* how it applies changes */
};

/* Row i of the table, NULL behind the last. */
const struct mlt_profile *mlt_profile_at(size_t i);
const struct mlt_profile *mlt_profile_find(const char *name); /* or NULL */

/* ---- the script --------------------------------------------------------------- */

/* All borrowed for the life of the session.  Absent = {NULL, 0}. */
struct mlt_play_list {
	const struct mlt_bytes *v;
	size_t n;
};

struct mlt_play_rcpt {
	struct mlt_play_list args;   /* address, ESMTP parameters */
	struct mlt_play_list macros; /* name, value, name, value, ... */
	bool refused; /* by the MTA: sent only if RCPT_REJ is agreed */
};

struct mlt_play_header {
	struct mlt_bytes name;  /* without the colon */
	struct mlt_bytes value; /* all behind the colon; LF or CRLF */
};

struct mlt_play_message {
	struct mlt_play_list from;   /* address, ESMTP parameters */
	struct mlt_play_list macros; /* with the queue id, `i` */
	const struct mlt_play_rcpt *rcpts;
	size_t n_rcpts;
	const struct mlt_play_header *headers;
	size_t n_headers;
	struct mlt_bytes body;     /* LF or CRLF */
	uint8_t stop_after;        /* 0 or 'M' 'R' 'T' 'L' 'N' 'B': the command
				    * after (the last of) which it ends */
	enum mlt_play_end stop_by; /* RSET HELO OTHERS CLOSE; the first two up
				    * to DATA only */
};

struct mlt_play_script {
	struct mlt_bytes host; /* absent: the address in brackets */
	struct mlt_bytes addr;
	uint16_t port;
	char family; /* 'U' 'L' '4' '6'; 0: the profile's own client */
	struct mlt_bytes helo;
	struct mlt_play_list macros;  /* of the connection */
	struct mlt_play_list unknown; /* lines said after HELO */
	const struct mlt_play_message *messages;
	size_t n_messages;
};

/* ---- the session --------------------------------------------------------------- */

enum mlt_verdict {
	MLT_VERDICT_NONE,
	MLT_VERDICT_ACCEPT,
	MLT_VERDICT_REJECT,
	MLT_VERDICT_TEMPFAIL,
	MLT_VERDICT_DISCARD,
	MLT_VERDICT_STOPPED /* by the script, or there was no recipient */
};

enum mlt_play_event_type {
	MLT_PLAY_REPLY,     /* the filter answered `stage` with `action` */
	MLT_PLAY_CHANGE,    /* at EOM: `action` to be applied, or PROGRESS */
	MLT_PLAY_SKIPPED,   /* `stage` was not wanted; once for many */
	MLT_PLAY_MESSAGE,   /* it ended: `verdict`, `answer` */
	MLT_PLAY_DONE,      /* `message`: how many of the script were played;
			     * write what is left, then close */
	MLT_PLAY_VIOLATION, /* `text`, `offset`; nothing more will come: close */
	MLT_PLAY_EVENT_N
};

/* All that is borrowed in it is valid until the next call on the session. */
struct mlt_play_event {
	enum mlt_play_event_type type;
	uint8_t stage;            /* command octet */
	size_t message, index;    /* of the script; index: recipient, header */
	struct mlt_action action; /* REPLY, CHANGE */
	enum mlt_verdict verdict; /* REPLY (NONE: go on), MESSAGE */
	struct mlt_bytes answer;  /* REPLY, MESSAGE: what a refused client is
				   * told, else absent */
	const char *text;         /* VIOLATION: static */
	uint64_t offset; /* VIOLATION: in all that the filter sent, of the
			  * reply that is wrong */
};

struct mlt_play_opts {
	const struct mlt_profile *profile; /* borrowed; NULL: generic-v6 */
	struct mlt_mta_opts offer;         /* version 0: the profile's */
	const char *macros[MLT_STAGE_N];   /* borrowed; NULL: the profile's */
};

struct mlt_play;
/* NOMEM, ARG (an impossible stop).  opts NULL: all defaults. */
int mlt_play_new(struct mlt_play **out, const struct mlt_play_opts *opts,
    const struct mlt_play_script *script);
void mlt_play_free(struct mlt_play *p); /* NULL is allowed */

/* As mlt_mta_feed: borrowed until mlt_play_next returned 0.  STATE ARG. */
__attribute__((warn_unused_result)) int mlt_play_feed(
    struct mlt_play *p, const void *buf, size_t len);
void mlt_play_eof(struct mlt_play *p); /* the filter closed */
/* 1: *ev is filled.  0: write the output, then, if it awaits, feed me.
 * NOMEM (may be called again), ARG (the script cannot be put on the wire: it
 * will not get further). */
__attribute__((warn_unused_result)) int mlt_play_next(
    struct mlt_play *p, struct mlt_play_event *ev);
size_t mlt_play_output(const struct mlt_play *p, const uint8_t **b);
void mlt_play_sent(struct mlt_play *p, size_t n);
bool mlt_play_awaits(const struct mlt_play *p);      /* a reply is due */
uint32_t mlt_play_wait_ms(const struct mlt_play *p); /* for it; 0 = ever */
bool mlt_play_done(const struct mlt_play *p); /* DONE or VIOLATION was given */
/* The session below, to ask what was agreed. */
const struct mlt_mta *mlt_play_mta(const struct mlt_play *p);
const char *mlt_verdict_name(enum mlt_verdict v); /* "accept"; never NULL */

#ifdef __cplusplus
}
#endif
#endif
