/* SPDX-License-Identifier: MIT */
#include "cli/check/frame_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define P(s) s, sizeof(s) - 1

static void
packets_become_members(void **state)
{
	static const struct {
		bool reply;
		char octet;
		const char *p;
		size_t n;
		const char *want;
	} cases[] = {
		{ false, 'M', P("<a>\0SIZE=1\0"),
		    "\"from\":\"mta\",\"name\":\"MAIL\",\"strings\":[\"<a>\","
		    "\"SIZE=1\"],\"words\":\"MAIL <a> SIZE=1\",\"octets\":12" },
		{ false, 'D', P("Mi\0Q\0{x}\0\0"),
		    "\"from\":\"mta\",\"name\":\"MACRO\",\"for\":\"M\","
		    "\"macros\":{\"i\":\"Q\",\"{x}\":\"\"},\"words\":\"MACRO "
		    "for M: i=Q {x}=\",\"octets\":11" },
		{ false, 'D', P(""),
		    "\"from\":\"mta\",\"name\":\"MACRO\",\"words\":\"MACRO\","
		    "\"octets\":1" },
		{ false, 'D', P("Mi\0"), /* a name without a value */
		    "\"from\":\"mta\",\"name\":\"MACRO\",\"for\":\"M\","
		    "\"macros\":{},\"words\":\"MACRO for M: [2 octets: "
		    "\\\"i\\\\x00\\\"]\",\"octets\":4" },
		{ true, 'h', P("X\0\"\0"),
		    "\"from\":\"filter\",\"name\":\"ADDHEADER\",\"strings\":["
		    "\"X\",\"\\\"\"],\"words\":\"ADDHEADER X: \\\"\","
		    "\"octets\":5" },
		{ true, 'c', P(""),
		    "\"from\":\"filter\",\"name\":\"CONTINUE\",\"words\":"
		    "\"CONTINUE\",\"octets\":1" },
		{ true, '\0', P(""),
		    "\"from\":\"filter\",\"name\":\"\",\"words\":\"unknown "
		    "reply 0x00\",\"octets\":1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out;

		buf_init(&out, 0);
		frame_json(&out, cases[i].reply, (uint8_t)cases[i].octet,
		    cases[i].p, cases[i].n, false);
		assert_string_equal(buf_cstr(&out), cases[i].want);
		buf_fini(&out);
	}
}

static void
octets_are_there_when_asked(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	frame_json(&out, false, 'B', P("x\n"), true);
	assert_string_equal(buf_cstr(&out),
	    "\"from\":\"mta\",\"name\":\"BODY\",\"words\":\"BODY [2 octets: "
	    "\\\"x\\\\x0A\\\"]\",\"octets\":3,\"hex\":\"0000000342780a\"");
	buf_fini(&out);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_become_members),
		cmocka_unit_test(octets_are_there_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
