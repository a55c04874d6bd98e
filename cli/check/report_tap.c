/* SPDX-License-Identifier: MIT */
/*
 * report_tap: results in the Test Anything Protocol, version 13, on standard
 * output.  A failed should is a TODO: no failure for whoever reads the TAP.
 */
#include "cli/check/report.h"

#include <stdio.h>

void
report_tap_begin(const struct report *r)
{
	printf("TAP version 13\n1..%zu\n", r->planned);
}

static void
print_details(const struct report_case *c)
{
	struct buf text;

	buf_init(&text, 0);
	buf_addf(&text, "#   requirement MLT-%u (%s, %s): %s\n",
	    c->requirement->number,
	    requirement_strength_word(c->requirement->strength),
	    c->requirement->source, c->requirement->text);
	if (*c->why)
		buf_addf(&text, "#   seen: %s\n", c->why);
	buf_adds(&text, "#   dialogue (seconds, connection, > to it, < from "
			"it):\n");
	transcript_print(c->transcript, "#   ", &text);
	buf_addf(&text, "#   again: %s\n", c->repeat);
	if (buf_cstr(&text))
		fputs(buf_cstr(&text), stdout);
	buf_fini(&text);
}

void
report_tap_add(const struct report *r, const struct report_case *c)
{
	bool failed = c->result == CHECK_FAIL;

	printf("%s %zu - MLT-%u %s (%s)", failed ? "not ok" : "ok", r->totals.n,
	    c->requirement->number, c->name, c->profile);
	if (failed && !c->failure)
		fputs(" # TODO a should", stdout);
	else if (c->result == CHECK_NOT_APPLICABLE)
		printf(" # SKIP not applicable: %s", c->why);
	putchar('\n');
	if (failed || r->how->opts->verbose)
		print_details(c);
	else if (c->result == CHECK_DIFFERS)
		printf("#   differs: %s\n", c->why);
	fflush(stdout);
}

void
report_tap_end(const struct report *r)
{
	const struct report_totals *t = &r->totals;

	printf("# %s: %zu cases in %.1f s: %zu passed, %zu failed (%zu of them "
	       "count), %zu differ, %zu not applicable\n",
	    r->how->target, t->n, (double)t->us / 1e6, t->of[CHECK_PASS],
	    t->of[CHECK_FAIL], t->failures, t->of[CHECK_DIFFERS],
	    t->of[CHECK_NOT_APPLICABLE]);
}
