/* SPDX-License-Identifier: MIT */
/*
 * guard: a copy of some octets whose end touches a page that cannot be read,
 * so that an over-read by one octet is a crash.  No malloc.
 */
#ifndef TESTS_SUPPORT_GUARD_H
#define TESTS_SUPPORT_GUARD_H

#include <stddef.h>

struct guard {
	char *p; /* the copy; n octets */
	size_t n;
	void *map; /* NULL: holds nothing */
	size_t map_len;
};

void guard_copy(struct guard *g, const void *p, size_t n); /* or aborts */
void guard_free(struct guard *g);                          /* may be empty */

#endif
