/* SPDX-License-Identifier: MIT */
/* Who may connect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "milterproto/peers.h"
#include "tests/support/failmalloc.h"

static char text[MLT_PEER_TEXT];

static bool
allows(const struct mlt_peers *p, const char *addr)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons(4711) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(4711) };

	text[0] = 0;
	if (inet_pton(AF_INET, addr, &v4.sin_addr) == 1)
		return mlt_peers_allow(p, -1, (struct sockaddr *)&v4, text);
	assert_int_equal(inet_pton(AF_INET6, addr, &v6.sin6_addr), 1);
	return mlt_peers_allow(p, -1, (struct sockaddr *)&v6, text);
}

static void
prefixes_cover_their_addresses(void **state)
{
	static const struct {
		const char *list, *addr;
		bool in;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/25", "192.0.2.127", true },
		{ "192.0.2.0/25", "192.0.2.128", false },
		{ "192.0.2.77/25", "192.0.2.1", true },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", false },
		{ "::/0", "::ffff:192.0.2.1", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.1", true },
		{ "::ffff:192.0.2.1", "192.0.2.1", true },
		{ "::ffff:192.0.2.0/120", "192.0.2.1", true },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "::1", "::1", true },
		{ " 10.0.0.0/8,\t::1\n127.0.0.1 ", "::1", true },
		{ " 10.0.0.0/8,\t::1\n127.0.0.1 ", "127.0.0.1", true },
		{ " 10.0.0.0/8,\t::1\n127.0.0.1 ", "127.0.0.2", false },
		{ "", "127.0.0.1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mlt_server_opts o = { .allow = cases[i].list };
		struct mlt_peers *p;

		assert_int_equal(mlt_peers_new(&p, &o), 0);
		if (allows(p, cases[i].addr) != cases[i].in)
			fail_msg("%s in %s", cases[i].addr, cases[i].list);
		mlt_peers_free(p);
	}
}

static void
mistakes_in_a_list_are_refused(void **state)
{
	static const char *const lists[] = { "localhost", "192.0.2", "1.2.3.4/",
		"1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/8x", "::1/129", "::g",
		"10.0.0.0/8 x", "/8", "1.2.3.4/99999999999999999999",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:33" };

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct mlt_server_opts o = { .allow = lists[i] };
		struct mlt_peers *p;

		if (mlt_peers_new(&p, &o) != MLT_E_ARG)
			fail_msg("%s", lists[i]);
	}
}

static void
a_refused_peer_has_a_name(void **state)
{
	struct mlt_server_opts o = { .allow = "" };
	struct mlt_peers *p;

	(void)state;
	assert_int_equal(mlt_peers_new(&p, &o), 0);
	assert_false(allows(p, "192.0.2.1"));
	assert_string_equal(text, "192.0.2.1:4711");
	assert_false(allows(p, "::ffff:192.0.2.1"));
	assert_string_equal(text, "192.0.2.1:4711");
	assert_false(allows(p, "2001:db8::1"));
	assert_string_equal(text, "[2001:db8::1]:4711");
	assert_false(mlt_peers_allow(
	    p, -1, &(struct sockaddr){ .sa_family = AF_UNSPEC }, text));
	assert_string_equal(text, "address family 0");
	mlt_peers_free(p);
}

static void
no_rule_lets_everybody_in(void **state)
{
	struct mlt_server_opts o = { 0 };
	struct mlt_peers *p;

	(void)state;
	assert_int_equal(mlt_peers_new(&p, &o), 0);
	assert_null(p);
	assert_true(allows(p, "192.0.2.1"));
	mlt_peers_free(p);
}

static bool
user_allowed(const struct mlt_server_opts *o)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };
	struct mlt_peers *p;
	int fds[2];
	bool in;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(mlt_peers_new(&p, o), 0);
	in = mlt_peers_allow(p, fds[0], &sa, text);
	mlt_peers_free(p);
	close(fds[0]);
	close(fds[1]);
	return in;
}

static void
users_and_groups_are_looked_up(void **state)
{
	uid_t uids[] = { getuid() + 1, getuid() };
	gid_t gids[] = { getgid() + 1, getgid() };
	char want[MLT_PEER_TEXT];

	(void)state;
	assert_true(user_allowed(&(struct mlt_server_opts){ .allow = "" }));
	assert_true(user_allowed(
	    &(struct mlt_server_opts){ .uids = uids, .n_uids = 2 }));
	assert_true(user_allowed(
	    &(struct mlt_server_opts){ .gids = gids, .n_gids = 2 }));
	assert_true(user_allowed(&(struct mlt_server_opts){
	    .uids = uids, .n_uids = 1, .gids = gids, .n_gids = 2 }));
	assert_false(user_allowed(&(struct mlt_server_opts){
	    .uids = uids, .n_uids = 1, .gids = gids, .n_gids = 1 }));
	snprintf(want, sizeof(want), "uid %u gid %u pid %d", getuid(), getgid(),
	    getpid());
	assert_string_equal(text, want);
}

static void
users_do_not_concern_addresses(void **state)
{
	uid_t uid = getuid() + 1;
	struct mlt_server_opts o = { .uids = &uid, .n_uids = 1 };
	struct sockaddr sa = { .sa_family = AF_UNIX };
	struct mlt_peers *p;

	(void)state;
	assert_int_equal(mlt_peers_new(&p, &o), 0);
	assert_true(allows(p, "192.0.2.1"));
	/* not a socket at all: nothing is known of the peer */
	assert_false(mlt_peers_allow(p, -1, &sa, text));
	assert_string_equal(text, "unknown user");
	mlt_peers_free(p);
}

static void
no_memory_is_reported(void **state)
{
	uid_t uid = 1;
	gid_t gid = 1;
	struct mlt_server_opts o = { .allow = "::1",
		.uids = &uid,
		.n_uids = 1,
		.gids = &gid,
		.n_gids = 1 };
	struct mlt_peers *p = NULL;
	size_t i = 0;
	int rc;

	(void)state;
	do {
		failmalloc_once(i++);
		rc = mlt_peers_new(&p, &o);
		failmalloc_off();
		assert_true(rc == 0 || (rc == MLT_E_NOMEM && !p));
	} while (rc < 0);
	mlt_peers_free(p);
	assert_int_equal(i, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_cover_their_addresses),
		cmocka_unit_test(mistakes_in_a_list_are_refused),
		cmocka_unit_test(a_refused_peer_has_a_name),
		cmocka_unit_test(no_rule_lets_everybody_in),
		cmocka_unit_test(users_and_groups_are_looked_up),
		cmocka_unit_test(users_do_not_concern_addresses),
		cmocka_unit_test(no_memory_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
