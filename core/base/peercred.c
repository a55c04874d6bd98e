/* SPDX-License-Identifier: MIT */
/*
 * peercred: who is at the other end of a UNIX socket (peercred.h).
 */
#include "peercred.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUPS_MAX 65536 /* of Linux */

#ifdef SO_PEERCRED
int
peercred_get(int fd, uid_t *uid, gid_t *gid)
{
	struct ucred c;
	socklen_t n = sizeof(c);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n) < 0)
		return -errno;
	*uid = c.uid;
	*gid = c.gid;
	return 0;
}
#else
int
peercred_get(int fd, uid_t *uid, gid_t *gid)
{
	return getpeereid(fd, uid, gid) < 0 ? -errno : 0;
}
#endif

#ifdef SO_PEERGROUPS
/* Its supplementary groups. */
static bool
in_groups(int fd, gid_t gid)
{
	gid_t few[64], *v = few;
	socklen_t n = sizeof(few);
	bool found = false;
	int rc;

	rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, v, &n);
	if (rc < 0 && errno == ERANGE && n <= GROUPS_MAX * sizeof(*v)) {
		v = malloc(n);
		rc = v ? getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, v, &n) : -1;
	}
	for (size_t i = 0; rc == 0 && i < n / sizeof(*v); i++)
		found |= v[i] == gid;
	if (v != few)
		free(v);
	return found;
}
#else
/* Not to be seen: the mode of the socket decides. */
static bool
in_groups(int fd, gid_t gid)
{
	(void)fd;
	(void)gid;
	return true;
}
#endif

bool
peercred_allowed(
    int fd, uid_t uid, bool by_group, gid_t gid, char *text, size_t max)
{
	uid_t its_uid;
	gid_t its_gid;
	int rc = peercred_get(fd, &its_uid, &its_gid);

	if (rc < 0) {
		snprintf(text, max, "%s", strerror(-rc));
		return false;
	}
	snprintf(text, max, "uid %lu, gid %lu", (unsigned long)its_uid,
	    (unsigned long)its_gid);
	return its_uid == 0 || its_uid == uid ||
	       (by_group && (its_gid == gid || in_groups(fd, gid)));
}
