/* SPDX-License-Identifier: MIT */
/*
 * mux_ev: the multiplexor on a libevent loop (mux_ev.h).
 *
 * Policy is in the pool; here its actions are carried out.  The one timer is
 * set only when the pool's next deadline is sooner than the one it is set for:
 * in steady state a request costs no timer call.
 */
#include "mux_int.h"

#include "core/base/log.h"
#include "core/base/muxproto.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TERM_MS        10000 /* spec:stopping-a-worker */
#define GONE_MS        1000  /* to exit by itself after its last word */
#define BACKOFF_MS     1000
#define BACKOFF_MAX_MS 60000

/* ---- requests ---- */

struct request *
mux_request(struct mux *m, uint64_t id)
{
	return id_get(&m->ids, id);
}

static void
request_free(struct mux *m, struct request *r)
{
	id_drop(&m->ids, r->id);
	buf_fini(&r->out);
	free(r);
}

void
mux_deliver(struct mux *m, struct request *r, char *p, size_t n)
{
	mux_done_fn *done = r->done;
	void *arg = r->arg;

	request_free(m, r);
	if (!done)
		return;
	if (p)
		p[n] = '\0';
	done(arg, p, n, p ? NULL : "the multiplexor is stopping");
}

void
mux_finish(struct mux *m, struct request *r)
{
	r->finished = true;
	TAILQ_INSERT_TAIL(&m->finished, r, link);
}

static void
finish_soon(struct mux *m)
{
	if (!m->finish_active)
		event_active(m->finish_ev, 0, 0);
	m->finish_active = true;
}

static void
deliver_finished(struct mux *m, struct request *r)
{
	char no_memory[] = "error: Out of memory\n";
	struct buf out = r->out;

	buf_init(&r->out, 0);
	if (r->lost)
		mux_deliver(m, r, NULL, 0);
	else if (buf_cstr(&out))
		mux_deliver(m, r, out.p, buf_len(&out));
	else
		mux_deliver(m, r, no_memory, sizeof(no_memory) - 1);
	buf_fini(&out);
}

/* Those that are finished now: what these ask in turn is for the next round,
 * so that other events get theirs. */
static void
finish_all(struct mux *m)
{
	struct request *r, *last = TAILQ_LAST(&m->finished, requests);

	while ((r = TAILQ_FIRST(&m->finished))) {
		bool was_last = r == last;

		TAILQ_REMOVE(&m->finished, r, link);
		deliver_finished(m, r);
		if (was_last)
			break;
	}
	if (!TAILQ_EMPTY(&m->finished))
		finish_soon(m);
	if (m->stopping && pool_running(m->pool) == 0 && m->stopped) {
		void (*stopped)(void *) = m->stopped;

		m->stopped = NULL;
		stopped(m->stopped_arg);
	}
}

static void
on_finish(evutil_socket_t fd, short what, void *arg)
{
	struct mux *m = arg;

	(void)fd;
	(void)what;
	m->finish_active = false;
	finish_all(m);
}

/* ---- what the pool wants done ---- */

static const char *const answers[POOL_A_N] = {
	[POOL_A_BUSY] = MUX_NO_WORKER,
	[POOL_A_START] = MUX_NO_START,
	[POOL_A_QUEUE] = "error: Queued request timed out\n",
	[POOL_A_TIMEOUT] =
	    MUX_TIMED_OUT " - check filter rules or system load\n",
	[POOL_A_TALK] = "error: Error talking to worker process\n",
	[POOL_A_DIED] = MUX_NO_RESPONSE,
	[POOL_A_DOMAIN] = "ok -1 Per-domain%20recipok%20limit%20hit;"
			  "%20please%20try%20again%20later\n",
	[POOL_A_STOP] = NULL, /* none will come */
};
static const char overloaded[] =
    MUX_TIMED_OUT " - system may be overloaded "
		  "(consider increasing busy timeout)\n";

static void
do_assign(struct mux *m, const struct pool_action *a)
{
	struct request *r = mux_request(m, a->req);

	/* it may have lost its worker since */
	if (pool_req(m->pool, a->slot) != a->req)
		return;
	assert(r);
	log_assign(m, a);
	worker_give(&m->workers[a->slot], r);
}

