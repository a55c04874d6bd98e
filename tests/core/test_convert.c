/* SPDX-License-Identifier: MIT */
#include "core/frontend/convert.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct mlt_bytes
bytes(const char *s)
{
	return (struct mlt_bytes){ s, strlen(s) };
}

/* weakness 13.3.19 */
static void
header_is_converted_for_both_files(void **state)
{
	static const struct {
		const char *name, *value, *inputmsg, *headers;
		bool suspicious;
	} rows[] = {
		{ "Subject", "hi", "Subject: hi\n", "Subject: hi\n", false },
		{ "Subject", "", "Subject: \n", "Subject: \n", false },
		{ "X-Foo", " bar", "X-Foo:  bar\n", "X-Foo:  bar\n", false },
		{ "A", "a\n\tb", "A: a\n\tb\n", "A: a\tb\n", false },
		{ "A", "a\r\n\tb", "A: a\n\tb\n", "A: a\tb\n", false },
		{ "A", "foo\rbar", "A: foo bar\n", "A: foobar\n", true },
		{ "A", "foo\r", "A: foo \n", "A: foo\n", true },
		{ "A", "\r\r\n", "A:  \n\n", "A: \n", true },
		{ "A\rB", "x", "A B: x\n", "AB: x\n", true },
		{ "A", "a\n\n b", "A: a\n\n b\n", "A: a b\n", false },
		{ "A", "\xe4", "A: \xe4\n", "A: \xe4\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf im = { 0 }, h = { 0 };

		assert_int_equal(convert_header(&im, &h, bytes(rows[i].name),
				     bytes(rows[i].value)),
		    rows[i].suspicious);
		assert_string_equal(buf_cstr(&im), rows[i].inputmsg);
		assert_string_equal(buf_cstr(&h), rows[i].headers);
		buf_fini(&im);
		buf_fini(&h);
	}
}

struct body_case {
	const char *in;
	size_t n;
	const char *kept, *stripped;
	size_t n_kept, n_stripped;
	bool suspicious;
};
#define BODY(in, kept, stripped, suspicious)                                   \
	{                                                                      \
		in, sizeof(in) - 1, kept, stripped, sizeof(kept) - 1,          \
		    sizeof(stripped) - 1, suspicious                           \
	}
static const struct body_case bodies[] = {
	BODY("", "", "", false),
	BODY("a\r\nb\r\n", "a\nb\n", "a\nb\n", false),
	BODY("a\nb", "a\nb", "a\nb", false),
	BODY("a\rb", "a\rb", "ab", true),
	BODY("a\r\r\nb", "a\r\nb", "a\nb", true),
	BODY("a\r", "a\r", "a", true),
	BODY("\r\r\r", "\r\r\r", "", true),
	BODY("a\0b", "a\0b", "a\0b", true),
	BODY("\r\n.\r\n..\r\n\xff", "\n.\n..\n\xff", "\n.\n..\n\xff", false),
};

static void
check_body(const struct body_case *c, bool strip, size_t cut1, size_t cut2)
{
	struct convert_body state = { .strip_cr = strip };
	struct buf b = { 0 };

	convert_body(&state, &b, c->in, cut1);
	convert_body(&state, &b, c->in + cut1, cut2 - cut1);
	convert_body(&state, &b, c->in + cut2, c->n - cut2);
	convert_body_end(&state, &b);
	assert_int_equal(buf_len(&b), strip ? c->n_stripped : c->n_kept);
	assert_memory_equal(
	    buf_data(&b), strip ? c->stripped : c->kept, buf_len(&b));
	assert_int_equal(state.suspicious, c->suspicious);
	buf_fini(&b);
}

/* weakness 13.3.19 */
static void
body_is_converted_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		for (size_t cut2 = 0; cut2 <= bodies[i].n; cut2++)
			for (size_t cut1 = 0; cut1 <= cut2; cut1++) {
				check_body(&bodies[i], false, cut1, cut2);
				check_body(&bodies[i], true, cut1, cut2);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_is_converted_for_both_files),
		cmocka_unit_test(body_is_converted_however_it_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
