/* SPDX-License-Identifier: MIT */
/*
 * options: whatever the words, what is stored keeps to the tables, of
 * mimedefang, of its multiplexor behind "--", and of one with every kind of row;
 * shown, it is a line for each row; and said again in long words it is the same.
 * NUL ends a word of the input.
 */
#include "cli/md_opts.h"
#include "core/base/opt.h"
#include "multiplexor/mux_opts.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORDS_MAX 128

struct opts {
	bool flag;
	long clamped, strict;
	const char *text;
	struct opt_list list;
};
#define AT(m) offsetof(struct opts, m)
static const struct opt every_kind[] = {
	{ 'f', "flag", OPT_FLAG, 0, AT(flag), NULL, NULL, 0, 0, "", NULL },
	{ 'c', "clamped", OPT_INT, OPT_NUMERIC, AT(clamped), "N", "2", 1, 99,
	    "", NULL },
	{ 's', "strict", OPT_INT, OPT_STRICT, AT(strict), "N", "3", 0, 9, "",
	    NULL },
	{ 't', "text", OPT_STR, OPT_ONCE, AT(text), "T", "x", 0, 0, "", NULL },
	{ 'l', "list", OPT_LIST, 0, AT(list), "L", NULL, 0, 0, "", NULL },
};

static const void *
field(const struct opt *row, const void *opts)
{
	return (const char *)opts + row->offset;
}

/* ---- what was stored ----------------------------------------------------------- */

static bool
was_set(const struct opt *row, const void *opts)
{
	static const char none[sizeof(struct opt_list)];

	return memcmp(field(row, opts), none, sizeof(long)) != 0;
}

static void
check_ranges(const struct opt *rows, size_t n, const void *opts)
{
	for (const struct opt *row = rows; row < rows + n; row++) {
		const long *v = field(row, opts);

		if (row->type == OPT_LIST) {
			const struct opt_list *list = field(row, opts);
			assert(list->n <= OPT_LIST_MAX);
		}
		/* without a default it may be missing */
		if (row->type == OPT_INT && row->min != row->max &&
		    (row->dflt || was_set(row, opts)))
			assert(*v >= row->min && *v <= row->max);
	}
}

