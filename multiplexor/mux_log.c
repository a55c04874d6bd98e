/* SPDX-License-Identifier: MIT */
/*
 * mux_log: the lines that administrators know (spec:mux-log).  Those of events
 * only with -l; what needs somebody to act, always.  What is told here is told
 * to the books (account.h), too.
 */
#include "mux_int.h"

#include "core/base/log.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define COMMAND_SHOWN 100 /* octets */

static bool
quiet(const struct mux *m)
{
	return !m->o->log_events;
}

void
log_started(const struct mux *m)
{
	const struct mux_opts *o = m->o;

	if (quiet(m))
		return;
	log_msg(LOG_L_INFO, NULL,
	    "started; minWorkers=%ld, maxWorkers=%ld, maxRequests=%ld, "
	    "maxLifetime=%ld, maxIdleTime=%ld, busyTimeout=%ld, "
	    "clientTimeout=%ld",
	    o->min_workers, o->max_workers, o->max_requests, o->max_lifetime_s,
	    o->idle_s, o->busy_s, o->client_s);
}

/* ---- starting and stopping workers ---- */

static void
start_reason(
    const struct mux *m, const struct pool_action *a, char *to, size_t max)
{
	const struct request *r = id_get(&m->ids, a->req);
	size_t n;

	if (a->why == POOL_WHY_SCALE) {
		snprintf(to, max, "Autoscale: scale-out (ema_busy=%.2f)",
		    clockwork_ema(m));
	} else if (a->why == POOL_WHY_REREAD) {
		snprintf(to, max, "Bringing up the new generation");
	} else if (!r) {
		snprintf(to, max, "Bringing workers up to minWorkers (%ld)",
		    m->o->min_workers);
	} else if (mux_classify(r->line, r->n) == MUX_SCAN) {
		snprintf(to, max, "About to perform scan");
	} else if (metrics_kind(r->line, r->n) == KIND_MAP) {
		snprintf(to, max, "About to handle map request");
	} else if (metrics_kind(r->line, r->n) == KIND_TICK) {
		snprintf(to, max, "About to run tick");
	} else {
		n = r->n < COMMAND_SHOWN ? r->n : COMMAND_SHOWN;
		snprintf(to, max, "About to execute command '%.*s'", (int)n,
		    r->line);
	}
}

void
log_start(const struct mux *m, const struct pool_action *a, long pid)
{
	char reason[COMMAND_SHOWN + 40];

	start_reason(m, a, reason, sizeof(reason));
	account_started(m, a, reason);
	news_change(m, a->slot, NOTIFY_IDLE);
	if (quiet(m))
		return;
	log_msg(LOG_L_INFO, NULL,
	    "Starting worker %u (pid %ld) (%u running): %s", a->slot, pid,
	    pool_running(m->pool), reason);
}

/* Always: no mail passes until somebody acts. */
void
log_start_failed(const struct mux *m, unsigned slot, const char *what, int err)
{
	const char *path = "";

	account_count(m, METRIC_START_FAILED);
	if (strcmp(what, "exec") == 0)
		path = m->spec.worker;
	else if (strcmp(what, "chdir") == 0)
		path = m->spec.spool_dir;
	log_msg(LOG_L_ERR, NULL, "Could not start worker %u: %s%s%s failed: %s",
	    slot, what, *path ? " " : "", path, strerror(err));
}

void
log_limit_failed(const char *who, int err)
{
	log_msg(LOG_L_WARN, NULL,
	    "%s runs without its memory limit (-R, -M): setrlimit "
	    "failed: %s",
	    who, strerror(err));
}

void
log_exit(int status, char *to, size_t max)
{
	if (WIFSIGNALED(status))
		snprintf(to, max, "was ended by signal %d", WTERMSIG(status));
	else
		snprintf(to, max, "exited with status %d", WEXITSTATUS(status));
}

