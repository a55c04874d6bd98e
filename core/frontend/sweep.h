/* SPDX-License-Identifier: MIT */
/*
 * sweep: working directories that a crash left behind are removed when the
 * next front-end starts (spec:stale-directories, choice:sweep).
 */
#ifndef CORE_FRONTEND_SWEEP_H
#define CORE_FRONTEND_SWEEP_H

#include "core/frontend/spool.h"

#include <stdint.h>

/* Holds the spool's lock, shared, until it is closed; nobody sweeps meanwhile.
 * If nobody else held it, removes directories of ours that are at least
 * older_s old at now_s (0: none), and empty ones that waited for messages
 * (spare.h).  Says in the log what was done; returns how many were removed,
 * without the empty ones. */
unsigned sweep_spool(const struct spool *s, int64_t now_s, int64_t older_s);

#endif
