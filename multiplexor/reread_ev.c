/* SPDX-License-Identifier: MIT */
/*
 * reread_ev: is the filter, as it is now, fit to serve?  Only then does a new
 * generation begin (spec:reread).
 *
 * The proof is a worker outside of the pool that answers a "ping", or with -E a
 * zygote that is ready.  Who asked for the reread hears how it ended; those
 * who ask meanwhile wait for another try, since the file may have changed since
 * this one read it.
 */
#include "mux_int.h"

#include "core/base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_N 200 /* of its answer: any will do */
#define LEAVE_S    10  /* to exit after its answer */

static void begin(struct mux *m);

/* ---- a worker on trial ---- */

static void
log_trial_stderr(void *arg, const char *p, size_t n)
{
	const struct mux *m = arg;

	log_msg(m->o->log_events ? LOG_L_INFO : LOG_L_ERR, NULL,
	    "trial worker (pid %ld) stderr: %.*s", (long)m->reread.proc.pid,
	    (int)n, p);
}

static void
close_trial(struct mux *m)
{
	struct reread *t = &m->reread;

	mux_end_fd(&t->out_ev, &t->proc.out_fd);
	proc_close(&t->proc.in_fd, 1);
	proc_close(&t->proc.err_fd, 1);
	proc_close(&t->proc.status_fd, 1);
	mux_end_event(&t->timer_ev);
	diag_end(&t->diag);
	t->proc = (struct proc){ 0, -1, -1, -1, -1 };
}

static void
on_line(evutil_socket_t fd, short what, void *arg)
{
	struct mux *m = arg;
	struct reread *t = &m->reread;
	ssize_t n = read(fd, m->in, MUX_READ);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	m->now = clock_mono_ms();
	if (n > 0 && !memchr(m->in, '\n', (size_t)n))
		return; /* part of a line */
	mux_end_fd(&t->out_ev, &t->proc.out_fd);
	if (n <= 0)
		return; /* its death will tell */
	t->answered = true;
	proc_close(&t->proc.in_fd, 1);
	event_add(t->timer_ev, &(struct timeval){ LEAVE_S, 0 });
	reread_tried(m, NULL);
	mux_settle_and_finish(m);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct mux *m = arg;

	(void)fd;
	(void)what;
	m->reread.late = !m->reread.answered;
	proc_signal(m->reread.proc.pid, SIGKILL);
}

static int
watch(struct mux *m)
{
	struct timeval limit = { m->o->busy_s, 0 };
	struct reread *t = &m->reread;

	t->out_ev = mux_watch(m, t->proc.out_fd, on_line, m);
	t->timer_ev = evtimer_new(m->base, on_late, m);
	if (!t->out_ev || !t->timer_ev || event_add(t->timer_ev, &limit) < 0)
		return -ENOMEM;
	return diag_start(&t->diag, m, &t->proc.err_fd, log_trial_stderr, m);
}

static void
try_worker(struct mux *m)
{
	static const char ping[] = "ping\n";
	struct reread *t = &m->reread;
	struct proc_trouble trouble;
	char why[300];
	int r = proc_start(&m->spec, &t->proc, &trouble);

	t->answered = t->late = false;
	if (r < 0) {
		snprintf(why, sizeof(why), "%s %s failed: %s", trouble.what,
		    m->spec.worker, strerror(-r));
		reread_tried(m, why);
		return;
	}
	if (watch(m) < 0 || write(t->proc.in_fd, ping, sizeof(ping) - 1) < 0) {
		proc_signal(t->proc.pid, SIGKILL);
		proc_wait(t->proc.pid);
		close_trial(m);
		reread_tried(m, "out of memory");
	}
}

bool
reread_reaped(struct mux *m, const struct proc_exit *e)
{
	struct reread *t = &m->reread;
	char how[60], why[400];
	bool answered = t->answered;

	if (!t->proc.pid || t->proc.pid != e->pid)
		return false;
	diag_finish(&t->diag);
	log_exit(e->status, how, sizeof(how));
	if (t->late)
		snprintf(why, sizeof(why),
		    "no answer of a worker within %ld s (-b)", m->o->busy_s);
	else
		snprintf(why, sizeof(why), "a worker %s before it answered%s%s",
		    how, t->diag.first[0] ? ": " : "", t->diag.first);
	if (!answered)
		diag_tell(&t->diag);
	close_trial(m);
	if (!answered)
		reread_tried(m, why);
	else if (t->running)
		begin(m); /* was held up by this one's exit */
	return true;
}

/* ---- who asked ---- */

static void
answer_all(struct mux *m, const char *why)
{
	struct reread *t = &m->reread;
	struct request *r;

	while ((r = TAILQ_FIRST(&t->asked))) {
		TAILQ_REMOVE(&t->asked, r, link);
		r->rereads = false;
		if (m->stopping)
			r->lost = true;
		else if (why)
			buf_addf(&r->out,
			    "error: reread refused: %s; the filter that was "
			    "loaded stays in use\n",
			    why);
		else
			buf_adds(&r->out, "Forced reread of filter rules\n");
		mux_finish(m, r);
	}
}

static void
begin(struct mux *m)
{
	struct reread *t = &m->reread;

	t->running = true;
	if (t->proc.pid)
		return; /* the last one has not exited yet */
	t->again = false;
	TAILQ_CONCAT(&t->asked, &t->later, link);
	if (m->o->zygote)
		zygote_try(m);
	else
		try_worker(m);
}

void
reread_tried(struct mux *m, const char *why)
{
	struct reread *t = &m->reread;

	t->running = false;
	if (m->stopping)
		why = "stopping";
	else if (why)
		log_msg(LOG_L_ERR, NULL,
		    "reread refused: %s; the filter that was loaded stays in "
		    "use",
		    why);
	if (!why) {
		if (m->o->zygote)
			zygote_succeed(m);
		account_count(m, METRIC_REREADS);
		pool_reread(m->pool, m->now);
		mux_settle(m);
		news_event(m, 'R'); /* behind the changes that it caused */
	}
	answer_all(m, why);
	if (t->again && !m->stopping)
		begin(m);
}

void
reread_ask(struct mux *m, struct request *r)
{
	struct reread *t = &m->reread;

	if (r) {
		r->rereads = true;
		TAILQ_INSERT_TAIL(&t->later, r, link);
	}
	if (m->stopping)
		reread_stop(m);
	else if (t->running)
		t->again = true;
	else
		begin(m);
}

void
reread_forget(struct mux *m, struct request *r)
{
	struct reread *t = &m->reread;
	struct request *in;

	TAILQ_FOREACH(in, &t->asked, link)
		if (in == r)
			break;
	if (in)
		TAILQ_REMOVE(&t->asked, r, link);
	else
		TAILQ_REMOVE(&t->later, r, link);
	r->rereads = false;
}

/* ---- life ---- */

void
reread_init(struct mux *m)
{
	TAILQ_INIT(&m->reread.asked);
	TAILQ_INIT(&m->reread.later);
	m->reread.proc = (struct proc){ 0, -1, -1, -1, -1 };
}

void
reread_stop(struct mux *m)
{
	struct reread *t = &m->reread;

	TAILQ_CONCAT(&t->asked, &t->later, link);
	answer_all(m, NULL);
	if (t->proc.pid)
		proc_signal(t->proc.pid, SIGKILL);
}

void
reread_free(struct mux *m)
{
	if (!m->reread.proc.pid)
		return;
	proc_signal(m->reread.proc.pid, SIGKILL);
	proc_wait(m->reread.proc.pid);
	close_trial(m);
}
