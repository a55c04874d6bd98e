/* SPDX-License-Identifier: MIT */
/* clock: the only place that asks for the time.  Everything below the loop
 * gets `now` as an argument. */
#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

#include <stdint.h>
#include <sys/time.h>

typedef uint64_t msec; /* milliseconds */
#define MSEC_NEVER UINT64_MAX

msec clock_mono_ms(void);     /* since an unspecified start; never goes back */
uint64_t clock_mono_us(void); /* the same in microseconds */
int64_t clock_wall_s(void);   /* seconds since 1970-01-01 UTC */
int64_t clock_wall_ms(void);

/* A time span for whoever takes it in that form. */
struct timeval clock_timeval(msec ms);

#endif
