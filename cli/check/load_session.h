/* SPDX-License-Identifier: MIT */
/*
 * load_session: inside of one session of a load, for load_session_ev.c (its
 * life) and load_talk_ev.c (what it says and hears).
 */
#ifndef CLI_CHECK_LOAD_SESSION_H
#define CLI_CHECK_LOAD_SESSION_H

#include "cli/check/load.h"
#include "cli/check/load_reply.h"

#define LOAD_ID_SIZE sizeof(CLIENT_QUEUE_ID)

enum load_phase {
	LOAD_P_NONE,       /* not begun, or over */
	LOAD_P_PAUSE,      /* a connection will be tried when the timer runs */
	LOAD_P_CONNECTING, /* until it can be written to */
	LOAD_P_LATENCY,    /* a step will be said when the timer runs */
	LOAD_P_TALKING,
	LOAD_P_HELD /* idle, as wanted */
};

struct load_session {
	struct load_run *run;
	struct event *io, *timer;
	enum load_phase phase;
	enum load_part part;
	size_t step;        /* of the plan */
	size_t sent, heard; /* octets, of this step */
	struct load_reply reply;
	unsigned accepted; /* recipients */
	long messages;     /* on this connection */
	bool is_new;       /* the message is one of `started` */
	uint64_t since_us, message_us;
	char id[LOAD_ID_SIZE];
};

/* ---- load_session_ev.c ---------------------------------------------------------- */

int load_session_fd(const struct load_session *s);
/* Waits for octets, or for room, too. */
void load_session_watch(struct load_session *s, bool for_room);
/* The timer ends that phase. */
void load_session_wake_in(
    struct load_session *s, enum load_phase phase, msec ms);
/* The connection is given up. */
void load_session_fail(struct load_session *s, enum load_error e);
/* What was idle is gone, or not idle any more. */
void load_session_lose(struct load_session *s);
/* The part of the plan that it said is over. */
void load_session_part_over(struct load_session *s);
/* So is the message, or the client with it. */
void load_session_message_over(
    struct load_session *s, enum mlt_verdict v, bool early);
void load_session_client_over(struct load_session *s, enum mlt_verdict v);

/* ---- load_talk_ev.c --------------------------------------------------------------- */

void load_talk_run(struct load_session *s, enum load_part part);
void load_talk_push(struct load_session *s); /* goes on writing */
void load_talk_pull(struct load_session *s); /* there is something to read */

#endif
