/* SPDX-License-Identifier: MIT */
/* Octets are what happens: changes of workers, things that a listener says, and
 * octets that it takes.  Each message that it gets is whole and wanted; the free
 * workers that were told are right; and none is missing unless that was told. */
#include "multiplexor/notify.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SLOTS 3

struct world {
	struct notify n;
	struct notify_ear all, some; /* `all` wants all and has room */
	struct buf got;              /* what `some` took */
	unsigned long told, taken, lost;
};

static unsigned
free_now(const struct notify *n)
{
	unsigned count = 0;

	for (unsigned i = 0; i < SLOTS; i++)
		count +=
		    n->state[i] == NOTIFY_IDLE || n->state[i] == NOTIFY_STOPPED;
	return count;
}

/* Messages that `some` should get of these. */
static void
count_wanted(struct world *w, const char *p, size_t n)
{
	const char *end = p + n;

	for (; p < end;
	     p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1)
		w->told +=
		    *p >= 'A' && *p <= 'Z' && (w->some.wants >> (*p - 'A') & 1);
}

static void
happens(struct world *w, unsigned what)
{
	struct buf out = { 0 };
	char last[32];

	if (what & 0x80)
		notify_event("BUR"[what % 3], &out);
	else if (what & 0x40)
		notify_tag(what % SLOTS, what & 0x20 ? "" : "scan Q1", &out);
	else
		notify_change(&w->n, what % SLOTS,
		    (enum notify_state)(what >> 3 & 3), &out);
	assert(w->n.free == free_now(&w->n) && w->n.told_free == w->n.free);
	count_wanted(w, buf_data(&out), buf_len(&out));
	notify_tell(&w->some, buf_data(&out), buf_len(&out));
	notify_tell(&w->all, buf_data(&out), buf_len(&out));
	assert(buf_len(&w->some.out) <= w->some.out_max);
	assert(buf_len(&w->all.out) == buf_len(&out) && !w->all.lost);
	snprintf(last, sizeof(last), "\nF %u\n", w->n.free);
	if (memmem(buf_data(&out), buf_len(&out), "\nF ", 3))
		assert(
		    memmem(buf_data(&out), buf_len(&out), last, strlen(last)));
	buf_reset(&w->all.out);
	buf_fini(&out);
}

static void
takes(struct world *w, size_t n)
{
	size_t have = buf_len(&w->some.out);

	n = n < have ? n : have;
	buf_add(&w->got, buf_data(&w->some.out), n);
	buf_take(&w->some.out, n);
	notify_has_room(&w->some);
}

/* Each line that it got is a message. */
static void
check_got(struct world *w)
{
	const char *p = buf_data(&w->got), *end = p + buf_len(&w->got), *lf;

	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		assert(lf && strchr("SFZYBUR*", *p));
		if (*p == '*')
			w->lost += strtoul(p + 6, NULL, 10);
		else
			w->taken++;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char star[] = "?*\n", said[64];
	struct world w = { .got = { 0 } };

	if (notify_init(&w.n, SLOTS) < 0)
		return 0;
	notify_ear_init(&w.all, 1 << 20);
	notify_ear_init(&w.some, 100);
	notify_hear(&w.all, star, 3);
	for (size_t i = 0; i + 1 < size; i += 2) {
		size_t n = data[i + 1] & 63, left = size - i - 2;

		switch (data[i] & 3) {
		case 0:
			takes(&w, data[i + 1]);
			break;
		case 1:
			n = n < left ? n : left;
			memcpy(said, data + i + 2, n);
			notify_hear(&w.some, said, n);
			i += n;
			break;
		default:
			happens(&w, data[i + 1]);
			break;
		}
	}
	for (int i = 0; i < 3; i++)
		takes(&w, 1000);
	assert(w.some.lost == 0);
	check_got(&w);
	assert(w.taken + w.lost == w.told);
	buf_fini(&w.got);
	notify_ear_fini(&w.all);
	notify_ear_fini(&w.some);
	notify_fini(&w.n);
	return 0;
}
