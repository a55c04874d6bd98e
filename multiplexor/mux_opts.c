/* SPDX-License-Identifier: MIT */
/*
 * mux_opts: every option of the multiplexor (mux_opts.h).
 *
 * Numbers out of range are moved into it without a word, as users of these
 * letters expect; only what cannot be meant is refused.
 */
#include "mux_opts.h"

#include "core/base/log.h"
#include "core/base/sockspec.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef MD_WORKER_PATH
#define MD_WORKER_PATH "/usr/bin/mimedefang.pl"
#endif
#ifndef MD_SPOOLDIR
#define MD_SPOOLDIR "/var/spool/MIMEDefang"
#endif

#define QUEUE_MAX      128
#define TICK_TYPES_MAX 30
#define BACKLOG_MIN    5
#define BACKLOG_MAX    200

#define AT(member) offsetof(struct mux_opts, member)
#define INT(l, name, member, arg, dflt, min, max, help)                        \
	{                                                                      \
		l, name, OPT_INT, OPT_NUMERIC, AT(member), arg, dflt, min,     \
		    max, help, NULL                                            \
	}
#define OWN(name, member, arg, dflt, min, max, help)                           \
	{                                                                      \
		0, name, OPT_INT, OPT_STRICT, AT(member), arg, dflt, min, max, \
		    help, NULL                                                 \
	}
#define STR(l, name, member, arg, dflt, help)                                  \
	{                                                                      \
		l, name, OPT_STR, 0, AT(member), arg, dflt, 0, 0, help, NULL   \
	}
#define FLAG(l, name, member, help)                                            \
	{                                                                      \
		l, name, OPT_FLAG, 0, AT(member), NULL, NULL, 0, 0, help, NULL \
	}
