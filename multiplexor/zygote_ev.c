/* SPDX-License-Identifier: MIT */
/*
 * zygote_ev: with -E, a process that has loaded the filter and forks workers on
 * request (spec:zygote).
 *
 * It is asked through a socket of records, and names the worker's process in
 * its answer; pipes to the worker are FIFOs in a directory of ours
 * (choice:zygote-fifos).  The worker is a child of ours when that answer comes
 * (choice:zygote-orphans): how it ends is known as of any other.
 *
 * Whatever goes wrong with a zygote, workers are started the other way: by
 * executing the program.
 */
#include "fifodir.h"
#include "mux_int.h"

#include "core/base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define IN_MEMORY   "/dev/shm"
#define RECORD_MAX  512
#define NAME_MAX_N  40    /* of a birth, "SLOT.NUMBER" */
#define LEAVE_S     10    /* to exit after its last order, */
#define GONE_S      1     /* after it closed the socket */
#define LIVED_MS    10000 /* then its death is nothing to pause for */
#define PAUSE_S     1     /* doubles, */
#define PAUSE_MAX_S 60    /* up to this */
#define PAUSE_STEPS 6

struct zygote {
	TAILQ_ENTRY(zygote) link;
	struct mux *m;
	struct proc proc; /* out_fd: the socket */
	struct event *ev, *timer_ev;
	struct diag diag;
	bool ready, leaving, late;
	msec started;
};

/* ---- its end ---- */

static void
zygote_free(struct zygote *z)
{
	TAILQ_REMOVE(&z->m->nursery.all, z, link);
	mux_end_fd(&z->ev, &z->proc.out_fd);
	mux_end_event(&z->timer_ev);
	diag_end(&z->diag);
	proc_close(&z->proc.err_fd, 1);
	free(z);
}

/* No more orders: it carries out those that it has, and exits. */
static void
leave(struct zygote *z)
{
	z->leaving = true;
	shutdown(z->proc.out_fd, SHUT_WR);
	if (z->timer_ev)
		event_add(z->timer_ev, &(struct timeval){ LEAVE_S, 0 });
}

/* Those that it was asked for and did not deliver. */
static void
rescue(struct mux *m, const struct zygote *z)
{
	for (long i = 0; i < m->o->max_workers; i++)
		if (m->workers[i].mother == z)
			worker_unborn(&m->workers[i]);
}

static void
restart_later(struct mux *m, bool ready, msec lived)
{
	struct nursery *n = &m->nursery;
	long s = PAUSE_S;

	n->deaths = ready && lived >= LIVED_MS ? 0 : n->deaths + 1;
	for (unsigned i = 1; i < n->deaths && i <= PAUSE_STEPS; i++)
		s *= 2;
	if (s > PAUSE_MAX_S)
		s = PAUSE_MAX_S;
	log_msg(LOG_L_WARN, NULL,
	    "workers are started one by one, without -E, until there is a "
	    "zygote again; next try in %ld s",
	    n->deaths ? s : 0);
	event_add(n->restart_ev, &(struct timeval){ n->deaths ? s : 0, 0 });
}

static void
say_end(const struct zygote *z, int status, char *to, size_t max)
{
	char how[60];

	log_exit(status, how, sizeof(how));
	if (z->late)
		snprintf(
		    to, max, "no zygote within %ld s (-b)", z->m->o->busy_s);
	else if (z->ready)
		snprintf(
		    to, max, "zygote (pid %ld) %s", (long)z->proc.pid, how);
	else
		snprintf(to, max, "%s -zygote %s before it was ready%s%s",
		    z->m->spec.worker, how, z->diag.first[0] ? ": " : "",
		    z->diag.first);
}

bool
zygotes_reaped(struct mux *m, const struct proc_exit *e)
{
	struct nursery *n = &m->nursery;
	struct zygote *z;
	char why[400];

	for (z = TAILQ_FIRST(&n->all); z; z = TAILQ_NEXT(z, link))
		if (z->proc.pid == e->pid)
			break;
	if (!z)
		return false;
	diag_finish(&z->diag);
	say_end(z, e->status, why, sizeof(why));
	if (z == n->now && m->stopping) {
		n->now = NULL;
	} else if (z == n->now) {
		diag_tell(&z->diag);
		log_msg(LOG_L_ERR, NULL, "%s", why);
		n->now = NULL;
		restart_later(m, z->ready, m->now - z->started);
	}
	rescue(m, z);
	if (z == n->heir) {
		n->heir = NULL;
		diag_tell(&z->diag);
		reread_tried(m, why);
	}
	zygote_free(z);
	return true;
}

/* ---- what it says ---- */

/* "SLOT.NUMBER" of a worker that still waits for its birth by z. */
static struct worker *
waiting_for(const struct zygote *z, const char *birth)
{
	struct mux *m = z->m;
	unsigned long slot = strtoul(birth, NULL, 10);
	struct worker *w;

	if (slot >= (unsigned long)m->o->max_workers)
		return NULL;
	w = &m->workers[slot];
	return w->mother == z && strcmp(w->birth, birth) == 0 ? w : NULL;
}

