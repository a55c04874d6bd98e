/* SPDX-License-Identifier: MIT */
/*
 * instant_worker: a worker program that answers at once, so that a measurement
 * is of the daemons.  Every check continues; a scan finds nothing: RESULTS has
 * an F line only.  A client named "hold" is answered when nobody has a lock on
 * the file of that name in the spool.  Takes and ignores the options of a
 * worker.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void
scan(const char *dir)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/RESULTS", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0 || write(fd, "F\n", 2) != 2)
		err(1, "%s", path);
	close(fd);
}

static void
hold(void)
{
	int fd = open("hold", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_SH) < 0)
		err(1, "hold");
	close(fd);
}

static void
answer(const char *text)
{
	size_t n = strlen(text);

	if (write(STDOUT_FILENO, text, n) != (ssize_t)n)
		err(1, "stdout");
}

int
main(void)
{
	char line[8192], dir[4096];

	while (fgets(line, sizeof(line), stdin)) {
		if (strncmp(line, "relayok 127.0.0.1 hold ", 23) == 0)
			hold();
		if (strncmp(line, "scan ", 5) != 0) {
			answer("ok 1\n");
		} else if (sscanf(line, "scan %*s %4095s", dir) == 1) {
			scan(dir);
			answer("ok\n");
		} else {
			answer("error: no directory\n");
		}
	}
	return 0;
}
