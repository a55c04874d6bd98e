/* SPDX-License-Identifier: MIT */
/*
 * mta: `milter-check mta`, the client, the filter and the next hop that test an
 * MTA between them.
 */
#include "cli/check/mta.h"

#include "cli/check/repeat.h"
#include "cli/check/subcommand.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(struct mta_opts, member)
static const struct opt rows[] = {
	{ 's', "smtp", OPT_STR, 0, AT(rig.smtp), "HOST:PORT", NULL, 0, 0,
	    "where the MTA takes mail", NULL },
	{ 'l', "listen", OPT_STR, 0, AT(rig.listen), "SOCKET", NULL, 0, 0,
	    "the filter's socket, as the MTA is configured to use it: "
	    "inet:PORT@HOST or unix:PATH",
	    NULL },
	{ 'd', "sink", OPT_STR, 0, AT(rig.sink), "DIRECTORY", NULL, 0, 0,
	    "where messages arrive: a Maildir, or a directory with one file "
	    "for each",
	    NULL },
	{ 0, "sink-listen", OPT_STR, 0, AT(rig.sink_listen), "HOST:PORT", NULL,
	    0, 0,
	    "be the next hop of the MTA: take mail there by SMTP and write it "
	    "into the sink, with its envelope",
	    NULL },
	{ 'f', "from", OPT_STR, 0, AT(rig.from), "ADDRESS",
	    "sender@example.org", 0, 0, "the sender", NULL },
	{ 0, "new-from", OPT_STR, 0, AT(rig.new_from), "ADDRESS",
	    "changed@example.org", 0, 0, "the sender that it is changed to",
	    NULL },
	{ 't', "to", OPT_STR, 0, AT(rig.to), "ADDRESS", "recipient@example.net",
	    0, 0, "a recipient that the MTA takes", NULL },
	{ 0, "to2", OPT_STR, 0, AT(rig.to2), "ADDRESS", "second@example.net", 0,
	    0, "another one", NULL },
	{ 0, "to-added", OPT_STR, 0, AT(rig.to_added), "ADDRESS",
	    "added@example.net", 0, 0, "one that the filter adds", NULL },
	{ 0, "helo", OPT_STR, 0, AT(rig.helo), "NAME", "client.example.org", 0,
	    0, "what the client says in EHLO", NULL },
	{ 0, "wait-ms", OPT_INT, OPT_STRICT, AT(wait_ms), "MS", "15000", 100,
	    3600000,
	    "the longest wait for anything that the MTA should do; more than "
	    "it waits for a filter",
	    NULL },
	{ 0, "mta-timeout-ms", OPT_INT, OPT_STRICT, AT(mta_timeout_ms), "MS",
	    NULL, 0, 3600000,
	    "how long the MTA waits for a filter: set it to have filters "
	    "tested that never answer",
	    NULL },
	{ 0, "grace-ms", OPT_INT, OPT_STRICT, AT(grace_ms), "MS", "30", 1,
	    60000,
	    "hold an answer back so long where the MTA could say something "
	    "out of turn",
	    NULL },
	{ 0, "progress-ms", OPT_INT, OPT_STRICT, AT(progress_ms), "MS", "3000",
	    1, 3600000, "say PROGRESS without end so long", NULL },
	CHECK_OPT_ROWS(struct mta_opts),
};

static const char *const profiles[] = { "mta", NULL };
static const struct check_case *const tables[] = { mta_framing_cases,
	mta_negotiation_cases, mta_macro_cases, mta_state_cases,
	mta_content_cases, mta_header_cases, mta_edit_cases, mta_verdict_cases,
	mta_reply_cases, mta_timing_cases, mta_loss_cases, mta_garbage_cases,
	NULL };
const struct check_suite check_mta_suite = { REQUIREMENT_MTA, profiles,
	tables };

/* ---- the first session ------------------------------------------------------------ */

/* Why the MTA cannot be tested, in a line for people. */
static int
unreachable(struct mta *m, const char *advice)
{
	struct buf text;

	buf_init(&text, 0);
	rig_tell(&m->rig, rig_last(&m->rig), &text);
	fprintf(stderr, "milter-check: %s: %s; the client heard at %s\n",
	    m->o.rig.smtp, advice, buf_cstr(&text) ? buf_cstr(&text) : "");
	buf_fini(&text);
	return CHECK_EXIT_UNREACHABLE;
}

/* One message with a perfect filter; what the others need to know of the
 * MTA. */
