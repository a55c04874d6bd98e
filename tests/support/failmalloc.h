/* SPDX-License-Identifier: MIT */
/*
 * failmalloc: make the n-th allocation of the code under test fail.
 *
 * Every test binary is linked with --wrap for malloc, calloc and realloc; until
 * failmalloc_after is called the wrappers pass everything on.  Loop: run once
 * with failmalloc_after(SIZE_MAX), n = failmalloc_count(), then for each i < n
 * run with failmalloc_after(i): allocation i (from 0) and all later ones fail
 * until failmalloc_off.
 */
#ifndef TESTS_SUPPORT_FAILMALLOC_H
#define TESTS_SUPPORT_FAILMALLOC_H

#include <stddef.h>

void failmalloc_after(size_t n); /* restarts the count */
void failmalloc_once(size_t n);  /* only allocation n fails */
void failmalloc_off(void);
size_t failmalloc_count(void); /* allocations since _after or _once */

#endif