static void
do_answer(struct mux *m, const struct pool_action *a)
{
	struct request *r = mux_request(m, a->req);
	const char *text = answers[a->answer];

	assert(r);
	log_answer(m, a);
	if (a->answer == POOL_A_TIMEOUT && a->n > 3)
		text = overloaded;
	if (text)
		buf_adds(&r->out, text);
	else
		r->lost = true;
	mux_finish(m, r);
}

static void
do_forget(struct mux *m, const struct pool_action *a)
{
	struct request *r = mux_request(m, a->req);

	assert(r && !r->done);
	request_free(m, r);
}

static void
do_signal(struct mux *m, const struct pool_action *a, int sig)
{
	struct worker *w = &m->workers[a->slot];

	log_stop(m, a);
	if (!w->proc.pid) { /* a zygote did not deliver it in time */
		worker_forget(w);
		pool_exited(m->pool, w->slot, m->now);
		return;
	}
	proc_signal(w->proc.pid, sig);
	worker_close_stdin(w);
}

void
mux_settle(struct mux *m)
{
	struct pool_action a;
	msec at;

	while (pool_next(m->pool, &a)) {
		switch (a.type) {
		case POOL_SPAWN:
			worker_spawn(&m->workers[a.slot], &a);
			break;
		case POOL_ASSIGN:
			do_assign(m, &a);
			break;
		case POOL_WAIT:
			log_waits(m, &a);
			break;
		case POOL_CLOSE:
			do_signal(m, &a, SIGCONT);
			break;
		case POOL_TERM:
			do_signal(m, &a, SIGTERM);
			break;
		case POOL_KILL:
			do_signal(m, &a, SIGKILL);
			break;
		case POOL_ANSWER:
			do_answer(m, &a);
			break;
		case POOL_FORGET:
			do_forget(m, &a);
			break;
		case POOL_RETRY:
			log_retry(m, &a);
			break;
		case POOL_ALARM:
			log_alarm(m, a.n);
			break;
		}
	}
	at = pool_deadline(m->pool);
	if (at < m->timer_at) {
		struct timeval tv =
		    clock_timeval(at > m->now ? at - m->now : 1);

		m->timer_at = at;
		event_add(m->timer_ev, &tv);
	}
}

void
mux_settle_and_finish(struct mux *m)
{
	mux_settle(m);
	finish_all(m);
}

/* The same for calls from outside, in which no `done` may run. */
static void
settle_then_finish(struct mux *m)
{
	mux_settle(m);
	if (!TAILQ_EMPTY(&m->finished) || m->stopping)
		finish_soon(m);
}

/* ---- events ---- */

struct event *
mux_watch(struct mux *m, int fd, event_callback_fn fn, void *arg)
{
	struct event *ev =
	    event_new(m->base, fd, EV_READ | EV_PERSIST, fn, arg);

	if (ev && event_add(ev, NULL) < 0)
		mux_end_event(&ev);
	return ev;
}

void
mux_end_event(struct event **ev)
{
	if (*ev)
		event_free(*ev);
	*ev = NULL;
}

void
mux_end_fd(struct event **ev, int *fd)
{
	mux_end_event(ev);
	proc_close(fd, 1);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct mux *m = arg;

	(void)fd;
	(void)what;
	m->now = clock_mono_ms();
	m->timer_at = MSEC_NEVER;
	pool_tick(m->pool, m->now);
	mux_settle_and_finish(m);
}

static struct worker *
worker_of(struct mux *m, pid_t pid)
{
	for (long i = 0; i < m->o->max_workers; i++)
		if (m->workers[i].proc.pid == pid)
			return &m->workers[i];
	return NULL;
}

static void
child_died(struct mux *m, pid_t pid)
{
	struct worker *w = worker_of(m, pid);
	struct proc_exit e;

	if (!w) { /* perhaps its birth has not been heard of */
		zygotes_listen(m);
		mux_settle(m);
		w = worker_of(m, pid);
	}
	if (w) {
		worker_dead(w);
		return;
	}
	proc_reap(pid, &e);
	if (!reread_reaped(m, &e))
		zygotes_reaped(m, &e); /* or an orphan of a worker's */
}

static void
on_child(evutil_socket_t sig, short what, void *arg)
{
	struct mux *m = arg;
	pid_t pid;

	(void)sig;
	(void)what;
	m->now = clock_mono_ms();
	while ((pid = proc_dead()) > 0) {
		child_died(m, pid);
		mux_settle(m);
	}
	mux_settle_and_finish(m);
}

/* ---- requests from outside ---- */

