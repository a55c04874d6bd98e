/* SPDX-License-Identifier: MIT */
#include "cli/doctor_find.h"

#include "cli/ctl_safe.h"

#include <stdio.h>
#include <string.h>

#define PROBLEM DOCTOR_PROBLEM
#define WARNING DOCTOR_WARNING
#define NOTE    DOCTOR_NOTE
const struct doctor_kind doctor_kinds[FOUND_N] = {
#define FINDING(id, name, severity, why) [id] = { name, severity, why },
#include "cli/doctor_find.def"
#undef FINDING
};

static const char *const severities[DOCTOR_SEVERITIES] = { "problem", "warning",
	"note" };

/* One line, whatever is in the text. */
__attribute__((format(printf, 3, 0))) static void
fill(char *out, size_t max, const char *fmt, va_list ap)
{
	vsnprintf(out, max, fmt, ap);
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
}

void
doctor_found(struct doctor_report *r, enum doctor_id id, const char *fmt, ...)
{
	struct doctor_finding *f;
	va_list ap;

	r->full = r->n == DOCTOR_FINDINGS_MAX;
	if (r->full)
		return;
	f = &r->v[r->n++];
	f->id = id;
	f->change[0] = '\0';
	va_start(ap, fmt);
	fill(f->what, sizeof(f->what), fmt, ap);
	va_end(ap);
}

void
doctor_change(struct doctor_report *r, const char *fmt, ...)
{
	struct doctor_finding *f;
	va_list ap;

	if (r->full || r->n == 0)
		return;
	f = &r->v[r->n - 1];
	va_start(ap, fmt);
	fill(f->change, sizeof(f->change), fmt, ap);
	va_end(ap);
}

size_t
doctor_count(const struct doctor_report *r, enum doctor_severity s)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += doctor_kinds[r->v[i].id].severity == s;
	return n;
}

static void
add_count(struct buf *out, const struct doctor_report *r,
    enum doctor_severity s, const char *end)
{
	size_t n = doctor_count(r, s);

	buf_addf(out, "%zu %s%s%s", n, severities[s], n == 1 ? "" : "s", end);
}

/* Calls fn for each finding, the worst first, else as they were found. */
static void
each(const struct doctor_report *r, struct buf *out,
    void (*fn)(
	struct buf *out, const struct doctor_finding *f, const char *severity))
{
	for (unsigned s = 0; s < DOCTOR_SEVERITIES; s++)
		for (size_t i = 0; i < r->n; i++)
			if (doctor_kinds[r->v[i].id].severity == s)
				fn(out, &r->v[i], severities[s]);
}

static void
add_text(struct buf *out, const struct doctor_finding *f, const char *severity)
{
	const struct doctor_kind *k = &doctor_kinds[f->id];

	buf_addf(out, "%s: %s (%s)\n    why: %s\n", severity, f->what, k->name,
	    k->why);
	if (f->change[0])
		buf_addf(out, "    change: %s\n", f->change);
}

void
doctor_text(const struct doctor_report *r, struct buf *out)
{
	each(r, out, add_text);
	add_count(out, r, DOCTOR_PROBLEM, ", ");
	add_count(out, r, DOCTOR_WARNING, ", ");
	add_count(out, r, DOCTOR_NOTE, "\n");
}

static void
add_string(struct buf *out, const char *key, const char *text)
{
	buf_addf(out, "\"%s\":", key);
	ctl_json_string(out, text, strlen(text));
}

static void
add_json(struct buf *out, const struct doctor_finding *f, const char *severity)
{
	const struct doctor_kind *k = &doctor_kinds[f->id];
	bool first = buf_data(out)[buf_len(out) - 1] == '[';

	buf_adds(out, first ? "{" : ",{");
	add_string(out, "severity", severity);
	buf_addc(out, ',');
	add_string(out, "name", k->name);
	buf_addc(out, ',');
	add_string(out, "what", f->what);
	buf_addc(out, ',');
	add_string(out, "why", k->why);
	buf_addc(out, ',');
	add_string(out, "change", f->change);
	buf_addc(out, '}');
}

void
doctor_json(const struct doctor_report *r, struct buf *out)
{
	buf_adds(out, "{\"findings\":[");
	each(r, out, add_json);
	buf_addf(out, "],\"problems\":%zu,\"warnings\":%zu,\"notes\":%zu}\n",
	    doctor_count(r, DOCTOR_PROBLEM), doctor_count(r, DOCTOR_WARNING),
	    doctor_count(r, DOCTOR_NOTE));
}

void
doctor_mdoc(struct buf *out)
{
	for (unsigned i = 0; i < FOUND_N; i++)
		buf_addf(out, ".It %s Pq %s\n%s.\n", doctor_kinds[i].name,
		    severities[doctor_kinds[i].severity], doctor_kinds[i].why);
}
