/* SPDX-License-Identifier: MIT */
#include "cli/md_probe.h"

#include "core/base/clock.h"
#include "core/base/fdio.h"
#include "core/base/muxproto.h"
#include "core/base/run.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUX_WAIT_MS     5000
#define FILTER_WAIT_MS  60000
#define CONNECT_WAIT_MS 5000

long
probe_multiplexor(const char *path, const char **why)
{
	msec end = clock_mono_ms() + MUX_WAIT_MS, now;
	int fd = fdio_unix_connect(path, true);
	long rc = -1;
	char text[64];
	size_t n = 0;

	*why = fd < 0 ? strerror(-fd) : "no answer";
	if (fd < 0 || fdio_write_all(fd, "free\n", 5) < 0)
		goto out;
	while (n < sizeof(text) - 1 && (now = clock_mono_ms()) < end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (poll(&p, 1, (int)(end - now)) <= 0)
			continue;
		got = read(fd, text + n, sizeof(text) - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	if (n > 0) {
		rc = mux_parse_free(text, n);
		*why = "its answer is no number";
	}
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

int
probe_filter(const struct mux_opts *mo, const char *word, struct buf *said,
    char *err, size_t errlen)
{
	const char *argv[5] = { mo->worker }, *why;
	int n = 1, status;

	if (mo->filter) {
		argv[n++] = "-f";
		argv[n++] = mo->filter;
	}
	argv[n] = word;
	status = run_program(argv, FILTER_WAIT_MS, said);
	if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	why = buf_cstr(said);
	if (status == -ETIMEDOUT)
		snprintf(err, errlen,
		    "%s did not load it within %d s; try by hand: %s %s%s %s",
		    mo->worker, FILTER_WAIT_MS / 1000, mo->worker,
		    mo->filter ? "-f " : "", mo->filter ? mo->filter : "",
		    word);
	else
		snprintf(err, errlen, "%s does not load it: %.*s", mo->worker,
		    (int)(why ? strcspn(why, "\n") : 0), why ? why : "");
	return -1;
}

int
probe_unix(const char *path)
{
	int fd = fdio_unix_connect(path, true);

	if (fd < 0) /* a full backlog is a sign of life */
		return fd == -EAGAIN ? 0 : -fd;
	close(fd);
	return 0;
}

/* Of a connection under way: 0 or errno. */
static int
await_connect(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int rc, error = 0;
	socklen_t n = sizeof(error);

	do
		rc = poll(&p, 1, CONNECT_WAIT_MS);
	while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return ETIMEDOUT;
	if (rc < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		return errno;
	return error;
}

int
probe_inet(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai;
	int fd, rc = 0;

	if (getaddrinfo(*host ? host : NULL, port, &hints, &ai) != 0)
		return EHOSTUNREACH;
	fd = socket(
	    ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen) < 0)
		rc = errno;
	if (rc == EINPROGRESS)
		rc = await_connect(fd);
	if (fd >= 0)
		close(fd);
	freeaddrinfo(ai);
	return rc;
}
