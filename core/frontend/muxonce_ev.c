/* SPDX-License-Identifier: MIT */
/*
 * muxonce_ev: a request on a connection of its own: connect, one line, read
 * until the other side closes (spec:mux-framing).
 *
 * It is connected and written inside `ask`, as the kernel takes both at once;
 * the loop comes back when there is something to read.  What goes wrong in `ask`
 * is kept and told from the loop.
 */
#include "muxclient_int.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUSY_RETRY_MS 20 /* when the backlog of the socket is full */
#define READ_BYTES    2048

static void on_event(evutil_socket_t fd, short what, void *arg);

void
once_end(struct request *r)
{
	if (r->ev)
		event_del(r->ev);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	buf_reset(&r->answer);
	TAILQ_REMOVE(&r->client->once, r, link);
}

void
once_free(struct request *r)
{
	if (r->ev)
		event_free(r->ev);
	buf_fini(&r->answer);
}

/* Comes back for `what`, or after in_ms; 0 ms is "from the loop". */
static void
wait_for(struct request *r, short what, msec in_ms)
{
	struct timeval tv = clock_timeval(in_ms);

	event_assign(r->ev, r->client->base, r->fd, what, on_event, r);
	if (event_add(r->ev, &tv) < 0) {
		r->failed = "event";
		r->error = ENOMEM;
		event_assign(r->ev, r->client->base, -1, 0, on_event, r);
		event_active(r->ev, EV_TIMEOUT, 0);
	}
}

static void
fail(struct request *r, const char *what, int error)
{
	r->failed = what;
	r->error = error;
	wait_for(r, 0, 0);
}

static msec
until(msec at)
{
	msec now = clock_mono_ms();

	return now < at ? at - now : 0;
}

/* The line is taken at once, or within the time of a connection. */
static msec
left(const struct request *r)
{
	msec at = r->deadline;

	if (buf_len(&r->line) && r->connect_until < at)
		at = r->connect_until;
	return until(at);
}

/* Connects if necessary and writes what the socket takes. */
static void
advance(struct request *r)
{
	ssize_t n;

	if (r->fd < 0) {
		r->fd = fdio_unix_connect(r->client->path, true);
		if (r->fd == -EAGAIN && left(r) > BUSY_RETRY_MS) {
			r->fd = -1;
			wait_for(r, 0, BUSY_RETRY_MS);
			return;
		}
		if (r->fd < 0) {
			int error = -r->fd;
			r->fd = -1;
			if (error == ECONNREFUSED || error == ENOENT)
				muxlink_was_away(r->client->muxlink);
			fail(r, "connect", error);
			return;
		}
	}
	n = send(r->fd, buf_data(&r->line), buf_len(&r->line), MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		fail(r, "write", errno);
		return;
	}
	if (n > 0)
		buf_take(&r->line, (size_t)n);
	wait_for(r, buf_len(&r->line) ? EV_WRITE : EV_READ, left(r));
}

/* The answer lives in the request, so that goes back only afterwards; nobody
 * can cancel it any more. */
static void
end_with_answer(struct request *r)
{
	const char *text = buf_cstr(&r->answer);

	if (!text) {
		fail(r, "read", ENOMEM);
		return;
	}
	id_drop(&r->client->ids, r->ticket);
	r->done(r->arg, r->answer.p + r->answer.off, buf_len(&r->answer), NULL);
	once_end(r);
	request_put_back(r);
}

static void
read_answer(struct request *r)
{
	for (;;) {
		char *to = buf_space(&r->answer, READ_BYTES);
		ssize_t n;

		if (!to) {
			fail(r, "read", ENOMEM);
			return;
		}
		n = read(r->fd, to, READ_BYTES);
		if (n == 0) {
			end_with_answer(r);
			return;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			wait_for(r, EV_READ, left(r));
			return;
		}
		if (n < 0) {
			fail(r, "read", errno);
			return;
		}
		buf_added(&r->answer, (size_t)n);
		if (buf_len(&r->answer) > MUXCLIENT_ANSWER_MAX) {
			fail(r, "read", EMSGSIZE);
			return;
		}
	}
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct request *r = arg;

	(void)fd;
	if (r->failed) {
		once_end(r);
		request_fail(r, r->failed, r->error);
	} else if (what & EV_READ) {
		read_answer(r);
	} else if ((what & EV_TIMEOUT) && left(r) == 0) {
		fail(r, buf_len(&r->line) ? "write" : "read", ETIMEDOUT);
	} else {
		advance(r);
	}
}

int
once_ask(struct request *r)
{
	struct muxclient *c = r->client;

	if (!r->ev)
		r->ev = event_new(c->base, -1, 0, on_event, r);
	if (!r->ev)
		return -ENOMEM;
	r->way = WAY_ONCE;
	r->failed = NULL;
	r->connect_until = clock_mono_ms() + c->connect_ms;
	TAILQ_INSERT_TAIL(&c->once, r, link);
	advance(r);
	return 0;
}
