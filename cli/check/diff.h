/* SPDX-License-Identifier: MIT */
/*
 * diff: what distinguishes two texts, line by line, in the unified form that
 * patch(1) reads.  Pure.
 */
#ifndef CLI_CHECK_DIFF_H
#define CLI_CHECK_DIFF_H

#include "core/base/buf.h"

#include <milterproto.h>

/* Appends the difference, nothing if there is none; control characters in lines
 * are escaped, so that a text without them gives a true patch.  0, or -1 if
 * there is no memory (out->failed, too).
 * The result is the shortest one up to a thousand lines that differ; beyond
 * that all from the first to the last of them is shown as replaced. */
int diff_unified(struct buf *out, const char *old_name, struct mlt_bytes old,
    const char *new_name, struct mlt_bytes new);

#endif
