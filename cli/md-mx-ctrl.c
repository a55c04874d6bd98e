/* SPDX-License-Identifier: MIT */
/*
 * md-mx-ctrl: asks a multiplexor for its state and tells it to reread.
 *
 * The words of the command line are sent as one line; the answer is shown in
 * the form of the command's row (ctl_cmd.h).  Exit status 0 when there was an
 * answer, 1 when not; an error line begins with "ERROR ", as monitors expect
 * (spec:control-client).
 */
#include "cli/cmdline.h"
#include "cli/ctl_ask.h"
#include "cli/ctl_cmd.h"
#include "cli/ctl_live.h"
#include "cli/ctl_ready.h"
#include "cli/ctl_safe.h"
#include "cli/ctl_tty.h"
#include "core/base/opt.h"
#include "core/base/pct.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is shown: an answer of CTL_ANSWER_MAX letters, a line for each. */
#define SHOWN_MAX (128 << 20)
#define LINE_MAX_ 65536 /* of standard input, with -i */
/* Reports are answered at once; a worker has 120 s (-b), after up to 600 s in
 * the queue (-Q), and up to 180 s to be replaced and tried again. */
#define REPORT_S 30
#define WORKER_S 900
#define READY_S  60 /* workers that load large filters need tens of seconds */
#define HELP_S   2

struct ctl_opts {
	const char *socket;
	bool interactive, json;
	long timeout_s, interval_s, batch;
};

__attribute__((noreturn)) static void
print_and_end(void (*fill)(struct buf *out))
{
	struct buf text;

	buf_init(&text, 0);
	fill(&text);
	if (buf_cstr(&text))
		fputs(buf_cstr(&text), stdout);
	exit(fflush(stdout) == 0 && !text.failed ? 0 : 1);
}

static int
act_mdoc_commands(void *opts, const char *arg)
{
	(void)opts;
	(void)arg;
	print_and_end(ctl_mdoc);
}

static int
act_list_commands(void *opts, const char *arg)
{
	(void)opts;
	(void)arg;
	print_and_end(ctl_names);
}

#define AT(member) offsetof(struct ctl_opts, member)
static const struct opt rows[] = {
	{ 's', "socket", OPT_STR, 0, AT(socket), "SOCKET",
	    MD_SPOOLDIR "/mimedefang-multiplexor.sock", 0, 0,
	    "the multiplexor's socket: a path, or inet:PORT[@ADDRESS]", NULL },
	{ 'i', "interactive", OPT_FLAG, 0, AT(interactive), NULL, NULL, 0, 0,
	    "read commands from standard input, a line each", NULL },
	{ 0, "json", OPT_FLAG, 0, AT(json), NULL, NULL, 0, 0,
	    "show the answer as a JSON object on one line", NULL },
	{ 0, "timeout", OPT_INT, OPT_STRICT, AT(timeout_s), "SECS", NULL, 1,
	    86400,
	    "give up after so long (30; 900 for what a worker answers; 60 "
	    "for wait-ready)",
	    NULL },
	{ 0, "interval", OPT_INT, OPT_STRICT, AT(interval_s), "SECS", "2", 1,
	    3600, "top: look again after so long", NULL },
	{ 0, "batch", OPT_INT, OPT_STRICT, AT(batch), "N", NULL, 1, 1000000000,
	    "top: print plain text so many times", NULL },
	{ 0, "help-mdoc-commands", OPT_ACT, 0, 0, NULL, NULL, 0, 0,
	    "the commands as source of the manual page", act_mdoc_commands },
	{ 0, "list-commands", OPT_ACT, 0, 0, NULL, NULL, 0, 0,
	    "the names of the commands, for completion", act_list_commands },
};

/* A conversation with one multiplexor. */
struct session {
	const struct ctl_opts *o;
	struct sockspec addr;
	char host[256];
};

/* The time limit: the one that was asked for, else this. */
static msec
deadline(const struct session *s, long dflt_s)
{
	long limit = s->o->timeout_s ? s->o->timeout_s : dflt_s;

	return clock_mono_ms() + (msec)limit * 1000;
}

