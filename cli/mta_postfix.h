/* SPDX-License-Identifier: MIT */
/*
 * mta_postfix: what Postfix's own program says of its configuration: lines
 * "KEY = VALUE" as `postconf -x`, `postconf -x -P` and `postconf -F` print them,
 * one behind the other; other lines, its warnings for example, are passed over.
 * Pure.
 */
#ifndef CLI_MTA_POSTFIX_H
#define CLI_MTA_POSTFIX_H

#include "cli/mta.h"

/* Borrowed, without NUL. */
struct postconf_line {
	const char *key, *value;
	size_t n_key, n_value;
};
/* The next such line from *p on, which moves behind it; false: there is none
 * before end. */
bool postconf_next(const char **p, const char *end, struct postconf_line *line);

/* One milter of a list: "inet:host:port", or "{ inet:host:port, name=value }". */
struct milter_item {
	const char *spec, *options;
	size_t n_spec, n_options;
};
bool milter_item_next(
    const char **p, const char *end, struct milter_item *item);

/* The words that ask for what is read here; NULL ends each. */
extern const char *const postfix_parameters[]; /* of postconf -x */
extern const char *const postfix_overrides[];  /* of postconf -x -P */
extern const char *const postfix_services[];   /* of postconf -F */

/* Fills *m, which says where ours is used; its user is a name only. */
void mta_postfix_read(
    struct mta *m, const struct mta_addr *ours, const char *text, size_t n);

#endif
