/* SPDX-License-Identifier: MIT */
/*
 * load: what an MTA under load does to a filter, and what it costs the filter.
 *
 * It says what Postfix 3.7 was seen to say: macros before each command of a
 * message, ABORT behind each message, and nothing is written before an answer
 * is due, or the envelope is complete.  -S and -a are for other habits.
 *
 * The first connection is a real one: our MTA-side session passes two messages
 * to the filter and checks that it continued and added a header field.  The octets of
 * both directions are kept.  The load replays them on N connections at once and
 * compares each answer with the recorded one, so that nothing is encoded or
 * parsed here while time is taken: the filter shall be the slower end.
 *
 * A filter that keeps files by queue id is given a new one with each message
 * (-u): then each session has its own copy of the octets, to write them into.
 *
 * With -i the sessions say HELO (and with -m pass messages), then stay idle
 * while the filter's memory is read.  Prints one line of JSON.  Any error, and
 * any answer that differs, ends the program with a message and status 1.
 */
#include "core/base/buf.h"
#include "core/base/fdio.h"
#include "core/base/opt.h"

#include <errno.h>
#include <milterproto_server.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STEPS_MAX  64   /* round trips of a message */
#define START_MS   5000 /* for the filter to open its socket */
#define STUCK_MS   20000
#define BATCH      64
#define WARM_PART  8 /* this part of the time is not counted */
#define COUNT(a)   (sizeof(a) / sizeof(*(a)))
#define B(literal) ((struct mlt_bytes){ literal, sizeof(literal) - 1 })
#define QUEUE_ID   "4dfLk16Zq0z123"

struct load_opts {
	long sessions, per_connection, body_bytes, ms, idle;
	bool apart, sparse, unique;
	const char *header;
	struct opt_list pids;
};
#define AT(member) offsetof(struct load_opts, member)
static const struct opt rows[] = {
	{ 's', "sessions", OPT_INT, OPT_STRICT, AT(sessions), "N", "8", 1, 1024,
	    "connections at once", NULL },
	{ 'm', "messages", OPT_INT, OPT_STRICT, AT(per_connection), "N", NULL,
	    0, 1000000, "messages on each connection; 0 is 100, with -i none",
	    NULL },
	{ 'b', "body", OPT_INT, OPT_STRICT, AT(body_bytes), "OCTETS", "10240",
	    0, 100000000, "size of the body", NULL },
	{ 't', "time", OPT_INT, OPT_STRICT, AT(ms), "MS", "1000", 1, 3600000,
	    "how long", NULL },
	{ 'i', "idle", OPT_INT, OPT_STRICT, AT(idle), "N", NULL, 0, 1000000,
	    "only hold N idle sessions and read memory", NULL },
	{ 'a', "apart", OPT_FLAG, 0, AT(apart), NULL, NULL, 0, 0,
	    "write each packet by itself, not all until an answer is due",
	    NULL },
	{ 'S', "sparse", OPT_FLAG, 0, AT(sparse), NULL, NULL, 0, 0,
	    "send macros at four stages only, no ABORT behind a message",
	    NULL },
	{ 'u', "unique", OPT_FLAG, 0, AT(unique), NULL, NULL, 0, 0,
	    "a new queue id with each message", NULL },
	{ 'H', "header", OPT_STR, 0, AT(header), "NAME", "X-Null", 0, 0,
	    "the header field that the filter adds", NULL },
	{ 'p', "pid", OPT_LIST, 0, AT(pids), "PID", NULL, 0, 0,
	    "a process of the filter, for CPU time (of all) and memory (of the "
	    "first)",
	    NULL },
};

/* One round trip: octets [out, out + out_n) leave, then exactly the answer
 * [in, in + in_n) must come. */
struct step {
	size_t out, out_n, in, in_n;
};
struct script {
	struct step step[STEPS_MAX];
	size_t n;
};
/* negotiation to end of the first message (or to HELO); a further message on
 * the same connection; QUIT */
static struct script first, next, quit;
static struct buf octets; /* of all scripts */
static size_t *queue_ids; /* where they are in the octets */
static size_t n_queue_ids;

struct session {
	int fd;
	char *octets; /* its own if ids are unique */
	const struct script *script;
	size_t step, sent, got;
	long messages;
	bool blocked, idle;
};
static struct load_opts o;
static const char *path;
static int ep;
static uint64_t n_messages, n_connections, n_ids;

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("load: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static uint64_t
clock_us(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) < 0)
		die("clock: %s", strerror(errno));
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- recording: one real connection --------------------------------------- */

