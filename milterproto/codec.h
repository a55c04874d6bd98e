/* SPDX-License-Identifier: MIT */
/*
 * codec: one frame <-> one struct, both directions.  spec:commands spec:replies
 *
 * Nothing else takes a payload apart or builds a frame.  Decoders borrow from
 * the payload and return 0 or MLT_E_PROTO; encoders append one whole frame to
 * *b or nothing, and return 0, NOMEM, or ARG (does not fit into max octets of
 * payload, a NUL inside a string, or as said).
 */
#ifndef MILTERPROTO_CODEC_H
#define MILTERPROTO_CODEC_H

#include "state.h"

#pragma GCC visibility push(hidden)

/* ---- commands --------------------------------------------------------------- */

/* Fills ev->type and the union for any command but OPTNEG and MACRO.  For MAIL
 * and RCPT `v` has room for mlt_count_strings. */
int mlt_decode_command(enum mlt_cm cm, struct mlt_bytes payload,
    struct mlt_bytes *v, struct mlt_event *ev);
size_t mlt_count_strings(struct mlt_bytes payload);
/* A MACRO payload: its stage octet and the octets of its complete pairs. */
int mlt_decode_macros(
    struct mlt_bytes payload, uint8_t *stage, struct mlt_bytes *pairs);

/* `head` octets, then strings. */
int mlt_put_strings(struct mlt_buf **b, uint8_t cmd, struct mlt_bytes head,
    const struct mlt_bytes *v, size_t n, size_t max);
int mlt_put_raw(
    struct mlt_buf **b, uint8_t cmd, struct mlt_bytes payload, size_t max);
/* ARG also: family unknown. */
int mlt_put_connect(struct mlt_buf **b, struct mlt_bytes host, char family,
    uint16_t port, struct mlt_bytes addr, size_t max);

/* ---- OPTNEG, both directions ------------------------------------------------ */

struct mlt_agreement {
	uint32_t version, actions, protocol;
	struct mlt_bytes lists; /* macro lists behind the 12 octets */
};
int mlt_decode_options(struct mlt_bytes payload, struct mlt_agreement *a);
/* One macro list off the front of *lists.  1, 0 (end), PROTO. */
int mlt_next_list(
    struct mlt_bytes *lists, uint32_t *stage, struct mlt_bytes *names);
/* macros: by MLT_STAGE_ number, NULL entries are left out; NULL: no lists. */
int mlt_put_options(struct mlt_buf **b, const struct mlt_agreement *a,
    const char *const *macros, size_t max);

/* ---- replies ------------------------------------------------------------------ */

/* Everything but OPTNEG, which gives only a->reply and a->final. */
int mlt_decode_reply(const struct mlt_frame *f, struct mlt_action *a);

#pragma GCC visibility pop
#endif
