/* SPDX-License-Identifier: MIT */
/*
 * id: numbers for objects that an asynchronous answer may outlive.
 *
 * An id is the generation in the upper and slot + 1 in the lower half, hence
 * never 0.  Free slots form a list by index + 1; 0 ends it.
 */
#include "id.h"

#include <assert.h>
#include <stdlib.h>

#define SLOTS_MAX (1U << 24) /* a leak of ids must end somewhere */

struct id_slot {
	void *obj; /* NULL: free */
	uint32_t generation, next_free;
};

void
id_init(struct id_table *t)
{
	*t = (struct id_table){ 0 };
}

void
id_fini(struct id_table *t)
{
	free(t->v);
	id_init(t);
}

static int
grow(struct id_table *t)
{
	uint32_t cap = t->cap ? t->cap * 2 : 16;
	struct id_slot *v;

	if (cap > SLOTS_MAX)
		return -1;
	v = realloc(t->v, cap * sizeof(*v));
	if (!v)
		return -1;
	t->v = v;
	t->cap = cap;
	return 0;
}

uint64_t
id_new(struct id_table *t, void *obj)
{
	struct id_slot *s;

	assert(obj);
	if (t->free_head) {
		s = &t->v[t->free_head - 1];
		t->free_head = s->next_free;
	} else {
		if (t->n == t->cap && grow(t) < 0)
			return 0;
		s = &t->v[t->n++];
		s->generation = 0;
	}
	s->obj = obj;
	t->used++;
	return (uint64_t)s->generation << 32 | (uint32_t)(s - t->v + 1);
}

static struct id_slot *
find(const struct id_table *t, uint64_t id)
{
	uint32_t slot = (uint32_t)id;
	struct id_slot *s;

	if (slot == 0 || slot > t->n)
		return NULL;
	s = &t->v[slot - 1];
	return s->obj && s->generation == id >> 32 ? s : NULL;
}

void *
id_get(const struct id_table *t, uint64_t id)
{
	const struct id_slot *s = find(t, id);

	return s ? s->obj : NULL;
}

void
id_drop(struct id_table *t, uint64_t id)
{
	struct id_slot *s = find(t, id);

	if (!s)
		return;
	s->obj = NULL;
	s->generation++;
	s->next_free = t->free_head;
	t->free_head = (uint32_t)(s - t->v + 1);
	t->used--;
}

void *
id_any(const struct id_table *t, uint32_t *at)
{
	while (*at < t->n) {
		void *obj = t->v[(*at)++].obj;

		if (obj)
			return obj;
	}
	return NULL;
}