struct recorder {
	struct mlt_mta *mta;
	struct script *script;
	int fd;
	bool added; /* o.header was seen since the last end of message */
};

static void
check_answer(struct recorder *r, const struct mlt_action *a)
{
	if (!a->final) {
		r->added |= a->reply == MLT_SMFIR_ADDHEADER &&
			    a->name.n == strlen(o.header) &&
			    memcmp(a->name.p, o.header, a->name.n) == 0;
		return;
	}
	if (a->reply != MLT_SMFIR_CONTINUE && a->reply != MLT_SMFIR_OPTNEG)
		die("the filter answered %s", mlt_reply_name(a->reply));
}

static void
read_answer(struct recorder *r)
{
	struct mlt_action a;
	char in[4096];

	while (mlt_mta_awaits(r->mta)) {
		ssize_t n = read(r->fd, in, sizeof(in));
		int rc;

		if (n <= 0)
			die("the filter closed the connection");
		if (buf_add(&octets, in, (size_t)n) < 0)
			die("out of memory");
		if ((rc = mlt_mta_feed(r->mta, in, (size_t)n)) < 0)
			die("answer: %s", mlt_strerror(rc));
		while ((rc = mlt_mta_next(r->mta, &a)) > 0)
			check_answer(r, &a);
		if (rc < 0)
			die("answer: %s", mlt_strerror(rc));
	}
}

/* All that waits to leave becomes a step, with what the filter answers. */
static void
flush_step(struct recorder *r)
{
	struct step *s = &r->script->step[r->script->n];
	const uint8_t *p;
	int rc;

	if (mlt_mta_output(r->mta, &p) == 0)
		return;
	if (r->script->n++ == STEPS_MAX)
		die("a message of more than %d steps", STEPS_MAX);
	s->out = buf_len(&octets);
	while ((s->out_n = mlt_mta_output(r->mta, &p)) > 0) {
		if (buf_add(&octets, p, s->out_n) < 0)
			die("out of memory");
		if ((rc = fdio_write_all(r->fd, p, s->out_n)) < 0)
			die("write: %s", strerror(-rc));
		mlt_mta_sent(r->mta, s->out_n);
	}
	s->in = buf_len(&octets);
	s->out_n = s->in - s->out;
	read_answer(r);
	s->in_n = buf_len(&octets) - s->in;
}

/* rc of an mlt_mta_ function: 0 = not sent, the filter does not want it; 1 =
 * sent, and an answer will come; 2 = sent, and none will. */
static void
say(struct recorder *r, int rc)
{
	if (rc < 0)
		die("cannot say it: %s", mlt_strerror(rc));
	if (rc == 1 || (rc == 2 && o.apart))
		flush_step(r);
}

static void
macros(struct recorder *r, uint8_t cmd, const struct mlt_bytes *v, size_t n)
{
	say(r, mlt_mta_macros(r->mta, cmd, v, n / 2));
}

static void
record_greeting(struct recorder *r)
{
	static const struct mlt_bytes at_connect[] = { B("j"),
		B("mx.example.org"), B("_"),
		B("client.example.net [192.0.2.17]"), B("{daemon_name}"),
		B("MTA"), B("{if_name}"), B("mx.example.org"), B("{if_addr}"),
		B("192.0.2.1") };
	static const struct mlt_bytes at_helo[] = { B("{tls_version}"),
		B("TLSv1.3"), B("{cipher}"), B("TLS_AES_256_GCM_SHA384"),
		B("{cipher_bits}"), B("256") };

	say(r, mlt_mta_negotiate(r->mta));
	macros(r, MLT_SMFIC_CONNECT, at_connect, COUNT(at_connect));
	say(r, mlt_mta_connect(r->mta, B("client.example.net"), '4', 40025,
		   B("192.0.2.17")));
	macros(r, MLT_SMFIC_HELO, at_helo, COUNT(at_helo));
	say(r, mlt_mta_helo(r->mta, B("client.example.net")));
}

