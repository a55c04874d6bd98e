/* SPDX-License-Identifier: MIT */
#include "sdnotify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static void
set_address(struct sdnotify *n, const char *name)
{
	size_t len = strlen(name);

	if (len < 2 || len >= sizeof(n->to.sun_path) || !strchr("/@", *name))
		return;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, name, len);
	if (*name == '@') /* Linux: a name that is in no file system */
		n->to.sun_path[0] = '\0';
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* A positive decimal number and nothing else; 0 if not. */
static uint64_t
number(const char *s)
{
	char *end;
	uintmax_t v;

	if (!s || *s < '0' || *s > '9')
		return 0;
	errno = 0;
	v = strtoumax(s, &end, 10);
	return *end || errno || v > UINT64_MAX ? 0 : (uint64_t)v;
}

void
sdnotify_open(struct sdnotify *n)
{
	const char *name = getenv("NOTIFY_SOCKET");
	const char *pid = getenv("WATCHDOG_PID");

	*n = (struct sdnotify){ .to_len = 0 };
	if (name)
		set_address(n, name);
	/* meant for another process: whoever started us */
	if (n->to_len && (!pid || number(pid) == (uint64_t)getpid()))
		n->watchdog_us = number(getenv("WATCHDOG_USEC"));
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void
send_state(const struct sdnotify *n, const char *state, int flags)
{
	static const struct timeval limit = { .tv_sec = 1 };
	int fd;

	if (!n->to_len)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	while (sendto(fd, state, strlen(state), MSG_NOSIGNAL | flags,
		   (const struct sockaddr *)&n->to, n->to_len) < 0 &&
	       errno == EINTR)
		;
	close(fd);
}

void
sdnotify_send(const struct sdnotify *n, const char *state)
{
	send_state(n, state, 0);
}

void
sdnotify_watchdog(const struct sdnotify *n)
{
	send_state(n, "WATCHDOG=1", MSG_DONTWAIT);
}

void
sdnotify_status(const struct sdnotify *n, const char *fmt, ...)
{
	char text[256] = "STATUS=";
	const size_t at = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + at, sizeof(text) - at, fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	sdnotify_send(n, text);
}

void
sdnotify_reloading(const struct sdnotify *n, uint64_t mono_us)
{
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
	    mono_us);
	sdnotify_send(n, text);
}
