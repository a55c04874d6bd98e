/* SPDX-License-Identifier: MIT */
/*
 * milterproto.h: the milter wire protocol, versions 2 to 6, without I/O.
 *
 * Octets in, events out; replies in, octets out.  A session knows no
 * descriptor, no clock and no log, never calls back and never blocks; the
 * caller moves octets and decides.  `struct mlt_filter` is the filter's side
 * of one connection (what libmilter does), `struct mlt_mta` the MTA's side.
 *
 * Every function that can fail returns 0 or a positive count on success and
 * one of `enum mlt_err` otherwise; each comment lists all that it can return.
 * Outputs are untouched on failure.  Nothing here is thread-safe per session;
 * different sessions may be used in different threads.
 */
#ifndef MILTERPROTO_H
#define MILTERPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed octets, not NUL-terminated unless said so.  {NULL, 0} = absent,
 * a non-NULL p with n 0 = present and empty. */
struct mlt_bytes {
	const char *p;
	size_t n;
};

/* Codes below MLT_E_DEAD end the session: only _output, _sent and _free stay
 * useful.  After any other code the session is as before the call. */
enum mlt_err {
	MLT_E_NOMEM = -1,  /* allocation failed */
	MLT_E_ARG = -2,    /* the caller's value cannot be put on the wire */
	MLT_E_STATE = -3,  /* not allowed now, e.g. no reply is awaited */
	MLT_E_AGREED = -4, /* the action or reply was not negotiated */
	MLT_E_DEAD = -100,
	MLT_E_PROTO = -101,  /* peer sent something malformed or out of turn */
	MLT_E_TOOBIG = -102, /* frame longer than the limit */
	MLT_E_OFFER = -103,  /* MTA does not offer a required action */
};
const char *mlt_strerror(int err); /* static text, never NULL */

/* MLT_SMFIC_*, MLT_SMFIR_*, MLT_ACT_*, MLT_PROT_*, MLT_STAGE_*, limits. */
#include <milterproto_const.h>

/* ---- what the MTA says -------------------------------------------------- */

enum mlt_event_type {
	MLT_EV_NEGOTIATE, /* options are agreed (or, with ask_options, offered) */
	MLT_EV_CONNECT,
	MLT_EV_HELO,
	MLT_EV_MAIL,
	MLT_EV_RCPT,
	MLT_EV_DATA,
	MLT_EV_HEADER,
	MLT_EV_EOH,
	MLT_EV_BODY,
	MLT_EV_EOM,
	MLT_EV_ABORT,   /* the open message is gone; also implied ones; once */
	MLT_EV_UNKNOWN, /* an SMTP command that the MTA does not know */
	MLT_EV_QUIT,    /* this SMTP client is gone; `more`: QUIT_NC, another
			 * client may follow on the same connection */
	MLT_EV_N
};

/* One thing that the MTA said.  Every mlt_bytes in it is valid until the next
 * mlt_filter_next, _feed, _eof or _free on the same session; all but BODY's
 * have a NUL behind them.
 * After a verdict for a message (or, at CONNECT and HELO, for the client) the
 * session gives no more events for it, no ABORT either: that message is over
 * for the filter.  Two exceptions: a reject or tempfail of RCPT concerns that
 * recipient only; DISCARD at RCPT is still followed by ABORT. */
struct mlt_event {
	enum mlt_event_type type;
	bool need_reply; /* false: the MTA does not wait, by nature or as
			  * negotiated (or the session answers for you).  True
			  * with BODY may also mean that EOM brought it: a
			  * verdict then is the one for the message, CONTINUE
			  * leads to the EOM event */
	union {
		struct {
			uint32_t version, actions, protocol;
		} negotiate;
		struct {
			struct mlt_bytes host;
			struct mlt_bytes addr; /* {NULL,0} if unknown; "IPv6:"
						* prefix already removed */
			uint16_t port;         /* host byte order, 0 if none */
			char family;           /* 'U' 'L' '4' '6' */
		} connect;
		struct {
			const struct mlt_bytes *v; /* v[0] = address as given */
			size_t n;                  /* at least 1 */
		} args;                            /* MAIL, RCPT */
		struct {
			struct mlt_bytes name, value;
		} header;
		struct mlt_bytes text; /* HELO, BODY, UNKNOWN */
		struct {
			bool more;
		} quit;
	};
};

