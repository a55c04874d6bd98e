/* SPDX-License-Identifier: MIT */
/*
 * mux_int: what the files of the multiplexor's edge share.
 *
 * Each libevent callback does: read, feed the pool, mux_settle.  Only
 * mux_settle carries out what the pool decides, so that nothing nests.
 */
#ifndef MULTIPLEXOR_MUX_INT_H
#define MULTIPLEXOR_MUX_INT_H

#include "account.h"
#include "command.h"
#include "line.h"
#include "mux_ev.h"
#include "notify.h"
#include "pool.h"
#include "proc.h"
#include "report.h"

#include "core/base/id.h"
#include "core/base/sockspec.h"

#include <sys/queue.h>

struct event;

#define MUX_NO_WORKER "error: No free workers\n"
#define MUX_NO_START  "error: Unable to activate worker\n"

/* One question, from mux_ask until done has run. */
struct request {
	TAILQ_ENTRY(request) link; /* finished ones */
	uint64_t id;
	mux_done_fn *done; /* NULL: nobody is interested any more */
	void *arg;
	bool finished;     /* `out` is the answer */
	bool lost;         /* finished, and there is no answer */
	bool rereads;      /* waits for a reread, not for the pool */
	uint64_t waits_us; /* in the queue since; 0: never */
	struct buf out;
	size_t n;
	char line[]; /* n octets and an LF */
};
TAILQ_HEAD(requests, request);

/* What a process of ours writes to standard error: diag_ev.c */
typedef void diag_log_fn(void *arg, const char *p, size_t n);
struct diag {
	struct mux *m;
	int fd;
	struct event *ev;
	struct line line;
	struct buf last_words; /* that were not logged */
	char first[160];       /* line since the start */
	bool out_of_memory;
	diag_log_fn *log;
	void *arg;
};

struct zygote;
struct worker {
	struct mux *m;
	unsigned slot;
	struct proc proc; /* pid 0: none */
	struct event *out_ev, *status_ev, *in_ev;
	size_t written; /* of the request's line */
	struct line out, status;
	char tag[REPORT_TAG_MAX + 1]; /* reported; "": that of the request */
	struct diag diag;
	bool reaped;  /* it can be given nothing more */
	bool proving; /* starting: its next line says that it works */
	struct pool_action start; /* what it is started for */
	/* While a zygote is asked for it: */
	struct zygote *mother; /* or NULL */
	char birth[44];        /* name of it; "": none */
	int theirs[PROC_FDS];
};

#define MUX_READ (sizeof(((struct mux *)0)->in) - 1)

/* A socket that is listened on.  m, name and accepted are set before it is
 * opened; accepted gets a descriptor of its own. */
struct listener {
	struct mux *m;
	const char *name; /* for log lines: "request socket" */
	void (*accepted)(struct listener *l, int fd);
	struct sockspec where;
	int fd; /* -1: not open */
	struct event *ev;
	unsigned long refused; /* connections */
	msec complained;       /* about one; 0: never */
};
enum listeners {
	LISTEN_REQUEST, /* -s */
	LISTEN_OPEN,    /* -a */
	LISTEN_NOTIFY,  /* -O */
	LISTEN_MAP,     /* -N */
	LISTEN_N
};

struct client;
TAILQ_HEAD(clients, client);
struct session;
TAILQ_HEAD(sessions, session);
struct map_client;
TAILQ_HEAD(map_clients, map_client);
struct news;

TAILQ_HEAD(zygotes, zygote);
struct nursery {
	struct zygotes all;
	struct zygote *now;  /* forks workers; or NULL */
	struct zygote *heir; /* is on trial */
	struct event *restart_ev;
	unsigned deaths; /* in a row */
	bool ending;
	uint64_t births;
	char *dir; /* for FIFOs; NULL without -E */
	int dir_fd;
};

struct reread {
	bool running, again;
	struct requests asked, later; /* for this one, for the next */
	struct proc proc;             /* on trial; pid 0: none */
	struct event *out_ev, *timer_ev;
	struct diag diag;
	bool answered, late;
};

