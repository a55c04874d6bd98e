/* SPDX-License-Identifier: MIT */
/* stats_file: lines appended to a file (stats_file.h). */
#include "stats_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void
stats_file_init(struct stats_file *f, const char *path)
{
	f->path = path;
	f->fd = -1;
	buf_init(&f->waiting, STATS_FILE_MAX);
}

static void
end(struct stats_file *f)
{
	stats_file_write(f);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

int
stats_file_open(struct stats_file *f)
{
	end(f);
	/* not blocking: a FIFO without a reader must not hold the start */
	f->fd = open(f->path,
	    O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	    0666);
	return f->fd < 0 ? -errno : 0;
}

bool
stats_file_add(struct stats_file *f, const char *line, size_t n)
{
	if (f->fd < 0)
		return false;
	if (buf_add(&f->waiting, line, n) == 0)
		return true;
	f->waiting.failed = false; /* a later one may fit */
	return false;
}

int
stats_file_write(struct stats_file *f)
{
	ssize_t n;

	while (f->fd >= 0 && buf_len(&f->waiting)) {
		n = write(f->fd, buf_data(&f->waiting), buf_len(&f->waiting));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		buf_take(&f->waiting, (size_t)n);
	}
	return 0;
}

void
stats_file_close(struct stats_file *f)
{
	end(f);
	buf_fini(&f->waiting);
}
