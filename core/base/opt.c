/* SPDX-License-Identifier: MIT */
/*
 * opt: a program's command line from one table.
 *
 * getopt_long(3) does the scanning, so that bundling, attached arguments and
 * its complaints are what administrators know.
 */
#include "opt.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX    100
#define HELP_COLUMN 30
#define LONG_BASE   256 /* value of a long option: this + its row */

struct parse {
	const struct opt *table;
	size_t n;
	char *opts, **argv;
	char letters[2 + 2 * ROWS_MAX];
	struct option longs[ROWS_MAX + 1];
	bool seen[ROWS_MAX];
};

static void *
field(const struct parse *p, const struct opt *row)
{
	return p->opts + row->offset;
}

/* Fills what getopt_long wants from the table. */
static void
make_getopt(struct parse *p, char mode)
{
	char *to = p->letters;
	struct option *l = p->longs;

	if (mode)
		*to++ = mode;
	for (size_t i = 0; i < p->n; i++) {
		const struct opt *row = &p->table[i];

		if (row->letter) {
			*to++ = row->letter;
			if (row->arg)
				*to++ = ':';
		}
		if (row->name)
			*l++ = (struct option){ .name = row->name,
				.has_arg =
				    row->arg ? required_argument : no_argument,
				.val = LONG_BASE + (int)i };
	}
	*to = '\0';
	*l = (struct option){ .name = NULL };
}

static size_t
row_of(const struct parse *p, int c)
{
	size_t i = 0;

	if (c >= LONG_BASE)
		return (size_t)(c - LONG_BASE);
	while (p->table[i].letter != c)
		i++;
	return i;
}

/* How the user knows the option: "-x", or "--name" if it has no letter. */
static const char *
spelling(const struct opt *row, char out[64])
{
	if (row->letter)
		snprintf(out, 64, "-%c", row->letter);
	else
		snprintf(out, 64, "--%s", row->name);
	return out;
}

__attribute__((format(printf, 2, 3))) static int
complain(const struct parse *p, const char *fmt, ...)
{
	va_list ap;

	if (opterr) { /* as getopt */
		fprintf(stderr, "%s: ", p->argv[0]);
		va_start(ap, fmt);
		vfprintf(stderr, fmt, ap);
		va_end(ap);
		fputc('\n', stderr);
	}
	return 1;
}

static long
clamp(const struct opt *row, long v)
{
	if (row->min == row->max)
		return v;
	return v < row->min ? row->min : v > row->max ? row->max : v;
}

static int
set_int(const struct parse *p, const struct opt *row, const char *arg)
{
	char name[64], *end;
	long v;

	errno = 0;
	v = strtol(arg, &end, 10);
	if ((row->flags & OPT_STRICT) &&
	    (end == arg || *end || errno || clamp(row, v) != v))
		return complain(p, "%s: '%s' is not a number from %ld to %ld",
		    spelling(row, name), arg, row->min, row->max);
	if (end == arg) {
		if (row->flags & OPT_NUMERIC)
			return complain(p, "%s: '%s' is not a number",
			    spelling(row, name), arg);
		v = row->dflt ? strtol(row->dflt, NULL, 10) : 0;
	}
	*(long *)field(p, row) = clamp(row, v);
	return 0;
}

static int
add_to_list(const struct parse *p, const struct opt *row, const char *arg)
{
	struct opt_list *list = field(p, row);
	char name[64];

	if (list->n == OPT_LIST_MAX)
		return complain(p, "Too many '%s' options (max %d)",
		    spelling(row, name), OPT_LIST_MAX);
	list->v[list->n++] = arg;
	return 0;
}

static void
set_defaults(const struct parse *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct opt *row = &p->table[i];

		if (!row->dflt)
			continue;
		if (row->type == OPT_INT)
			*(long *)field(p, row) = strtol(row->dflt, NULL, 10);
		else if (row->type == OPT_STR)
			*(const char **)field(p, row) = row->dflt;
	}
}

/* Two OPT_ONCE rows that fill the same member exclude each other. */
static bool
is_repeated(const struct parse *p, const struct opt *row)
{
	if (!(row->flags & OPT_ONCE))
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (p->seen[i] && (p->table[i].flags & OPT_ONCE) &&
		    p->table[i].offset == row->offset)
			return true;
	return false;
}

static int
apply(struct parse *p, const struct opt *row, const char *arg)
{
	char name[64];

	if (is_repeated(p, row))
		return complain(
		    p, "Cannot use multiple '%s' options", spelling(row, name));
	p->seen[row - p->table] = true;
	switch (row->type) {
	case OPT_FLAG:
		*(bool *)field(p, row) = true;
		return 0;
	case OPT_INT:
		return set_int(p, row, arg);
	case OPT_STR:
		*(const char **)field(p, row) = arg;
		return 0;
	case OPT_LIST:
		return add_to_list(p, row, arg);
	case OPT_ACT:
		return row->act(p->opts, arg);
	}
	assert(false);
	return 1;
}