static uint64_t
domain_of(const struct mux *m, const struct mux_cmd *c)
{
	const char *p;
	size_t n;

	return m->o->per_domain ? report_domain(c->p, c->n, &p, &n) : 0;
}

/* n octets of line and an LF, with a ticket.  NULL: no memory. */
static struct request *
request_new(
    struct mux *m, const char *line, size_t n, mux_done_fn *done, void *arg)
{
	struct request *r = malloc(sizeof(*r) + n + 1);

	if (!r)
		return NULL;
	*r = (struct request){ .done = done, .arg = arg, .n = n };
	r->id = id_new(&m->ids, r);
	if (!r->id) {
		free(r);
		return NULL;
	}
	memcpy(r->line, line, n);
	r->line[n] = '\n';
	m->now = clock_mono_ms();
	return r;
}

static uint64_t
ask(struct mux *m, bool open, const char *line, size_t n, mux_done_fn *done,
    void *arg)
{
	struct request *r;
	struct mux_cmd c;

	command_parse(line, n, (size_t)m->o->request_bytes, open, &c);
	r = request_new(m, c.p, c.n, done, arg);
	if (!r)
		return 0;
	if (c.type == CMD_REREAD)
		reread_ask(m, r);
	else if (mux_builtin(m, &c, &r->out))
		mux_finish(m, r);
	else
		pool_request(m->pool, r->id, mux_classify(c.p, c.n),
		    domain_of(m, &c), m->now);
	settle_then_finish(m);
	return r->id;
}

uint64_t
mux_ask_now(
    struct mux *m, const char *line, size_t n, mux_done_fn *done, void *arg)
{
	struct request *r = request_new(m, line, n, done, arg);

	if (!r)
		return 0;
	pool_request_now(m->pool, r->id, mux_classify(line, n), m->now);
	settle_then_finish(m);
	return r->id;
}

uint64_t
mux_ask(struct mux *m, const char *line, size_t n, mux_done_fn *done, void *arg)
{
	return ask(m, false, line, n, done, arg);
}

uint64_t
mux_ask_open(
    struct mux *m, const char *line, size_t n, mux_done_fn *done, void *arg)
{
	return ask(m, true, line, n, done, arg);
}

void
mux_cancel(struct mux *m, uint64_t ticket)
{
	struct request *r = mux_request(m, ticket);

	if (!r)
		return;
	r->done = NULL;
	account_count(m, METRIC_CANCELLED);
	if (r->finished)
		return;
	if (r->rereads)
		reread_forget(m, r);
	if (pool_cancel(m->pool, ticket))
		request_free(m, r);
}

void
mux_reread(struct mux *m)
{
	m->now = clock_mono_ms();
	reread_ask(m, NULL);
	settle_then_finish(m);
}

/* ---- life ---- */

void
mux_start(struct mux *m)
{
	m->now = m->started = clock_mono_ms();
	log_started(m);
	account_open_file(m);
	zygotes_start(m);
	pool_start(m->pool, m->now);
	settle_then_finish(m);
	clockwork_start(m);
}

void
mux_reopen_stats(struct mux *m)
{
	account_open_file(m);
}

void
mux_stop(struct mux *m, void (*stopped)(void *arg), void *arg)
{
	if (!m->stopping) {
		clients_stop(m);
		maps_stop(m);
		clockwork_stop(m);
		m->stopped = stopped;
		m->stopped_arg = arg;
	}
	m->now = clock_mono_ms();
	if (!m->stopping) {
		m->stopping = true;
		reread_stop(m);
		zygotes_stop(m);
	}
	pool_stop(m->pool, m->now);
	settle_then_finish(m);
}

