/* SPDX-License-Identifier: MIT */
/*
 * log: one line to syslog, to stderr, or to a test's sink.
 *
 * Octets below 0x20 and 0x7F in the finished line are written as \xNN, so that
 * nothing from a peer can forge a line.  Lines longer than 2,000 octets are cut.
 */
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
	LOG_L_ERR,
	LOG_L_WARN,
	LOG_L_INFO,
	LOG_L_DEBUG,
	LOG_L_N
};

typedef void log_sink_fn(void *arg, enum log_level level, const char *line);

/* Lines go to syslog as `ident[pid]`; facility is a LOG_* of <syslog.h>.
 * ident is borrowed for ever.  stderr stays as it is. */
void log_open_syslog(const char *ident, int facility);
/* Lines go to stderr as "ident: level: text"; the default at start.  Also may
 * be on beside syslog. */
void log_to_stderr(const char *ident, bool on);
void log_set_level(enum log_level max); /* default LOG_L_INFO for stderr;
					 * syslog gets everything */
/* Lines of every level go to sink, and nowhere else; NULL = undo. */
void log_set_sink(log_sink_fn *sink, void *arg);

/* ctx (queue id, program part) goes in front as "ctx: "; NULL = none.  errno is
 * kept. */
void log_msg(enum log_level level, const char *ctx, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void log_vmsg(enum log_level level, const char *ctx, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

/* "mail" or "LOG_MAIL", any case -> LOG_MAIL; -1 unknown. */
int log_facility(const char *name);

#endif
