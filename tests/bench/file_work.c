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
 * directory each (fresh), and with one that is emptied and renamed (reused).
 */
#include "core/base/fdio.h"

#include <err.h>
#include <fcntl.h>
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

static void
append(int dir, const char *name, size_t n)
{
	int fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || fdio_write_all(fd, octets, n) < 0 || close(fd) < 0)
		err(1, "%s", name);
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

/* Its directory; dir >= 0: the spare one gets the name. */
static int
begin(const char *name, int dir)
{
	if (dir >= 0) {
		if (fdio_dir_is_empty(dir) != 1 ||
		    renameat(top, SPARE, top, name) < 0)
			err(1, "%s", name);
		return dir;
	}
	if (mkdirat(top, name, 0700) < 0 ||
	    (dir = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		err(1, "%s", name);
	return dir;
}

static void
end(const char *name, int dir, bool reuse)
{
	for (size_t i = 0; i < FILES; i++)
		unlinkat(dir, files[i].name, 0);
	unlinkat(dir, "RESULTS", 0);
	if (reuse ? fdio_dir_is_empty(dir) != 1 ||
			renameat(top, name, top, SPARE) < 0
		  : unlinkat(top, name, AT_REMOVEDIR) < 0)
		err(1, "%s", name);
	if (!reuse)
		close(dir);
}

static void
messages(long n, bool reuse)
{
	const char *label = reuse ? "reused" : "fresh";
	int spare = reuse ? begin(SPARE, -1) : -1;
	double wall = clock_us(CLOCK_MONOTONIC);
	double cpu = clock_us(CLOCK_PROCESS_CPUTIME_ID), worker = 0;
	char name[40];

	for (long i = 0; i < n; i++) {
		double before;
		int dir;

		snprintf(name, sizeof(name), "message-%013ld", i);
		dir = begin(name, spare);
		for (size_t j = 0; j < FILES; j++)
			append(dir, files[j].name, files[j].size);
		before = clock_us(CLOCK_PROCESS_CPUTIME_ID);
		append(dir, "RESULTS", 2);
		worker += clock_us(CLOCK_PROCESS_CPUTIME_ID) - before;
		read_results(dir);
		end(name, dir, reuse);
	}
	cpu = clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu - worker;
	wall = clock_us(CLOCK_MONOTONIC) - wall;
	printf("\"%s_cpu_us\":%.1f,\"%s_wall_us\":%.1f", label, cpu / (double)n,
	    label, wall / (double)n);
	if (reuse && unlinkat(top, SPARE, AT_REMOVEDIR) < 0)
		err(1, SPARE);
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
	putchar('{');
	messages(n, false);
	putchar(',');
	messages(n, true);
	puts("}");
	return 0;
}