static void
stop_reason(
    const struct mux *m, const struct pool_action *a, char *to, size_t max)
{
	static const char *const texts[POOL_WHY_N] = {
		[POOL_WHY_GENERATION] =
		    "New generation -- forcing reread of filter rules",
		[POOL_WHY_REREAD] = "Forcing reread of filter rules",
		[POOL_WHY_IDLE] = "Idle timeout",
		[POOL_WHY_BUSY] = "Busy timeout",
		[POOL_WHY_TALK] = "Error talking to worker process",
		[POOL_WHY_OUTPUT] = "Unexpected output of worker",
		[POOL_WHY_STOP] = "Stopping workers and terminating",
	};
	struct pool_info i;

	pool_info(m->pool, a->slot, &i);
	if (a->why == POOL_WHY_REQUESTS)
		snprintf(
		    to, max, "Worker has processed %u requests", i.requests);
	else if (a->why == POOL_WHY_LIFETIME)
		snprintf(to, max,
		    "Worker has exceeded maximum lifetime of %ld seconds",
		    m->o->max_lifetime_s);
	else if (a->why == POOL_WHY_SCALE)
		snprintf(to, max, "Autoscale: scale-in (ema_busy=%.2f)",
		    clockwork_ema(m));
	else
		snprintf(to, max, "%s", texts[a->why] ? texts[a->why] : "");
}

static long
age(const struct mux *m, msec since)
{
	return since == MSEC_NEVER ? -1 : (long)((m->now - since) / 1000);
}

/* A busy timeout is news; not that of a map or a tick. */
static void
news_told(const struct mux *m, const struct pool_action *a)
{
	enum request_kind kind = m->account->runs[a->slot].kind;

	if (a->why == POOL_WHY_BUSY && kind != KIND_MAP && kind != KIND_TICK)
		news_event(m, 'B');
	news_change(m, a->slot, NOTIFY_KILLED);
}

void
log_stop(const struct mux *m, const struct pool_action *a)
{
	long pid = m->workers[a->slot].proc.pid;
	char reason[80], state[16];
	struct pool_info i;

	stop_reason(m, a, reason, sizeof(reason));
	account_told(m, a, reason);
	news_told(m, a);
	if (quiet(m))
		return;
	if (a->why == POOL_WHY_OVERDUE) {
		log_msg(LOG_L_INFO, NULL,
		    a->type == POOL_TERM
			? "Worker %u (pid %ld) taking too long to exit; "
			  "sending SIGTERM"
			: "Worker %u (pid %ld) taking way too long to exit; "
			  "sending SIGKILL",
		    a->slot, pid);
		return;
	}
	pool_info(m->pool, a->slot, &i);
	snprintf(state, sizeof(state), "%s", pool_state_name(a->was));
	state[0] = (char)tolower((unsigned char)state[0]);
	log_msg(LOG_L_INFO, NULL,
	    "Killing %s worker %u (pid %ld) req=%u age=%ld req_age=%ld: %s",
	    state, a->slot, pid, i.requests, age(m, i.started),
	    age(m, i.first_req), reason);
}

/* ---- requests ---- */

void
log_assign(const struct mux *m, const struct pool_action *a)
{
	static const int numbers[MUX_CLASS_N] = { [MUX_SCAN] = 0,
		[MUX_RELAYOK] = 1,
		[MUX_SENDEROK] = 2,
		[MUX_RECIPOK] = 3,
		[MUX_OTHER] = -1 };
	struct pool_info i;

	account_assigned(m, a, id_get(&m->ids, a->req));
	news_change(m, a->slot, NOTIFY_BUSY);
	if (!m->o->log_scheduling)
		return;
	pool_info(m->pool, a->slot, &i);
	log_msg(LOG_L_INFO, NULL,
	    "Scheduling %s worker %u for cmdno %d (activated=%llu, last=%d)",
	    a->was == POOL_STARTING ? "Stopped" : "Idle", a->slot,
	    numbers[a->cls], (unsigned long long)i.activation,
	    a->last == POOL_NO_CLASS ? -2 : numbers[a->last]);
}

void
log_waits(const struct mux *m, const struct pool_action *a)
{
	account_waits(m, id_get(&m->ids, a->req));
	if (!quiet(m))
		log_msg(LOG_L_INFO, NULL,
		    "All workers are busy: Queueing request (%u queued)", a->n);
}