static int
new_pool(struct mux *m)
{
	const struct mux_opts *o = m->o;
	char busy[24];
	struct pool_opts p = {
		.min_workers = (unsigned)o->min_workers,
		.max_workers = (unsigned)o->max_workers,
		.max_requests = (unsigned)o->max_requests,
		.queue_max = (unsigned)o->queue_max,
		.per_domain = (unsigned)o->per_domain,
		.queue_ms = (msec)o->queue_s * 1000,
		.busy_ms = (msec)o->busy_s * 1000,
		.idle_ms = (msec)o->idle_s * 1000,
		.start_delay_ms = (msec)o->start_delay_s * 1000,
		.start_min_ms = (msec)o->start_min_s * 1000,
		.start_ms = (msec)o->busy_s * 1000,
		.term_ms = TERM_MS,
		.gone_ms = GONE_MS,
		.backoff_ms = BACKOFF_MS,
		.backoff_max_ms = BACKOFF_MAX_MS,
	};

	snprintf(busy, sizeof(busy), "%ld", o->busy_s);
	if (setenv("MIMEDEFANG_BUSY_TIMEOUT", busy, 1) < 0) /* for workers */
		return -ENOMEM;
	if (o->max_lifetime_s > 0)
		p.lifetime_ms = (msec)o->max_lifetime_s * 1000;
	m->workers = calloc(p.max_workers, sizeof(*m->workers));
	if (!m->workers)
		return -ENOMEM;
	for (unsigned i = 0; i < p.max_workers; i++)
		m->workers[i] = (struct worker){ .m = m,
			.slot = i,
			.proc = { 0, -1, -1, -1, -1 },
			.theirs = { -1, -1, -1, -1 } };
	return pool_new(&m->pool, &p);
}

static int
new_events(struct mux *m)
{
	m->timer_ev = evtimer_new(m->base, on_timer, m);
	m->finish_ev = evtimer_new(m->base, on_finish, m);
	m->child_ev = evsignal_new(m->base, SIGCHLD, on_child, m);
	if (!m->timer_ev || !m->finish_ev || !m->child_ev ||
	    event_add(m->child_ev, NULL) < 0)
		return -ENOMEM;
	return 0;
}

static const char *const listener_names[LISTEN_N] = {
	[LISTEN_REQUEST] = "request socket",
	[LISTEN_OPEN] = "unprivileged socket",
	[LISTEN_NOTIFY] = "notification socket",
	[LISTEN_MAP] = "map socket",
};

int
mux_new(struct mux **out, struct event_base *base, const struct mux_opts *o,
    char *err, size_t errlen)
{
	struct mux *m = calloc(1, sizeof(*m));

	if (!m)
		goto no_memory;
	m->base = base;
	m->o = o;
	for (int i = 0; i < LISTEN_N; i++)
		m->listeners[i] = (struct listener){
			.m = m, .name = listener_names[i], .fd = -1
		};
	m->timer_at = MSEC_NEVER;
	m->spec = (struct proc_spec){ o->worker, o->filter, o->spool_dir,
		o->status_fd, o->group_access, o->max_rss_kb, o->max_as_kb };
	TAILQ_INIT(&m->finished);
	TAILQ_INIT(&m->clients);
	TAILQ_INIT(&m->sessions);
	TAILQ_INIT(&m->map_clients);
	id_init(&m->ids);
	signal(SIGPIPE, SIG_IGN); /* a worker's death is found by EPIPE */
	if (new_pool(m) < 0 || new_events(m) < 0 || account_new(m) < 0 ||
	    clockwork_new(m) < 0 || news_new(m) < 0)
		goto no_memory;
	reread_init(m);
	if (proc_check(&m->spec, err, errlen) < 0 ||
	    zygotes_init(m, err, errlen) < 0 ||
	    clients_listen(m, err, errlen) < 0) {
		mux_free(m);
		return -1;
	}
	maps_listen(m);
	*out = m;
	return 0;
no_memory:
	mux_free(m);
	snprintf(err, errlen, "Out of memory");
	return -1;
}

static void
kill_all(struct mux *m)
{
	for (long i = 0; m->workers && i < m->o->max_workers; i++)
		if (m->workers[i].proc.pid)
			proc_signal(m->workers[i].proc.pid, SIGKILL);
	for (long i = 0; m->workers && i < m->o->max_workers; i++) {
		if (m->workers[i].proc.pid)
			proc_wait(m->workers[i].proc.pid);
		worker_forget(&m->workers[i]);
	}
}

void
mux_free(struct mux *m)
{
	struct request *r;

	if (!m)
		return;
	kill_all(m);
	reread_free(m);
	zygotes_free(m);
	clients_free(m);
	maps_free(m);
	news_free(m);
	mux_end_event(&m->timer_ev);
	mux_end_event(&m->finish_ev);
	mux_end_event(&m->child_ev);
	for (uint32_t at = 0; (r = id_any(&m->ids, &at));)
		request_free(m, r);
	id_fini(&m->ids);
	account_free(m);
	clockwork_free(m);
	pool_free(m->pool);
	free(m->workers);
	free(m);
}
