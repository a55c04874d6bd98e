/* SPDX-License-Identifier: MIT */
#include "cli/cmdline.h"

#include "core/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum stop {
	STOP_USAGE = 1, /* what opt_parse says */
	STOP_LETTER,
	STOP_HELP,
	STOP_MDOC,
	STOP_VERSION
};

static int
act_letter(void *opts, const char *arg)
{
	(void)opts;
	(void)arg;
	return STOP_LETTER;
}

static int
act_help(void *opts, const char *arg)
{
	(void)opts;
	(void)arg;
	return STOP_HELP;
}

static int
act_mdoc(void *opts, const char *arg)
{
	(void)opts;
	(void)arg;
	return STOP_MDOC;
}

static int
act_version(void *opts, const char *arg)
{
	(void)opts;
	(void)arg;
	return STOP_VERSION;
}

/* Where cmdline_parse was told to note it: one command line at a time. */
static bool *wants_config;

static int
act_config(void *opts, const char *arg)
{
	(void)opts;
	(void)arg;
	*wants_config = true;
	return 0;
}

static const struct opt common[] = {
	{ 'h', NULL, OPT_ACT, 0, 0, NULL, NULL, 0, 0,
	    "this text on standard "
	    "error",
	    act_letter },
	{ 0, "help", OPT_ACT, 0, 0, NULL, NULL, 0, 0, "this text", act_help },
	{ 0, "help-mdoc", OPT_ACT, 0, 0, NULL, NULL, 0, 0,
	    "the options as source of the manual page", act_mdoc },
	{ 'v', "version", OPT_ACT, 0, 0, NULL, NULL, 0, 0, "the version",
	    act_version },
	/* the last: only for programs that have it */
	{ 0, "print-config", OPT_ACT, 0, 0, NULL, NULL, 0, 0,
	    "check the options, print all with their values and end",
	    act_config },
};
#define N_COMMON (sizeof(common) / sizeof(common[0]))

static size_t
n_rows(const struct cmdline *c)
{
	return c->n + N_COMMON - (c->print_config ? 0 : 1);
}

/* The program's rows and the common ones, then those of another. */
static struct opt *
all_rows(const struct cmdline *c)
{
	struct opt *rows =
	    malloc((c->n + N_COMMON + c->n_also) * sizeof(*rows));

	if (!rows) {
		fprintf(stderr, "%s: Out of memory\n", c->name);
		exit(1);
	}
	if (c->n)
		memcpy(rows, c->rows, c->n * sizeof(*rows));
	memcpy(rows + c->n, common, sizeof(common));
	if (c->n_also)
		memcpy(rows + n_rows(c), c->also, c->n_also * sizeof(*rows));
	return rows;
}

static void
print_help(const struct cmdline *c, const struct opt *rows, const void *opts,
    bool usage, FILE *to)
{
	struct buf text;

	buf_init(&text, 0);
	buf_addf(&text, "%s version %s\nUsage: %s [options]%s\nOptions:\n",
	    c->name, MD_VERSION, c->name, c->words ? c->words : "");
	opt_help(rows, n_rows(c), &text);
	buf_adds(&text, c->more ? c->more : "");
	if (c->tail)
		c->tail(opts, usage, &text);
	if (buf_cstr(&text))
		fputs(buf_cstr(&text), to);
	buf_fini(&text);
}

static void
print_mdoc(const struct cmdline *c, const struct opt *rows)
{
	struct buf text;

	buf_init(&text, 0);
	opt_mdoc(rows, n_rows(c), &text);
	fputs(buf_cstr(&text), stdout);
	buf_fini(&text);
}

/* Does what an option asked for; the exit status. */
static int
stop_here(const struct cmdline *c, const struct opt *rows, const void *opts,
    enum stop stop)
{
	switch (stop) {
	case STOP_USAGE:
		print_help(c, rows, opts, true, stderr);
		return c->usage_status ? c->usage_status : 1;
	case STOP_LETTER:
		print_help(c, rows, opts, true, stderr);
		return c->command || c->usage_status ? 0 : 1;
	case STOP_HELP:
		print_help(c, rows, opts, false, stdout);
		break;
	case STOP_MDOC:
		print_mdoc(c, rows);
		break;
	case STOP_VERSION:
		printf("%s version %s\n", c->name, MD_VERSION);
		break;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

void
cmdline_usage(const struct cmdline *c, const void *opts)
{
	struct opt *rows = all_rows(c);
	int status = stop_here(c, rows, opts, STOP_USAGE);

	free(rows);
	exit(status);
}

void
cmdline_print_config(const struct cmdline *c, const void *opts)
{
	struct buf text;

	buf_init(&text, 0);
	opt_dump(c->rows, c->n, opts, &text);
	fputs(buf_cstr(&text), stdout);
	exit(fflush(stdout) == 0 ? 0 : 1);
}

int
cmdline_parse(const struct cmdline *c, void *opts, int argc, char **argv)
{
	struct opt *rows = all_rows(c);
	size_t n = n_rows(c) + c->n_also;
	int rest, stop;

	wants_config = c->print_config;
	if (c->permute)
		stop = opt_parse_sorted(rows, n, opts, argc, argv, &rest);
	else if (c->command)
		stop = opt_parse_words(rows, n, opts, argc, argv, &rest);
	else
		stop = opt_parse(rows, n, opts, argc, argv, &rest);
	if (stop)
		exit(stop_here(c, rows, opts, (enum stop)stop));
	free(rows);
	return rest;
}
