/* SPDX-License-Identifier: MIT */
/*
 * fdio: descriptors, files and UNIX sockets.
 *
 * Every descriptor made here is close-on-exec.  Results: 0 or a descriptor,
 * else -errno.  Nothing is logged.
 */
#ifndef CORE_BASE_FDIO_H
#define CORE_BASE_FDIO_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

int fdio_write_all(int fd, const void *p, size_t n); /* blocking fd; EINTR */
/* Creates name below dirfd, which must not exist, and writes it in one go. */
int fdio_write_file(
    int dirfd, const char *name, mode_t mode, const void *p, size_t n);
/* Appends a whole regular file below dirfd to b: no symlink is followed, a
 * FIFO does not hang.  -EFBIG: more than max; -EINVAL: not a regular file;
 * -ELOOP: a symlink; -ENOMEM: see buf.  b is as before after a failure. */
int fdio_read_file(int dirfd, const char *name, size_t max, struct buf *b);
int fdio_set_nonblock(int fd, bool on);
int fdio_set_cloexec(int fd, bool on);
int fdio_pipe(int fds[2]); /* both ends close-on-exec, blocking */

/* UNIX stream sockets.  -ENAMETOOLONG when path does not fit. */
/* With nonblock a full backlog is -EAGAIN; a UNIX socket is otherwise
 * connected at once. */
int fdio_unix_connect(const char *path, bool nonblock);
/* A non-blocking listener.  Removes a dead socket of that name first;
 * -EADDRINUSE if somebody answers, -EEXIST if it is not a socket.  Mode by
 * umask_. */
int fdio_unix_listen(const char *path, unsigned umask_, int backlog);
/* Which socket has that name now; zeroed: none. */
struct fdio_made {
	dev_t dev;
	ino_t ino;
};
struct fdio_made fdio_unix_made(const char *path);
/* Removes path if it still is that one. */
void fdio_unix_unlink(const char *path, const struct fdio_made *made);

/* Opens a directory by absolute or relative path, O_DIRECTORY. */
int fdio_open_dir(const char *path);
/* Are these entries all that is in it?  1: yes; 0: no. */
struct fdio_entry {
	const char *name;
	ino_t ino;
};
int fdio_dir_lists(int fd, const struct fdio_entry *v, size_t n);
static inline int
fdio_dir_is_empty(int fd)
{
	return fdio_dir_lists(fd, NULL, 0);
}
/* Removes name below dirfd with all that is in it; follows no symlink; goes on
 * after an error and returns the first one.  Directories that lie deeper than
 * 64 levels stay (-ELOOP). */
int fdio_remove_tree(int dirfd, const char *name);

#endif
