/* SPDX-License-Identifier: MIT */
/*
 * file_work: what the files of a message cost a front-end, whatever it is made
 * of: a directory, three files written, RESULTS read, all of it removed.  No
 * socket, no parsing, no process but this one.  RESULTS is the worker's work
 * and not counted.
 *
 *   file_work DIRECTORY MESSAGES
 *
 * Prints one line of JSON: CPU and wall microseconds a message with a new
 * directory each (fresh), with one that is renamed (reused), and with its files
 * emptied, too, instead of removed (emptied).
 */
#include "core/base/compat.h"
#include "core/base/fdio.h"

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SPARE "spare"

static const char *const files[] = { "INPUTMSG", "HEADERS", "COMMANDS" };
static const size_t size_of[] = { 10800, 600, 500 };
#define FILES (sizeof(files) / sizeof(files[0]))

enum how {
	FRESH,
	REUSED,
	EMPTIED
};
static int open_file[FILES] = { -1, -1, -1 };

static int top; /* the spool */
static char octets[10800];

static double
clock_us(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) < 0)
		err(1, "clock");
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* keep: where its descriptor stays; NULL: it does not. */
static void
append(int dir, const char *name, size_t n, int *keep)
{
	int fd = keep ? *keep : -1;

	if (fd < 0)
		fd = openat(dir, name,
		    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0 || fdio_write_all(fd, octets, n) < 0)
		err(1, "%s", name);
	if (keep)
		*keep = fd;
	else
		close(fd);
}

static void
read_results(int dir)
{
	int fd = openat(dir, "RESULTS", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	char in[100];

	if (fd < 0 || fstat(fd, &st) < 0 || read(fd, in, sizeof(in)) != 2)
		err(1, "RESULTS");
	close(fd);
}

/* Is there nothing in the spare directory but emptied files? */
static bool
is_spare(int dir)
{
	struct fdio_entry v[FILES];
	struct stat st;
	size_t n = 0;

	for (size_t i = 0; i < FILES; i++)
		if (open_file[i] >= 0) {
			if (fstat(open_file[i], &st) < 0)
				err(1, "%s", files[i]);
			v[n++] = (struct fdio_entry){ files[i], st.st_ino };
		}
	return fdio_dir_lists(dir, v, n) == 1;
}

/* Its directory; dir >= 0: the spare one gets the name. */
static int
begin(const char *name, int dir)
{
	if (dir >= 0) {
		if (!is_spare(dir) || renameat(top, SPARE, top, name) < 0)
			err(1, "%s", name);
		return dir;
	}
	if (mkdirat(top, name, 0700) < 0 ||
	    (dir = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		err(1, "%s", name);
	return dir;
}

static void
empty(int dir, size_t i)
{
	if (!compat_lock_out_openers(open_file[i]) ||
	    ftruncate(open_file[i], 0) < 0 ||
	    !compat_let_in_openers(open_file[i]))
		err(1, "%s", files[i]);
	if (!compat_is_tmpfs(top)) /* see workdir.c */
		close(openat(dir, files[i], O_RDONLY | O_CLOEXEC));
}

static void
end(const char *name, int dir, enum how how)
{
	for (size_t i = 0; i < FILES; i++)
		if (how == EMPTIED)
			empty(dir, i);
		else
			unlinkat(dir, files[i], 0);
	unlinkat(dir, "RESULTS", 0);
	if (how == FRESH
		? unlinkat(top, name, AT_REMOVEDIR) < 0
		: !is_spare(dir) || renameat(top, name, top, SPARE) < 0)
		err(1, "%s", name);
	if (how == FRESH)
		close(dir);
}

static void
messages(long n, enum how how)
{
	static const char *const labels[] = { "fresh", "reused", "emptied" };
	const char *label = labels[how];
	int spare = how == FRESH ? -1 : begin(SPARE, -1);
	double wall = clock_us(CLOCK_MONOTONIC);
	double cpu = clock_us(CLOCK_PROCESS_CPUTIME_ID), worker = 0;
	char name[40];

	for (long i = 0; i < n; i++) {
		double before;
		int dir;

		snprintf(name, sizeof(name), "message-%013ld", i);
		dir = begin(name, spare);
		for (size_t j = 0; j < FILES; j++)
			append(dir, files[j], size_of[j],
			    how == EMPTIED ? &open_file[j] : NULL);
		before = clock_us(CLOCK_PROCESS_CPUTIME_ID);
		append(dir, "RESULTS", 2, NULL);
		worker += clock_us(CLOCK_PROCESS_CPUTIME_ID) - before;
		read_results(dir);
		end(name, dir, how);
	}
	cpu = clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu - worker;
	wall = clock_us(CLOCK_MONOTONIC) - wall;
	printf("\"%s_cpu_us\":%.1f,\"%s_wall_us\":%.1f", label, cpu / (double)n,
	    label, wall / (double)n);
	if (how != FRESH && fdio_remove_tree(top, SPARE) < 0)
		errx(1, SPARE);
}

int
main(int argc, char **argv)
{
	long n = argc == 3 ? atol(argv[2]) : 0;

	if (n <= 0)
		errx(2, "usage: file_work DIRECTORY MESSAGES");
	if ((top = fdio_open_dir(argv[1])) < 0)
		errx(1, "%s: %s", argv[1], strerror(-top));
	memset(octets, 'x', sizeof(octets));
	signal(SIGIO, SIG_IGN); /* compat_lock_out_openers */
	for (enum how how = FRESH; how <= EMPTIED; how++) {
		putchar(how == FRESH ? '{' : ',');
		messages(n, how);
	}
	puts("}");
	return 0;
}