/* ---- what the filter answers --------------------------------------------- */

enum mlt_reply_type {
	MLT_REPLY_CONTINUE,
	MLT_REPLY_ACCEPT,
	MLT_REPLY_REJECT,
	MLT_REPLY_TEMPFAIL,
	MLT_REPLY_DISCARD,
	MLT_REPLY_SKIP, /* BODY: no more BODY events for this message; sent as
			 * CONTINUE if not negotiated */
	MLT_REPLY_CODE  /* own code, DSN and text */
};

/* For MLT_REPLY_CODE: `code` three digits beginning with 4 or 5, `dsn` like
 * "5.7.1" with the same first digit or NULL, `text` one or more lines
 * separated by LF (an optional CR before it, and an LF at the very end, are
 * dropped).  The session doubles '%', makes TAB a blank and octets over 0x7f
 * '?', and adds the dsn "x.0.0" where the grammar needs one (several lines, or
 * a digit in front).  It wraps nothing: a line over 980 octets, more than 32
 * lines, another control character are MLT_E_ARG. */
struct mlt_reply {
	enum mlt_reply_type type;
	const char *code, *dsn;
	struct mlt_bytes text;
};

/* ---- the filter side ------------------------------------------------------ */

/* What a filter would like; the session agrees on what the MTA offers.  Spec
 * anchors: docs/protocol.md#negotiation. */
struct mlt_options {
	/* MLT_ACT_*: without one of the required the session refuses to work
	 * (MLT_E_OFFER); the wanted are taken if offered. */
	uint32_t actions_required, actions_wanted;
	/* MLT_PROT_*: NO_*: steps not wanted; NR_*: no reply will be given;
	 * SKIP, RCPT_REJ, HDR_LEADSPC, MDS_*.  What is not offered is emulated:
	 * unwanted steps are answered by the session and give no event, NR_
	 * steps are answered CONTINUE.  HDR_LEADSPC: header values begin with
	 * their blank in both directions; an MTA without it removes and adds
	 * one. */
	uint32_t protocol;
	/* Names separated by blanks, NULL = the MTA's default; sent only if
	 * SETSYMLIST is offered.  EOM and EOH stand in for each other. */
	const char *macros[MLT_STAGE_N];
};

struct mlt_filter_opts {
	struct mlt_options want;
	/* MLT_EV_NEGOTIATE asks: answer it with mlt_filter_negotiate; else
	 * `want` is used. */
	bool ask_options;
	size_t max_frame_bytes;   /* payload limit; 0 = 65535 */
	uint32_t max_macro_bytes; /* stored macros, all stages; 0 = 64 KiB */
};

struct mlt_filter;

/* NOMEM.  `opts` is copied, its macro strings are borrowed for the life of the
 * session; NULL = all defaults, nothing required. */
int mlt_filter_new(struct mlt_filter **out, const struct mlt_filter_opts *opts);
void mlt_filter_free(struct mlt_filter *f); /* NULL is allowed */

/* Hands over octets that came from the MTA.  They are borrowed until
 * mlt_filter_next returned 0 or a dead code; what it left over is then copied.
 * STATE (the previous octets were not drained, or the session is over), ARG
 * (4 GiB or more). */
__attribute__((warn_unused_result)) int mlt_filter_feed(
    struct mlt_filter *f, const void *buf, size_t len);
/* The peer closed: what is open becomes ABORT and QUIT events.  Idempotent. */
void mlt_filter_eof(struct mlt_filter *f);
/* 1: *ev is filled.  0: feed me, or answer the last event first.
 * NOMEM PROTO TOOBIG OFFER; before a dead code an open message gives ABORT. */
