/* SPDX-License-Identifier: MIT */
#include "core/frontend/negotiate.h"

#include <stdint.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void
what_no_check_needs_is_negotiated_away(void **state)
{
	static const struct {
		struct frontend_opts o;
		uint32_t protocol;
	} rows[] = {
		/* no DATA, UNKNOWN; no reply to header, EOH, body, HELO,
		 * MAIL, RCPT; refused recipients */
		{ { 0 }, 0xceb80 },
		{ { .queue_connections = true }, 0xcfb80 },
		{ { .queue_connections = true, .check_relay = true }, 0xceb80 },
		{ { .check_helo = true }, 0xccb80 },
		{ { .check_sender = true }, 0xcab80 },
		{ { .check_recipient = true }, 0xc6b80 },
		{ { .skip_bad_rcpts = true }, 0xce380 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mlt_options o;
		struct buf list = { 0 };

		assert_int_equal(negotiate_options(&o, &rows[i].o, &list), 0);
		assert_int_equal(o.protocol, rows[i].protocol);
		assert_int_equal(o.actions_wanted, 0xff);
		assert_int_equal(o.actions_required, 0);
		assert_null(o.macros[0]);
		buf_fini(&list);
	}
}

static void
macro_list_is_the_same_for_all_stages(void **state)
{
	const struct opt_list extra = { { "x", "tls_sni" }, 2 };
	const struct frontend_opts fo = { .set_symlist = true,
		.macros = &extra };
	struct mlt_options o;
	struct buf list = { 0 };

	(void)state;
	assert_int_equal(negotiate_options(&o, &fo, &list), 0);
	assert_int_equal(o.actions_wanted, 0x1ff);
	for (int i = 0; i < MLT_STAGE_N; i++)
		assert_string_equal(o.macros[i],
		    "_ {auth_authen} {auth_author} {auth_ssf} {auth_type} "
		    "{cert_issuer} {cert_subject} {cipher} {cipher_bits} "
		    "{daemon_name} {daemon_port} i {if_addr} {if_name} j "
		    "{mail_addr} {mail_host} {mail_mailer} {tls_version} "
		    "{verify} {rcpt_addr} {rcpt_host} {rcpt_mailer} x "
		    "{tls_sni}");
	buf_fini(&list);
}

static void
macro_list_ends_at_50_names(void **state)
{
	struct opt_list extra = { .n = 30 };
	const struct frontend_opts fo = { .set_symlist = true,
		.macros = &extra };
	struct mlt_options o;
	struct buf list = { 0 };
	size_t blanks = 0;

	(void)state;
	for (size_t i = 0; i < 30; i++)
		extra.v[i] = "x";
	assert_int_equal(negotiate_options(&o, &fo, &list), 0);
	for (const char *p = o.macros[0]; *p; p++)
		blanks += *p == ' ';
	assert_int_equal(blanks, 49);
	assert_int_equal(negotiate_left_out(&extra), 3);
	extra.n = 27;
	assert_int_equal(negotiate_left_out(&extra), 0);
	assert_int_equal(negotiate_left_out(NULL), 0);
	buf_fini(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_check_needs_is_negotiated_away),
		cmocka_unit_test(macro_list_is_the_same_for_all_stages),
		cmocka_unit_test(macro_list_ends_at_50_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
