/* SPDX-License-Identifier: MIT */
/*
 * ask: how the message logic reaches a multiplexor, whichever it is: the
 * built-in pool, or one behind a socket (muxclient_ev).
 */
#ifndef CORE_FRONTEND_ASK_H
#define CORE_FRONTEND_ASK_H

#include <stddef.h>
#include <stdint.h>

/* answer: the whole answer with its LF, NUL-terminated, may be modified,
 * borrowed for the call.  NULL: there is none, and `error` says why in words
 * for a log line ("connect: Connection refused: Is multiplexor running?").
 * Never runs inside `ask`. */
typedef void ask_done_fn(void *arg, char *answer, size_t n, const char *error);

struct asker {
	void *self;
	/* line without LF, copied.  A ticket, or 0 = no memory, done will not
	 * run. */
	uint64_t (*ask)(void *self, const char *line, size_t n,
	    ask_done_fn *done, void *arg);
	/* done will not run any more. */
	void (*cancel)(void *self, uint64_t ticket);
};

#endif