/* clang-format off: one row a line */
const struct opt mux_option_rows[] = {
	INT('m', "min-workers", min_workers, "N", "1", 1, LONG_MAX,
	    "workers to keep running"),
	INT('x', "max-workers", max_workers, "N", "2", 1, INT_MAX,
	    "most workers at a time"),
	INT('r', "max-requests", max_requests, "N", "500", 1, INT_MAX,
	    "replace a worker after as many requests"),
	INT('V', "max-lifetime", max_lifetime_s, "SECS", "-1", -1, INT_MAX,
	    "replace a worker as long after its first request; -1: never"),
	INT('i', "idle-timeout", idle_s, "SECS", "300", 10, INT_MAX,
	    "stop workers beyond -m that are idle as long"),
	INT('b', "busy-timeout", busy_s, "SECS", "120", 10, INT_MAX,
	    "kill a worker that needs longer for a request"),
	INT('c', "client-timeout", client_s, "SECS", "10", 10, INT_MAX,
	    "time for a client to send a request and to take the answer"),
	INT('w', "start-delay", start_delay_s, "SECS", "3", 1, INT_MAX,
	    "between two starts while filling up to -m"),
	INT('W', "min-start-delay", start_min_s, "SECS", "0", 0, INT_MAX,
	    "between any two starts"),
	INT('q', "queue-size", queue_max, "N", "0", 0, LONG_MAX,
	    "requests that may wait for a worker, up to 128"),
	INT('Q', "queue-timeout", queue_s, "SECS", "30", 1, 600,
	    "how long a request may wait"),
	INT('I', "backlog", backlog, "N", NULL, BACKLOG_MIN, BACKLOG_MAX,
	    "connections that may wait to be accepted (default: -x / 4)"),
	INT('y', "per-domain", per_domain, "N", "0", 0, INT_MAX,
	    "recipok requests of one domain at a time; 0: any number"),
	INT('R', "max-rss", max_rss_kb, "KB", "0", 0, LONG_MAX / 1024,
	    "limit of a worker's resident memory"),
	INT('M', "max-memory", max_as_kb, "KB", "0", 0, LONG_MAX / 1024,
	    "limit of a worker's address space"),
	INT('X', "tick-interval", tick_s, "SECS", "0", 0, INT_MAX,
	    "run the filter's tick function as often; 0: never"),
	INT('P', "tick-types", tick_types, "N", "1", 1, TICK_TYPES_MAX,
	    "kinds of tick that run beside each other, up to 30"),
	OWN("scale-interval", scale_s, "SECS", "15", 1, 3600,
	    "with -k: look at the load as often"),
	OWN("scale-out", scale_out, "PERCENT", "80", 1, 100,
	    "with -k: start workers when more than these are busy"),
	OWN("scale-in", scale_in, "PERCENT", "30", 0, 99,
	    "with -k: stop workers when less than these are busy"),
	OWN("scale-step", scale_step, "N", "1", 1, 1000,
	    "with -k: start or stop as many workers at a time"),
	INT('L', "log-status", status_log_s, "SECS", "0", 0, INT_MAX,
	    "log a status line as often; 0: never"),
	STR('s', "socket", socket, "PATH", NULL,
	    "request socket (default: mimedefang-multiplexor.sock in -z)"),
	STR('a', "open-socket", open_socket, "SOCKET", NULL,
	    "socket for reports to everybody: /path, unix:/path, inet:PORT, "
	    "inet_any:PORT, inet6:PORT or inet6_any:PORT"),
	STR('O', "notify-socket", notify_socket, "SOCKET", NULL,
	    "socket that tells listeners what happens, as for -a"),
	STR('N', "map-socket", map_socket, "SOCKET", NULL,
	    "socket for Sendmail's socket maps, as for -a"),
	INT(0, "max-clients", max_clients, "N", "10000", 0, INT_MAX,
	    "connections on -s and -a at a time; 0: any number"),
	INT(0, "max-open-clients", open_max, "N", "20", 1, INT_MAX,
	    "connections on -a that have not sent their request"),
	INT(0, "max-request", request_bytes, "BYTES", "4094", 1024, 65536,
	    "longest request that a worker gets"),
	INT(0, "max-answer", answer_bytes, "BYTES", "4096", 4096, 16382,
	    "a longer answer of a worker is cut"),
	INT(0, "max-listeners", max_listeners, "N", "5", 1, INT_MAX,
	    "listeners on -O at a time"),
	INT(0, "listener-buffer", listener_bytes, "BYTES", "65536", 256,
	    INT_MAX, "messages that may wait for a slow listener on -O"),
	INT(0, "max-map-clients", max_map_clients, "N", "1000", 1, INT_MAX,
	    "connections on -N at a time"),
	INT(0, "map-idle", map_idle_s, "SECS", "3600", 0, INT_MAX,
	    "close a connection on -N that is idle as long; 0: never"),
	INT(0, "max-in-flight", in_flight, "N", "1024", 1, 65536,
	    "requests without an answer on a pipelined connection"),
	INT(0, "pipeline-idle", pipeline_idle_s, "SECS", "3600", 0, INT_MAX,
	    "close a pipelined connection that is idle as long; 0: never"),
	STR('z', "spool", spool_dir, "DIR", MD_SPOOLDIR, "spool directory"),
	STR('f', "worker", worker, "PATH", MD_WORKER_PATH, "worker program"),
	STR('F', "filter", filter, "PATH", NULL,
	    "filter file for the worker program"),
	STR('t', "stats-file", stats_file, "FILE", NULL,
	    "append a line there for each event"),
	FLAG('T', "stats-syslog", stats_syslog, "log a line for each event"),
	FLAG('u', "stats-flush", stats_flush, "write each line of -t at once"),
	FLAG('l', "log-events", log_events,
	    "log what happens to workers, and what they write to stderr"),
	FLAG('A', "log-scheduling", log_scheduling,
	    "log which worker gets a request"),
	FLAG('Z', "status-updates", status_fd,
	    "let workers report what they do"),
	FLAG('k', "autoscale", autoscale,
	    "start and stop workers ahead of need, as the load demands"),
	FLAG('E', "zygote", zygote,
	    "load the filter once and fork workers from that process"),
	STR(0, "zygote-dir", zygote_dir, "DIR", NULL,
	    "with -E: where to make pipes (default: /dev/shm, else -z)"),
	FLAG('d', "debug-events", ignored, "accepted, has no effect"),
	FLAG('G', "group-access", group_access,
	    "let the group use the socket and read files"),
	STR('U', "user", user, "NAME", NULL, "run as this user"),
	STR('p', "pid-file", pid_file, "FILE", NULL, "write the pid there"),
	STR('o', "lock-file", lock_file, "FILE", NULL,
	    "lock this (default: the pid file's name and .lock)"),
	STR('S', "facility", facility, "NAME", "mail", "syslog facility"),
	STR('Y', "log-label", label, "TEXT", "mimedefang-multiplexor",
	    "syslog tag"),
	FLAG('D', "foreground", foreground, "stay in the foreground"),
	FLAG(0, "log-stderr", log_stderr,
	    "log to standard error instead of syslog"),
	STR(0, "log-format", log_format, "FORMAT", NULL,
	    "text (the default), or json: each log line is an object"),
};
/* clang-format on */
const size_t mux_option_count =
    sizeof(mux_option_rows) / sizeof(mux_option_rows[0]);

