/* SPDX-License-Identifier: MIT */
/*
 * link: one connection to a peer (link.h).
 */
#include "cli/check/link.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <milterproto_server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE 65536

msec
link_left(msec start_ms, msec wait_ms)
{
	msec now = clock_mono_ms();

	return now - start_ms < wait_ms ? start_ms + wait_ms - now : 0;
}

static uint64_t
elapsed(const struct link *l)
{
	return clock_mono_us() - l->start_us;
}

void
link_adopt(struct link *l, int fd, bool to_filter, struct transcript *t,
    unsigned number)
{
	int on = 1;

	*l = (struct link){ .fd = fd,
		.number = number,
		.to_filter = to_filter,
		.start_us = clock_mono_us(),
		.transcript = t };
	buf_init(&l->in, 4 + LINK_FRAME_MAX + READ_SIZE);
	fdio_set_nonblock(fd, true);
	/* fails on a unix socket: nothing is held back there */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int
link_open(struct link *l, const char *spec, msec wait_ms, struct transcript *t,
    unsigned number, char *err, size_t errlen)
{
	int fd = mlt_connect_open(
	    spec, wait_ms < INT32_MAX ? (int)wait_ms : INT32_MAX, err, errlen);

	if (fd < 0) {
		*l = (struct link){ .fd = -1, .closed = true };
		return -1;
	}
	link_adopt(l, fd, true, t, number);
	transcript_note(t, number, 0, "connected");
	return 0;
}

void
link_close(struct link *l)
{
	if (l->fd < 0)
		return;
	transcript_note(l->transcript, l->number, elapsed(l), "closed by us");
	close(l->fd);
	l->fd = -1;
	buf_fini(&l->in);
}

void
link_reset(struct link *l)
{
	const struct linger at_once = { .l_onoff = 1 };

	if (l->fd < 0)
		return;
	setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	link_close(l);
}

void
link_half_close(struct link *l)
{
	transcript_note(l->transcript, l->number, elapsed(l),
	    "we write no more (shutdown)");
	shutdown(l->fd, SHUT_WR);
}

/* 0 when it is so, else -ETIMEDOUT. */
static int
wait_until(const struct link *l, short what, msec wait_ms)
{
	struct pollfd pfd = { .fd = l->fd, .events = what };
	msec start = clock_mono_ms();

	for (;;) {
		msec left = link_left(start, wait_ms);
		int rc =
		    poll(&pfd, 1, left < INT32_MAX ? (int)left : INT32_MAX);

		if (rc > 0)
			return 0;
		if (rc == 0 && left <= INT32_MAX)
			return -ETIMEDOUT;
	}
}

static int
write_all(struct link *l, const char *p, size_t n, msec wait_ms)
{
	msec start = clock_mono_ms();

	while (n > 0) {
		ssize_t rc = send(l->fd, p, n, MSG_NOSIGNAL);

		if (rc > 0) {
			p += rc;
			n -= (size_t)rc;
		} else if (rc < 0 && errno == EAGAIN) {
			if (wait_until(l, POLLOUT, link_left(start, wait_ms)) <
			    0)
				return -ETIMEDOUT;
		} else if (rc < 0 && errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int
link_write(struct link *l, const void *p, size_t n, msec wait_ms)
{
	int rc;

	if (l->fd < 0)
		return -EPIPE;
	transcript_add(l->transcript, TRANSCRIPT_SAID, l->number, elapsed(l),
	    !l->to_filter, p, n);
	rc = write_all(l, p, n, wait_ms);
	if (rc < 0)
		transcript_note(l->transcript, l->number, elapsed(l),
		    "not written: %s", strerror(-rc));
	return rc;
}

int
link_write_slowly(struct link *l, const void *p, size_t n, size_t piece,
    unsigned pause_us, msec wait_ms)
{
	const struct timespec pause = { .tv_sec = pause_us / 1000000,
		.tv_nsec = (long)(pause_us % 1000000) * 1000 };
	const char *o = p;
	int rc = 0;

	if (l->fd < 0)
		return -EPIPE;
	transcript_add(l->transcript, TRANSCRIPT_SAID, l->number, elapsed(l),
	    !l->to_filter, p, n);
	for (size_t i = 0; i < n && rc == 0; i += piece) {
		if (i > 0)
			nanosleep(&pause, NULL);
		rc =
		    write_all(l, o + i, n - i < piece ? n - i : piece, wait_ms);
	}
	if (rc < 0)
		transcript_note(l->transcript, l->number, elapsed(l),
		    "not written: %s", strerror(-rc));
	return rc;
}

int
link_say(
    struct link *l, uint8_t octet, const void *payload, size_t n, msec wait_ms)
{
	uint32_t len = htonl((uint32_t)n + 1);
	struct buf frame;
	int rc;

	buf_init(&frame, 0);
	buf_add(&frame, &len, 4);
	buf_addc(&frame, (char)octet);
	buf_add(&frame, payload, n);
	rc = frame.failed
		 ? -ENOMEM
		 : link_write(l, buf_data(&frame), buf_len(&frame), wait_ms);
	buf_fini(&frame);
	return rc;
}

/* Octets of the frame at the front with its length; 0: not all are there. */
static size_t
frame_there(const struct link *l)
{
	uint32_t len;

	if (buf_len(&l->in) < 4)
		return 0;
	memcpy(&len, buf_data(&l->in), 4);
	len = ntohl(len);
	return buf_len(&l->in) - 4 < len ? 0 : 4 + (size_t)len;
}

/* The length at the front is one that no frame has. */
static bool
bad_length(const struct link *l)
{
	uint32_t len;

	if (buf_len(&l->in) < 4)
		return false;
	memcpy(&len, buf_data(&l->in), 4);
	len = ntohl(len);
	return len == 0 || len - 1 > LINK_FRAME_MAX;
}

static void
heard(struct link *l, size_t n)
{
	transcript_add(l->transcript, TRANSCRIPT_HEARD, l->number, elapsed(l),
	    l->to_filter, buf_data(&l->in), n);
}

/* What is there is no frame and will not become one. */
static enum link_got
give_up(struct link *l, const char *why)
{
	heard(l, buf_len(&l->in));
	transcript_note(l->transcript, l->number, elapsed(l), "%s", why);
	l->broken = true;
	return LINK_BROKEN;
}

/* Reads once.  1: something came; 0: the peer closed. */
static int
read_some(struct link *l)
{
	char *room = buf_space(&l->in, READ_SIZE);
	ssize_t n = room ? recv(l->fd, room, READ_SIZE, 0) : 0;

	if (n > 0) {
		buf_added(&l->in, (size_t)n);
		return 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	transcript_note(l->transcript, l->number, elapsed(l),
	    "closed by the %s%s", l->to_filter ? "filter" : "MTA",
	    n < 0 ? " (reset)" : "");
	l->closed = true;
	return 0;
}

enum link_got
link_read(struct link *l, struct link_frame *f, msec wait_ms)
{
	msec start = clock_mono_ms();
	size_t n;

	if (l->fd < 0)
		return LINK_CLOSED;
	if (l->broken)
		return LINK_BROKEN;
	buf_take(&l->in, l->lent);
	l->lent = 0;
	while (!(n = frame_there(l)) || bad_length(l)) {
		if (bad_length(l))
			return give_up(l, "this is no length of a frame");
		if (l->closed && buf_len(&l->in))
			return give_up(l, "the frame is cut off");
		if (l->closed)
			return LINK_CLOSED;
		if (wait_until(l, POLLIN, link_left(start, wait_ms)) < 0)
			return LINK_NOTHING;
		read_some(l);
	}
	heard(l, n);
	f->payload = (const uint8_t *)buf_data(&l->in) + 5;
	f->octet = f->payload[-1];
	f->n = n - 5;
	l->lent = n;
	return LINK_FRAME;
}

enum link_got
link_read_end(struct link *l, msec wait_ms)
{
	msec start = clock_mono_ms();

	while (l->fd >= 0 && !l->closed) {
		if (wait_until(l, POLLIN, link_left(start, wait_ms)) < 0)
			return LINK_NOTHING;
		if (buf_len(&l->in) > READ_SIZE)
			buf_take(&l->in, buf_len(&l->in));
		read_some(l);
	}
	return LINK_CLOSED;
}
