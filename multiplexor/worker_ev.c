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
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define STDERR_MAX     1023 /* octets of a line; spec:mux-stderr */
#define LAST_WORDS_MAX 2048 /* octets kept for the case of death */
#define LAST_READS_MAX 16   /* of a dead worker's pipe: others may hold it */

static struct request *
request_of(const struct worker *w)
{
	return mux_request(w->m, pool_req(w->m->pool, w->slot));
}

static void
end_event(struct event **ev)
{
	if (*ev)
		event_free(*ev);
	*ev = NULL;
}

static void
end_fd(struct event **ev, int *fd)
{
	end_event(ev);
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- its diagnoses and status ---- */

static void
said(struct worker *w, const char *p, size_t n)
{
	if (memmem(p, n, "Out of memory!", 14))
		w->out_of_memory = true;
	if (n == 0)
		return;
	if (w->m->o->log_events) {
		log_stderr(w->m, w, p, n);
		return;
	}
	while (buf_len(&w->last_words) + n + 1 > LAST_WORDS_MAX &&
	       buf_len(&w->last_words)) {
		const char *lf = memchr(
		    buf_data(&w->last_words), '\n', buf_len(&w->last_words));
		buf_take(&w->last_words,
		    (size_t)(lf - buf_data(&w->last_words)) + 1);
	}
	buf_add(&w->last_words, p, n);
	buf_addc(&w->last_words, '\n');
}

/* false: nothing more to read. */
static bool
read_stderr(struct worker *w)
{
	char *p = w->m->in;
	struct line_text t;
	size_t left;
	ssize_t n;
	int r;

	if (w->proc.err_fd < 0)
		return false;
	n = read(w->proc.err_fd, w->m->in, MUX_READ);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		if (line_rest(&w->err, &t))
			said(w, t.p, t.n);
		end_fd(&w->err_ev, &w->proc.err_fd);
		return false;
	}
	left = (size_t)n;
	while ((r = line_next(&w->err, &p, &left, &t)) != 0)
		if (r > 0)
			said(w, t.p, t.n);
	return true;
}

/* What a dying worker said last: of interest before its death is told. */
static void
read_last_words(struct worker *w)
{
	for (int i = 0; i < LAST_READS_MAX && read_stderr(w); i++)
		;
}

static void
on_err(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	read_stderr(arg);
}

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
		end_fd(&w->status_ev, &w->proc.status_fd);
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
	if (!request_of(w)) {
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

	end_fd(&w->out_ev, &w->proc.out_fd);
	if (busy && line_rest(&w->out, &t)) {
		answered(w, t.p, t.n, POOL_ENDS); /* spec:mux-partial-answer */
		return;
	}
	read_last_words(w);
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

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	struct request *r = request_of(w);
	int done = 1;

	(void)fd;
	w->m->now = clock_mono_ms();
	if (what & EV_TIMEOUT)
		pool_stuck(w->m->pool, w->slot, w->m->now);
	else if (r)
		done = write_line(w, r);
	if (done < 0)
		pool_gone(w->m->pool, w->slot, w->m->now);
	if (done == 0)
		event_add(w->in_ev, &(struct timeval){ w->m->o->client_s, 0 });
	mux_settle_and_finish(w->m);
}

