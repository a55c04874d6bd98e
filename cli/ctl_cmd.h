/* SPDX-License-Identifier: MIT */
/*
 * ctl_cmd: the commands of md-mx-ctrl, one row each: what is sent, in which
 * form the answer is shown, and the line of help.  Pure.
 *
 * A word that is in no row goes to the multiplexor as it is, which hands it to
 * a worker: filters may define commands of their own.
 */
#ifndef CLI_CTL_CMD_H
#define CLI_CTL_CMD_H

#include "cli/ctl_form.h"

#include <stdbool.h>

enum ctl_local {
	CTL_REMOTE,
	CTL_TOP,
	CTL_WAIT_READY
};

struct ctl_command {
	const char *name;
	const char *sent; /* instead of the name, or NULL */
	const char *arg;  /* the name of its argument, or NULL */
	ctl_form_fn *text, *json;
	enum ctl_class cls;
	const char *key; /* of its value in JSON */
	bool may_be_empty;
	bool is_status; /* refused with "ERROR", others say why */
	enum ctl_local local;
	/* NULL: another name of the row before, or a variant */
	const char *help;
};

/* The row for a request as it was typed (words encoded, no LF).  Never NULL:
 * the last resort is the row of all other commands, which has no name. */
const struct ctl_command *ctl_find(const char *line, size_t n);
/* Whether the row's argument is missing from the request of n octets. */
bool ctl_lacks_arg(const struct ctl_command *c, size_t n);
/* Appends what is to be sent for it, with LF. */
void ctl_request(
    const struct ctl_command *c, const char *line, size_t n, struct buf *out);

/* What comes of an answer. */
struct ctl_shown {
	struct buf out; /* for standard output */
	struct buf err; /* a line that begins with ERROR, or empty */
	int status;     /* exit status */
};
/* in->text, hostname and now are the caller's.  shown: initialised bufs; that
 * one of them failed (no memory, too long) is said in status and err. */
void ctl_show(const struct ctl_command *c, bool json, struct ctl_form_in *in,
    struct ctl_shown *shown);
/* Why there is no answer at all: what went wrong with whom. */
void ctl_show_error(
    bool json, const char *who, const char *why, struct ctl_shown *shown);

/* "  name, name ARG   help" lines; local: only what is answered here. */
void ctl_help(bool local, struct buf *out);
/* The same as .It lines of mdoc. */
void ctl_mdoc(struct buf *out);
/* The names, a line each. */
void ctl_names(struct buf *out);

#endif
