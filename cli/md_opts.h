/* SPDX-License-Identifier: MIT */
/*
 * md_opts: every option of `mimedefang`, one row each.  Those of the built-in
 * multiplexor, behind "--", are in multiplexor/mux_opts.
 *
 * A new one is a member (of frontend_opts if the message logic is to see it)
 * and a row; what a row cannot say of its value, md_opts_check says.
 */
#ifndef CLI_MD_OPTS_H
#define CLI_MD_OPTS_H

#include "core/base/opt.h"
#include "core/frontend/frontend_ev.h"

#include <stdbool.h>

/* Strings are borrowed for the life of the process.  Times in seconds, as on
 * the command line. */
struct md_opts {
	struct frontend_opts fe; /* my_ip and validate_header: at start */
	const char *conn;        /* -p */
	const char *mux_socket;  /* -m; NULL = the built-in one */
	const char *user, *pid_file, *lock_file, *facility; /* -U -P -o -S */
	const char *ip_key_file, *log_format;
	long backlog;           /* -b; 0 = as many as possible */
	struct opt_list macros; /* -a */
	/* Who may connect and how much he may use; cli/md_limits */
	long max_sessions; /* 0 = as many as descriptors allow */
	long idle_s, reply_s, max_frame, max_macros, max_output, max_queued;
	const char *allow; /* NULL = everybody */
	struct opt_list allow_users, allow_groups;
	const char *socket_mode, *socket_group;
	long drain_s;
	long mux_connect_s, mux_answer_s; /* with -m */
	bool inherited;  /* in: sockets were handed over, -p is not needed */
	bool foreground; /* -D */
	bool check_config;
	bool print_config, print_builtin; /* by cli/md_cmdline */
	bool log_stderr, no_summary;
	bool ignored; /* -C -M */
};

extern const struct opt md_option_rows[];
extern const size_t md_option_count;

/* Checks what is given and completes fe, which afterwards points into *o.  0,
 * or -1 with one line in err that says which option and what it may be. */
int md_opts_check(struct md_opts *o, char *err, size_t errlen);

#endif