/* mode is getopt's first letter: '-' hands out words that are no options in
 * their order, so that what stands behind "--" stays together; '+' ends at the
 * first such word; none moves them behind the options. */
static int
parse(const struct opt *table, size_t n, void *opts, int argc, char **argv,
    int *rest, char mode)
{
	struct parse p = { .table = table, .n = n, .opts = opts, .argv = argv };
	int c, r;

	assert(n <= ROWS_MAX);
	make_getopt(&p, mode);
	set_defaults(&p);
	optind = 0; /* start anew, GNU and FreeBSD */
	while ((c = getopt_long(argc, argv, p.letters, p.longs, NULL)) != -1) {
		if (c == 1) /* a word that is no option */
			continue;
		if (c == '?')
			return 1;
		r = apply(&p, &table[row_of(&p, c)], optarg);
		if (r)
			return r;
	}
	*rest = optind;
	return 0;
}

int
opt_parse(const struct opt *table, size_t n, void *opts, int argc, char **argv,
    int *rest)
{
	return parse(table, n, opts, argc, argv, rest, '-');
}

int
opt_parse_words(const struct opt *table, size_t n, void *opts, int argc,
    char **argv, int *rest)
{
	return parse(table, n, opts, argc, argv, rest, '+');
}

int
opt_parse_sorted(const struct opt *table, size_t n, void *opts, int argc,
    char **argv, int *rest)
{
	return parse(table, n, opts, argc, argv, rest, '\0');
}

void
opt_help(const struct opt *table, size_t n, struct buf *out)
{
	for (const struct opt *row = table; row < table + n; row++) {
		const char *arg = row->arg ? row->arg : "";
		size_t start = buf_len(out), width;

		if (row->letter)
			buf_addf(out, "  -%c%s%s", row->letter,
			    row->arg ? " " : "", arg);
		else
			buf_adds(out, "     ");
		if (row->name)
			buf_addf(out, "%s--%s%s%s", row->letter ? ", " : " ",
			    row->name, row->arg ? "=" : "", arg);
		width = buf_len(out) - start;
		if (width > HELP_COLUMN - 2) {
			buf_addc(out, '\n');
			width = 0;
		}
		buf_addf(
		    out, "%*s%s", (int)(HELP_COLUMN - width), "", row->help);
		if (row->dflt)
			buf_addf(out, " (default %s)", row->dflt);
		buf_addc(out, '\n');
	}
}

/* On one line, whatever it is. */
static void
dump_text(const char *s, struct buf *out)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			buf_addf(out, "\\x%02X", (unsigned)*s);
		else
			buf_addc(out, *s);
}

static void
dump_value(const struct opt *row, const void *value, struct buf *out)
{
	const struct opt_list *list;
	const char *s;

	switch (row->type) {
	case OPT_FLAG:
		buf_adds(out, *(const bool *)value ? "yes" : "no");
		return;
	case OPT_INT:
		buf_addf(out, "%ld", *(const long *)value);
		return;
	case OPT_STR:
		s = *(const char *const *)value;
		dump_text(s ? s : "", out);
		return;
	case OPT_LIST:
		list = value;
		for (size_t i = 0; i < list->n; i++) {
			buf_adds(out, i ? " " : "");
			dump_text(list->v[i], out);
		}
		return;
	case OPT_ACT:
		return;
	}
}

void
opt_dump(const struct opt *table, size_t n, const void *opts, struct buf *out)
{
	for (const struct opt *row = table; row < table + n; row++) {
		if (row->type == OPT_ACT || (row->flags & OPT_MODE))
			continue;
		if (row->name)
			buf_addf(out, "%s=", row->name);
		else
			buf_addf(out, "%c=", row->letter);
		dump_value(row, (const char *)opts + row->offset, out);
		buf_addc(out, '\n');
	}
}

/* Text that mdoc must not take for a request or an escape. */
static void
add_mdoc_text(struct buf *out, const char *s)
{
	if (*s == '.' || *s == '\'')
		buf_adds(out, "\\&");
	for (; *s; s++)
		if (*s == '\\')
			buf_adds(out, "\\e");
		else
			buf_addc(out, *s);
}

void
opt_mdoc(const struct opt *table, size_t n, struct buf *out)
{
	for (const struct opt *row = table; row < table + n; row++) {
		buf_adds(out, ".It");
		if (row->letter)
			buf_addf(out, " Fl %c", row->letter);
		if (row->letter && row->arg)
			buf_addf(out, " Ar %s", row->arg);
		if (row->letter && row->name)
			buf_adds(out, " ,");
		if (row->name)
			buf_addf(out, " Fl -%s", row->name);
		if (row->name && row->arg)
			buf_addf(out, " Ns = Ns Ar %s", row->arg);
		buf_addc(out, '\n');
		add_mdoc_text(out, row->help);
		buf_adds(out, ".\n");
		if (row->dflt)
			buf_addf(out, "Default: %s.\n", row->dflt);
	}
}
