/* SPDX-License-Identifier: MIT */
/*
 * ctl_ready: is mail served (ctl_ready.h)?
 */
#include "cli/ctl_ready.h"
#include "cli/ctl_ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define AGAIN_MS 100

/* spec:mux-answers  All that the multiplexor says itself; every other answer,
 * also that the command is unknown, comes from a worker. */
enum ctl_ready
ctl_ready_ping(struct ctl_str answer)
{
	static const char *const own[] = { "error: No free workers",
		"error: Unable to activate worker",
		"error: Queued request timed out",
		"error: Error talking to worker process",
		"error: Out of memory", "ERR Filter timed out",
		"ERR No response from worker" };

	if (answer.n == 0 || answer.p[answer.n - 1] != '\n')
		return CTL_NOT_READY;
	if (ctl_str_begins(answer, "error: Attempt to use privileged command"))
		return CTL_READY_REFUSED;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (ctl_str_begins(answer, own[i]))
			return CTL_NOT_READY;
	return CTL_READY;
}

bool
ctl_ready_workers(struct ctl_str answer)
{
	struct ctl_worker w;
	struct ctl_str line;

	while (ctl_line(&answer, &line))
		if (ctl_read_worker(line, &w) == 0 && w.state == CTL_IDLE &&
		    w.last.n)
			return true;
	return false;
}

/* An answer, or false and why not. */
static bool
ask(const struct sockspec *addr, const char *line, msec until,
    struct ctl_ask *a, char *why, size_t n)
{
	int rc;

	ctl_ask_begin(a, addr, line, strlen(line));
	rc = ctl_ask_wait(a, until);
	if (rc == -ETIMEDOUT && !*why) /* else an earlier try says more */
		snprintf(why, n, "no answer in time");
	else if (rc < 0 && rc != -ETIMEDOUT)
		snprintf(
		    why, n, "%s (is the multiplexor running?)", strerror(-rc));
	return rc > 0;
}

static struct ctl_str
answer_of(const struct ctl_ask *a)
{
	return (struct ctl_str){ buf_data(&a->answer), buf_len(&a->answer) };
}

static bool
worker_answers(const struct sockspec *addr, msec until, char *why, size_t n)
{
	enum ctl_ready r = CTL_NOT_READY;
	struct ctl_ask a;

	if (ask(addr, "ping\n", until, &a, why, n)) {
		struct ctl_str answer = answer_of(&a), line;

		r = ctl_ready_ping(answer);
		if (!ctl_line(&answer, &line))
			line = CTL_STR("the connection was closed");
		snprintf(why, n, "no worker has answered: %.*s", (int)line.n,
		    line.p);
	}
	ctl_ask_end(&a);
	if (r != CTL_READY_REFUSED)
		return r == CTL_READY;
	if (ask(addr, "workers\n", until, &a, why, n)) {
		snprintf(why, n,
		    "no worker has had a request yet, and this socket may not "
		    "ask one");
		r = ctl_ready_workers(answer_of(&a)) ? CTL_READY : r;
	}
	ctl_ask_end(&a);
	return r == CTL_READY;
}

static bool
worker_is_free(const struct sockspec *addr, msec until, char *why, size_t n)
{
	struct ctl_ask a;
	bool is_free = false;

	if (ask(addr, "free\n", until, &a, why, n)) {
		struct ctl_str answer = answer_of(&a), line;

		is_free = ctl_line(&answer, &line) && ctl_number(line) > 0;
		snprintf(why, n, "%s", is_free ? "" : "no worker is free");
	}
	ctl_ask_end(&a);
	return is_free;
}

int
ctl_wait_ready(const struct sockspec *addr, msec until, char *why, size_t n)
{
	*why = '\0';
	for (;;) {
		msec now;

		/* free first: it costs nothing, and asks nobody who is busy */
		if (worker_is_free(addr, until, why, n) &&
		    worker_answers(addr, until, why, n))
			return 0;
		now = clock_mono_ms();
		if (now >= until)
			return -1;
		poll(NULL, 0,
		    until - now < AGAIN_MS ? (int)(until - now) : AGAIN_MS);
	}
}
