/* SPDX-License-Identifier: MIT */
#include "cli/mta_sendmail.h"

#include <string.h>
#include <strings.h>

#define FILTERS_MAX 32
#define CF_LINE_MAX 4096 /* with what follows it; more is cut */

/* A piece of the line that is looked at. */
struct piece {
	const char *p;
	size_t n;
};

struct reader {
	struct mta *m;
	const struct mta_addr *ours;
	char name[128];          /* of the filter that is ours; "" = none */
	struct mta_terms terms;  /* of that one */
	char list[MTA_TEXT_MAX]; /* InputMailFilters */
	bool listed;
};

/* ---- pieces ------------------------------------------------------------------------ */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct piece
trim(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	while (end > p && is_blank(end[-1]))
		end--;
	return (struct piece){ p, (size_t)(end - p) };
}

static bool
is_word(struct piece s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

bool
cf_field_next(
    const char **p, const char *end, char separator, struct cf_field *field)
{
	const char *stop, *eq;
	struct piece name, value;

	if (*p >= end)
		return false;
	stop = memchr(*p, separator, (size_t)(end - *p));
	if (!stop)
		stop = end;
	eq = memchr(*p, '=', (size_t)(stop - *p));
	name = trim(*p, eq ? eq : stop);
	value = trim(eq ? eq + 1 : stop, stop);
	*field = (struct cf_field){ name.p, value.p, name.n, value.n };
	*p = stop < end ? stop + 1 : end;
	return true;
}

static struct piece
name_of(const struct cf_field *f)
{
	return (struct piece){ f->name, f->n_name };
}

/* ---- a filter --------------------------------------------------------------------- */

static enum mta_action
flag_action(const struct cf_field *flags)
{
	for (size_t i = 0; i < flags->n_value; i++)
		if (flags->value[i] == 'R')
			return MTA_REJECT;
		else if (flags->value[i] == 'T' || flags->value[i] == '4')
			return MTA_TEMPFAIL;
	return MTA_ACCEPT;
}

/* "C:5m;S:10s;R:10s;E:5m" */
static void
read_times(struct mta_terms *t, const struct cf_field *times)
{
	const char *p = times->value, *end = p + times->n_value;

	while (p < end) {
		const char *stop = memchr(p, ';', (size_t)(end - p));
		struct piece s = trim(p, stop ? stop : end);
		long v = s.n > 2 && s.p[1] == ':'
			     ? mta_seconds(s.p + 2, s.n - 2)
			     : -1;

		if (v >= 0 && s.p[0] == 'C')
			t->connect_s = v;
		else if (v >= 0 && s.p[0] == 'R')
			t->command_s = t->content_s = v;
		else if (v >= 0 && s.p[0] == 'E')
			t->end_s = v;
		p = stop ? stop + 1 : end;
	}
}

/* Xname, S=socket, F=flags, T=times */
static void
read_filter(struct reader *r, const char *p, const char *end)
{
	struct mta_terms terms = { MTA_ACCEPT, 300, 10, 10, 300, 6 };
	struct cf_field f;
	struct piece name;
	struct mta_addr theirs;
	bool ours = false;

	if (!cf_field_next(&p, end, ',', &f))
		return;
	name = name_of(&f);
	while (cf_field_next(&p, end, ',', &f)) {
		if (is_word(name_of(&f), "S"))
			ours =
			    mta_addr_ours(&theirs, f.value, f.n_value) == 0 &&
			    mta_addr_same(r->ours, &theirs);
		else if (is_word(name_of(&f), "F"))
			terms.action = flag_action(&f);
		else if (is_word(name_of(&f), "T"))
			read_times(&terms, &f);
	}
	if (!ours || name.n == 0 || r->name[0])
		return;
	mta_copy(r->name, sizeof(r->name), name.p, name.n);
	r->terms = terms;
}

/* Whether the filter that is ours is in a list of names by commas or
 * semicolons. */
static bool
in_list(const struct reader *r, const char *p, const char *end)
{
	while (p < end) {
		size_t n = 0;

		while (p + n < end && p[n] != ',' && p[n] != ';')
			n++;
		if (r->name[0] && is_word(trim(p, p + n), r->name))
			return true;
		p += p + n < end ? n + 1 : n;
	}
	return false;
}

/* ---- daemons ------------------------------------------------------------------------- */

static void
set_way(struct reader *r, struct mta_way *w)
{
	w->ours = in_list(r, w->list, w->list + strlen(w->list));
	w->terms = r->terms;
}

/* Name=MTA, Port=smtp, InputMailFilters=a;b */
static void
read_daemon(struct reader *r, struct piece value)
{
	const char *p = value.p, *end = p + value.n;
	struct mta_way *w = &r->m->way[r->m->n_ways];
	struct cf_field f;

	if (r->m->n_ways == MTA_WAYS_MAX)
		return;
	r->m->n_ways++;
	*w = (struct mta_way){ .name = "" };
	while (cf_field_next(&p, end, ',', &f))
		if (is_word(name_of(&f), "Name")) {
			mta_copy(w->name, sizeof(w->name), f.value, f.n_value);
		} else if (is_word(name_of(&f), "InputMailFilters")) {
			w->own_list = true;
			mta_copy(w->list, sizeof(w->list), f.value, f.n_value);
		}
}

/* Filters may be defined behind the lists that name them. */
static void
finish(struct reader *r)
{
	struct mta *m = r->m;

	if (m->n_ways == 0) { /* it listens all the same */
		m->n_ways = 1;
		m->way[0] = (struct mta_way){ .name = "" };
	}
	for (struct mta_way *w = m->way; w < m->way + m->n_ways; w++) {
		if (!w->name[0])
			strcpy(w->name, "MTA");
		if (!w->own_list)
			mta_copy(
			    w->list, sizeof(w->list), r->list, strlen(r->list));
		set_way(r, w);
		r->listed |= w->ours;
	}
	m->unlisted = r->name[0] && !r->listed;
}

/* ---- options ------------------------------------------------------------------------- */

static void
set_macros(struct reader *r, struct piece stage, struct piece value)
{
	static const char *const names[MTA_STAGES] = { "connect", "helo",
		"envfrom", "envrcpt", "eom" };

	for (size_t i = 0; i < MTA_STAGES; i++)
		if (is_word(stage, names[i]))
			mta_copy(r->m->macros[i], sizeof(r->m->macros[i]),
			    value.p, value.n);
}

static void
set_blame(struct reader *r, struct piece value)
{
	const char *p = value.p, *end = p + value.n;
	struct cf_field f;

	while (cf_field_next(&p, end, ',', &f)) {
		r->m->trusts_sticky |= is_word(name_of(&f), "TrustStickyBit");
		r->m->trusts_group |=
		    is_word(name_of(&f), "GroupWritableDirPathSafe");
	}
}

/* O Name=value, blanks around the sign or not */
static void
read_option(struct reader *r, const char *p, const char *end)
{
	static const char macros[] = "Milter.macros.";
	const char *eq = memchr(p, '=', (size_t)(end - p));
	struct piece name, value;

	if (!eq)
		return;
	name = trim(p, eq);
	value = trim(eq + 1, end);
	if (is_word(name, "InputMailFilters")) {
		mta_copy(r->list, sizeof(r->list), value.p, value.n);
	} else if (is_word(name, "DaemonPortOptions")) {
		read_daemon(r, value);
	} else if (is_word(name, "MaxMessageSize")) {
		r->m->message_bytes = mta_bytes(value.p, value.n);
	} else if (is_word(name, "RunAsUser")) {
		value.n = (size_t)(strcspn(value.p, ":.\n") < value.n
				       ? strcspn(value.p, ":.\n")
				       : value.n);
		mta_copy(
		    r->m->user.name, sizeof(r->m->user.name), value.p, value.n);
	} else if (is_word(name, "DontBlameSendmail")) {
		set_blame(r, value);
	} else if (name.n > sizeof(macros) - 1 &&
		   strncasecmp(name.p, macros, sizeof(macros) - 1) == 0) {
		name.p += sizeof(macros) - 1;
		name.n -= sizeof(macros) - 1;
		set_macros(r, name, value);
	}
}

/* ---- lines ---------------------------------------------------------------------------- */

/* One line with those that go on with it; returns what follows. */
static const char *
join(const char *p, const char *end, char *line, size_t *n)
{
	*n = 0;
	for (;;) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((lf ? lf : end) - p);

		if (len > CF_LINE_MAX - *n)
			len = CF_LINE_MAX - *n;
		memcpy(line + *n, p, len);
		*n += len;
		p = lf ? lf + 1 : end;
		if (p == end || (*p != ' ' && *p != '\t'))
			break;
	}
	line[*n] = '\0';
	return p;
}

void
mta_sendmail_read(
    struct mta *m, const struct mta_addr *ours, const char *text, size_t n)
{
	struct reader r = { .m = m, .ours = ours };
	const char *p = text, *end = text + n;
	char line[CF_LINE_MAX + 1];
	size_t len;

	m->postfix = false;
	m->n_ways = 0;
	m->message_bytes = 0;
	strcpy(m->user.name, "root");
	while (p < end) {
		p = join(p, end, line, &len);
		if (len > 1 && line[0] == 'X')
			read_filter(&r, line + 1, line + len);
		else if (len > 1 && line[0] == 'O' && is_blank(line[1]))
			read_option(&r, line + 1, line + len);
	}
	if (m->message_bytes < 0)
		m->message_bytes = 0;
	finish(&r);
}
