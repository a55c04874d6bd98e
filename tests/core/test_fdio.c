/* SPDX-License-Identifier: MIT */
/* fdio: files below a directory descriptor, UNIX sockets, removal of trees. */
#include "core/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[200]; /* of the running case; also the current directory */
static int dirfd_;

static int
enter_dir(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(dir, sizeof(dir), "%s/fdio.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return -1;
	dirfd_ = fdio_open_dir(dir);
	return dirfd_ < 0 ? -1 : 0;
}

static int
leave_dir(void **state)
{
	(void)state;
	close(dirfd_);
	if (chdir("/") < 0)
		return -1;
	return fdio_remove_tree(AT_FDCWD, dir);
}

static bool
exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(name, &st), 0);
	return st.st_mode & 07777;
}

static void
put(const char *name, const char *text)
{
	assert_int_equal(
	    fdio_write_file(dirfd_, name, 0600, text, strlen(text)), 0);
}

static void
written_file_reads_back(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "before ");
	put("a", "some text");
	assert_int_equal(mode_of("a"), 0600);
	assert_int_equal(fdio_read_file(dirfd_, "a", 9, &b), 0);
	assert_string_equal(buf_cstr(&b), "before some text");
	put("empty", "");
	assert_int_equal(fdio_read_file(dirfd_, "empty", 0, &b), 0);
	assert_int_equal(buf_len(&b), 16);
	buf_fini(&b);
}

static void
existing_file_is_not_overwritten(void **state)
{
	(void)state;
	put("a", "old");
	assert_int_equal(symlink("elsewhere", "link"), 0);
	assert_int_equal(fdio_write_file(dirfd_, "a", 0600, "new", 3), -EEXIST);
	assert_int_equal(
	    fdio_write_file(dirfd_, "link", 0600, "new", 3), -EEXIST);
	assert_false(exists("elsewhere"));
	assert_int_equal(
	    fdio_write_file(dirfd_, "no/where", 0600, "x", 1), -ENOENT);
}

static void
full_disk_is_an_error(void **state)
{
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	if (fd < 0)
		skip();
	assert_int_equal(fdio_write_all(fd, "x", 1), -ENOSPC);
	close(fd);
}

static void
only_regular_files_are_read(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_adds(&b, "kept");
	put("a", "0123456789");
	assert_int_equal(symlink("a", "link"), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(mkdir("sub", 0700), 0);
	assert_int_equal(fdio_read_file(dirfd_, "a", 9, &b), -EFBIG);
	assert_int_equal(fdio_read_file(dirfd_, "link", 99, &b), -ELOOP);
	assert_int_equal(fdio_read_file(dirfd_, "fifo", 99, &b), -EINVAL);
	assert_int_equal(fdio_read_file(dirfd_, "sub", 99, &b), -EINVAL);
	assert_int_equal(fdio_read_file(dirfd_, "none", 99, &b), -ENOENT);
	assert_string_equal(buf_cstr(&b), "kept");
	b.max = 6;
	assert_int_equal(fdio_read_file(dirfd_, "a", 99, &b), -ENOMEM);
	assert_int_equal(buf_len(&b), 4);
	buf_fini(&b);
}

static void
file_without_a_size_is_read_to_its_end(void **state)
{
	struct buf b;

	(void)state;
	if (access("/proc/self/status", R_OK) < 0)
		skip();
	buf_init(&b, 0);
	assert_int_equal(
	    fdio_read_file(AT_FDCWD, "/proc/self/status", 65536, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "\nPPid:"));
	buf_reset(&b);
	assert_int_equal(
	    fdio_read_file(AT_FDCWD, "/proc/self/status", 10, &b), -EFBIG);
	buf_fini(&b);
}

static void
flags_are_set_and_cleared(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(fdio_pipe(fds), 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fdio_set_nonblock(fds[0], true), 0);
	assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fdio_set_nonblock(fds[0], false), 0);
	assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fdio_set_cloexec(fds[1], false), 0);
	assert_int_equal(fcntl(fds[1], F_GETFD), 0);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(fdio_set_nonblock(-1, true), -EBADF);
	assert_int_equal(fdio_open_dir("none"), -ENOENT);
	put("file", "");
	assert_int_equal(fdio_open_dir("file"), -ENOTDIR);
}