__attribute__((warn_unused_result)) int mlt_filter_next(
    struct mlt_filter *f, struct mlt_event *ev);

/* Macro value as last sent, found from the latest stage back; "i" and "{i}"
 * are the same.  {NULL, 0} if unknown.  NUL-terminated at p[n].  Borrowed
 * until _next. */
struct mlt_bytes mlt_filter_macro(const struct mlt_filter *f, const char *name);

/* Answers MLT_EV_NEGOTIATE when ask_options is set.  NOMEM STATE OFFER, ARG
 * (macro lists over 65535 octets). */
int mlt_filter_negotiate(struct mlt_filter *f, const struct mlt_options *o);

/* Answers the last event.  NOMEM, ARG (also: not legal for this command),
 * STATE.  If the last event needs no reply, a verdict is kept and given at the
 * next step of the same message (or client) that does. */
__attribute__((warn_unused_result)) int mlt_filter_reply(
    struct mlt_filter *f, const struct mlt_reply *r);
bool mlt_filter_wants_reply(const struct mlt_filter *f);

/* Modifications: only while MLT_EV_EOM is pending.  All: NOMEM ARG STATE
 * AGREED.  Name: non-empty, printable, no colon.  Value: LF + blank folds;
 * CR, NUL or an LF not followed by a blank is ARG.  Addresses, parameters and
 * the reason: control characters are ARG.  index: see
 * docs/protocol.md#modifications; to delete several instances of a
 * header begin with the highest index. */
int mlt_filter_add_header(
    struct mlt_filter *f, struct mlt_bytes name, struct mlt_bytes value);
int mlt_filter_insert_header(struct mlt_filter *f, uint32_t index,
    struct mlt_bytes name, struct mlt_bytes value);
int mlt_filter_change_header(struct mlt_filter *f, uint32_t index,
    struct mlt_bytes name, struct mlt_bytes value); /* empty value deletes */
/* CRLF form.  Split into legal pieces; n = 0 makes the body empty.  All calls
 * of one message must be contiguous, else STATE. */
int mlt_filter_replace_body(struct mlt_filter *f, const void *p, size_t n);
int mlt_filter_add_rcpt(struct mlt_filter *f, struct mlt_bytes addr,
    struct mlt_bytes esmtp); /* esmtp {NULL,0} = none */
int mlt_filter_delete_rcpt(struct mlt_filter *f, struct mlt_bytes addr);
int mlt_filter_change_from(struct mlt_filter *f, struct mlt_bytes addr,
    struct mlt_bytes esmtp); /* use "<>" for the null sender */
int mlt_filter_quarantine(struct mlt_filter *f, struct mlt_bytes reason);
/* Keep-alive while EOM waits.  STATE also after replace_body while more of it
 * may follow. */
int mlt_filter_progress(struct mlt_filter *f);

/* Octets to be written, borrowed until the next call on f; 0 = none. */
size_t mlt_filter_output(const struct mlt_filter *f, const uint8_t **p);
void mlt_filter_sent(struct mlt_filter *f, size_t n); /* n octets have left */
bool mlt_filter_done(const struct mlt_filter *f); /* QUIT, EOF or dead: close
						   * after output has left */
/* What was agreed; 0 before negotiation. */
uint32_t mlt_filter_version(const struct mlt_filter *f);
uint32_t mlt_filter_actions(const struct mlt_filter *f);
uint32_t mlt_filter_protocol(const struct mlt_filter *f);

/* ---- the MTA side ---------------------------------------------------------- */

/* What the filter said.  mlt_bytes as in struct mlt_event. */
struct mlt_action {
	uint8_t
	    reply;  /* MLT_SMFIR_*: the octet on the wire; 'O' = negotiated */
	bool final; /* false: modification, progress, quarantine */
	uint32_t index;
	struct mlt_bytes name, value; /* header changes */
	struct mlt_bytes text;        /* address, reason, body, reply text
				       * (lines as on the wire, '%' still
				       * doubled, without the final NUL) */
	struct mlt_bytes esmtp;
};

