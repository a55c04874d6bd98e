/* SPDX-License-Identifier: MIT */
#include "cli/md_cmdline.h"

#include "cli/cmdline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noreturn, format(printf, 2, 3))) static void
refuse(const char *prog, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", prog);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

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
	if (mo->request_bytes < o->fe.limits.request_bytes)
		mo->request_bytes = o->fe.limits.request_bytes;
}

static void
parse_builtin(int argc, char **argv, struct md_opts *o, struct mux_opts *mo)
{
	const struct cmdline builtin = { .name = "mimedefang ... --",
		.rows = mux_option_rows,
		.n = mux_option_count,
		.print_config = &o->print_builtin };
	char err[512];

	cmdline_parse(&builtin, mo, argc, argv);
	if (mo->user || mo->pid_file || mo->lock_file || mo->foreground ||
	    mo->log_stderr || mo->log_format)
		refuse(argv[0],
		    "-U -p -o -D --log-stderr --log-format behind -- belong to "
		    "a separate multiplexor; give them before --");
	hand_down(o, mo);
	if (mux_opts_check(mo, err, sizeof(err)) < 0)
		refuse(argv[0], "%s", err);
}

void
md_cmdline_parse(int argc, char **argv, struct md_opts *o, struct mux_opts *mo)
{
	const struct cmdline own = { .name = "mimedefang",
		.rows = md_option_rows,
		.n = md_option_count,
		.words = " [-- multiplexor options]",
		.more = "The multiplexor's options: mimedefang-multiplexor "
			"--help\n",
		.print_config = &o->print_config };
	char err[512];
	int rest;

	rest = cmdline_parse(&own, o, argc, argv);
	if (md_opts_check(o, err, sizeof(err)) < 0)
		refuse(argv[0], "%s", err);
	if (!o->mux_socket) {
		/* The word before the rest serves as the program's name. */
		argv[rest - 1] = argv[0];
		parse_builtin(argc - rest + 1, argv + rest - 1, o, mo);
	} else if (rest < argc) {
		refuse(argv[0],
		    "options behind -- are for the built-in multiplexor; give "
		    "them to the one at %s, or leave out -m",
		    o->mux_socket);
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
	if (!o->mux_socket) {
		buf_adds(&text, "[multiplexor]\n");
		opt_dump(mux_option_rows, mux_option_count, mo, &text);
	}
	s = buf_cstr(&text);
	if (s)
		fputs(s, stdout);
	buf_fini(&text);
	return s && fflush(stdout) == 0 ? 0 : 1;
}