/* A terminal gets nothing that it would obey; a program gets the octets. */
static int
print(FILE *to, const struct buf *b)
{
	struct buf safe;

	if (!isatty(fileno(to))) {
		fwrite(buf_data(b), 1, buf_len(b), to);
		return fflush(to);
	}
	buf_init(&safe, 0);
	ctl_safe(&safe, buf_data(b), buf_len(b), false);
	fwrite(buf_data(&safe), 1, buf_len(&safe), to);
	buf_fini(&safe);
	return fflush(to);
}

static const char *
failure(int err, char text[200])
{
	if (err == -EMSGSIZE)
		return "the answer is longer than any report";
	if (err == -ETIMEDOUT)
		return "no answer in time (--timeout)";
	snprintf(text, 200, "%s%s", strerror(-err),
	    err == -EACCES || err == -EPERM
		? " (run this as the multiplexor's user)"
		: " (is the multiplexor running?)");
	return text;
}

static void
ask(struct session *s, const struct ctl_command *c, const struct buf *line,
    struct ctl_shown *shown)
{
	struct buf request;
	struct ctl_ask a;
	char text[200];
	int rc;

	buf_init(&request, 0);
	ctl_request(c, buf_data(line), buf_len(line), &request);
	ctl_ask_begin(&a, &s->addr, buf_data(&request), buf_len(&request));
	rc = request.failed ? -ENOMEM
			    : ctl_ask_wait(&a,
				  deadline(s, *c->name ? REPORT_S : WORKER_S));
	if (rc < 0) {
		ctl_show_error(
		    s->o->json, s->o->socket, failure(rc, text), shown);
	} else {
		struct ctl_form_in in = {
			.text = { buf_data(&a.answer), buf_len(&a.answer) },
			.hostname = s->host,
			.now = (time_t)clock_wall_s(),
		};
		ctl_show(c, s->o->json, &in, shown);
	}
	ctl_ask_end(&a);
	buf_fini(&request);
}

static void
wait_ready(struct session *s, struct ctl_shown *shown)
{
	char why[300];

	if (ctl_wait_ready(&s->addr, deadline(s, READY_S), why, sizeof(why)) <
	    0)
		ctl_show_error(s->o->json, s->o->socket, why, shown);
	else if (s->o->json)
		buf_adds(&shown->out, "{\"ready\":true}\n");
}

/* One command: words encoded, no LF.  Returns the exit status. */
static int
run(struct session *s, const struct buf *line, FILE *errors)
{
	const struct ctl_command *c = ctl_find(buf_data(line), buf_len(line));
	struct ctl_shown shown = { .status = 0 };
	int status;

	buf_init(&shown.out, SHOWN_MAX);
	buf_init(&shown.err, 0);
	if (line->failed)
		ctl_show_error(s->o->json, "command", "too long", &shown);
	else if (ctl_lacks_arg(c, buf_len(line)))
		ctl_show_error(s->o->json, c->name,
		    "a number is missing behind it", &shown);
	else if (c->local == CTL_TOP || (c->local && s->o->interactive))
		ctl_show_error(s->o->json, c->name,
		    "not with -i or --json; run it by itself", &shown);
	else if (c->local == CTL_WAIT_READY)
		wait_ready(s, &shown);
	else
		ask(s, c, line, &shown);
	status = shown.status;
	if (print(stdout, &shown.out) != 0)
		status = 1;
	if (buf_len(&shown.err))
		print(errors, &shown.err);
	buf_fini(&shown.out);
	buf_fini(&shown.err);
	return status;
}

static int
top(const struct session *s)
{
	const struct ctl_live_opts l = { .addr = &s->addr,
		.socket = s->o->socket,
		.host = s->host,
		.interval_s = s->o->interval_s };

	if (!s->o->batch && ctl_tty_usable())
		return ctl_live_screen(&l);
	return ctl_live_batch(&l, s->o->batch ? s->o->batch : 1);
}

