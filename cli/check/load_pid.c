/* SPDX-License-Identifier: MIT */
/*
 * load_pid: what the filter's processes use (load_pid.h).
 */
#include "cli/check/load_pid.h"

#include "core/base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t
cpu_us(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t) < 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

struct load_sample
load_sample_now(const struct opt_list *pids)
{
	struct load_sample s = { .wall_us = clock_mono_us(),
		.own_us = cpu_us(CLOCK_PROCESS_CPUTIME_ID) };
	clockid_t id;

	for (size_t i = 0; i < pids->n; i++) {
		if (clock_getcpuclockid(atoi(pids->v[i]), &id) == 0)
			s.cpu_us += cpu_us(id);
	}
	return s;
}

/* The number behind "NAME:" in /proc/PID/FILE. */
static long
proc_number(const char *pid, const char *file, const char *name)
{
	char where[64], line[256];
	size_t n = strlen(name);
	long v = 0;
	FILE *f;

	snprintf(where, sizeof(where), "/proc/%s/%s", pid, file);
	if (!(f = fopen(where, "re")))
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			v = strtol(line + n + 1, NULL, 10);
	}
	fclose(f);
	return v;
}

struct load_memory
load_memory_now(const struct opt_list *pids)
{
	if (pids->n == 0)
		return (struct load_memory){ 0, 0 };
	return (struct load_memory){
		.rss_kb = proc_number(pids->v[0], "smaps_rollup", "Rss"),
		.threads = proc_number(pids->v[0], "status", "Threads"),
	};
}

int
load_pids_check(const struct opt_list *pids, char *err, size_t errlen)
{
	for (size_t i = 0; i < pids->n; i++) {
		char *end;
		long pid = strtol(pids->v[i], &end, 10);

		if (pid > 0 && pid <= INT32_MAX && !*end &&
		    (kill((pid_t)pid, 0) == 0 || errno == EPERM))
			continue;
		snprintf(err, errlen, "--pid: \"%s\" is no process that runs",
		    pids->v[i]);
		return -1;
	}
	return 0;
}
