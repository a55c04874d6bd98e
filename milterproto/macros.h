/* SPDX-License-Identifier: MIT */
/*
 * macros: what the MTA said about itself, the client and the message.
 * spec:macros
 *
 * One set for each stage, all in one block on the heap (NULL while there are
 * none), because a connection that waits must stay small.
 */
#ifndef MILTERPROTO_MACROS_H
#define MILTERPROTO_MACROS_H

#include "wire.h"

#pragma GCC visibility push(hidden)

/* Replaces the set of the stage that belongs to this command octet by the
 * pairs (cstr name, cstr value)*.  An unknown stage is ignored.  0, NOMEM, or
 * TOOBIG: all sets together would be over max octets. */
int mlt_macros_set(
    struct mlt_buf **m, uint8_t stage_cmd, struct mlt_bytes pairs, size_t max);
bool mlt_macros_known(uint8_t stage_cmd); /* is it the octet of a stage? */
/* Clears all sets that come after the stage of this command octet. */
void mlt_macros_clear_after(struct mlt_buf **m, uint8_t stage_cmd);
/* As mlt_filter_macro. */
struct mlt_bytes mlt_macros_get(const struct mlt_buf *m, const char *name);

#pragma GCC visibility pop
#endif
