/* SPDX-License-Identifier: MIT */
/*
 * muxclient_ev: a request is connected and written inside `ask`, as the kernel
 * takes both at once; the loop comes back when there is something to read.  What
 * goes wrong in `ask` is kept and told from the loop.
 */
#include "muxclient_ev.h"

#include "core/base/buf.h"
#include "core/base/fdio.h"
#include "core/base/id.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BUSY_RETRY_MS 20 /* when the backlog of the socket is full */
#define IDLE_MAX      16 /* requests kept for use again */
#define READ_BYTES    2048

struct request {
	TAILQ_ENTRY(request) link;
	struct muxclient *client;
	struct event *ev;
	uint64_t ticket;
	int fd;             /* -1: not connected (yet) */
	const char *failed; /* what did not work, or NULL */
	int error;          /* errno of that */
	msec deadline;
	struct buf line, answer; /* what is left to write; read so far */
	ask_done_fn *done;
	void *arg;
};
TAILQ_HEAD(request_list, request);

struct muxclient {
	struct event_base *base;
	const char *path;
	msec wait_ms;
	struct id_table ids;
	struct request_list open, idle;
	unsigned n_idle;
};

static void on_event(evutil_socket_t fd, short what, void *arg);

static void
destroy(struct request *r)
{
	event_free(r->ev);
	buf_fini(&r->line);
	buf_fini(&r->answer);
	free(r);
}

static struct request *
take(struct muxclient *c)
{
	struct request *r = TAILQ_FIRST(&c->idle);

	if (r) {
		TAILQ_REMOVE(&c->idle, r, link);
		c->n_idle--;
		return r;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->ev = event_new(c->base, -1, 0, on_event, r);
	if (!r->ev) {
		free(r);
		return NULL;
	}
	r->client = c;
	r->fd = -1;
	return r;
}

/* Closes the connection and forgets the request. */
static void
give_back(struct request *r)
{
	struct muxclient *c = r->client;

	event_del(r->ev);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	buf_reset(&r->line);
	buf_reset(&r->answer);
	id_drop(&c->ids, r->ticket);
	TAILQ_REMOVE(&c->open, r, link);
	if (c->n_idle == IDLE_MAX) {
		destroy(r);
		return;
	}
	TAILQ_INSERT_HEAD(&c->idle, r, link);
	c->n_idle++;
}

/* Comes back for `what`, or after in_ms; 0 ms is "from the loop". */
static void
wait_for(struct request *r, short what, msec in_ms)
{
	struct timeval tv = { (time_t)(in_ms / 1000),
		(suseconds_t)(in_ms % 1000 * 1000) };

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
left(const struct request *r)
{
	msec now = clock_mono_ms();

	return now < r->deadline ? r->deadline - now : 0;
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

static void
end_with_error(struct request *r)
{
	ask_done_fn *done = r->done;
	void *arg = r->arg;
	char text[200];

	snprintf(text, sizeof(text), "%s: %s: Is multiplexor running?",
	    r->failed, strerror(r->error));
	give_back(r);
	done(arg, NULL, 0, text);
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
	give_back(r);
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
	if (r->failed)
		end_with_error(r);
	else if (what & EV_READ)
		read_answer(r);
	else if ((what & EV_TIMEOUT) && left(r) == 0)
		fail(r, buf_len(&r->line) ? "write" : "read", ETIMEDOUT);
	else
		advance(r);
}

static uint64_t
client_ask(void *self, const char *line, size_t n, ask_done_fn *done, void *arg)
{
	struct muxclient *c = self;
	struct request *r = take(c);

	if (!r)
		return 0;
	TAILQ_INSERT_TAIL(&c->open, r, link);
	r->done = done;
	r->arg = arg;
	r->failed = NULL;
	r->deadline = clock_mono_ms() + c->wait_ms;
	r->ticket = id_new(&c->ids, r);
	buf_add(&r->line, line, n);
	buf_addc(&r->line, '\n');
	if (!r->ticket || r->line.failed) {
		give_back(r);
		return 0;
	}
	advance(r);
	return r->ticket;
}

static void
client_cancel(void *self, uint64_t ticket)
{
	struct muxclient *c = self;
	struct request *r = id_get(&c->ids, ticket);

	if (r)
		give_back(r);
}

int
muxclient_new(struct muxclient **out, struct event_base *base, const char *path,
    char *err, size_t errlen)
{
	struct muxclient *c;

	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		snprintf(err, errlen,
		    "The multiplexor's socket %s has too long a name", path);
		return -1;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		snprintf(err, errlen, "Out of memory");
		return -1;
	}
	c->base = base;
	c->path = path;
	c->wait_ms = MUXCLIENT_WAIT_MS;
	id_init(&c->ids);
	TAILQ_INIT(&c->open);
	TAILQ_INIT(&c->idle);
	*out = c;
	return 0;
}

void
muxclient_set_wait(struct muxclient *c, msec longest)
{
	c->wait_ms = longest;
}

struct asker
muxclient_asker(struct muxclient *c)
{
	return (struct asker){ c, client_ask, client_cancel };
}

void
muxclient_free(struct muxclient *c)
{
	struct request *r;

	if (!c)
		return;
	while ((r = TAILQ_FIRST(&c->open)))
		give_back(r);
	while ((r = TAILQ_FIRST(&c->idle))) {
		TAILQ_REMOVE(&c->idle, r, link);
		destroy(r);
	}
	id_fini(&c->ids);
	free(c);
}
