/* SPDX-License-Identifier: MIT */
#include "core/base/muxproto.h"
#include "core/frontend/request.h"
#include "tests/support/failmalloc.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define B(s)                                                                   \
	(struct mlt_bytes)                                                     \
	{                                                                      \
		s, sizeof(s) - 1                                               \
	}

static const struct client known = { .host = (char[]){ "h ost" },
	.helo = (char[]){ "he\"lo" },
	.ip = "1.2.3.4",
	.my_ip = "10.0.0.9",
	.port = 4321,
	.daemon_port = 25 };
static const struct client unknown;

static void
requests_of_a_known_client(void **state)
{
	const struct request_about a = { &known, "Q1", "/sp/mdefang-Q1",
		MUX_REQUEST_MAX };
	const struct request_rcpt r = { B("<a@b>"), B("<f@x>"), B("local"),
		B("h"), B("bob") };
	const struct mlt_bytes args[] = { B("<b'o%b@x>"), B("SIZE=12") };
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(request_relayok(&b, &a), 0);
	assert_string_equal(
	    buf_cstr(&b), "relayok 1.2.3.4 h%20ost 4321 10.0.0.9 25 Q1");
	assert_int_equal(request_helook(&b, &a), 0);
	assert_string_equal(
	    buf_cstr(&b), "helook 1.2.3.4 h%20ost he%22lo 4321 10.0.0.9 25 Q1");
	assert_int_equal(request_senderok(&b, &a, args, 2), 0);
	assert_string_equal(buf_cstr(&b),
	    "senderok <b%27o%25b@x> 1.2.3.4 h%20ost he%22lo /sp/mdefang-Q1 Q1 "
	    "SIZE=12");
	assert_int_equal(request_recipok(&b, &a, &r, args, 2), 0);
	assert_string_equal(buf_cstr(&b),
	    "recipok <b%27o%25b@x> <a@b> 1.2.3.4 h%20ost <f@x> he%22lo "
	    "/sp/mdefang-Q1 Q1 local h bob SIZE=12");
	assert_int_equal(request_scan(&b, &a), 0);
	assert_string_equal(buf_cstr(&b), "scan Q1 /sp/mdefang-Q1");
	buf_fini(&b);
}

static void
whatever_is_missing_has_a_substitute(void **state)
{
	const struct request_about a = { &unknown, "", NULL, MUX_REQUEST_MAX };
	const struct request_rcpt r = { 0 };
	const struct mlt_bytes args[] = { B("") };
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(request_relayok(&b, &a), 0);
	assert_string_equal(
	    buf_cstr(&b), "relayok UNKNOWN UNKNOWN 0 UNKNOWN 0 NOQUEUE");
	assert_int_equal(request_helook(&b, &a), 0);
	assert_string_equal(
	    buf_cstr(&b), "helook UNKNOWN UNKNOWN UNKNOWN 0 UNKNOWN 0 NOQUEUE");
	assert_int_equal(request_senderok(&b, &a, args, 1), 0);
	assert_string_equal(buf_cstr(&b),
	    "senderok UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN NOQUEUE");
	assert_int_equal(request_recipok(&b, &a, &r, args, 1), 0);
	assert_string_equal(buf_cstr(&b),
	    "recipok UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN "
	    "NOQUEUE ? ? ?");
	buf_fini(&b);
}

static void
parameters_that_do_not_fit_are_counted(void **state)
{
	static char big[4030], whole[4100];
	const struct request_about a = { &known, "Q1", "/sp/mdefang-Q1",
		MUX_REQUEST_MAX };
	struct mlt_bytes args[] = { B("<a@b>"), { big, sizeof(big) },
		{ big, 10 }, { big, 10 } };
	struct buf b = { 0 };

	(void)state;
	memset(big, 'x', sizeof(big));
	memset(whole, 'x', sizeof(whole));
	assert_int_equal(request_senderok(&b, &a, args, 4), 2);
	assert_int_equal(buf_len(&b) <= 4094, 1);
	args[0] = (struct mlt_bytes){ whole, sizeof(whole) };
	assert_int_equal(request_senderok(&b, &a, args, 4), -1);
	buf_fini(&b);
	failmalloc_after(0);
	assert_int_equal(request_scan(&b, &a), -1);
	failmalloc_off();
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_of_a_known_client),
		cmocka_unit_test(whatever_is_missing_has_a_substitute),
		cmocka_unit_test(parameters_that_do_not_fit_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
