/* SPDX-License-Identifier: MIT */
/* pct: spec:percent. */
#include "core/base/pct.h"

#include "tests/support/failmalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

struct text_case {
	const char *in;
	size_t n;
	const char *want;
};
#define OCTETS(s) s, sizeof(s) - 1

static void
check_encode(enum pct_set set, const struct text_case *c, size_t n)
{
	for (; n--; c++) {
		struct buf b;

		buf_init(&b, 0);
		buf_adds(&b, "=");
		assert_int_equal(pct_encode(&b, set, c->in, c->n), 0);
		assert_string_equal(buf_cstr(&b) + 1, c->want);
		assert_int_equal(
		    pct_encoded_len(set, c->in, c->n), strlen(c->want));
		buf_fini(&b);
	}
}

static void
encode_for_files_leaves_quotes(void **state)
{
	static const struct text_case cases[] = {
		{ OCTETS(""), "" },
		{ OCTETS("<joe@example.org>"), "<joe@example.org>" },
		{ OCTETS("a b%c"), "a%20b%25c" },
		{ OCTETS("\\'\"~"), "\\'\"~" },
		{ OCTETS("\x01\t\r\n\x1f!"), "%01%09%0D%0A%1F!" },
		{ OCTETS("~\x7f\x80\xc3\xa9\xff"), "~%7F%80%C3%A9%FF" },
		{ OCTETS("a\0b"), "a%00b" },
	};

	(void)state;
	check_encode(PCT_FILE, cases, sizeof(cases) / sizeof(cases[0]));
}

static void
encode_for_the_wire_takes_quotes_too(void **state)
{
	static const struct text_case cases[] = {
		{ OCTETS("<b'o%b@x>"), "<b%27o%25b@x>" },
		{ OCTETS("client \"x\" \xe9.example"),
		    "client%20%22x%22%20%E9.example" },
		{ OCTETS("\\~"), "%5C~" },
	};

	(void)state;
	check_encode(PCT_WIRE, cases, sizeof(cases) / sizeof(cases[0]));
}

static void
decode_takes_either_case_and_leaves_other_percents(void **state)
{
	static const struct text_case cases[] = {
		{ OCTETS("plain"), "plain" },
		{ OCTETS("%41%4a%4A"), "AJJ" },
		{ OCTETS("100%"), "100%" },
		{ OCTETS("%2"), "%2" },
		{ OCTETS("%zz%4g%g4"), "%zz%4g%g4" },
		{ OCTETS("%%41"), "%A" },
		{ OCTETS("%2541"), "%41" }, /* once, not twice */
		{ OCTETS("a%20b%"), "a b%" },
		{ OCTETS("%C3%a9"), "\xc3\xa9" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[32];
		size_t n;

		memcpy(text, cases[i].in, cases[i].n);
		n = pct_decode(text, cases[i].n);
		assert_int_equal(n, strlen(cases[i].want));
		assert_memory_equal(text, cases[i].want, n);
	}
	assert_int_equal(pct_decode(NULL, 0), 0);
}

static void
every_octet_comes_back(void **state)
{
	struct buf b;
	unsigned char all[256];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	for (enum pct_set set = PCT_FILE; set <= PCT_WIRE; set++) {
		buf_init(&b, 0);
		assert_int_equal(pct_encode(&b, set, all, sizeof(all)), 0);
		assert_int_equal(pct_decode(b.p, buf_len(&b)), 256);
		assert_memory_equal(b.p, all, 256);
		buf_fini(&b);
	}
}

static void
encode_that_does_not_fit_adds_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	buf_adds(&b, "ab");
	assert_int_equal(pct_encode(&b, PCT_WIRE, "  ", 2), -1);
	assert_int_equal(buf_len(&b), 2);
	assert_true(b.failed);
	buf_fini(&b);

	failmalloc_after(0);
	assert_int_equal(pct_encode(&b, PCT_WIRE, "x", 1), -1);
	failmalloc_off();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encode_for_files_leaves_quotes),
		cmocka_unit_test(encode_for_the_wire_takes_quotes_too),
		cmocka_unit_test(
		    decode_takes_either_case_and_leaves_other_percents),
		cmocka_unit_test(every_octet_comes_back),
		cmocka_unit_test(encode_that_does_not_fit_adds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
