/* SPDX-License-Identifier: MIT */
/*
 * log: one line to syslog, to stderr, or to a test's sink, as text or as a JSON
 * object.  What keeps a peer from forging lines is in logline.h.
 */
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include "core/base/logline.h"

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

/* "text" (the default) or "json", for all lines from now on. */
bool log_is_format(const char *name);
void log_set_format(const char *name);

/* ctx (queue id, program part) goes in front as "ctx: "; NULL = none.  errno is
 * kept. */
void log_msg(enum log_level level, const char *ctx, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void log_vmsg(enum log_level level, const char *ctx, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

/* An event with values: log_event_begin, then logline_number, _text, _list and
 * _item on the line, then log_event_end, which writes it.  false: nobody wants
 * lines of this level; end is not called then. */
bool log_event_begin(struct logline *l, enum log_level level, const char *ctx,
    const char *event);
void log_event_end(struct logline *l, enum log_level level);

/* "mail" or "LOG_MAIL", any case -> LOG_MAIL; -1 unknown. */
int log_facility(const char *name);

#endif
