/* SPDX-License-Identifier: MIT */
/*
 * openmetrics: the metrics as text of the OpenMetrics format, for `metrics`.
 * Pure.
 */
#ifndef MULTIPLEXOR_OPENMETRICS_H
#define MULTIPLEXOR_OPENMETRICS_H

#include "metrics.h"
#include "report.h"

/* Ends with "# EOF" and LF. */
void openmetrics(
    const struct metrics *m, const struct report *r, struct buf *out);

#endif
