/* SPDX-License-Identifier: MIT */
#include "core/frontend/client.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct mlt_bytes
bytes(const char *s)
{
	return (struct mlt_bytes){ s, s ? strlen(s) : 0 };
}

/* weakness 13.3.16 */
static void
address_is_reported_as_plain_text(void **state)
{
	static const struct {
		char family;
		const char *addr, *ip;
		bool local;
	} rows[] = {
		{ '4', "1.2.3.4", "1.2.3.4", false },
		{ '4', "127.0.0.1", "127.0.0.1", true },
		{ '4', "127.255.1.2", "127.255.1.2", true },
		{ '4', "12.7.0.1", "12.7.0.1", false },
		{ '4', "10.9.9.9", "127.0.0.1", true }, /* -L */
		{ '6', "2001:db8:0:0:0:0:0:1", "2001:db8::1", false },
		{ '6', "0:0:0:0:0:0:0:1", "::1", true },
		{ '6', "::ffff:1.2.3.4", "1.2.3.4", false },
		{ '6', "::ffff:127.0.0.1", "127.0.0.1", true },
		{ '6', "::1.2.3.4", "1.2.3.4", false },
		{ 'L', "/run/x", "127.0.0.1", true }, { 'U', NULL, "", true },
		{ '6', "junk", "", false }, /* odd is not local */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mlt_event ev = { .type = MLT_EV_CONNECT,
			.connect = { .host = bytes("h"),
			    .addr = bytes(rows[i].addr),
			    .port = 9,
			    .family = rows[i].family } };
		struct client c = { 0 };

		assert_int_equal(client_connect(&c, &ev, "10.9.9.9"), 0);
		assert_string_equal(c.ip, rows[i].ip);
		assert_int_equal(client_is_local(&c), rows[i].local);
		assert_string_equal(c.host, "h");
		assert_int_equal(c.port, 9);
		client_fini(&c);
	}
}

static void
own_address_is_the_interfaces_or_the_hosts(void **state)
{
	static const struct {
		const char *if_addr, *own, *want;
	} rows[] = {
		{ "10.0.0.9", "192.0.2.1", "10.0.0.9" },
		{ "127.0.0.1", "192.0.2.1", "192.0.2.1" },
		{ "", "192.0.2.1", "192.0.2.1" },
		{ NULL, "192.0.2.1", "192.0.2.1" },
		{ NULL, NULL, "" },
		{ "127.0.0.1", NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client c = { 0 };

		client_set_my_ip(&c, bytes(rows[i].if_addr), rows[i].own);
		assert_string_equal(c.my_ip, rows[i].want);
	}
}

static void
daemon_port_is_a_leading_number(void **state)
{
	struct client c = { 0 };

	(void)state;
	client_set_daemon_port(&c, bytes("25/tcp"));
	assert_int_equal(c.daemon_port, 25);
	client_set_daemon_port(&c, bytes("x"));
	assert_int_equal(c.daemon_port, 0);
	client_set_daemon_port(&c, bytes(NULL));
	assert_int_equal(c.daemon_port, 0);
}

static void
last_helo_counts(void **state)
{
	struct client c = { 0 };

	(void)state;
	assert_int_equal(client_helo(&c, bytes("one")), 0);
	assert_int_equal(client_helo(&c, bytes("")), 0);
	assert_string_equal(c.helo, "");
	client_fini(&c);
	assert_null(c.helo);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_is_reported_as_plain_text),
		cmocka_unit_test(own_address_is_the_interfaces_or_the_hosts),
		cmocka_unit_test(daemon_port_is_a_leading_number),
		cmocka_unit_test(last_helo_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
