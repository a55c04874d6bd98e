/* SPDX-License-Identifier: MIT */
/* sweep: working directories that a crash left behind. */
#include "sweep.h"

#include "core/base/fdio.h"
#include "core/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct count {
	unsigned removed, kept;
	char first[NAME_MAX + 1];
};

static bool
begins_with(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* One that waited for a message: of no use, and no loss. */
static bool
was_spare(const struct spool *s, const char *name)
{
	return begins_with(name, SPARE_PREFIX) && spare_remove_old(s->fd, name);
}

/* A working directory, ours, old, and not one that was kept on purpose. */
static bool
is_stale(const struct spool *s, const char *name, int64_t before)
{
	char path[NAME_MAX + sizeof("/" SPOOL_KEPT)];
	struct stat st;

	if ((!begins_with(name, SPOOL_PREFIX) &&
		!begins_with(name, SPARE_PREFIX)) ||
	    strlen(name) > SPOOL_NAME_MAX ||
	    fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (int64_t)st.st_mtime > before)
		return false;
	snprintf(path, sizeof(path), "%s/" SPOOL_KEPT, name);
	return faccessat(s->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	       errno == ENOENT;
}

static void
look_at(const struct spool *s, const char *name, struct count *c)
{
	int rc;

	if (s->keep_all || s->keep_failed || spool_is_marked(s)) {
		c->kept++;
		return;
	}
	rc = fdio_remove_tree(s->fd, name);
	if (rc < 0)
		log_msg(LOG_L_ERR, NULL, "failed to clean up %s/%s: %s",
		    s->path, name, strerror(-rc));
	else if (c->removed++ == 0)
		snprintf(c->first, sizeof(c->first), "%s", name);
}

static void
look_at_all(const struct spool *s, int64_t before, struct count *c)
{
	int fd = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		log_msg(LOG_L_WARN, NULL, "Cannot read %s: %s", s->path,
		    strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(d)))
		if (!was_spare(s, e->d_name) && is_stale(s, e->d_name, before))
			look_at(s, e->d_name, c);
	closedir(d);
}

unsigned
sweep_spool(const struct spool *s, int64_t now_s, int64_t older_s)
{
	bool alone = flock(s->fd, LOCK_EX | LOCK_NB) == 0;
	struct count c = { 0 };

	if (alone)
		look_at_all(s, older_s > 0 ? now_s - older_s : INT64_MIN, &c);
	else if (older_s > 0)
		log_msg(LOG_L_INFO, NULL,
		    "%s is in use by another front-end: stale working "
		    "directories stay",
		    s->path);
	if (c.removed)
		log_msg(LOG_L_INFO, NULL,
		    "Removed %u stale working directories from %s, the first "
		    "was %s",
		    c.removed, s->path, c.first);
	if (c.kept)
		log_msg(LOG_L_INFO, NULL,
		    "%u stale working directories in %s stay because of -d, "
		    "-k or the marker",
		    c.kept, s->path);
	/* Shared from now on; if somebody sweeps just now, what is ours is too
	 * young for him. */
	(void)flock(s->fd, LOCK_SH | LOCK_NB);
	return c.removed;
}
