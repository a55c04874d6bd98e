/* SPDX-License-Identifier: MIT */
/*
 * listen_fd: listening sockets that somebody else opened for us.
 *
 * The environment is read, never changed: who execs another program clears it
 * there.  On error no descriptor has been closed.
 */
#include "server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FIRST_FD = 3 /* behind standard error, by convention */
};

bool
mlt_listen_adopt(int fd)
{
	int is = 0, type = 0, flags;
	socklen_t is_len = sizeof(is), type_len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is, &is_len) < 0 ||
	    !is || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0 ||
	    type != SOCK_STREAM)
		return false;
	flags = fcntl(fd, F_GETFL);
	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	       fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* A decimal number and nothing else; -1 if not. */
static long
number(const char *s)
{
	char *end;
	long v;

	if (!s || *s < '0' || *s > '9')
		return -1;
	v = strtol(s, &end, 10);
	return *end ? -1 : v;
}

/* The next name off the front of *list; {NULL, 0} when there is none. */
static struct mlt_bytes
next_name(const char **list)
{
	struct mlt_bytes name = { *list, *list ? strcspn(*list, ":") : 0 };

	if (*list)
		*list = (*list)[name.n] ? *list + name.n + 1 : NULL;
	return name.n ? name : (struct mlt_bytes){ NULL, 0 };
}

int
mlt_listen_inherited(
    struct mlt_listen_fd *v, size_t n, char *err, size_t errlen)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	long count = number(fds);

	if (!fds || number(pid) != (long)getpid())
		return 0; /* meant for another process, or for none */
	if (count < 0) {
		snprintf(err, errlen, "LISTEN_FDS=%s is no number", fds);
		return -1;
	}
	if ((unsigned long)count > n) {
		snprintf(err, errlen,
		    "%ld sockets were handed over: at most %zu are wanted",
		    count, n);
		return -1;
	}
	for (int i = 0; i < (int)count; i++) {
		int fd = FIRST_FD + i;

		if (!mlt_listen_adopt(fd)) {
			snprintf(err, errlen,
			    "descriptor %d, handed over by LISTEN_FDS, is not "
			    "a listening stream socket",
			    fd);
			return -1;
		}
		v[i] = (struct mlt_listen_fd){ fd, next_name(&names) };
	}
	return (int)count;
}
