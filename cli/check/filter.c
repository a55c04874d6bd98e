/* SPDX-License-Identifier: MIT */
/*
 * filter: `milter-check filter SOCKET`, the MTA that tests a filter.
 */
#include "cli/check/filter.h"

#include "cli/check/filter_judged.h"
#include "cli/check/repeat.h"
#include "cli/check/subcommand.h"
#include "cli/check/talk.h"

#include <milterproto_server.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECOVER_MS 10000 /* for a filter that is started again */

#define AT(member) offsetof(struct filter_opts, member)
static const struct opt rows[] = {
	{ 'f', "from", OPT_STR, 0, AT(from), "ADDRESS", "<alice@example.net>",
	    0, 0, "the sender of the message that the filter is asked about",
	    NULL },
	{ 't', "to", OPT_STR, 0, AT(to), "ADDRESS", "<bob@example.org>", 0, 0,
	    "its recipient", NULL },
	{ 0, "helo", OPT_STR, 0, AT(helo), "NAME", "client.example.net", 0, 0,
	    "what the client says in HELO", NULL },
	{ 0, "host", OPT_STR, 0, AT(host), "NAME", "client.example.net", 0, 0,
	    "the client's name", NULL },
	{ 0, "ip", OPT_STR, 0, AT(ip), "ADDRESS", "192.0.2.17", 0, 0,
	    "the client's address", NULL },
	{ 0, "header", OPT_LIST, 0, AT(headers), "FIELD", NULL, 0, 0,
	    "one more field of it, such as `X-Spam: yes'; may be repeated",
	    NULL },
	{ 0, "body", OPT_STR, 0, AT(body), "TEXT", NULL, 0, 0,
	    "its body; one line, if not given", NULL },
	{ 0, "grace-ms", OPT_INT, OPT_STRICT, AT(grace_ms), "MS", "150", 1,
	    60000,
	    "wait so long for what must not come, and for what does not: then "
	    "another session is passed, and it is waited for once more",
	    NULL },
	{ 0, "reply-ms", OPT_INT, OPT_STRICT, AT(reply_ms), "MS", "10000", 1,
	    600000, "the longest wait for an answer", NULL },
	CHECK_OPT_ROWS(struct filter_opts),
};

/* In the order of FILTER_MTAS and FILTER_HOSTILE. */
static const char *const profiles[] = { "sendmail-8.12", "sendmail-8.13",
	"sendmail-8.14", "sendmail-8.17", "postfix-2.6", "postfix-3",
	"postfix-3-cleanup", "generic-v2", "generic-v4", "generic-v6",
	"hostile", NULL };
static const struct check_case *const tables[] = { filter_framing_cases,
	filter_negotiation_cases, filter_edits_cases, filter_replies_cases,
	filter_state_cases, filter_input_cases, filter_content_cases,
	filter_sockets_cases, NULL };
const struct check_suite check_filter_suite = { REQUIREMENT_FILTER, profiles,
	tables };

/* ---- waiting ------------------------------------------------------------------------ */

msec
filter_wait_ms(const struct filter *f)
{
	msec most = (msec)f->o.reply_ms;
	msec grace = (msec)f->o.grace_ms * 10;
	msec seen = f->slowest_us * 10 / 1000;
	msec wait = grace > seen ? grace : seen;

	/* what was slow once may be slower again; the first is unknown */
	return f->slowest_us && wait < most ? wait : most;
}

int
filter_pass_session(struct filter *f)
{
	struct check_run run = { .role = f };
	unsigned links = f->links;
	struct talk t;
	int rc = -1;

	if (f->passing)
		return -1;
	f->passing = true;
	transcript_init(&run.transcript);
	buf_init(&run.why, 0);
	if (talk_open(&t, &run, NULL) == 0) {
		rc = talk_until(&t, TALK_EOM) < 0 ? -1 : 0;
		talk_quit(&t);
	}
	transcript_fini(&run.transcript);
	buf_fini(&run.why);
	f->links = links;
	f->passing = false;
	return rc;
}

/* A filter that died may be started again by whoever watches over it: the next
 * case waits for that, but only if it was so the last time. */
static void
recover(struct check_run *run)
{
	struct filter *f = filter_of(run);
	const struct timespec pause = { .tv_nsec = 20 * 1000000 };
	msec start = clock_mono_ms();
	char err[300];
	int fd = -1;

	while (!f->gone &&
	       (fd = mlt_connect_open(f->socket, 1000, err, sizeof(err))) < 0) {
		f->gone = link_left(start, RECOVER_MS) == 0;
		nanosleep(&pause, NULL);
	}
	if (fd >= 0)
		close(fd);
}

/* Is anybody there at all?  And how long does an ordinary answer take? */
static int
reach(struct filter *f)
{
	struct check_run run = { .role = f };
	struct link l;
	char err[300];
	int rc;

	transcript_init(&run.transcript);
	rc = link_open(&l, f->socket, (msec)f->o.reply_ms, &run.transcript, 0,
	    err, sizeof(err));
	if (rc < 0)
		fprintf(stderr, "milter-check: %s\n", err);
	else
		link_close(&l);
	transcript_fini(&run.transcript);
	if (rc == 0)
		filter_pass_session(f);
	return rc;
}

static bool
headers_are_fields(const struct opt_list *headers)
{
	for (size_t i = 0; i < headers->n; i++) {
		const char *colon = strchr(headers->v[i], ':');

		if (colon && colon > headers->v[i] &&
		    colon - headers->v[i] < 200)
			continue;
		fprintf(stderr,
		    "milter-check: --header %s: NAME: VALUE is needed\n",
		    headers->v[i]);
		return false;
	}
	return true;
}

static int
run(struct filter *f)
{
	struct check_how how = { .suite = &check_filter_suite,
		.opts = &f->o.check,
		.target = f->socket,
		.recover = recover,
		.role = f };
	struct buf repeat;
	int status;

	buf_init(&repeat, 0);
	buf_adds(&repeat, "milter-check filter");
	repeat_options(&repeat, rows, sizeof(rows) / sizeof(rows[0]), &f->o);
	for (size_t i = 0; i < f->o.headers.n; i++) {
		buf_adds(&repeat, " --header");
		repeat_word(&repeat, f->o.headers.v[i]);
	}
	repeat_word(&repeat, f->socket);
	how.repeat = buf_cstr(&repeat);
	status = how.repeat ? check_run_all(&how) : CHECK_EXIT_DOES_NOT;
	buf_fini(&repeat);
	return status;
}

int
check_filter_main(int argc, char **argv)
{
	static const struct cmdline c = { .name = "milter-check filter",
		.rows = rows,
		.n = sizeof(rows) / sizeof(rows[0]),
		.words = " SOCKET",
		.command = true,
		.permute = true,
		.usage_status = CHECK_EXIT_USAGE };
	struct filter f = { .socket = NULL };
	int rest = cmdline_parse(&c, &f.o, argc, argv);

	if (!check_opts_known(&check_filter_suite, &f.o.check) ||
	    !headers_are_fields(&f.o.headers))
		return CHECK_EXIT_USAGE;
	if (f.o.check.list && rest == argc) {
		check_list(&check_filter_suite);
		return 0;
	}
	if (rest != argc - 1)
		cmdline_usage(&c, &f.o);
	f.socket = argv[rest];
	if (reach(&f) < 0)
		return CHECK_EXIT_UNREACHABLE;
	rest = run(&f);
	judged_free(&f);
	return rest;
}