/* A line of standard input without its LF; false: there is none.  One that is
 * too long makes the buf fail. */
static bool
read_line(struct buf *line)
{
	int c;

	buf_reset(line);
	while ((c = getchar()) != EOF && c != '\n')
		buf_addc(line, (char)c);
	return c != EOF || buf_len(line) > 0;
}

static void
run_lines(struct session *s)
{
	struct buf line;

	buf_init(&line, LINE_MAX_);
	while (read_line(&line))
		run(s, &line, stdout);
	buf_fini(&line);
}

static void
encode_words(char **words, int n, struct buf *line)
{
	for (int i = 0; i < n; i++) {
		if (i)
			buf_addc(line, ' ');
		pct_encode(line, PCT_WIRE, words[i], strlen(words[i]));
	}
}

static int
run_words(struct session *s, char **words, int n)
{
	const struct ctl_command *c = ctl_find(words[0], strlen(words[0]));
	struct buf line;
	int rc;

	if (c->local == CTL_TOP && n == 1 && !s->o->json)
		return top(s);
	if (c->local && n > 1) {
		fprintf(stderr, "ERROR %s: takes no words, only options\n",
		    c->name);
		return 1;
	}
	buf_init(&line, 0);
	encode_words(words, n, &line);
	rc = run(s, &line, stderr);
	buf_fini(&line);
	return rc;
}

static int
session_init(struct session *s, const struct ctl_opts *o)
{
	char why[200];

	s->o = o;
	if (gethostname(s->host, sizeof(s->host) - 1) < 0)
		s->host[0] = '\0';
	if (ctl_addr(o->socket, &s->addr, why, sizeof(why)) == 0)
		return 0;
	fprintf(stderr, "ERROR -s %s: %s\n", o->socket, why);
	return -1;
}

/* The commands: for a bad command line what the multiplexor knows, since it
 * may be of another version. */
static void
tail(const void *opts, bool usage, struct buf *out)
{
	const struct ctl_opts *o = opts;
	struct sockspec addr;
	struct ctl_ask a;
	char why[200];

	if (usage && ctl_addr(o->socket, &addr, why, sizeof(why)) == 0) {
		ctl_ask_begin(&a, &addr, "help\n", 5);
		if (ctl_ask_wait(&a, clock_mono_ms() + HELP_S * 1000) > 0 &&
		    buf_len(&a.answer)) {
			buf_adds(out, "Possible commands:\n");
			ctl_safe(out, buf_data(&a.answer), buf_len(&a.answer),
			    false);
			buf_adds(out, "Commands of this program:\n");
			ctl_help(true, out);
			ctl_ask_end(&a);
			return;
		}
		ctl_ask_end(&a);
	}
	buf_adds(out, "Commands:\n");
	ctl_help(false, out);
	buf_adds(out,
	    "Other words go to a worker (filter_unknown_cmd). Options may "
	    "follow a command of\nthis list.\n");
}

int
main(int argc, char **argv)
{
	struct ctl_opts o = { 0 };
	struct session s = { 0 };
	struct cmdline c = { .name = "md-mx-ctrl",
		.rows = rows,
		.n = sizeof(rows) / sizeof(rows[0]),
		.words = " COMMAND [ARG...]",
		.tail = tail,
		.command = true };
	int rest = cmdline_parse(&c, &o, argc, argv);

	/* words of other commands are the filter's, also with a dash */
	if (rest < argc && *ctl_find(argv[rest], strlen(argv[rest]))->name) {
		o = (struct ctl_opts){ 0 };
		c.permute = true;
		rest = cmdline_parse(&c, &o, argc, argv);
	}
	if (!o.interactive && rest == argc)
		cmdline_usage(&c, &o);
	if (session_init(&s, &o) < 0)
		return 1;
	if (!o.interactive)
		return run_words(&s, argv + rest, argc - rest);
	run_lines(&s);
	return 0;
}
