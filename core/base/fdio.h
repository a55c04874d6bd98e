/* SPDX-License-Identifier: MIT */
/* fdio: descriptors.  Every descriptor made here is close-on-exec.  Results:
 * 0 or a descriptor, else -errno. */
#ifndef CORE_BASE_FDIO_H
#define CORE_BASE_FDIO_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

int fdio_write_all(int fd, const void *p, size_t n); /* blocking fd; EINTR */
/* Reads a whole regular file below dirfd into b: no symlink is followed, a
 * FIFO does not hang.  -EFBIG: more than max; -EINVAL: not a regular file. */
int fdio_read_file(int dirfd, const char *name, size_t max, struct buf *b);
int fdio_set_nonblock(int fd, bool on);
int fdio_set_cloexec(int fd, bool on);
int fdio_pipe(int fds[2]); /* both ends close-on-exec, blocking */

/* UNIX stream sockets.  -ENAMETOOLONG when path does not fit. */
int fdio_unix_connect(const char *path, bool nonblock); /* EINPROGRESS is ok */
/* Removes a dead socket of that name first; -EADDRINUSE if somebody answers,
 * -EEXIST if it is not a socket.  Mode by umask_. */
int fdio_unix_listen(const char *path, unsigned umask_, int backlog);
/* Removes path if it is a socket. */
void fdio_unix_unlink(const char *path);

/* Opens a directory by absolute or relative path, O_DIRECTORY. */
int fdio_open_dir(const char *path);
/* Removes name below dirfd with all that is in it; follows no symlink; goes on
 * after an error and returns the first one. */
int fdio_remove_tree(int dirfd, const char *name);

#endif
