/* SPDX-License-Identifier: MIT */
/* doctor_rules: the spool: whether it is safe, its room, where it is. */
#include "cli/doctor_rules.h"

#define MIB (1024ULL * 1024)
/* A message in the spool is there as it came, as its parts, and rebuilt. */
#define COPIES 3
/* Files of one message, and with what an archive has in it. */
#define FILES_OF_MESSAGE 1000

/* That an MTA takes; 0 = there is no limit. */
static long long
largest_message(const struct doctor_facts *f)
{
	long long ours = f->md->fe.limits.message_bytes, theirs = 0;

	for (const struct mta *m = f->mta; m < f->mta + f->n_mtas; m++) {
		if (m->trouble[0])
			continue;
		if (m->message_bytes == 0)
			return ours;
		if (m->message_bytes > theirs)
			theirs = m->message_bytes;
	}
	return ours && (theirs == 0 || ours < theirs) ? ours : theirs;
}

static void
spool_room(const struct doctor_facts *f, struct doctor_report *r)
{
	const char *dir = f->md->fe.spool_dir;
	unsigned long long least =
	    (unsigned long long)f->md->fe.limits.min_free_kb * 1024;
	unsigned long long message = (unsigned long long)largest_message(f);
	unsigned long long n = (unsigned long long)f->mo->max_workers;

	if (f->free_bytes < least) {
		doctor_found(r, FOUND_SPOOL_FULL,
		    "%s: %llu KiB are free, --min-free is %ld", dir,
		    f->free_bytes / 1024, f->md->fe.limits.min_free_kb);
		doctor_change(r, "make room there; md-mx-ctrl status shows "
				 "what is in progress");
	} else if (message && f->free_bytes / COPIES / n < message) {
		doctor_found(r, FOUND_SPOOL_ROOM,
		    "%s: %llu MiB are free; %llu workers with messages of %llu "
		    "octets need %d times as much for each",
		    dir, f->free_bytes / MIB, n, message, COPIES);
		doctor_change(r,
		    f->spool_memory
			? "mount -o remount,size=%lluM %s, and in /etc/fstab"
			: "a file system with %llu MiB for %s; or a smaller "
			  "limit of the MTA",
		    (message * COPIES * n + f->total_bytes - f->free_bytes) /
			    MIB +
			1,
		    dir);
	}
	if (f->total_files && f->free_files < n * FILES_OF_MESSAGE) {
		doctor_found(r, FOUND_SPOOL_FILES,
		    "%s: %llu inodes are free for %llu workers", dir,
		    f->free_files, n);
		doctor_change(r,
		    f->spool_memory
			? "mount -o remount,nr_inodes=%llu %s, and in "
			  "/etc/fstab"
			: "a file system with %llu inodes more for %s",
		    n * FILES_OF_MESSAGE +
			(f->spool_memory ? f->total_files : 0),
		    dir);
	}
}

void
doctor_rules_spool(const struct doctor_facts *f, struct doctor_report *r)
{
	if (f->spool_trouble[0]) {
		doctor_found(r, FOUND_SPOOL, "%s", f->spool_trouble);
		doctor_change(r,
		    f->md->user ? "install -d -o %s -m 0750 %s"
				: "install -d -o USER -m 0750 %s%s",
		    f->md->user ? f->md->user : f->md->fe.spool_dir,
		    f->md->user ? f->md->fe.spool_dir : "");
		return;
	}
	if (!f->spool_known)
		return;
	spool_room(f, r);
	if (f->spool_memory)
		return;
	doctor_found(
	    r, FOUND_SPOOL_DISK, "%s is on a disk", f->md->fe.spool_dir);
	doctor_change(r,
	    "/etc/fstab: tmpfs %s tmpfs rw,nosuid,nodev,noexec,mode=0750,"
	    "uid=%s,size=1G 0 0",
	    f->md->fe.spool_dir, f->md->user ? f->md->user : "USER");
}
