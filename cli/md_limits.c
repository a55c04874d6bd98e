/* SPDX-License-Identifier: MIT */
#include "cli/md_limits.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

/* A number that is an id; -1 if it is no number. */
static long
id_number(const char *s)
{
	char *end;
	long v;

	if (*s < '0' || *s > '9')
		return -1;
	v = strtol(s, &end, 10);
	return *end || v > INT32_MAX ? -1 : v;
}

static int
find_users(const struct opt_list *names, struct md_limits *out, char *err,
    size_t errlen)
{
	for (size_t i = 0; i < names->n; i++) {
		long n = id_number(names->v[i]);
		const struct passwd *pw = n < 0 ? getpwnam(names->v[i]) : NULL;

		if (n < 0 && !pw) {
			snprintf(err, errlen,
			    "--allow-user: there is no user \"%s\"",
			    names->v[i]);
			return -1;
		}
		out->uids[i] = pw ? pw->pw_uid : (uid_t)n;
	}
	out->server.uids = out->uids;
	out->server.n_uids = names->n;
	return 0;
}

static int
find_groups(const struct opt_list *names, struct md_limits *out, char *err,
    size_t errlen)
{
	for (size_t i = 0; i < names->n; i++) {
		long n = id_number(names->v[i]);
		const struct group *gr = n < 0 ? getgrnam(names->v[i]) : NULL;

		if (n < 0 && !gr) {
			snprintf(err, errlen,
			    "--allow-group: there is no group \"%s\"",
			    names->v[i]);
			return -1;
		}
		out->gids[i] = gr ? gr->gr_gid : (gid_t)n;
	}
	out->server.gids = out->gids;
	out->server.n_gids = names->n;
	return 0;
}

int
md_limits(
    const struct md_opts *o, struct md_limits *out, char *err, size_t errlen)
{
	*out = (struct md_limits){
		.server = {
			.filter = {
				.max_frame_bytes = (size_t)o->max_frame,
				.max_macro_bytes = (uint32_t)o->max_macros,
			},
			.max_connections = (unsigned)o->max_sessions,
			.idle_ms = (uint64_t)o->idle_s * 1000,
			.reply_ms = (uint64_t)o->reply_s * 1000,
			.max_output_bytes = (size_t)o->max_output,
			.max_queued_bytes = (size_t)o->max_queued,
			.allow = o->allow,
		},
		.listen = {
			.backlog = (int)o->backlog,
			.umask_ = o->fe.group_access ? 007 : 077,
			.remove_dead = true,
			.group = o->socket_group,
		},
	};
	if (o->socket_mode) /* checked */
		out->listen.mode = (unsigned)strtoul(o->socket_mode, NULL, 8);
	if (mlt_server_check(&out->server) == MLT_E_ARG) {
		snprintf(err, errlen,
		    "--allow: '%s' is no list of addresses and prefixes like "
		    "127.0.0.1,192.0.2.0/24",
		    o->allow);
		return -1;
	}
	if (find_users(&o->allow_users, out, err, errlen) < 0)
		return -1;
	return find_groups(&o->allow_groups, out, err, errlen);
}
