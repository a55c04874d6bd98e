/* SPDX-License-Identifier: MIT */
#include "cli/check/load_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* The octets of replies as letters: those that are whole, '!' for a bad one. */
static const char *
octets_of(const char *p, size_t n, size_t piece)
{
	static char out[64];
	struct load_reply r = { .got = 0 };
	size_t k = 0;

	for (size_t at = 0; at < n; at += piece) {
		size_t left = n - at < piece ? n - at : piece, used;
		const uint8_t *q = (const uint8_t *)p + at;

		while (left > 0) {
			int reply = load_reply_take(&r, q, left, &used);

			q += used;
			left -= used;
			if (reply == LOAD_REPLY_BAD) {
				out[k] = '!';
				out[k + 1] = '\0';
				return out;
			}
			if (reply != LOAD_REPLY_MORE)
				out[k++] = (char)reply;
		}
	}
	out[k] = '\0';
	return out;
}

#define REPLIES(s) s, sizeof(s) - 1

static void
replies_are_found_in_any_pieces(void **state)
{
	static const struct {
		const char *label, *p;
		size_t n;
		const char *want;
	} cases[] = {
		{ "one", REPLIES("\0\0\0\1c"), "c" },
		{ "two", REPLIES("\0\0\0\1c\0\0\0\1a"), "ca" },
		{ "with a payload", REPLIES("\0\0\0\6hX\0001\0y\0\0\0\1c"),
		    "hc" },
		{ "payload of one", REPLIES("\0\0\0\2q\0\0\0\0\1c"), "qc" },
		{ "not whole", REPLIES("\0\0\0\1c\0\0\0\3ya"), "c" },
		{ "no length", REPLIES("\0\0\0\1c\0\0\0\0c"), "c!" },
		{ "too long", REPLIES("\0\x10\0\2b"), "!" },
		{ "4 GiB", REPLIES("\xff\xff\xff\xff"), "!" },
		{ "no reply", REPLIES("\0\0\0\1Z"), "!" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("%s\n", cases[i].label);
		for (size_t piece = 1; piece <= cases[i].n; piece++)
			assert_string_equal(
			    octets_of(cases[i].p, cases[i].n, piece),
			    cases[i].want);
	}
}

static void
replies_lead_on(void **state)
{
	static const struct {
		const char *label, *p;
		size_t n;
		char stage;
		bool others;
		enum load_then want;
		enum mlt_verdict verdict;
	} cases[] = {
		{ "options", REPLIES("\0\0\0\1O"), 'O', false, LOAD_THEN_STEP,
		    MLT_VERDICT_NONE },
		{ "no options", REPLIES("\0\0\0\1c"), 'O', false, LOAD_THEN_BAD,
		    MLT_VERDICT_NONE },
		{ "verdict on options", REPLIES("\0\0\0\1a"), 'O', false,
		    LOAD_THEN_BAD, MLT_VERDICT_ACCEPT },
		{ "options later", REPLIES("\0\0\0\1O"), 'C', false,
		    LOAD_THEN_BAD, MLT_VERDICT_NONE },
		{ "go on", REPLIES("\0\0\0\1c"), 'M', false, LOAD_THEN_STEP,
		    MLT_VERDICT_NONE },
		{ "client accepted", REPLIES("\0\0\0\1a"), 'C', false,
		    LOAD_THEN_CLIENT, MLT_VERDICT_ACCEPT },
		{ "client refused", REPLIES("\0\0\0\1r"), 'H', false,
		    LOAD_THEN_CLIENT, MLT_VERDICT_REJECT },
		{ "client discarded", REPLIES("\0\0\0\1d"), 'H', false,
		    LOAD_THEN_BAD, MLT_VERDICT_DISCARD },
		{ "sender put off", REPLIES("\0\0\0\1t"), 'M', false,
		    LOAD_THEN_MESSAGE, MLT_VERDICT_TEMPFAIL },
		{ "the only recipient refused", REPLIES("\0\0\0\1r"), 'R',
		    false, LOAD_THEN_MESSAGE, MLT_VERDICT_REJECT },
		{ "one recipient refused", REPLIES("\0\0\0\1r"), 'R', true,
		    LOAD_THEN_STEP, MLT_VERDICT_NONE },
		{ "accepted at a recipient", REPLIES("\0\0\0\1a"), 'R', true,
		    LOAD_THEN_MESSAGE, MLT_VERDICT_ACCEPT },
		{ "discarded at a recipient", REPLIES("\0\0\0\1d"), 'R', true,
		    LOAD_THEN_MESSAGE, MLT_VERDICT_DISCARD },
		{ "rejected by code", REPLIES("\0\0\0\6y550 x"), 'L', false,
		    LOAD_THEN_MESSAGE, MLT_VERDICT_REJECT },
		{ "put off by code", REPLIES("\0\0\0\6y451 x"), 'L', false,
		    LOAD_THEN_MESSAGE, MLT_VERDICT_TEMPFAIL },
		{ "skip", REPLIES("\0\0\0\1s"), 'B', false, LOAD_THEN_EOM,
		    MLT_VERDICT_NONE },
		{ "skip elsewhere", REPLIES("\0\0\0\1s"), 'L', false,
		    LOAD_THEN_BAD, MLT_VERDICT_NONE },
		{ "change", REPLIES("\0\0\0\5hX\0y\0"), 'E', false,
		    LOAD_THEN_REPLY, MLT_VERDICT_NONE },
		{ "progress", REPLIES("\0\0\0\1p"), 'E', false, LOAD_THEN_REPLY,
		    MLT_VERDICT_NONE },
		{ "change too early", REPLIES("\0\0\0\5hX\0y\0"), 'B', false,
		    LOAD_THEN_BAD, MLT_VERDICT_NONE },
		{ "go on at the end", REPLIES("\0\0\0\1c"), 'E', false,
		    LOAD_THEN_MESSAGE, MLT_VERDICT_ACCEPT },
		{ "what nobody may say", REPLIES("\0\0\0\0014"), 'E', false,
		    LOAD_THEN_BAD, MLT_VERDICT_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct load_reply r = { .got = 0 };
		enum mlt_verdict v;
		size_t used;

		print_message("%s\n", cases[i].label);
		assert_int_equal(
		    load_reply_take(
			&r, (const uint8_t *)cases[i].p, cases[i].n, &used),
		    cases[i].p[4]);
		assert_int_equal(load_reply_then(&r, (uint8_t)cases[i].stage,
				     cases[i].others, &v),
		    cases[i].want);
		assert_int_equal(v, cases[i].verdict);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_found_in_any_pieces),
		cmocka_unit_test(replies_lead_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
