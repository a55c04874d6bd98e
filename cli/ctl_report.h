/* SPDX-License-Identifier: MIT */
/*
 * ctl_report: what a multiplexor's reports say (spec:mux-commands).  Pure.
 *
 * A report is text from a peer that may be of another make, or hostile: what
 * does not have its form is refused, numbers keep to 15 digits (so that a
 * double holds them exactly), texts are lent as they are and must be made safe
 * before they are shown.
 */
#ifndef CLI_CTL_REPORT_H
#define CLI_CTL_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct ctl_str {
	const char *p; /* borrowed from the report */
	size_t n;
};
#define CTL_STR(s) ((struct ctl_str){ (s), sizeof(s) - 1 })
bool ctl_str_begins(struct ctl_str s, const char *text);
/* Cuts the next line, without its LF, off *text; false: there is none. */
bool ctl_line(struct ctl_str *text, struct ctl_str *line);
/* Cuts the next word at a blank; false: there is none. */
bool ctl_word(struct ctl_str *line, struct ctl_str *word);
/* A plain decimal number, "12" or "12.5", nothing else.  -1 if it is none. */
double ctl_number(struct ctl_str word);

/* Workers by state, and the words for it. */
enum ctl_state {
	CTL_BUSY,
	CTL_IDLE,
	CTL_STOPPED,
	CTL_KILLED,
	CTL_STATE_N
};
enum ctl_state ctl_state(char letter);        /* CTL_STATE_N: no such letter */
const char *ctl_state_word(enum ctl_state s); /* "busy" */

/* The four kinds of requests that are counted, as reports order them. */
enum ctl_class {
	CTL_SCAN,
	CTL_RELAYOK,
	CTL_SENDEROK,
	CTL_RECIPOK,
	CTL_CLASS_N
};
const char *ctl_class_word(enum ctl_class c); /* "relayok" */

/* The multiplexor now; `status`, and the end of `load` and `load1`. */
struct ctl_totals {
	double workers[CTL_STATE_N];
	double msgs, activations, queue_size, queued, uptime;
};
struct ctl_status {
	struct ctl_str letters; /* one for each slot */
	struct ctl_totals t;    /* what is missing is 0 */
	bool whole;             /* nothing is missing or strange */
};
/* 0, or -1: it does not begin with a state's letter. */
int ctl_read_status(struct ctl_str text, struct ctl_status *s);

/* What was done in a stretch of time. */
struct ctl_window {
	double seconds; /* that the rate is over */
	double count, busy, ms;
	double activated, reaped; /* `load` only */
};
#define CTL_WINDOWS 4
struct ctl_load {
	struct ctl_window w[CTL_WINDOWS]; /* 10 s, 1, 5, 10 min; 1 4 12 24 h */
	struct ctl_totals t;              /* not of hload */
};
struct ctl_load1 {
	double seconds;
	struct ctl_window w[CTL_CLASS_N];
	double running[CTL_CLASS_N]; /* workers at it now */
	struct ctl_totals t;
};
/* 0, or -1: not 29, 16, 26 numbers. */
int ctl_read_load(struct ctl_str text, struct ctl_load *l);
int ctl_read_hload(struct ctl_str text, struct ctl_load *l);
int ctl_read_load1(struct ctl_str text, struct ctl_load1 *l);
double ctl_rate(const struct ctl_window *w); /* per second; 0 over no time */

/* A line of `workers`. */
struct ctl_worker {
	double slot, pid, ago; /* -1: not told */
	enum ctl_state state;
	struct ctl_str command, last, tag; /* n 0: not told */
};
int ctl_read_worker(struct ctl_str line, struct ctl_worker *w); /* 0, -1 */

#endif
