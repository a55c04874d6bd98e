/* SPDX-License-Identifier: MIT */
/*
 * sockspec: where a socket of the multiplexor is, as administrators write it
 * (spec:mux-sockets):
 *
 *   /path  unix:/path  local:/path  relative/path
 *   inet:PORT  inet_any:PORT  inet6:PORT  inet6_any:PORT, each [@ADDRESS]
 */
#ifndef CORE_BASE_SOCKSPEC_H
#define CORE_BASE_SOCKSPEC_H

#include "core/base/fdio.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

struct sockspec {
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr;
	socklen_t len;
	/* of a UNIX socket that we listen on: only that one is removed */
	struct fdio_made made;
};

/* Pure.  0, or -1 with one line in err that says what would be right. */
int sockspec_parse(
    struct sockspec *s, const char *text, char *err, size_t errlen);
static inline bool
sockspec_is_unix(const struct sockspec *s)
{
	return s->addr.sa.sa_family == AF_UNIX;
}
/* A listener, non-blocking and close-on-exec, or -errno as fdio_unix_listen.
 * umask_: for the mode of a UNIX socket. */
int sockspec_listen(struct sockspec *s, unsigned umask_, int backlog);
/* Removes the UNIX socket if it is still the one that was made. */
void sockspec_unlink(const struct sockspec *s);

#endif
