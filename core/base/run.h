/* SPDX-License-Identifier: MIT */
/*
 * run: runs a program to its end and keeps what it says.  It blocks: not for
 * daemons that serve.
 */
#ifndef CORE_BASE_RUN_H
#define CORE_BASE_RUN_H

#include "core/base/buf.h"
#include "core/base/clock.h"

#define RUN_SAID_MAX 65536 /* more is read and dropped */

/* argv[0] is the path, NULL ends argv.  Standard input is empty; output and
 * errors go to `said`.  It leads a process group, which is killed when `limit`
 * is over.  The status as waitpid gives it, or -errno; -ETIMEDOUT: killed. */
int run_program(const char *const *argv, msec limit, struct buf *said);

#endif
