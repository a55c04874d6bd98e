/* SPDX-License-Identifier: MIT */
#include "cli/md_opts.h"

#include "core/base/log.h"
#include "core/frontend/spare.h"

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
#define MACROS_MAX     30
#define MACRO_NAME_MAX 200
#define SCANNED_BY_MAX 900 /* a line of a message has 998; RFC 5322 2.1.1 */

static int
act_X(void *opts, const char *arg)
{
	struct md_opts *o = opts;

	(void)arg;
	o->fe.scanned_by = "";
	return 0;
}

#define AT(member) offsetof(struct md_opts, member)
#define INT(l, name, flags, member, arg, dflt, min, max, help)                 \
	{                                                                      \
		l, name, OPT_INT, flags, AT(member), arg, dflt, min, max,      \
		    help, NULL                                                 \
	}
#define LIMIT(name, member, arg, dflt, min, max, help)                         \
	{                                                                      \
		0, name, OPT_INT, OPT_STRICT, AT(fe.limits.member), arg, dflt, \
		    min, max, help, NULL                                       \
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
#define MODE(name, member, help)                                               \
	{                                                                      \
		0, name, OPT_FLAG, OPT_MODE, AT(member), NULL, NULL, 0, 0,     \
		    help, NULL                                                 \
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
	INT('b', "backlog", 0, backlog, "N", NULL, 5, INT_MAX,
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
	INT('R', "reserve", 0, fe.reserve, "N", "-1", -1, INT_MAX,
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
	LIMIT("memory", memory_bytes, "BYTES", "65536", 1, 1 << 30,
	    "a message larger than this goes to disk while it arrives"),
	LIMIT("max-message", message_bytes, "BYTES", "0", 0, LONG_MAX,
	    "refuse larger messages; 0: no limit"),
	LIMIT("max-headers", headers, "N", "10000", 0, INT_MAX,
	    "refuse messages with more header fields; 0: no limit"),
	LIMIT("max-header-bytes", header_bytes, "BYTES", "4194304", 0, LONG_MAX,
	    "refuse messages with a larger header; 0: no limit"),
	LIMIT("max-request", request_bytes, "BYTES", "4094", 1024, 16382,
	    "longest request to a multiplexor, which must take it too; "
	    "MIMEDefang's takes 4094"),
	LIMIT("max-results", results_bytes, "BYTES", "1048576", 65535, 1 << 30,
	    "largest RESULTS of a filter"),
	LIMIT("max-results-line", results_line, "BYTES", "65535", 16382,
	    1 << 30, "longest line of RESULTS"),
	LIMIT("max-delay", delay_s, "SECS", "300", 1, 86400,
	    "longest delay before a reply that a filter may ask for"),
	LIMIT("min-free", min_free_kb, "KB", "64", 0, INT_MAX,
	    "refuse messages for now when less is free in the spool; 0: never"),
	INT(0, "sweep-age", OPT_STRICT, fe.sweep_age_h, "HOURS", "72", 0, 87600,
	    "at start, remove working directories of a crash that are as old; "
	    "0: none"),
	INT(0, "spare-dirs", OPT_STRICT, fe.spare_dirs, "N", "16", 0, SPARE_MAX,
	    "keep up to N emptied working directories for the next messages; "
	    "0: none"),
	FLAG(0, "no-log-summary", no_summary,
	    "do not log one line for each message"),
	STR(0, "log-format", 0, log_format, "FORMAT", "text",
	    "text, or json: each log line is an object"),
	INT(0, "drain-time", OPT_STRICT, drain_s, "SECS", "25", 0, 86400,
	    "how long messages in progress may go on after SIGTERM; less than "
	    "what the service manager waits"),
	INT(0, "mux-connect-timeout", OPT_STRICT, mux_connect_s, "SECS", "10",
	    1, 3600,
	    "how long the multiplexor of -m may take to accept a connection or "
	    "a request, or to show a sign of life"),
	INT(0, "mux-timeout", OPT_STRICT, mux_answer_s, "SECS", "900", 1, 86400,
	    "how long it may take to answer; above its busy and queue times"),
	STR(0, "socket-mode", 0, socket_mode, "OCTAL", NULL,
	    "mode of the UNIX socket of -p, like 0660 (default: by -G)"),
	STR(0, "socket-group", 0, socket_group, "GROUP", NULL,
	    "group of the UNIX socket of -p, one of the user's"),
	STR(0, "allow", 0, allow, "ADDRESSES", NULL,
	    "who may connect by inet and inet6: addresses and prefixes like "
	    "127.0.0.1,192.0.2.0/24,2001:db8::/32 (default: everybody)"),
	LIST(0, "allow-user", allow_users, "USER",
	    "who may connect by UNIX socket, beside -G and the mode; "
	    "repeatable"),
	LIST(0, "allow-group", allow_groups, "GROUP",
	    "likewise, whose effective group it is; repeatable"),
	INT(0, "max-sessions", OPT_STRICT, max_sessions, "N", "0", 0, 1000000,
	    "sessions at a time, others wait to be accepted; 0: as many as "
	    "descriptors allow"),
	INT(0, "idle-timeout", OPT_STRICT, idle_s, "SECS", "7210", 1, 1000000,
	    "close a session when the MTA says nothing for as long; above "
	    "every time-out of SMTP"),
	INT(0, "reply-timeout", OPT_STRICT, reply_s, "SECS", "3600", 1, 1000000,
	    "answer with tempfail and close a session whose answer takes "
	    "longer"),
	INT(0, "max-frame", OPT_STRICT, max_frame, "BYTES", "65535", 65535,
	    16777216,
	    "largest piece that the MTA may send; larger ones close the "
	    "session"),
	INT(0, "max-macros", OPT_STRICT, max_macros, "BYTES", "65536", 4096,
	    16777216,
	    "macros of the MTA that a session may hold; more close it"),
	INT(0, "max-output", OPT_STRICT, max_output, "BYTES", "1048576", 65536,
	    1073741824,
	    "do not read from an MTA while as much waits to be read by it"),
	INT(0, "max-queued", OPT_STRICT, max_queued, "BYTES", "268435456",
	    1048576, 1099511627776,
	    "close a session for which more waits; above any replaced body"),
	MODE("check-config", check_config,
	    "check options, user, files, sockets, multiplexor and filter, "
	    "changing nothing; say each finding and exit"),
};
/* clang-format on */
const size_t md_option_count =
    sizeof(md_option_rows) / sizeof(md_option_rows[0]);

/* Three or four octal digits, and who owns the socket can use it. */
static bool
is_mode(const char *s)
{
	size_t n = strspn(s, "01234567");

	return !s[n] && (n == 3 || (n == 4 && *s == '0')) && s[n - 3] >= '6';
}

/* It is a header's value. */
static int
check_scanned_by(const char *s, char *err, size_t errlen)
{
	size_t n = s ? strlen(s) : 0;

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f) {
			snprintf(err, errlen,
			    "-x: a control character cannot be in a header");
			return -1;
		}
	if (n <= SCANNED_BY_MAX)
		return 0;
	snprintf(err, errlen,
	    "-x: the text has at most %d octets, this one has %zu",
	    SCANNED_BY_MAX, n);
	return -1;
}

int
md_opts_check(struct md_opts *o, char *err, size_t errlen)
{
	const size_t path_max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (!o->conn && !o->inherited) {
		snprintf(err, errlen, "You must use the `-p' option.");
		return -1;
	}
	if (o->conn && !*o->conn) {
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
	if (o->socket_mode && !is_mode(o->socket_mode)) {
		snprintf(err, errlen,
		    "--socket-mode: '%s' is not an octal mode like 0660 that "
		    "lets the owner read and write",
		    o->socket_mode);
		return -1;
	}
	if (o->max_queued < o->max_output) {
		snprintf(err, errlen,
		    "--max-queued: %ld is less than --max-output, %ld",
		    o->max_queued, o->max_output);
		return -1;
	}
	if (o->macros.n > MACROS_MAX) {
		snprintf(err, errlen, "Too many Sendmail macros (max %d)",
		    MACROS_MAX);
		return -1;
	}
	for (size_t i = 0; i < o->macros.n; i++)
		if (strlen(o->macros.v[i]) > MACRO_NAME_MAX) {
			snprintf(err, errlen, "Macro name too long: %s",
			    o->macros.v[i]);
			return -1;
		}
	if (check_scanned_by(o->fe.scanned_by, err, errlen) < 0)
		return -1;
	if (!log_is_format(o->log_format)) {
		snprintf(err, errlen, "--log-format %s: it is text or json",
		    o->log_format);
		return -1;
	}
	o->fe.macros = &o->macros;
	o->fe.log_summary = !o->no_summary;
	return 0;
}
