/* SPDX-License-Identifier: MIT */
/*
 * muxlink_ev: the one connection for many requests, if the multiplexor is ours
 * (spec:mux-pipeline).
 *
 * DOWN --a request--> ASKED --greeting--> UP --it ends--> DOWN
 *                       '--anything else--> DOWN, asked again after a minute
 *
 * While it is not UP requests go their own way, so that nobody waits for the
 * greeting.  Requests are sent together at the end of a round of the loop.  When
 * the connection dies, those of which no octet had left are asked again on
 * connections of their own; the others end with an error, because a worker may
 * have seen them.
 */
#include "muxclient_int.h"

#include "core/base/fdio.h"
#include "core/base/log.h"
#include "core/base/muxpipe.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASK_AGAIN_MS  60000 /* whoever is not ours may be replaced by ours */
#define IN_FLIGHT_MAX 4096  /* whatever the multiplexor allows */
#define READ_BYTES    16384
#define LIFE_ID       UINT64_MAX /* no ticket; see ask_for_life */

enum state {
	DOWN,
	ASKED,
	UP
};

struct muxlink {
	struct muxclient *c;
	enum state state;
	int fd;
	struct event *read_ev, *write_ev, *flush_ev, *timer_ev;
	struct buf in, out;
	uint64_t queued, sent; /* octets since it is up */
	struct muxpipe_limits limits;
	struct request_list flight, waiting; /* each in the order of asking */
	unsigned n_flight;
	msec ask_again; /* DOWN: not before */
	msec alive;     /* heard of, or nothing was awaited, until then */
	msec timer_at;  /* MSEC_NEVER: not set */
	bool asked_for_life, flush_active;
};

/* ---- the end of a connection ------------------------------------------------ */

static void
close_link(struct muxlink *k)
{
	event_del(k->read_ev);
	event_del(k->write_ev);
	event_del(k->timer_ev);
	k->timer_at = MSEC_NEVER;
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
	k->state = DOWN;
	buf_reset(&k->in);
	buf_reset(&k->out);
}

static void
go_alone(struct request *r)
{
	int rc = once_ask(r);

	if (rc < 0)
		request_fail(r, "event", -rc);
}

/* May be asked twice: the multiplexor answers it itself. */
static bool
harmless(const struct request *r)
{
	return buf_len(&r->line) == 5 &&
	       memcmp(buf_data(&r->line), "free\n", 5) == 0;
}

/* Whoever had asked asks again, or hears what went wrong.  New requests that
 * come from there go their own way. */
static void
link_end(struct muxlink *k, const char *what, int error)
{
	struct request *r;

	close_link(k);
	while ((r = TAILQ_FIRST(&k->waiting))) {
		TAILQ_REMOVE(&k->waiting, r, link);
		go_alone(r);
	}
	while ((r = TAILQ_FIRST(&k->flight))) {
		TAILQ_REMOVE(&k->flight, r, link);
		k->n_flight--;
		if (r->from >= k->sent || harmless(r))
			go_alone(r);
		else
			request_fail(r, what, error);
	}
}

/* No greeting came: that is nobody's request. */
static void
not_ours(struct muxlink *k)
{
	close_link(k);
	k->ask_again = clock_mono_ms() + ASK_AGAIN_MS;
}

/* ---- time --------------------------------------------------------------------- */

static void
sooner(msec *at, msec other)
{
	if (other < *at)
		*at = other;
}

/* When there is something to do although nothing happens. */
static msec
due(const struct muxlink *k)
{
	msec at = MSEC_NEVER;

	if (k->state == ASKED)
		return k->alive + k->c->connect_ms;
	if (!TAILQ_EMPTY(&k->waiting))
		at = TAILQ_FIRST(&k->waiting)->deadline;
	if (!TAILQ_EMPTY(&k->flight)) {
		sooner(&at, TAILQ_FIRST(&k->flight)->deadline);
		sooner(&at, k->alive + k->c->connect_ms);
	} else if (k->limits.idle_s) { /* sooner than the other side does */
		sooner(&at, k->alive + (msec)k->limits.idle_s * 500);
	}
	return at;
}

/* A timer that runs out too early finds out by itself what is due. */
static void
set_timer(struct muxlink *k)
{
	msec now, at = due(k);
	struct timeval tv;

	if (at >= k->timer_at)
		return;
	now = clock_mono_ms();
	tv = clock_timeval(at > now ? at - now : 1);
	event_add(k->timer_ev, &tv);
	k->timer_at = at;
}

/* ---- sending ------------------------------------------------------------------ */

static void
flush(struct muxlink *k)
{
	struct timeval tv = clock_timeval(k->c->connect_ms);
	ssize_t n;

	n = send(k->fd, buf_data(&k->out), buf_len(&k->out), MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		link_end(k, "write", errno);
		return;
	}
	if (n > 0) {
		buf_take(&k->out, (size_t)n);
		k->sent += (size_t)n;
	}
	if (buf_len(&k->out) && event_add(k->write_ev, &tv) < 0)
		link_end(k, "write", ENOMEM);
}

