/* SPDX-License-Identifier: MIT */
/* capture: what a function that exits does, seen from outside. */
#ifndef TESTS_SUPPORT_CAPTURE_H
#define TESTS_SUPPORT_CAPTURE_H

#include <stddef.h>

/* Runs fn(arg) in a child, with standard output and error in out and err
 * (NUL-terminated, cut to size).  Returns the exit status, or 1000 + signal.
 * When fn returns, the child exits with what it returned. */
int capture_run(int (*fn)(void *arg), void *arg, char *out, size_t outlen,
    char *err, size_t errlen);

#endif