static bool
starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static int
check_socket(struct mux_opts *o, char *err, size_t errlen)
{
	char *path;

	if (!o->socket) {
		if (asprintf(&path, "%s/mimedefang-multiplexor.sock",
			o->spool_dir) < 0) {
			snprintf(err, errlen, "Out of memory");
			return -1;
		}
		o->socket = path;
		return 0;
	}
	if (starts_with(o->socket, "inet")) {
		snprintf(err, errlen,
		    "Argument to -s option must be a UNIX-domain socket, not a "
		    "TCP socket.");
		return -1;
	}
	if (starts_with(o->socket, "unix:"))
		o->socket += strlen("unix:");
	else if (starts_with(o->socket, "local:"))
		o->socket += strlen("local:");
	return 0;
}

/* The sockets that may be elsewhere than in the file system, too. */
static int
check_other_sockets(const struct mux_opts *o, char *err, size_t errlen)
{
	const struct {
		char letter;
		const char *spec;
	} sockets[] = { { 'a', o->open_socket }, { 'O', o->notify_socket },
		{ 'N', o->map_socket } };
	struct sockspec where;
	char why[200];

	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		if (!sockets[i].spec || sockspec_parse(&where, sockets[i].spec,
					    why, sizeof(why)) == 0)
			continue;
		snprintf(err, errlen, "-%c %s: %s", sockets[i].letter,
		    sockets[i].spec, why);
		return -1;
	}
	return 0;
}

/* Workers run in the spool directory; whoever gives a relative path means it
 * from where he stands.  choice:relative-filter */
static int
check_filter(struct mux_opts *o, char *err, size_t errlen)
{
	char *cwd, *path;
	int n;

	if (!o->filter || o->filter[0] == '/')
		return 0;
	cwd = getcwd(NULL, 0);
	n = cwd ? asprintf(&path, "%s/%s", cwd, o->filter) : -1;
	free(cwd);
	if (n < 0) {
		snprintf(err, errlen,
		    "-F %s: cannot tell the current directory; give an "
		    "absolute path",
		    o->filter);
		return -1;
	}
	o->filter = path;
	return 0;
}

static long
default_backlog(const struct mux_opts *o)
{
	long n = o->max_workers / 4;

	return n < BACKLOG_MIN   ? BACKLOG_MIN
	       : n > BACKLOG_MAX ? BACKLOG_MAX
				 : n;
}

int
mux_opts_check(struct mux_opts *o, char *err, size_t errlen)
{
	if (o->queue_max > QUEUE_MAX) {
		snprintf(err, errlen, "Request queue size %ld too big (%d max)",
		    o->queue_max, QUEUE_MAX);
		return -1;
	}
	if (o->worker[0] != '/') {
		snprintf(err, errlen,
		    "-f: You must supply an absolute path for filter program");
		return -1;
	}
	if (o->log_format && !log_is_format(o->log_format)) {
		snprintf(err, errlen, "--log-format %s: it is text or json",
		    o->log_format);
		return -1;
	}
	if (o->max_lifetime_s <= 0)
		o->max_lifetime_s = -1;
	if (o->status_log_s > 0 && o->status_log_s < 5)
		o->status_log_s = 5;
	if (o->min_workers > o->max_workers)
		o->min_workers = o->max_workers;
	if (o->per_domain >= o->max_workers)
		o->per_domain = 0; /* could never be reached */
	if (o->backlog == 0)
		o->backlog = default_backlog(o);
	if (o->scale_in >= o->scale_out) {
		snprintf(err, errlen,
		    "--scale-in %ld: must be below --scale-out, %ld",
		    o->scale_in, o->scale_out);
		return -1;
	}
	if (check_filter(o, err, errlen) < 0 ||
	    check_other_sockets(o, err, errlen) < 0)
		return -1;
	return check_socket(o, err, errlen);
}
