/* SPDX-License-Identifier: MIT */
/*
 * load_report: what a load has shown, for people and for programs (load.h).
 */
#include "cli/check/load.h"

#include <stdio.h>
#include <unistd.h>

static const char *const stage_words[LOAD_STAGES] = {
	[LOAD_S_CONNECT] = "connecting",
	[LOAD_S_OPTNEG] = "OPTNEG",
	[LOAD_S_CLIENT] = "CONNECT",
	[LOAD_S_HELO] = "HELO",
	[LOAD_S_MAIL] = "MAIL",
	[LOAD_S_RCPT] = "RCPT",
	[LOAD_S_DATA] = "DATA",
	[LOAD_S_HEADER] = "HEADER",
	[LOAD_S_EOH] = "EOH",
	[LOAD_S_BODY] = "BODY",
	[LOAD_S_EOM] = "EOM",
	[LOAD_S_MESSAGE] = "message",
};

const char *
load_stage_word(enum load_stage s)
{
	return stage_words[s];
}

enum load_stage
load_stage_of(uint8_t command)
{
	switch (command) {
	case MLT_SMFIC_OPTNEG:
		return LOAD_S_OPTNEG;
	case MLT_SMFIC_CONNECT:
		return LOAD_S_CLIENT;
	case MLT_SMFIC_HELO:
		return LOAD_S_HELO;
	case MLT_SMFIC_MAIL:
		return LOAD_S_MAIL;
	case MLT_SMFIC_RCPT:
		return LOAD_S_RCPT;
	case MLT_SMFIC_DATA:
		return LOAD_S_DATA;
	case MLT_SMFIC_HEADER:
		return LOAD_S_HEADER;
	case MLT_SMFIC_EOH:
		return LOAD_S_EOH;
	case MLT_SMFIC_BODY:
		return LOAD_S_BODY;
	}
	return LOAD_S_EOM;
}

const char *
load_error_words(enum load_error e)
{
	switch (e) {
	case LOAD_E_CONNECT:
		return "could not connect";
	case LOAD_E_CLOSED:
		return "closed by the filter";
	case LOAD_E_TIMEOUT:
		return "no answer in time";
	case LOAD_E_REPLY:
		return "not an answer";
	case LOAD_E_OPTIONS:
		return "negotiated otherwise";
	case LOAD_ERRORS:
		break;
	}
	return "?";
}

/* Names in JSON. */
static const char *const error_keys[LOAD_ERRORS] = {
	[LOAD_E_CONNECT] = "connect",
	[LOAD_E_CLOSED] = "closed",
	[LOAD_E_TIMEOUT] = "timeout",
	[LOAD_E_REPLY] = "reply",
	[LOAD_E_OPTIONS] = "options",
};

static const unsigned per_mille[] = { 500, 900, 990, 999 };
#define N_QUANTILES (sizeof(per_mille) / sizeof(*per_mille))

uint64_t
load_all_errors(const struct load_counts *c)
{
	uint64_t n = 0;

	for (unsigned e = 0; e < LOAD_ERRORS; e++)
		n += c->errors[e];
	return n;
}

/* ---- while it runs ----------------------------------------------------------------------- */

static bool shown;

void
load_progress(const struct load_run *r, uint64_t us)
{
	if (!isatty(STDERR_FILENO))
		return;
	shown = true;
	if (r->o->idle)
		fprintf(stderr, "\r\033[K%zu of %zu sessions are held", r->held,
		    r->n_sessions);
	else if (r->o->messages)
		fprintf(stderr, "\r\033[K%ju of %ld messages",
		    (uintmax_t)r->done, r->o->messages);
	else
		fprintf(stderr, "\r\033[K%ju messages", (uintmax_t)r->done);
	fprintf(stderr, ", %.1f s, %ju errors", (double)us / 1e6,
	    (uintmax_t)load_all_errors(&r->counts));
	fflush(stderr);
}

void
load_progress_end(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}

/* ---- for people ---------------------------------------------------------------------------- */

static double
seconds_of(const struct load_counts *c)
{
	uint64_t us = c->end.wall_us - c->begin.wall_us;

	return us > 0 ? (double)us / 1e6 : 1e-6;
}

static double
each(uint64_t us, uint64_t n)
{
	return n > 0 ? (double)us / (double)n : 0;
}

static void
print_counts(const struct load_run *r)
{
	const struct load_counts *c = &r->counts;
	const char *comma = "verdicts: ";

	printf("%ju messages on %ju connections in %.3f s: %.1f messages/s\n",
	    (uintmax_t)c->messages, (uintmax_t)c->connections, seconds_of(c),
	    (double)c->messages / seconds_of(c));
	for (unsigned v = 0; v < LOAD_VERDICTS; v++) {
		if (c->verdicts[v] == 0)
			continue;
		printf("%s%s %ju", comma, mlt_verdict_name((enum mlt_verdict)v),
		    (uintmax_t)c->verdicts[v]);
		comma = ", ";
	}
	if (c->messages > 0)
		printf("; %.1f changes a message\n",
		    (double)c->changes / (double)c->messages);
	if (r->o->pids.n > 0)
		printf("filter: %.1f us of CPU a message, %ld KB resident; "
		       "threads: %ld\n",
		    each(c->end.cpu_us - c->begin.cpu_us, c->messages),
		    load_memory_now(&r->o->pids).rss_kb,
		    load_memory_now(&r->o->pids).threads);
}

