/* SPDX-License-Identifier: MIT */
/* spool: every system call here is paid once a message, so there are few. */
#include "spool.h"

#include "core/base/fdio.h"
#include "core/base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define KILLERS_MAX 16
#define KEEP_MARKER "DO-NOT-DELETE-WORK-DIRS"
#define NAME_TRIES  10
#define ROOM_MS     1000
#define FILES_MIN   8 /* of a message whose parts are few */

static int
half_of_descriptors(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return 0;
	return rl.rlim_cur / 2 < INT_MAX ? (int)(rl.rlim_cur / 2) : INT_MAX;
}

int
spool_open(struct spool *s, const char *path, char *err, size_t errlen)
{
	*s = (struct spool){ .path = path, .killers_left = KILLERS_MAX };
	s->keep_below = half_of_descriptors();
	s->fd = fdio_open_dir(path);
	if (s->fd >= 0)
		return 0;
	snprintf(err, errlen, "Cannot open spool directory %s: %s", path,
	    strerror(-s->fd));
	s->fd = -1;
	return -1;
}

void
spool_close(struct spool *s)
{
	spare_remove_all(&s->spares, s->fd);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void
ask_for_room(struct spool *s)
{
	struct statvfs v;

	s->free_bytes = s->free_files =
	    UINT64_MAX; /* who cannot say has some */
	if (fstatvfs(s->fd, &v) < 0)
		return;
	if (v.f_frsize && v.f_bavail < UINT64_MAX / v.f_frsize)
		s->free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	if (v.f_files) /* 0: they are made as needed */
		s->free_files = v.f_favail;
}

bool
spool_has_room(
    struct spool *s, uint64_t reserve, uint64_t size, msec now, const char *ctx)
{
	if (now >= s->room_until) {
		ask_for_room(s);
		s->room_until = now + ROOM_MS;
	}
	if (s->free_bytes >= reserve && s->free_bytes - reserve >= size &&
	    s->free_files >= FILES_MIN)
		return true;
	log_msg(LOG_L_WARN, ctx,
	    "No room for a message of %llu octets in %s: %llu octets and %llu "
	    "files are free, %llu and %d are to stay so",
	    (unsigned long long)size, s->path,
	    (unsigned long long)s->free_bytes,
	    (unsigned long long)s->free_files, (unsigned long long)reserve,
	    FILES_MIN);
	return false;
}

void
spool_dir_init(struct spool_dir *d)
{
	*d = (struct spool_dir){ 0 };
	workdir_init(&d->w);
}

/* The queue id comes from the MTA, which may be anybody. */
static bool
fit_for_name(const char *id)
{
	size_t n = strlen(id);

	if (n == 0 || n > SPOOL_QUEUE_ID_MAX || *id == '.')
		return false;
	for (; *id; id++)
		if (*id <= ' ' || *id >= 0x7f || *id == '/')
			return false;
	return true;
}

void
spool_dir_name(struct spool_dir *d, const char *queue_id, const char *ident)
{
	assert(d->w.fd < 0);
	snprintf(d->name, sizeof(d->name), SPOOL_PREFIX "%s",
	    fit_for_name(queue_id) ? queue_id : ident);
}

/* A spare directory gets the name, or a new one is made.  0 or -errno. */
static int
make_dir(struct spool *s, struct spool_dir *d)
{
	int rc = spare_take(&s->spares, s->fd, d->name, &d->w);

	if (rc != -ENOENT)
		return rc;
	if (mkdirat(s->fd, d->name, s->group ? 0750 : 0700) < 0)
		return -errno;
	d->w.fd = openat(
	    s->fd, d->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d->w.fd < 0) {
		rc = -errno;
		unlinkat(s->fd, d->name, AT_REMOVEDIR);
		return rc;
	}
	if (s->spares.max)
		workdir_look(&d->w);
	return 0;
}

int
spool_dir_create(
    struct spool *s, struct spool_dir *d, const char *ident, const char *ctx)
{
	int rc = make_dir(s, d);

	for (int i = 0; rc == -EEXIST && i < NAME_TRIES; i++) {
		snprintf(d->name, sizeof(d->name),
		    i ? SPOOL_PREFIX "%s-%d" : SPOOL_PREFIX "%s", ident, i);
		rc = make_dir(s, d);
	}
	if (rc == 0)
		return 0;
	log_msg(LOG_L_WARN, ctx, "Could not create directory %s/%s: %s",
	    s->path, d->name, strerror(-rc));
	return -1;
}

int
spool_append(const struct spool *s, struct spool_dir *d, const char *file,
    const void *p, size_t n, const char *ctx)
{
	int i = workdir_index(file);
	int fd = i < 0 ? -1 : workdir_use(&d->w, i), rc;

	if (fd < 0)
		fd = openat(d->w.fd, file,
		    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK |
			O_CLOEXEC,
		    s->group ? 0640 : 0600);
	if (fd < 0) {
		log_msg(LOG_L_WARN, ctx, "Could not open %s/%s/%s: %s", s->path,
		    d->name, file, strerror(errno));
		return -1;
	}
	rc = fdio_write_all(fd, p, n);
	if (i >= 0 && fd < s->keep_below)
		d->w.file[i] = fd;
	else if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc < 0) {
		log_msg(LOG_L_WARN, ctx,
		    "Unable to write %zu bytes to file %s (ret = %d): %s", n,
		    file, -1, strerror(-rc));
		return -1;
	}
	return 0;
}

