/* SPDX-License-Identifier: MIT */
/*
 * worker_ev: one worker's pipes.
 *
 * A worker is believed only as far as its last LF: part of a line waits in a
 * buffer and delays nobody.  What it says unasked makes it unfit for further
 * requests, since the next answer could be that of somebody else.
 */
#include "mux_int.h"

#include "core/base/muxproto.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LAST_READS_MAX 16 /* of a dead worker's pipe: others may hold it */

static struct request *
request_of(const struct worker *w)
{
	return mux_request(w->m, pool_req(w->m->pool, w->slot));
}

/* ---- its status ---- */

static void
reported(struct worker *w, const struct line_text *t)
{
	char before[sizeof(w->tag)];

	memcpy(before, w->tag, sizeof(before));
	report_status_tag(t->p, t->n, w->tag);
	if (strcmp(before, w->tag) != 0)
		news_tag(w->m, w->slot, w->tag);
}

static void
on_status(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	char *p = w->m->in;
	bool busy = request_of(w) != NULL;
	struct line_text t;
	size_t left;
	ssize_t n;
	int r;

	(void)what;
	n = read(fd, w->m->in, MUX_READ);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		mux_end_fd(&w->status_ev, &w->proc.status_fd);
	left = n > 0 ? (size_t)n : 0;
	while ((r = line_next(&w->status, &p, &left, &t)) != 0)
		if (r > 0 && t.n && busy)
			reported(w, &t);
}

/* ---- its answers ---- */

static void
answered(struct worker *w, char *p, size_t n, enum pool_after after)
{
	struct mux *m = w->m;
	struct request *r = request_of(w);

	account_ended(m, w->slot, true);
	news_change(m, w->slot, NOTIFY_IDLE);
	pool_finished(m->pool, w->slot, after, m->now);
	mux_settle(m);
	mux_deliver(m, r, p, n);
}

/* Lines beyond the answer are dropped when they came with it; an open one
 * would run into the next answer. */
static enum pool_after
after_line(const struct worker *w, const char *p, size_t n)
{
	if (n)
		log_extra(w, "a second line for one request");
	if (w->reaped)
		return POOL_ENDS;
	if (n && p[n - 1] != '\n')
		return POOL_TALKS;
	/* answered before it was asked: the rest of the line is in the way */
	return w->written == request_of(w)->n + 1 ? POOL_STAYS : POOL_TALKS;
}

static void
uncalled(struct worker *w)
{
	struct pool_info i;

	pool_info(w->m->pool, w->slot, &i);
	if (i.state == POOL_IDLE || i.state == POOL_BUSY)
		log_extra(w, "output without a request");
	pool_noisy(w->m->pool, w->slot, w->m->now);
}

/* Its first line of all: it has loaded the filter and answers. */
static void
proved(struct worker *w, char *p, size_t n)
{
	struct line_text t;

	if (line_next(&w->out, &p, &n, &t) <= 0)
		return;
	w->proving = false;
	pool_ready(w->m->pool, w->slot, w->m->now);
	if (n)
		uncalled(w);
}

static void
heard(struct worker *w, char *p, size_t n)
{
	struct line_text t;
	int r;

	if (w->proving) {
		proved(w, p, n);
		return;
	}
	if (!request_of(w) || w->written == 0) {
		uncalled(w);
		return;
	}
	r = line_next(&w->out, &p, &n, &t);
	if (r < 0) /* its answer is lost: it is of no use any more */
		pool_gone(w->m->pool, w->slot, w->m->now);
	if (r <= 0)
		return;
	if (!t.cut && t.n < (size_t)w->m->o->answer_bytes)
		t.n++; /* the LF belongs to the answer */
	answered(w, t.p, t.n, after_line(w, p, n));
}

static void
went_silent(struct worker *w)
{
	struct line_text t;
	bool busy = request_of(w) != NULL;

	mux_end_fd(&w->out_ev, &w->proc.out_fd);
	if (busy && line_rest(&w->out, &t)) {
		answered(w, t.p, t.n, POOL_ENDS); /* spec:mux-partial-answer */
		return;
	}
	diag_drain(&w->diag);
	if (busy)
		log_died(w->m, w);
	pool_gone(w->m->pool, w->slot, w->m->now);
}