static void
record_envelope(struct recorder *r)
{
	static const struct mlt_bytes at_mail[] = { B("i"), B(QUEUE_ID),
		B("{mail_mailer}"), B("esmtp"), B("{mail_host}"),
		B("example.net."), B("{mail_addr}"), B("alice@example.net") };
	static const struct mlt_bytes at_rcpt[] = { B("{rcpt_mailer}"),
		B("local"), B("{rcpt_host}"), B(""), B("{rcpt_addr}"),
		B("bob") };
	static const struct mlt_bytes from[] = { B("<alice@example.net>"),
		B("SIZE=10800"), B("BODY=8BITMIME") };
	static const struct mlt_bytes to[] = { B("<bob@example.org>") };

	macros(r, MLT_SMFIC_MAIL, at_mail, COUNT(at_mail));
	say(r, mlt_mta_mail(r->mta, from, COUNT(from)));
	macros(r, MLT_SMFIC_RCPT, at_rcpt, COUNT(at_rcpt));
	say(r, mlt_mta_rcpt(r->mta, to, COUNT(to)));
}

/* Postfix tells it again before each command of the message. */
static void
tell_queue_id(struct recorder *r, uint8_t cmd)
{
	static const struct mlt_bytes id[] = { B("i"), B(QUEUE_ID) };

	if (!o.sparse || cmd == MLT_SMFIC_EOM)
		macros(r, cmd, id, COUNT(id));
}

static void
record_body(struct recorder *r)
{
	static const char line[] = "Lorem ipsum dolor sit amet, consectetur "
				   "adipisici elit, sed eiusmod tempor\r\n";
	char chunk[MLT_BODY_MAX];
	size_t left = (size_t)o.body_bytes;

	for (size_t i = 0; i < sizeof(chunk); i++)
		chunk[i] = line[i % (sizeof(line) - 1)];
	while (left > 0) {
		size_t n = left < MLT_BODY_MAX ? left : MLT_BODY_MAX;

		tell_queue_id(r, MLT_SMFIC_BODY);
		say(r, mlt_mta_body(r->mta, chunk, n));
		left -= n;
	}
}

static void
record_message(struct recorder *r)
{
	static const struct mlt_bytes headers[][2] = {
		{ B("Received"),
		    B("from client.example.net (client.example.net "
		      "[192.0.2.17])\n\tby mx.example.org (8.17.1/8.17.1) with "
		      "ESMTPS id 4AMLk1Zq012345\n\tfor <bob@example.org>; Sun, "
		      "22 Nov 2026 21:46:01 GMT") },
		{ B("From"), B("Alice Example <alice@example.net>") },
		{ B("To"), B("Bob Example <bob@example.org>") },
		{ B("Subject"), B("Minutes of the meeting on Thursday") },
		{ B("Date"), B("Sun, 22 Nov 2026 21:46:00 +0000") },
		{ B("Message-ID"), B("<20261122214600.12345@example.net>") },
		{ B("MIME-Version"), B("1.0") },
		{ B("Content-Type"), B("text/plain; charset=utf-8") },
	};

	record_envelope(r);
	tell_queue_id(r, MLT_SMFIC_DATA);
	say(r, mlt_mta_data(r->mta));
	if (!o.sparse)
		flush_step(r); /* another process of Postfix goes on */
	for (size_t i = 0; i < COUNT(headers); i++) {
		tell_queue_id(r, MLT_SMFIC_HEADER);
		say(r, mlt_mta_header(r->mta, headers[i][0], headers[i][1]));
	}
	tell_queue_id(r, MLT_SMFIC_EOH);
	say(r, mlt_mta_eoh(r->mta));
	record_body(r);
	tell_queue_id(r, MLT_SMFIC_EOM);
	r->added = false;
	say(r, mlt_mta_eom(r->mta));
	if (!r->added)
		die("the filter did not add %s", o.header);
	if (!o.sparse)
		say(r, mlt_mta_abort(r->mta)); /* Postfix does, always */
}

/* Unless o.apart, packets that are not answered leave with the next one that is,
 * as from an MTA that writes when it must wait. */
static uint32_t
record(int fd)
{
	struct recorder r = { .fd = fd, .script = &first };
	uint32_t agreed;

	if (mlt_mta_new(&r.mta, NULL) < 0)
		die("out of memory");
	record_greeting(&r);
	if (o.per_connection > 0)
		record_message(&r);
	else
		flush_step(&r); /* HELO, if it is not answered */
	r.script = &next;
	record_message(&r);
	r.script = &quit;
	say(&r, mlt_mta_quit(r.mta, false));
	flush_step(&r);
	agreed = mlt_mta_protocol(r.mta);
	mlt_mta_free(r.mta);
	close(fd);
	return agreed;
}

