/* SPDX-License-Identifier: MIT */
#include "run.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXEC_FAILED 127 /* as a shell says it */

__attribute__((noreturn)) static void
child(const char *const *argv, int out)
{
	int null = open("/dev/null", O_RDONLY);

	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	if (null > 0)
		dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	close_range(3, UINT_MAX, 0);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(EXEC_FAILED);
}

/* Until the end of what it says; false: the time is over first. */
static bool
read_all(int fd, msec end, struct buf *said)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		msec now = clock_mono_ms();
		char some[4096];
		ssize_t n;
		int rc = 0;

		if (now < end)
			rc = poll(&p, 1,
			    end - now > INT_MAX ? INT_MAX : (int)(end - now));
		if (rc < 0 && errno == EINTR)
			continue;
		if (rc <= 0)
			return false;
		n = read(fd, some, sizeof(some));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return true;
		if (buf_len(said) + (size_t)n <= RUN_SAID_MAX)
			buf_add(said, some, (size_t)n);
	}
}

int
run_program(const char *const *argv, msec limit, struct buf *said)
{
	int fds[2], status, rc = fdio_pipe(fds);
	bool ended;
	pid_t pid;

	if (rc < 0)
		return rc;
	pid = fork();
	if (pid == 0)
		child(argv, fds[1]);
	rc = pid < 0 ? -errno : 0;
	if (pid > 0)
		setpgid(pid, pid); /* whoever of the two comes first */
	close(fds[1]);
	if (rc == 0) {
		ended = read_all(fds[0], clock_mono_ms() + limit, said);
		if (!ended)
			kill(-pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		rc = ended ? status : -ETIMEDOUT;
	}
	close(fds[0]);
	return rc;
}
