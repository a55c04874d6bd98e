/* SPDX-License-Identifier: MIT */
/*
 * stats: the lines of the statistics file (stats.h).
 *
 * A reason may quote a request, that is, a client.  What could end the line or
 * the quotation is percent-encoded, as it is in requests.
 */
#include "stats.h"

#include <inttypes.h>

#define REASON_MAX 300 /* octets of it; a line is below 1,023 */

static void
add_reason(struct buf *out, const char *s)
{
	buf_adds(out, " reason=\"");
	for (int i = 0; i < REASON_MAX && s[i]; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 32 || c > 126 || c == '"')
			buf_addf(out, "%%%02X", c);
		else
			buf_addc(out, s[i]);
	}
	buf_addc(out, '"');
}

static void
add_event(const struct stats_event *e, struct buf *out)
{
	static const char *const names[STATS_N] = {
		[STATS_START_WORKER] = "StartWorker",
		[STATS_KILL_WORKER] = "KillWorker",
		[STATS_REAP_WORKER] = "ReapWorker",
		[STATS_START_FILTER] = "StartFilter",
		[STATS_END_FILTER] = "EndFilter",
	};

	buf_addf(out, "%" PRId64 ".%03d %s worker=%u nworkers=%u nbusy=%u",
	    e->wall_ms / 1000, (int)(e->wall_ms % 1000), names[e->what],
	    e->worker, e->running, e->busy);
	if (e->what == STATS_KILL_WORKER)
		buf_addf(out, " req=%u age=%ld", e->requests, e->age);
	if (e->what == STATS_KILL_WORKER || e->what == STATS_START_WORKER)
		add_reason(out, e->reason);
	if (e->what == STATS_END_FILTER)
		buf_addf(out, " numRequests=%u", e->requests);
}

void
stats_file_line(
    const struct stats_event *e, const struct tm *d, struct buf *out)
{
	buf_addf(out, "%02d/%02d/%04d:%02d:%02d:%02d ", d->tm_mday,
	    d->tm_mon + 1, d->tm_year + 1900, d->tm_hour, d->tm_min, d->tm_sec);
	add_event(e, out);
	buf_addc(out, '\n');
}

void
stats_log_line(const struct stats_event *e, struct buf *out)
{
	buf_adds(out, "stats ");
	add_event(e, out);
}
