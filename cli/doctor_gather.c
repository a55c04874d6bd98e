/* SPDX-License-Identifier: MIT */
#include "cli/doctor_gather.h"

#include "cli/doctor_mta.h"
#include "cli/md_probe.h"
#include "cli/start.h"
#include "core/base/fdio.h"
#include "multiplexor/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#ifdef __linux__
#include <sys/vfs.h>
#else
#include <sys/mount.h>
#endif
#include <unistd.h>

#define FILTER_MAX     (4 * 1024 * 1024)
#define DEFAULT_FILTER "/etc/mail/mimedefang-filter"

/* ---- the socket --------------------------------------------------------------------- */

static void
name_group(char *out, size_t max, gid_t gid)
{
	const struct group *gr = getgrgid(gid);

	if (gr)
		mta_copy(out, max, gr->gr_name, strlen(gr->gr_name));
	else
		snprintf(out, max, "%lu", (unsigned long)gid);
}

static void
name_owner(struct doctor_part *p, const struct stat *st)
{
	const struct passwd *pw = getpwuid(st->st_uid);

	if (pw)
		mta_copy(p->owner, sizeof(p->owner), pw->pw_name,
		    strlen(pw->pw_name));
	else
		snprintf(p->owner, sizeof(p->owner), "%lu",
		    (unsigned long)st->st_uid);
	name_group(p->group, sizeof(p->group), st->st_gid);
}

static void
look_at_path(struct doctor_path *path, const char *text)
{
	size_t n = strlen(text);
	struct stat st;

	for (size_t i = 0; i <= n && path->n < DOCTOR_PARTS_MAX; i++) {
		struct doctor_part *p = &path->part[path->n];

		/* "/", then up to each further slash, then all of it */
		if (i != 1 && i < n && (i == 0 || text[i] != '/'))
			continue;
		if (i == 1 && n == 1)
			break;
		mta_copy(p->path, sizeof(p->path), text, i);
		if (stat(p->path, &st) < 0) {
			path->error = errno;
			return;
		}
		name_owner(p, &st);
		p->mode = st.st_mode;
		p->uid = st.st_uid;
		p->gid = st.st_gid;
		path->n++;
	}
}

static void
look_at_socket(struct doctor_facts *f, struct doctor_store *s)
{
	const struct md_opts *md = f->md;
	const char *conn = md->conn ? md->conn : "";
	char err[512];

	f->listen_known = mta_addr_ours(&f->listen, conn, strlen(conn)) == 0;
	if (!f->listen_known)
		return;
	if (f->listen.is_unix) {
		look_at_path(&f->path, f->listen.path);
		f->listen_error = probe_unix(f->listen.path);
	} else {
		f->listen_error = probe_inet(f->listen.host, f->listen.port);
	}
	if (md_limits(md, &s->limits, err, sizeof(err)) < 0)
		return; /* --check-config says so */
	f->uids = s->limits.server.uids;
	f->n_uids = s->limits.server.n_uids;
	f->gids = s->limits.server.gids;
	f->n_gids = s->limits.server.n_gids;
}

/* ---- users --------------------------------------------------------------------------- */

/* Sets what is wrong with -U; NULL: it is, or there is none. */
static const struct passwd *
find_user(struct doctor_facts *f)
{
	const char *name = f->md->user;
	const struct passwd *pw = name ? getpwnam(name) : getpwuid(getuid());
	const struct group *gr = NULL;

	if (name && !pw)
		snprintf(f->user_trouble, sizeof(f->user_trouble),
		    "there is no user %s (-U)", name);
	else if ((pw && pw->pw_uid == 0) || (!pw && getuid() == 0))
		snprintf(f->user_trouble, sizeof(f->user_trouble),
		    name ? "the user of -U, %s, is root"
			 : "no -U: the daemon refuses to run as root%s",
		    name ? name : "");
	if (f->user_trouble[0] || !pw)
		return NULL;
	if (f->md->socket_group)
		gr = getgrnam(f->md->socket_group);
	f->listen_gid = gr ? gr->gr_gid : pw->pw_gid;
	name_group(f->listen_group, sizeof(f->listen_group), f->listen_gid);
	return pw;
}

