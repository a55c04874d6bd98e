/* SPDX-License-Identifier: MIT */
/*
 * mta_sendmail: the few lines of a sendmail.cf that say how milters are used:
 * X lines, and the options InputMailFilters, DaemonPortOptions,
 * Milter.macros.*, MaxMessageSize, RunAsUser and DontBlameSendmail.  A line that
 * begins with a blank goes on with the one before.  Everything else is passed
 * over.  Pure.
 */
#ifndef CLI_MTA_SENDMAIL_H
#define CLI_MTA_SENDMAIL_H

#include "cli/mta.h"

/* Fills *m, which says where ours is used; its user is a name only, "root" if
 * the file names none. */
void mta_sendmail_read(
    struct mta *m, const struct mta_addr *ours, const char *text, size_t n);

/* The next "NAME=VALUE" of a list by commas, both without blanks around, with
 * "=VALUE" perhaps missing (n_value 0); *p moves behind it.  False: none before
 * end. */
struct cf_field {
	const char *name, *value;
	size_t n_name, n_value;
};
bool cf_field_next(
    const char **p, const char *end, char separator, struct cf_field *field);

#endif
