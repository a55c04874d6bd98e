/* SPDX-License-Identifier: MIT */
/* fail: why a function failed, as one line for whoever started the program. */
#ifndef CORE_BASE_FAIL_H
#define CORE_BASE_FAIL_H

#include <stddef.h>

/* Writes the line, cut to errlen, and returns -1. */
int fail_with(char *err, size_t errlen, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
