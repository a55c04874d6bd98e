/* SPDX-License-Identifier: MIT */
/* md_limits: what the milter server is given. */
#include "cli/md_limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char err[200];

static struct md_opts
options(void)
{
	return (struct md_opts){ .conn = "/s",
		.idle_s = 7210,
		.reply_s = 3600,
		.max_sessions = 7,
		.max_frame = 65535,
		.max_macros = 65536,
		.max_output = 1048576,
		.max_queued = 268435456 };
}

static void
numbers_go_where_they_belong(void **state)
{
	struct md_opts o = options();
	struct md_limits l;

	(void)state;
	o.backlog = 9;
	o.allow = "127.0.0.1";
	assert_int_equal(md_limits(&o, &l, err, sizeof(err)), 0);
	assert_int_equal(l.server.idle_ms, 7210000);
	assert_int_equal(l.server.reply_ms, 3600000);
	assert_int_equal(l.server.max_connections, 7);
	assert_int_equal(l.server.filter.max_frame_bytes, 65535);
	assert_int_equal(l.server.filter.max_macro_bytes, 65536);
	assert_int_equal(l.server.max_output_bytes, 1048576);
	assert_int_equal(l.server.max_queued_bytes, 268435456);
	assert_string_equal(l.server.allow, "127.0.0.1");
	assert_int_equal(l.server.n_uids, 0);
	assert_int_equal(l.server.n_gids, 0);
	assert_int_equal(l.listen.backlog, 9);
	assert_true(l.listen.remove_dead);
}

static void
the_mode_of_the_socket_is_by_G_or_as_given(void **state)
{
	struct md_opts o = options();
	struct md_limits l;

	(void)state;
	assert_int_equal(md_limits(&o, &l, err, sizeof(err)), 0);
	assert_int_equal(l.listen.umask_, 077);
	assert_int_equal(l.listen.mode, 0);
	o.fe.group_access = true;
	o.socket_group = "mail";
	assert_int_equal(md_limits(&o, &l, err, sizeof(err)), 0);
	assert_int_equal(l.listen.umask_, 007);
	assert_string_equal(l.listen.group, "mail");
	o.socket_mode = "0666";
	assert_int_equal(md_limits(&o, &l, err, sizeof(err)), 0);
	assert_int_equal(l.listen.mode, 0666);
}

static void
users_and_groups_are_names_or_numbers(void **state)
{
	struct md_opts o = options();
	struct md_limits l;

	(void)state;
	o.allow_users = (struct opt_list){ { "root", "4711" }, 2 };
	o.allow_groups = (struct opt_list){ { "2147483647", "root" }, 2 };
	assert_int_equal(md_limits(&o, &l, err, sizeof(err)), 0);
	assert_ptr_equal(l.server.uids, l.uids);
	assert_int_equal(l.server.n_uids, 2);
	assert_int_equal(l.uids[0], 0);
	assert_int_equal(l.uids[1], 4711);
	assert_int_equal(l.server.n_gids, 2);
	assert_int_equal(l.gids[0], 2147483647);
	assert_int_equal(l.gids[1], 0);

	o.allow_users.v[1] = "no such user";
	assert_int_equal(md_limits(&o, &l, err, sizeof(err)), -1);
	assert_string_equal(
	    err, "--allow-user: there is no user \"no such user\"");
	o.allow_users.n = 1;
	o.allow_groups.v[0] = "99999999999";
	assert_int_equal(md_limits(&o, &l, err, sizeof(err)), -1);
	assert_string_equal(
	    err, "--allow-group: there is no group \"99999999999\"");
}

static void
bad_addresses_are_refused(void **state)
{
	static const char *const bad[] = { "bogus", "192.0.2.0/33",
		"127.0.0.1,1.2.3" };
	struct md_opts o = options();
	struct md_limits l;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		o.allow = bad[i];
		assert_int_equal(md_limits(&o, &l, err, sizeof(err)), -1);
		assert_memory_equal(err, "--allow: '", 10);
	}
	o.allow = "";
	assert_int_equal(md_limits(&o, &l, err, sizeof(err)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_go_where_they_belong),
		cmocka_unit_test(the_mode_of_the_socket_is_by_G_or_as_given),
		cmocka_unit_test(bad_addresses_are_refused),
		cmocka_unit_test(users_and_groups_are_names_or_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
