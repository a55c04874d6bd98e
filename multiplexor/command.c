/* SPDX-License-Identifier: MIT */
/*
 * command: which request is it (command.h)?
 */
#include "command.h"

#include <limits.h>
#include <string.h>

struct row {
	const char *name;
	enum mux_command type;
	bool more; /* a word follows */
	bool open; /* also on the open socket */
	enum mux_class cls;
};

/* spec:mux-commands.  Names are exact; "slaves" are older clients' words. */
static const struct row rows[] = {
	{ "free", CMD_FREE, false, true, 0 },
	{ "help", CMD_HELP, false, true, 0 },
	{ "status", CMD_STATUS, false, true, 0 },
	{ "msgs", CMD_MSGS, false, true, 0 },
	{ "version", CMD_VERSION, false, true, 0 },
	{ "workers", CMD_WORKERS, false, true, 0 },
	{ "slaves", CMD_WORKERS, false, true, 0 },
	{ "busyworkers", CMD_BUSYWORKERS, false, true, 0 },
	{ "busyslaves", CMD_BUSYWORKERS, false, true, 0 },
	{ "workerinfo", CMD_WORKERINFO, true, true, 0 },
	{ "slaveinfo", CMD_WORKERINFO, true, true, 0 },
	{ "load", CMD_LOAD, false, true, MUX_SCAN },
	{ "load-relayok", CMD_LOAD, false, true, MUX_RELAYOK },
	{ "load-senderok", CMD_LOAD, false, true, MUX_SENDEROK },
	{ "load-recipok", CMD_LOAD, false, true, MUX_RECIPOK },
	{ "hload", CMD_HLOAD, false, true, MUX_SCAN },
	{ "hload-relayok", CMD_HLOAD, false, true, MUX_RELAYOK },
	{ "hload-senderok", CMD_HLOAD, false, true, MUX_SENDEROK },
	{ "hload-recipok", CMD_HLOAD, false, true, MUX_RECIPOK },
	{ "load1", CMD_LOAD1, true, true, 0 },
	{ "histo", CMD_HISTO, false, true, 0 },
	{ "autoscale", CMD_AUTOSCALE, false, true, 0 },
	{ "jsonstats", CMD_JSONSTATS, false, true, 0 },
	{ "metrics", CMD_METRICS, false, true, 0 },
	{ "reread", CMD_REREAD, false, false, 0 },
	{ "tick", CMD_TICK, false, true, 0 },
	{ "tick", CMD_TICK, true, true, 0 },
	{ "foo_no_such_command", CMD_UNKNOWN, false, true, 0 },
	{ "", CMD_UNKNOWN, false, false, 0 },
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* What `help` lists, in this order; on the open socket those of group 1, then
 * those of group 2.  Some are words of md-mx-ctrl only. */
static const struct {
	const char *name;
	int open;
	const char *help;
} help_rows[] = {
	{ "help", 1, "this list" },
	{ "status", 2, "what each worker does" },
	{ "jsonstatus", 2, "the same as a JSON object" },
	{ "rawstatus", 2, "one letter a worker, and totals" },
	{ "barstatus", 2, "busy workers and queue as a bar" },
	{ "free", 1, "number of workers that are free" },
	{ "load", 1, "scans in the last ten minutes" },
	{ "rawload", 1, "the same as a line of numbers" },
	{ "load1 secs", 1, "all kinds of request in the last secs seconds" },
	{ "jsonload1 secs", 1, "the same as a JSON object" },
	{ "rawload1 secs", 1, "the same as a line of numbers" },
	{ "load-relayok", 1, "relayok requests in the last ten minutes" },
	{ "rawload-relayok", 1, "the same as a line of numbers" },
	{ "load-senderok", 1, "senderok requests in the last ten minutes" },
	{ "rawload-senderok", 1, "the same as a line of numbers" },
	{ "load-recipok", 1, "recipok requests in the last ten minutes" },
	{ "rawload-recipok", 1, "the same as a line of numbers" },
	{ "histo", 2, "how often so many workers were busy" },
	{ "msgs", 2, "messages scanned since the start" },
	{ "reread", 0, "replace all workers by new ones" },
	{ "workers", 2, "one line for each worker" },
	{ "busyworkers", 2, "the busy ones of these" },
	{ "workerinfo n", 2, "all about worker n" },
	{ "autoscale", 2, "how far autoscaling is" },
	{ "jsonstats", 2, "counters, times and workers as a JSON object" },
	{ "metrics", 2, "counters and times as OpenMetrics text" },
	{ "scan /path", 0, "scan the message in a directory" },
};

static bool
matches(const struct row *row, const struct mux_cmd *c)
{
	size_t n = strlen(row->name);

	if (c->n < n || memcmp(c->p, row->name, n) != 0)
		return false;
	return row->more ? c->n > n && c->p[n] == ' ' : c->n == n;
}

/* A decimal prefix, as everywhere in this protocol. */
static void
parse_number(struct mux_cmd *c, const char *p, const char *end)
{
	bool minus = p < end && *p == '-';
	long v = 0;

	p += minus;
	c->bad_arg = p == end || *p < '0' || *p > '9';
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		v = v > INT_MAX / 10 ? INT_MAX : v * 10 + (*p - '0');
	c->arg = minus ? -v : v;
}

static void
take_row(struct mux_cmd *c, const struct row *row)
{
	c->type = row->type;
	c->cls = row->cls;
	if (row->more)
		parse_number(c, c->p + strlen(row->name) + 1, c->p + c->n);
	if (c->open && !row->open)
		c->type = CMD_REFUSED;
}

void
command_parse(const char *p, size_t n, size_t max, bool open, struct mux_cmd *c)
{
	const char *nul;

	*c = (struct mux_cmd){ .type = open ? CMD_REFUSED : CMD_WORKER,
		.p = p,
		.n = n,
		.open = open };
	if (c->n && c->p[c->n - 1] == '\r')
		c->n--;
	if (c->n > max) {
		c->type = CMD_TOO_LONG;
		return;
	}
	nul = memchr(c->p, '\0', c->n);
	if (nul)
		c->n = (size_t)(nul - c->p);
	for (size_t i = 0; i < N_ROWS; i++) {
		if (matches(&rows[i], c)) {
			take_row(c, &rows[i]);
			break;
		}
	}
}

static void
list(struct buf *out, bool open, int group)
{
	for (size_t i = 0; i < sizeof(help_rows) / sizeof(help_rows[0]); i++)
		if (!open || help_rows[i].open == group)
			buf_addf(out, "%-17s-- %s\n", help_rows[i].name,
			    help_rows[i].help);
}

void
command_help(bool open, struct buf *out)
{
	list(out, open, 1);
	if (open)
		list(out, open, 2);
	buf_adds(out, "(hload and hload-... show the last 24 hours; load and "
		      "hload may be preceded by raw)\n");
}
