/* SPDX-License-Identifier: MIT */
#include "core/frontend/commands.h"

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
static const struct mlt_bytes none = { NULL, 0 };

/* A session that was told these macros at MAIL. */
static struct mlt_filter *
session_with(const struct mlt_bytes *pairs, size_t n)
{
	struct mlt_filter *f;
	struct mlt_mta *mta;
	struct mlt_event ev;
	const uint8_t *p;
	size_t len;

	assert_int_equal(mlt_filter_new(&f, NULL), 0);
	assert_int_equal(mlt_mta_new(&mta, NULL), 0);
	assert_true(mlt_mta_negotiate(mta) > 0);
	len = mlt_mta_output(mta, &p);
	assert_true(mlt_filter_feed(f, p, len) >= 0);
	assert_int_equal(mlt_filter_next(f, &ev), 1);
	assert_int_equal(mlt_filter_next(f, &ev), 0);
	mlt_mta_sent(mta, len);
	len = mlt_filter_output(f, &p);
	assert_true(mlt_mta_feed(mta, p, len) >= 0);
	struct mlt_action a;
	while (mlt_mta_next(mta, &a) > 0)
		;
	mlt_filter_sent(f, len);
	assert_int_equal(mlt_mta_macros(mta, 'M', pairs, n), 2);
	len = mlt_mta_output(mta, &p);
	assert_true(mlt_filter_feed(f, p, len) >= 0);
	assert_int_equal(mlt_filter_next(f, &ev), 0);
	mlt_mta_sent(mta, len);
	mlt_mta_free(mta);
	return f;
}

static void
first_block_has_everything_in_order(void **state)
{
	const struct mlt_bytes macros[] = { B("{extra}"), B("e x"),
		B("{mail_mailer}"), B("esmtp"), B("_"), B("n [1.2.3.4]"),
		B("i"), B("Q1"), B("{auth_type}"), B(""), B("{unasked}"),
		B("x"), B("x"), B("one letter"), B("{rcpt_addr}"), B("r"),
		B("j"), B("mx\\'\"%") };
	const struct mlt_bytes args[] = { B("<a b@c>"), B("SIZE=1"),
		B("BODY=8BITMIME") };
	const struct opt_list extra = { { "x", "extra", "absent" }, 3 };
	struct client client = { .host = (char[]){ "h o" },
		.helo = (char[]){ "e\xe9" },
		.ip = "1.2.3.4",
		.port = 4321 };
	struct mlt_filter *f =
	    session_with(macros, sizeof(macros) / sizeof(macros[0]) / 2);
	struct buf b = { 0 };

	(void)state;
	commands_mail(&b,
	    &(struct commands_about){ "bamdk00", "Q1", &client, f, &extra },
	    args, 3);
	assert_string_equal(buf_cstr(&b),
	    "ibamdk00\nS<a%20b@c>\nsSIZE=1\nsBODY=8BITMIME\n"
	    "=_ n%20[1.2.3.4]\n=auth_type \n=i Q1\n=j mx\\'\"%25\n"
	    "=mail_mailer esmtp\n=rcpt_addr r\n=client_port 4321\n"
	    "=x one%20letter\n=extra e%20x\nQQ1\nHh%20o\nI1.2.3.4\n"
	    "Ee%E9\n");
	mlt_filter_free(f);
	buf_fini(&b);
}

static void
first_block_of_an_unknown_client_is_short(void **state)
{
	const struct mlt_bytes args[] = { B("<>") };
	struct client client = { 0 };
	struct mlt_filter *f = session_with(NULL, 0);
	struct buf b = { 0 };

	(void)state;
	commands_mail(&b,
	    &(struct commands_about){ "bamdk00", "", &client, f, NULL }, args,
	    1);
	assert_string_equal(
	    buf_cstr(&b), "ibamdk00\nS<>\n=client_port 0\nH\nI\n");
	mlt_filter_free(f);
	buf_fini(&b);
}

static void
recipient_has_four_fields_and_parameters(void **state)
{
	const struct mlt_bytes args[] = { B("<b o@x>"), B("NOTIFY=NEVER"),
		B("ORCPT=rfc822;%\n") };
	struct buf b = { 0 };

	(void)state;
	commands_rcpt(&b, args, 3, B("local"), B(""), B("a\tb"));
	commands_rcpt(&b, args, 1, none, none, none);
	assert_string_equal(buf_cstr(&b),
	    "R<b%20o@x> local ? a%09b\nrNOTIFY=NEVER\n"
	    "rORCPT=rfc822;%25%0A\nR<b%20o@x> ? ? ?\n");
	buf_fini(&b);
}

static void
octets_are_encoded_as_readers_expect(void **state)
{
	struct buf b = { 0 };

	(void)state;
	commands_line(&b, 'U', B("\x01 !\"#$%&'()\\~\x7f\x80\xff"));
	commands_line(&b, 'X', none);
	assert_string_equal(
	    buf_cstr(&b), "U%01%20!\"#$%25&'()\\~%7F%80%FF\nX\n");
	buf_fini(&b);
}

static void
relay_address_is_normalised_or_not_written(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "9.8.7.006", "J9.8.7.6\n" },
		{ " \t1.2.3.4 and more", "J1.2.3.4\n" },
		{ "255.255.255.255.1", "J255.255.255.255\n" },
		{ "256.1.1.1", "" },
		{ "1.2.3", "" },
		{ "1.2.3.", "" },
		{ "1..2.3", "" },
		{ "", "" },
		{ "2001:DB8:0::1 x", "J2001:db8::1\n" },
		{ " IPv6:fe80::1", "Jfe80::1\n" },
		{ "::ffff:9.8.7.6", "J9.8.7.6\n" },
		{ "IPv6:", "" },
		{ "1:2:3", "" },
		{ "2001:db8::1%eth0", "J2001:db8::1\n" },
		{ "2001:db8::1:2:3:4:5:6:7:8:9", "" },
		{ "11111111111111111111111111111111111111111111111111111111"
		  "11111111:2::1",
		    "" },
		{ "99999999999999999999.1.1.1", "" },
		{ "x1.2.3.4", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = { 0 };

		commands_relay(&b,
		    (struct mlt_bytes){ rows[i].value, strlen(rows[i].value) });
		assert_string_equal(buf_cstr(&b), rows[i].want);
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_block_has_everything_in_order),
		cmocka_unit_test(first_block_of_an_unknown_client_is_short),
		cmocka_unit_test(recipient_has_four_fields_and_parameters),
		cmocka_unit_test(octets_are_encoded_as_readers_expect),
		cmocka_unit_test(relay_address_is_normalised_or_not_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
