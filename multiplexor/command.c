/* SPDX-License-Identifier: MIT */
/*
 * command: which request is it (command.h)?
 */
#include "command.h"

#include "core/base/muxproto.h"

#include <limits.h>
#include <string.h>

struct row {
	const char *name;
	enum mux_command type;
	bool more;        /* words follow, or may follow */
	const char *help; /* NULL: not listed */
};

/* spec:mux-commands.  Names are exact; "slaves" are older clients' words. */
static const struct row rows[] = {
	{ "help", CMD_HELP, false, "this list" },
	{ "status", CMD_STATUS, false, "one letter a worker, and totals" },
	{ "free", CMD_FREE, false, "number of workers that are free" },
	{ "msgs", CMD_MSGS, false, "messages scanned since the start" },
	{ "version", CMD_VERSION, false, "the version" },
	{ "reread", CMD_REREAD, false, "replace all workers by new ones" },
	{ "workers", CMD_WORKERS, false, "one line for each worker" },
	{ "slaves", CMD_WORKERS, false, NULL },
	{ "busyworkers", CMD_BUSYWORKERS, false, "the busy ones of these" },
	{ "busyslaves", CMD_BUSYWORKERS, false, NULL },
	{ "workerinfo", CMD_WORKERINFO, true, "all about worker N" },
	{ "slaveinfo", CMD_WORKERINFO, true, NULL },
	{ "scan", CMD_WORKER, true, "scan the message in a directory" },
	{ "tick", CMD_TICK, false, NULL },
	{ "tick", CMD_TICK, true, NULL },
	{ "foo_no_such_command", CMD_UNKNOWN, false, NULL },
	{ "", CMD_UNKNOWN, false, NULL },
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

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

void
command_parse(const char *p, size_t n, struct mux_cmd *c)
{
	const char *nul;

	*c = (struct mux_cmd){ .type = CMD_WORKER, .p = p, .n = n };
	if (c->n && c->p[c->n - 1] == '\r')
		c->n--;
	if (c->n > MUX_REQUEST_MAX) {
		c->type = CMD_TOO_LONG;
		return;
	}
	nul = memchr(c->p, '\0', c->n);
	if (nul)
		c->n = (size_t)(nul - c->p);
	for (size_t i = 0; i < N_ROWS; i++) {
		if (!matches(&rows[i], c))
			continue;
		c->type = rows[i].type;
		break;
	}
	if (c->type == CMD_WORKERINFO)
		parse_number(
		    c, (const char *)memchr(c->p, ' ', c->n) + 1, c->p + c->n);
}

void
command_help(struct buf *out)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].help)
			buf_addf(
			    out, "%-17s-- %s\n", rows[i].name, rows[i].help);
	buf_adds(out, "(Other commands are passed to a worker.)\n");
}
