/* SPDX-License-Identifier: MIT */
/*
 * fifodir: a directory of our own (fifodir.h).
 */
#include "fifodir.h"

#include "core/base/fdio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX ".zygote-"

/* Its daemon is gone if nobody holds the lock. */
static void
sweep_one(int place_fd, const char *name)
{
	int fd = openat(
	    place_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0)
		fdio_remove_tree(place_fd, name);
	close(fd);
}

static void
sweep(const char *place)
{
	DIR *d = opendir(place);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d)))
		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0)
			sweep_one(dirfd(d), e->d_name);
	closedir(d);
}

int
fifodir_make(const char *place, char **path)
{
	char *p;
	int fd, err;

	sweep(place);
	if (asprintf(&p, "%s/" PREFIX "XXXXXX", place) < 0)
		return -ENOMEM;
	if (!mkdtemp(p)) {
		err = errno;
		free(p);
		return -err;
	}
	fd = fdio_open_dir(p);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		err = errno;
		fifodir_remove(fd, p);
		return -err;
	}
	*path = p;
	return fd;
}

void
fifodir_remove(int fd, char *path)
{
	if (path)
		fdio_remove_tree(AT_FDCWD, path);
	if (fd >= 0)
		close(fd);
	free(path);
}
