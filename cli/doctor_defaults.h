/* SPDX-License-Identifier: MIT */
/*
 * doctor_defaults: the options that the service's units give the daemons: what
 * /etc/default/mimedefang says, as the program run-daemon translates it, which
 * the units start.
 */
#ifndef CLI_DOCTOR_DEFAULTS_H
#define CLI_DOCTOR_DEFAULTS_H

#include "core/base/buf.h"

#include <stdbool.h>

/* A line NAME=VALUE of such a file, without its quotes. */
struct default_line {
	char name[64];
	char value[1024];
};
/* The next one from *p on, which moves behind it; comments, and lines that are
 * too long or no such, are passed over.  False: none.  Pure. */
bool default_next(const char **p, struct default_line *line);

#define DOCTOR_WORDS_MAX 256
struct doctor_words {
	const char *v[DOCTOR_WORDS_MAX]; /* "mimedefang", its options, "--",
					  * those of the multiplexor */
	int n;
	bool found; /* a file was there */
	struct buf text[2];
};

/* What file says; NULL = those of the units.  0, or -1 with one line in err. */
int doctor_words_read(struct doctor_words *w, const char *file,
    const char *run_daemon, char *err, size_t errlen);
void doctor_words_free(struct doctor_words *w);

#endif
