/* SPDX-License-Identifier: MIT */
#include "tests/support/failmalloc.h"

#include <stdbool.h>
#include <stdlib.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool on, once;
static size_t limit, count;

static bool
fails(void)
{
	if (!on)
		return false;
	size_t i = count++;
	return once ? i == limit : i >= limit;
}

void *
__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

void
failmalloc_after(size_t n)
{
	limit = n;
	count = 0;
	once = false;
	on = true;
}

void
failmalloc_once(size_t n)
{
	failmalloc_after(n);
	once = true;
}

void
failmalloc_off(void)
{
	on = false;
}

size_t
failmalloc_count(void)
{
	return count;
}
