/* SPDX-License-Identifier: MIT */
/*
 * mux_ev: the multiplexor on a libevent loop: request socket, workers' pipes,
 * child signals and timers on one side, the pure pool on the other.  Linked
 * into `mimedefang` (built-in) and into `mimedefang-multiplexor`.
 *
 * It logs what happens to workers, and never blocks: neither on a worker nor
 * on a client.
 */
#ifndef MULTIPLEXOR_MUX_EV_H
#define MULTIPLEXOR_MUX_EV_H

#include "multiplexor/mux_opts.h"

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct mux;

/* answer: the whole answer with its LF, NUL-terminated, may be modified,
 * borrowed for the call.  NULL: none will come and `error` says why ("the
 * multiplexor is stopping").  Runs from the loop, never inside mux_ask.  The
 * same as core/frontend's ask_done_fn, so that the two fit together. */
typedef void mux_done_fn(void *arg, char *answer, size_t n, const char *error);

/* Opens the request socket; starts no worker.  opts (checked) and base are
 * borrowed until mux_free.  0, or -1 with one line in err. */
int mux_new(struct mux **out, struct event_base *base,
    const struct mux_opts *opts, char *err, size_t errlen);
/* Starts the first worker and the timers. */
void mux_start(struct mux *m);

/* Asks as a client of the request socket would: built-in commands too.  line
 * is without LF and copied.  Returns a ticket, 0 = no memory (done will not
 * run). */
uint64_t mux_ask(
    struct mux *m, const char *line, size_t n, mux_done_fn *done, void *arg);
/* done will not run any more; the work may go on.  Unknown tickets are fine. */
void mux_cancel(struct mux *m, uint64_t ticket);

void mux_reread(struct mux *m);       /* new generation of workers */
void mux_reopen_stats(struct mux *m); /* the file was moved away */
/* Closes sockets; workers get EOF, TERM after 10 s, KILL after 10 more;
 * `stopped` runs when all are reaped.  Idempotent: a second call is more
 * urgent (TERM at once). */
void mux_stop(struct mux *m, void (*stopped)(void *arg), void *arg);
void mux_free(struct mux *m); /* kills what is left; NULL is allowed */

#endif
