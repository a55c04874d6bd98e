/* SPDX-License-Identifier: MIT */
/*
 * requirement: the table and its words (requirement.h).
 */
#include "cli/check/requirement.h"

static const struct requirement rows[] = {
#define REQUIREMENT(n, r, g, s, source, text)                                  \
	{ n, REQUIREMENT_##r, REQUIREMENT_##g, REQUIREMENT_##s, source, text },
#include "cli/check/requirement_filter.def"
#include "cli/check/requirement_mta.def"
#undef REQUIREMENT
};

const struct requirement *
requirement_at(size_t i)
{
	return i < sizeof(rows) / sizeof(*rows) ? &rows[i] : NULL;
}

const struct requirement *
requirement_find(unsigned number)
{
	const struct requirement *r;

	for (size_t i = 0; (r = requirement_at(i)); i++) {
		if (r->number == number)
			return r;
	}
	return NULL;
}

const char *
requirement_role_word(enum requirement_role r)
{
	return r == REQUIREMENT_FILTER ? "filter" : "mta";
}

const char *
requirement_group_word(enum requirement_group g)
{
	static const char *const words[REQUIREMENT_GROUP_N] = { "framing",
		"negotiation", "macros", "state", "content", "edits", "replies",
		"timing", "sockets", "process" };

	return words[g];
}

const char *
requirement_strength_word(enum requirement_strength s)
{
	static const char *const words[REQUIREMENT_STRENGTH_N] = { "must",
		"should", "differs" };

	return words[s];
}