/* Whether the rest is looked at with the daemon's eyes. */
static bool
become(const struct doctor_facts *f, const struct passwd *pw)
{
	char err[512];

	if (!pw)
		return false;
	if (getuid() == 0)
		return daemon_drop_privileges(f->md->user, err, sizeof(err)) ==
		       0;
	return getuid() == pw->pw_uid;
}

/* ---- the spool ------------------------------------------------------------------------- */

static bool
is_in_memory(const char *dir)
{
	struct statfs fs;

	if (statfs(dir, &fs) < 0)
		return false;
#ifdef __linux__
	return fs.f_type == 0x01021994 || fs.f_type == 0x858458f6L;
#else
	return strcmp(fs.f_fstypename, "tmpfs") == 0;
#endif
}

static void
look_at_spool(struct doctor_facts *f)
{
	struct statvfs vfs;
	const char *dir = f->md->fe.spool_dir;

	if (statvfs(dir, &vfs) < 0)
		return; /* the daemon's user is told */
	f->spool_known = true;
	f->spool_memory = is_in_memory(dir);
	f->free_bytes = (unsigned long long)vfs.f_bavail * vfs.f_frsize;
	f->total_bytes = (unsigned long long)vfs.f_blocks * vfs.f_frsize;
	f->free_files = vfs.f_favail;
	f->total_files = vfs.f_files;
}

static void
check_spool(struct doctor_facts *f)
{
	char err[sizeof(f->spool_trouble)];

	if (start_check_spool(f->md->fe.spool_dir, f->md->fe.group_access, err,
		sizeof(err)) < 0)
		memcpy(f->spool_trouble, err, sizeof(err));
}

/* ---- filter and multiplexor --------------------------------------------------------------- */

static void
look_at_filter(struct doctor_facts *f, struct doctor_store *s)
{
	char *path =
	    realpath(f->mo->filter ? f->mo->filter : DEFAULT_FILTER, NULL);

	const struct proc_spec spec = { .worker = f->mo->worker,
		.filter = f->mo->filter };

	f->filter = FILTER_LOADS;
	if (proc_check(&spec, f->filter_said, sizeof(f->filter_said)) < 0 ||
	    probe_filter(f->mo, "-features", &s->features, f->filter_said,
		sizeof(f->filter_said)) < 0)
		f->filter = FILTER_BROKEN;
	else
		f->features = buf_cstr(&s->features);
	if (path &&
	    fdio_read_file(AT_FDCWD, path, FILTER_MAX, &s->filter_text) == 0)
		f->filter_text = buf_cstr(&s->filter_text);
	free(path);
}

/* The built-in one is there only if the daemon is. */
static void
look_at_mux(struct doctor_facts *f)
{
	const char *why = "";

	f->mux_known =
	    f->md->mux_socket || (f->listen_known && f->listen_error == 0);
	if (!f->mux_known)
		return;
	f->mux_free = probe_multiplexor(
	    f->md->mux_socket ? f->md->mux_socket : f->mo->socket, &why);
	mta_copy(f->mux_why, sizeof(f->mux_why), why, strlen(why));
}

static void
look_at_limits(struct doctor_facts *f)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	struct rlimit rl;

	if (pages > 0 && size > 0)
		f->memory_bytes =
		    (unsigned long long)pages * (unsigned long long)size;
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_max != RLIM_INFINITY)
		f->descriptors = rl.rlim_max;
}

/* ---- all ------------------------------------------------------------------------------------ */

void
doctor_gather(struct doctor_facts *f, struct doctor_store *s,
    const struct doctor_where *where)
{
	const struct passwd *pw;

	buf_init(&s->features, 0);
	buf_init(&s->filter_text, 0);
	f->root = geteuid() == 0;
	look_at_socket(f, s);
	doctor_find_mtas(f, where);
	look_at_spool(f);
	look_at_limits(f);
	pw = find_user(f);
	if (!become(f, pw))
		return;
	check_spool(f);
	look_at_filter(f, s);
	look_at_mux(f);
}

void
doctor_store_free(struct doctor_store *s)
{
	buf_fini(&s->features);
	buf_fini(&s->filter_text);
}