static void
flush_soon(struct muxlink *k)
{
	if (!k->flush_active && !event_pending(k->write_ev, EV_WRITE, NULL)) {
		k->flush_active = true;
		event_active(k->flush_ev, 0, 0);
	}
}

static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct muxlink *k = arg;

	(void)fd;
	(void)what;
	k->flush_active = false;
	if (k->fd >= 0 && buf_len(&k->out))
		flush(k);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct muxlink *k = arg;

	(void)fd;
	if (what & EV_TIMEOUT)
		link_end(k, "write", ETIMEDOUT);
	else
		flush(k);
}

/* Into the stream.  -1: no memory. */
static int
send_request(struct muxlink *k, struct request *r)
{
	size_t before = buf_len(&k->out);

	if (muxpipe_add_request(&k->out, r->ticket, buf_data(&r->line),
		buf_len(&r->line) - 1) < 0) {
		k->out.failed = false; /* it is as before */
		return -1;
	}
	r->way = WAY_SENT;
	r->from = k->queued;
	k->queued += buf_len(&k->out) - before;
	if (k->n_flight++ == 0)
		k->alive = clock_mono_ms();
	TAILQ_INSERT_TAIL(&k->flight, r, link);
	flush_soon(k);
	return 0;
}

static void
send_note(struct muxlink *k, int (*add)(struct buf *, uint64_t), uint64_t id)
{
	size_t before = buf_len(&k->out);

	if (add(&k->out, id) < 0)
		k->out.failed = false;
	k->queued += buf_len(&k->out) - before;
	flush_soon(k);
}

static int
add_life(struct buf *b, uint64_t id)
{
	return muxpipe_add_request(b, id, "free", 4);
}

/* Those that wait for a place. */
static void
send_waiting(struct muxlink *k)
{
	struct request *r;

	while (k->n_flight < k->limits.in_flight &&
	       (r = TAILQ_FIRST(&k->waiting))) {
		TAILQ_REMOVE(&k->waiting, r, link);
		if (send_request(k, r) < 0)
			go_alone(r);
	}
}

static void
expire(struct muxlink *k, struct request_list *list, msec now)
{
	struct request *r;

	while ((r = TAILQ_FIRST(list)) && r->deadline <= now) {
		muxlink_cancel(k, r);
		request_fail(r, "read", ETIMEDOUT);
	}
}

/* Nothing was heard for a while: perhaps workers are slow.  What the
 * multiplexor answers itself must come; else it hangs. */
static void
ask_for_life(struct muxlink *k, msec now)
{
	if (k->asked_for_life) {
		link_end(k, "read", ETIMEDOUT);
		return;
	}
	k->asked_for_life = true;
	k->alive = now;
	send_note(k, add_life, LIFE_ID);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct muxlink *k = arg;
	msec now = clock_mono_ms();
	bool quiet;

	(void)fd;
	(void)what;
	k->timer_at = MSEC_NEVER;
	quiet = k->alive + k->c->connect_ms <= now;
	if (k->state == ASKED && quiet) {
		not_ours(k);
		return;
	}
	if (k->state == UP) {
		expire(k, &k->flight, now);
		expire(k, &k->waiting, now);
		if (k->n_flight && quiet)
			ask_for_life(k, now);
		else if (!k->n_flight && due(k) <= now)
			close_link(k); /* idle; the next request asks again */
	}
	if (k->state != DOWN) {
		send_waiting(k);
		set_timer(k);
	}
}

/* ---- receiving ---------------------------------------------------------------- */

/* The first answer in `in`, which may be modified; p[n] is put back. */
static void
give_answer(struct muxlink *k, const struct muxpipe_answer *a)
{
	struct request *r = id_get(&k->c->ids, a->id);
	char *p = k->in.p + k->in.off + a->at, behind = p[a->n];
	ask_done_fn *done;
	void *arg;

	if (!r || r->way != WAY_SENT) /* cancelled, or a sign of life */
		return;
	done = r->done;
	arg = r->arg;
	TAILQ_REMOVE(&k->flight, r, link);
	k->n_flight--;
	request_put_back(r);
	if (a->none) {
		done(arg, NULL, 0,
		    "the multiplexor is stopping, or lost the answer");
		return;
	}
	p[a->n] = '\0';
	done(arg, p, a->n, NULL);
	p[a->n] = behind;
}

/* A callback may ask and cancel; neither ends the connection or moves `in`. */
static void
give_answers(struct muxlink *k)
{
	struct muxpipe_answer a;
	int rc;

	while ((rc = muxpipe_next_answer(buf_data(&k->in), buf_len(&k->in),
		    MUXCLIENT_ANSWER_MAX, &a)) > 0) {
		give_answer(k, &a);
		buf_take(&k->in, a.used);
	}
	if (rc < 0) {
		log_msg(LOG_L_ERR, NULL,
		    "The multiplexor's answers are malformed: no more from "
		    "this connection");
		link_end(k, "read", EPROTO);
		return;
	}
	send_waiting(k);
	set_timer(k);
}