static void
find_queue_ids(void)
{
	const char *start = buf_data(&octets), *end = start + buf_len(&octets);
	const char *p = start;

	queue_ids =
	    calloc(buf_len(&octets) / strlen(QUEUE_ID) + 1, sizeof(*queue_ids));
	if (!queue_ids)
		die("out of memory");
	while ((p = memmem(p, (size_t)(end - p), QUEUE_ID, strlen(QUEUE_ID)))) {
		queue_ids[n_queue_ids++] = (size_t)(p - start);
		p += strlen(QUEUE_ID);
	}
}

/* ---- replaying -------------------------------------------------------------- */

static void run_script(struct session *s, const struct script *script);
static void session_push(struct session *s);

static void
watch(struct session *s, int op, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	if (epoll_ctl(ep, op, s->fd, &ev) < 0)
		die("epoll_ctl: %s", strerror(errno));
}

static void
session_open(struct session *s)
{
	if ((s->fd = fdio_unix_connect(path, true)) < 0)
		die("%s: %s", path, strerror(-s->fd));
	if (o.unique && !s->octets && !(s->octets = malloc(buf_len(&octets))))
		die("out of memory");
	if (s->octets)
		memcpy(s->octets, buf_data(&octets), buf_len(&octets));
	s->messages = 0;
	s->blocked = false;
	n_connections++;
	watch(s, EPOLL_CTL_ADD, EPOLLIN);
	run_script(s, &first);
}

/* A script came to its end. */
static void
session_done(struct session *s)
{
	if (s->script == &quit) {
		close(s->fd);
		session_open(s);
		return;
	}
	if (s->script == &next || o.per_connection > 0) {
		s->messages++;
		n_messages++;
	}
	if (s->messages < o.per_connection)
		run_script(s, &next);
	else if (o.idle > 0)
		s->idle = true;
	else
		run_script(s, &quit);
}

static void
step_done(struct session *s)
{
	s->sent = s->got = 0;
	if (++s->step == s->script->n)
		session_done(s);
	else
		session_push(s);
}

