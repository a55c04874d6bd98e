/* SPDX-License-Identifier: MIT */
/* Names, and that the list agrees with itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "milterproto/state.h"

static void
octets_have_names(void **state)
{
	(void)state;
	assert_string_equal(mlt_command_name('C'), "CONNECT");
	assert_string_equal(mlt_command_name('K'), "QUIT_NC");
	assert_null(mlt_command_name('c'));
	assert_string_equal(mlt_reply_name('c'), "CONTINUE");
	assert_string_equal(mlt_reply_name('2'), "ADDRCPT_PAR");
	assert_null(mlt_reply_name('C'));
	assert_string_equal(mlt_action_name(0x80), "ADDRCPT_PAR");
	assert_null(mlt_action_name(0x81));
	assert_string_equal(mlt_protocol_name(0x80), "NR_HDR");
	assert_null(mlt_protocol_name(0));
}

static void
events_and_errors_have_names(void **state)
{
	static const int errors[] = { 0, MLT_E_NOMEM, MLT_E_ARG, MLT_E_STATE,
		MLT_E_AGREED, MLT_E_PROTO, MLT_E_TOOBIG, MLT_E_OFFER };

	(void)state;
	assert_string_equal(mlt_event_name(MLT_EV_NEGOTIATE), "NEGOTIATE");
	assert_string_equal(mlt_event_name(MLT_EV_QUIT), "QUIT");
	assert_string_equal(mlt_event_name(MLT_EV_N), "?");
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		assert_string_not_equal(
		    mlt_strerror(errors[i]), mlt_strerror(-9999));
}

/* Numbers of the wire, as literals: a slip in the list is seen here. */
static void
sets_of_bits_are_complete(void **state)
{
	uint32_t no = 0, nr = 0, actions = 0, protocol = 0;

	(void)state;
	for (int i = CM_OPTNEG; i < CM_N; i++) {
		no |= mlt_commands[i].no;
		nr |= mlt_commands[i].nr;
	}
	assert_int_equal(no, 0x37f);
	assert_int_equal(no, MLT_PROT_NO_ALL);
	assert_int_equal(nr, 0xff080);
	assert_int_equal(nr, MLT_PROT_NR_ALL);
	for (int bit = 0; bit < 32; bit++) {
		if (mlt_action_name(1u << bit))
			actions |= 1u << bit;
		if (mlt_protocol_name(1u << bit))
			protocol |= 1u << bit;
	}
	assert_int_equal(actions, MLT_ACT_ALL);
	assert_int_equal(protocol, 0x301fffff);
	assert_int_equal(protocol, MLT_PROT_ALL | MLT_PROT_MDS);
}

static void
legal_replies_are_replies(void **state)
{
	(void)state;
	for (int i = CM_OPTNEG; i < CM_N; i++) {
		for (const char *p = mlt_commands[i].replies; *p; p++)
			assert_non_null(mlt_reply_name((uint8_t)*p));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_have_names),
		cmocka_unit_test(events_and_errors_have_names),
		cmocka_unit_test(sets_of_bits_are_complete),
		cmocka_unit_test(legal_replies_are_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
