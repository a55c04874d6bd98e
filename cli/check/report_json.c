/* SPDX-License-Identifier: MIT */
/*
 * report_json: results as one JSON object in a file.
 *
 *	{ "role", "target", "version", "date",
 *	  "cases": [ { "profile", "name", "requirement": "MLT-100", "strength",
 *	    "group", "result", "failure", "why", "ms", "repeat",
 *	    "dialogue": [ { "us", "link", "kind", "octets", "hex", "words" } ]
 *	  } ],
 *	  "totals": { "cases", "pass", "fail", "differs", "not applicable",
 *	    "failures", "ms" } }
 *
 * The dialogue is there for cases that failed.
 */
#include "cli/check/report.h"

#include "cli/check/words.h"
#include "cli/ctl_safe.h"
#include "core/base/clock.h"

#include <string.h>
#include <time.h>

#define HEX_MAX 256

static void
add_string(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, "\"%s\":", key);
	ctl_json_string(out, value, strlen(value));
}

void
report_json_begin(struct report *r)
{
	time_t now = (time_t)clock_wall_s();
	char date[32] = "";
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_addf(&r->json, "{\"role\":\"%s\",",
	    requirement_role_word(r->how->suite->role));
	add_string(&r->json, "target", r->how->target);
	buf_addf(&r->json, ",\"version\":\"%s\",\"date\":\"%s\",\"cases\":[",
	    MD_VERSION, date);
}

static void
add_entry(struct buf *out, const struct transcript *t, size_t i)
{
	static const char *const kinds[] = { "said", "heard", "note" };
	const struct transcript_entry *e = &t->v[i];
	struct buf words;

	buf_init(&words, 0);
	transcript_words(t, i, &words);
	buf_addf(out,
	    "{\"us\":%llu,\"link\":%u,\"kind\":\"%s\",\"octets\":%zu,",
	    (unsigned long long)e->us, e->link, kinds[e->kind],
	    e->kind == TRANSCRIPT_NOTE ? 0 : e->whole);
	if (e->kind != TRANSCRIPT_NOTE) {
		buf_adds(out, "\"hex\":\"");
		words_hex(out, transcript_octets(t, e),
		    e->n < HEX_MAX ? e->n : HEX_MAX, HEX_MAX);
		buf_adds(out, "\",");
	}
	add_string(out, "words", buf_cstr(&words) ? buf_cstr(&words) + 2 : "");
	buf_addc(out, '}');
	buf_fini(&words);
}

static void
add_dialogue(struct buf *out, const struct transcript *t)
{
	size_t from, to;
	const char *comma = "";

	transcript_gap(t, &from, &to);
	buf_adds(out, ",\"dialogue\":[");
	for (size_t i = 0; i < t->n; i++) {
		if (i >= from && i < to)
			continue;
		buf_adds(out, comma);
		add_entry(out, t, i);
		comma = ",";
	}
	buf_addc(out, ']');
}

void
report_json_add(struct report *r, const struct report_case *c)
{
	const struct requirement *q = c->requirement;
	struct buf *out = &r->json;

	buf_adds(out, r->totals.n > 1 ? ",\n{" : "\n{");
	add_string(out, "profile", c->profile);
	buf_addc(out, ',');
	add_string(out, "name", c->name);
	buf_addf(out,
	    ",\"requirement\":\"MLT-%u\",\"strength\":\"%s\","
	    "\"group\":\"%s\",\"result\":\"%s\",\"failure\":%s,",
	    q->number, requirement_strength_word(q->strength),
	    requirement_group_word(q->group), check_result_word(c->result),
	    c->failure ? "true" : "false");
	add_string(out, "why", c->why);
	buf_addf(out, ",\"ms\":%.3f,", (double)c->us / 1e3);
	add_string(out, "repeat", c->repeat);
	if (c->result == CHECK_FAIL)
		add_dialogue(out, c->transcript);
	buf_addc(out, '}');
}

int
report_json_end(struct report *r)
{
	const struct report_totals *t = &r->totals;

	buf_addf(&r->json, "\n],\"totals\":{\"cases\":%zu", t->n);
	for (enum check_result i = 0; i < CHECK_RESULT_N; i++)
		buf_addf(
		    &r->json, ",\"%s\":%zu", check_result_word(i), t->of[i]);
	buf_addf(&r->json, ",\"failures\":%zu,\"ms\":%.3f}}\n", t->failures,
	    (double)t->us / 1e3);
	if (!r->how->opts->json)
		return 0;
	return report_write_file(r->how->opts->json, &r->json);
}