static void
listener_is_reached_and_its_mode_is_by_umask(void **state)
{
	struct fdio_made made;
	int lfd, cfd, sfd;
	char c;

	(void)state;
	lfd = fdio_unix_listen("s", 0077, 5);
	assert_true(lfd >= 0);
	assert_int_equal(mode_of("s"), 0700);
	assert_true(fcntl(lfd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fcntl(lfd, F_GETFD), FD_CLOEXEC);
	cfd = fdio_unix_connect("s", true);
	assert_true(cfd >= 0);
	assert_true(fcntl(cfd, F_GETFL) & O_NONBLOCK);
	sfd = accept(lfd, NULL, NULL);
	assert_int_equal(fdio_write_all(cfd, "x", 1), 0);
	assert_int_equal(read(sfd, &c, 1), 1);
	close(sfd);
	close(cfd);
	close(lfd);
	made = fdio_unix_made("s");
	fdio_unix_unlink("s", &made);
	assert_false(exists("s"));
}

static void
socket_of_a_running_daemon_is_not_taken(void **state)
{
	int first, second;

	(void)state;
	first = fdio_unix_listen("s", 0077, 5);
	assert_true(first >= 0);
	assert_int_equal(fdio_unix_listen("s", 0077, 5), -EADDRINUSE);
	assert_true(exists("s"));
	close(first); /* now it is a dead one */
	second = fdio_unix_listen("s", 0007, 5);
	assert_true(second >= 0);
	assert_int_equal(mode_of("s"), 0770);
	close(second);
}

static void
other_files_are_not_taken_for_sockets(void **state)
{
	struct fdio_made made;
	char path[200];

	(void)state;
	put("precious", "data");
	assert_int_equal(fdio_unix_listen("precious", 0077, 5), -EEXIST);
	made = fdio_unix_made("precious");
	assert_int_equal(made.ino, 0);
	fdio_unix_unlink("precious", &made);
	assert_true(exists("precious"));
	assert_int_equal(symlink("precious", "link"), 0);
	assert_int_equal(fdio_unix_listen("link", 0077, 5), -EEXIST);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(fdio_unix_listen(path, 0077, 5), -ENAMETOOLONG);
	assert_int_equal(fdio_unix_connect(path, false), -ENAMETOOLONG);
	assert_int_equal(fdio_unix_connect("none", false), -ENOENT);
	assert_int_equal(fdio_unix_connect("precious", false), -ECONNREFUSED);
}

static void
full_backlog_does_not_block(void **state)
{
	int fds[64], lfd, n = 0, r = 0;

	(void)state;
	lfd = fdio_unix_listen("s", 0077, 1);
	assert_true(lfd >= 0);
	while (n < 64 && (r = fdio_unix_connect("s", true)) >= 0)
		fds[n++] = r;
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(fdio_unix_listen("s", 0077, 1), -EADDRINUSE);
	while (n > 0)
		close(fds[--n]);
	close(lfd);
}

static void
tree_is_removed_with_all_that_is_in_it(void **state)
{
	(void)state;
	assert_int_equal(mkdir("t", 0700), 0);
	assert_int_equal(mkdir("t/Work", 0700), 0);
	assert_int_equal(mkdir("t/Work/deep", 0700), 0);
	assert_int_equal(mkdir("t/tmp", 0700), 0);
	put("t/INPUTMSG", "x");
	put("t/Work/part", "x");
	put("t/Work/deep/part", "x");
	assert_int_equal(mkfifo("t/fifo", 0600), 0);
	assert_int_equal(fdio_remove_tree(dirfd_, "t"), 0);
	assert_false(exists("t"));
	assert_int_equal(fdio_remove_tree(dirfd_, "t"), -ENOENT);
}

static void
symlinks_are_removed_but_not_followed(void **state)
{
	(void)state;
	assert_int_equal(mkdir("t", 0700), 0);
	assert_int_equal(mkdir("other", 0700), 0);
	put("other/precious", "data");
	assert_int_equal(symlink("../other", "t/link"), 0);
	assert_int_equal(symlink("other/precious", "file"), 0);
	assert_int_equal(symlink("other", "top"), 0);
	assert_int_equal(fdio_remove_tree(dirfd_, "t"), 0);
	assert_int_equal(fdio_remove_tree(dirfd_, "file"), 0);
	assert_int_equal(fdio_remove_tree(dirfd_, "top"), 0);
	assert_false(exists("t"));
	assert_false(exists("file"));
	assert_false(exists("top"));
	assert_true(exists("other/precious"));
}

static void
many_files_are_removed(void **state)
{
	char name[64];

	(void)state;
	assert_int_equal(mkdir("t", 0700), 0);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "t/msg-%d-part-of-some-length", i);
		put(name, "");
	}
	assert_int_equal(fdio_remove_tree(dirfd_, "t"), 0);
	assert_false(exists("t"));
}

