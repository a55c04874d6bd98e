/* SPDX-License-Identifier: MIT */
/* mux_rig: a multiplexor in a directory of its own with tests/support/worker.pl,
 * its log, and clients that run on the same loop. */
#ifndef TESTS_SUPPORT_MUX_RIG_H
#define TESTS_SUPPORT_MUX_RIG_H

#include "multiplexor/mux_ev.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct rig {
	char dir[200], sock[240], worker[PATH_MAX + 40];
	struct mux_opts o; /* change before rig_start */
	struct event_base *base;
	struct mux *m;
	char *log; /* "level: line\n"... */
	size_t log_len;
	bool stopped;
};

struct rig_answer {
	bool done, none; /* none: there will be no answer */
	char text[32768];
	size_t n;
};

int rig_setup(void **state);    /* *state is a struct rig */
int rig_teardown(void **state); /* no child and no socket may be left */
void rig_start(struct rig *r);  /* mux_new and mux_start */

/* What fills a struct rig_answer. */
void rig_done(void *arg, char *answer, size_t n, const char *error);
uint64_t rig_ask(struct rig *r, const char *line, struct rig_answer *a);
void rig_until(struct rig *r, const bool *flag); /* runs the loop */
/* Asks and waits; the answer without its LF, until the next call. */
const char *rig_say(struct rig *r, const char *line);
bool rig_logged(const struct rig *r, const char *text);
void rig_until_logged(struct rig *r, const char *text);
void rig_until_letters(struct rig *r, const char *letters); /* of status */

/* A FIFO below dir whose reader rig_release lets go on. */
const char *rig_fifo(struct rig *r, const char *name);
void rig_release(struct rig *r, const char *path);

/* Clients of the socket: blocking in form, the loop runs meanwhile. */
int rig_connect(struct rig *r);
void rig_send(int fd, const char *p, size_t n);
/* As many octets as `want` has, or fewer if it ends; until the next call. */
const char *rig_hear(struct rig *r, int fd, const char *want);
#define rig_heard(r, fd, want) assert_string_equal(rig_hear(r, fd, want), want)
size_t rig_receive(struct rig *r, int fd, char *to, size_t max); /* to EOF */

#endif
