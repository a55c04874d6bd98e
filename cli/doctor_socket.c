/* SPDX-License-Identifier: MIT */
/* doctor_rules: whether an MTA can connect to our daemon, and who else can. */
#include "cli/doctor_rules.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum want {
	WANT_SEARCH = 1,
	WANT_WRITE = 2
};

static bool
has_group(const struct mta_user *u, gid_t gid)
{
	for (size_t i = 0; i < u->n_gids; i++)
		if (u->gid[i] == gid)
			return true;
	return false;
}

static bool
may(const struct mta_user *u, const struct doctor_part *p, unsigned want)
{
	unsigned shift = u->uid == p->uid ? 6 : has_group(u, p->gid) ? 3 : 0;

	return u->uid == 0 || ((unsigned)p->mode >> shift & want) == want;
}

static bool
uses_us(const struct mta *m)
{
	for (size_t i = 0; i < m->n_ways; i++)
		if (m->way[i].ours)
			return true;
	return false;
}

/* ---- the path ------------------------------------------------------------------------- */

static void
closed(const struct mta_user *u, const struct doctor_part *p, enum doctor_id id,
    struct doctor_report *r)
{
	doctor_found(r, id, "%s: mode %04o, of %s:%s: %s may not %s it",
	    p->path, (unsigned)p->mode & 07777, p->owner, p->group, u->name,
	    id == FOUND_SOCKET ? "write to" : "search");
}

/* By a group of his if there is one, by the daemon's if that is its directory. */
static void
open_directory(const struct doctor_facts *f, const struct mta_user *u,
    const struct doctor_part *p, struct doctor_report *r)
{
	closed(u, p, FOUND_DIRECTORY, r);
	if (has_group(u, p->gid))
		doctor_change(r, "chmod g+x %s", p->path);
	else if (p->gid == f->listen_gid)
		doctor_change(r,
		    "usermod -a -G %s %s; chmod g+x %s; give the daemon -G "
		    "(MD_ALLOW_GROUP_ACCESS=yes); restart both",
		    p->group, u->name, p->path);
	else
		doctor_change(
		    r, "another directory with -p; or chmod o+x %s", p->path);
}

static void
open_socket(const struct doctor_facts *f, const struct mta_user *u,
    const struct doctor_part *p, struct doctor_report *r)
{
	closed(u, p, FOUND_SOCKET, r);
	if (has_group(u, f->listen_gid))
		doctor_change(r,
		    "give the daemon -G (MD_ALLOW_GROUP_ACCESS=yes) and "
		    "restart it");
	else
		doctor_change(r,
		    "usermod -a -G %s %s; give the daemon -G "
		    "(MD_ALLOW_GROUP_ACCESS=yes); restart both",
		    f->listen_group, u->name);
}

/* The first obstacle. */
static void
check_access(const struct doctor_facts *f, const struct mta_user *u,
    struct doctor_report *r)
{
	for (size_t i = 0; i < f->path.n; i++) {
		const struct doctor_part *p = &f->path.part[i];

		if (S_ISDIR(p->mode) && !may(u, p, WANT_SEARCH)) {
			open_directory(f, u, p, r);
			return;
		}
		if (S_ISSOCK(p->mode) && !may(u, p, WANT_WRITE))
			open_socket(f, u, p, r);
	}
}

/* Directories that others may write to; Sendmail looks at each. */
static void
check_writable(
    const struct doctor_facts *f, const struct mta *m, struct doctor_report *r)
{
	for (size_t i = 0; i < f->path.n; i++) {
		const struct doctor_part *p = &f->path.part[i];
		bool all = p->mode & S_IWOTH, sticky = p->mode & S_ISVTX;

		if (!S_ISDIR(p->mode))
			continue;
		if (m->postfix && all && !sticky) {
			doctor_found(r, FOUND_OPEN_DIR, "%s: mode %04o",
			    p->path, (unsigned)p->mode & 07777);
			doctor_change(r, "chmod o-w %s", p->path);
		}
		if (m->postfix ||
		    !(all ? !(sticky && m->trusts_sticky)
			  : (p->mode & S_IWGRP) && !m->trusts_group))
			continue;
		doctor_found(r, FOUND_UNSAFE, "%s: mode %04o", p->path,
		    (unsigned)p->mode & 07777);
		if (all && sticky)
			doctor_change(r,
			    "another directory with -p; or sendmail.mc: "
			    "define(`confDONT_BLAME_SENDMAIL', "
			    "`TrustStickyBit')");
		else
			doctor_change(
			    r, "chmod %s %s", all ? "go-w" : "g-w", p->path);
	}
}

/* ---- who may connect --------------------------------------------------------------------- */

static bool
is_allowed(const struct doctor_facts *f, const struct mta_user *u)
{
	for (size_t i = 0; i < f->n_uids; i++)
		if (f->uids[i] == u->uid)
			return true;
	for (size_t i = 0; i < f->n_gids; i++)
		if (u->n_gids && f->gids[i] == u->gid[0])
			return true;
	return f->n_uids + f->n_gids == 0;
}

static void
check_inet(const struct doctor_facts *f, struct doctor_report *r)
{
	const char *host = f->listen.host;

	if (f->md->allow || strncmp(host, "127.", 4) == 0 ||
	    strcmp(host, "::1") == 0)
		return;
	doctor_found(r, FOUND_OPEN_INET,
	    "-p %s serves every host that reaches it", f->md->conn);
	doctor_change(
	    r, "-p inet:%s@127.0.0.1, or --allow ADDRESSES", f->listen.port);
}

/* ---- all ------------------------------------------------------------------------------------ */

static void
check_listening(const struct doctor_facts *f, struct doctor_report *r)
{
	const struct doctor_path *p = &f->path;
	const struct doctor_part *last =
	    p->n && !p->error ? &p->part[p->n - 1] : NULL;

	if (f->listen.is_unix && last && !S_ISSOCK(last->mode)) {
		doctor_found(
		    r, FOUND_NO_SOCKET, "%s is not a socket", last->path);
		doctor_change(r, "remove it, or another path with -p; then "
				 "start the daemon");
	} else if (f->listen_error && (f->root || f->listen_error != EACCES)) {
		doctor_found(r, FOUND_SILENT, "nobody answers at %s: %s",
		    f->md->conn, strerror(f->listen_error));
		doctor_change(r, "systemctl start mimedefang; its log says why "
				 "if it does not serve");
	}
}

void
doctor_rules_socket(const struct doctor_facts *f, struct doctor_report *r)
{
	if (!f->listen_known)
		return;
	check_listening(f, r);
	if (!f->listen.is_unix) {
		check_inet(f, r);
		return;
	}
	for (const struct mta *m = f->mta; m < f->mta + f->n_mtas; m++) {
		if (!uses_us(m))
			continue;
		check_writable(f, m, r);
		if (!m->user.known)
			continue;
		check_access(f, &m->user, r);
		if (is_allowed(f, &m->user))
			continue;
		doctor_found(r, FOUND_REFUSED,
		    "%s is neither in --allow-user nor in --allow-group",
		    m->user.name);
		doctor_change(r, "--allow-user %s", m->user.name);
	}
}
