/* SPDX-License-Identifier: MIT */
/*
 * Connection strings.  Sockets live below a temporary directory; an inet port
 * is one that the kernel just gave to us and took back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <milterproto_server.h>

static char dir[64], path[96], spec[128], err[512];

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(dir, sizeof(dir), "%s/mlt.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(spec, sizeof(spec), "unix:%s", path);
	err[0] = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static int
dial_unix(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), rc;

	strcpy(sa.sun_path, path);
	rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
	close(fd);
	return rc;
}

static void
assert_listens(int fd)
{
	int is = 0;
	socklen_t len = sizeof(is);

	assert_true(fd >= 0);
	assert_int_equal(
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is, &len), 0);
	assert_int_equal(is, 1);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void
unix_socket_has_the_mode_of_the_umask(void **state)
{
	struct mlt_listen_opts o = { .umask_ = 0007 };
	struct stat st;
	mode_t before = umask(022);
	int fd = mlt_listen_open(spec, &o, err, sizeof(err));

	(void)state;
	assert_listens(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0770);
	assert_int_equal(umask(before), 022); /* as it was */
	assert_int_equal(dial_unix(), 0);
	close(fd);
}

static void
unix_socket_has_the_mode_that_is_asked_for(void **state)
{
	static const unsigned modes[] = { 0600, 0660, 0666, 0770, 0777 };
	struct stat st;

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct mlt_listen_opts o = { .umask_ = 0077, .mode = modes[i] };
		int fd = mlt_listen_open(spec, &o, err, sizeof(err));

		assert_listens(fd);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, modes[i]);
		close(fd);
		unlink(path);
	}
}

static void
unix_socket_is_given_away(void **state)
{
	struct mlt_listen_opts o = { .owner = "65534", .group = "65534" };
	struct stat st;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root may */
	fd = mlt_listen_open(spec, &o, err, sizeof(err));
	assert_listens(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(st.st_gid, 65534);
	close(fd);
	unlink(path);
	o = (struct mlt_listen_opts){ .group = "daemon" };
	fd = mlt_listen_open(spec, &o, err, sizeof(err));
	assert_listens(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, getgrnam("daemon")->gr_gid);
	close(fd);
	unlink(path);
	o = (struct mlt_listen_opts){ .owner = "daemon" };
	fd = mlt_listen_open(spec, &o, err, sizeof(err));
	assert_listens(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, getpwnam("daemon")->pw_uid);
	assert_int_equal(st.st_gid, getegid());
	close(fd);
}

/* ... and nothing is left behind. */
static void
unknown_owners_are_refused(void **state)
{
	static const struct {
		const char *owner, *group, *why;
	} cases[] = {
		{ "no-such-user", NULL, "no user \"no-such-user\"" },
		{ NULL, "no-such-group", "no group \"no-such-group\"" },
		{ "", NULL, "no user \"\"" },
		{ NULL, "9999999999", "no group \"9999999999\"" },
	};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct mlt_listen_opts o = { .owner = cases[i].owner,
			.group = cases[i].group };

		assert_int_equal(
		    mlt_listen_open(spec, &o, err, sizeof(err)), -1);
		assert_non_null(strstr(err, cases[i].why));
		assert_int_equal(access(path, F_OK), -1);
	}
}

