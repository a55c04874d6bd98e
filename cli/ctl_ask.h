/* SPDX-License-Identifier: MIT */
/*
 * ctl_ask: one request to a multiplexor and its answer (spec:mux-framing), as
 * steps between which the caller polls.
 */
#ifndef CLI_CTL_ASK_H
#define CLI_CTL_ASK_H

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/sockspec.h"

#include <stdbool.h>
#include <stddef.h>

/* Where a multiplexor is that was told to listen at this place
 * (spec:control-socket).  0, or -1 as sockspec_parse. */
int ctl_addr(const char *spec, struct sockspec *addr, char *err, size_t errlen);

enum ctl_step {
	CTL_ASK_CONNECT, /* the listener's queue is full: tried again */
	CTL_ASK_CONNECTING,
	CTL_ASK_SEND,
	CTL_ASK_READ
};
struct ctl_ask {
	const struct sockspec *addr;
	int fd; /* -1: none now */
	enum ctl_step step;
	struct buf line, answer;
};

/* Begins; the address is borrowed until ctl_ask_end.  Failures show in
 * ctl_ask_step. */
void ctl_ask_begin(
    struct ctl_ask *a, const struct sockspec *addr, const char *line, size_t n);
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
