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
};
#define N_COMMON (sizeof(common) / sizeof(common[0]))

/* The program's rows and the common ones; never freed. */
static struct opt *
all_rows(const struct cmdline *c)
{
	struct opt *rows = malloc((c->n + N_COMMON) * sizeof(*rows));

	if (!rows) {
		fprintf(stderr, "%s: Out of memory\n", c->name);
		exit(1);
	}
	memcpy(rows, c->rows, c->n * sizeof(*rows));
	memcpy(rows + c->n, common, sizeof(common));
	return rows;
}

static void
print_help(const struct cmdline *c, FILE *to)
{
	struct buf text;

	buf_init(&text, 0);
	buf_addf(&text, "%s version %s\nUsage: %s [options]%s\nOptions:\n",
	    c->name, MD_VERSION, c->name, c->words ? c->words : "");
	opt_help(all_rows(c), c->n + N_COMMON, &text);
	fprintf(to, "%s%s", buf_cstr(&text), c->more ? c->more : "");
	buf_fini(&text);
}

static void
print_mdoc(const struct cmdline *c)
{
	struct buf text;

	buf_init(&text, 0);
	opt_mdoc(all_rows(c), c->n + N_COMMON, &text);
	fputs(buf_cstr(&text), stdout);
	buf_fini(&text);
}

void
cmdline_usage(const struct cmdline *c)
{
	print_help(c, stderr);
	exit(1);
}

int
cmdline_parse(const struct cmdline *c, void *opts, int argc, char **argv)
{
	int rest, stop;

	stop = (c->command ? opt_parse_words : opt_parse)(
	    all_rows(c), c->n + N_COMMON, opts, argc, argv, &rest);
	switch (stop) {
	case 0:
		return rest;
	case STOP_HELP:
		print_help(c, stdout);
		break;
	case STOP_LETTER:
		print_help(c, stderr);
		exit(c->command ? 0 : 1);
	case STOP_MDOC:
		print_mdoc(c);
		break;
	case STOP_VERSION:
		printf("%s version %s\n", c->name, MD_VERSION);
		break;
	default:
		cmdline_usage(c);
	}
	exit(fflush(stdout) == 0 ? 0 : 1);
}
