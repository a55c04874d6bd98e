/* SPDX-License-Identifier: MIT */
/*
 * ctl_ask: one request to a multiplexor and its answer (spec:mux-framing), as
 * steps between which the caller polls.
 */
#ifndef CLI_CTL_ASK_H
#define CLI_CTL_ASK_H

#include "core/base/buf.h"
#include "core/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Where a multiplexor listens. */
struct ctl_addr {
	struct sockaddr_storage ss;
	socklen_t len;
};
/* What -s may be (spec:control-socket).  Looks up a name if there is one.  0,
 * or -1 with a static text that says what is wrong. */
int ctl_addr(const char *spec, struct ctl_addr *a, const char **why);

enum ctl_step {
	CTL_ASK_CONNECT, /* the listener's queue is full: tried again */
	CTL_ASK_CONNECTING,
	CTL_ASK_SEND,
	CTL_ASK_READ
};
struct ctl_ask {
	const struct ctl_addr *addr;
	int fd; /* -1: none now */
	enum ctl_step step;
	struct buf line, answer;
};

/* Begins; the address is borrowed until ctl_ask_end.  Failures show in
 * ctl_ask_step. */
void ctl_ask_begin(
    struct ctl_ask *a, const struct ctl_addr *addr, const char *line, size_t n);
void ctl_ask_end(struct ctl_ask *a); /* also after a failure; twice is fine */
/* 1: the answer is whole.  0: wait for ctl_ask_events on the fd, or at most
 * CTL_ASK_RETRY_MS if there is none.  -errno; -EMSGSIZE: an answer of more than
 * CTL_ANSWER_MAX. */
int ctl_ask_step(struct ctl_ask *a);
short ctl_ask_events(const struct ctl_ask *a);
#define CTL_ASK_RETRY_MS 50
/* A line of `workers` is 150 octets at most, so this is 28,000 workers. */
#define CTL_ANSWER_MAX (4 << 20)

/* Steps to the end.  1, or -errno; -ETIMEDOUT at `until`. */
int ctl_ask_wait(struct ctl_ask *a, msec until);

#endif
