/* SPDX-License-Identifier: MIT */
/*
 * md_listen: the sockets on which `mimedefang` serves the MTA: those that a
 * service manager handed over, else that of -p; and that only a path of our own
 * is removed at the end.
 */
#ifndef CLI_MD_LISTEN_H
#define CLI_MD_LISTEN_H

#include "core/base/fdio.h"

#include <milterproto_server.h>
#include <stdbool.h>
#include <stddef.h>

#define MD_LISTEN_MAX 8

struct md_listen {
	int fd[MD_LISTEN_MAX + 1]; /* ended by -1; close the ones you take */
	size_t n;
	bool inherited;
	const char *path; /* of a UNIX socket that we made, or NULL */
	struct fdio_made made;
};

/* Sockets handed over to this process (before it forks); the environment does
 * not mention them any more.  0, or -1 with one line in err. */
int md_listen_inherit(struct md_listen *l, char *err, size_t errlen);
/* With "fd:N" as conn: that descriptor is to be kept, too. */
void md_listen_keep(struct md_listen *l, const char *conn);
/* Opens conn (borrowed) unless there are inherited ones.  0, or -1 with one line
 * in err. */
int md_listen_open(struct md_listen *l, const char *conn,
    const struct mlt_listen_opts *opts, char *err, size_t errlen);
/* Removes the socket that was opened here, if the path still names it: another
 * copy may have replaced it.  Before its descriptor is closed, because then
 * nothing else can have its inode number. */
void md_listen_unlink(struct md_listen *l);

#endif
