/* SPDX-License-Identifier: MIT */
/*
 * muxclient_ev: the requests, and which way they go (muxclient_ev.h).
 */
#include "muxclient_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define IDLE_MAX 64 /* requests kept for use again */

static void
destroy(struct request *r)
{
	once_free(r);
	buf_fini(&r->line);
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
	r->client = c;
	r->fd = -1;
	return r;
}

void
request_put_back(struct request *r)
{
	struct muxclient *c = r->client;

	id_drop(&c->ids, r->ticket);
	if (c->n_idle == IDLE_MAX) {
		destroy(r);
		return;
	}
	buf_reset(&r->line);
	TAILQ_INSERT_HEAD(&c->idle, r, link);
	c->n_idle++;
}

void
request_fail(struct request *r, const char *what, int error)
{
	ask_done_fn *done = r->done;
	void *arg = r->arg;
	char text[200];

	snprintf(
	    text, sizeof(text), "%s: %s: " MUX_RUNNING, what, strerror(error));
	request_put_back(r);
	done(arg, NULL, 0, text);
}

static uint64_t
client_ask(void *self, const char *line, size_t n, ask_done_fn *done, void *arg)
{
	struct muxclient *c = self;
	struct request *r = take(c);
	uint64_t ticket;

	if (!r)
		return 0;
	r->done = done;
	r->arg = arg;
	r->deadline = clock_mono_ms() + c->wait_ms;
	r->ticket = ticket = id_new(&c->ids, r);
	buf_add(&r->line, line, n);
	buf_addc(&r->line, '\n');
	if (!ticket || r->line.failed) {
		request_put_back(r);
		return 0;
	}
	if (!muxlink_ask(c->muxlink, r) && once_ask(r) < 0) {
		request_put_back(r);
		return 0;
	}
	return ticket;
}

static void
client_cancel(void *self, uint64_t ticket)
{
	struct muxclient *c = self;
	struct request *r = id_get(&c->ids, ticket);

	if (!r)
		return;
	if (r->way == WAY_ONCE)
		once_end(r);
	else
		muxlink_cancel(c->muxlink, r);
	request_put_back(r);
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
	c->connect_ms = MUXCLIENT_CONNECT_MS;
	c->wait_ms = MUXCLIENT_WAIT_MS;
	id_init(&c->ids);
	TAILQ_INIT(&c->once);
	TAILQ_INIT(&c->idle);
	if (muxlink_new(&c->muxlink, c) < 0) {
		muxclient_free(c);
		snprintf(err, errlen, "Out of memory");
		return -1;
	}
	*out = c;
	return 0;
}

void
muxclient_set_times(struct muxclient *c, msec connect, msec wait)
{
	c->connect_ms = connect;
	c->wait_ms = wait;
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
	muxlink_free(c->muxlink);
	while ((r = TAILQ_FIRST(&c->once))) {
		once_end(r);
		request_put_back(r);
	}
	while ((r = TAILQ_FIRST(&c->idle))) {
		TAILQ_REMOVE(&c->idle, r, link);
		destroy(r);
	}
	id_fini(&c->ids);
	free(c);
}
