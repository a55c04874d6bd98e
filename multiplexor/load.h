/* SPDX-License-Identifier: MIT */
/*
 * load: how much work there was, for the last ten minutes by the second and
 * for the last day by the hour, and what `load`, `load1`, `hload` and `histo`
 * answer of it.  Pure.
 *
 * `sec` is the time in seconds since 1970 by a clock that is never set: the
 * wall's at the start, and what has passed since.  So a step of the wall clock
 * loses nothing, and hours are those of the clock on the wall until then.
 */
#ifndef MULTIPLEXOR_LOAD_H
#define MULTIPLEXOR_LOAD_H

#include "report.h"

#include "core/base/buf.h"
#include "core/base/muxproto.h"

#include <stdint.h>

struct load;
int load_new(struct load **out, unsigned slots); /* -ENOMEM */
void load_free(struct load *l);                  /* NULL is allowed */

/* ---- what happened ---- */

/* A request of a tracked class (others are passed over) was answered or given
 * up by its worker; busy: how many were, with this one. */
void load_done(struct load *l, enum mux_class cls, unsigned busy, uint64_t us,
    int64_t sec);
void load_started(struct load *l, int64_t sec); /* a worker */
void load_reaped(struct load *l, int64_t sec);
/* One more became busy, and made `busy` of them. */
void load_busy(struct load *l, unsigned busy);

/* ---- the reports ---- */

/* spec:mux-load */
void load_report(const struct load *l, enum mux_class cls, int64_t sec,
    const struct report *r, struct buf *out);
/* spec:mux-load1; back: seconds, checked here */
void load_report1(const struct load *l, long back, int64_t sec,
    const struct report *r, struct buf *out);
/* spec:mux-hload */
void load_report_hours(
    const struct load *l, enum mux_class cls, int64_t sec, struct buf *out);
/* spec:mux-histo */
void load_report_histo(const struct load *l, struct buf *out);

#endif
