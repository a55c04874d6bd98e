/* SPDX-License-Identifier: MIT */
/*
 * state: the two transition tables, each on one screen.  spec:states
 *
 * Rows: where we are; columns: what the MTA says (CONN = CONNECT, HDR =
 * HEADER, UNKN = UNKNOWN, Q_NC = QUIT_NC).  `__` is refused: the filter closes,
 * the MTA side's caller gets MLT_E_STATE.  test_state.c prints both and
 * compares them with docs/protocol.md.
 */
#include "state.h"

/* clang-format off */
#define __ ST_REFUSE
#define INIT ST_INIT
#define REDY ST_READY
#define IDLE ST_IDLE
#define ENVL ST_ENVELOPE
#define DAT_ ST_DATA
#define HDR_ ST_HEADER
#define EOH_ ST_EOH
#define BODY ST_BODY
#define DISC ST_DISCARD
#define DECD ST_DECIDED
#define DONE ST_DONE
#define END_ ST_END
#define ROW(neg, mac, conn, helo, mail, rcpt, data, hdr, eoh, body, eom,       \
	    abort, unkn, quit, q_nc)					       \
	{ [CM_OPTNEG] = neg, [CM_MACRO] = mac, [CM_CONNECT] = conn,	       \
	  [CM_HELO] = helo, [CM_MAIL] = mail, [CM_RCPT] = rcpt,		       \
	  [CM_DATA] = data, [CM_HEADER] = hdr, [CM_EOH] = eoh,		       \
	  [CM_BODY] = body, [CM_EOM] = eom, [CM_ABORT] = abort,		       \
	  [CM_UNKNOWN] = unkn, [CM_QUIT] = quit, [CM_QUIT_NC] = q_nc }

/* Filter side.  abt: STF_ABORT, then look again in ST_IDLE.  op: STF_OPENS.
 * s(x): STF_STICKY.  q(x): STF_QUIET. */
#define abt (ST_IDLE | STF_ABORT)
#define ab2 (ST_DECIDED | STF_ABORT)
#define op (ST_ENVELOPE | STF_OPENS)
#define s(x) ((x) | STF_STICKY)
#define q(x) ((x) | STF_QUIET)
const uint8_t mlt_filter_table[ST_N][CM_N] = {
	/*                  OPTNEG  MACRO   CONN  HELO     MAIL     RCPT     DATA     HDR      EOH      BODY     EOM      ABORT    UNKN     QUIT  Q_NC */
	[ST_INIT]     = ROW(REDY, q(INIT), __,   __,      __,      __,      __,      __,      __,      __,      __,      q(INIT), __,      END_, __),
	[ST_READY]    = ROW(__,   q(REDY), IDLE, IDLE,    ENVL,    op,      op,      op,      op,      op,      op,      q(REDY), REDY,    END_, REDY),
	[ST_IDLE]     = ROW(__,   q(IDLE), __,   IDLE,    ENVL,    op,      op,      op,      op,      op,      op,      q(IDLE), IDLE,    END_, REDY),
	[ST_ENVELOPE] = ROW(__,   q(ENVL), __,   abt,     abt,     ENVL,    DAT_,    HDR_,    EOH_,    BODY,    IDLE,    abt,     ENVL,    abt,  abt),
	[ST_DATA]     = ROW(__,   q(DAT_), __,   abt,     abt,     ENVL,    DAT_,    HDR_,    EOH_,    BODY,    IDLE,    abt,     DAT_,    abt,  abt),
	[ST_HEADER]   = ROW(__,   q(HDR_), __,   abt,     abt,     __,      __,      HDR_,    EOH_,    BODY,    IDLE,    abt,     HDR_,    abt,  abt),
	[ST_EOH]      = ROW(__,   q(EOH_), __,   abt,     abt,     __,      __,      __,      __,      BODY,    IDLE,    abt,     EOH_,    abt,  abt),
	[ST_BODY]     = ROW(__,   q(BODY), __,   abt,     abt,     __,      __,      __,      __,      BODY,    IDLE,    abt,     BODY,    abt,  abt),
	[ST_DISCARD]  = ROW(__,   q(DISC), __,   abt,     abt,     s(DISC), s(DISC), s(DISC), s(DISC), s(DISC), ab2,     abt,     DISC,    abt,  abt),
	[ST_DECIDED]  = ROW(__,   q(DECD), __,   IDLE,    ENVL,    s(DECD), s(DECD), s(DECD), s(DECD), s(DECD), s(IDLE), q(IDLE), DECD,    END_, REDY),
	[ST_DONE]     = ROW(__,   q(DONE), __,   s(DONE), s(DONE), s(DONE), s(DONE), s(DONE), s(DONE), s(DONE), s(DONE), q(DONE), s(DONE), END_, REDY),
};
#undef s
#undef q

