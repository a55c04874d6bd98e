/* SPDX-License-Identifier: MIT */
/*
 * list: `milter-check list`, the requirements and the cases that check them.
 */
#include "cli/check/subcommand.h"

#include <stdio.h>
#include <string.h>

struct list_opts {
	bool tsv;
};

static const struct opt rows[] = {
	{ 0, "tsv", OPT_FLAG, 0, offsetof(struct list_opts, tsv), NULL, NULL, 0,
	    0,
	    "for programs: number, role, group, strength, source, text and "
	    "cases of each, separated by tabs",
	    NULL },
};

static const struct check_suite *
suite_of(enum requirement_role role)
{
	switch (role) {
	case REQUIREMENT_FILTER:
		return &check_filter_suite;
	case REQUIREMENT_MTA:
		return &check_mta_suite;
	case REQUIREMENT_ROLE_N:
		break;
	}
	return NULL;
}

/* The names of its cases. */
static void
print_cases(
    const struct requirement *r, const char *before, const char *between)
{
	const struct check_suite *s = suite_of(r->role);
	const struct check_case *c;

	for (size_t i = 0; s && (c = check_case_at(s, i)); i++) {
		if (c->requirement != r->number)
			continue;
		printf("%s%s", before, c->name);
		before = between;
	}
}

static void
print_row(const struct requirement *r, bool tsv)
{
	if (tsv) {
		printf("MLT-%u\t%s\t%s\t%s\t%s\t%s\t", r->number,
		    requirement_role_word(r->role),
		    requirement_group_word(r->group),
		    requirement_strength_word(r->strength), r->source, r->text);
		print_cases(r, "", " ");
	} else {
		printf("MLT-%u  %-7s  %s\n", r->number,
		    requirement_strength_word(r->strength), r->text);
		print_cases(r, "                  cases: ", ", ");
	}
	putchar('\n');
}

/* A title when the role or the group changes. */
static void
print_title(const struct requirement *r, const struct requirement *last)
{
	if (!last || last->role != r->role || last->group != r->group)
		printf("%s%s: %s\n", last ? "\n" : "",
		    requirement_role_word(r->role),
		    requirement_group_word(r->group));
}

int
check_list_main(int argc, char **argv)
{
	static const struct cmdline c = { .name = "milter-check list",
		.rows = rows,
		.n = sizeof(rows) / sizeof(rows[0]),
		.usage_status = CHECK_EXIT_USAGE };
	struct list_opts o = { 0 };
	const struct requirement *r, *last = NULL;

	cmdline_parse(&c, &o, argc, argv);
	for (size_t i = 0; (r = requirement_at(i)); i++, last = r) {
		if (!o.tsv)
			print_title(r, last);
		print_row(r, o.tsv);
	}
	return fflush(stdout) == 0 ? 0 : CHECK_EXIT_DOES_NOT;
}