/* A line for each row, in their order. */
static void
check_dump(const struct opt *rows, size_t n, const char *text)
{
	for (const struct opt *row = rows; row < rows + n; row++) {
		size_t len = strcspn(text, "\n");
		char letter[2] = { row->letter, '\0' };
		const char *name = row->name ? row->name : letter;

		if (row->type == OPT_ACT || (row->flags & OPT_MODE))
			continue;
		assert(strncmp(text, name, strlen(name)) == 0);
		assert(text[strlen(name)] == '=');
		for (size_t i = 0; i < len; i++)
			assert(
			    (unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
		assert(text[len] == '\n');
		text += len + 1;
	}
	assert(!*text);
}

/* ---- said again ------------------------------------------------------------------ */

struct words {
	char *v[WORDS_MAX + 1];
	int n;
	bool too_many;
};

__attribute__((format(printf, 2, 3))) static void
add_word(struct words *w, const char *fmt, ...)
{
	va_list ap;

	if (w->n == WORDS_MAX) {
		w->too_many = true;
		return;
	}
	va_start(ap, fmt);
	if (vasprintf(&w->v[w->n], fmt, ap) < 0)
		abort();
	va_end(ap);
	w->n++;
}

static void
add_row(struct words *w, const struct opt *row, const void *opts)
{
	const char *const *text = field(row, opts);
	const struct opt_list *list = field(row, opts);

	if (row->type == OPT_ACT)
		return;
	if (row->type == OPT_FLAG && *(const bool *)field(row, opts)) {
		if (row->name)
			add_word(w, "--%s", row->name);
		else
			add_word(w, "-%c", row->letter);
	} else if (row->type == OPT_INT && (row->dflt || was_set(row, opts))) {
		add_word(
		    w, "--%s=%ld", row->name, *(const long *)field(row, opts));
	} else if (row->type == OPT_STR && *text) {
		add_word(w, "--%s=%s", row->name, *text);
	}
	for (size_t i = 0; row->type == OPT_LIST && i < list->n; i++)
		add_word(w, "--%s=%s", row->name, list->v[i]);
}

static char *
dump(const struct opt *rows, size_t n, const void *opts)
{
	struct buf b;
	char *text;

	buf_init(&b, 0);
	opt_dump(rows, n, opts, &b);
	text = strdup(buf_cstr(&b));
	buf_fini(&b);
	return text;
}

/* opts and again are of the table's kind, again is zeroed. */
static void
check_stored(const struct opt *rows, size_t n, const void *opts, void *again)
{
	struct words w = { { NULL }, 0, false };
	char *text = dump(rows, n, opts), *second;
	int rest;

	check_ranges(rows, n, opts);
	check_dump(rows, n, text);
	add_word(&w, "again");
	for (const struct opt *row = rows; row < rows + n; row++)
		add_row(&w, row, opts);
	if (!w.too_many) {
		assert(opt_parse(rows, n, again, w.n, w.v, &rest) == 0);
		second = dump(rows, n, again);
		assert(strcmp(text, second) == 0);
		free(second);
	}
	for (int i = 0; i < w.n; i++)
		free(w.v[i]);
	free(text);
}

/* ---- the tables -------------------------------------------------------------------- */

static void
try_every_kind(int argc, char **argv)
{
	struct opts o = { 0 }, again = { 0 };
	int rest = -1, rc = opt_parse(every_kind, 5, &o, argc, argv, &rest);

	assert(rc == 0 || rc == 1);
	assert(rc == 1 || (rest >= 1 && rest <= argc));
	assert(o.text);
	check_ranges(every_kind, 5, &o);
	if (rc == 0)
		check_stored(every_kind, 5, &o, &again);
}

static void
try_multiplexor(int argc, char **argv, const char *text, size_t size)
{
	struct mux_opts o = { 0 }, again = { 0 };
	const char *const *made[] = { &o.socket, &o.filter };
	char err[512] = "";
	int rest, rc;

	rc =
	    opt_parse(mux_option_rows, mux_option_count, &o, argc, argv, &rest);
	assert(rc == 0 || rc == 1);
	if (rc)
		return;
	check_stored(mux_option_rows, mux_option_count, &o, &again);
	rc = mux_opts_check(&o, err, sizeof(err));
	assert(rc == 0 || (rc == -1 && *err));
	assert(memchr(err, '\0', sizeof(err)));
	check_ranges(mux_option_rows, mux_option_count, &o);
	if (rc == 0)
		assert(o.min_workers <= o.max_workers && o.worker[0] == '/');
	for (size_t i = 0; i < 2; i++) /* no word of ours */
		if (*made[i] && (*made[i] < text || *made[i] > text + size))
			free((char *)(uintptr_t)*made[i]);
}

static void
try_mimedefang(int argc, char **argv, const char *text, size_t size)
{
	struct md_opts o = { 0 }, again = { 0 };
	char err[512] = "";
	int rest = -1, rc;

	rc = opt_parse(md_option_rows, md_option_count, &o, argc, argv, &rest);
	assert(rc == 0 || rc == 1);
	if (rc)
		return;
	assert(rest >= 1 && rest <= argc);
	check_stored(md_option_rows, md_option_count, &o, &again);
	rc = md_opts_check(&o, err, sizeof(err));
	assert(rc == 0 || (rc == -1 && *err));
	assert(memchr(err, '\0', sizeof(err)));
	check_ranges(md_option_rows, md_option_count, &o);
	if (rc == 0)
		assert(o.conn && *o.conn && o.fe.macros == &o.macros &&
		       o.macros.n <= 30 && o.fe.spool_dir);
	try_multiplexor(argc - rest + 1, argv + rest - 1, text, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), *argv[64] = { "fuzz" };
	char *copy[64];
	int argc = 1;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	for (char *p = text; p < text + size && argc < 63; p += strlen(p) + 1)
		argv[argc++] = p;
	opterr = 0;
	/* getopt moves words about */
	memcpy(copy, argv, sizeof(copy));
	try_every_kind(argc, copy);
	memcpy(copy, argv, sizeof(copy));
	try_mimedefang(argc, copy, text, size);
	free(text);
	return 0;
}
