/* SPDX-License-Identifier: MIT */
/*
 * log: one line to syslog, to stderr, or to a test's sink.
 *
 * A line is made in one place, made harmless in one place, and leaves in one
 * system call a destination.  errno survives.  A line that cannot be delivered
 * is lost: there is nobody left to tell.
 */
#include "log.h"

#include "core/base/clock.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

static struct {
	bool to_syslog, to_stderr, json;
	const char *ident;
	enum log_level stderr_max;
	log_sink_fn *sink;
	void *sink_arg;
} out = { .to_stderr = true, .stderr_max = LOG_L_INFO };

static const struct {
	int syslog;
	const char *name;
} levels[LOG_L_N] = {
	[LOG_L_ERR] = { LOG_ERR, "error" },
	[LOG_L_WARN] = { LOG_WARNING, "warning" },
	[LOG_L_INFO] = { LOG_INFO, "info" },
	[LOG_L_DEBUG] = { LOG_DEBUG, "debug" },
};

void
log_open_syslog(const char *ident, int facility)
{
	openlog(ident, LOG_PID | LOG_NDELAY, facility);
	out.ident = ident;
	out.to_syslog = true;
}

void
log_to_stderr(const char *ident, bool on)
{
	out.ident = ident;
	out.to_stderr = on;
}

void
log_set_level(enum log_level max)
{
	out.stderr_max = max;
}

void
log_set_sink(log_sink_fn *sink, void *arg)
{
	out.sink = sink;
	out.sink_arg = arg;
}

static bool
wanted(enum log_level level)
{
	return out.sink || out.to_syslog ||
	       (out.to_stderr && level <= out.stderr_max);
}

static const char *
program(void)
{
	return out.ident ? out.ident : "";
}

static void
write_stderr(enum log_level level, const struct logline *l)
{
	const char *ident = l->json ? "" : program();
	const char *part[] = { ident, *ident ? ": " : "",
		l->json ? "" : levels[level].name, l->json ? "" : ": ", l->text,
		"\n" };
	struct iovec v[sizeof(part) / sizeof(part[0])];
	const int n = (int)(sizeof(part) / sizeof(part[0]));
	ssize_t r;

	for (int i = 0; i < n; i++)
		v[i] = (struct iovec){ (void *)(uintptr_t)part[i],
			strlen(part[i]) };
	do
		r = writev(STDERR_FILENO, v, n);
	while (r < 0 && errno == EINTR);
}

static void
deliver(enum log_level level, const struct logline *l)
{
	if (out.sink) {
		out.sink(out.sink_arg, level, l->text);
		return;
	}
	if (out.to_syslog)
		syslog(levels[level].syslog, "%s", l->text);
	if (out.to_stderr && level <= out.stderr_max)
		write_stderr(level, l);
}

static struct logline_head
head_of(enum log_level level)
{
	return (struct logline_head){ .wall_ms = clock_wall_ms(),
		.level = levels[level].name,
		.program = program(),
		.pid = (long)getpid() };
}

void
log_vmsg(enum log_level level, const char *ctx, const char *fmt, va_list ap)
{
	char raw[LOGLINE_MAX + 1];
	struct logline l;
	int saved = errno;

	if (!wanted(level))
		return;
	vsnprintf(raw, sizeof(raw), fmt, ap);
	if (out.json) {
		struct logline_head head = head_of(level);

		logline_json(&l, &head, ctx, raw);
	} else {
		logline_plain(&l, ctx, raw);
	}
	deliver(level, &l);
	errno = saved;
}

bool
log_event_begin(
    struct logline *l, enum log_level level, const char *ctx, const char *event)
{
	struct logline_head head;

	if (!wanted(level))
		return false;
	if (out.json)
		head = head_of(level);
	logline_event(l, out.json ? &head : NULL, ctx, event);
	return true;
}

void
log_event_end(struct logline *l, enum log_level level)
{
	int saved = errno;

	logline_end(l);
	deliver(level, l);
	errno = saved;
}

void
log_msg(enum log_level level, const char *ctx, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vmsg(level, ctx, fmt, ap);
	va_end(ap);
}

bool
log_is_format(const char *name)
{
	return strcmp(name, "text") == 0 || strcmp(name, "json") == 0;
}

void
log_set_format(const char *name)
{
	out.json = strcmp(name, "json") == 0;
}

int
log_facility(const char *name)
{
	static const struct {
		const char *name;
		int facility;
	} rows[] = {
		{ "auth", LOG_AUTH },
		{ "authpriv", LOG_AUTHPRIV },
		{ "cron", LOG_CRON },
		{ "daemon", LOG_DAEMON },
		{ "ftp", LOG_FTP },
		{ "kern", LOG_KERN },
		{ "lpr", LOG_LPR },
		{ "mail", LOG_MAIL },
		{ "news", LOG_NEWS },
		{ "security", LOG_AUTH },
		{ "syslog", LOG_SYSLOG },
		{ "user", LOG_USER },
		{ "uucp", LOG_UUCP },
		{ "local0", LOG_LOCAL0 },
		{ "local1", LOG_LOCAL1 },
		{ "local2", LOG_LOCAL2 },
		{ "local3", LOG_LOCAL3 },
		{ "local4", LOG_LOCAL4 },
		{ "local5", LOG_LOCAL5 },
		{ "local6", LOG_LOCAL6 },
		{ "local7", LOG_LOCAL7 },
	};

	if (strncasecmp(name, "LOG_", 4) == 0)
		name += 4;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcasecmp(name, rows[i].name) == 0)
			return rows[i].facility;
	return -1;
}