/* MTA side.  no(x): STF_UNSENT.  After a refused DATA the session goes back to
 * ST_ENVELOPE, because the client may go on with RCPT or DATA. */
#define no(x) ((x) | STF_UNSENT)
const uint8_t mlt_mta_table[ST_N][CM_N] = {
	/*                  OPTNEG  MACRO   CONN  HELO      MAIL      RCPT      DATA      HDR       EOH       BODY      EOM       ABORT     UNKN      QUIT  Q_NC */
	[ST_INIT]     = ROW(REDY, __,       __,   __,       __,       __,       __,       __,       __,       __,       __,       __,       __,       END_, __),
	[ST_READY]    = ROW(__,   REDY,     IDLE, IDLE,     ENVL,     __,       __,       __,       __,       __,       __,       REDY,     REDY,     END_, REDY),
	[ST_IDLE]     = ROW(__,   IDLE,     __,   IDLE,     ENVL,     __,       __,       __,       __,       __,       __,       IDLE,     IDLE,     END_, REDY),
	[ST_ENVELOPE] = ROW(__,   ENVL,     __,   IDLE,     ENVL,     ENVL,     DAT_,     __,       __,       __,       __,       IDLE,     ENVL,     END_, REDY),
	[ST_DATA]     = ROW(__,   DAT_,     __,   IDLE,     ENVL,     __,       __,       HDR_,     EOH_,     __,       __,       IDLE,     DAT_,     END_, REDY),
	[ST_HEADER]   = ROW(__,   HDR_,     __,   __,       __,       __,       __,       HDR_,     EOH_,     __,       __,       IDLE,     __,       END_, REDY),
	[ST_EOH]      = ROW(__,   EOH_,     __,   __,       __,       __,       __,       __,       __,       BODY,     IDLE,     IDLE,     __,       END_, REDY),
	[ST_BODY]     = ROW(__,   BODY,     __,   __,       __,       __,       __,       __,       __,       BODY,     IDLE,     IDLE,     __,       END_, REDY),
	[ST_DECIDED]  = ROW(__,   DECD,     __,   IDLE,     ENVL,     no(DECD), no(DECD), no(DECD), no(DECD), no(DECD), no(IDLE), IDLE,     DECD,     END_, REDY),
	[ST_DONE]     = ROW(__,   no(DONE), __,   no(DONE), no(DONE), no(DONE), no(DONE), no(DONE), no(DONE), no(DONE), no(DONE), no(DONE), no(DONE), END_, REDY),
};
/* clang-format on */

/* spec:opening  HEADER and BODY may always be missing, so that their NO_ bits
 * need not be agreed for what comes after them. */
#define NO_ENVELOPE (MLT_PROT_NO_MAIL | MLT_PROT_NO_RCPT)
#define NO_START    (NO_ENVELOPE | MLT_PROT_NO_DATA)
const uint32_t mlt_opens[CM_N] = {
	[CM_RCPT] = MLT_PROT_NO_MAIL,
	[CM_DATA] = NO_ENVELOPE,
	[CM_HEADER] = NO_START,
	[CM_EOH] = NO_START,
	[CM_BODY] = NO_START | MLT_PROT_NO_EOH,
	[CM_EOM] = NO_START | MLT_PROT_NO_EOH,
};