static void
print_times(const struct load_counts *c)
{
	printf("\n%-11s %9s %9s %9s %9s %9s %9s  ms\n", "", "times", "p50",
	    "p90", "p99", "p99.9", "longest");
	for (unsigned s = 0; s < LOAD_STAGES; s++) {
		const struct loghist *h = &c->times[s];

		if (h->count == 0)
			continue;
		printf("%-11s %9ju", stage_words[s], (uintmax_t)h->count);
		for (size_t i = 0; i < N_QUANTILES; i++)
			printf(" %9.3f",
			    (double)loghist_quantile(h, per_mille[i]) / 1e3);
		printf(" %9.3f\n", (double)h->max / 1e3);
	}
}

static void
print_errors(const struct load_run *r)
{
	const struct load_counts *c = &r->counts;

	printf("\nerrors: %ju\n", (uintmax_t)load_all_errors(c));
	for (unsigned e = 0; e < LOAD_ERRORS; e++) {
		if (c->errors[e])
			printf("  %-21s %ju\n",
			    load_error_words((enum load_error)e),
			    (uintmax_t)c->errors[e]);
	}
	if (r->gave_up)
		puts("Given up: nothing but errors any more.");
}

static void
print_text(const struct load_run *r)
{
	if (r->o->idle) {
		printf("%zu sessions were held to the end, %zu were closed by "
		       "the filter before\n",
		    r->n_sessions - r->lost, r->lost);
		print_errors(r);
		return;
	}
	print_counts(r);
	print_times(&r->counts);
	print_errors(r);
}

/* ---- for programs -------------------------------------------------------------------------- */

static void
json_errors(const struct load_counts *c)
{
	printf(",\"errors\":{\"all\":%ju", (uintmax_t)load_all_errors(c));
	for (unsigned e = 0; e < LOAD_ERRORS; e++)
		printf(",\"%s\":%ju", error_keys[e], (uintmax_t)c->errors[e]);
	putchar('}');
}

static void
json_times(const struct load_counts *c)
{
	const char *comma = "";

	printf(",\"times_us\":{");
	for (unsigned s = 0; s < LOAD_STAGES; s++) {
		const struct loghist *h = &c->times[s];

		if (h->count == 0)
			continue;
		printf("%s\"%s\":{\"count\":%ju,\"mean\":%ju,\"p50\":%ju,"
		       "\"p90\":%ju,\"p99\":%ju,\"p99.9\":%ju,\"max\":%ju}",
		    comma, stage_words[s], (uintmax_t)h->count,
		    (uintmax_t)loghist_mean(h),
		    (uintmax_t)loghist_quantile(h, 500),
		    (uintmax_t)loghist_quantile(h, 900),
		    (uintmax_t)loghist_quantile(h, 990),
		    (uintmax_t)loghist_quantile(h, 999), (uintmax_t)h->max);
		comma = ",";
	}
	putchar('}');
}

static void
json_process(const struct load_run *r)
{
	const struct load_counts *c = &r->counts;
	struct load_memory m = load_memory_now(&r->o->pids);

	printf(",\"load_cpu_us\":%.3f",
	    each(c->end.own_us - c->begin.own_us, c->messages));
	if (r->o->pids.n == 0)
		return;
	printf(",\"filter_cpu_us\":%.3f,\"rss_kb\":%ld,\"threads\":%ld",
	    each(c->end.cpu_us - c->begin.cpu_us, c->messages), m.rss_kb,
	    m.threads);
}

static void
json_speed(const struct load_run *r)
{
	const struct load_counts *c = &r->counts;
	const char *comma = "";

	printf("{\"sessions\":%ld,\"per_connection\":%ld,\"agreed\":%u,"
	       "\"messages\":%ju,\"connections\":%ju,\"seconds\":%.3f,"
	       "\"per_second\":%.1f,\"changes\":%ju,\"verdicts\":{",
	    r->o->connections, r->o->per_connection, r->plan.protocol,
	    (uintmax_t)c->messages, (uintmax_t)c->connections, seconds_of(c),
	    (double)c->messages / seconds_of(c), (uintmax_t)c->changes);
	for (unsigned v = MLT_VERDICT_ACCEPT; v < MLT_VERDICT_STOPPED; v++) {
		printf("%s\"%s\":%ju", comma,
		    mlt_verdict_name((enum mlt_verdict)v),
		    (uintmax_t)c->verdicts[v]);
		comma = ",";
	}
	putchar('}');
	json_errors(c);
	json_times(c);
	json_process(r);
	puts("}");
}

static void
json_idle(const struct load_run *r)
{
	struct load_memory m = load_memory_now(&r->o->pids);

	printf("{\"idle\":%zu,\"lost\":%zu,\"messages\":%ld", r->held, r->lost,
	    r->o->per_connection);
	if (r->o->pids.n > 0)
		printf(",\"rss_before_kb\":%ld,\"rss_kb\":%ld,"
		       "\"bytes_per_session\":%.1f,\"threads\":%ld",
		    r->before.rss_kb, m.rss_kb,
		    each((uint64_t)(m.rss_kb > r->before.rss_kb
					? m.rss_kb - r->before.rss_kb
					: 0) *
			     1024,
			r->held),
		    m.threads);
	json_errors(&r->counts);
	puts("}");
}

int
load_show(const struct load_run *r)
{
	load_progress_end();
	if (!r->o->json)
		print_text(r);
	else if (!r->o->idle)
		json_speed(r);
	return fflush(stdout);
}

int
load_show_held(const struct load_run *r)
{
	load_progress_end();
	if (r->o->json) {
		json_idle(r);
		return fflush(stdout);
	}
	printf("%zu sessions are held after %s", r->held,
	    r->o->per_connection ? "their messages" : "HELO");
	if (r->o->pids.n > 0) {
		struct load_memory m = load_memory_now(&r->o->pids);

		printf(", for %ld KB more of the filter's memory; threads: %ld",
		    m.rss_kb - r->before.rss_kb, m.threads);
	}
	puts("; Ctrl-C ends them.");
	return fflush(stdout);
}
