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
#include "core/base/fdio.h"
#include "core/frontend/workdir.h"

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

static const struct {
	const char *name;
	size_t size;
} files[] = { { "INPUTMSG", 10800 }, { "HEADERS", 600 }, { "COMMANDS", 500 } };
#define FILES (sizeof(files) / sizeof(files[0]))

enum how {
	FRESH,
	REUSED,
	EMPTIED
};

static int top;          /* the spool */
static struct workdir w; /* of the message */
static char octets[10800];

static double
clock_us(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) < 0)
		err(1, "clock");
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* keep: it stays open. */
static void
append(const char *name, size_t n, bool keep)
{
	int i = keep ? workdir_index(name) : -1;
	int fd = i < 0 ? -1 : workdir_use(&w, i);

	if (fd < 0)
		fd = openat(w.fd, name,
		    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0 || fdio_write_all(fd, octets, n) < 0)
		err(1, "%s", name);
	if (i >= 0)
		w.file[i] = fd;
	else
		close(fd);
}

static void
read_results(void)
{
	int fd = openat(w.fd, "RESULTS", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	char in[100];

	if (fd < 0 || fstat(fd, &st) < 0 || read(fd, in, sizeof(in)) != 2)
		err(1, "RESULTS");
	close(fd);
}

/* The spare directory gets the name, or a new one is made. */
static void
begin(const char *name)
{
	if (w.fd >= 0) {
		if (!workdir_is_as_made(&w, true) ||
		    renameat(top, SPARE, top, name) < 0)
			err(1, "%s", name);
		return;
	}
	if (mkdirat(top, name, 0700) < 0 ||
	    (w.fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		err(1, "%s", name);
	workdir_look(&w);
}

static void
end(const char *name, enum how how)
{
	unlinkat(w.fd, "RESULTS", 0);
	if (how != EMPTIED)
		workdir_remove_files(&w);
	if (how == FRESH) {
		if (unlinkat(top, name, AT_REMOVEDIR) < 0)
			err(1, "%s", name);
		workdir_close(&w);
	} else if (!workdir_is_as_made(&w, false) || !workdir_empty_files(&w) ||
		   renameat(top, name, top, SPARE) < 0) {
		err(1, "%s", name);
	}
}

static void
messages(long n, enum how how)
{
	static const char *const labels[] = { "fresh", "reused", "emptied" };
	const char *label = labels[how];
	double wall, cpu, worker = 0;
	char name[40];

	workdir_init(&w);
	if (how != FRESH)
		begin(SPARE);
	wall = clock_us(CLOCK_MONOTONIC);
	cpu = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	for (long i = 0; i < n; i++) {
		double before;

		snprintf(name, sizeof(name), "message-%013ld", i);
		begin(name);
		for (size_t j = 0; j < FILES; j++)
			append(files[j].name, files[j].size, how == EMPTIED);
		before = clock_us(CLOCK_PROCESS_CPUTIME_ID);
		append("RESULTS", 2, false);
		worker += clock_us(CLOCK_PROCESS_CPUTIME_ID) - before;
		read_results();
		end(name, how);
	}
	cpu = clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu - worker;
	wall = clock_us(CLOCK_MONOTONIC) - wall;
	printf("\"%s_cpu_us\":%.1f,\"%s_wall_us\":%.1f", label, cpu / (double)n,
	    label, wall / (double)n);
	if (how != FRESH && fdio_remove_tree(top, SPARE) < 0)
		errx(1, SPARE);
	workdir_close(&w);
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
