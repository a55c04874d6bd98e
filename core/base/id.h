/* SPDX-License-Identifier: MIT */
/*
 * id: numbers for objects that an asynchronous answer may outlive.
 *
 * An id is slot + generation, never 0 and not used twice in 2^32 uses of a
 * slot; looking up an id whose object is gone finds NULL.
 */
#ifndef CORE_BASE_ID_H
#define CORE_BASE_ID_H

#include <stddef.h>
#include <stdint.h>

struct id_slot;
struct id_table {
	struct id_slot *v;
	uint32_t n, cap, free_head;
	size_t used;
};
void id_init(struct id_table *t);
void id_fini(struct id_table *t);
uint64_t id_new(struct id_table *t, void *obj); /* not NULL; 0: no memory */
void *id_get(const struct id_table *t, uint64_t id); /* any number is fine */
void id_drop(struct id_table *t, uint64_t id);       /* likewise */
/* The next object in slot order, for a clean-up: *at is 0 at first; NULL is the
 * end.  What was handed out may be dropped. */
void *id_any(const struct id_table *t, uint32_t *at);

#endif
