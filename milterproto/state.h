/* SPDX-License-Identifier: MIT */
/*
 * state: what each side may say when.  spec:states
 *
 * Two tables, state by command.  An entry is 0 (refused) or the next state
 * with flags; what a session does about flags is its own matter.  Notes (2)
 * and (3) of the specification need no code: they are rows of their own.
 */
#ifndef MILTERPROTO_STATE_H
#define MILTERPROTO_STATE_H

#include "wire.h"

#pragma GCC visibility push(hidden)

/* Columns; 0 is no command. */
enum mlt_cm {
	CM_NONE,
#define MLT_X_COMMAND(name, octet, version, no, nr, replies) CM_##name,
#include <milterproto.def>
	CM_N
};

enum mlt_st {
	ST_REFUSE,
	ST_INIT,     /* nothing agreed yet */
	ST_READY,    /* agreed; no client known (also after QUIT_NC) */
	ST_IDLE,     /* client known, no message open */
	ST_ENVELOPE, /* MAIL seen */
	ST_DATA,     /* DATA is the only content command seen */
	ST_HEADER,
	ST_EOH,
	ST_BODY,
	ST_DISCARD, /* DISCARD at RCPT: decided, but ABORT is still to come */
	ST_DECIDED, /* verdict for the message given, which is still open */
	ST_DONE,    /* verdict for the client given */
	ST_END,     /* QUIT */
	ST_N
};

enum {
	ST_MASK = 0x0f,
	/* filter side */
	STF_ABORT = 0x10,  /* the open message dies; then look again */
	STF_STICKY = 0x20, /* the verdict again, no event */
	STF_OPENS = 0x40,  /* if mlt_opens allows it, as in ST_ENVELOPE */
	STF_QUIET = 0x80,  /* no event, no reply */
	/* MTA side */
	STF_UNSENT = 0x10 /* legal, but the filter does not want it */
};

extern const uint8_t mlt_filter_table[ST_N][CM_N];
extern const uint8_t mlt_mta_table[ST_N][CM_N];

/* A message may begin with this command if all of these MLT_PROT_NO_ bits are
 * agreed; 0 = never. */
extern const uint32_t mlt_opens[CM_N];

/* True while an ABORT event is owed should the connection end. */
static inline bool
mlt_message_open(enum mlt_st st)
{
	return mlt_filter_table[st][CM_ABORT] & STF_ABORT;
}

/* ---- facts about commands and replies, from milterproto.def -------------- */

struct mlt_command {
	const char *name, *replies; /* octets of the legal final replies */
	uint32_t no, nr;            /* MLT_PROT_ bits */
	uint8_t octet, version;
};
extern const struct mlt_command mlt_commands[CM_N];
extern const uint8_t mlt_command_index[256]; /* octet -> CM_, 0 = none */

enum mlt_layout { /* of a reply's payload */
	LAYOUT_EMPTY,
	LAYOUT_CODE,    /* cstr, grammar of replytext.c */
	LAYOUT_HEADER,  /* cstr name, cstr value */
	LAYOUT_INDEX,   /* u32 index, cstr name, cstr value */
	LAYOUT_RAW,     /* octets */
	LAYOUT_TEXT,    /* cstr, not empty */
	LAYOUT_ADDRESS, /* cstr, not empty [, cstr] */
	LAYOUT_OPTIONS, /* OPTNEG */
	LAYOUT_NEVER
};

struct mlt_reply_info {
	const char *name;
	uint32_t actions; /* any of these MLT_ACT_ bits allows it */
	uint8_t octet;
	uint8_t layout;
};
extern const struct mlt_reply_info mlt_replies[];
extern const uint8_t mlt_reply_index[256]; /* octet -> place, 0 = none */

#pragma GCC visibility pop
#endif
