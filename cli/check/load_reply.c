/* SPDX-License-Identifier: MIT */
/*
 * load_reply: where a filter's replies end (load_reply.h).
 */
#include "cli/check/load_reply.h"

#include <string.h>

#define PAYLOAD_MAX (1u << 20) /* choice:reply-limit */
#define LENGTH      4
#define OCTET       4 /* its place in the head */
#define FIRST       5 /* that of the payload's first octet */

static uint32_t
length(const struct load_reply *r)
{
	return (uint32_t)r->head[0] << 24 | (uint32_t)r->head[1] << 16 |
	       (uint32_t)r->head[2] << 8 | r->head[3];
}

int
load_reply_take(struct load_reply *r, const uint8_t *p, size_t n, size_t *used)
{
	size_t left;

	*used = 0;
	if (r->got >= LENGTH && r->got == LENGTH + length(r))
		r->got = 0; /* the last one was whole */
	while (*used < n && r->got < sizeof(r->head)) {
		if (r->got >= LENGTH && r->got == LENGTH + length(r))
			return r->head[OCTET];
		r->head[r->got++] = p[(*used)++];
		if (r->got == LENGTH &&
		    (length(r) == 0 || length(r) - 1 > PAYLOAD_MAX))
			return LOAD_REPLY_BAD;
		if (r->got == OCTET + 1 && !mlt_reply_name(r->head[OCTET]))
			return LOAD_REPLY_BAD;
	}
	if (r->got <= OCTET)
		return LOAD_REPLY_MORE;
	left = LENGTH + length(r) - r->got;
	if (left > n - *used)
		left = n - *used;
	*used += left;
	r->got += (uint32_t)left;
	return r->got == LENGTH + length(r) ? r->head[OCTET] : LOAD_REPLY_MORE;
}

static bool
is_change(uint8_t reply)
{
	switch (reply) {
	case MLT_SMFIR_ADDHEADER:
	case MLT_SMFIR_INSHEADER:
	case MLT_SMFIR_CHGHEADER:
	case MLT_SMFIR_REPLBODY:
	case MLT_SMFIR_ADDRCPT:
	case MLT_SMFIR_ADDRCPT_PAR:
	case MLT_SMFIR_DELRCPT:
	case MLT_SMFIR_CHGFROM:
	case MLT_SMFIR_QUARANTINE:
	case MLT_SMFIR_PROGRESS:
		return true;
	}
	return false;
}

static enum mlt_verdict
verdict_of(const struct load_reply *r)
{
	switch (r->head[OCTET]) {
	case MLT_SMFIR_ACCEPT:
		return MLT_VERDICT_ACCEPT;
	case MLT_SMFIR_REJECT:
		return MLT_VERDICT_REJECT;
	case MLT_SMFIR_DISCARD:
		return MLT_VERDICT_DISCARD;
	case MLT_SMFIR_TEMPFAIL:
		return MLT_VERDICT_TEMPFAIL;
	case MLT_SMFIR_REPLYCODE:
		return length(r) > 1 && r->head[FIRST] == '5'
			   ? MLT_VERDICT_REJECT
			   : MLT_VERDICT_TEMPFAIL;
	}
	return MLT_VERDICT_NONE;
}

/* spec:legal-replies  One that is no verdict. */
static enum load_then
without_verdict(uint8_t reply, uint8_t stage)
{
	if (stage == MLT_SMFIC_OPTNEG)
		return reply == MLT_SMFIR_OPTNEG ? LOAD_THEN_STEP
						 : LOAD_THEN_BAD;
	if (reply == MLT_SMFIR_CONTINUE)
		return LOAD_THEN_STEP;
	if (reply == MLT_SMFIR_SKIP && stage == MLT_SMFIC_BODY)
		return LOAD_THEN_EOM;
	return stage == MLT_SMFIC_EOM && is_change(reply) ? LOAD_THEN_REPLY
							  : LOAD_THEN_BAD;
}

enum load_then
load_reply_then(
    const struct load_reply *r, uint8_t stage, bool others, enum mlt_verdict *v)
{
	uint8_t reply = r->head[OCTET];
	bool refuses;

	*v = verdict_of(r);
	if (stage == MLT_SMFIC_EOM && reply == MLT_SMFIR_CONTINUE)
		*v = MLT_VERDICT_ACCEPT;
	if (*v == MLT_VERDICT_NONE)
		return without_verdict(reply, stage);
	refuses = *v == MLT_VERDICT_REJECT || *v == MLT_VERDICT_TEMPFAIL;
	switch (stage) {
	case MLT_SMFIC_OPTNEG:
		return LOAD_THEN_BAD;
	case MLT_SMFIC_CONNECT:
	case MLT_SMFIC_HELO:
		return *v == MLT_VERDICT_DISCARD ? LOAD_THEN_BAD
						 : LOAD_THEN_CLIENT;
	case MLT_SMFIC_RCPT:
		if (!refuses || !others)
			break;
		*v = MLT_VERDICT_NONE;
		return LOAD_THEN_STEP;
	}
	return LOAD_THEN_MESSAGE;
}
