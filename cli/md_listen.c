/* SPDX-License-Identifier: MIT */
#include "cli/md_listen.h"

#include <stdlib.h>
#include <strings.h>

int
md_listen_inherit(struct md_listen *l, char *err, size_t errlen)
{
	struct mlt_listen_fd v[MD_LISTEN_MAX];
	int n = mlt_listen_inherited(v, MD_LISTEN_MAX, err, errlen);

	*l = (struct md_listen){ .fd = { -1 } };
	unsetenv("LISTEN_PID"); /* no worker's business */
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++)
		l->fd[i] = v[i].fd;
	l->fd[n] = -1;
	l->n = (size_t)n;
	l->inherited = n > 0;
	return 0;
}

void
md_listen_keep(struct md_listen *l, const char *conn)
{
	if (l->inherited || !conn || strncasecmp(conn, "fd:", 3) != 0)
		return;
	l->fd[0] = atoi(conn + 3); /* checked when it is opened */
	l->fd[1] = -1;
}

int
md_listen_open(struct md_listen *l, const char *conn,
    const struct mlt_listen_opts *opts, char *err, size_t errlen)
{
	if (l->inherited)
		return 0;
	l->fd[0] = mlt_listen_open(conn, opts, err, errlen);
	if (l->fd[0] < 0)
		return -1;
	l->fd[1] = -1;
	l->n = 1;
	l->path = mlt_listen_path(conn);
	if (l->path)
		l->made = fdio_unix_made(l->path);
	return 0;
}

void
md_listen_unlink(struct md_listen *l)
{
	if (l->path)
		fdio_unix_unlink(l->path, &l->made);
	l->path = NULL;
}
