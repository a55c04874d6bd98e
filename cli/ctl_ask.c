/* SPDX-License-Identifier: MIT */
/*
 * ctl_ask: one request to a multiplexor and its answer (ctl_ask.h).
 */
#include "cli/ctl_ask.h"
#include "core/base/fdio.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define READ_SIZE 65536

int
ctl_addr(const char *spec, struct sockspec *addr, char *err, size_t errlen)
{
	struct sockaddr_in *in = &addr->addr.in;
	struct sockaddr_in6 *in6 = &addr->addr.in6;

	if (sockspec_parse(addr, spec, err, errlen) < 0)
		return -1;
	/* one that listens everywhere is here too */
	if (in->sin_family == AF_INET && in->sin_addr.s_addr == INADDR_ANY)
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (in6->sin6_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
		in6->sin6_addr = in6addr_loopback;
	return 0;
}

void
ctl_ask_begin(
    struct ctl_ask *a, const struct sockspec *addr, const char *line, size_t n)
{
	*a = (struct ctl_ask){ .addr = addr, .fd = -1 };
	buf_init(&a->line, 0);
	buf_init(&a->answer, CTL_ANSWER_MAX + READ_SIZE);
	buf_add(&a->line, line, n);
}

static void
hang_up(struct ctl_ask *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

void
ctl_ask_end(struct ctl_ask *a)
{
	hang_up(a);
	buf_fini(&a->line);
	buf_fini(&a->answer);
}

static int
dial(struct ctl_ask *a)
{
	int err;

	a->fd = socket(a->addr->addr.sa.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd < 0)
		return -errno;
	if (connect(a->fd, &a->addr->addr.sa, a->addr->len) == 0) {
		a->step = CTL_ASK_SEND;
		return 1;
	}
	err = errno;
	if (err == EINPROGRESS) {
		a->step = CTL_ASK_CONNECTING;
		return 0;
	}
	hang_up(a);
	/* only of a UNIX socket: too many are waiting there already */
	return err == EAGAIN ? 0 : -err;
}

static int
connected(struct ctl_ask *a)
{
	struct pollfd p = { .fd = a->fd, .events = POLLOUT };
	int err = 0;
	socklen_t len = sizeof(err);

	if (poll(&p, 1, 0) == 0)
		return 0;
	if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return -errno;
	if (err)
		return -err;
	a->step = CTL_ASK_SEND;
	return 1;
}

static int
send_some(struct ctl_ask *a)
{
	ssize_t n =
	    send(a->fd, buf_data(&a->line), buf_len(&a->line), MSG_NOSIGNAL);

	if (n >= 0)
		buf_take(&a->line, (size_t)n);
	else if (errno == EPIPE)
		buf_take(&a->line, buf_len(&a->line)); /* it may say why */
	else
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (buf_len(&a->line) == 0)
		a->step = CTL_ASK_READ;
	return 1;
}

/* 2: the end. */
static int
read_some(struct ctl_ask *a)
{
	char *p = buf_space(&a->answer, READ_SIZE);
	ssize_t n;

	if (!p)
		return buf_len(&a->answer) > CTL_ANSWER_MAX ? -EMSGSIZE
							    : -ENOMEM;
	n = read(a->fd, p, READ_SIZE);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	buf_added(&a->answer, (size_t)n);
	if (buf_len(&a->answer) > CTL_ANSWER_MAX)
		return -EMSGSIZE;
	return n == 0 ? 2 : 1;
}

int
ctl_ask_step(struct ctl_ask *a)
{
	static int (*const steps[])(struct ctl_ask *) = {
		[CTL_ASK_CONNECT] = dial,
		[CTL_ASK_CONNECTING] = connected,
		[CTL_ASK_SEND] = send_some,
		[CTL_ASK_READ] = read_some,
	};
	int rc = a->line.failed ? -ENOMEM : 1;

	while (rc == 1)
		rc = steps[a->step](a);
	if (rc == 2 || rc < 0)
		hang_up(a);
	return rc == 2 ? 1 : rc;
}

short
ctl_ask_events(const struct ctl_ask *a)
{
	return a->step == CTL_ASK_READ ? POLLIN : POLLOUT;
}

int
ctl_ask_wait(struct ctl_ask *a, msec until)
{
	int rc;

	while ((rc = ctl_ask_step(a)) == 0) {
		struct pollfd p = { .fd = a->fd, .events = ctl_ask_events(a) };
		msec now = clock_mono_ms(), left = until - now;

		if (now >= until)
			return -ETIMEDOUT;
		if (a->fd < 0 && left > CTL_ASK_RETRY_MS)
			left = CTL_ASK_RETRY_MS;
		poll(&p, a->fd >= 0, left > 60000 ? 60000 : (int)left);
	}
	return rc;
}