struct mux {
	struct event_base *base;
	const struct mux_opts *o;
	struct pool *pool;
	struct proc_spec spec;
	struct worker *workers; /* o->max_workers */
	struct id_table ids;    /* of requests that the pool has or had */
	struct requests finished;
	struct account *account;
	struct clockwork *clockwork;
	struct listener listeners[LISTEN_N];
	struct clients clients;
	unsigned n_clients; /* and sessions */
	unsigned n_sending; /* clients of the open socket that have not asked */
	struct sessions sessions;
	struct map_clients map_clients;
	unsigned n_map_clients;
	struct news *news; /* NULL without -O */
	struct event *timer_ev, *finish_ev, *child_ev;
	struct nursery nursery;
	struct reread reread;
	msec timer_at, started, now;
	bool stopping, finish_active;
	void (*stopped)(void *arg);
	void *stopped_arg;
	char in[16384 + 1]; /* what was read last, from whomever; and a NUL */
};

/* ---- mux_ev.c ---- */

/* Carries out the pool's actions, sets the timer. */
void mux_settle(struct mux *m);
/* The same, then runs what is finished: last call of each callback. */
void mux_settle_and_finish(struct mux *m);
struct request *mux_request(struct mux *m, uint64_t id);
/* mux_ask of what a worker must answer, and that does not wait in the queue. */
uint64_t mux_ask_now(
    struct mux *m, const char *line, size_t n, mux_done_fn *done, void *arg);
/* mux_ask for a client of the open socket, who may only look. */
uint64_t mux_ask_open(
    struct mux *m, const char *line, size_t n, mux_done_fn *done, void *arg);
/* Its answer is in r->out. */
void mux_finish(struct mux *m, struct request *r);
/* Gives its answer away, frees it.  The octet p[n] is overwritten. */
void mux_deliver(struct mux *m, struct request *r, char *p, size_t n);

/* A persistent read event; NULL: no memory. */
struct event *mux_watch(
    struct mux *m, int fd, void (*fn)(int, short, void *), void *arg);
void mux_end_event(struct event **ev);
void mux_end_fd(struct event **ev, int *fd); /* closes it too */

/* ---- builtin.c ---- */

/* What the multiplexor answers itself, into out.  false: a worker must. */
bool mux_builtin(struct mux *m, const struct mux_cmd *c, struct buf *out);

/* ---- clockwork_ev.c: what is done by the clock ---- */
int clockwork_new(struct mux *m); /* -ENOMEM */
void clockwork_start(struct mux *m);
void clockwork_stop(struct mux *m);
void clockwork_free(struct mux *m);
void clockwork_write_soon(const struct mux *m); /* the statistics file */
void clockwork_scale(struct mux *m);            /* looks at the load, now */
void clockwork_autoscale(const struct mux *m, struct buf *out);
double clockwork_ema(const struct mux *m); /* of autoscaling */
/* ---- diag_ev.c ---- */
/* Takes *fd, also on failure, and sets it to -1.  -ENOMEM. */
int diag_start(
    struct diag *d, struct mux *m, int *fd, diag_log_fn *log, void *arg);
void diag_drain(struct diag *d);  /* what is in the pipe now */
void diag_finish(struct diag *d); /* the same, and part of a line */
void diag_tell(struct diag *d);   /* logs what was kept */
void diag_forget(struct diag *d); /* what was kept */
void diag_end(struct diag *d);

/* ---- worker_ev.c: one worker's pipes ---- */
/* Starts it and tells the pool how that went, now or later. */
void worker_spawn(struct worker *w, const struct pool_action *a);
/* A zygote has forked it, or will not. */
void worker_born(struct worker *w, pid_t pid);
void worker_unborn(struct worker *w);
void worker_give(struct worker *w, struct request *r);
void worker_close_stdin(struct worker *w);
void worker_dead(struct worker *w);   /* reaps it */
void worker_forget(struct worker *w); /* closes all; kills nobody */
void worker_view(void *mux, unsigned slot, struct report_worker *out);

/* ---- listener_ev.c ---- */
/* 0, or -1 with "SPEC: why" in err. */
int listener_open(struct listener *l, const char *spec, unsigned umask_,
    long backlog, char *err, size_t errlen);