static void
log_domain_limit(const struct mux *m, const struct request *r)
{
	const char *p = "";
	size_t n = 0;

	report_domain(r->line, r->n, &p, &n);
	log_msg(LOG_L_WARN, NULL,
	    "Hit per-domain recipok limit (%ld) for domain %.*s",
	    m->o->per_domain, (int)n, p);
}

/* The request itself is named: the queue id is what one looks for. */
static void
log_given_up(const struct request *r)
{
	char qid[REPORT_QID_MAX + 1], tag[REPORT_TAG_MAX + 1];

	report_qid(r->line, r->n, qid);
	report_request_tag(r->line, r->n, tag);
	log_msg(LOG_L_ERR, *qid ? qid : NULL,
	    "\"%s\" is given up: the worker that had it died, and so did the "
	    "next one",
	    tag);
}

static void
log_tick(
    const struct mux *m, const struct pool_action *a, const struct request *r)
{
	bool busy = a->answer == POOL_A_BUSY;
	char slot[12];

	snprintf(slot, sizeof(slot), "%u", a->slot);
	if (!busy && a->answer != POOL_A_START)
		return; /* it ran */
	account_count(m, METRIC_TICKS_SKIPPED);
	if (!quiet(m))
		log_msg(LOG_L_WARN, NULL, "Tick %.*s skipped -- %s%s",
		    (int)(r->n - strlen("tick ")), r->line + strlen("tick "),
		    busy ? "no free workers" : "unable to activate worker ",
		    busy ? "" : slot);
}

/* Why it could not be served, with -l. */
static void
log_refused(
    const struct mux *m, const struct pool_action *a, const struct request *r)
{
	if (a->answer == POOL_A_DOMAIN) {
		log_domain_limit(m, r);
	} else if (a->answer == POOL_A_BUSY) {
		if (m->o->queue_max)
			log_msg(LOG_L_INFO, NULL,
			    "Cannot queue request: request queue is full");
		log_msg(LOG_L_WARN, NULL, "No free workers");
	} else if (a->answer == POOL_A_START) {
		log_msg(
		    LOG_L_ERR, NULL, "Unable to activate worker %u", a->slot);
	}
}

/* A tick has words of its own, and a map is told by its client. */
void
log_answer(const struct mux *m, const struct pool_action *a)
{
	struct request *r = id_get(&m->ids, a->req);
	enum request_kind kind = metrics_kind(r->line, r->n);

	account_failed(m, a, r);
	if (a->answer == POOL_A_DIED)
		log_given_up(r);
	if (a->answer == POOL_A_START && a->n && !quiet(m))
		log_msg(LOG_L_DEBUG, NULL,
		    "Did not start worker %u: Not enough time elapsed since "
		    "last worker activation",
		    a->slot);
	if (kind == KIND_TICK)
		log_tick(m, a, r);
	else if (kind != KIND_MAP && !quiet(m))
		log_refused(m, a, r);
}

void
log_retry(const struct mux *m, const struct pool_action *a)
{
	const struct request *r = id_get(&m->ids, a->req);
	char qid[REPORT_QID_MAX + 1];

	account_count(m, METRIC_RETRIED);
	account_ended(m, a->slot, false);
	report_qid(r->line, r->n, qid);
	log_msg(LOG_L_WARN, *qid ? qid : NULL,
	    "request of worker %u will be tried once more on another", a->slot);
}

/* ---- death ---- */

void
log_died(const struct mux *m, const struct worker *w)
{
	if (w->diag.out_of_memory)
		log_msg(LOG_L_ERR, NULL,
		    "Worker %u ran out of memory -- possible DoS attack due "
		    "to complex MIME?",
		    w->slot);
	else
		log_msg(LOG_L_ERR, NULL,
		    "Worker %u died prematurely -- check your filter rules%s",
		    w->slot,
		    quiet(m) ? " (-l logs all that workers write to stderr)"
			     : "");
}

