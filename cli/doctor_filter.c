/* SPDX-License-Identifier: MIT */
/* doctor_rules: the filter: whether it loads, and whether what it calls is
 * installed. */
#include "cli/doctor_rules.h"

#include <string.h>

#define WORDS_MAX 6

/* What a filter says that needs something which may not be installed; our own
 * functions for archives and HTML need nothing. */
static const struct {
	const char *feature; /* as the worker names it */
	const char *words[WORDS_MAX];
	const char *package; /* Debian's */
} features[] = {
	{ "SpamAssassin", { "spam_assassin_", "Mail::SpamAssassin" },
	    "spamassassin" },
	{ "Net::DNS",
	    { "relay_is_blacklisted", "email_is_blacklisted",
		"get_mx_ip_addresses", "md_get_bogus_mx_hosts", "md_dns_txt",
		"md_spf_verify" },
	    "libnet-dns-perl" },
	{ "Archive::Zip", { "Archive::Zip->" }, "libarchive-zip-perl" },
	{ "HTML::Parser", { "HTML::Parser->" }, "libhtml-parser-perl" },
	{ "Virus:", { "message_contains_virus", "entity_contains_virus" },
	    "clamav-daemon" },
};

/* The first of the words that is in the code, not in a comment; NULL: none. */
static const char *
called(const char *text, const char *const *words)
{
	for (const char *p = text; *p;) {
		const char *end = p + strcspn(p, "\n"), *code = p;

		while (code < end && *code != '#')
			code++;
		for (int i = 0; i < WORDS_MAX && words[i]; i++) {
			const char *at = strstr(p, words[i]);

			if (at && at < code)
				return words[i];
		}
		p = *end ? end + 1 : end;
	}
	return NULL;
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
		const char *word = called(f->filter_text, features[i].words);

		if (!word || has_feature(f->features, features[i].feature))
			continue;
		if (strcmp(features[i].feature, "Virus:") == 0)
			doctor_found(r, FOUND_MODULE,
			    "the filter has %s, and there is no scanner", word);
		else
			doctor_found(r, FOUND_MODULE,
			    "the filter has %s, and there is no %s", word,
			    features[i].feature);
		doctor_change(
		    r, "apt-get install %s, and reread", features[i].package);
	}
}
