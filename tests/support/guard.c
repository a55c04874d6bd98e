/* SPDX-License-Identifier: MIT */
/* guard: see guard.h. */
#include "guard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void
guard_copy(struct guard *g, const void *p, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t data = (n + page - 1) / page * page;
	char *map = mmap(NULL, data + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + data, page, PROT_NONE) < 0)
		abort();
	*g = (struct guard){ map + data - n, n, map, data + page };
	if (n)
		memcpy(g->p, p, n);
}

void
guard_free(struct guard *g)
{
	if (g->map)
		munmap(g->map, g->map_len);
	*g = (struct guard){ NULL, 0, NULL, 0 };
}
