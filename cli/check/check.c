/* SPDX-License-Identifier: MIT */
/*
 * check: which cases are run, in which order, and what their results come to
 * (check.h).
 */
#include "cli/check/check.h"

#include "cli/check/report.h"
#include "cli/ctl_safe.h"
#include "core/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
check_result_word(enum check_result r)
{
	static const char *const words[CHECK_RESULT_N] = { "pass", "fail",
		"differs", "not applicable" };

	return words[r];
}

__attribute__((format(printf, 2, 0))) static void
note(struct check_run *run, const char *fmt, va_list ap)
{
	buf_reset(&run->why);
	buf_vaddf(&run->why, fmt, ap);
}

enum check_result
check_fail(struct check_run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(run, fmt, ap);
	va_end(ap);
	return CHECK_FAIL;
}

enum check_result
check_differs(struct check_run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(run, fmt, ap);
	va_end(ap);
	return CHECK_DIFFERS;
}

enum check_result
check_not_applicable(struct check_run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(run, fmt, ap);
	va_end(ap);
	return CHECK_NOT_APPLICABLE;
}

/* ---- which ---------------------------------------------------------------------- */

const struct check_case *
check_case_at(const struct check_suite *s, size_t i)
{
	for (size_t t = 0; s->tables[t]; t++) {
		for (const struct check_case *c = s->tables[t]; c->name; c++) {
			if (i-- == 0)
				return c;
		}
	}
	return NULL;
}

static bool
is_meant(const struct check_case *c, const char *word)
{
	char number[16];

	snprintf(number, sizeof(number), "MLT-%u", c->requirement);
	return strcmp(word, number) == 0 || strcmp(word, c->name) == 0;
}

static bool
is_wanted(const struct check_opts *o, const struct check_case *c)
{
	for (size_t i = 0; i < o->only.n; i++) {
		if (is_meant(c, o->only.v[i]))
			return true;
	}
	return o->only.n == 0;
}

uint32_t
check_profiles(const struct check_suite *s, const struct check_opts *o)
{
	uint32_t bits = 0;

	for (size_t p = 0; s->profiles[p]; p++) {
		for (size_t i = 0; i < o->profiles.n; i++) {
			if (strcmp(o->profiles.v[i], s->profiles[p]) == 0)
				bits |= UINT32_C(1) << p;
		}
	}
	return o->profiles.n ? bits : UINT32_MAX;
}

static bool
profile_known(const struct check_suite *s, const char *word)
{
	for (size_t p = 0; s->profiles[p]; p++) {
		if (strcmp(word, s->profiles[p]) == 0)
			return true;
	}
	fprintf(stderr, "milter-check: --profile %s: one of", word);
	for (size_t p = 0; s->profiles[p]; p++)
		fprintf(stderr, " %s", s->profiles[p]);
	fputs(" is needed\n", stderr);
	return false;
}

static bool
case_known(const struct check_suite *s, const char *word)
{
	const struct check_case *c;

	for (size_t i = 0; (c = check_case_at(s, i)); i++) {
		if (is_meant(c, word))
			return true;
	}
	fprintf(stderr,
	    "milter-check: --only %s: no case has this name or number "
	    "(--list shows them)\n",
	    word);
	return false;
}

bool
check_opts_known(const struct check_suite *s, const struct check_opts *o)
{
	for (size_t i = 0; i < o->profiles.n; i++) {
		if (!profile_known(s, o->profiles.v[i]))
			return false;
	}
	for (size_t i = 0; i < o->only.n; i++) {
		if (!case_known(s, o->only.v[i]))
			return false;
	}
	return true;
}

