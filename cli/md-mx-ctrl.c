/* SPDX-License-Identifier: MIT */
/*
 * md-mx-ctrl: asks a multiplexor for its state and tells it to reread.
 *
 * The words of the command line are sent as one line; the answer is printed.
 * Exit status 0 when there was an answer, 1 when not; an error line begins with
 * "ERROR ", as monitors expect (spec:control-client).
 */
#include "cli/cmdline.h"
#include "core/base/buf.h"
#include "core/base/fdio.h"
#include "core/base/muxproto.h"
#include "core/base/opt.h"
#include "core/base/pct.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX 262143
#define READ_SIZE  65536

struct ctl_opts {
	const char *socket;
	bool interactive;
};

static const struct opt rows[] = {
	{ 's', "socket", OPT_STR, 0, offsetof(struct ctl_opts, socket), "PATH",
	    MD_SPOOLDIR "/mimedefang-multiplexor.sock", 0, 0,
	    "the multiplexor's socket", NULL },
	{ 'i', "interactive", OPT_FLAG, 0,
	    offsetof(struct ctl_opts, interactive), NULL, NULL, 0, 0,
	    "read commands from standard input, a line each", NULL },
};

static const char commands[] =
    "Commands:\n"
    "  status, barstatus, jsonstatus, rawstatus   states of workers\n"
    "  workers, busyworkers, workerinfo N         workers in detail\n"
    "  free       number of free workers\n"
    "  msgs       number of messages scanned\n"
    "  reread     load the filter anew in new workers\n"
    "  version    version of the multiplexor\n"
    "Other words go to a worker (filter_unknown_cmd).\n";

/* Sends line and reads the whole answer.  0, or -1 after an ERROR line. */
static int
converse(
    const char *path, const struct buf *line, FILE *errors, struct buf *answer)
{
	int fd = line->failed ? -ENOMEM : fdio_unix_connect(path, false);
	int rc = fd;
	ssize_t got = 0;

	if (fd >= 0 &&
	    (rc = fdio_write_all(fd, buf_data(line), buf_len(line))) == 0) {
		do {
			char *p = buf_space(answer, READ_SIZE);
			if (!p) {
				rc = -EMSGSIZE;
				break;
			}
			got = read(fd, p, READ_SIZE);
			if (got > 0)
				buf_added(answer, (size_t)got);
			else if (got < 0 && errno != EINTR)
				rc = -errno;
		} while (got != 0 && rc == 0);
	}
	if (fd >= 0)
		close(fd);
	if (rc >= 0 && !buf_cstr(answer))
		rc = -ENOMEM;
	if (rc < 0) {
		fprintf(errors, "ERROR %s: %s%s\n", path, strerror(-rc),
		    rc == -EACCES || rc == -EPERM
			? " (run this as the multiplexor's user)"
			: " (is the multiplexor running?)");
		return -1;
	}
	return 0;
}

static const char *
state_word(char letter)
{
	switch (letter) {
	case 'I':
		return "idle";
	case 'B':
		return "busy";
	case 'S':
		return "stopped";
	case 'K':
		return "killed";
	default:
		return "unknown";
	}
}

static void
print_bar(unsigned part, unsigned all, char filled, unsigned longest)
{
	unsigned width = all < longest ? all : longest;

	for (unsigned i = 0; i < width; i++) {
		bool on = all <= longest ? i < part
					 : (unsigned long)i * all <
					       (unsigned long)part * longest;
		putchar(on ? filled : '.');
	}
}

/* The reports that are made of the answer to "status":
 * LETTERS MSGS ACTIVATIONS QSIZE QUEUED UPTIME. */
static int
print_status(const char *kind, const char *answer)
{
	size_t n = strcspn(answer, " \n");
	unsigned msgs = 0, qsize = 0, queued = 0, busy = 0;

	if (!strchr("IKSB", answer[0]) || !answer[0]) {
		printf("ERROR %.*s\n", (int)strcspn(answer, "\n"), answer);
		return 1;
	}
	sscanf(answer + n, "%u %*u %u %u", &msgs, &qsize, &queued);
	for (size_t i = 0; i < n; i++)
		busy += answer[i] == 'B';
	if (strcmp(kind, "status") == 0) {
		printf("Max workers: %zu\n", n);
		for (size_t i = 0; i < n; i++)
			printf("Worker %zu: %s\n", i, state_word(answer[i]));
	} else if (strcmp(kind, "barstatus") == 0) {
		printf("%3u/%d ", busy, (int)n);
		print_bar(busy, (unsigned)n, 'B', 25);
		if (qsize) {
			printf("  %3u/%u ", queued, qsize);
			print_bar(queued, qsize, 'Q', 20);
		}
		printf(" %u\n", msgs);
	} else {
		char host[256] = "", when[64] = "";
		time_t now = time(NULL);
		gethostname(host, sizeof(host) - 1);
		strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y",
		    localtime(&now));
		printf(
		    "{\"timestamp\": \"%s\",\"hostname\": \"%s\"", when, host);
		for (size_t i = 0; i < n; i++)
			printf(
			    ",\"Worker%zu\": \"%s\"", i, state_word(answer[i]));
		putchar('}');
	}
	return 0;
}

static void
print_answer(struct buf *answer, bool decode)
{
	size_t n = buf_len(answer);

	if (decode && n)
		n = pct_decode(answer->p + answer->off, n);
	fwrite(buf_data(answer), 1, n, stdout);
	if (n == 0 || buf_data(answer)[n - 1] != '\n')
		putchar('\n');
}

/* One command, already encoded, without LF.  Returns the exit status. */
static int
run(const char *path, const char *command, FILE *errors)
{
	bool report = strcmp(command, "status") == 0 ||
		      strcmp(command, "barstatus") == 0 ||
		      strcmp(command, "jsonstatus") == 0;
	bool raw = strcmp(command, "rawstatus") == 0;
	struct buf line, answer;
	int rc = 1;

	buf_init(&line, 0);
	buf_init(&answer, ANSWER_MAX + READ_SIZE);
	buf_addf(&line, "%s\n", report || raw ? "status" : command);
	if (converse(path, &line, errors, &answer) == 0) {
		rc = 0;
		if (report)
			rc = print_status(command, buf_cstr(&answer));
		else
			print_answer(&answer, !raw);
	}
	buf_fini(&answer);
	buf_fini(&line);
	return fflush(stdout) == 0 ? rc : 1;
}

int
main(int argc, char **argv)
{
	struct ctl_opts o = { 0 };
	struct buf line;
	const struct cmdline c = { .name = "md-mx-ctrl",
		.rows = rows,
		.n = sizeof(rows) / sizeof(rows[0]),
		.words = " COMMAND [ARG...]",
		.more = commands,
		.command = true };
	int rest = cmdline_parse(&c, &o, argc, argv), rc = 1;

	if (!o.interactive && rest == argc)
		cmdline_usage(&c, &o);
	buf_init(&line, 0);
	if (o.interactive) {
		char *text = NULL;
		size_t cap = 0;
		ssize_t n;
		while ((n = getline(&text, &cap, stdin)) > 0) {
			if (text[n - 1] == '\n')
				text[n - 1] = '\0';
			run(o.socket, text, stdout);
		}
		free(text);
		rc = 0;
	} else {
		for (int i = rest; i < argc; i++) {
			if (i > rest)
				buf_addc(&line, ' ');
			pct_encode(&line, PCT_WIRE, argv[i], strlen(argv[i]));
		}
		if (buf_cstr(&line))
			rc = run(o.socket, buf_cstr(&line), stderr);
	}
	buf_fini(&line);
	return rc;
}