static void
make_nested(int depth)
{
	int top = dup(dirfd_);

	assert_int_equal(mkdir("t", 0700), 0);
	assert_int_equal(chdir("t"), 0);
	for (int i = 0; i < depth; i++) {
		assert_int_equal(mkdir("d", 0700), 0);
		assert_int_equal(chdir("d"), 0);
	}
	assert_int_equal(fchdir(top), 0);
	close(top);
}

static void
removal_goes_on_after_what_is_too_deep(void **state)
{
	(void)state;
	make_nested(64);
	assert_int_equal(fdio_remove_tree(dirfd_, "t"), 0);
	assert_false(exists("t"));
	make_nested(65);
	put("t/a", "");
	put("t/z", "");
	assert_int_equal(fdio_remove_tree(dirfd_, "t"), -ELOOP);
	assert_true(exists("t/d"));
	assert_false(exists("t/a"));
	assert_false(exists("t/z"));
	/* for the teardown: bring the inner half within reach */
	assert_int_equal(rename("t/d/d/d", "inner"), 0);
	assert_int_equal(fdio_remove_tree(dirfd_, "inner"), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, enter_dir, leave_dir)

static void
only_an_empty_directory_is_empty(void **state)
{
	char name[100];
	int fd;

	(void)state;
	assert_int_equal(mkdirat(dirfd_, "e", 0700), 0);
	fd = openat(dirfd_, "e", O_RDONLY | O_DIRECTORY);
	assert_int_equal(fdio_dir_is_empty(fd), 1);
	assert_int_equal(mkdirat(fd, ".hidden", 0700), 0);
	assert_int_equal(fdio_dir_is_empty(fd), 0);
	assert_int_equal(fdio_dir_is_empty(fd), 0);
	assert_int_equal(unlinkat(fd, ".hidden", AT_REMOVEDIR), 0);
	assert_int_equal(fdio_dir_is_empty(fd), 1);
	for (int i = 0; i < 300; i++) { /* more than is read at once */
		snprintf(name, sizeof(name), "%090d", i);
		assert_int_equal(mkdirat(fd, name, 0700), 0);
	}
	assert_int_equal(fdio_dir_is_empty(fd), 0);
	assert_int_equal(fdio_remove_tree(dirfd_, "e"), 0);
	assert_true(fdio_dir_is_empty(fd) < 0);
	close(fd);
	assert_int_equal(fdio_dir_is_empty(-1), -EBADF);
}

/* By name and by number. */
static void
directory_lists_exactly_what_is_in_it(void **state)
{
	struct fdio_entry v[2] = { { "a", 0 }, { "b", 0 } };
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(mkdirat(dirfd_, "e", 0700), 0);
	fd = openat(dirfd_, "e", O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mkdirat(fd, v[i].name, 0700), 0);
		assert_int_equal(fstatat(fd, v[i].name, &st, 0), 0);
		v[i].ino = st.st_ino;
	}
	assert_int_equal(fdio_dir_lists(fd, v, 2), 1);
	assert_int_equal(fdio_dir_lists(fd, v, 1), 0);
	v[1].name = "c";
	assert_int_equal(fdio_dir_lists(fd, v, 2), 0);
	v[1].name = "b";
	v[1].ino = v[0].ino;
	assert_int_equal(fdio_dir_lists(fd, v, 2), 0);
	assert_int_equal(unlinkat(fd, "b", AT_REMOVEDIR), 0);
	assert_int_equal(fdio_dir_lists(fd, v, 2), 0);
	assert_int_equal(fdio_remove_tree(dirfd_, "e"), 0);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(written_file_reads_back),
		CASE(existing_file_is_not_overwritten),
		CASE(full_disk_is_an_error),
		CASE(only_regular_files_are_read),
		CASE(file_without_a_size_is_read_to_its_end),
		CASE(flags_are_set_and_cleared),
		CASE(listener_is_reached_and_its_mode_is_by_umask),
		CASE(socket_of_a_running_daemon_is_not_taken),
		CASE(other_files_are_not_taken_for_sockets),
		CASE(full_backlog_does_not_block),
		CASE(tree_is_removed_with_all_that_is_in_it),
		CASE(symlinks_are_removed_but_not_followed),
		CASE(many_files_are_removed),
		CASE(removal_goes_on_after_what_is_too_deep),
		CASE(only_an_empty_directory_is_empty),
		CASE(directory_lists_exactly_what_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