/* false: nothing there. */
static bool
read_answer(struct worker *w)
{
	ssize_t n = read(w->proc.out_fd, w->m->in, MUX_READ);

	if (n > 0)
		heard(w, w->m->in, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		went_silent(w);
	else
		return false;
	return true;
}

static void
on_out(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	w->m->now = clock_mono_ms();
	read_answer(w);
	mux_settle_and_finish(w->m);
}

/* ---- its commands ---- */

/* Writes what is left of the line.  1: all is written; 0: later; -1: it cannot
 * be written. */
static int
write_line(struct worker *w, const struct request *r)
{
	size_t all = r->n + 1;
	ssize_t n;

	n = write(w->proc.in_fd, r->line + w->written, all - w->written);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	w->written += (size_t)n;
	return w->written == all;
}

/* An extra line may lie in the pipe though the loop has not told. */
static bool
has_spoken(const struct worker *w)
{
	int unread = 0;

	return ioctl(w->proc.out_fd, FIONREAD, &unread) == 0 && unread;
}

/* The line, or what is left of it.  false: it cannot have it. */
static bool
give_line(struct worker *w, const struct request *r)
{
	int done;

	if (w->written == 0 && has_spoken(w)) {
		uncalled(w);
		return false;
	}
	done = write_line(w, r);
	if (done == 0)
		event_add(w->in_ev, &(struct timeval){ w->m->o->client_s, 0 });
	else if (done < 0)
		pool_gone(w->m->pool, w->slot, w->m->now);
	return done >= 0;
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	struct request *r = request_of(w);

	(void)fd;
	w->m->now = clock_mono_ms();
	if (what & EV_TIMEOUT)
		pool_stuck(w->m->pool, w->slot, w->m->now);
	else if (!r || give_line(w, r))
		return;
	mux_settle_and_finish(w->m);
}

/* Ticks are nobody's business. */
static void
tell_tag(const struct worker *w, const struct request *r)
{
	char tag[REPORT_TAG_MAX + 1];

	if (!news_wanted(w->m) || metrics_kind(r->line, r->n) == KIND_TICK)
		return;
	report_request_tag(r->line, r->n, tag);
	news_tag(w->m, w->slot, tag);
}

/* A front-end writes files between one request and the next.  The line is then
 * written when all that this round of the loop has found is dealt with: to wake
 * several workers at once costs less than to wake each when the one before has
 * answered and its processor sleeps again. */
void
worker_give(struct worker *w, struct request *r)
{
	tell_tag(w, r);
	w->tag[0] = '\0';
	w->written = 0;
	line_reset(&w->out);
	diag_forget(&w->diag);
	if (w->m->o->built_in)
		event_active(w->in_ev, EV_WRITE, 0);
	else
		(void)give_line(w, r);
}

void
worker_close_stdin(struct worker *w)
{
	struct request *r = request_of(w);

	if (r && w->written == 0 && !has_spoken(w))
		(void)write_line(w, r); /* its last one */
	mux_end_fd(&w->in_ev, &w->proc.in_fd);
}

/* ---- its life ---- */

static void
log_worker_stderr(void *arg, const char *p, size_t n)
{
	const struct worker *w = arg;

	log_stderr(w->m, w, p, n);
}

static int
watch_all(struct worker *w)
{
	struct mux *m = w->m;

	w->out_ev = mux_watch(m, w->proc.out_fd, on_out, w);
	if (w->proc.status_fd >= 0)
		w->status_ev = mux_watch(m, w->proc.status_fd, on_status, w);
	w->in_ev = event_new(m->base, w->proc.in_fd, EV_WRITE, on_writable, w);
	if (!w->out_ev || !w->in_ev ||
	    (w->proc.status_fd >= 0 && !w->status_ev))
		return -ENOMEM;
	return diag_start(&w->diag, m, &w->proc.err_fd, log_worker_stderr, w);
}

static void
start_failed(struct worker *w, const char *what, int err)
{
	log_start_failed(w->m, w->slot, what, err);
	pool_failed(w->m->pool, w->slot, w->m->now);
}

/* It must say something before it counts as started. */
static void
prove(struct worker *w)
{
	static const char ping[] = "ping\n";
	size_t n = sizeof(ping) - 1;

	w->proving = true;
	if (write(w->proc.in_fd, ping, n) != (ssize_t)n)
		pool_gone(w->m->pool, w->slot, w->m->now);
}

/* It has a process. */
static void
runs(struct worker *w, bool warm)
{
	struct mux *m = w->m;

	if (watch_all(w) < 0) {
		proc_signal(w->proc.pid, SIGKILL);
		proc_wait(w->proc.pid);
		worker_forget(w);
		start_failed(w, "event", ENOMEM);
		return;
	}
	log_start(m, &w->start, w->proc.pid);
	if (warm)
		prove(w);
	else
		pool_ready(m->pool, w->slot, m->now);
}

static void
execute(struct worker *w)
{
	struct proc_trouble t;
	char who[40];
	int r = proc_start(&w->m->spec, &w->proc, &t);

	if (r < 0) {
		start_failed(w, t.what, -r);
		return;
	}
	snprintf(who, sizeof(who), "worker %u", w->slot);
	if (t.limit_errno)
		log_limit_failed(who, t.limit_errno);
	runs(w, w->start.warm);
}

static void
begin(struct worker *w)
{
	w->tag[0] = '\0';
	w->reaped = w->proving = false;
	line_init(&w->out, (size_t)w->m->o->answer_bytes);
	line_init(&w->status, REPORT_TAG_MAX);
}

void
worker_spawn(struct worker *w, const struct pool_action *a)
{
	w->start = *a;
	begin(w);
	if (!zygote_hatch(w))
		execute(w);
}

/* Its filter is loaded: there is nothing to prove. */
void
worker_born(struct worker *w, pid_t pid)
{
	zygote_delivered(w);
	w->proc.pid = pid;
	runs(w, false);
}

void
worker_unborn(struct worker *w)
{
	worker_forget(w);
	begin(w);
	if (w->m->stopping)
		pool_failed(w->m->pool, w->slot, w->m->now);
	else
		execute(w);
}

void
worker_forget(struct worker *w)
{
	zygote_delivered(w);
	mux_end_fd(&w->in_ev, &w->proc.in_fd);
	mux_end_fd(&w->out_ev, &w->proc.out_fd);
	mux_end_fd(&w->status_ev, &w->proc.status_fd);
	diag_end(&w->diag);
	proc_close(&w->proc.err_fd, 1);
	line_fini(&w->out);
	line_fini(&w->status);
	w->proc = (struct proc){ 0, -1, -1, -1, -1 };
}

/* Its last answer and words may still be in the pipes. */
static void
read_last(struct worker *w)
{
	diag_drain(&w->diag);
	for (int i = 0; i < LAST_READS_MAX && w->proc.out_fd >= 0 &&
			request_of(w) && read_answer(w);
	     i++)
		;
	diag_finish(&w->diag);
}

/* What it started is of no use without it, unless it ended as it should. */
static void
end_group(const struct worker *w)
{
	struct pool_info i;

	pool_info(w->m->pool, w->slot, &i);
	if (i.state != POOL_CLOSED)
		proc_signal(w->proc.pid, SIGTERM);
}

void
worker_dead(struct worker *w)
{
	struct pool_info info;
	struct proc_exit e;
	bool unexpected;

	end_group(w);
	proc_reap(w->proc.pid, &e);
	w->reaped = true;
	read_last(w);
	if (request_of(w))
		log_died(w->m, w);
	pool_info(w->m->pool, w->slot, &info);
	unexpected = pool_exited(w->m->pool, w->slot, w->m->now);
	if (unexpected)
		diag_tell(&w->diag);
	log_reap(w->m, w, &info, &e, unexpected);
	worker_forget(w);
}

void
worker_view(void *mux, unsigned slot, struct report_worker *out)
{
	const struct mux *m = mux;
	const struct worker *w = &m->workers[slot];
	const struct request *r = request_of(w);

	out->pid = w->proc.pid ? w->proc.pid : -1;
	out->tag[0] = '\0';
	if (r && w->tag[0])
		memcpy(out->tag, w->tag, sizeof(out->tag));
	else if (r)
		report_request_tag(r->line, r->n, out->tag);
}
