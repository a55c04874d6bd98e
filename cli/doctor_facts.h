/* SPDX-License-Identifier: MIT */
/*
 * doctor_facts: all that `mimedefang doctor` knows when it judges.  Gathered by
 * cli/doctor_gather, or made up by a test; cli/doctor_rules see nothing else.
 */
#ifndef CLI_DOCTOR_FACTS_H
#define CLI_DOCTOR_FACTS_H

#include "cli/md_opts.h"
#include "cli/mta.h"
#include "multiplexor/mux_opts.h"

#include <sys/types.h>

#define DOCTOR_PARTS_MAX 40
#define DOCTOR_MTAS_MAX  2

/* The directories that lead to a socket, from "/" on, and what is at the end. */
struct doctor_part {
	char path[256];
	mode_t mode;
	uid_t uid;
	gid_t gid;
	char owner[40], group[40]; /* names, or the numbers */
};
struct doctor_path {
	struct doctor_part part[DOCTOR_PARTS_MAX];
	size_t n;
	int error; /* errno of the first that could not be looked at, or 0 */
};

enum doctor_filter {
	FILTER_UNKNOWN, /* not tried */
	FILTER_LOADS,
	FILTER_BROKEN
};

struct doctor_facts {
	const struct md_opts *md; /* as the daemon would have them */
	const struct mux_opts *mo;
	const char *
	    defaults_file; /* where the options came from; NULL = command line */
	bool assumed;      /* that file was not there */
	bool root;         /* we may look everywhere */

	char user_trouble[256]; /* of -U; "" = none */
	gid_t listen_gid;       /* the group of the daemon's user ... */
	char listen_group[40];  /* ... and its name */
	struct mta_addr listen; /* -p */
	bool listen_known;
	int listen_error; /* errno of a connection to it; 0 = it was accepted */
	struct doctor_path path; /* to a UNIX one */
	const uid_t *uids;       /* of --allow-user */
	size_t n_uids;
	const gid_t *gids; /* of --allow-group */
	size_t n_gids;

	struct mta mta[DOCTOR_MTAS_MAX];
	size_t n_mtas;

	char spool_trouble[512]; /* "" = none */
	bool spool_known;        /* its file system was looked at */
	bool spool_memory;       /* it is one in memory */
	unsigned long long free_bytes, total_bytes;
	unsigned long long free_files, total_files; /* 0 = no limit */

	bool mux_known; /* it was asked, which needs a running one */
	long mux_free;  /* its free workers; -1 = no answer */
	char mux_why[128];

	enum doctor_filter filter;
	char filter_said[512];   /* why it is broken, first line */
	const char *filter_text; /* what is in the file; NULL = not known */
	const char *features; /* what the worker says it has; NULL = unknown */

	unsigned long long
	    descriptors; /* how many one may have; 0 = any number */
	unsigned long long memory_bytes; /* of this host; 0 = not known */
};

#endif
