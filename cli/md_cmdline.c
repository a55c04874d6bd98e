/* SPDX-License-Identifier: MIT */
#include "cli/md_cmdline.h"

#include "cli/cmdline.h"

#include <stdio.h>
#include <stdlib.h>

/* What is said of the process holds for its multiplexor. */
static void
hand_down(const struct md_opts *o, struct mux_opts *mo)
{
	mo->user = o->user;
	mo->pid_file = o->pid_file;
	mo->lock_file = o->lock_file;
	mo->foreground = o->foreground;
	mo->log_stderr = o->log_stderr;
	mo->log_format = o->log_format;
	mo->spool_dir = o->fe.spool_dir;
	mo->group_access = o->fe.group_access;
	mo->built_in = true;
	if (mo->request_bytes < o->fe.limits.request_bytes)
		mo->request_bytes = o->fe.limits.request_bytes;
}

/* Those behind "--". */
static int
parse_mux(int argc, char **argv, const struct md_cmdline_opts *how,
    struct md_opts *o, struct mux_opts *mo, char *err, size_t errlen)
{
	const struct cmdline mux = { .name = "mimedefang ... --",
		.rows = mux_option_rows,
		.n = mux_option_count,
		.usage_status = how->usage_status,
		.print_config = &o->print_builtin };

	cmdline_parse(&mux, mo, argc, argv);
	if (!o->mux_socket) {
		if (mo->user || mo->pid_file || mo->lock_file ||
		    mo->foreground || mo->log_stderr || mo->log_format) {
			snprintf(err, errlen,
			    "-U -p -o -D --log-stderr --log-format behind -- "
			    "belong to a separate multiplexor; give them "
			    "before --");
			return -1;
		}
		hand_down(o, mo);
	}
	return mux_opts_check(mo, err, errlen);
}

int
md_cmdline_finish(int argc, char **argv, int rest,
    const struct md_cmdline_opts *how, struct md_opts *o, struct mux_opts *mo,
    char *err, size_t errlen)
{
	if (md_opts_check(o, err, errlen) < 0)
		return -1;
	if (o->mux_socket && !how->separate) {
		if (rest == argc)
			return 0;
		snprintf(err, errlen,
		    "options behind -- are for the built-in multiplexor; give "
		    "them to the one at %s, or leave out -m",
		    o->mux_socket);
		return -1;
	}
	/* The word before the rest serves as the program's name. */
	argv[rest - 1] = argv[0];
	return parse_mux(
	    argc - rest + 1, argv + rest - 1, how, o, mo, err, errlen);
}

void
md_cmdline_parse(int argc, char **argv, const struct md_cmdline_opts *how,
    struct md_opts *o, struct mux_opts *mo)
{
	const struct cmdline own = { .name = "mimedefang",
		.rows = md_option_rows,
		.n = md_option_count,
		.words = " [-- multiplexor options]",
		.more = "The multiplexor's options: mimedefang-multiplexor "
			"--help\n",
		.usage_status = how->usage_status,
		.print_config = &o->print_config };
	char err[512];
	int rest = cmdline_parse(&own, o, argc, argv);

	if (md_cmdline_finish(argc, argv, rest, how, o, mo, err, sizeof(err)) <
	    0) {
		fprintf(stderr, "%s: %s\n", argv[0], err);
		exit(how->usage_status ? how->usage_status : 1);
	}
}

int
md_cmdline_print(const struct md_opts *o, const struct mux_opts *mo)
{
	struct buf text;
	const char *s;

	buf_init(&text, 0);
	if (o->print_config) {
		buf_adds(&text, "[mimedefang]\n");
		opt_dump(md_option_rows, md_option_count, o, &text);
	}
	if (mo->worker) { /* they were parsed */
		buf_adds(&text, "[multiplexor]\n");
		opt_dump(mux_option_rows, mux_option_count, mo, &text);
	}
	s = buf_cstr(&text);
	if (s)
		fputs(s, stdout);
	buf_fini(&text);
	return s && fflush(stdout) == 0 ? 0 : 1;
}
