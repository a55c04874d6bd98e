/* SPDX-License-Identifier: MIT */
/*
 * md_limits: the options of `mimedefang` about who may connect and how much he
 * may use, as the milter server wants to have them.
 */
#ifndef CLI_MD_LIMITS_H
#define CLI_MD_LIMITS_H

#include "cli/md_opts.h"

#include <milterproto_server.h>

struct md_limits {
	struct mlt_server_opts server; /* points into this struct */
	struct mlt_listen_opts listen;
	uid_t uids[OPT_LIST_MAX];
	gid_t gids[OPT_LIST_MAX];
};

/* Looks users and groups up.  o (checked) is borrowed for the life of *out.
 * 0, or -1 with one line in err that says which option and what it may be. */
int md_limits(
    const struct md_opts *o, struct md_limits *out, char *err, size_t errlen);

#endif