/* Removes the socket's path, too.  One that is not open is fine. */
void listener_close(struct listener *l);
/* Counts a connection that is not served; logs why, but not each time. */
void listener_complain(struct listener *l, const char *why);
/* The same, says text (or nothing) and closes. */
void listener_refuse(
    struct listener *l, int fd, const char *text, const char *why);

/* ---- zygote_ev.c ---- */
/* -1 with a line in err. */
int zygotes_init(struct mux *m, char *err, size_t errlen);
void zygotes_start(struct mux *m);
void zygotes_stop(struct mux *m); /* each does what it was asked, then exits */
void zygotes_free(struct mux *m);
void zygotes_listen(struct mux *m); /* takes what they have said by now */
bool zygotes_reaped(struct mux *m, const struct proc_exit *e); /* was one? */
/* Asks for a worker.  false: there is no zygote that could. */
bool zygote_hatch(struct worker *w);
void zygote_delivered(struct worker *w); /* its FIFOs are of no use any more */
/* A new one, on trial: reread_tried will be called; and in its place. */
void zygote_try(struct mux *m);
void zygote_succeed(struct mux *m);

/* ---- reread_ev.c ---- */
void reread_init(struct mux *m);
void reread_ask(struct mux *m, struct request *r); /* r, or NULL: a signal */
void reread_forget(struct mux *m, struct request *r);
void reread_tried(struct mux *m, const char *why); /* NULL: it loads */
bool reread_reaped(struct mux *m, const struct proc_exit *e);
void reread_stop(struct mux *m);
void reread_free(struct mux *m);

/* ---- client_ev.c: one request a connection ---- */
int clients_listen(struct mux *m, char *err, size_t errlen);
void clients_stop(struct mux *m); /* accepts no more; waiting ones stay */
void clients_free(struct mux *m);

/* ---- session_ev.c: many requests on a connection ---- */
/* Takes fd over, with n octets at p that came behind the question, and answers
 * that.  -ENOMEM: fd is the caller's still. */
int session_new(struct mux *m, int fd, char *p, size_t n);
void sessions_stop(struct mux *m); /* reads no more, answers what is open */
void sessions_free(struct mux *m);

/* ---- notify_ev.c: the listeners of -O ---- */
int news_new(struct mux *m); /* -ENOMEM; a socket that fails is logged */
void news_free(struct mux *m);
/* What happens, in its order. */
void news_change(const struct mux *m, unsigned slot, enum notify_state to);
void news_tag(const struct mux *m, unsigned slot, const char *tag);
void news_event(const struct mux *m, char kind); /* see notify_event */
bool news_wanted(const struct mux *m);           /* somebody listens */

/* ---- socketmap_ev.c: the socket of -N ---- */
void maps_listen(struct mux *m); /* a failure is logged */
void maps_stop(struct mux *m);   /* those without an open request end */
void maps_free(struct mux *m);

/* ---- mux_log.c: the lines that administrators know ---- */
void log_started(const struct mux *m);
void log_start(const struct mux *m, const struct pool_action *a, long pid);
void log_start_failed(
    const struct mux *m, unsigned slot, const char *what, int err);
void log_limit_failed(const char *who, int err);
/* "exited with status 2" */
void log_exit(int status, char *to, size_t max);
void log_stop(const struct mux *m, const struct pool_action *a);
void log_assign(const struct mux *m, const struct pool_action *a);
void log_answer(const struct mux *m, const struct pool_action *a);
void log_waits(const struct mux *m, const struct pool_action *a);
void log_alarm(const struct mux *m, unsigned ms);
void log_retry(const struct mux *m, const struct pool_action *a);
void log_died(const struct mux *m, const struct worker *w);
void log_extra(const struct worker *w, const char *what);
/* i: as it was when it died; another may be in its slot by now. */
void log_reap(const struct mux *m, const struct worker *w,
    const struct pool_info *i, const struct proc_exit *e, bool unexpected);
void log_stderr(
    const struct mux *m, const struct worker *w, const char *p, size_t n);
void log_status(const struct mux *m);

#endif
