/* SPDX-License-Identifier: MIT */
/*
 * load_reply: a filter's replies, looked at no closer than a load has to: where
 * they end, and which ones they are.  Pure.
 */
#ifndef CLI_CHECK_LOAD_REPLY_H
#define CLI_CHECK_LOAD_REPLY_H

#include <milterproto.h>

/* All zero is the beginning of a connection. */
struct load_reply {
	uint8_t head[6]; /* length, octet, first octet of the payload */
	uint32_t got;    /* octets of this reply */
};

enum {
	LOAD_REPLY_MORE = 0, /* all octets were taken, the reply is not whole */
	LOAD_REPLY_BAD = -1  /* no length that a reply has, or no reply */
};
/* Takes octets, as many as *used says, up to the end of a reply.  Returns its
 * octet, or one of the above. */
int load_reply_take(
    struct load_reply *r, const uint8_t *p, size_t n, size_t *used);

/* What a whole reply to a command leads to. */
enum load_then {
	LOAD_THEN_BAD,     /* it is not legal there */
	LOAD_THEN_REPLY,   /* a change, or a sign of life: more will come */
	LOAD_THEN_STEP,    /* the next command */
	LOAD_THEN_EOM,     /* the same, behind what is left of the body */
	LOAD_THEN_MESSAGE, /* the message is over */
	LOAD_THEN_CLIENT   /* so is the client */
};
/* Of the reply that load_reply_take gave last, to `stage`, a command octet;
 * others: there are other recipients, accepted or not asked about yet.  *v is
 * the verdict of a message, or a client, that is over, else NONE. */
enum load_then load_reply_then(const struct load_reply *r, uint8_t stage,
    bool others, enum mlt_verdict *v);

#endif
