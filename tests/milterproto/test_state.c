/* SPDX-License-Identifier: MIT */
/*
 * The transition tables are those of docs/protocol.md, word by word, and are
 * closed: no entry leads out of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "milterproto/state.h"

static const char *const names[ST_N] = { "-", "INIT", "READY", "IDLE",
	"ENVELOPE", "DATA", "HEADER", "EOH", "BODY", "DISCARD", "DECIDED",
	"DONE", "END" };

/* In the order of the columns of the page. */
static const enum mlt_cm columns[] = { CM_OPTNEG, CM_MACRO, CM_CONNECT, CM_HELO,
	CM_MAIL, CM_RCPT, CM_DATA, CM_HEADER, CM_EOH, CM_BODY, CM_EOM, CM_ABORT,
	CM_UNKNOWN, CM_QUIT, CM_QUIT_NC };

static char page[65536], text[8192];

static int
read_page(void **state)
{
	FILE *f = fopen("docs/protocol.md", "r");

	(void)state;
	if (!f)
		return -1;
	page[fread(page, 1, sizeof(page) - 1, f)] = 0;
	fclose(f);
	return 0;
}

static const char *
mark(uint8_t to, bool mta)
{
	if (mta)
		return to & STF_UNSENT ? "." : "";
	return to & STF_ABORT    ? "!"
	       : to & STF_STICKY ? "="
	       : to & STF_OPENS  ? "?"
	       : to & STF_QUIET  ? "."
				 : "";
}

/* The table as the page shows it: a row for each command, a column for each
 * state that has entries. */
static void
print_table(const uint8_t (*table)[CM_N], bool mta)
{
	size_t n = 0;

	text[0] = 0;
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "| %s",
		    mlt_commands[columns[i]].name);
		for (int st = ST_INIT; st < ST_END; st++) {
			uint8_t to = table[st][columns[i]];

			if (mta && st == ST_DISCARD)
				continue;
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    " | %s%s", names[to & ST_MASK], mark(to, mta));
		}
		n += (size_t)snprintf(text + n, sizeof(text) - n, " |\n");
	}
}

static void
want_on_page(void)
{
	if (strstr(page, text))
		return;
	fprintf(stderr, "docs/protocol.md has not this table:\n%s", text);
	fail();
}

static void
filter_table_is_the_documented_one(void **state)
{
	(void)state;
	print_table(mlt_filter_table, false);
	want_on_page();
}

static void
mta_table_is_the_documented_one(void **state)
{
	(void)state;
	print_table(mlt_mta_table, true);
	want_on_page();
}

/* Whoever must look again finds something else than the same again. */
static void
implied_abort_is_followed_by_an_answer(void **state)
{
	(void)state;
	for (int st = ST_INIT; st < ST_N; st++) {
		for (int cm = CM_OPTNEG; cm < CM_N; cm++) {
			uint8_t to = mlt_filter_table[st][cm];

			assert_true((to & ST_MASK) < ST_N);
			if (!(to & STF_ABORT))
				continue;
			to = mlt_filter_table[to & ST_MASK][cm];
			assert_true(to != ST_REFUSE && !(to & STF_ABORT));
		}
	}
}

static void
only_end_has_no_way_on(void **state)
{
	(void)state;
	for (int cm = CM_OPTNEG; cm < CM_N; cm++) {
		assert_int_equal(mlt_filter_table[ST_END][cm], ST_REFUSE);
		assert_int_equal(mlt_mta_table[ST_END][cm], ST_REFUSE);
	}
	for (int st = ST_INIT; st < ST_END; st++)
		assert_int_not_equal(mlt_filter_table[st][CM_QUIT], ST_REFUSE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filter_table_is_the_documented_one),
		cmocka_unit_test(mta_table_is_the_documented_one),
		cmocka_unit_test(implied_abort_is_followed_by_an_answer),
		cmocka_unit_test(only_end_has_no_way_on),
	};

	return cmocka_run_group_tests(tests, read_page, NULL);
}
