/* SPDX-License-Identifier: MIT */
/* notify: what is told, in which order, and to whom. */
#include "multiplexor/notify.h"
#include "tests/support/failmalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* Compares and empties. */
#define told(b, want)                                                          \
	do {                                                                   \
		assert_string_equal(buf_cstr(b), want);                        \
		buf_reset(b);                                                  \
	} while (0)

static void
one_request_with_one_free_slot_left(void **state)
{
	struct buf out = { 0 };
	struct notify n;

	(void)state;
	assert_int_equal(notify_init(&n, 5), 0);
	for (unsigned i = 0; i < 4; i++)
		notify_change(&n, i, NOTIFY_BUSY, NULL);
	notify_change(&n, 4, NOTIFY_IDLE, &out);
	notify_change(&n, 4, NOTIFY_BUSY, &out);
	notify_tag(4, "scan 4XyZ12", &out);
	notify_change(&n, 4, NOTIFY_IDLE, &out);
	told(&out, "S 4 StateChange Stopped -> Idle\n"
		   "S 4 StateChange Idle -> Busy\nF 0\nZ\n"
		   "S 4 scan 4XyZ12\n"
		   "S 4 StateChange Busy -> Idle\nF 1\nY\n");
	buf_fini(&out);
	notify_fini(&n);
}

static void
a_killed_worker_is_not_free(void **state)
{
	struct buf out = { 0 };
	struct notify n;

	(void)state;
	assert_int_equal(notify_init(&n, 2), 0);
	notify_change(&n, 0, NOTIFY_KILLED, &out);
	told(&out, "S 0 StateChange Stopped -> Idle\n"
		   "S 0 StateChange Idle -> Killed\nF 1\n");
	notify_change(&n, 1, NOTIFY_BUSY, &out);
	told(&out, "S 1 StateChange Stopped -> Idle\n"
		   "S 1 StateChange Idle -> Busy\nF 0\nZ\n");
	/* it was zero and stays so */
	notify_event('B', &out);
	notify_change(&n, 1, NOTIFY_KILLED, &out);
	told(&out, "B\nS 1 StateChange Busy -> Killed\nZ\n");
	notify_event('U', &out);
	notify_change(&n, 0, NOTIFY_STOPPED, &out);
	told(&out, "U\nS 0 StateChange Killed -> Stopped\nF 1\nY\n");
	notify_change(&n, 0, NOTIFY_STOPPED, &out);
	notify_tag(0, "", &out);
	notify_event('R', &out);
	told(&out, "R\n");
	buf_fini(&out);
	notify_fini(&n);
}

static void
hear(struct notify_ear *e, const char *text)
{
	char copy[1000];

	strcpy(copy, text);
	notify_hear(e, copy, strlen(copy));
}

static void
tell(struct notify_ear *e, const char *text)
{
	notify_tell(e, text, strlen(text));
}

static void
a_listener_gets_what_it_wants(void **state)
{
	static const char all[] = "S 1 x\nF 2\nZ\n*OK\nY\n";
	struct notify_ear e;

	(void)state;
	notify_ear_init(&e, 1000);
	tell(&e, all);
	told(&e.out, "*OK\n");
	hear(&e, "F\nhello ?F\n\n");
	assert_false(e.asked);
	tell(&e, all);
	told(&e.out, "*OK\n");
	hear(&e, "?F, and Y");
	tell(&e, all);
	told(&e.out, "*OK\n"); /* the line has not ended */
	hear(&e, "\r\n");
	assert_true(e.asked);
	tell(&e, all);
	told(&e.out, "F 2\n*OK\nY\n");
	hear(&e, "?*\n");
	tell(&e, all);
	told(&e.out, all);
	hear(&e, "?S\n");
	tell(&e, all);
	told(&e.out, "S 1 x\n*OK\n");
	hear(&e, "?\n");
	tell(&e, all);
	told(&e.out, "*OK\n");
	notify_ear_fini(&e);
}

static void
a_line_counts_up_to_256_octets(void **state)
{
	struct notify_ear e;
	char line[400];

	(void)state;
	notify_ear_init(&e, 1000);
	memset(line, ' ', sizeof(line));
	line[0] = '?';
	line[255] = 'F';
	line[256] = 'Z';
	line[399] = '\n';
	notify_hear(&e, line, sizeof(line));
	tell(&e, "F 1\nZ\n");
	told(&e.out, "F 1\n");
	notify_ear_fini(&e);
}

static void
what_is_lost_is_told(void **state)
{
	struct notify_ear e;

	(void)state;
	notify_ear_init(&e, 60);
	hear(&e, "?F\n");
	tell(&e, "F 1\nF 2\nS 1 x\nF 3\nF 4\nF 5\n");
	assert_int_equal(buf_len(&e.out), 20);
	tell(&e, "F 6\nF 7\nZ\n");
	assert_int_equal(e.lost, 2);
	tell(&e, "F 8\n"); /* room is kept for what tells the loss */
	assert_int_equal(e.lost, 1);
	notify_has_room(&e);
	assert_int_equal(buf_len(&e.out), 28);
	buf_take(&e.out, 8);
	notify_has_room(&e);
	told(&e.out, "F 3\nF 4\nF 5\n*LOST 2\n*LOST 1\n");
	tell(&e, "F 10\n");
	told(&e.out, "F 10\n");
	notify_ear_fini(&e);
}

static void
without_memory_it_counts_as_lost(void **state)
{
	struct notify_ear e;

	(void)state;
	notify_ear_init(&e, 10000);
	hear(&e, "?F\n");
	failmalloc_after(0);
	tell(&e, "F 1\nF 2\n");
	notify_has_room(&e);
	failmalloc_off();
	assert_int_equal(e.lost, 2);
	tell(&e, "F 3\n");
	told(&e.out, "*LOST 2\nF 3\n");
	notify_ear_fini(&e);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_request_with_one_free_slot_left),
		cmocka_unit_test(a_killed_worker_is_not_free),
		cmocka_unit_test(a_listener_gets_what_it_wants),
		cmocka_unit_test(a_line_counts_up_to_256_octets),
		cmocka_unit_test(what_is_lost_is_told),
		cmocka_unit_test(without_memory_it_counts_as_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