static void
end_unwanted(const struct mux *m, pid_t pid)
{
	proc_signal(pid, SIGKILL);
	if (m->nursery.ending)
		proc_wait(pid);
}

static void
up(struct zygote *z, const char *birth, long pid)
{
	struct worker *w = waiting_for(z, birth);

	if (!proc_is_worker((pid_t)pid))
		log_msg(LOG_L_ERR, NULL,
		    "zygote (pid %ld) named process %ld, which is no worker",
		    (long)z->proc.pid, pid);
	else if (w)
		worker_born(w, (pid_t)pid);
	else /* too late */
		end_unwanted(z->m, (pid_t)pid);
}

static void
became_ready(struct zygote *z)
{
	struct mux *m = z->m;

	if (z->ready)
		return;
	z->ready = true;
	event_del(z->timer_ev);
	if (m->o->log_events)
		log_msg(LOG_L_INFO, NULL, "zygote (pid %ld) is ready",
		    (long)z->proc.pid);
	if (z == m->nursery.heir)
		reread_tried(m, NULL);
}

static void
hear(struct zygote *z, char *text)
{
	char birth[NAME_MAX_N + 1];
	struct worker *w;
	int at = 0;
	long pid;

	if (strcmp(text, "ready") == 0) {
		became_ready(z);
	} else if (sscanf(text, "up %40s %ld", birth, &pid) == 2) {
		up(z, birth, pid);
	} else if (sscanf(text, "failed %40s %n", birth, &at) == 1 && at) {
		log_msg(LOG_L_ERR, NULL, "zygote (pid %ld) has no worker: %s",
		    (long)z->proc.pid, text + at);
		if ((w = waiting_for(z, birth)))
			worker_unborn(w);
	} else {
		log_msg(LOG_L_ERR, NULL,
		    "zygote (pid %ld) says what nobody understands: %s",
		    (long)z->proc.pid, text);
	}
}

/* Records that are there; false: its end, or nothing more. */
static bool
listen_once(struct zygote *z)
{
	char text[RECORD_MAX + 1];
	ssize_t n;

	if (z->proc.out_fd < 0)
		return false;
	n = recv(z->proc.out_fd, text, RECORD_MAX, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) { /* it exits: how, its death will tell */
		mux_end_fd(&z->ev, &z->proc.out_fd);
		z->leaving = true;
		event_add(z->timer_ev, &(struct timeval){ GONE_S, 0 });
		return false;
	}
	text[n] = '\0';
	hear(z, text);
	return true;
}

void
zygotes_listen(struct mux *m)
{
	struct zygote *z;

	for (z = TAILQ_FIRST(&m->nursery.all); z; z = TAILQ_NEXT(z, link)) {
		while (listen_once(z))
			;
	}
}

static void
on_said(evutil_socket_t fd, short what, void *arg)
{
	struct zygote *z = arg;
	struct mux *m = z->m;

	(void)fd;
	(void)what;
	m->now = clock_mono_ms();
	listen_once(z);
	mux_settle_and_finish(m);
}

/* ---- its birth ---- */

static void
log_zygote_stderr(void *arg, const char *p, size_t n)
{
	const struct zygote *z = arg;

	log_msg(z->m->o->log_events ? LOG_L_INFO : LOG_L_ERR, NULL,
	    "zygote (pid %ld) stderr: %.*s", (long)z->proc.pid, (int)n, p);
}

/* Was not ready, or did not exit, in time. */
static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct zygote *z = arg;

	(void)fd;
	(void)what;
	z->late = !z->leaving;
	proc_signal(z->proc.pid, SIGKILL);
}

static int
watch(struct zygote *z)
{
	struct mux *m = z->m;
	struct timeval limit = { m->o->busy_s, 0 };

	z->ev = mux_watch(m, z->proc.out_fd, on_said, z);
	z->timer_ev = evtimer_new(m->base, on_late, z);
	if (!z->ev || !z->timer_ev || event_add(z->timer_ev, &limit) < 0)
		return -ENOMEM;
	return diag_start(&z->diag, m, &z->proc.err_fd, log_zygote_stderr, z);
}

/* NULL: could not be started; why is said. */
static struct zygote *
zygote_new(struct mux *m, char *why, size_t max)
{
	struct zygote *z = calloc(1, sizeof(*z));
	struct proc_trouble t;
	int r;

	if (!z) {
		snprintf(why, max, "Out of memory");
		return NULL;
	}
	z->m = m;
	z->started = m->now;
	r = proc_start_zygote(&m->spec, &z->proc, &t);
	if (r < 0) {
		snprintf(why, max, "Could not start a zygote: %s %s failed: %s",
		    t.what, m->spec.worker, strerror(-r));
		free(z);
		return NULL;
	}
	if (t.limit_errno)
		log_limit_failed("zygote", t.limit_errno);
	TAILQ_INSERT_TAIL(&m->nursery.all, z, link);
	if (watch(z) < 0) {
		proc_signal(z->proc.pid, SIGKILL);
		proc_wait(z->proc.pid);
		zygote_free(z);
		snprintf(why, max, "Out of memory");
		return NULL;
	}
	return z;
}

