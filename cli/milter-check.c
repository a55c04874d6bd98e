/* SPDX-License-Identifier: MIT */
/*
 * milter-check: tests filters and MTAs from the other side of the socket.
 *
 * A program of subcommands, each with its options and its sources in
 * cli/check/.  Exit status: 0 conforms (or: done), 1 does not, 2 usage, 3 the
 * peer cannot be reached.
 */
#include "cli/check/subcommand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct subcommand {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} subcommands[] = {
#define SUBCOMMAND(name, help) { #name, help, check_##name##_main },
#include "cli/check/subcommand.def"
#undef SUBCOMMAND
};
#define N_SUBCOMMANDS (sizeof(subcommands) / sizeof(*subcommands))

static void
tail(const void *opts, bool usage, struct buf *out)
{
	(void)opts;
	(void)usage;
	buf_adds(out, "Commands, each with its own --help:\n");
	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		buf_addf(out, "  %-8s %s\n", subcommands[i].name,
		    subcommands[i].help);
}

int
main(int argc, char **argv)
{
	static const struct cmdline c = { .name = "milter-check",
		.words = " COMMAND ...",
		.tail = tail,
		.command = true,
		.usage_status = CHECK_EXIT_USAGE };
	int first = cmdline_parse(&c, NULL, argc, argv);

	for (size_t i = 0; first < argc && i < N_SUBCOMMANDS; i++) {
		if (strcmp(argv[first], subcommands[i].name) == 0)
			return subcommands[i].run(argc - first, argv + first);
	}
	if (first < argc)
		fprintf(stderr, "milter-check: there is no command \"%s\"\n",
		    argv[first]);
	cmdline_usage(&c, NULL);
}