void
check_list(const struct check_suite *s)
{
	const struct check_case *c;

	for (size_t i = 0; (c = check_case_at(s, i)); i++) {
		const struct requirement *r = requirement_find(c->requirement);
		const char *comma = "";

		printf("%s\tMLT-%u\t%s\t", c->name, c->requirement,
		    r ? requirement_strength_word(r->strength) : "-");
		for (size_t p = 0; s->profiles[p]; p++) {
			if (!(c->profiles & UINT32_C(1) << p))
				continue;
			printf("%s%s", comma, s->profiles[p]);
			comma = ",";
		}
		putchar('\n');
	}
}

/* ---- running -------------------------------------------------------------------- */

/* All profiles' cases in their order, one by one. */
struct cursor {
	const struct check_how *how;
	uint32_t profiles;
	size_t profile, next;
};

static const struct check_case *
next_case(struct cursor *c)
{
	const struct check_suite *s = c->how->suite;

	for (; s->profiles[c->profile]; c->profile++, c->next = 0) {
		uint32_t bit = UINT32_C(1) << c->profile;
		const struct check_case *k;

		while ((c->profiles & bit) && (k = check_case_at(s, c->next))) {
			c->next++;
			if ((k->profiles & bit) && is_wanted(c->how->opts, k))
				return k;
		}
	}
	return NULL;
}

static struct cursor
first_case(const struct check_how *how)
{
	return (struct cursor){ .how = how,
		.profiles = check_profiles(how->suite, how->opts) };
}

static size_t
count_cases(const struct check_how *how)
{
	struct cursor c = first_case(how);
	size_t n = 0;

	while (next_case(&c))
		n++;
	return n;
}

static bool
is_failure(const struct check_how *how, enum check_result result,
    const struct requirement *r)
{
	return result == CHECK_FAIL &&
	       (r->strength == REQUIREMENT_MUST ||
		   (r->strength == REQUIREMENT_SHOULD && how->opts->strict));
}

/* What a case says of the peer, fit to be seen. */
static void
run_case(struct report *r, struct check_run *run, const struct check_case *c)
{
	const struct check_how *how = r->how;
	struct report_case done = { .profile = run->profile,
		.name = c->name,
		.requirement = requirement_find(c->requirement),
		.transcript = &run->transcript };
	uint64_t start = clock_mono_us();
	struct buf repeat, why;

	report_next(r, run->profile, c->name);
	transcript_reset(&run->transcript);
	buf_reset(&run->why);
	buf_init(&repeat, 0);
	buf_init(&why, 0);
	run->current = c;
	done.result = c->run(run);
	done.us = clock_mono_us() - start;
	done.failure = is_failure(how, done.result, done.requirement);
	buf_addf(&repeat, "%s --profile %s --only %s", how->repeat,
	    run->profile, c->name);
	ctl_safe(&why, buf_data(&run->why), buf_len(&run->why), true);
	done.repeat = buf_cstr(&repeat);
	done.why = buf_cstr(&why);
	if (done.repeat && done.why)
		report_add(r, &done);
	buf_fini(&repeat);
	buf_fini(&why);
	if (done.result == CHECK_FAIL && how->recover)
		how->recover(run);
}

int
check_run_all(const struct check_how *how)
{
	struct check_run run = { .role = how->role };
	struct cursor at = first_case(how);
	const struct check_case *c;
	struct report report;
	int status = 0;

	transcript_init(&run.transcript);
	buf_init(&run.why, 0);
	report_begin(&report, how, count_cases(how));
	while (status == 0 && (c = next_case(&at))) {
		if (!run.profile || run.profile_index != at.profile) {
			run.profile_index = at.profile;
			run.profile = how->suite->profiles[at.profile];
			status =
			    how->begin_profile ? how->begin_profile(&run) : 0;
		}
		if (status == 0)
			run_case(&report, &run, c);
	}
	if (report_end(&report) < 0)
		status = status ? status : CHECK_EXIT_DOES_NOT;
	transcript_fini(&run.transcript);
	buf_fini(&run.why);
	return status                   ? status
	       : report.totals.failures ? CHECK_EXIT_DOES_NOT
					: CHECK_EXIT_CONFORMS;
}
