/* SPDX-License-Identifier: MIT */
/*
 * load_pid: what processes use of this machine: CPU time by POSIX clocks, memory
 * and threads from /proc where there is one.
 */
#ifndef CLI_CHECK_LOAD_PID_H
#define CLI_CHECK_LOAD_PID_H

#include "core/base/opt.h"

#include <stdint.h>

struct load_sample {
	uint64_t wall_us;
	uint64_t own_us; /* CPU of this process */
	uint64_t cpu_us; /* of all given ones, their threads, dead ones too */
};
struct load_sample load_sample_now(const struct opt_list *pids);

/* Of the first process; 0: not known. */
struct load_memory {
	long rss_kb, threads;
};
struct load_memory load_memory_now(const struct opt_list *pids);
/* 0, or -1 with one line in err: a word that is no running process. */
int load_pids_check(const struct opt_list *pids, char *err, size_t errlen);

#endif
