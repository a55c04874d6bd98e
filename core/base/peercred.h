/* SPDX-License-Identifier: MIT */
/*
 * peercred: who is at the other end of a UNIX socket.
 */
#ifndef CORE_BASE_PEERCRED_H
#define CORE_BASE_PEERCRED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* As it was when it connected.  0, or -errno. */
int peercred_get(int fd, uid_t *uid, gid_t *gid);
/* May it use a socket that belongs to uid and, if by_group, to the members of
 * gid?  root may, too.  text: for a log line, "uid 12, gid 34". */
bool peercred_allowed(
    int fd, uid_t uid, bool by_group, gid_t gid, char *text, size_t max);

#endif
