/* SPDX-License-Identifier: MIT */
/* doctor_rules: the options, the multiplexor, and what the host has for them;
 * and all rules. */
#include "cli/doctor_rules.h"

#include <strings.h>

#define MIB (1024ULL * 1024)
/* What a worker takes that scans a usual message, and one that was forked by a
 * zygote: docs/mta.md says how to measure one's own. */
#define WORKER_BYTES        (60 * MIB)
#define FORKED_WORKER_BYTES (15 * MIB)
/* Beside sessions: pipes of a worker, and sockets, log and files. */
#define DESCRIPTORS_OF_WORKER 5
#define DESCRIPTORS_OF_DAEMON 64

/* ---- the multiplexor ------------------------------------------------------------------------ */

static void
check_memory(const struct doctor_facts *f, struct doctor_report *r)
{
	unsigned long long n = (unsigned long long)f->mo->max_workers;
	unsigned long long each =
	    f->mo->zygote ? FORKED_WORKER_BYTES : WORKER_BYTES;

	if (f->memory_bytes == 0 || f->memory_bytes / each >= n)
		return;
	doctor_found(r, FOUND_MEMORY,
	    "%llu workers (-x) of about %llu MiB each, on a host with %llu MiB",
	    n, each / MIB, f->memory_bytes / MIB);
	doctor_change(r,
	    f->mo->zygote ? "-x %llu"
			  : "-x %llu; or -E, with which workers "
			    "share most of it",
	    f->memory_bytes / each);
}

static void
check_descriptors(const struct doctor_facts *f, struct doctor_report *r)
{
	unsigned long long sessions =
	    f->md->max_sessions ? (unsigned long long)f->md->max_sessions
				: 4 * (unsigned long long)f->mo->max_workers;
	unsigned long long need =
	    sessions + DESCRIPTORS_OF_DAEMON +
	    DESCRIPTORS_OF_WORKER * (unsigned long long)f->mo->max_workers;

	if (f->descriptors == 0 || f->descriptors >= need)
		return;
	doctor_found(r, FOUND_DESCRIPTORS,
	    "the limit is %llu, %llu sessions and %ld workers need %llu",
	    f->descriptors, sessions, f->mo->max_workers, need);
	doctor_change(r, "LimitNOFILE=%llu in the unit, or ulimit -Hn", need);
}

static void
check_mux(const struct doctor_facts *f, struct doctor_report *r)
{
	const char *socket =
	    f->md->mux_socket ? f->md->mux_socket : f->mo->socket;

	if (f->mux_known && f->mux_free < 0) {
		doctor_found(r, FOUND_MUX, "%s: %s", socket, f->mux_why);
		doctor_change(r, f->md->mux_socket
				     ? "start it, or give its socket with -m"
				     : "systemctl restart mimedefang");
	} else if (f->mux_known && f->mux_free == 0) {
		doctor_found(r, FOUND_WORKERS,
		    "%s: none of %ld workers is free", socket,
		    f->mo->max_workers);
		doctor_change(r,
		    "more of them (-x), or a queue (-q); md-mx-ctrl load shows "
		    "how it was");
	}
	if (f->md->mux_socket && f->md->mux_answer_s < doctor_longest_s(f)) {
		doctor_found(r, FOUND_MUX_TIME,
		    "--mux-timeout is %ld s, an answer may take %ld s",
		    f->md->mux_answer_s, doctor_longest_s(f));
		doctor_change(r, "--mux-timeout %ld", doctor_longest_s(f) + 10);
	}
}

/* ---- all ------------------------------------------------------------------------------------- */

static void
check_options(const struct doctor_facts *f, struct doctor_report *r)
{
	if (f->user_trouble[0]) {
		doctor_found(r, FOUND_USER, "%s", f->user_trouble);
		doctor_change(r,
		    "adduser --system --group --home %s defang; "
		    "-U defang (MX_USER)",
		    f->md->fe.spool_dir);
	}
	if (f->assumed) {
		doctor_found(r, FOUND_ASSUMED,
		    "no options were given, and there is no %s",
		    f->defaults_file);
		doctor_change(r, "mimedefang doctor OPTIONS, those of the "
				 "daemon");
	}
	if (!f->root) {
		doctor_found(r, FOUND_NOT_ROOT, "this is not run by root");
		doctor_change(r, "sudo mimedefang doctor");
	}
	if (!f->listen_known) {
		doctor_found(r, FOUND_ADDRESS,
		    strncasecmp(f->md->conn, "fd:", 3) == 0
			? "the service manager opens the socket (-p %s)"
			: "-p %s is no address",
		    f->md->conn);
		doctor_change(r, "-p with /path, inet:PORT@HOST or "
				 "inet6:PORT@HOST; ListenStream= of a socket "
				 "unit says which");
	}
	if (f->n_mtas == 0) {
		doctor_found(r, FOUND_NO_MTA,
		    "there is neither a configuration of Postfix nor one of "
		    "Sendmail");
		doctor_change(r, "--postfix-config DIR, or --sendmail-cf FILE");
	}
}

void
doctor_rules_host(const struct doctor_facts *f, struct doctor_report *r)
{
	check_options(f, r);
	check_mux(f, r);
	check_descriptors(f, r);
	check_memory(f, r);
}

void
doctor_examine(const struct doctor_facts *f, struct doctor_report *r)
{
	for (const struct mta *m = f->mta; m < f->mta + f->n_mtas; m++) {
		doctor_rules_use(f, m, r);
		doctor_rules_terms(f, m, r);
	}
	doctor_rules_socket(f, r);
	doctor_rules_host(f, r);
	doctor_rules_spool(f, r);
	doctor_rules_filter(f, r);
}
