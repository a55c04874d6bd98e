/* SPDX-License-Identifier: MIT */
#include "cli/doctor_defaults.h"

#include "core/base/fdio.h"
#include "core/base/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define FILE_MAX    65536
#define RUN_WAIT_MS 10000

/* ---- lines ----------------------------------------------------------------------- */

static bool
is_name(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= 'A' && p[i] <= 'Z') || p[i] == '_' ||
			(p[i] >= 'a' && p[i] <= 'z') ||
			(i > 0 && p[i] >= '0' && p[i] <= '9')))
			return false;
	return n > 0;
}

/* Up to the quote that ends it, or to a blank and "#", or the line's end. */
static bool
take_value(struct default_line *line, const char *p, const char *end)
{
	char quote = p < end && (*p == '"' || *p == '\'') ? *p++ : '\0';
	size_t n = 0;

	for (; p < end && *p != quote; p++) {
		if (quote == '"' && *p == '\\' && p + 1 < end)
			p++;
		else if (!quote && *p == '#' && n && line->value[n - 1] == ' ')
			break;
		if (n == sizeof(line->value) - 1)
			return false;
		line->value[n++] = *p == '\t' ? ' ' : *p;
	}
	while (!quote && n && line->value[n - 1] == ' ')
		n--;
	line->value[n] = '\0';
	return true;
}

static bool
take_line(struct default_line *line, const char *p, const char *end)
{
	const char *eq;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (strncmp(p, "export ", 7) == 0)
		p += 7;
	eq = memchr(p, '=', (size_t)(end - p));
	if (!eq || (size_t)(eq - p) >= sizeof(line->name) ||
	    !is_name(p, (size_t)(eq - p)))
		return false;
	memcpy(line->name, p, (size_t)(eq - p));
	line->name[eq - p] = '\0';
	return take_value(line, eq + 1, end);
}

bool
default_next(const char **p, struct default_line *line)
{
	while (**p) {
		const char *start = *p, *end = start + strcspn(start, "\r\n");

		*p = *end ? end + 1 : end;
		if (take_line(line, start, end))
			return true;
	}
	return false;
}

/* ---- the environment of the units --------------------------------------------------- */

/* As in service/mimedefang*.service. */
static const char *const of_units[][2] = { { "SPOOLDIR", MD_SPOOLDIR },
	{ "MX_USER", "defang" }, { "MX_BUSY", "600" }, { "MX_LOG", "yes" },
	{ "MX_MAXIMUM", "10" }, { "MX_MINIMUM", "2" } };
static const char *const files[] = { "/etc/default/mimedefang",
	"/etc/sysconfig/mimedefang" };

/* 1: read, 0: there is none, -1 with a line in err. */
static int
take_file(const char *path, char *err, size_t errlen)
{
	struct default_line line;
	struct buf text;
	const char *p;
	int rc;

	buf_init(&text, 0);
	rc = fdio_read_file(AT_FDCWD, path, FILE_MAX, &text);
	p = rc == 0 ? buf_cstr(&text) : NULL;
	while (p && default_next(&p, &line))
		setenv(line.name, line.value, 1);
	buf_fini(&text);
	if (rc == 0 || rc == -ENOENT || rc == -ENOTDIR)
		return rc == 0;
	snprintf(err, errlen, "%s: %s", path, strerror(-rc));
	return -1;
}

static int
make_environment(
    struct doctor_words *w, const char *file, char *err, size_t errlen)
{
	size_t n = file ? 1 : sizeof(files) / sizeof(files[0]);

	for (size_t i = 0; i < sizeof(of_units) / sizeof(of_units[0]); i++)
		setenv(of_units[i][0], of_units[i][1], 1);
	for (size_t i = 0; i < n; i++) {
		int rc = take_file(file ? file : files[i], err, errlen);

		if (rc < 0)
			return -1;
		w->found |= rc > 0;
	}
	return 0;
}

/* ---- words ----------------------------------------------------------------------------- */

static bool
add_word(struct doctor_words *w, const char *word)
{
	if (w->n == DOCTOR_WORDS_MAX)
		return false;
	w->v[w->n++] = word;
	return true;
}

/* run-daemon prints the command, a word a line, behind what it warns of. */
static bool
split(struct doctor_words *w, char *text)
{
	bool begun = false;

	for (char *word = strtok(text, "\n"); word; word = strtok(NULL, "\n"))
		if (begun && !add_word(w, word))
			return false;
		else if (*word == '/')
			begun = true;
	return begun;
}

static int
ask_run_daemon(struct doctor_words *w, struct buf *text, const char *run_daemon,
    const char *program, char *err, size_t errlen)
{
	const char *const argv[] = { run_daemon, "--print", program, NULL };
	int status = run_program(argv, RUN_WAIT_MS, text);

	if (status == 0 && buf_cstr(text)) {
		if (split(w, text->p + text->off))
			return 0;
		snprintf(err, errlen, "%s %s: what it prints is no command",
		    run_daemon, program);
	} else {
		const char *said = buf_cstr(text);

		if (!said || !*said)
			said = "it cannot be run";
		snprintf(err, errlen,
		    "%s --print %s: %.*s; give the options of the daemon",
		    run_daemon, program, (int)strcspn(said, "\n"), said);
	}
	return -1;
}

int
doctor_words_read(struct doctor_words *w, const char *file,
    const char *run_daemon, char *err, size_t errlen)
{
	*w = (struct doctor_words){ .n = 0 };
	buf_init(&w->text[0], 0);
	buf_init(&w->text[1], 0);
	add_word(w, "mimedefang");
	if (make_environment(w, file, err, errlen) < 0 ||
	    ask_run_daemon(
		w, &w->text[0], run_daemon, "mimedefang", err, errlen) < 0)
		return -1;
	if (!add_word(w, "--")) {
		snprintf(err, errlen, "%s: too many options", run_daemon);
		return -1;
	}
	return ask_run_daemon(
	    w, &w->text[1], run_daemon, "mimedefang-multiplexor", err, errlen);
}

void
doctor_words_free(struct doctor_words *w)
{
	buf_fini(&w->text[0]);
	buf_fini(&w->text[1]);
}
