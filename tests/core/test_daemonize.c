/* SPDX-License-Identifier: MIT */
/*
 * daemonize: with real forks.  Each case that ends a process runs it in a
 * child; what the child and its grandchild say arrives through pipes, whose end
 * says that they are gone.
 */
#include "core/base/daemonize.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[200]; /* of the running case; also the current directory */
static char err[512];

static int
enter_dir(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(dir, sizeof(dir), "%s/daemon.XXXXXX", tmp ? tmp : "/tmp");
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int
leave_dir(void **state)
{
	(void)state;
	return chdir("/") < 0 ? -1 : fdio_remove_tree(AT_FDCWD, dir);
}

static char said[1024];

/* Runs body in a child: its exit status, or -1 if a signal ended it.  What it
 * and its descendants write to stdout and stderr is in `said` when all of them
 * have ended. */
static int
in_child(void (*body)(void))
{
	size_t used = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(fdio_pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		body();
		_exit(99);
	}
	close(fds[1]);
	while (used < sizeof(said) - 1 &&
	       (n = read(fds[0], said + used, sizeof(said) - 1 - used)) > 0)
		used += (size_t)n;
	said[used] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
say(const char *text)
{
	fdio_write_all(STDOUT_FILENO, text, strlen(text));
}

static bool
exists(const char *name)
{
	return access(name, F_OK) == 0;
}

static void
read_text(const char *name, char *text, size_t size)
{
	struct buf b;

	buf_init(&b, 0);
	assert_int_equal(fdio_read_file(AT_FDCWD, name, size - 1, &b), 0);
	memcpy(text, buf_cstr(&b), buf_len(&b) + 1);
	buf_fini(&b);
}

static void
ready_daemon(void)
{
	struct daemon_ctx d;
	pid_t session = getsid(0);

	daemon_init(&d);
	if (daemon_fork(&d, err, sizeof(err)) < 0)
		_exit(98);
	if (getsid(0) == getpid())
		say("could get a terminal; ");
	if (getsid(0) == session)
		say("still in the old session; ");
	if (signal(SIGHUP, SIG_DFL) != SIG_IGN)
		say("HUP not ignored; ");
	daemon_ready(&d);
	say("up");
	_exit(0);
}

static void
parent_exits_0_when_the_daemon_is_ready(void **state)
{
	(void)state;
	assert_int_equal(in_child(ready_daemon), 0);
	assert_string_equal(said, "up");
}

static void
failing_daemon(void)
{
	struct daemon_ctx d;

	daemon_init(&d);
	if (daemon_fork(&d, err, sizeof(err)) == 0)
		daemon_fail(&d, "no luck today");
	_exit(0);
}

static void
parent_exits_1_with_the_daemons_text(void **state)
{
	(void)state;
	assert_int_equal(in_child(failing_daemon), 1);
	assert_string_equal(said, "Error from child: no luck today\n");
}

static void
talkative_daemon(void)
{
	struct daemon_ctx d;
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	daemon_init(&d);
	if (daemon_fork(&d, err, sizeof(err)) == 0)
		daemon_fail(&d, text);
	_exit(0);
}

static void
long_failure_text_is_cut(void **state)
{
	(void)state;
	assert_int_equal(in_child(talkative_daemon), 1);
	/* "Error from child: ", 254 octets, LF */
	assert_int_equal(strlen(said), 18 + 254 + 1);
}

static void
dying_daemon(void)
{
	struct daemon_ctx d;

	daemon_init(&d);
	daemon_fork(&d, err, sizeof(err));
	raise(SIGKILL);
}

static void
parent_exits_1_when_the_daemon_dies(void **state)
{
	(void)state;
	assert_int_equal(in_child(dying_daemon), 1);
	assert_string_equal(said, "Unknown reply from child: \n");
}

static void
failing_in_the_foreground(void)
{
	struct daemon_ctx d;

	daemon_init(&d);
	daemon_fail(&d, "plain text");
	_exit(3);
}

static void
failure_without_a_parent_goes_to_stderr(void **state)
{
	(void)state;
	assert_int_equal(in_child(failing_in_the_foreground), 3);
	assert_string_equal(said, "plain text\n");
}

static void
pid_file_holds_the_pid_and_goes_at_the_end(void **state)
{
	struct daemon_ctx d;
	struct stat st;
	char text[64], want[64];
	mode_t old = umask(077);

	(void)state;
	assert_int_equal(fdio_write_file(AT_FDCWD, "p", 0600, "123456789", 9),
	    0); /* stale */
	daemon_init(&d);
	assert_int_equal(daemon_open_pidfile(&d, "p", err, sizeof(err)), 0);
	umask(old);
	read_text("p", text, sizeof(text));
	assert_string_equal(text, "123456789"); /* not touched yet */
	assert_int_equal(daemon_lock(&d, NULL, err, sizeof(err)), 0);
	read_text("p", text, sizeof(text));
	snprintf(want, sizeof(want), "%ld\n", (long)getpid());
	assert_string_equal(text, want);
	assert_int_equal(stat("p", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_true(exists("p.lock"));
	daemon_cleanup(&d);
	assert_false(exists("p"));
	assert_false(exists("p.lock"));
	daemon_cleanup(&d); /* harmless */
}

static void
second_copy(void)
{
	struct daemon_ctx d;

	daemon_init(&d);
	if (daemon_open_pidfile(&d, "p", err, sizeof(err)) < 0)
		_exit(98);
	if (daemon_lock(&d, "l", err, sizeof(err)) == 0)
		_exit(0);
	say(err);
	daemon_cleanup(&d);
	_exit(1);
}

static void
second_copy_is_refused_and_harms_nothing(void **state)
{
	struct daemon_ctx d;
	char text[64], want[64];

	(void)state;
	daemon_init(&d);
	assert_int_equal(daemon_open_pidfile(&d, "p", err, sizeof(err)), 0);
	assert_int_equal(daemon_lock(&d, "l", err, sizeof(err)), 0);
	assert_int_equal(in_child(second_copy), 1);
	assert_string_equal(said,
	    "Could not lock lockfile file l: Resource temporarily "
	    "unavailable.  Is another copy running?");
	assert_true(exists("l"));
	read_text("p", text, sizeof(text));
	snprintf(want, sizeof(want), "%ld\n", (long)getpid());
	assert_string_equal(text, want);
	daemon_cleanup(&d);
	assert_int_equal(in_child(second_copy), 0); /* now it may */
}

static void
lock_that_cannot_be_created_says_what_to_do(void **state)
{
	struct daemon_ctx d;

	(void)state;
	daemon_init(&d);
	assert_int_equal(daemon_lock(&d, "none/l", err, sizeof(err)), -1);
	assert_string_equal(err,
	    "Could not open lock file none/l: No such file or directory; "
	    "use -o to name one that this user may create");
	daemon_cleanup(&d);
}

static void
pid_file_that_is_not_plain_is_refused(void **state)
{
	static const char *const names[] = { "link", "hard", "fifo", "sub",
		"none/p" };
	struct daemon_ctx d;
	struct stat st;

	(void)state;
	daemon_init(&d);
	assert_int_equal(
	    fdio_write_file(AT_FDCWD, "precious", 0600, "x", 1), 0);
	assert_int_equal(symlink("precious", "link"), 0);
	assert_int_equal(link("precious", "hard"), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(mkdir("sub", 0700), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(
		    daemon_open_pidfile(&d, names[i], err, sizeof(err)), -1);
		assert_non_null(strstr(err, "Could not open PID file "));
		assert_non_null(strstr(err, names[i]));
	}
	assert_int_equal(stat("precious", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(d.pid_fd, -1);
}

static void
without_files_there_is_nothing_to_lock(void **state)
{
	struct daemon_ctx d;

	(void)state;
	daemon_init(&d);
	assert_int_equal(daemon_lock(&d, NULL, err, sizeof(err)), 0);
	assert_int_equal(d.lock_fd, -1);
	daemon_cleanup(&d);
}

static int kept_fd, other_fd;

static void
closes_descriptors(void)
{
	struct daemon_ctx d;
	struct stat st;

	daemon_init(&d);
	if (daemon_open_pidfile(&d, "p", err, sizeof(err)) < 0)
		_exit(98);
	other_fd = fcntl(STDIN_FILENO, F_DUPFD, 300);
	kept_fd = fcntl(STDIN_FILENO, F_DUPFD, 20);
	daemon_close_fds(&d, (const int[]){ kept_fd, -1 }, false);
	if (fcntl(kept_fd, F_GETFD) < 0 || fcntl(d.pid_fd, F_GETFD) < 0)
		say("closed too much; ");
	if (fcntl(other_fd, F_GETFD) >= 0 || fcntl(kept_fd - 1, F_GETFD) >= 0)
		say("closed too little; ");
	say("done");
	daemon_close_fds(&d, NULL, true);
	if (fcntl(kept_fd, F_GETFD) >= 0 || fcntl(d.pid_fd, F_GETFD) < 0 ||
	    fstat(STDERR_FILENO, &st) < 0 || !S_ISCHR(st.st_mode))
		_exit(1);
	_exit(0);
}

static void
inherited_descriptors_are_closed(void **state)
{
	(void)state;
	assert_int_equal(in_child(closes_descriptors), 0);
	assert_string_equal(said, "done");
}

static void
drops_to_nobody(void)
{
	const struct passwd *pw = getpwnam("nobody");

	if (!pw)
		_exit(77);
	if (daemon_drop_privileges("nobody", err, sizeof(err)) < 0) {
		say(err);
		_exit(1);
	}
	if (getuid() != pw->pw_uid || geteuid() != pw->pw_uid ||
	    getgid() != pw->pw_gid || getegid() != pw->pw_gid)
		_exit(2);
	_exit(setuid(0) == 0 ? 3 : 0);
}

static void
root_becomes_the_user_for_good(void **state)
{
	int rc;

	(void)state;
	if (geteuid() != 0)
		skip();
	rc = in_child(drops_to_nobody);
	if (rc == 77)
		skip();
	assert_string_equal(said, "");
	assert_int_equal(rc, 0);
}

static void
others_may_only_stay_who_they_are(void **state)
{
	const struct passwd *pw = getpwuid(geteuid());

	(void)state;
	assert_int_equal(
	    daemon_drop_privileges("no-such-user", err, sizeof(err)), -1);
	assert_string_equal(err, "Unknown user `no-such-user'");
	if (pw && pw->pw_gid == getegid())
		assert_int_equal(
		    daemon_drop_privileges(pw->pw_name, err, sizeof(err)), 0);
	assert_int_equal(daemon_refuse_suid("prog", err, sizeof(err)), 0);
}

static void
readiness_goes_to_the_service_manager(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct daemon_ctx d;
	char text[32];
	int fd;

	(void)state;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%.90s/notify", dir);
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	setenv("NOTIFY_SOCKET", sun.sun_path, 1);
	daemon_init(&d);
	daemon_ready(&d);
	assert_null(getenv("NOTIFY_SOCKET")); /* workers do not speak for us */
	assert_int_equal(recv(fd, text, sizeof(text), 0), 7);
	assert_memory_equal(text, "READY=1", 7);
	daemon_init(&d);
	daemon_ready(&d); /* nobody to tell */
	assert_int_equal(recv(fd, text, sizeof(text), 0), -1);
	close(fd);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, enter_dir, leave_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(parent_exits_0_when_the_daemon_is_ready),
		CASE(parent_exits_1_with_the_daemons_text),
		CASE(long_failure_text_is_cut),
		CASE(parent_exits_1_when_the_daemon_dies),
		CASE(failure_without_a_parent_goes_to_stderr),
		CASE(pid_file_holds_the_pid_and_goes_at_the_end),
		CASE(second_copy_is_refused_and_harms_nothing),
		CASE(lock_that_cannot_be_created_says_what_to_do),
		CASE(pid_file_that_is_not_plain_is_refused),
		CASE(without_files_there_is_nothing_to_lock),
		CASE(inherited_descriptors_are_closed),
		CASE(root_becomes_the_user_for_good),
		CASE(others_may_only_stay_who_they_are),
		CASE(readiness_goes_to_the_service_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