/* As a user who may do nothing special, and back. */
static void
be_nobody(void)
{
	assert_int_equal(chmod(dir, 0777), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
}

static void
be_self(void)
{
	assert_int_equal(seteuid(getuid()), 0);
}

static void
others_cannot_be_made_owners(void **state)
{
	struct mlt_listen_opts o = { .owner = "1", .group = "1" };
	int fd;

	(void)state;
	be_nobody();
	fd = mlt_listen_open(spec, &o, err, sizeof(err));
	be_self();
	assert_int_equal(fd, -1);
	if (strstr(err, "cannot bind"))
		skip(); /* TMPDIR is private */
	assert_non_null(strstr(err, "cannot change the owner"));
	assert_int_equal(access(path, F_OK), -1);
}

/* Whom we may not ask is perhaps in use. */
static void
sockets_of_unknown_use_are_left_alone(void **state)
{
	struct mlt_listen_opts o = { .umask_ = 0777, .remove_dead = true };
	int fd = mlt_listen_open(spec, &o, err, sizeof(err));

	(void)state;
	assert_listens(fd);
	be_nobody();
	assert_int_equal(mlt_listen_open(spec, &o, err, sizeof(err)), -1);
	be_self();
	if (strstr(err, "cannot bind"))
		skip(); /* TMPDIR is private */
	assert_non_null(strstr(err, "cannot tell whether"));
	assert_int_equal(access(path, F_OK), 0);
	close(fd);
}

/* One that is busy has a full backlog. */
static void
busy_sockets_are_in_use(void **state)
{
	struct mlt_listen_opts o = {
		.umask_ = 0077, .remove_dead = true, .backlog = 1
	};
	int fd = mlt_listen_open(spec, &o, err, sizeof(err));
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int waiting[4];

	(void)state;
	assert_listens(fd);
	strcpy(sa.sun_path, path);
	for (int i = 0; i < 4; i++) {
		waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(waiting[i], (struct sockaddr *)&sa, sizeof(sa)) < 0)
			assert_int_equal(errno, EAGAIN);
	}
	assert_int_equal(mlt_listen_open(spec, &o, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "another process answers"));
	for (int i = 0; i < 4; i++)
		close(waiting[i]);
	close(fd);
}

/* The message if no descriptor may be opened. */
static const char *
without_descriptors(const char *what, const struct mlt_listen_opts *o)
{
	struct rlimit before, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	err[0] = 0;
	assert_int_equal(mlt_listen_open(what, o, err, sizeof(err)), -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	return err;
}

static void
no_descriptor_is_an_error(void **state)
{
	struct mlt_listen_opts o = { .umask_ = 0077, .remove_dead = true };
	int fd = mlt_listen_open(spec, &o, err, sizeof(err));

	(void)state;
	assert_listens(fd);
	close(fd);
	/* while asking the old socket, then without one there */
	assert_non_null(strstr(without_descriptors(spec, &o), "socket: "));
	unlink(path);
	assert_non_null(strstr(without_descriptors(spec, &o), "socket: "));
	/* an address in brackets needs no look-up, and so no descriptor */
	assert_non_null(strstr(
	    without_descriptors("inet:10025@[127.0.0.1]", &o), "socket: "));
}

static void
a_port_that_is_taken_is_an_error(void **state)
{
	char taken[64];
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	snprintf(taken, sizeof(taken), "inet:%d@127.0.0.1", ntohs(sa.sin_port));
	assert_int_equal(mlt_listen_open(taken, NULL, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "another process has this port"));
	assert_int_equal(
	    mlt_listen_open("inet:10025@192.0.2.1", NULL, err, sizeof(err)),
	    -1);
	assert_non_null(strstr(err, "cannot bind"));
	close(fd);
}

static void
services_have_names(void **state)
{
	(void)state;
	if (!getservbyname("domain", "tcp"))
		skip(); /* no /etc/services here */
	/* the address is nobody's, so that it ends there */
	assert_int_equal(
	    mlt_listen_open("inet:domain@192.0.2.1", NULL, err, sizeof(err)),
	    -1);
	assert_non_null(strstr(err, "cannot bind"));
}

static void
the_backlog_may_be_chosen(void **state)
{
	struct mlt_listen_opts o = { .umask_ = 0077, .backlog = 1 };
	int fd = mlt_listen_open(spec, &o, err, sizeof(err));

	(void)state;
	assert_listens(fd);
	close(fd);
}

static void
type_may_be_missing_or_in_capitals(void **state)
{
	static const char *const types[] = { "", ":", "UNIX:", "Local:" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		int fd;

		snprintf(spec, sizeof(spec), "%s%s", types[i], path);
		fd = mlt_listen_open(spec, NULL, err, sizeof(err));
		assert_listens(fd);
		assert_string_equal(mlt_listen_path(spec), path);
		close(fd);
		unlink(path);
	}
}

static void
dead_sockets_are_removed_on_request_only(void **state)
{
	struct mlt_listen_opts o = { .umask_ = 0077 };
	int fd = mlt_listen_open(spec, &o, err, sizeof(err));

	(void)state;
	assert_listens(fd);
	close(fd); /* the file stays */
	assert_int_equal(mlt_listen_open(spec, &o, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "cannot bind"));
	o.remove_dead = true;
	fd = mlt_listen_open(spec, &o, err, sizeof(err));
	assert_listens(fd);
	/* one that answers is another copy of us */
	assert_int_equal(mlt_listen_open(spec, &o, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "another process answers"));
	assert_int_equal(dial_unix(), 0);
	close(fd);
}

static void
other_files_are_left_alone(void **state)
{
	struct mlt_listen_opts o = { .umask_ = 0077, .remove_dead = true };
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	(void)state;
	close(fd);
	assert_int_equal(mlt_listen_open(spec, &o, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "not a socket"));
	assert_int_equal(access(path, F_OK), 0);
}

/* A port that was free a moment ago. */
static int
free_port(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	close(fd);
	return ntohs(sa.sin_port);
}

static void
inet_takes_addresses_and_names(void **state)
{
	static const char *const hosts[] = { "@127.0.0.1", "@[127.0.0.1]",
		"@localhost", "" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		int fd = -1;

		for (int tries = 0; fd < 0 && tries < 20; tries++) {
			snprintf(spec, sizeof(spec), "inet:%d%s", free_port(),
			    hosts[i]);
			fd = mlt_listen_open(spec, NULL, err, sizeof(err));
		}
		assert_listens(fd);
		assert_null(mlt_listen_path(spec));
		close(fd);
	}
}

static void
inet6_listens_on_loopback(void **state)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };

	(void)state;
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		if (fd >= 0)
			close(fd);
		skip(); /* no IPv6 here */
	}
	close(fd);
	fd = -1;
	for (int tries = 0; fd < 0 && tries < 20; tries++) {
		snprintf(spec, sizeof(spec), "inet6:%d@[::1]", free_port());
		fd = mlt_listen_open(spec, NULL, err, sizeof(err));
	}
	assert_listens(fd);
	close(fd);
}

