/* SPDX-License-Identifier: MIT */
/*
 * load: inside of `milter-check load`, for load.c (options, the first
 * connection), load_run_ev.c (the loop), load_session_ev.c (one connection),
 * load_report.c (results) and load_pid.c (what the filter's processes use).
 */
#ifndef CLI_CHECK_LOAD_H
#define CLI_CHECK_LOAD_H

#include "cli/check/client.h"
#include "cli/check/load_pid.h"
#include "cli/check/load_plan.h"
#include "core/base/clock.h"
#include "core/base/loghist.h"

#include <sys/socket.h>

struct load_opts {
	struct client_opts client;
	long connections, messages, per_connection, body_bytes, idle;
	long latency_ms, timeout_s;
	const char *seconds_text, *warm_up_text;
	struct opt_list pids;
	bool same_id, apart, json;
	msec ms, warm_up_ms; /* of the texts; 0 = none */
};

/* Why a connection, and the message on it, was given up. */
enum load_error {
	LOAD_E_CONNECT, /* could not connect */
	LOAD_E_CLOSED,  /* the filter closed, or reset */
	LOAD_E_TIMEOUT, /* no answer in time */
	LOAD_E_REPLY,   /* one that is none, or not for this command */
	LOAD_E_OPTIONS, /* it negotiated otherwise than the first time */
	LOAD_ERRORS
};
const char *load_error_words(enum load_error e);

/* What takes time: making a connection, each command that is answered, a
 * message from its first octet to its verdict. */
enum load_stage {
	LOAD_S_CONNECT,
	LOAD_S_OPTNEG,
	LOAD_S_CLIENT,
	LOAD_S_HELO,
	LOAD_S_MAIL,
	LOAD_S_RCPT,
	LOAD_S_DATA,
	LOAD_S_HEADER,
	LOAD_S_EOH,
	LOAD_S_BODY,
	LOAD_S_EOM,
	LOAD_S_MESSAGE,
	LOAD_STAGES
};
const char *load_stage_word(enum load_stage s);
enum load_stage load_stage_of(uint8_t command);

#define LOAD_VERDICTS (MLT_VERDICT_STOPPED + 1)

/* What is counted while it counts: after the warm-up, until the time is over. */
struct load_counts {
	uint64_t messages, connections, changes;
	uint64_t verdicts[LOAD_VERDICTS];
	uint64_t errors[LOAD_ERRORS];
	struct loghist times[LOAD_STAGES]; /* microseconds */
	struct load_sample begin, end;
};
uint64_t load_all_errors(const struct load_counts *c);

struct event_base;
struct load_session;
struct load_run {
	const struct load_opts *o;
	const char *socket;
	struct sockaddr_storage addr; /* where to connect, as found the first
				       * time; family AF_UNIX: by the path */
	socklen_t addr_len;
	struct load_plan plan;
	struct event_base *base;
	struct load_session *sessions;
	size_t n_sessions;

	uint64_t started,
	    done;        /* messages in all; done: with a verdict or not */
	uint64_t opened; /* sessions that were begun, for --idle */
	size_t over, held, lost; /* sessions: ended; idle; closed while idle */
	unsigned in_a_row;       /* errors since the last message */
	bool counting, stopping, gave_up;
	struct load_counts counts;
	struct load_memory before; /* of the filter, before the first session */
};

/* ---- load_run_ev.c ---------------------------------------------------------------- */

/* Until all is done, or a signal.  0, or -1 with a line on stderr. */
int load_run(struct load_run *r);
/* May one more message begin? */
bool load_may_start(const struct load_run *r);
/* For sessions: something came to its end. */
void load_message_done(struct load_run *r, enum mlt_verdict v);
void load_failed(struct load_run *r, enum load_error e);
void load_session_held(struct load_run *r);
void load_session_over(struct load_run *r);
void load_time(struct load_run *r, enum load_stage s, uint64_t since_us);

/* ---- load_session_ev.c ------------------------------------------------------------ */

/* n sessions that have not begun; NULL: no memory. */
struct load_session *load_sessions_new(struct load_run *r, size_t n);
void load_sessions_free(struct load_session *all, size_t n);
void load_session_begin(struct load_session *all, size_t i);
/* By the clock, some times a second. */
void load_session_tick(struct load_session *all, size_t i, uint64_t now_us);
/* What is idle says QUIT; others end when their message is over. */
void load_session_stop(struct load_session *all, size_t i);

/* ---- load_report.c ---------------------------------------------------------------- */

void load_progress(const struct load_run *r, uint64_t us);
void load_progress_end(void);
/* To standard output. */
int load_show(const struct load_run *r);
int load_show_held(const struct load_run *r); /* --idle: all are held */

#endif
