/* SPDX-License-Identifier: MIT */
/*
 * frontend_ev: what `mimedefang` does, on a libevent loop: a milter server
 * whose events drive one message logic (message.h) a connection, which asks a
 * multiplexor and keeps working directories.
 */
#ifndef CORE_FRONTEND_FRONTEND_EV_H
#define CORE_FRONTEND_FRONTEND_EV_H

#include "core/base/opt.h"
#include "core/frontend/ask.h"
#include "core/frontend/limits.h"

#include <stdbool.h>

struct event_base;
struct frontend;
struct mlt_server_opts;

/* All strings are borrowed for the life of the front-end. */
struct frontend_opts {
	const char *spool_dir; /* absolute; the prefix of DIR in requests */
	bool check_relay, check_helo, check_sender, check_recipient; /* -rHst */
	bool queue_connections; /* -q: no question for free workers */
	long reserve;           /* -R: -1 = not given */
	bool keep_dirs;         /* -d */
	bool keep_failed;       /* -k */
	bool log_time;          /* -T */
	bool log_summary;       /* one line for each message */
	bool group_access;      /* -G: directories 0750, files 0640 */
	bool skip_bad_rcpts;    /* -N */
	bool set_symlist;       /* -y */
	bool strip_cr;          /* -c */
	bool replies_together;  /* choice:replies-together */
	long sweep_age_h;       /* of what is swept at start; 0 = nothing is */
	long spare_dirs;        /* empty ones that wait; at most SPARE_MAX */
	const char *loopback;   /* -L: NULL = none */
	const char *scanned_by; /* -x: "" = no header */
	const char *my_ip;      /* this host's address, NULL = not known */
	const struct opt_list *macros; /* -a */
	const char *validate_header;   /* name of the secret header, or NULL */
	struct limits limits;          /* of a message */
	/* limits of the milter server (filter.want is ours); NULL = its
	 * defaults */
	const struct mlt_server_opts *server;
};

/* Opens the spool directory.  The asker's functions stay callable until
 * frontend_free.  0, or -1 with one line in err that says what to do. */
int frontend_new(struct frontend **out, struct event_base *base,
    const struct frontend_opts *opts, const struct asker *asker, char *err,
    size_t errlen);
int frontend_listen(struct frontend *fe, int fd); /* takes fd; 0 or -1 */
/* No new sessions; those with an open message may finish, others are closed;
 * drained runs when none is left. */
void frontend_drain(struct frontend *fe, void (*drained)(void *arg), void *arg);
size_t frontend_sessions(const struct frontend *fe); /* connected MTAs */
/* Another secret header, or NULL, from the next message on. */
void frontend_set_validation(struct frontend *fe, const char *name);
/* Ends sessions at once; messages in progress are tempfailed as far as the
 * MTA listens, and their directories removed. */
void frontend_free(struct frontend *fe);

#endif
