/* SPDX-License-Identifier: MIT */
/*
 * jsonstats: everything that the multiplexor knows about itself as one JSON
 * object, for `jsonstats`.  Pure.
 */
#ifndef MULTIPLEXOR_JSONSTATS_H
#define MULTIPLEXOR_JSONSTATS_H

#include "metrics.h"
#include "report.h"

/* One line with its LF.  spec:mux-jsonstats */
void jsonstats(
    const struct metrics *m, const struct report *r, struct buf *out);

#endif