void
log_alarm(const struct mux *m, unsigned ms)
{
	account_count(m, METRIC_ALARMS);
	log_msg(LOG_L_ERR, NULL,
	    "workers die before they answer anything: next start in %u s; "
	    "check that \"%s%s%s -test\" accepts the filter",
	    (ms + 999) / 1000, m->spec.worker, m->spec.filter ? " -f " : "",
	    m->spec.filter ? m->spec.filter : "");
}

void
log_extra(const struct worker *w, const char *what)
{
	log_msg(LOG_L_WARN, NULL,
	    "Worker %u (pid %ld): %s; filters must not print to standard "
	    "output",
	    w->slot, (long)w->proc.pid, what);
}

static void
log_usage(
    const struct worker *w, const struct pool_info *i, const struct rusage *u)
{
	log_msg(LOG_L_INFO, NULL,
	    "Worker %u resource usage: req=%u, scans=%u, user=%ld.%03ld, "
	    "sys=%ld.%03ld, nswap=%ld, majflt=%ld, minflt=%ld, maxrss=%ld, "
	    "bi=%ld, bo=%ld",
	    w->slot, i->requests, i->scans, (long)u->ru_utime.tv_sec,
	    (long)u->ru_utime.tv_usec / 1000, (long)u->ru_stime.tv_sec,
	    (long)u->ru_stime.tv_usec / 1000, u->ru_nswap, u->ru_majflt,
	    u->ru_minflt, u->ru_maxrss, u->ru_inblock, u->ru_oublock);
}

void
log_reap(const struct mux *m, const struct worker *w, const struct pool_info *i,
    const struct proc_exit *e, bool unexpected)
{
	enum log_level level = unexpected ? LOG_L_ERR : LOG_L_DEBUG;
	const char *tail = unexpected ? " (WORKER DIED UNEXPECTEDLY)" : "";
	long pid = e->pid;
	int sig = WIFSIGNALED(e->status) ? WTERMSIG(e->status) : 0;

	if (unexpected)
		account_count(m, w->diag.out_of_memory ? METRIC_DIED_MEMORY
				 : sig                 ? METRIC_DIED_SIGNAL
						       : METRIC_DIED_EXIT);
	account_reaped(m, w->slot);
	if (unexpected)
		news_event(m, 'U');
	news_change(m, w->slot, NOTIFY_STOPPED);
	if (quiet(m))
		return;
	if (!sig)
		log_msg(level, NULL,
		    "Reap: worker %u (pid %ld) exited normally with status "
		    "%d%s",
		    w->slot, pid, WEXITSTATUS(e->status), tail);
	else if (!unexpected && (sig == SIGTERM || sig == SIGKILL))
		log_msg(level, NULL,
		    "Reap: worker %u (pid %ld) exited due to SIGTERM/SIGKILL "
		    "as expected.",
		    w->slot, pid);
	else
		log_msg(level, NULL,
		    "Reap: worker %u (pid %ld) exited due to signal %d%s",
		    w->slot, pid, sig, tail);
	log_usage(w, i, &e->usage);
}

void
log_stderr(const struct mux *m, const struct worker *w, const char *p, size_t n)
{
	const struct request *r = id_get(&m->ids, pool_req(m->pool, w->slot));
	char qid[REPORT_QID_MAX + 1] = "";

	if (r)
		report_qid(r->line, r->n, qid);
	log_msg(quiet(m) ? LOG_L_ERR : LOG_L_INFO, *qid ? qid : NULL,
	    "Worker %u stderr: %.*s", w->slot, (int)n, p);
}

void
log_status(const struct mux *m)
{
	struct pool_counts c;

	pool_count(m->pool, &c);
	log_msg(LOG_L_INFO, NULL,
	    "Worker status: Stopped=%u Idle=%u Busy=%u Killed=%u Queued=%u "
	    "Msgs=%llu Activations=%llu",
	    c.stopped, c.idle, c.busy, c.killed, c.queued,
	    (unsigned long long)c.msgs, (unsigned long long)c.activations);
}
