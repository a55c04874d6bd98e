/* SPDX-License-Identifier: MIT */
/*
 * ctl_cmd: the commands of md-mx-ctrl (ctl_cmd.h).
 */
#include "cli/ctl_cmd.h"
#include "cli/ctl_safe.h"

#include <string.h>

#define QUOTED_MAX  1000 /* octets of an answer that an error line repeats */
#define HELP_COLUMN 30

#define REPORT(n, a, s, t, j, h)                                               \
	{                                                                      \
		.name = (n), .arg = (a), .sent = (s), .text = ctl_text_##t,    \
		.json = ctl_json_##j, .help = (h)                              \
	}
#define STATUS(n, t, h)                                                        \
	{                                                                      \
		.name = (n), .sent = "status", .text = ctl_text_##t,           \
		.json = ctl_json_status, .is_status = true, .help = (h)        \
	}
#define LOAD(raw, n, c, t, j, h)                                               \
	{                                                                      \
		.name = raw n, .sent = n, .text = ctl_text_##t,                \
		.json = ctl_json_##j, .cls = (c), .help = (h)                  \
	}
#define LOADS(raw, n, t, j, h)                                                 \
	LOAD(raw, n, CTL_SCAN, t, j, h),                                       \
	    LOAD(raw, n "-relayok", CTL_RELAYOK, t, j, NULL),                  \
	    LOAD(raw, n "-senderok", CTL_SENDEROK, t, j, NULL),                \
	    LOAD(raw, n "-recipok", CTL_RECIPOK, t, j, NULL)
#define WORKERS(n, empty, h)                                                   \
	{                                                                      \
		.name = (n), .text = ctl_text_decoded,                         \
		.json = ctl_json_workers, .may_be_empty = (empty), .help = (h) \
	}
#define VALUE(n, t, j, h)                                                      \
	{                                                                      \
		.name = (n), .text = ctl_text_##t, .json = ctl_json_##j,       \
		.key = (n), .help = (h)                                        \
	}
#define LOCAL(n, what, h)                                                      \
	{                                                                      \
		.name = (n), .local = (what), .help = (h)                      \
	}

/* spec:control-client */
/* clang-format off: one row a line */
static const struct ctl_command rows[] = {
	STATUS("status", status, "what each worker does"),
	STATUS("barstatus", bar,
	    "busy workers, queue and messages as bars on one line"),
	STATUS("jsonstatus", jsonstatus,
	    "the states of the workers as JSON, in the form that monitors "
	    "know"),
	STATUS("rawstatus", raw,
	    "one letter for each worker, messages, starts, queue size, queued, "
	    "uptime"),
	LOCAL("top", CTL_TOP,
	    "a live screen of all this; plain text where there is no terminal"),
	LOCAL("wait-ready", CTL_WAIT_READY,
	    "wait until a worker has answered and one is free"),
	WORKERS("workers", false, "a line for each worker"),
	WORKERS("slaves", false, NULL),
	WORKERS("busyworkers", true, "the lines of those that are busy"),
	WORKERS("busyslaves", true, NULL),
	REPORT(
	    "workerinfo", "N", NULL, decoded, workerinfo, "all about worker N"),
	REPORT("slaveinfo", "N", NULL, decoded, workerinfo, NULL),
	VALUE("free", decoded, number, "number of free workers"),
	VALUE("msgs", raw, number, "messages scanned since the start"),
	LOADS("", "load", load, load,
	    "requests of the last 10 seconds, 1, 5 and 10 minutes"),
	LOADS("raw", "load", raw, load, "the 29 numbers behind these"),
	REPORT("load1", "SECS", NULL, load1, load1,
	    "all four kinds of requests in the last 10 to 600 seconds"),
	REPORT("jsonload1", "SECS", "load1", jsonload1, load1,
	    "the same as JSON, in the form that monitors know"),
	REPORT("rawload1", "SECS", "load1", raw, load1,
	    "the 26 numbers behind these"),
	LOADS("", "hload", hload, hload,
	    "requests of the last 1, 4, 12 and 24 hours"),
	LOADS("raw", "hload", raw, hload, "the 16 numbers behind these"),
	REPORT("histo", NULL, NULL, decoded, histo,
	    "how often how many workers were busy"),
	REPORT("autoscale", NULL, NULL, decoded, pairs,
	    "the state of autoscaling"),
	/* it is JSON already; no row of ours needs to know its members */
	{ .name = "jsonstats",
	    .text = ctl_text_decoded,
	    .json = ctl_text_decoded,
	    .help = "counters, percentiles of times and all workers, as the "
		    "multiplexor's own JSON" },
	VALUE(
	    "metrics", decoded, text, "counters and times as OpenMetrics text"),
	VALUE("version", decoded, text, "version of the multiplexor"),
	VALUE("help", decoded, text, "what the multiplexor itself knows"),
	VALUE("reread", raw, text,
	    "replace all workers by new ones that load the filter anew"),
};
/* clang-format on */
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct ctl_command other = { .name = "",
	.text = ctl_text_decoded,
	.json = ctl_json_text,
	.key = "answer" };