struct mlt_mta_opts {
	uint32_t version, actions, protocol; /* offer; 0,0,0 = 6, all, all */
	size_t max_frame_bytes;              /* reply payload; 0 = 1 MiB */
};

struct mlt_mta;
int mlt_mta_new(struct mlt_mta **out, const struct mlt_mta_opts *opts);
void mlt_mta_free(struct mlt_mta *m);

/* Sends.  Every one: NOMEM ARG STATE (an answer is awaited, or the step is
 * illegal now).  A step that the filter does not want, by negotiation or after
 * its verdict, is not sent and gives 0; 1 = sent and an answer will come;
 * 2 = sent and none will come.  So a caller walks through the whole message
 * and looks at mlt_mta_next whenever he got 1. */
int mlt_mta_negotiate(struct mlt_mta *m);
int mlt_mta_macros(struct mlt_mta *m, uint8_t stage_cmd,
    const struct mlt_bytes *name_value_pairs, size_t n_pairs); /* 2 */
int mlt_mta_connect(struct mlt_mta *m, struct mlt_bytes host, char family,
    uint16_t port, struct mlt_bytes addr);
int mlt_mta_helo(struct mlt_mta *m, struct mlt_bytes text);
int mlt_mta_mail(struct mlt_mta *m, const struct mlt_bytes *v, size_t n);
int mlt_mta_rcpt(struct mlt_mta *m, const struct mlt_bytes *v, size_t n);
int mlt_mta_data(struct mlt_mta *m);
int mlt_mta_unknown(struct mlt_mta *m, struct mlt_bytes line);
int mlt_mta_header(
    struct mlt_mta *m, struct mlt_bytes name, struct mlt_bytes value);
int mlt_mta_eoh(struct mlt_mta *m);
int mlt_mta_body(struct mlt_mta *m, const void *p, size_t n); /* <= 65535 */
int mlt_mta_eom(struct mlt_mta *m);
int mlt_mta_abort(struct mlt_mta *m);
int mlt_mta_quit(struct mlt_mta *m, bool more); /* more: QUIT_NC */

/* As mlt_filter_feed and _next.  Every deviation of the filter is PROTO: a
 * reply that is not awaited or not legal for the command, a modification
 * outside EOM or without its bit, a malformed payload. */
int mlt_mta_feed(struct mlt_mta *m, const void *buf, size_t len);
int mlt_mta_next(struct mlt_mta *m, struct mlt_action *a);
size_t mlt_mta_output(const struct mlt_mta *m, const uint8_t **p);
void mlt_mta_sent(struct mlt_mta *m, size_t n);
bool mlt_mta_awaits(const struct mlt_mta *m); /* an answer is due */
/* Octets of the replies given so far: where a refused one begins. */
uint64_t mlt_mta_taken(const struct mlt_mta *m);
uint32_t mlt_mta_version(const struct mlt_mta *m);  /* agreed */
uint32_t mlt_mta_actions(const struct mlt_mta *m);  /* agreed */
uint32_t mlt_mta_protocol(const struct mlt_mta *m); /* agreed */
/* Names of the macros that the filter wants at this MLT_STAGE_, separated by
 * blanks; {NULL, 0} = it did not say. */
struct mlt_bytes mlt_mta_macro_list(const struct mlt_mta *m, unsigned stage);

/* ---- names, for logs ------------------------------------------------------- */
const char *mlt_event_name(enum mlt_event_type t); /* "CONNECT"; never NULL */
const char *mlt_command_name(uint8_t cmd);         /* NULL if unknown */
const char *mlt_reply_name(uint8_t reply);         /* NULL if unknown */
const char *mlt_action_name(uint32_t bit);         /* one MLT_ACT_ bit */
const char *mlt_protocol_name(uint32_t bit);       /* one MLT_PROT_ bit */

#ifdef __cplusplus
}
#endif

#include <milterproto_edit.h>
#include <milterproto_play.h>

#endif