static int
probe(struct check_run *run)
{
	struct mta *m = mta_of(run);
	struct mta_rig *r = mta_begin(run);
	bool ok = rig_deliver(r, NULL);

	if (rig_last(r) == RIG_GREETING)
		return unreachable(m, "no SMTP server greets there");
	if (r->n_links == 0)
		return unreachable(m,
		    "nobody connected to the filter's socket (is it in the "
		    "MTA's configuration, as --listen spells it?)");
	if (!ok)
		return unreachable(m,
		    "the MTA does not accept mail with a filter that lets "
		    "everything pass (are --from and --to right?)");
	if (!rig_arrived(r, &m->message))
		return unreachable(m,
		    "the message was accepted and did not arrive in the sink "
		    "(are --sink and --sink-listen right?)");
	m->has_from = m->message.has_from;
	m->has_to = m->message.has_to;
	m->offer = rig_played(r)->offer;
	return 0;
}

/* ---- the command ------------------------------------------------------------------ */

static const char *
missing(const struct mta_opts *o)
{
	return !o->rig.smtp     ? "--smtp HOST:PORT, where the MTA takes mail"
	       : !o->rig.listen ? "--listen SOCKET, the filter's socket"
	       : !o->rig.sink   ? "--sink DIRECTORY, where its mail arrives"
				: NULL;
}

/* An option whose text would be more, or less, than one word of an SMTP
 * command (those from helo to to_added in struct rig_opts); NULL: there is
 * none. */
static const char *
unsayable(const struct mta_opts *o)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text;

		if (rows[i].offset < AT(rig.helo) ||
		    rows[i].offset > AT(rig.to_added))
			continue;
		memcpy(&text, (const char *)o + rows[i].offset, sizeof(text));
		if (!*text || text[strcspn(text, "<>")])
			return rows[i].name;
		for (; *text; text++)
			if (*text <= ' ' || *text > '~')
				return rows[i].name;
	}
	return NULL;
}

static int
run_cases(struct mta *m)
{
	struct check_how how = { .suite = &check_mta_suite,
		.opts = &m->o.check,
		.target = m->o.rig.smtp,
		.begin_profile = probe,
		.role = m };
	struct buf repeat;
	int status;

	buf_init(&repeat, 0);
	buf_adds(&repeat, "milter-check mta");
	repeat_options(&repeat, rows, sizeof(rows) / sizeof(rows[0]), &m->o);
	how.repeat = buf_cstr(&repeat);
	status = how.repeat ? check_run_all(&how) : CHECK_EXIT_DOES_NOT;
	buf_fini(&repeat);
	return status;
}

int
check_mta_main(int argc, char **argv)
{
	static const struct cmdline c = { .name = "milter-check mta",
		.rows = rows,
		.n = sizeof(rows) / sizeof(rows[0]),
		.permute = true,
		.usage_status = CHECK_EXIT_USAGE };
	static struct mta m;
	char err[300];
	int rest = cmdline_parse(&c, &m.o, argc, argv), status;

	if (rest < argc) {
		fprintf(
		    stderr, "milter-check mta: what is \"%s\"?\n", argv[rest]);
		return CHECK_EXIT_USAGE;
	}
	if (!check_opts_known(&check_mta_suite, &m.o.check))
		return CHECK_EXIT_USAGE;
	if (m.o.check.list) {
		check_list(&check_mta_suite);
		return 0;
	}
	if (unsayable(&m.o)) {
		fprintf(stderr,
		    "milter-check mta: --%s: give one word of printable ASCII, "
		    "an address without < and >\n",
		    unsayable(&m.o));
		return CHECK_EXIT_USAGE;
	}
	if (missing(&m.o)) {
		fprintf(
		    stderr, "milter-check mta: it needs %s\n", missing(&m.o));
		return CHECK_EXIT_USAGE;
	}
	m.o.rig.wait_ms = (msec)m.o.wait_ms;
	m.o.rig.grace_ms = (msec)m.o.grace_ms;
	m.o.rig.progress_ms = (msec)m.o.progress_ms;
	signal(SIGPIPE, SIG_IGN);
	sink_message_init(&m.message);
	if (rig_init(&m.rig, &m.o.rig, err, sizeof(err)) < 0) {
		fprintf(stderr, "milter-check mta: %s\n", err);
		status = CHECK_EXIT_USAGE;
	} else {
		status = run_cases(&m);
	}
	rig_fini(&m.rig);
	sink_message_fini(&m.message);
	return status;
}