const struct ctl_command *
ctl_find(const char *line, size_t n)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		size_t len = strlen(rows[i].name);

		if (n >= len && memcmp(line, rows[i].name, len) == 0 &&
		    (n == len || (rows[i].arg && line[len] == ' ')))
			return &rows[i];
	}
	return &other;
}

bool
ctl_lacks_arg(const struct ctl_command *c, size_t n)
{
	return c->arg && n <= strlen(c->name) + 1;
}

void
ctl_request(
    const struct ctl_command *c, const char *line, size_t n, struct buf *out)
{
	if (c->sent) {
		size_t len = strlen(c->name);

		buf_adds(out, c->sent);
		line += len;
		n -= len;
	}
	buf_add(out, line, n);
	buf_addc(out, '\n');
}

/* Without the LF at its end, and not too long to be repeated. */
static struct ctl_str
quoted(struct ctl_str text)
{
	while (text.n && text.p[text.n - 1] == '\n')
		text.n--;
	if (text.n > QUOTED_MAX)
		text.n = QUOTED_MAX;
	return text;
}

static void
json_error(struct ctl_str text, struct buf *out)
{
	text = quoted(text);
	buf_adds(out, "{\"error\":");
	ctl_json_string(out, text.p, text.n);
	buf_adds(out, "}\n");
}

static bool
is_error(struct ctl_str text)
{
	return ctl_str_begins(text, "error:") || ctl_str_begins(text, "ERR ");
}

/* The answer is not what was asked for. */
static void
refuse(const struct ctl_command *c, bool json, struct ctl_str text,
    struct ctl_shown *s)
{
	struct buf *to = c->is_status ? &s->err : &s->out;

	s->status = 1;
	if (json) {
		json_error(text, &s->out);
		return;
	}
	text = quoted(text);
	buf_adds(
	    to, c->is_status ? "ERROR " : "Could not interpret response: ");
	ctl_safe(to, text.p, text.n, true);
	buf_addc(to, '\n');
}

void
ctl_show_error(bool json, const char *who, const char *why, struct ctl_shown *s)
{
	struct buf line;

	s->status = 1;
	buf_reset(&s->out);
	buf_reset(&s->err);
	buf_init(&line, 0);
	buf_addf(&line, "%s: %s", who, why);
	if (json) {
		json_error((struct ctl_str){ buf_data(&line), buf_len(&line) },
		    &s->out);
	} else {
		buf_adds(&s->err, "ERROR ");
		ctl_safe(&s->err, buf_data(&line), buf_len(&line), true);
		buf_addc(&s->err, '\n');
	}
	buf_fini(&line);
}

void
ctl_show(const struct ctl_command *c, bool json, struct ctl_form_in *in,
    struct ctl_shown *s)
{
	ctl_form_fn *form = json ? c->json : c->text;

	s->status = 0;
	in->cls = c->cls;
	in->key = c->key;
	if (in->text.n == 0 && !c->may_be_empty)
		ctl_show_error(json, "multiplexor",
		    "closed the connection without an answer", s);
	else if ((json && is_error(in->text)) || form(in, &s->out) < 0)
		refuse(c, json, in->text, s);
	if (s->out.failed || s->err.failed)
		ctl_show_error(
		    json, "multiplexor", "the answer is too long", s);
}

/* ---- help ---- */

/* The rows from i that share a line of help: i up to the one before *end. */
static void
group(size_t i, size_t *end)
{
	for (*end = i + 1; *end < N_ROWS && !rows[*end].help; ++*end)
		;
}

void
ctl_help(bool local, struct buf *out)
{
	for (size_t i = 0, end; i < N_ROWS; i = end) {
		size_t start = buf_len(out), width;

		group(i, &end);
		if (local && rows[i].local == CTL_REMOTE)
			continue;
		for (size_t k = i; k < end; k++)
			buf_addf(
			    out, "%s%s", k == i ? "  " : ", ", rows[k].name);
		if (rows[i].arg)
			buf_addf(out, " %s", rows[i].arg);
		width = buf_len(out) - start;
		if (width > HELP_COLUMN - 2) {
			buf_addc(out, '\n');
			width = 0;
		}
		buf_addf(out, "%*s%s\n", (int)(HELP_COLUMN - width), "",
		    rows[i].help);
	}
}

void
ctl_mdoc(struct buf *out)
{
	for (size_t i = 0, end; i < N_ROWS; i = end) {
		group(i, &end);
		buf_adds(out, ".It");
		for (size_t k = i; k < end; k++)
			buf_addf(
			    out, "%s Cm %s", k == i ? "" : " ,", rows[k].name);
		if (rows[i].arg)
			buf_addf(out, " Ar %s", rows[i].arg);
		buf_addf(out, "\n%c%s.\n",
		    rows[i].help[0] >= 'a' && rows[i].help[0] <= 'z'
			? rows[i].help[0] - 'a' + 'A'
			: rows[i].help[0],
		    rows[i].help + 1);
	}
}

void
ctl_names(struct buf *out)
{
	for (size_t i = 0; i < N_ROWS; i++)
		buf_addf(out, "%s\n", rows[i].name);
}
