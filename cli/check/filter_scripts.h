/* SPDX-License-Identifier: MIT */
/*
 * filter_scripts: what SMTP clients do in the sessions that are played for each
 * MTA (filter_judged.h).
 */
#ifndef CLI_CHECK_FILTER_SCRIPTS_H
#define CLI_CHECK_FILTER_SCRIPTS_H

#include "cli/check/filter.h"

#define SCRIPTS_MAX 20

struct script {
	const char *name;
	struct mlt_play_script play;
};

/* Script i with the message of the command line; borrowed until the next call;
 * NULL behind the last. */
const struct script *script_at(size_t i, const struct filter_opts *o);

#endif
