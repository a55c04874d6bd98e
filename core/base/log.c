/* SPDX-License-Identifier: MIT */
/*
 * log: one line to syslog, to stderr, or to a test's sink.
 *
 * A line is made in one place, made harmless in one place, and leaves in one
 * system call a destination.  errno survives.  A line that cannot be delivered
 * is lost: there is nobody left to tell.
 */
#include "log.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#define LOG_LINE_BYTES 2000

static struct {
	bool to_syslog, to_stderr;
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

/* Copies s to line, size octets with the NUL, control octets as \xNN; what
 * does not fit whole is left out. */
static void
make_harmless(char *line, size_t size, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	char *to = line, *end = line + size - 1;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c != 0x7f) {
			if (to == end)
				break;
			*to++ = (char)c;
		} else {
			if (end - to < 4)
				break;
			*to++ = '\\';
			*to++ = 'x';
			*to++ = hex[c >> 4];
			*to++ = hex[c & 15];
		}
	}
	*to = '\0';
}

static void
write_stderr(enum log_level level, const char *line)
{
	const char *ident = out.ident ? out.ident : "";
	const char *part[] = { ident, *ident ? ": " : "", levels[level].name,
		": ", line, "\n" };
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

void
log_vmsg(enum log_level level, const char *ctx, const char *fmt, va_list ap)
{
	char raw[LOG_LINE_BYTES + 1], line[LOG_LINE_BYTES + 1];
	bool to_stderr = out.to_stderr && level <= out.stderr_max;
	int saved = errno, n = 0;

	if (!out.sink && !out.to_syslog && !to_stderr)
		return;
	if (ctx)
		n = snprintf(raw, sizeof(raw), "%s: ", ctx);
	if (n >= 0 && (size_t)n < sizeof(raw)) {
		errno = saved; /* for %m */
		vsnprintf(raw + n, sizeof(raw) - (size_t)n, fmt, ap);
	}
	make_harmless(line, sizeof(line), raw);
	if (out.sink) {
		out.sink(out.sink_arg, level, line);
	} else {
		if (out.to_syslog)
			syslog(levels[level].syslog, "%s", line);
		if (to_stderr)
			write_stderr(level, line);
	}
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