void
worker_prove(struct worker *w)
{
	static const char ping[] = "ping\n";
	size_t n = sizeof(ping) - 1;

	w->proving = true;
	if (write(w->proc.in_fd, ping, n) != (ssize_t)n)
		pool_gone(w->m->pool, w->slot, w->m->now);
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

void
worker_give(struct worker *w, struct request *r)
{
	struct mux *m = w->m;
	int unread = 0;

	tell_tag(w, r);
	w->tag[0] = '\0';
	w->written = 0;
	line_reset(&w->out);
	buf_reset(&w->last_words);
	/* An extra line may lie in the pipe though the loop has not told. */
	if (ioctl(w->proc.out_fd, FIONREAD, &unread) == 0 && unread) {
		uncalled(w);
		return;
	}
	switch (write_line(w, r)) {
	case 1:
		break;
	case 0:
		event_add(w->in_ev, &(struct timeval){ m->o->client_s, 0 });
		break;
	default:
		pool_gone(m->pool, w->slot, m->now);
	}
}

void
worker_close_stdin(struct worker *w)
{
	end_fd(&w->in_ev, &w->proc.in_fd);
}

/* ---- its life ---- */

static struct event *
watch(struct worker *w, int fd, event_callback_fn fn)
{
	struct event *ev;

	if (fd < 0)
		return NULL;
	ev = event_new(w->m->base, fd, EV_READ | EV_PERSIST, fn, w);
	if (ev && event_add(ev, NULL) < 0)
		end_event(&ev);
	return ev;
}

static int
watch_all(struct worker *w)
{
	w->out_ev = watch(w, w->proc.out_fd, on_out);
	w->err_ev = watch(w, w->proc.err_fd, on_err);
	w->status_ev = watch(w, w->proc.status_fd, on_status);
	w->in_ev =
	    event_new(w->m->base, w->proc.in_fd, EV_WRITE, on_writable, w);
	if (!w->out_ev || !w->err_ev || !w->in_ev ||
	    (w->proc.status_fd >= 0 && !w->status_ev))
		return -ENOMEM;
	return 0;
}

int
worker_start(struct worker *w, const struct pool_action *a)
{
	struct proc_trouble t;
	int r = proc_start(&w->m->spec, &w->proc, &t);

	w->tag[0] = '\0';
	w->out_of_memory = w->reaped = w->proving = false;
	line_init(&w->out, (size_t)w->m->o->answer_bytes);
	line_init(&w->err, STDERR_MAX);
	line_init(&w->status, REPORT_TAG_MAX);
	buf_init(&w->last_words, 0);
	if (r == 0) {
		r = watch_all(w);
		t.what = "event";
		if (r < 0) {
			proc_signal(w->proc.pid, SIGKILL);
			proc_wait(w->proc.pid);
			worker_forget(w);
		}
	}
	if (r < 0) {
		log_start_failed(w->m, w->slot, t.what, -r);
		return r;
	}
	if (t.limit_errno)
		log_limit_failed(w->slot, t.limit_errno);
	log_start(w->m, a, w->proc.pid);
	return 0;
}

void
worker_forget(struct worker *w)
{
	end_fd(&w->in_ev, &w->proc.in_fd);
	end_fd(&w->out_ev, &w->proc.out_fd);
	end_fd(&w->err_ev, &w->proc.err_fd);
	end_fd(&w->status_ev, &w->proc.status_fd);
	line_fini(&w->out);
	line_fini(&w->err);
	line_fini(&w->status);
	buf_fini(&w->last_words);
	w->proc.pid = 0;
}

/* Its last answer and words may still be in the pipes. */
static void
read_last(struct worker *w)
{
	read_last_words(w);
	for (int i = 0; i < LAST_READS_MAX && w->proc.out_fd >= 0 &&
			request_of(w) && read_answer(w);
	     i++)
		;
}

static void
log_last_words(const struct worker *w)
{
	const char *p = buf_data(&w->last_words), *lf;
	size_t n = buf_len(&w->last_words);

	while (n && (lf = memchr(p, '\n', n))) {
		log_stderr(w->m, w, p, (size_t)(lf - p));
		n -= (size_t)(lf + 1 - p);
		p = lf + 1;
	}
}

void
worker_reaped(struct worker *w, const struct proc_exit *e)
{
	struct line_text t;
	bool unexpected;

	w->reaped = true;
	read_last(w);
	if (line_rest(&w->err, &t))
		said(w, t.p, t.n);
	if (request_of(w))
		log_died(w->m, w);
	unexpected = pool_exited(w->m->pool, w->slot, w->m->now);
	if (unexpected)
		log_last_words(w);
	log_reap(w->m, w, e, unexpected);
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
