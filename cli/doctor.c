/* SPDX-License-Identifier: MIT */
#include "cli/doctor.h"

#include "cli/cmdline.h"
#include "cli/doctor_defaults.h"
#include "cli/doctor_gather.h"
#include "cli/doctor_rules.h"
#include "cli/md_cmdline.h"

#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct doctor_opts {
	struct md_opts
	    md; /* the first: rows of mimedefang are used as they are */
	struct doctor_where where;
	const char *defaults, *run_daemon;
	bool json;
};

static int
act_mdoc_findings(void *opts, const char *arg)
{
	struct buf text;

	(void)opts;
	(void)arg;
	buf_init(&text, 0);
	doctor_mdoc(&text);
	if (buf_cstr(&text))
		fputs(buf_cstr(&text), stdout);
	buf_fini(&text);
	exit(fflush(stdout) == 0 ? 0 : 1);
}

#define AT(member) offsetof(struct doctor_opts, member)
#define STR(name, member, arg, dflt, help)                                     \
	{                                                                      \
		0, name, OPT_STR, 0, AT(member), arg, dflt, 0, 0, help, NULL   \
	}
/* clang-format off: one row a line */
static const struct opt rows[] = {
	{ 0, "json", OPT_FLAG, 0, AT(json), NULL, NULL, 0, 0,
	    "print the findings as one JSON document", NULL },
	STR("postfix-config", where.postfix_config, "DIR", NULL,
	    "directory with Postfix's main.cf and master.cf (default: "
	    "/etc/postfix, if there is one)"),
	STR("sendmail-cf", where.sendmail_cf, "FILE", NULL,
	    "Sendmail's configuration (default: /etc/mail/sendmail.cf, if "
	    "there is one)"),
	STR("postconf", where.postconf, "PROGRAM", NULL,
	    "Postfix's postconf, an absolute path (default: is looked for)"),
	STR("mta-user", where.mta_user, "USER", NULL,
	    "whose process connects to the milter (default: Postfix's "
	    "mail_owner, Sendmail's RunAsUser or root)"),
	STR("defaults", defaults, "FILE", NULL,
	    "take the daemon's options from this file if none are given "
	    "(default: /etc/default/mimedefang and "
	    "/etc/sysconfig/mimedefang)"),
	STR("run-daemon", run_daemon, "PROGRAM", MD_LIBEXECDIR "/run-daemon",
	    "what turns such a file into options"),
	{ 0, "help-mdoc-findings", OPT_ACT, 0, 0, NULL, NULL, 0, 0,
	    "the findings as source of the manual page", act_mdoc_findings },
};
/* clang-format on */

__attribute__((noreturn)) static void
refuse(const char *err)
{
	fprintf(stderr, "mimedefang doctor: %s\n", err);
	exit(DOCTOR_EXIT_USAGE);
}

/* ---- options ------------------------------------------------------------------------ */

/* Whether no option of the daemon was given. */
static bool
is_default(const struct md_opts *md)
{
	static struct md_opts none;
	static char *argv[] = { (char *)(uintptr_t) "mimedefang", NULL };
	struct buf a, b;
	bool same;
	int rest;

	opt_parse(md_option_rows, md_option_count, &none, 1, argv, &rest);
	buf_init(&a, 0);
	buf_init(&b, 0);
	opt_dump(md_option_rows, md_option_count, md, &a);
	opt_dump(md_option_rows, md_option_count, &none, &b);
	same = buf_len(&a) == buf_len(&b) &&
	       memcmp(buf_data(&a), buf_data(&b), buf_len(&a)) == 0;
	buf_fini(&a);
	buf_fini(&b);
	return same;
}

static void
parse(int argc, char **argv, struct doctor_opts *d, struct mux_opts *mo,
    struct doctor_words *words)
{
	const struct md_cmdline_opts how = { .separate = true,
		.usage_status = DOCTOR_EXIT_USAGE };
	const struct cmdline own = { .name = "mimedefang doctor",
		.rows = rows,
		.n = sizeof(rows) / sizeof(rows[0]),
		.words = " [mimedefang options] [-- multiplexor options]",
		.more = "The daemon's options: mimedefang --help\n",
		.also = md_option_rows,
		.n_also = md_option_count,
		.usage_status = DOCTOR_EXIT_USAGE,
		.print_config = &d->md.print_config };
	char err[512];
	int rest = cmdline_parse(&own, d, argc, argv);
	bool print = d->md.print_config;

	if (d->where.mta_user && !getpwnam(d->where.mta_user))
		refuse("--mta-user: there is no such user");
	if (rest == argc && is_default(&d->md)) {
		if (doctor_words_read(words, d->defaults, d->run_daemon, err,
			sizeof(err)) < 0)
			refuse(err);
		d->md = (struct md_opts){ .conn = NULL };
		md_cmdline_parse(
		    words->n, (char **)(uintptr_t)words->v, &how, &d->md, mo);
		d->md.print_config = print;
	} else if (md_cmdline_finish(argc, argv, rest, &how, &d->md, mo, err,
		       sizeof(err)) < 0) {
		refuse(err);
	}
}

/* ---- the report ------------------------------------------------------------------------ */

static int
print(const struct doctor_report *r, bool json)
{
	struct buf text;
	const char *s;

	buf_init(&text, 0);
	if (json)
		doctor_json(r, &text);
	else
		doctor_text(r, &text);
	s = buf_cstr(&text);
	if (s)
		fputs(s, stdout);
	buf_fini(&text);
	if (!s || fflush(stdout) != 0)
		return DOCTOR_EXIT_PROBLEM;
	return doctor_count(r, DOCTOR_PROBLEM) ? DOCTOR_EXIT_PROBLEM : 0;
}

int
doctor_main(int argc, char **argv)
{
	static struct doctor_opts d; /* some strings are made for ever */
	static struct mux_opts mo;
	static struct doctor_words words;
	static struct doctor_facts facts;
	static struct doctor_report report;
	struct doctor_store store = { .limits = { .uids = { 0 } } };
	int status;

	signal(SIGPIPE, SIG_IGN);
	argv[0] = (char *)(uintptr_t) "mimedefang doctor"; /* for getopt */
	parse(argc, argv, &d, &mo, &words);
	if (d.md.print_config || d.md.print_builtin)
		return md_cmdline_print(&d.md, &mo);
	facts.md = &d.md;
	facts.mo = &mo;
	facts.defaults_file =
	    d.defaults ? d.defaults : "/etc/default/mimedefang";
	facts.assumed = words.n > 0 && !words.found;
	doctor_gather(&facts, &store, &d.where);
	doctor_examine(&facts, &report);
	status = print(&report, d.json);
	doctor_store_free(&store);
	doctor_words_free(&words);
	return status;
}
