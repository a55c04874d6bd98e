/* SPDX-License-Identifier: MIT */
#include "tests/support/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void
read_back(FILE *f, char *p, size_t n)
{
	rewind(f);
	p[fread(p, 1, n - 1, f)] = '\0';
	fclose(f);
}

int
capture_run(int (*fn)(void *arg), void *arg, char *out, size_t outlen,
    char *err, size_t errlen)
{
	FILE *o = tmpfile(), *e = tmpfile();
	int status = 0;

	if (!o || !e)
		abort();
	fflush(stdout);
	fflush(stderr);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fileno(o), 1);
		dup2(fileno(e), 2);
		int rc = fn(arg);
		fflush(stdout);
		fflush(stderr);
		_exit(rc);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	read_back(o, out, outlen);
	read_back(e, err, errlen);
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 1000 + WTERMSIG(status);
}
