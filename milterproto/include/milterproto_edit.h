/* SPDX-License-Identifier: MIT */
/*
 * milterproto_edit.h: what a filter's requests do to a message.
 *
 * A `struct mlt_edit` holds one message as the MTA has it (envelope, header
 * fields, body).  Load it, give it what mlt_mta_next reported as changes, and
 * read the result: the message that Sendmail or Postfix would deliver.  Facts
 * and the places where the MTAs differ: docs/edit.md.
 *
 *	while ((rc = mlt_mta_next(m, &a)) > 0 && !a.final)
 *		if ((rc = mlt_edit_apply(e, &a)) < 0)
 *			break;
 *
 * Only when the final reply is CONTINUE or ACCEPT does the result count; after
 * another one the changes are void and so is the object.  spec:edit-order
 */
#ifndef MILTERPROTO_EDIT_H
#define MILTERPROTO_EDIT_H

#include <milterproto.h>

#ifdef __cplusplus
extern "C" {
#endif

enum mlt_edit_rule {
	MLT_EDIT_SENDMAIL,
	MLT_EDIT_POSTFIX
};

enum mlt_edit_kind {
	MLT_EDIT_SEEN,   /* shown to filters: the client's, or a filter's */
	MLT_EDIT_OWN,    /* the MTA's Received, hidden from filters */
	MLT_EDIT_DEFAULT /* hidden too: one that Sendmail makes where the
			  * message has none; a filter's takes its place */
};

enum {
	MLT_EDIT_IGNORED = 1 /* a result: nothing changed, as with this MTA */
};

/* The limits bound what a hostile filter can make the caller hold, count also
 * when loading, and are TOOBIG when reached; 0 = default.  spec:edit-limits */
struct mlt_edit_opts {
	enum mlt_edit_rule rule;
	uint32_t actions, protocol; /* as agreed: mlt_mta_actions, _protocol;
				     * used: CHGBODY, HDR_LEADSPC */
	uint32_t max_headers;       /* deleted ones may count; 4096 */
	uint32_t max_rcpts;         /* 10000 */
	size_t max_bytes;           /* all octets of content, 64 MiB; at most
				     * 1 GiB */
};

struct mlt_edit;

/* NOMEM, ARG (max_bytes over 1 GiB, a count over 2^24).  opts is copied; NULL = Sendmail, nothing
 * agreed, default limits. */
int mlt_edit_new(struct mlt_edit **out, const struct mlt_edit_opts *opts);
void mlt_edit_free(struct mlt_edit *e); /* NULL is allowed */

/* ---- loading: everything is copied; STATE after the first apply ----------- */

/* The sender, and one recipient, as in MAIL and RCPT; ESMTP parameters
 * separated by blanks, {NULL, 0} = none.  NOMEM STATE TOOBIG, ARG (control
 * characters). */
int mlt_edit_from(
    struct mlt_edit *e, struct mlt_bytes addr, struct mlt_bytes esmtp);
int mlt_edit_rcpt(
    struct mlt_edit *e, struct mlt_bytes addr, struct mlt_bytes esmtp);
/* The next header field, from the top: the value is all that follows the
 * colon, its blank too; lines of a fold end in LF or CRLF.  NOMEM STATE TOOBIG,
 * ARG (name empty, not printable or with a colon or blank; value with NUL or a
 * line that does not begin with a blank). */
int mlt_edit_header(struct mlt_edit *e, enum mlt_edit_kind kind,
    struct mlt_bytes name, struct mlt_bytes value);
/* The next piece of the body; lines end in CRLF or LF.  NOMEM STATE TOOBIG. */
int mlt_edit_body(struct mlt_edit *e, const void *p, size_t n);

/* ---- changing --------------------------------------------------------------- */

/* 0, or MLT_EDIT_IGNORED.  NOMEM: nothing changed, may be repeated.  ARG: not
 * a change (a final reply).  After the others this MTA refuses or defers the
 * message, and each later apply gives the same code: PROTO (the filter is at
 * fault), AGREED (REPLBODY that Sendmail did not allow), TOOBIG (a limit). */
__attribute__((warn_unused_result)) int mlt_edit_apply(
    struct mlt_edit *e, const struct mlt_action *a);
/* The next filter in the chain begins, with what it agreed: its indices do
 * not count what others deleted, its first REPLBODY replaces again. */
void mlt_edit_next_filter(
    struct mlt_edit *e, uint32_t actions, uint32_t protocol);

/* ---- the result: borrowed until the next apply, next_filter or free -------- */

/* Addresses are without angle brackets: the null sender is empty. */
struct mlt_edit_address {
	struct mlt_bytes addr, esmtp;
};
struct mlt_edit_field {
	struct mlt_bytes name, value; /* value as for mlt_edit_header, LF */
	enum mlt_edit_kind kind;      /* filters see SEEN only */
};

/* addr.p is NULL as long as none was given. */
struct mlt_edit_address mlt_edit_get_from(const struct mlt_edit *e);
/* The next one; *at is 0 before the first.  false: there is none. */
bool mlt_edit_next_rcpt(
    const struct mlt_edit *e, size_t *at, struct mlt_edit_address *out);
bool mlt_edit_next_header(
    const struct mlt_edit *e, size_t *at, struct mlt_edit_field *out);
/* Lines end in LF. */
struct mlt_bytes mlt_edit_get_body(const struct mlt_edit *e);
/* The reason, of which Postfix knows 100 octets; {NULL, 0} = deliver. */
struct mlt_bytes mlt_edit_get_quarantine(const struct mlt_edit *e);

/* The message in CRLF form: all headers, an empty line, the body.  Returns its
 * length; writes it only if `room` is enough (ask with NULL, 0). */
size_t mlt_edit_render(const struct mlt_edit *e, char *to, size_t room);

#ifdef __cplusplus
}
#endif
#endif
