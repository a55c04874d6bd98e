/* SPDX-License-Identifier: MIT */
/*
 * apply: a change that the session refuses (a name that is none, an action that
 * the MTA did not offer, no memory) is as fatal to the message as a filter that
 * failed: a message with half of its changes was never what the filter wanted.
 */
#include "apply.h"

#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES 32000 /* of NEWBODY; at most twice that on the wire */

static struct mlt_bytes
bytes(const char *s)
{
	return (struct mlt_bytes){ s, strlen(s) };
}

/* rc of the session as our result; says what was refused. */
static int
check(const struct apply_to *to, int rc, const char *operation,
    struct mlt_bytes what)
{
	if (rc >= 0)
		return 0;
	log_msg(LOG_L_WARN, to->ctx, "%s returned MI_FAILURE", operation);
	log_msg(LOG_L_ERR, to->ctx, "Cannot make a change (%s %.*s): %s",
	    operation, (int)(what.n < 200 ? what.n : 200), what.n ? what.p : "",
	    mlt_strerror(rc));
	return -1;
}

/* LF -> CRLF where there is none yet; *last is the octet before p.  Returns the
 * octets in `to`, which has room for 2 * n. */
static size_t
add_cr(char *to, const char *p, size_t n, char *last)
{
	char *first = to;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n' && *last != '\r')
			*to++ = '\r';
		*to++ = *last = p[i];
	}
	return (size_t)(to - first);
}

/* Sends what fd has; 0 or -errno, or an mlt_err in *refused. */
static int
send_body(struct mlt_filter *f, int fd, int *refused)
{
	char piece[PIECE_BYTES], crlf[2 * PIECE_BYTES], last = '\0';
	bool sent = false;

	for (;;) {
		ssize_t n = read(fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0 && sent)
			return 0;
		/* an empty file makes the body empty */
		*refused = mlt_filter_replace_body(
		    f, crlf, add_cr(crlf, piece, (size_t)n, &last));
		if (n == 0 || *refused < 0)
			return 0;
		sent = true;
	}
}

/* All pieces of a body must be contiguous; here nothing else can come between
 * them. */
static int
replace_body(const struct apply_to *to)
{
	struct stat st;
	int fd, rc = 0, refused = 0;

	fd = openat(to->mail->dir.w.fd, "NEWBODY",
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	else
		rc = send_body(to->session, fd, &refused);
	if (fd >= 0)
		close(fd);
	if (rc == 0)
		return check(to, refused, "smfi_replacebody", bytes("NEWBODY"));
	log_msg(LOG_L_WARN, to->ctx,
	    "Could not open %s/%s/NEWBODY for reading: %s", to->spool_path,
	    to->mail->dir.name, strerror(-rc));
	return -1;
}

static int
change_header(const struct apply_to *to, uint32_t index, struct mlt_bytes name,
    struct mlt_bytes value)
{
	return check(to,
	    mlt_filter_change_header(to->session, index, name, value),
	    "smfi_chgheader", name);
}

static int
content_type(const struct apply_to *to, struct mlt_bytes value)
{
	int rc = 0;

	if (value.n)
		rc = change_header(to, 1, bytes("Content-Type"), value);
	if (rc == 0 && !to->mail->mime_version)
		rc = change_header(to, 1, bytes("MIME-Version"), bytes("1.0"));
	return rc;
}

static int
apply_one(const struct apply_to *to, const struct result *r)
{
	static const struct mlt_bytes none = { NULL, 0 };
	struct mlt_filter *f = to->session;

	switch (r->op) {
	case RESULT_ADD_HEADER:
		return check(to, mlt_filter_add_header(f, r->name, r->value),
		    "smfi_addheader", r->name);
	case RESULT_INSERT_HEADER:
		return check(to,
		    mlt_filter_insert_header(f, r->index, r->name, r->value),
		    "smfi_insheader", r->name);
	case RESULT_CHANGE_HEADER:
		return change_header(to, r->index, r->name, r->value);
	case RESULT_DELETE_HEADER:
		return change_header(to, r->index, r->name, bytes(""));
	case RESULT_ADD_RCPT:
		return check(to, mlt_filter_add_rcpt(f, r->value, none),
		    "smfi_addrcpt", r->value);
	case RESULT_DELETE_RCPT:
		return check(to, mlt_filter_delete_rcpt(f, r->value),
		    "smfi_delrcpt", r->value);
	case RESULT_CHANGE_FROM:
		return check(to, mlt_filter_change_from(f, r->value, none),
		    "smfi_chgfrom", r->value);
	case RESULT_QUARANTINE:
		/* An MTA ignores an empty reason; the filter wants the message
		 * held all the same.  choice:quarantine-reason */
		return check(to,
		    mlt_filter_quarantine(
			f, r->value.n ? r->value : bytes("no reason")),
		    "smfi_quarantine", r->value);
	case RESULT_CONTENT_TYPE:
		return content_type(to, r->value);
	case RESULT_REPLACE_BODY:
		return replace_body(to);
	case RESULT_INCOMPLETE:
		log_msg(LOG_L_WARN, to->ctx,
		    "Missing argument of command '%c' in RESULTS file",
		    r->letter);
		break;
	case RESULT_UNKNOWN:
		log_msg(LOG_L_WARN, to->ctx,
		    "Unknown command '%.1s' in RESULTS file", &r->letter);
		break;
	}
	return 0;
}

/* An MTA counts header fields of a name in any case, and some count on after a
 * deletion while others do not: from the last to the first is right for all. */
static int
delete_fields(
    const struct apply_to *to, const char *name, unsigned from, unsigned downto)
{
	int rc = 0;

	while (rc == 0 && from >= downto)
		rc = change_header(to, from--, bytes(name), bytes(""));
	return rc;
}

static int
apply_own(const struct apply_to *to)
{
	const struct mail *m = to->mail;
	int rc = 0;

	if (*to->scanned_by) {
		char value[1000];

		snprintf(value, sizeof(value), "%s%s%s", to->scanned_by,
		    *to->my_ip ? " on " : "", to->my_ip);
		rc = check(to,
		    mlt_filter_add_header(
			to->session, bytes("X-Scanned-By"), bytes(value)),
		    "smfi_addheader", bytes("X-Scanned-By"));
	}
	if (rc == 0 && m->n_validation)
		rc = delete_fields(to, to->validation, m->n_validation, 1);
	if (rc == 0 && m->n_content_type > 1) {
		log_msg(LOG_L_WARN, to->ctx,
		    "WARNING: %u Content-Type headers found -- deleting all "
		    "but first",
		    m->n_content_type);
		rc = delete_fields(to, "Content-Type", m->n_content_type, 2);
	}
	return rc;
}

int
apply_results(const struct apply_to *to, const struct results *r)
{
	bool body_replaced = false;

	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].op == RESULT_REPLACE_BODY) {
			if (body_replaced)
				continue;
			body_replaced = true;
		}
		if (apply_one(to, &r->v[i]) < 0)
			return -1;
	}
	return r->end == RESULTS_DONE ? apply_own(to) : 0;
}
