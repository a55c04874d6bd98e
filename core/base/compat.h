/* SPDX-License-Identifier: MIT */
/* compat: what Linux and FreeBSD call by different names. */
#ifndef CORE_BASE_COMPAT_H
#define CORE_BASE_COMPAT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>

/* Reads directory entries without the 32 KB that opendir allocates. */
#ifdef __linux__
typedef struct dirent64 compat_dirent;
#define compat_getdents(fd, buf, n) getdents64(fd, buf, n)
#else
typedef struct dirent compat_dirent;
#define compat_getdents(fd, buf, n) getdents(fd, buf, n)
#endif

/* Renames below one directory.  -1: EEXIST if there is something of that name;
 * any other error if the system or the file system cannot promise that. */
#ifdef __linux__
#define compat_rename_new(dirfd, from, to)                                     \
	renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE)
#else
#define compat_rename_new(dirfd, from, to) (errno = ENOSYS, -1)
#endif

/* Does nobody else have this file open?  True: and whoever opens it waits until
 * he is let in, and SIGIO comes.  False: somebody has, or the system or the file
 * system cannot say. */
#ifdef __linux__
#define compat_lock_out_openers(fd) (fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
#define compat_let_in_openers(fd)   (fcntl(fd, F_SETLEASE, F_UNLCK) == 0)
#else
#define compat_lock_out_openers(fd) ((void)(fd), false)
#define compat_let_in_openers(fd)   ((void)(fd), false)
#endif

/* Is this file of a file system in memory? */
#ifdef __linux__
#include <linux/magic.h>
#include <sys/vfs.h>
static inline bool
compat_is_tmpfs(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 && st.f_type == TMPFS_MAGIC;
}
#else
#define compat_is_tmpfs(fd) ((void)(fd), false)
#endif

/* Descendants whose parent dies become children of this process. */
#ifdef __linux__
#include <sys/prctl.h>
#define compat_adopt_orphans() prctl(PR_SET_CHILD_SUBREAPER, 1)
#else
#include <sys/procctl.h>
#define compat_adopt_orphans() procctl(P_PID, 0, PROC_REAP_ACQUIRE, NULL)
#endif

#endif
