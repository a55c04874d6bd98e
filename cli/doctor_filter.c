/* SPDX-License-Identifier: MIT */
/* doctor_rules: the filter: whether it loads, and whether what it calls is
 * installed. */
#include "cli/doctor_rules.h"

#include <string.h>

static const struct {
	const char *feature; /* as the worker names it */
	const char *words[4];
	const char *package; /* Debian's */
} features[] = {
	{ "SpamAssassin", { "spam_assassin_" }, "spamassassin" },
	{ "Net::DNS", { "relay_is_blacklisted", "email_is_blacklisted" },
	    "libnet-dns-perl" },
	{ "Archive::Zip", { "Archive::Zip", "re_match_in_zip_directory" },
	    "libarchive-zip-perl" },
	{ "HTML::Parser", { "append_html_boilerplate", "HTML::Parser" },
	    "libhtml-parser-perl" },
	{ "7zip", { "re_match_in_7zip_directory" }, "7zip" },
	{ "Virus:", { "message_contains_virus(", "entity_contains_virus(" },
	    "clamav-daemon" },
};

/* Whether the code has one of the words: not in a comment. */
static bool
calls(const char *text, const char *const *words)
{
	for (const char *p = text; *p;) {
		const char *end = p + strcspn(p, "\n"), *code = p;

		while (code < end && *code != '#')
			code++;
		for (int i = 0; i < 4 && words[i]; i++) {
			const char *at = strstr(p, words[i]);

			if (at && at < code)
				return true;
		}
		p = *end ? end + 1 : end;
	}
	return false;
}

/* "NAME    : yes (value)"; a name that ends in ":" stands for all of its kind. */
static bool
has_feature(const char *report, const char *name)
{
	size_t n = strlen(name);
	bool kind = n && name[n - 1] == ':', known = false;

	for (const char *p = report; *p; p += *p == '\n') {
		const char *end = p + strcspn(p, "\n"), *at = p + n;

		if (strncmp(p, name, n) == 0) {
			while (at < end && kind && *at != ' ')
				at++;
			while (at < end && *at == ' ')
				at++;
			known |= strncmp(at, ": no", 4) == 0;
			if (strncmp(at, ": yes", 5) == 0)
				return true;
		}
		p = end;
	}
	return !known; /* another worker program has other names */
}

void
doctor_rules_filter(const struct doctor_facts *f, struct doctor_report *r)
{
	if (f->filter == FILTER_BROKEN) {
		doctor_found(r, FOUND_FILTER, "%s", f->filter_said);
		doctor_change(r, "%s%s%s -test", f->mo->worker,
		    f->mo->filter ? " -f " : "",
		    f->mo->filter ? f->mo->filter : "");
	}
	if (!f->filter_text || !f->features)
		return;
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		if (!calls(f->filter_text, features[i].words) ||
		    has_feature(f->features, features[i].feature))
			continue;
		doctor_found(r, FOUND_MODULE,
		    strcmp(features[i].feature, "Virus:") == 0
			? "the filter calls %s), and there is no scanner"
			: "the filter calls %s, and there is no %s",
		    features[i].words[0], features[i].feature);
		doctor_change(
		    r, "apt-get install %s, and reread", features[i].package);
	}
}