/* The answer to whether it has this mode. */
static void
greeted(struct muxlink *k)
{
	const char *p = buf_data(&k->in);
	const char *lf = memchr(p, '\n', buf_len(&k->in));

	if (!lf && buf_len(&k->in) < 1000)
		return;
	if (!lf ||
	    muxpipe_parse_greeting(p, (size_t)(lf - p), &k->limits) < 0) {
		not_ours(k);
		return;
	}
	if (k->limits.in_flight > IN_FLIGHT_MAX)
		k->limits.in_flight = IN_FLIGHT_MAX;
	buf_take(&k->in, (size_t)(lf - p) + 1);
	k->state = UP;
	k->queued = k->sent = 0;
	give_answers(k);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct muxlink *k = arg;
	/* and one for the NUL behind the last answer */
	char *to = buf_space(&k->in, READ_BYTES + 1);
	ssize_t n;

	(void)what;
	n = to ? read(fd, to, READ_BYTES) : -1;
	if (to && n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		int error = !to ? ENOMEM : n == 0 ? ECONNRESET : errno;

		if (k->state == ASKED)
			not_ours(k);
		else
			link_end(k, "read", error);
		return;
	}
	buf_added(&k->in, (size_t)n);
	k->alive = clock_mono_ms();
	k->asked_for_life = false;
	if (k->state == ASKED)
		greeted(k);
	else
		give_answers(k);
}

/* ---- asking ------------------------------------------------------------------- */

/* Asks whether there is this mode; nothing depends on it. */
static void
open_link(struct muxlink *k)
{
	static const char question[] = MUXPIPE_ASK "\n";
	msec now = clock_mono_ms();

	if (now < k->ask_again)
		return;
	k->fd = fdio_unix_connect(k->c->path, true);
	if (k->fd < 0) { /* the request hears why */
		k->fd = -1;
		return;
	}
	event_assign(k->read_ev, k->c->base, k->fd, EV_READ | EV_PERSIST,
	    on_readable, k);
	event_assign(k->write_ev, k->c->base, k->fd, EV_WRITE, on_writable, k);
	k->asked_for_life = false;
	k->alive = now;
	k->state = ASKED;
	if (send(k->fd, question, sizeof(question) - 1, MSG_NOSIGNAL) !=
		(ssize_t)sizeof(question) - 1 ||
	    event_add(k->read_ev, NULL) < 0)
		close_link(k);
	else
		set_timer(k);
}

void
muxlink_was_away(struct muxlink *k)
{
	k->ask_again = 0;
}

bool
muxlink_ask(struct muxlink *k, struct request *r)
{
	if (k->state == DOWN)
		open_link(k);
	if (k->state != UP)
		return false;
	if (k->n_flight < k->limits.in_flight && TAILQ_EMPTY(&k->waiting)) {
		if (send_request(k, r) < 0)
			return false;
	} else {
		r->way = WAY_WAITS;
		TAILQ_INSERT_TAIL(&k->waiting, r, link);
	}
	set_timer(k);
	return true;
}

void
muxlink_cancel(struct muxlink *k, struct request *r)
{
	if (r->way == WAY_WAITS) {
		TAILQ_REMOVE(&k->waiting, r, link);
		return;
	}
	TAILQ_REMOVE(&k->flight, r, link);
	if (k->state == UP) /* it may be ending */
		send_note(k, muxpipe_add_cancel, r->ticket);
	k->n_flight--;
}

/* ---- life --------------------------------------------------------------------- */

int
muxlink_new(struct muxlink **out, struct muxclient *c)
{
	struct muxlink *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->c = c;
	k->fd = -1;
	k->timer_at = MSEC_NEVER;
	TAILQ_INIT(&k->flight);
	TAILQ_INIT(&k->waiting);
	k->read_ev = event_new(c->base, -1, 0, on_readable, k);
	k->write_ev = event_new(c->base, -1, 0, on_writable, k);
	k->flush_ev = event_new(c->base, -1, 0, on_flush, k);
	k->timer_ev = evtimer_new(c->base, on_timer, k);
	*out = k;
	if (k->read_ev && k->write_ev && k->flush_ev && k->timer_ev)
		return 0;
	muxlink_free(k);
	*out = NULL;
	return -ENOMEM;
}

static void
free_event(struct event *ev)
{
	if (ev)
		event_free(ev);
}

void
muxlink_free(struct muxlink *k)
{
	struct request *r;

	if (!k)
		return;
	while (
	    (r = TAILQ_FIRST(&k->flight)) || (r = TAILQ_FIRST(&k->waiting))) {
		TAILQ_REMOVE(
		    r->way == WAY_SENT ? &k->flight : &k->waiting, r, link);
		request_put_back(r);
	}
	if (k->fd >= 0)
		close(k->fd);
	free_event(k->read_ev);
	free_event(k->write_ev);
	free_event(k->flush_ev);
	free_event(k->timer_ev);
	buf_fini(&k->in);
	buf_fini(&k->out);
	free(k);
}