static void
start_now(struct mux *m)
{
	struct nursery *n = &m->nursery;
	char why[200];

	n->now = zygote_new(m, why, sizeof(why));
	if (n->now)
		return;
	log_msg(LOG_L_ERR, NULL, "%s", why);
	restart_later(m, false, 0);
}

static void
on_restart(evutil_socket_t fd, short what, void *arg)
{
	struct mux *m = arg;

	(void)fd;
	(void)what;
	m->now = clock_mono_ms();
	if (!m->nursery.now && !m->stopping)
		start_now(m);
}

/* ---- a reread ---- */

void
zygote_try(struct mux *m)
{
	char why[200];

	m->nursery.heir = zygote_new(m, why, sizeof(why));
	if (!m->nursery.heir)
		reread_tried(m, why);
}

void
zygote_succeed(struct mux *m)
{
	struct nursery *n = &m->nursery;

	if (n->now)
		leave(n->now);
	event_del(n->restart_ev);
	n->now = n->heir;
	n->heir = NULL;
	n->deaths = 0;
}

/* ---- workers ---- */

bool
zygote_hatch(struct worker *w)
{
	struct mux *m = w->m;
	struct nursery *n = &m->nursery;
	char order[RECORD_MAX];
	int len;

	if (!n->now || n->now->proc.out_fd < 0)
		return false;
	snprintf(w->birth, sizeof(w->birth), "%u.%llu", w->slot,
	    (unsigned long long)++n->births);
	len = snprintf(
	    order, sizeof(order), "start %s %s/%s", w->birth, n->dir, w->birth);
	if (len >= (int)sizeof(order) || proc_named_pipes(&m->spec, n->dir_fd,
					     w->birth, &w->proc, w->theirs) < 0)
		return false;
	if (send(n->now->proc.out_fd, order, (size_t)len, MSG_NOSIGNAL) !=
	    len) {
		worker_forget(w); /* dead, or behind by hundreds of orders */
		return false;
	}
	w->mother = n->now;
	return true;
}

void
zygote_delivered(struct worker *w)
{
	if (w->birth[0])
		proc_unlink_pipes(w->m->nursery.dir_fd, w->birth);
	proc_close(w->theirs, PROC_FDS);
	w->birth[0] = '\0';
	w->mother = NULL;
}

/* ---- all of them ---- */

/* On disk, the FIFOs of a start can take longer than all the rest of it. */
static int
make_dir(const struct mux *m, char **path)
{
	const struct mux_opts *o = m->o;
	int fd;

	if (o->zygote_dir)
		return fifodir_make(o->zygote_dir, path);
	fd = fifodir_make(IN_MEMORY, path);
	return fd < 0 ? fifodir_make(o->spool_dir, path) : fd;
}

int
zygotes_init(struct mux *m, char *err, size_t errlen)
{
	struct nursery *n = &m->nursery;
	int r;

	TAILQ_INIT(&n->all);
	n->dir_fd = -1;
	if (!m->o->zygote)
		return 0;
	n->restart_ev = evtimer_new(m->base, on_restart, m);
	r = n->restart_ev ? proc_adopt_orphans() : -ENOMEM;
	if (r == 0)
		n->dir_fd = r = make_dir(m, &n->dir);
	if (r < 0)
		snprintf(err, errlen,
		    "-E needs a directory below %s: %s; mend that, or name "
		    "another with --zygote-dir, or do without -E",
		    m->o->zygote_dir ? m->o->zygote_dir : m->o->spool_dir,
		    strerror(-r));
	return r < 0 ? -1 : 0;
}

void
zygotes_start(struct mux *m)
{
	if (m->o->zygote)
		start_now(m);
}

void
zygotes_stop(struct mux *m)
{
	struct zygote *z;

	if (m->nursery.restart_ev)
		event_del(m->nursery.restart_ev);
	for (z = TAILQ_FIRST(&m->nursery.all); z; z = TAILQ_NEXT(z, link)) {
		leave(z);
	}
}

void
zygotes_free(struct mux *m)
{
	struct nursery *n = &m->nursery;
	struct zygote *z;

	if (!n->all.tqh_last) /* never begun */
		return;
	n->ending = true;
	while ((z = TAILQ_FIRST(&n->all))) {
		proc_signal(z->proc.pid, SIGKILL);
		proc_wait_group(z->proc.pid); /* and what it made ahead */
		z->proc.pid = 0;
		while (listen_once(z)) /* workers that nobody knows of */
			;
		zygote_free(z);
	}
	mux_end_event(&n->restart_ev);
	fifodir_remove(n->dir_fd, n->dir);
}
