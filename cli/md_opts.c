/* SPDX-License-Identifier: MIT */
#include "cli/md_opts.h"

#include "core/base/log.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#ifndef MD_SPOOLDIR
#define MD_SPOOLDIR "/var/spool/MIMEDefang"
#endif
#ifndef MD_VERSION
#define MD_VERSION "0"
#endif
#define IP_KEY_FILE    "/etc/mail/mimedefang-ip-key"
#define MACRO_NAME_MAX 200

static int
act_X(void *opts, const char *arg)
{
	struct md_opts *o = opts;

	(void)arg;
	o->fe.scanned_by = "";
	return 0;
}

#define AT(member) offsetof(struct md_opts, member)
#define INT(l, name, member, arg, dflt, min, max, help)                        \
	{                                                                      \
		l, name, OPT_INT, 0, AT(member), arg, dflt, min, max, help,    \
		    NULL                                                       \
	}
#define STR(l, name, flags, member, arg, dflt, help)                           \
	{                                                                      \
		l, name, OPT_STR, flags, AT(member), arg, dflt, 0, 0, help,    \
		    NULL                                                       \
	}
#define LIST(l, name, member, arg, help)                                       \
	{                                                                      \
		l, name, OPT_LIST, 0, AT(member), arg, NULL, 0, 0, help, NULL  \
	}
#define FLAG(l, name, member, help)                                            \
	{                                                                      \
		l, name, OPT_FLAG, 0, AT(member), NULL, NULL, 0, 0, help, NULL \
	}
#define ACT(l, name, flags, member, help, act)                                 \
	{                                                                      \
		l, name, OPT_ACT, flags, AT(member), NULL, NULL, 0, 0, help,   \
		    act                                                        \
	}
/* clang-format off: one row a line */
const struct opt md_option_rows[] = {
	STR('p', "listen", 0, conn, "CONN", NULL,
	    "listen for the MTA: /path, unix:/path, inet:PORT@HOST, "
	    "inet6:PORT@HOST or fd:N; required"),
	STR('m', "multiplexor", OPT_ONCE, mux_socket, "PATH", NULL,
	    "socket of a separate multiplexor; without it the built-in one "
	    "runs, with the options behind --"),
	STR('U', "user", OPT_ONCE, user, "USER", NULL, "run as this user"),
	STR('z', "spool-dir", 0, fe.spool_dir, "DIR", MD_SPOOLDIR,
	    "spool directory, absolute"),
	INT('b', "backlog", backlog, "N", NULL, 5, INT_MAX,
	    "connections that may wait to be accepted, at least 5"),
	FLAG('G', "group-access", fe.group_access,
	    "socket and files are usable by the group"),
	FLAG(
	    'd', "keep-dirs", fe.keep_dirs, "never remove working directories"),
	FLAG('k', "keep-failed", fe.keep_failed,
	    "keep the working directory of a message whose filter failed"),
	FLAG('r', "relay-check", fe.check_relay, "ask the filter at connect"),
	FLAG('H', "helo-check", fe.check_helo, "ask the filter at HELO"),
	FLAG('s', "sender-check", fe.check_sender, "ask the filter at MAIL"),
	FLAG('t', "recipient-check", fe.check_recipient,
	    "ask the filter at each RCPT"),
	FLAG('q', "queue-connections", fe.queue_connections,
	    "accept connections when no worker is free"),
	INT('R', "reserve", fe.reserve, "N", "-1", -1, INT_MAX,
	    "keep N workers for connections from this host"),
	STR('P', "pid-file", OPT_ONCE, pid_file, "FILE", NULL,
	    "write the process id there"),
	STR('o', "lock-file", OPT_ONCE, lock_file, "FILE", NULL,
	    "lock against a second copy (default: the pid file's name and "
	    ".lock)"),
	FLAG('C', "conserve-fds", ignored,
	    "accepted, has no effect: no file is held open"),
	FLAG('T', "log-time", fe.log_time,
	    "log the run time of each message's end"),
	STR('x', "scanned-by", OPT_ONCE, fe.scanned_by, "TEXT",
	    "MIMEDefang " MD_VERSION, "text of X-Scanned-By; empty: none"),
	ACT('X', "no-scanned-by", OPT_ONCE, fe.scanned_by,
	    "add no X-Scanned-By", act_X),
	FLAG('D', "foreground", foreground, "stay in the foreground"),
	FLAG('M', NULL, ignored, "accepted, has no effect"),
	FLAG('N', "skip-bad-recipients", fe.skip_bad_rcpts,
	    "do not look at recipients that the MTA refused"),
	STR('S', "syslog-facility", 0, facility, "NAME", "mail",
	    "syslog facility"),
	LIST('a', "macro", macros, "NAME",
	    "pass this MTA macro to the filter; up to 30"),
	FLAG('c', "strip-cr", fe.strip_cr, "strip bare CR from the body"),
	STR('L', "loopback", OPT_ONCE, fe.loopback, "IP", NULL,
	    "report this client address as 127.0.0.1"),
	FLAG('y', "set-macro-list", fe.set_symlist,
	    "tell the MTA which macros are wanted"),
	STR(0, "ip-key-file", 0, ip_key_file, "FILE", IP_KEY_FILE,
	    "file with the name of the IP validation header"),
	FLAG(0, "log-stderr", log_stderr,
	    "log to standard error instead of syslog"),
	STR(0, "log-format", 0, log_format, "FORMAT", "text",
	    "text, or json: each log line is an object"),
};
/* clang-format on */
const size_t md_option_count =
    sizeof(md_option_rows) / sizeof(md_option_rows[0]);

int
md_opts_check(struct md_opts *o, char *err, size_t errlen)
{
	const size_t path_max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (!o->conn) {
		snprintf(err, errlen, "You must use the `-p' option.");
		return -1;
	}
	if (!*o->conn) {
		snprintf(err, errlen, "Illegal conn: %s", o->conn);
		return -1;
	}
	if (o->mux_socket && strlen(o->mux_socket) > path_max) {
		snprintf(err, errlen,
		    "-m: a socket's path has at most %zu octets, this one has "
		    "%zu",
		    path_max, strlen(o->mux_socket));
		return -1;
	}
	for (size_t i = 0; i < o->macros.n; i++)
		if (strlen(o->macros.v[i]) > MACRO_NAME_MAX) {
			snprintf(err, errlen, "Macro name too long: %s",
			    o->macros.v[i]);
			return -1;
		}
	if (!log_is_format(o->log_format)) {
		snprintf(err, errlen, "--log-format %s: it is text or json",
		    o->log_format);
		return -1;
	}
	o->fe.macros = &o->macros;
	return 0;
}
