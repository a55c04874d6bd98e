/* SPDX-License-Identifier: MIT */
/* request: what a client sends, whole and octet by octet, is the same command;
 * what a worker would get has no NUL, no LF and no more than the limit; whoever may
 * only look reaches no worker; a request of a pipelined connection, written again,
 * is the same octets. */
#include "multiplexor/command.h"
#include "multiplexor/line.h"
#include "multiplexor/report.h"

#include "core/base/muxpipe.h"
#include "core/base/muxproto.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_pipelined(const char *p, size_t n)
{
	struct muxpipe_request r;
	struct buf again = { 0 };

	if (muxpipe_parse_request(p, n, &r) < 0)
		return;
	if (r.cancel)
		muxpipe_add_cancel(&again, r.id);
	else
		muxpipe_add_request(&again, r.id, r.line, r.n);
	assert(buf_len(&again) == n + 1);
	assert(memcmp(buf_data(&again), p, n) == 0);
	buf_fini(&again);
}

static void
check_open(const char *p, size_t n)
{
	struct mux_cmd c;

	command_parse(p, n, MUX_REQUEST_MAX, true, &c);
	assert(c.type != CMD_WORKER && c.type != CMD_REREAD);
	assert(c.open && c.type < CMD_N);
}

/* The type and length of the first command; 0 if there is none. */
static size_t
first_command(char *p, size_t size, size_t step)
{
	struct line_text t;
	struct line l;
	struct mux_cmd c;
	size_t result = 0;

	line_init(&l, MUX_REQUEST_MAX + 2);
	for (size_t at = 0; at < size && !result; at += step) {
		size_t n = size - at < step ? size - at : step;
		char *q = p + at;

		if (line_next(&l, &q, &n, &t) <= 0)
			continue;
		command_parse(t.p, t.n, MUX_REQUEST_MAX, false, &c);
		check_open(t.p, t.n);
		check_pipelined(t.p, t.n);
		result = (size_t)c.type * 10000 + c.n + 1;
		if (c.type != CMD_WORKER)
			continue;
		char tag[REPORT_TAG_MAX + 1], qid[REPORT_QID_MAX + 1];
		const char *d;

		assert(c.n > 0 && c.n <= MUX_REQUEST_MAX);
		assert(!memchr(c.p, '\n', c.n) && !memchr(c.p, '\0', c.n));
		report_request_tag(c.p, c.n, tag);
		for (const char *s = tag; *s; s++)
			assert(*s >= 32 && *s < 127);
		report_qid(c.p, c.n, qid);
		report_domain(c.p, c.n, &d, &n);
	}
	line_fini(&l);
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);
	size_t whole, pieces;

	if (copy && size) {
		memcpy(copy, data, size);
		whole = first_command(copy, size, size);
		pieces = first_command(copy, size, 1);
		assert(whole == pieces);
	}
	free(copy);
	return 0;
}
