/* SPDX-License-Identifier: MIT */
/*
 * load: `milter-check load`, what an MTA under load says to a filter: options,
 * the message, and the first connection, which learns what the filter wants
 * (load.h).
 */
#include "cli/check/load.h"

#include "cli/check/link.h"
#include "cli/check/message.h"
#include "cli/check/subcommand.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SPARE_FDS 32

#define AT(member) offsetof(struct load_opts, member)
static const struct opt rows[] = {
	{ 'c', "connections", OPT_INT, OPT_STRICT, AT(connections), "N", "8", 1,
	    100000, "connections at once", NULL },
	{ 'n', "messages", OPT_INT, OPT_STRICT, AT(messages), "N", NULL, 0,
	    1000000000,
	    "messages in all (default: 1000, with --seconds no limit)", NULL },
	{ 'm', "per-connection", OPT_INT, OPT_STRICT, AT(per_connection), "N",
	    NULL, 0, 1000000,
	    "messages on each connection (default: 10, with --idle none)",
	    NULL },
	{ 'b', "body", OPT_INT, OPT_STRICT, AT(body_bytes), "BYTES", "10240", 0,
	    50000000, "size of the body, without MESSAGE", NULL },
	{ 0, "seconds", OPT_STR, 0, AT(seconds_text), "SECS", NULL, 0, 0,
	    "end after so long, as in 0.5", NULL },
	{ 0, "warm-up", OPT_STR, 0, AT(warm_up_text), "SECS", NULL, 0, 0,
	    "count only what comes after so long", NULL },
	{ 0, "idle", OPT_INT, OPT_STRICT, AT(idle), "N", NULL, 0, 1000000,
	    "hold N sessions after HELO, or after the messages of -m", NULL },
	{ 0, "latency", OPT_INT, OPT_STRICT, AT(latency_ms), "MS", NULL, 0,
	    60000, "wait so long before each command, as over a network",
	    NULL },
	{ 0, "timeout", OPT_INT, OPT_STRICT, AT(timeout_s), "SECS", "30", 1,
	    86400, "give a connection up after so long without an answer",
	    NULL },
	{ 0, "pid", OPT_LIST, 0, AT(pids), "PID", NULL, 0, 0,
	    "a process of the filter: tell its CPU time (of all), memory and "
	    "threads (of the first)",
	    NULL },
	{ 0, "same-id", OPT_FLAG, 0, AT(same_id), NULL, NULL, 0, 0,
	    "the same queue id for all messages", NULL },
	{ 0, "apart", OPT_FLAG, 0, AT(apart), NULL, NULL, 0, 0,
	    "write each packet by itself, not all until an answer is due",
	    NULL },
	{ 0, "json", OPT_FLAG, 0, AT(json), NULL, NULL, 0, 0,
	    "show the results as a JSON object on one line", NULL },
	CLIENT_OPT_ROWS(struct load_opts),
};

/* "0.5" -> 500.  0, or -1: no number of seconds. */
static int
parse_seconds(const char *text, msec *ms)
{
	char *end;
	double v;

	if (!text)
		return 0;
	v = strtod(text, &end);
	if (end == text || *end || !isfinite(v) || v < 0.001 || v > 1e7)
		return -1;
	*ms = (msec)(v * 1000);
	return 0;
}

static int
complain(const char *text, int status)
{
	fprintf(stderr, "milter-check load: %s\n", text);
	return status;
}

/* What belongs together.  0, or an exit status. */
static int
check_opts(struct load_opts *o)
{
	char err[200];

	if (parse_seconds(o->seconds_text, &o->ms) < 0 ||
	    parse_seconds(o->warm_up_text, &o->warm_up_ms) < 0)
		return complain("--seconds and --warm-up take a number of "
				"seconds, as in 0.5",
		    CHECK_EXIT_USAGE);
	if (load_pids_check(&o->pids, err, sizeof(err)) < 0)
		return complain(err, CHECK_EXIT_USAGE);
	if (!o->idle && o->per_connection == 0)
		o->per_connection = 10;
	if (o->messages == 0 && o->ms == 0)
		o->messages = 1000;
	return 0;
}

/* As many as may be opened; 0, or an exit status. */
static int
raise_descriptors(const struct load_opts *o)
{
	rlim_t need = (rlim_t)(o->idle ? o->idle : o->connections) + SPARE_FDS;
	struct rlimit files;
	char text[128];

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return 0;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max == RLIM_INFINITY || files.rlim_max >= need)
		return 0;
	snprintf(text, sizeof(text),
	    "only %ju descriptors are allowed: raise the hard limit (ulimit "
	    "-n) or take fewer",
	    (uintmax_t)files.rlim_max);
	return complain(text, CHECK_EXIT_USAGE);
}

