/* SPDX-License-Identifier: MIT */
/*
 * peers: who may connect: prefixes of addresses, users and groups.
 */
#ifndef MILTERPROTO_PEERS_H
#define MILTERPROTO_PEERS_H

#include <milterproto_server.h>

#pragma GCC visibility push(hidden)

struct sockaddr;
struct mlt_peers;

enum {
	MLT_PEER_TEXT = 64 /* longest: a scoped address, brackets, port */
};

/* Copies the lists of *o; *out = NULL if there is none.  0, NOMEM, ARG. */
int mlt_peers_new(struct mlt_peers **out, const struct mlt_server_opts *o);
void mlt_peers_free(struct mlt_peers *p);
/* May the peer of fd, whose address is sa, connect?  If not, says in text who
 * it is.  A peer of whom the kernel tells nothing may not. */
bool mlt_peers_allow(const struct mlt_peers *p, int fd,
    const struct sockaddr *sa, char text[MLT_PEER_TEXT]);

#pragma GCC visibility pop
#endif
