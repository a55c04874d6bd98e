/* SPDX-License-Identifier: MIT */
/*
 * report: totals, the bar, and all forms at once (report.h).
 */
#include "cli/check/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR 30

void
report_begin(struct report *r, const struct check_how *how, size_t n)
{
	*r = (struct report){ .how = how,
		.planned = n,
		/* TAP on the same terminal is the better sight */
		.bar = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO) };
	buf_init(&r->junit, 0);
	buf_init(&r->json, 0);
	report_tap_begin(r);
	report_json_begin(r);
}

static void
clear_bar(const struct report *r)
{
	if (r->bar)
		fputs("\r\033[K", stderr);
}

void
report_next(struct report *r, const char *profile, const char *name)
{
	size_t done = r->planned ? r->totals.n * BAR / r->planned : 0;

	if (!r->bar)
		return;
	clear_bar(r);
	fputc('[', stderr);
	for (size_t i = 0; i < BAR; i++)
		fputc(i < done ? '#' : ' ', stderr);
	fprintf(stderr, "] %zu/%zu %s %.40s", r->totals.n + 1, r->planned,
	    profile, name);
	fflush(stderr);
}

void
report_add(struct report *r, const struct report_case *c)
{
	r->totals.n++;
	r->totals.of[c->result]++;
	r->totals.failures += c->failure;
	r->totals.us += c->us;
	report_tap_add(r, c);
	report_junit_add(r, c);
	report_json_add(r, c);
}

int
report_write_file(const char *path, const struct buf *text)
{
	FILE *f = text->failed ? NULL : fopen(path, "we");

	if (text->failed)
		errno = ENOMEM;
	if (f)
		fwrite(buf_data(text), 1, buf_len(text), f);
	if (f && !ferror(f) && fclose(f) == 0)
		return 0;
	fprintf(stderr, "milter-check: cannot write the report %s: %s\n", path,
	    strerror(errno));
	return -1;
}

int
report_end(struct report *r)
{
	int rc = 0;

	clear_bar(r);
	report_tap_end(r);
	if (report_junit_end(r) < 0 || report_json_end(r) < 0)
		rc = -1;
	buf_fini(&r->junit);
	buf_fini(&r->json);
	return fflush(stdout) == 0 ? rc : -1;
}