/* ---- the first connection -------------------------------------------------------------- */

/* Negotiates and hears the answer: what a plan is made from, appended to
 * *answer. */
static int
negotiate(struct load_run *r, const struct client *c, struct link *l,
    struct buf *answer)
{
	msec wait = (msec)r->o->timeout_s * 1000;
	struct mlt_play_event ev;
	struct mlt_play *play;
	struct link_frame f;
	const uint8_t *p;
	int rc = -1;
	size_t n;

	if (mlt_play_new(&play, client_play_opts(c), client_script(c)) < 0)
		return complain("out of memory", CHECK_EXIT_DOES_NOT);
	if (mlt_play_next(play, &ev) == 0) {
		n = mlt_play_output(play, &p);
		rc = link_write(l, p, n, wait);
	}
	mlt_play_free(play);
	if (rc < 0 || link_read(l, &f, wait) != LINK_FRAME)
		return complain("there is no answer to the negotiation: "
				"`milter-check send' shows more",
		    CHECK_EXIT_DOES_NOT);
	/* length and octet lie before the payload */
	buf_add(answer, f.payload - 5, f.n + 5);
	link_write(l, "\0\0\0\1Q", 5, wait);
	return answer->failed ? complain("out of memory", CHECK_EXIT_DOES_NOT)
			      : 0;
}

/* Whom the first connection reached is where the others go. */
static int
find_address(struct load_run *r, int fd)
{
	r->addr_len = sizeof(r->addr);
	return getpeername(fd, (struct sockaddr *)&r->addr, &r->addr_len);
}

/* 0, or an exit status. */
static int
learn(struct load_run *r, const struct client *c, struct buf *answer)
{
	struct transcript t;
	struct link l;
	char err[300];
	int rc;

	transcript_init(&t);
	if (link_open(&l, r->socket, (msec)r->o->timeout_s * 1000, &t, 1, err,
		sizeof(err)) < 0) {
		transcript_fini(&t);
		return complain(err, CHECK_EXIT_UNREACHABLE);
	}
	rc = find_address(r, l.fd) < 0
		 ? complain("getpeername failed", CHECK_EXIT_UNREACHABLE)
		 : negotiate(r, c, &l, answer);
	link_close(&l);
	transcript_fini(&t);
	return rc;
}

/* ---- all ------------------------------------------------------------------------------- */

static int
status_of(const struct load_run *r)
{
	if (load_all_errors(&r->counts) > 0 || r->lost > 0 || r->gave_up)
		return CHECK_EXIT_DOES_NOT;
	return CHECK_EXIT_CONFORMS;
}

static int
load(const struct load_opts *o, const char *socket, const struct eml *e)
{
	struct load_run r = { .o = o, .socket = socket };
	struct client *c;
	struct buf answer;
	char err[300];
	int rc;

	c = client_new(&o->client, e, 2, err, sizeof(err));
	if (!c)
		return complain(err, CHECK_EXIT_USAGE);
	buf_init(&answer, 0);
	rc = learn(&r, c, &answer);
	if (rc == 0 &&
	    load_plan_make(&r.plan, c,
		(struct mlt_bytes){ buf_data(&answer), buf_len(&answer) },
		o->apart, err, sizeof(err)) < 0)
		rc = complain(err, CHECK_EXIT_DOES_NOT);
	else if (rc == 0) {
		rc = load_run(&r) < 0 || load_show(&r) < 0 ? CHECK_EXIT_DOES_NOT
							   : status_of(&r);
		load_plan_fini(&r.plan);
	}
	buf_fini(&answer);
	client_free(c);
	return rc;
}

int
check_load_main(int argc, char **argv)
{
	const struct cmdline line = { .name = "milter-check load",
		.rows = rows,
		.n = sizeof(rows) / sizeof(*rows),
		.words = " SOCKET [MESSAGE]",
		.command = true,
		.permute = true,
		.usage_status = CHECK_EXIT_USAGE };
	struct load_opts o = { .json = false };
	struct message m;
	int first, rc;

	first = cmdline_parse(&line, &o, argc, argv);
	if (argc - first < 1 || argc - first > 2)
		cmdline_usage(&line, &o);
	if ((rc = check_opts(&o)) || (rc = raise_descriptors(&o)))
		return rc;
	rc = argc - first == 2 ? message_read(&m, argv[first + 1])
			       : message_make(&m, (size_t)o.body_bytes);
	if (rc < 0)
		return CHECK_EXIT_USAGE;
	rc = load(&o, argv[first], &m.eml);
	message_fini(&m);
	return rc;
}
