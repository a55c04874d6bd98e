/* SPDX-License-Identifier: MIT */
/*
 * doctor_gather: looks at this host for `mimedefang doctor`: asks postconf, reads
 * sendmail.cf, connects to sockets, loads the filter.  Changes nothing, and ends
 * by itself.
 */
#ifndef CLI_DOCTOR_GATHER_H
#define CLI_DOCTOR_GATHER_H

#include "cli/doctor_facts.h"
#include "cli/md_limits.h"
#include "core/base/buf.h"

struct doctor_where {
	const char *postfix_config; /* NULL = the usual place, if it is there */
	const char *sendmail_cf;
	const char *postconf; /* program; NULL = is looked for */
	const char *mta_user; /* NULL = as the MTA is configured */
};

/* What facts borrow from. */
struct doctor_store {
	struct md_limits limits;
	struct buf features, filter_text;
};

/* f->md and f->mo are set already.  Becomes the user of -U if it can. */
void doctor_gather(struct doctor_facts *f, struct doctor_store *s,
    const struct doctor_where *where);
void doctor_store_free(struct doctor_store *s);

#endif
