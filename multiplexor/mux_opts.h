/* SPDX-License-Identifier: MIT */
/*
 * mux_opts: every option of the multiplexor, one row each.  The separate
 * program parses them from its command line, `mimedefang` from the words
 * behind "--".
 */
#ifndef MULTIPLEXOR_MUX_OPTS_H
#define MULTIPLEXOR_MUX_OPTS_H

#include "core/base/opt.h"

#include <stdbool.h>

/* Strings are borrowed for the life of the process.  Times in seconds, as on
 * the command line. */
struct mux_opts {
	long min_workers, max_workers; /* -m -x */
	long max_requests;             /* -r: then a worker is replaced */
	long max_lifetime_s;        /* -V: from its first request; <= 0 none */
	long idle_s, busy_s;        /* -i -b */
	long client_s;              /* -c: a client's request, our answer */
	long start_delay_s;         /* -w: between starts up to -m */
	long start_min_s;           /* -W: between any two starts */
	long queue_max, queue_s;    /* -q -Q */
	long max_clients;           /* connections of -s and -a; 0 = any */
	long open_max;              /* of -a that have not asked yet */
	long in_flight;             /* requests of a pipelined client */
	long pipeline_idle_s;       /* then it is closed; 0 = never */
	long request_bytes;         /* of a client, without its LF */
	long answer_bytes;          /* of a worker, with its LF */
	long max_listeners;         /* of -O */
	long listener_bytes;        /* that wait for each of them */
	long max_map_clients;       /* connections of -N */
	long map_idle_s;            /* then one is closed; 0 = never */
	long backlog;               /* -I; 0 = not given, until checked */
	long per_domain;            /* -y */
	long max_rss_kb, max_as_kb; /* -R -M; 0 = unset */
	long status_log_s;          /* -L */
	long tick_s, tick_types;    /* -X, 0 = none; -P */
	long scale_s, scale_step;   /* of -k: how often, how many workers */
	long scale_out, scale_in;   /* percent of workers busy */
	const char *socket;         /* -s; NULL = SPOOL/... */
	const char *open_socket;    /* -a, NULL = none */
	const char *notify_socket;  /* -O */
	const char *map_socket;     /* -N */
	const char *stats_file;     /* -t, relative to spool_dir */
	const char *spool_dir;      /* -z */
	const char *zygote_dir;     /* NULL = a place in memory, or spool_dir */
	const char *worker;         /* -f */
	const char *filter;         /* -F, NULL = the worker's default */
	bool stats_syslog;          /* -T */
	bool stats_flush;           /* -u */
	bool autoscale;             /* -k */
	bool zygote;                /* -E */
	bool ignored;               /* -d */
	bool log_events;            /* -l */
	bool log_scheduling;        /* -A */
	bool status_fd;             /* -Z */
	bool group_access;          /* -G */
	bool built_in; /* no option: it runs in a front-end's loop */
	/* Of the separate program only; refused behind "--": */
	const char *user, *pid_file, *lock_file; /* -U -p -o */
	const char *facility, *label;            /* -S -Y */
	bool foreground;                         /* -D */
	bool log_stderr;
	const char *log_format; /* NULL = "text" */
};

extern const struct opt mux_option_rows[];
extern const size_t mux_option_count;

/* Clamps as documented and resolves what depends on other options or on the
 * current directory (such paths are allocated for ever).  0, or -1 with one line in err that
 * says which option and what it may be. */
int mux_opts_check(struct mux_opts *o, char *err, size_t errlen);

#endif
