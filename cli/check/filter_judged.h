/* SPDX-License-Identifier: MIT */
/*
 * filter_judged: sessions that an MTA of the profile would lead, played once and
 * kept, and what was said and heard in them, command by command.
 *
 * A case looks at all of them.  So one conversation serves many requirements,
 * and each is judged alone.
 */
#ifndef CLI_CHECK_FILTER_JUDGED_H
#define CLI_CHECK_FILTER_JUDGED_H

#include "cli/check/filter.h"

struct judged_reply {
	uint8_t octet;
	const uint8_t *payload;
	size_t n;
	uint64_t us;
	bool whole; /* false: no frame, payload is what came */
};

/* One command and what came before the next one. */
struct judged_command {
	uint8_t octet;
	const uint8_t *payload; /* as much as the transcript has kept */
	size_t n;
	uint64_t us;
	bool due; /* an answer was owed to it, as agreed */
	const struct judged_reply *replies;
	size_t n_replies;
};

struct judged_session {
	const char *name; /* what it is about */
	struct transcript transcript;
	struct judged_command *commands;
	size_t n_commands;
	struct judged_reply *replies;
	size_t n_replies;
	/* the offer, and what was agreed; version 0: nothing was */
	uint32_t version, actions, protocol;
	struct mlt_mta_opts offer;
	struct mlt_play_times times; /* that the MTA grants */
	bool silent; /* at the end an answer was owed and did not come */
	bool closed; /* ... since the filter closed */
	bool quit;   /* QUIT was said */
	bool left;   /* the filter closed behind QUIT */
};

/* PASS, FAIL with a line in why, or NOT_APPLICABLE. */
typedef enum check_result judged_judge(
    const struct judged_session *s, struct buf *why);

/* Looks at all sessions of the profile, playing them if they were not yet.  The
 * first FAIL counts, with that session as transcript; else PASS if there was
 * one; else NOT_APPLICABLE because of `nothing`. */
enum check_result judged_all(
    struct check_run *run, judged_judge *judge, const char *nothing);
void judged_free(struct filter *f);

/* A run function for a table of cases. */
#define JUDGED(function, judge, nothing)                                       \
	static enum check_result function(struct check_run *run)               \
	{                                                                      \
		return judged_all(run, judge, nothing);                        \
	}

/* Each reply of a session with the command that it came for. */
#define JUDGED_EACH(s, c, r)                                                   \
	for (const struct judged_command *c = (s)->commands;                   \
	     c < (s)->commands + (s)->n_commands; c++)                         \
		for (const struct judged_reply *r = c->replies;                \
		     r < c->replies + c->n_replies; r++)

bool judged_is_edit(uint8_t octet); /* or PROGRESS: not final */

#endif