static void
one_connects_to_what_listens(void **state)
{
	char where[64];
	int fd = mlt_listen_open(spec, NULL, err, sizeof(err)), peer;

	(void)state;
	assert_true(fd >= 0);
	peer = mlt_connect_open(spec, 1000, err, sizeof(err));
	assert_true(peer >= 0);
	assert_int_equal(fcntl(peer, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fcntl(peer, F_GETFD), FD_CLOEXEC);
	close(peer);
	close(fd);
	snprintf(where, sizeof(where), "inet:%d@127.0.0.1", free_port());
	fd = mlt_listen_open(where, NULL, err, sizeof(err));
	assert_true(fd >= 0);
	peer = mlt_connect_open(where, 1000, err, sizeof(err));
	assert_true(peer >= 0);
	close(peer);
	close(fd);
	assert_int_equal(mlt_connect_open(where, 1000, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "cannot connect: Connection refused"));
}

static void
one_does_not_connect_to_other_things(void **state)
{
	(void)state;
	assert_int_equal(mlt_connect_open(spec, 1000, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "No such file or directory"));
	assert_int_equal(mlt_connect_open("fd:0", 0, err, sizeof(err)), -1);
	assert_string_equal(err,
	    "fd:0: one cannot connect there: use unix: local: inet: or "
	    "inet6:");
	assert_int_equal(mlt_connect_open("tcp:1", 0, err, sizeof(err)), -1);
	assert_int_equal(mlt_connect_open("inet:0", 0, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "is no port"));
}

static void
inherited_descriptors_must_listen(void **state)
{
	int fd = mlt_listen_open(spec, NULL, err, sizeof(err));
	char inherited[16];

	(void)state;
	assert_listens(fd);
	assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	snprintf(inherited, sizeof(inherited), "fd:%d", fd);
	assert_int_equal(
	    mlt_listen_open(inherited, NULL, err, sizeof(err)), fd);
	assert_listens(fd);
	close(fd);
	assert_int_equal(
	    mlt_listen_open(inherited, NULL, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "not a listening stream socket"));
}

static void
mistakes_are_explained(void **state)
{
	static const struct {
		const char *spec, *why;
	} cases[] = {
		{ "tcp:25", "unknown socket type" },
		{ "", "path of 1 to" },
		{ "unix:", "path of 1 to" },
		{ "inet:", "is no port" },
		{ "inet:0", "is no port" },
		{ "inet:65536", "is no port" },
		{ "inet:25x", "is no port" },
		{ "inet:-1", "is no port" },
		{ "inet:no-such-service", "is no port" },
		{ "inet:127.0.0.1:25", "write PORT@HOST" },
		{ "inet6:[::1]:25", "write PORT@HOST" },
		{ "inet:25@", "host is missing" },
		{ "inet:25@[127.0.0.1", "] is missing" },
		{ "inet:25@[localhost]", "no address or host name" },
		{ "inet:25@[::1]", "no address or host name" },
		{ "inet6:25@[127.0.0.1]", "no address or host name" },
		{ "fd:", "descriptor number" },
		{ "fd:x", "descriptor number" },
		{ "fd:65000", "not a listening stream socket" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err[0] = 0;
		assert_int_equal(
		    mlt_listen_open(cases[i].spec, NULL, err, sizeof(err)), -1);
		if (!strstr(err, cases[i].why))
			fail_msg("%s: %s", cases[i].spec, err);
	}
}

static void
long_paths_are_refused(void **state)
{
	char longer[200] = "unix:/";

	(void)state;
	memset(longer + 6, 'x', 150);
	assert_int_equal(mlt_listen_open(longer, NULL, err, 16), -1);
	assert_int_equal(strlen(err), 15); /* cut, but terminated */
	snprintf(longer, sizeof(longer), "inet:%s", spec);
	assert_int_equal(mlt_listen_open(longer, NULL, err, sizeof(err)), -1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int
check(bool remove_dead)
{
	const struct mlt_listen_opts o = { .remove_dead = remove_dead };

	err[0] = 0;
	return mlt_listen_check(spec, &o, err, sizeof(err));
}

static void
a_check_says_what_opening_would(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(check(true), 0);
	assert_int_equal(access(path, F_OK), -1); /* nothing was made */
	fd = mlt_listen_open(spec, NULL, err, sizeof(err));
	assert_int_equal(check(true), 1);
	assert_non_null(strstr(err, "another process answers there"));
	close(fd);
	assert_int_equal(check(true), 0);
	assert_int_equal(access(path, F_OK), 0); /* nor removed */
	assert_int_equal(check(false), -1);
	assert_non_null(strstr(err, "an old socket is there: remove it"));

	assert_int_equal(unlink(path), 0);
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(check(true), -1);
	assert_non_null(strstr(err, "something that is not a socket"));
	assert_int_equal(
	    mlt_listen_check("/no/such/s", NULL, err, sizeof(err)), -1);
	assert_string_equal(err, "/no/such/s: cannot make a socket in that "
				 "directory: No such file or directory");
	assert_int_equal(
	    mlt_listen_check("bogus:/s", NULL, err, sizeof(err)), -1);
	assert_int_equal(mlt_listen_check("fd:77", NULL, err, sizeof(err)), 0);
}

static void
a_check_tries_the_port(void **state)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	snprintf(spec, sizeof(spec), "inet:%u@127.0.0.1", ntohs(sa.sin_port));
	assert_int_equal(check(true), 1);
	assert_non_null(strstr(err, "another process has this port"));
	close(fd);
	assert_int_equal(
	    mlt_listen_check("inet:99999", NULL, err, sizeof(err)), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(unix_socket_has_the_mode_of_the_umask),
		CASE(unix_socket_has_the_mode_that_is_asked_for),
		CASE(unix_socket_is_given_away),
		CASE(unknown_owners_are_refused),
		CASE(others_cannot_be_made_owners),
		CASE(sockets_of_unknown_use_are_left_alone),
		CASE(busy_sockets_are_in_use),
		CASE(no_descriptor_is_an_error),
		CASE(a_port_that_is_taken_is_an_error),
		CASE(services_have_names),
		CASE(the_backlog_may_be_chosen),
		CASE(type_may_be_missing_or_in_capitals),
		CASE(dead_sockets_are_removed_on_request_only),
		CASE(other_files_are_left_alone),
		CASE(inet_takes_addresses_and_names),
		CASE(inet6_listens_on_loopback),
		CASE(a_check_says_what_opening_would),
		CASE(a_check_tries_the_port),
		CASE(one_connects_to_what_listens),
		CASE(one_does_not_connect_to_other_things),
		CASE(inherited_descriptors_must_listen),
		CASE(mistakes_are_explained),
		CASE(long_paths_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
