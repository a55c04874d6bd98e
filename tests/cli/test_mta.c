/* SPDX-License-Identifier: MIT */
/* mta: addresses, times, sizes and lists of macros. */
#include "cli/mta.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* "unix PATH", "inet HOST PORT" or "none". */
static const char *
said(int rc, const struct mta_addr *a)
{
	static char text[500];

	if (rc < 0)
		return "none";
	if (a->is_unix)
		snprintf(text, sizeof(text), "unix %s", a->path);
	else
		snprintf(text, sizeof(text), "inet %s %s", a->host, a->port);
	return text;
}

static const char *
ours(const char *text)
{
	struct mta_addr a;

	return said(mta_addr_ours(&a, text, strlen(text)), &a);
}

static const char *
theirs(const char *text)
{
	struct mta_addr a;

	return said(mta_addr_postfix(&a, text, strlen(text)), &a);
}

static void
addresses_of_the_daemon(void **state)
{
	(void)state;
	assert_string_equal(ours("/run/m.sock"), "unix /run/m.sock");
	assert_string_equal(ours("unix:/run//m.sock"), "unix /run/m.sock");
	assert_string_equal(ours("LOCAL:/m"), "unix /m");
	assert_string_equal(
	    ours("inet:10025@127.0.0.1"), "inet 127.0.0.1 10025");
	assert_string_equal(
	    ours("inet:10025@LocalHost"), "inet 127.0.0.1 10025");
	assert_string_equal(ours("inet:10025"), "inet  10025");
	assert_string_equal(ours("inet6:25@[::1]"), "inet ::1 25");
	assert_string_equal(ours("inet6:25@::1"), "inet ::1 25");
	assert_string_equal(ours("fd:3"), "none");
	assert_string_equal(ours("unix:"), "none");
	assert_string_equal(ours("inet:@h"), "none");
	assert_string_equal(ours(""), "none");
}

static void
addresses_of_postfix(void **state)
{
	char longest[300];

	(void)state;
	assert_string_equal(theirs("unix:/m"), "unix /m");
	assert_string_equal(theirs("unix:m/m"), "unix m/m");
	assert_string_equal(
	    theirs("inet:127.0.0.1:10025"), "inet 127.0.0.1 10025");
	assert_string_equal(theirs("inet:localhost:1"), "inet 127.0.0.1 1");
	assert_string_equal(theirs("inet:[::1]:1"), "inet ::1 1");
	assert_string_equal(theirs("inet:1"), "none");
	assert_string_equal(theirs("inet:h:"), "none");
	assert_string_equal(theirs("/m"), "none");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest, "unix:/", 6);
	assert_string_equal(theirs(longest), "none");
}

static bool
same(const char *a, const char *b)
{
	struct mta_addr x, y;

	assert_int_equal(mta_addr_ours(&x, a, strlen(a)), 0);
	assert_int_equal(mta_addr_postfix(&y, b, strlen(b)), 0);
	return mta_addr_same(&x, &y);
}

static void
what_an_mta_connects_to_is_ours_or_not(void **state)
{
	(void)state;
	assert_true(same("/a/b", "unix:/a/b"));
	assert_false(same("/a/b", "unix:/a/c"));
	assert_false(same("/a/b", "inet:h:1"));
	assert_true(same("inet:1@127.0.0.1", "inet:localhost:1"));
	assert_false(same("inet:1@127.0.0.1", "inet:localhost:2"));
	assert_false(same("inet:1@127.0.0.1", "inet:192.0.2.1:1"));
	assert_true(same("inet:1", "inet:192.0.2.1:1"));
	assert_true(same("inet:1@0.0.0.0", "inet:192.0.2.1:1"));
}

static const char *
printed(const char *text, bool postfix)
{
	static char out[300];
	struct mta_addr a;

	assert_int_equal(mta_addr_ours(&a, text, strlen(text)), 0);
	mta_addr_print(&a, postfix, out, sizeof(out));
	return out;
}

static void
it_is_printed_as_the_mta_spells_it(void **state)
{
	(void)state;
	assert_string_equal(printed("/a", true), "unix:/a");
	assert_string_equal(printed("inet:1@h", true), "inet:h:1");
	assert_string_equal(printed("inet:1@h", false), "inet:1@h");
	assert_string_equal(printed("inet:1", true), "inet:127.0.0.1:1");
	assert_string_equal(printed("inet6:1@::1", true), "inet:[::1]:1");
	assert_string_equal(printed("inet6:1@::1", false), "inet6:1@::1");
}

static void
times_have_units(void **state)
{
	static const struct {
		const char *text;
		long want;
	} cases[] = { { "30s", 30 }, { "5m", 300 }, { "1h", 3600 },
		{ "2d", 172800 }, { "1w", 604800 }, { "7", 7 }, { "0", 0 },
		{ "", -1 }, { "s", -1 }, { "5x", -1 }, { "5ss", -1 },
		{ "-5s", -1 }, { "99999999999999999999w", 2147483647 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    mta_seconds(cases[i].text, strlen(cases[i].text)),
		    cases[i].want);
}

static void
sizes_are_numbers(void **state)
{
	(void)state;
	assert_int_equal(mta_bytes("10240000", 8), 10240000);
	assert_int_equal(mta_bytes("0", 1), 0);
	assert_int_equal(mta_bytes("", 0), -1);
	assert_int_equal(mta_bytes("1k", 2), -1);
	assert_int_equal(mta_bytes("99999999999999999999", 20), 9999999999999);
}

static void
macros_are_found_with_and_without_braces(void **state)
{
	(void)state;
	assert_true(mta_has_macro("i {auth_type}", "i"));
	assert_true(mta_has_macro("i {auth_type}", "auth_type"));
	assert_true(mta_has_macro("j, _, {if_addr}", "{if_addr}"));
	assert_true(mta_has_macro("{i}", "i"));
	assert_false(mta_has_macro("{auth_types}", "auth_type"));
	assert_false(mta_has_macro("", "i"));
	assert_false(mta_has_macro("{} ,", ""));
}

static void
a_text_that_fills_its_place_may_be_cut(void **state)
{
	char text[MTA_TEXT_MAX], more[MTA_TEXT_MAX + 100];

	(void)state;
	memset(more, 'x', sizeof(more));
	mta_copy(text, sizeof(text), more, MTA_TEXT_MAX - 2);
	assert_false(mta_is_cut(text));
	mta_copy(text, sizeof(text), more, sizeof(more));
	assert_int_equal(strlen(text), MTA_TEXT_MAX - 1);
	assert_true(mta_is_cut(text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_the_daemon),
		cmocka_unit_test(addresses_of_postfix),
		cmocka_unit_test(what_an_mta_connects_to_is_ours_or_not),
		cmocka_unit_test(it_is_printed_as_the_mta_spells_it),
		cmocka_unit_test(times_have_units),
		cmocka_unit_test(sizes_are_numbers),
		cmocka_unit_test(a_text_that_fills_its_place_may_be_cut),
		cmocka_unit_test(macros_are_found_with_and_without_braces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
