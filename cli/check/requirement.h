/* SPDX-License-Identifier: MIT */
/*
 * requirement: what a filter, or an MTA, has to do: one row each, in
 * requirement_filter.def (MLT-100 to 299) and requirement_mta.def (MLT-300 to
 * 499).  docs/conformance.md is made from the rows, and each case names the one
 * that it checks.
 */
#ifndef CLI_CHECK_REQUIREMENT_H
#define CLI_CHECK_REQUIREMENT_H

#include <stddef.h>

enum requirement_role {
	REQUIREMENT_FILTER,
	REQUIREMENT_MTA,
	REQUIREMENT_ROLE_N
};

/* In the order of the pages. */
enum requirement_group {
	REQUIREMENT_FRAMING,
	REQUIREMENT_NEGOTIATION,
	REQUIREMENT_MACROS,
	REQUIREMENT_STATE,
	REQUIREMENT_CONTENT,
	REQUIREMENT_EDITS,
	REQUIREMENT_REPLIES,
	REQUIREMENT_TIMING,
	REQUIREMENT_SOCKETS,
	REQUIREMENT_PROCESS,
	REQUIREMENT_GROUP_N
};

enum requirement_strength {
	REQUIREMENT_MUST,    /* else mail is lost, held up or misjudged */
	REQUIREMENT_SHOULD,  /* what no honest peer makes necessary */
	REQUIREMENT_DIFFERS, /* both are right; said, so that one knows */
	REQUIREMENT_STRENGTH_N
};

struct requirement {
	unsigned number; /* of MLT-nnn */
	enum requirement_role role;
	enum requirement_group group;
	enum requirement_strength strength;
	const char *source; /* an anchor in docs/ (its tag and name), an RFC,
			     * or a recorded vector */
	const char *text;   /* one sentence */
};

/* Row i, NULL behind the last; by rising number. */
const struct requirement *requirement_at(size_t i);
const struct requirement *requirement_find(unsigned number); /* or NULL */

/* Words for people; never NULL. */
const char *requirement_role_word(enum requirement_role r);
const char *requirement_group_word(enum requirement_group g);
const char *requirement_strength_word(enum requirement_strength s);

#endif