/* Sends what the present step says; goes on while no answer is due. */
static void
session_push(struct session *s)
{
	const struct step *step = &s->script->step[s->step];

	while (s->sent < step->out_n) {
		const char *p = s->octets ? s->octets : buf_data(&octets);
		ssize_t n = send(s->fd, p + step->out + s->sent,
		    step->out_n - s->sent, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			die("write: %s", strerror(errno));
		if (n < 0 || s->blocked) {
			s->blocked = n < 0;
			watch(s, EPOLL_CTL_MOD,
			    s->blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
		}
		if (n < 0)
			return;
		s->sent += (size_t)n;
	}
	if (step->in_n == 0)
		step_done(s);
}

static void
session_pull(struct session *s)
{
	const struct step *step = &s->script->step[s->step];
	char in[1024];
	size_t want = step->in_n - s->got;
	ssize_t n = recv(s->fd, in, want < sizeof(in) ? want : sizeof(in), 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("the filter closed a connection");
	if (memcmp(in, buf_data(&octets) + step->in + s->got, (size_t)n) != 0)
		die("an answer differs from the recorded one");
	s->got += (size_t)n;
	if (s->got == step->in_n)
		step_done(s);
}

static void
next_queue_id(struct session *s)
{
	char id[sizeof(QUEUE_ID)];

	snprintf(id, sizeof(id), "b%013jx", (uintmax_t)n_ids++);
	for (size_t i = 0; i < n_queue_ids; i++)
		memcpy(s->octets + queue_ids[i], id, sizeof(id) - 1);
}

static void
run_script(struct session *s, const struct script *script)
{
	if (s->octets && script != &quit)
		next_queue_id(s);
	s->script = script;
	s->step = s->sent = s->got = 0;
	session_push(s);
}

static void
turn(void)
{
	struct epoll_event ev[BATCH];
	int n = epoll_wait(ep, ev, BATCH, STUCK_MS);

	if (n == 0)
		die("no answer for %d s", STUCK_MS / 1000);
	if (n < 0 && errno != EINTR)
		die("epoll_wait: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		struct session *s = ev[i].data.ptr;

		if (ev[i].events & EPOLLOUT)
			session_push(s);
		else
			session_pull(s);
	}
}

/* ---- measuring -------------------------------------------------------------- */

/* Number behind "NAME:" in /proc/PID/FILE; 0 if there is none. */
static long
proc_number(const char *file, const char *name)
{
	char where[64], line[256];
	size_t n = strlen(name);
	long v = 0;
	FILE *f;

	snprintf(where, sizeof(where), "/proc/%s/%s",
	    o.pids.n > 0 ? o.pids.v[0] : "0", file);
	if (!(f = fopen(where, "re")))
		return 0;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			v = strtol(line + n + 1, NULL, 10);
	fclose(f);
	return v;
}

struct sample {
	uint64_t wall, filter, load; /* microseconds */
};

/* utime + stime of all threads, dead ones too, finer than /proc/PID/stat. */
static struct sample
sample_now(void)
{
	struct sample s = { .wall = clock_us(CLOCK_MONOTONIC),
		.load = clock_us(CLOCK_PROCESS_CPUTIME_ID) };
	clockid_t id;

	for (size_t i = 0; i < o.pids.n; i++)
		if (clock_getcpuclockid(atoi(o.pids.v[i]), &id) == 0)
			s.filter += clock_us(id);
	return s;
}

static void
measure_speed(uint32_t agreed)
{
	struct session *all = calloc((size_t)o.sessions, sizeof(*all));
	uint64_t start = clock_us(CLOCK_MONOTONIC);
	uint64_t us = (uint64_t)o.ms * 1000;
	struct sample a, z;
	double n;

	if (!all)
		die("out of memory");
	for (long i = 0; i < o.sessions; i++)
		session_open(&all[i]);
	while (clock_us(CLOCK_MONOTONIC) < start + us / WARM_PART)
		turn();
	a = sample_now();
	n_messages = n_connections = 0;
	while (clock_us(CLOCK_MONOTONIC) < a.wall + us)
		turn();
	z = sample_now();
	if (n_messages == 0)
		die("not one message in %ld ms", o.ms);
	n = (double)n_messages;
	printf("{\"sessions\":%ld,\"per_connection\":%ld,\"body\":%ld,"
	       "\"agreed\":%u,\"messages\":%.0f,\"connections\":%ju,"
	       "\"seconds\":%.3f,\"per_second\":%.1f,"
	       "\"filter_cpu_us\":%.3f,\"load_cpu_us\":%.3f,"
	       "\"rss_kb\":%ld,\"threads\":%ld}\n",
	    o.sessions, o.per_connection, o.body_bytes, agreed, n,
	    (uintmax_t)n_connections, (double)(z.wall - a.wall) / 1e6,
	    n * 1e6 / (double)(z.wall - a.wall),
	    (double)(z.filter - a.filter) / n, (double)(z.load - a.load) / n,
	    proc_number("smaps_rollup", "Rss"),
	    proc_number("status", "Threads"));
	free(all);
}

static void
measure_memory(void)
{
	struct session *all = calloc((size_t)o.idle, sizeof(*all));
	long before = proc_number("smaps_rollup", "Rss"), after;

	if (!all)
		die("out of memory");
	for (long i = 0; i < o.idle; i++) {
		session_open(&all[i]);
		while (!all[i].idle)
			turn();
	}
	after = proc_number("smaps_rollup", "Rss");
	printf("{\"idle\":%ld,\"messages\":%ld,\"rss_before_kb\":%ld,"
	       "\"rss_kb\":%ld,\"bytes_per_session\":%.1f,\"threads\":%ld}\n",
	    o.idle, o.per_connection, before, after,
	    (double)(after - before) * 1024 / (double)o.idle,
	    proc_number("status", "Threads"));
	free(all);
}

static int
connect_patiently(void)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	uint64_t end = clock_us(CLOCK_MONOTONIC) + START_MS * 1000;
	int fd;

	while ((fd = fdio_unix_connect(path, false)) < 0) {
		if (clock_us(CLOCK_MONOTONIC) > end)
			die("%s: %s", path, strerror(-fd));
		nanosleep(&pause, NULL);
	}
	return fd;
}

int
main(int argc, char **argv)
{
	struct rlimit files;
	uint32_t agreed;
	int rest;

	if (opt_parse_words(rows, COUNT(rows), &o, argc, argv, &rest) != 0 ||
	    rest != argc - 1 || !(path = mlt_listen_path(argv[rest]))) {
		fputs("usage: load [options] UNIX-SOCKET\n", stderr);
		return 2;
	}
	if (o.per_connection == 0 && o.idle == 0)
		o.per_connection = 100;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) < 0)
		die("epoll_create1: %s", strerror(errno));
	agreed = record(connect_patiently());
	find_queue_ids();
	if (o.idle > 0)
		measure_memory();
	else
		measure_speed(agreed);
	return 0;
}
