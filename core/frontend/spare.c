/* SPDX-License-Identifier: MIT */
/* spare: working directories are emptied and renamed, not removed and made. */
#include "spare.h"

#include "core/base/compat.h"
#include "core/base/fdio.h"
#include "core/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_BYTES (sizeof(SPARE_PREFIX) + 20)

/* No other directory of the file system has that number, whoever made it. */
static void
name_of(const struct workdir *w, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, SPARE_PREFIX "%ju", (uintmax_t)w->ino);
}

bool
spare_put(struct spares *s, int spool_fd, const char *name, struct workdir *w)
{
	char to[NAME_BYTES];

	if (s->n >= s->max || !workdir_is_as_made(w, false) ||
	    !workdir_empty_files(w))
		return false;
	name_of(w, to);
	if (compat_rename_new(spool_fd, name, to) < 0)
		return false;
	s->v[(s->first + s->n++) % SPARE_MAX] = *w;
	workdir_init(w);
	return true;
}

/* The first of those that wait does so no longer. */
static struct workdir
pop(struct spares *s)
{
	struct workdir one = s->v[s->first];

	s->first = (s->first + 1) % SPARE_MAX;
	s->n--;
	return one;
}

/* Somebody may have removed it already. */
static void
remove_first(struct spares *s, int spool_fd)
{
	struct workdir one = pop(s);
	char name[NAME_BYTES];
	int rc;

	name_of(&one, name);
	workdir_close(&one);
	rc = fdio_remove_tree(spool_fd, name);
	if (rc < 0 && rc != -ENOENT)
		log_msg(LOG_L_ERR, NULL, "failed to clean up %s: %s", name,
		    strerror(-rc));
}

/* 0: the first one is called name now; -EEXIST; else: it is of no use. */
static int
rename_first(const struct spares *s, int spool_fd, const char *name)
{
	const struct workdir *one = &s->v[s->first];
	char from[NAME_BYTES];

	name_of(one, from);
	if (workdir_is_as_made(one, true))
		return compat_rename_new(spool_fd, from, name) < 0 ? -errno : 0;
	if (faccessat(spool_fd, from, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		log_msg(LOG_L_WARN, NULL,
		    "Something wrote into %s after its message was done: does "
		    "the filter leave programs behind? See --spare-dirs",
		    from);
	return -ENOTEMPTY;
}

int
spare_take(struct spares *s, int spool_fd, const char *name, struct workdir *w)
{
	while (s->n) {
		int rc = rename_first(s, spool_fd, name);

		if (rc == 0)
			*w = pop(s);
		if (rc == 0 || rc == -EEXIST)
			return rc;
		remove_first(s, spool_fd);
	}
	return -ENOENT;
}

bool
spare_remove_old(int spool_fd, const char *name)
{
	struct workdir w;

	workdir_init(&w);
	w.fd = openat(
	    spool_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (w.fd < 0)
		return false;
	workdir_remove_empty(&w);
	workdir_close(&w);
	return unlinkat(spool_fd, name, AT_REMOVEDIR) == 0;
}

void
spare_remove_all(struct spares *s, int spool_fd)
{
	while (s->n)
		remove_first(s, spool_fd);
}