bool
spool_is_marked(const struct spool *s)
{
	return faccessat(s->fd, KEEP_MARKER, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* true: logged why. */
static bool
is_kept(struct spool *s, const struct spool_dir *d, enum spool_fate fate,
    const char *ctx)
{
	if (s->keep_all) {
		log_msg(LOG_L_INFO, ctx,
		    "Not cleaning up %s/%s because of command-line `-d' flag",
		    s->path, d->name);
		return true;
	}
	if (spool_is_marked(s)) {
		log_msg(LOG_L_INFO, ctx,
		    "Not cleaning up %s/%s because of %s/" KEEP_MARKER, s->path,
		    d->name, s->path);
		return true;
	}
	if ((s->keep_failed && fate != SPOOL_DONE) ||
	    (fate == SPOOL_KILLER && s->killers_left)) {
		s->killers_left -= fate == SPOOL_KILLER && s->killers_left;
		log_msg(LOG_L_WARN, ctx,
		    "Filter failed.  Message kept in %s/%s", s->path, d->name);
		return true;
	}
	return false;
}

/* What is usual goes by name, without reading the directory. */
static void
remove_dir(struct spool *s, struct spool_dir *d, bool reuse, const char *ctx)
{
	int rc;

	unlinkat(d->w.fd, "RESULTS", 0);
	if (reuse && spare_put(&s->spares, s->fd, d->name, &d->w))
		return;
	unlinkat(d->w.fd, "tmp", AT_REMOVEDIR); /* our worker's, mostly empty */
	fdio_remove_tree(d->w.fd, "Work");
	if (reuse && spare_put(&s->spares, s->fd, d->name, &d->w))
		return;
	workdir_remove_files(&d->w);
	if (unlinkat(s->fd, d->name, AT_REMOVEDIR) == 0)
		return;
	rc = fdio_remove_tree(s->fd, d->name); /* the filter left more */
	if (rc < 0)
		log_msg(LOG_L_ERR, ctx, "failed to clean up %s/%s: %s", s->path,
		    d->name, strerror(-rc));
}

void
spool_discard(
    struct spool *s, struct spool_dir *d, enum spool_fate fate, const char *ctx)
{
	if (d->w.fd >= 0) {
		if (!is_kept(s, d, fate, ctx))
			remove_dir(s, d, fate == SPOOL_DONE && !d->unsure, ctx);
		else if (spool_append(s, d, SPOOL_KEPT, "", 0, ctx) < 0)
			log_msg(LOG_L_WARN, ctx,
			    "%s/%s is not marked as kept: a later start may "
			    "remove it (--sweep-age)",
			    s->path, d->name);
		workdir_close(&d->w);
	}
	spool_dir_init(d);
}
