/* SPDX-License-Identifier: MIT */
/* spare: working directories are emptied and renamed, not removed and made. */
#include "spare.h"

#include "core/base/compat.h"
#include "core/base/fdio.h"
#include "core/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BYTES (sizeof(SPARE_PREFIX) + 20)

/* No other directory of the file system has that number, whoever made it. */
static void
name_of(const struct spare_look *look, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, SPARE_PREFIX "%ju", (uintmax_t)look->ino);
}

static void
look_at(int fd, struct spare_look *look)
{
	struct stat st;

	*look = (struct spare_look){ 0 };
	if (fstat(fd, &st) == 0)
		*look = (struct spare_look){ st.st_ino, st.st_mode, st.st_uid,
			st.st_gid };
}

void
spare_look_at(const struct spares *s, int fd, struct spare_look *look)
{
	*look = (struct spare_look){ 0 };
	if (s->max)
		look_at(fd, look);
}

static bool
is_as_made(int fd, const struct spare_look *made)
{
	struct spare_look now;

	look_at(fd, &now);
	return now.ino && now.ino == made->ino && now.mode == made->mode &&
	       now.uid == made->uid && now.gid == made->gid &&
	       fdio_dir_is_empty(fd) == 1;
}

bool
spare_put(struct spares *s, int spool_fd, const char *name, int fd,
    const struct spare_look *look)
{
	char to[NAME_BYTES];

	if (s->n >= s->max || !look->ino || !is_as_made(fd, look))
		return false;
	name_of(look, to);
	if (compat_rename_new(spool_fd, name, to) < 0)
		return false;
	s->v[(s->first + s->n++) % SPARE_MAX] = (struct spare){ fd, *look };
	return true;
}

/* The first of those that wait does so no longer. */
static struct spare
pop(struct spares *s)
{
	struct spare one = s->v[s->first];

	s->first = (s->first + 1) % SPARE_MAX;
	s->n--;
	return one;
}

/* Somebody may have removed it already. */
static void
remove_first(struct spares *s, int spool_fd)
{
	struct spare one = pop(s);
	char name[NAME_BYTES];
	int rc;

	name_of(&one.look, name);
	rc = fdio_remove_tree(spool_fd, name);
	if (rc < 0 && rc != -ENOENT)
		log_msg(LOG_L_ERR, NULL, "failed to clean up %s: %s", name,
		    strerror(-rc));
	close(one.fd);
}

/* 0: the first one is called name now; -EEXIST; else: it is of no use. */
static int
rename_first(const struct spares *s, int spool_fd, const char *name)
{
	const struct spare *one = &s->v[s->first];
	char from[NAME_BYTES];
	int rc = fdio_dir_is_empty(one->fd);

	name_of(&one->look, from);
	if (rc == 0)
		log_msg(LOG_L_WARN, NULL,
		    "Something wrote into %s after its message was done: does "
		    "the filter leave programs behind? See --spare-dirs",
		    from);
	if (rc != 1)
		return -ENOTEMPTY;
	return compat_rename_new(spool_fd, from, name) < 0 ? -errno : 0;
}

int
spare_take(
    struct spares *s, int spool_fd, const char *name, struct spare_look *look)
{
	while (s->n) {
		int rc = rename_first(s, spool_fd, name);

		if (rc == 0) {
			*look = s->v[s->first].look;
			return pop(s).fd;
		}
		if (rc == -EEXIST)
			return rc;
		remove_first(s, spool_fd);
	}
	return -ENOENT;
}

void
spare_remove_all(struct spares *s, int spool_fd)
{
	while (s->n)
		remove_first(s, spool_fd);
}
