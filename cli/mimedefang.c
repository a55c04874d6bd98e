/* SPDX-License-Identifier: MIT */
/* mimedefang: the milter daemon; what it is made of. */
#include "cli/check_config.h"
#include "cli/doctor.h"
#include "cli/md_cmdline.h"
#include "cli/md_run.h"
#include "cli/prcap.h"
#include "cli/start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
or_exit(int rc, const char *prog, const char *err)
{
	if (rc < 0) {
		fprintf(stderr, "%s: %s\n", prog, err);
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	static struct md_opts o; /* some of their strings are made for ever */
	static struct mux_opts mo;
	struct md_limits limits;
	struct md_listen listen;
	struct daemon_ctx daemon;
	char err[512];

	if (argc == 2 && strcmp(argv[1], "prcap") == 0)
		return prcap_print();
	if (argc > 1 && strcmp(argv[1], "doctor") == 0)
		return doctor_main(argc - 1, argv + 1);
	or_exit(md_listen_inherit(&listen, err, sizeof(err)), argv[0], err);
	o.inherited = listen.inherited;
	md_cmdline_parse(argc, argv,
	    &(struct md_cmdline_opts){ .separate = false }, &o, &mo);
	if (o.print_config || o.print_builtin)
		return md_cmdline_print(&o, &mo);
	if (o.check_config)
		return check_config(argv[0], &o, &mo);
	or_exit(md_limits(&o, &limits, err, sizeof(err)), argv[0], err);
	md_listen_keep(&listen, o.conn);
	start_daemon(&(struct start_opts){ .prog = argv[0],
			 .ident = "mimedefang",
			 .user = o.user,
			 .pid_file = o.pid_file,
			 .lock_file = o.lock_file,
			 .spool_dir = o.fe.spool_dir,
			 .facility = o.facility,
			 .foreground = o.foreground,
			 .group_access = o.fe.group_access,
			 .log_stderr = o.log_stderr,
			 .log_format = o.log_format,
			 .keep_fds = listen.fd },
	    &daemon);
	md_run(&o, &mo, &limits, &listen, &daemon);
	return 0;
}
