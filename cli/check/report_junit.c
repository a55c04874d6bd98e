/* SPDX-License-Identifier: MIT */
/*
 * report_junit: results as JUnit XML, which build servers read: a suite for the
 * role, a class for each profile.  What does not count is no failure there.
 */
#include "cli/check/report.h"

/* Text of an element, or of an attribute: letters that XML takes. */
static void
add_xml(struct buf *out, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		case '&':
			buf_adds(out, "&amp;");
			break;
		case '"':
			buf_adds(out, "&quot;");
			break;
		default:
			buf_addc(out, *s);
		}
	}
}

static void
add_failure(struct buf *out, const struct report_case *c)
{
	struct buf text;

	buf_init(&text, 0);
	transcript_print(c->transcript, "", &text);
	buf_adds(out, "<failure message=\"");
	add_xml(out, c->why);
	buf_addf(out, "\">MLT-%u (%s): ", c->requirement->number,
	    c->requirement->source);
	add_xml(out, c->requirement->text);
	buf_addc(out, '\n');
	add_xml(out, buf_cstr(&text) ? buf_cstr(&text) : "");
	buf_adds(out, "again: ");
	add_xml(out, c->repeat);
	buf_adds(out, "</failure>");
	buf_fini(&text);
}

void
report_junit_add(struct report *r, const struct report_case *c)
{
	struct buf *out = &r->junit;

	buf_addf(out,
	    "<testcase classname=\"milter-check.%s.%s\" name=\"MLT-%u %s\" "
	    "time=\"%.3f\">",
	    requirement_role_word(c->requirement->role), c->profile,
	    c->requirement->number, c->name, (double)c->us / 1e6);
	if (c->failure) {
		add_failure(out, c);
	} else if (c->result == CHECK_NOT_APPLICABLE) {
		buf_adds(out, "<skipped message=\"");
		add_xml(out, c->why);
		buf_adds(out, "\"/>");
	} else if (c->result != CHECK_PASS) {
		buf_adds(out, "<system-out>");
		add_xml(out, c->why);
		buf_adds(out, "</system-out>");
	}
	buf_adds(out, "</testcase>\n");
}

int
report_junit_end(struct report *r)
{
	const struct report_totals *t = &r->totals;
	struct buf out;
	int rc;

	if (!r->how->opts->junit)
		return 0;
	buf_init(&out, 0);
	buf_addf(&out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<testsuite name=\"milter-check %s\" tests=\"%zu\" "
	    "failures=\"%zu\" skipped=\"%zu\" time=\"%.3f\">\n",
	    requirement_role_word(r->how->suite->role), t->n, t->failures,
	    t->of[CHECK_NOT_APPLICABLE], (double)t->us / 1e6);
	buf_add(&out, buf_data(&r->junit), buf_len(&r->junit));
	buf_adds(&out, "</testsuite>\n");
	rc = report_write_file(r->how->opts->junit, &out);
	buf_fini(&out);
	return rc;
}
