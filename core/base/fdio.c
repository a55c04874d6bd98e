/* SPDX-License-Identifier: MIT */
/*
 * fdio: descriptors, files and UNIX sockets.
 *
 * The functions that run for every message (write_file, read_file,
 * remove_tree) are written for few system calls.
 */
#include "fdio.h"

#include "core/base/compat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Recursion costs a descriptor and 4 KB of stack a level, and the tree is made
 * by a worker that may have gone mad. */
#define DEPTH_MAX 64

int
fdio_write_all(int fd, const void *p, size_t n)
{
	const char *s = p;

	while (n) {
		ssize_t r = write(fd, s, n);

		if (r < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		s += r;
		n -= (size_t)r;
	}
	return 0;
}

int
fdio_write_file(
    int dirfd, const char *name, mode_t mode, const void *p, size_t n)
{
	int fd, r;

	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	r = fdio_write_all(fd, p, n);
	/* a full disk may show only here */
	if (close(fd) < 0 && errno != EINTR && r == 0)
		r = -errno;
	return r;
}

/* A regular file gives less than asked for only at its end: usually one read.
 */
static int
read_to_end(int fd, size_t max, size_t guess, struct buf *b)
{
	size_t total = 0, want = guess + 1;

	for (;;) {
		char *to = buf_space(b, want);
		ssize_t r;

		if (!to)
			return -ENOMEM;
		do
			r = read(fd, to, want);
		while (r < 0 && errno == EINTR);
		if (r < 0)
			return -errno;
		buf_added(b, (size_t)r);
		total += (size_t)r;
		if (total > max)
			return -EFBIG;
		if ((size_t)r < want)
			return 0;
		want = 4096;
	}
}

int
fdio_read_file(int dirfd, const char *name, size_t max, struct buf *b)
{
	size_t before = buf_len(b);
	struct stat st;
	int fd, r;

	fd = openat(dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	else if ((uintmax_t)st.st_size > max)
		r = -EFBIG;
	else
		r = read_to_end(fd, max, (size_t)st.st_size, b);
	close(fd);
	if (r < 0)
		buf_cut(b, before);
	return r;
}

static int
set_flag(int fd, int get, int set, int flag, bool on)
{
	int old = fcntl(fd, get), new;

	if (old < 0)
		return -errno;
	new = on ? old | flag : old & ~flag;
	if (new != old && fcntl(fd, set, new) < 0)
		return -errno;
	return 0;
}

int
fdio_set_nonblock(int fd, bool on)
{
	return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int
fdio_set_cloexec(int fd, bool on)
{
	return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int
fdio_pipe(int fds[2])
{
	return pipe2(fds, O_CLOEXEC) < 0 ? -errno : 0;
}

/* A stream socket and the address of path.  The descriptor or -errno. */
static int
unix_socket(const char *path, int flags, struct sockaddr_un *sun)
{
	size_t n = strlen(path);
	int fd;

	if (n >= sizeof(sun->sun_path))
		return -ENAMETOOLONG;
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	return fd < 0 ? -errno : fd;
}

int
fdio_unix_connect(const char *path, bool nonblock)
{
	struct sockaddr_un sun;
	int fd, err;

	fd = unix_socket(path, nonblock ? SOCK_NONBLOCK : 0, &sun);
	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0 ||
	    errno == EINPROGRESS)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Makes path free for bind.  Only a socket on which nobody listens goes: the
 * one of a running daemon, or a file by mistake, does not. */
static int
clear_path(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = fdio_unix_connect(path, true);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || fd == -EAGAIN)
		return -EADDRINUSE;
	if (fd != -ECONNREFUSED && fd != -ENOENT)
		return fd;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int
fdio_unix_listen(const char *path, unsigned umask_, int backlog)
{
	struct sockaddr_un sun;
	mode_t old;
	int fd, r;

	fd = unix_socket(path, SOCK_NONBLOCK, &sun);
	if (fd < 0)
		return fd;
	r = clear_path(path);
	if (r < 0)
		goto close_fd;
	old = umask((mode_t)umask_);
	r = bind(fd, (const struct sockaddr *)&sun, sizeof(sun));
	if (r < 0)
		r = -errno;
	umask(old);
	if (r < 0)
		goto close_fd;
	if (listen(fd, backlog) == 0)
		return fd;
	r = -errno;
	unlink(path);
close_fd:
	close(fd);
	return r;
}

struct fdio_made
fdio_unix_made(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return (struct fdio_made){ 0 };
	return (struct fdio_made){ st.st_dev, st.st_ino };
}

void
fdio_unix_unlink(const char *path, const struct fdio_made *made)
{
	struct fdio_made now = fdio_unix_made(path);

	if (now.ino && now.ino == made->ino && now.dev == made->dev)
		unlink(path);
}

int
fdio_open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int
open_nofollow(int dirfd, const char *name)
{
	int fd = openat(
	    dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool
is_among(const compat_dirent *e, const struct fdio_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (e->d_ino == v[i].ino && strcmp(e->d_name, v[i].name) == 0)
			return true;
	return false;
}

int
fdio_dir_lists(int fd, const struct fdio_entry *v, size_t n_wanted)
{
	_Alignas(compat_dirent) char batch[4096];
	size_t n_found = 0;
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = compat_getdents(fd, batch, sizeof(batch))) > 0)
		for (ssize_t at = 0; at < n;) {
			const compat_dirent *e = (const void *)(batch + at);

			if (!is_dots(e->d_name)) {
				if (!is_among(e, v, n_wanted))
					return 0;
				n_found++;
			}
			at += e->d_reclen;
		}
	return n < 0 ? -errno : n_found == n_wanted;
}

static int remove_dir(int dirfd, const char *name, int fd, unsigned depth);

/* Removes one entry.  `type` spares the question what it is. */
static int
remove_entry(int dirfd, const char *name, unsigned char type, unsigned depth)
{
	int fd;

	if (type != DT_DIR) {
		if (unlinkat(dirfd, name, 0) == 0)
			return 0;
		/* what unlink says of a directory: Linux, POSIX */
		if (errno != EISDIR && errno != EPERM)
			return -errno;
	}
	if (depth == DEPTH_MAX)
		return -ELOOP;
	fd = open_nofollow(dirfd, name);
	return fd < 0 ? fd : remove_dir(dirfd, name, fd, depth + 1);
}

/* Removes what is named in the n octets of a batch; returns the first error. */
static int
remove_batch(int fd, const char *batch, size_t n, unsigned depth)
{
	int first = 0;

	for (size_t at = 0; at < n;) {
		const compat_dirent *e = (const void *)(batch + at);
		int r;

		at += e->d_reclen;
		if (is_dots(e->d_name))
			continue;
		r = remove_entry(fd, e->d_name, e->d_type, depth);
		if (first == 0)
			first = r;
	}
	return first;
}

/* Removes the directory `name`, opened as fd, which is closed. */
static int
remove_dir(int dirfd, const char *name, int fd, unsigned depth)
{
	_Alignas(compat_dirent) char batch[4096];
	int r, first = 0;
	ssize_t n;

	/* Trying after each batch spares reading the end of the directory. */
	do {
		n = compat_getdents(fd, batch, sizeof(batch));
		r = n < 0 ? -errno : remove_batch(fd, batch, (size_t)n, depth);
		if (first == 0)
			first = r;
		r = unlinkat(dirfd, name, AT_REMOVEDIR);
	} while (r < 0 && n > 0);
	if (r < 0 && first == 0)
		first = -errno;
	close(fd);
	return first;
}

int
fdio_remove_tree(int dirfd, const char *name)
{
	int fd = open_nofollow(dirfd, name);

	if (fd >= 0)
		return remove_dir(dirfd, name, fd, 0);
	/* a file, or a symlink as the systems name it */
	if (fd == -ENOTDIR || fd == -ELOOP || fd == -EMLINK)
		return unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
	return fd;
}
