/* SPDX-License-Identifier: MIT */
/*
 * report: what `status`, `workers` and `workerinfo` answer, and the short texts
 * that go with a worker: its status tag and the queue id of its message.  Pure.
 */
#ifndef MULTIPLEXOR_REPORT_H
#define MULTIPLEXOR_REPORT_H

#include "pool.h"

#include "core/base/buf.h"

#include <stddef.h>

#define REPORT_TAG_MAX 63
#define REPORT_QID_MAX 31

/* What a report says beyond what the pool knows. */
struct report_worker {
	long pid; /* -1: none */
	char tag[REPORT_TAG_MAX + 1];
};
struct report {
	const struct pool *pool;
	unsigned slots, queue_max;
	msec now, started;
	void (*worker)(void *arg, unsigned slot, struct report_worker *w);
	void *arg;
};

/* One slot, as reports show it. */
struct report_slot {
	const char *state;        /* "Busy" */
	const char *command;      /* tracked, that it is busy with; "" none */
	const char *last;         /* the one before; "" none */
	long pid;                 /* -1: none */
	unsigned requests, scans; /* of this or of the last process */
	uint64_t ago;             /* seconds since the state changed */
	long age, first_req_age;  /* seconds; -1: not applicable */
	char tag[REPORT_TAG_MAX + 1];
};
void report_slot(const struct report *r, unsigned slot, struct report_slot *s);

void report_status(const struct report *r, struct buf *out);
void report_workers(const struct report *r, bool busy_only, struct buf *out);
void report_workerinfo(const struct report *r, long slot, struct buf *out);

/* All octets outside 0x20-0x7E become blanks. */
void report_printable(char *p, size_t n);
/* First two words of a request, decoded; of a status line, the whole;
 * printable. */
void report_request_tag(
    const char *line, size_t n, char tag[REPORT_TAG_MAX + 1]);
void report_status_tag(
    const char *line, size_t n, char tag[REPORT_TAG_MAX + 1]);
/* Queue id of a request's message; "" if it has none. */
void report_qid(const char *line, size_t n, char qid[REPORT_QID_MAX + 1]);
/* Hash of a recipok's domain, case-insensitive; *p, *len are the domain as
 * sent.  0: it has none, or is no recipok. */
uint64_t report_domain(const char *line, size_t n, const char **p, size_t *len);

#endif
