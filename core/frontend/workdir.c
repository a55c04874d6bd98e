/* SPDX-License-Identifier: MIT */
/* workdir: what is asked of a directory that is to be used again. */
#include "workdir.h"

#include "core/base/compat.h"
#include "core/base/fdio.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const workdir_names[WORKDIR_FILES] = { "INPUTMSG", "HEADERS",
	"COMMANDS" };

void
workdir_init(struct workdir *w)
{
	*w = (struct workdir){ .fd = -1, .file = { -1, -1, -1 } };
}

void
workdir_look(struct workdir *w)
{
	struct stat st;

	if (fstat(w->fd, &st) < 0)
		return;
	w->ino = st.st_ino;
	w->mode = st.st_mode;
	w->uid = st.st_uid;
	w->gid = st.st_gid;
	w->in_memory = compat_is_tmpfs(w->fd);
}

int
workdir_index(const char *name)
{
	int i = WORKDIR_FILES - 1;

	while (i >= 0 && strcmp(name, workdir_names[i]) != 0)
		i--;
	return i;
}

int
workdir_use(struct workdir *w, int i)
{
	struct stat st;
	int fd = w->file[i];

	if (fd >= 0 && w->used[i] && (fstat(fd, &st) < 0 || st.st_nlink == 0)) {
		close(fd);
		w->file[i] = -1;
	}
	w->used[i] = true;
	return w->file[i];
}

/* A file is made with what its directory is made with. */
static bool
is_file_as_made(const struct workdir *w, const struct stat *st)
{
	return st->st_mode == (S_IFREG | (w->mode & 0666)) &&
	       st->st_nlink == 1 && st->st_uid == w->uid &&
	       st->st_gid == w->gid;
}

bool
workdir_is_as_made(const struct workdir *w, bool empty)
{
	struct fdio_entry entries[WORKDIR_FILES];
	struct stat st;
	size_t n = 0;

	for (int i = 0; i < WORKDIR_FILES; i++) {
		if (w->file[i] < 0)
			continue;
		if (fstat(w->file[i], &st) < 0 || !is_file_as_made(w, &st) ||
		    (empty && st.st_size))
			return false;
		entries[n++] =
		    (struct fdio_entry){ workdir_names[i], st.st_ino };
	}
	return w->ino && fstat(w->fd, &st) == 0 && st.st_mode == w->mode &&
	       st.st_uid == w->uid && st.st_gid == w->gid &&
	       fdio_dir_lists(w->fd, entries, n) == 1;
}

/* ext4 writes a file that was emptied to the disk when it is next closed by
 * whomever: that is now, while there is nothing to write. */
static void
close_once(const struct workdir *w, const char *name)
{
	int fd = openat(w->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
}

bool
workdir_empty_files(struct workdir *w)
{
	for (int i = 0; i < WORKDIR_FILES; i++) {
		bool done;

		w->used[i] = false;
		if (w->file[i] < 0)
			continue;
		if (!compat_lock_out_openers(w->file[i]))
			return false;
		done = ftruncate(w->file[i], 0) == 0;
		if (!compat_let_in_openers(w->file[i]) || !done)
			return false;
		if (!w->in_memory)
			close_once(w, workdir_names[i]);
	}
	return true;
}

static void
close_files(struct workdir *w)
{
	for (int i = 0; i < WORKDIR_FILES; i++) {
		if (w->file[i] >= 0)
			close(w->file[i]);
		w->file[i] = -1;
	}
}

void
workdir_remove_files(struct workdir *w)
{
	close_files(w);
	for (int i = 0; i < WORKDIR_FILES; i++)
		unlinkat(w->fd, workdir_names[i], 0);
}

void
workdir_remove_empty(const struct workdir *w)
{
	struct stat st;

	for (int i = 0; i < WORKDIR_FILES; i++)
		if (fstatat(w->fd, workdir_names[i], &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_size == 0)
			unlinkat(w->fd, workdir_names[i], 0);
}

void
workdir_close(struct workdir *w)
{
	close_files(w);
	if (w->fd >= 0)
		close(w->fd);
	workdir_init(w);
}
