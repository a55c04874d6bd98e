/* SPDX-License-Identifier: MIT */
/*
 * filter: `milter-check filter SOCKET`, the MTA that tests a filter.
 */
#include "cli/check/filter.h"

#include "cli/check/repeat.h"
#include "cli/check/subcommand.h"

#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(struct filter_opts, member)
static const struct opt rows[] = {
	{ 'f', "from", OPT_STR, 0, AT(from), "ADDRESS", "<alice@example.net>",
	    0, 0, "the sender of the message that the filter is asked about",
	    NULL },
	{ 't', "to", OPT_STR, 0, AT(to), "ADDRESS", "<bob@example.org>", 0, 0,
	    "its recipient", NULL },
	{ 0, "helo", OPT_STR, 0, AT(helo), "NAME", "client.example.net", 0, 0,
	    "what the client says in HELO", NULL },
	{ 0, "host", OPT_STR, 0, AT(host), "NAME", "client.example.net", 0, 0,
	    "the client's name", NULL },
	{ 0, "ip", OPT_STR, 0, AT(ip), "ADDRESS", "192.0.2.17", 0, 0,
	    "the client's address", NULL },
	{ 0, "grace-ms", OPT_INT, OPT_STRICT, AT(grace_ms), "MS", "150", 1,
	    60000,
	    "wait at least so long before a missing answer is missing; more "
	    "if the filter was seen to be slower",
	    NULL },
	{ 0, "reply-ms", OPT_INT, OPT_STRICT, AT(reply_ms), "MS", "10000", 1,
	    600000, "the longest wait for an answer", NULL },
	CHECK_OPT_ROWS(struct filter_opts),
};

/* In the order of FILTER_MTAS and FILTER_HOSTILE. */
static const char *const profiles[] = { "sendmail-8.12", "sendmail-8.13",
	"sendmail-8.14", "sendmail-8.17", "postfix-2.6", "postfix-3",
	"postfix-3-cleanup", "generic-v2", "generic-v4", "generic-v6",
	"hostile", NULL };
static const struct check_case *const tables[] = { filter_negotiation_cases,
	NULL };
const struct check_suite check_filter_suite = { REQUIREMENT_FILTER, profiles,
	tables };

static int
run(struct filter *f)
{
	struct check_how how = { .suite = &check_filter_suite,
		.opts = &f->o.check,
		.target = f->socket,
		.role = f };
	struct buf repeat;
	int status;

	buf_init(&repeat, 0);
	buf_adds(&repeat, "milter-check filter");
	repeat_options(&repeat, rows, sizeof(rows) / sizeof(rows[0]), &f->o);
	repeat_word(&repeat, f->socket);
	how.repeat = buf_cstr(&repeat);
	status = how.repeat ? check_run_all(&how) : CHECK_EXIT_DOES_NOT;
	buf_fini(&repeat);
	return status;
}

int
check_filter_main(int argc, char **argv)
{
	static const struct cmdline c = { .name = "milter-check filter",
		.rows = rows,
		.n = sizeof(rows) / sizeof(rows[0]),
		.words = " SOCKET",
		.command = true,
		.permute = true,
		.usage_status = CHECK_EXIT_USAGE };
	struct filter f = { .socket = NULL };
	int rest = cmdline_parse(&c, &f.o, argc, argv);

	if (!check_opts_known(&check_filter_suite, &f.o.check))
		return CHECK_EXIT_USAGE;
	if (f.o.check.list && rest == argc) {
		check_list(&check_filter_suite);
		return 0;
	}
	if (rest != argc - 1)
		cmdline_usage(&c, &f.o);
	f.socket = argv[rest];
	return run(&f);
}
