/* SPDX-License-Identifier: MIT */
#include "cli/check/sink.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Larger than any message of ours, whatever a filter did to it. */
#define FILE_MAX_ (64u << 20)

struct sink_file {
	char *name;
	struct buf octets;
};

int
sink_init(struct sink *s, const char *dir)
{
	/* the clock of the file system may be a little behind */
	*s = (struct sink){ .dir = dir, .since_s = clock_wall_s() - 2 };
	return sink_look(s);
}

void
sink_fini(struct sink *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].name);
		buf_fini(&s->v[i].octets);
	}
	free(s->v);
	*s = (struct sink){ 0 };
}

/* ---- the directory ---------------------------------------------------------- */

static bool
is_known(const struct sink *s, const char *name)
{
	for (size_t i = s->n; i-- > 0;)
		if (strcmp(s->v[i].name, name) == 0)
			return true;
	return false;
}

static bool
has_marker(const struct buf *b)
{
	return memmem(buf_data(b), buf_len(b), SINK_FIELD ": ",
		   sizeof(SINK_FIELD)) != NULL;
}

/* Takes over the octets.  0 or -ENOMEM. */
static int
keep(struct sink *s, const char *name, struct buf *octets)
{
	char *copy = strdup(name);

	if (copy && s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct sink_file *v = realloc(s->v, room * sizeof(*v));

		if (v) {
			s->v = v;
			s->room = room;
		}
	}
	if (!copy || s->n == s->room) {
		free(copy);
		buf_fini(octets);
		return -ENOMEM;
	}
	s->v[s->n].name = copy;
	s->v[s->n++].octets = *octets;
	return 0;
}

/* One name of a directory; what is no message of ours is passed over. */
static int
look_at(struct sink *s, int fd, const char *name)
{
	struct stat st;
	struct buf octets;

	if (*name == '.' || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_mtime < s->since_s ||
	    is_known(s, name))
		return 0;
	buf_init(&octets, 0);
	if (fdio_read_file(fd, name, FILE_MAX_, &octets) == 0 &&
	    has_marker(&octets))
		return keep(s, name, &octets);
	buf_fini(&octets);
	return 0;
}

static int
look_in(struct sink *s, int fd)
{
	DIR *d = fdopendir(fd);
	int rc = 0;

	if (!d) {
		rc = -errno;
		close(fd);
		return rc;
	}
	for (struct dirent *e; rc == 0 && (e = readdir(d));)
		rc = look_at(s, fd, e->d_name);
	closedir(d);
	return rc;
}

int
sink_look(struct sink *s)
{
	static const char *const maildir[] = { "new", "cur" };
	int fd = fdio_open_dir(s->dir), rc = 0;

	if (fd < 0)
		return fd;
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		int sub =
		    openat(fd, maildir[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (sub >= 0)
			rc = look_in(s, sub);
	}
	if (rc == 0)
		return look_in(s, fd);
	close(fd);
	return rc;
}

static bool
is_of(const struct sink_file *f, const char *marker)
{
	size_t len = strlen(marker);
	const char *p = buf_data(&f->octets), *end = p + buf_len(&f->octets);

	while (p < end && (p = memmem(p, (size_t)(end - p), marker, len))) {
		p += len; /* a marker may be the beginning of another */
		if (p == end || *p == '\r' || *p == '\n')
			return true;
	}
	return false;
}

bool
sink_has(const struct sink *s, const char *marker)
{
	for (size_t i = 0; i < s->n; i++)
		if (is_of(&s->v[i], marker))
			return true;
	return false;
}

bool
sink_get(const struct sink *s, const char *marker, struct sink_message *m)
{
	for (size_t i = 0; i < s->n; i++)
		if (is_of(&s->v[i], marker) &&
		    sink_message_add(m, buf_data(&s->v[i].octets),
			buf_len(&s->v[i].octets)) < 0)
			return false;
	return m->copies > 0;
}
