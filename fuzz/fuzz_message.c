/* SPDX-License-Identifier: MIT */
/* A hostile MTA and a multiplexor that answers anything: octet 0 chooses
 * options, the next 8 the answers, the rest is what the MTA sends after it
 * negotiated.  Nothing is accepted at the end of a message without a scan that
 * said ok and left RESULTS with F, nor beyond a limit; each message is logged
 * once, in lines that are whole; and no directory stays. */
#include "core/frontend/message.h"
#include "core/frontend/negotiate.h"
#include "core/base/log.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gate {
	struct mlt_filter *f;
	ask_done_fn *done;
	void *arg;
	char line[5000];
	bool open, at_eom, scanned, limited;
	size_t n_header, n_body; /* of this message */
	size_t n_mail, n_logged;
} g;

#define HEADERS_MAX 3
#define MESSAGE_MAX 200

static uint64_t
ask(void *self, const char *line, size_t n, ask_done_fn *done, void *arg)
{
	(void)self;
	assert(!g.open && n <= 4094 && !memchr(line, '\n', n));
	g.open = true;
	g.done = done;
	g.arg = arg;
	memcpy(g.line, line, n);
	g.line[n] = '\0';
	return 1;
}

static void
cancel(void *self, uint64_t ticket)
{
	(void)self;
	assert(g.open && ticket == 1);
	g.open = false;
}

static void
reply(void *arg, const struct mlt_reply *r)
{
	(void)arg;
	assert(!g.at_eom || g.scanned ||
	       (r->type != MLT_REPLY_CONTINUE && r->type != MLT_REPLY_ACCEPT));
	assert(!g.at_eom || !g.limited || r->type != MLT_REPLY_CONTINUE ||
	       (g.n_header <= HEADERS_MAX && g.n_body <= MESSAGE_MAX));
	assert(mlt_filter_reply(g.f, r) != MLT_E_ARG);
}

static void
flush(void *arg)
{
	(void)arg;
}

static int
wake(void *arg, msec in_ms)
{
	(void)arg;
	(void)in_ms;
	return 0;
}

static msec
mono(void)
{
	return 0;
}

static int64_t
wall(void)
{
	return 0;
}

static void
sink(void *arg, enum log_level level, const char *line)
{
	size_t n = strlen(line);

	(void)arg;
	(void)level;
	assert(n <= LOGLINE_MAX);
	for (size_t i = 0; i < n; i++)
		assert((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
	if (g.limited) { /* as JSON, whose names cannot be forged */
		assert(line[0] == '{' && line[n - 1] == '}');
		g.n_logged += strstr(line, ",\"event\":\"message\",") != NULL;
	}
}

static void
count(const struct mlt_event *ev)
{
	g.at_eom = ev->type == MLT_EV_EOM;
	g.scanned = false;
	if (ev->type == MLT_EV_MAIL) {
		g.n_mail++;
		g.n_header = g.n_body = 0;
	} else if (ev->type == MLT_EV_HEADER) {
		g.n_header++;
	} else if (ev->type == MLT_EV_BODY) {
		for (size_t i = 0; i < ev->text.n; i++)
			g.n_body += ev->text.p[i] != '\r'; /* others stay */
	}
}

/* Answers the open question as `choice` says. */
static void
answer(uint8_t choice)
{
	static const char *const texts[] = { "ok 1\n", "ok\n", "2\n",
		"ok 0 no%0Ano 550 5.1.1 0\n", "ok -1 x 4 4 9\n", "ok 3\n",
		"ok 2\n", "" };
	static const char *const results[] = { "F\n", "HX a\nC\nF\n", "B\n",
		"Q\nF\n", "HX\n", "M\nI: 1 x\nF\n" };
	const char *dir = strrchr(g.line, ' ');
	bool scan = strncmp(g.line, "scan ", 5) == 0;
	char text[100], path[300];

	snprintf(text, sizeof(text), "%s", texts[choice & 7]);
	g.scanned = scan && (choice & 7) == 1;
	if (scan) {
		snprintf(path, sizeof(path), "%s/RESULTS", dir + 1);
		FILE *f = fopen(path, "w");
		const char *r = results[(choice >> 3) % 6];
		g.scanned &= f && strchr(r, 'F');
		if (f) {
			fputs(r, f);
			fclose(f);
		}
	}
	g.open = false;
	g.done(g.arg, text, strlen(text), NULL);
}

static char root[200];

static void
remove_root(void)
{
	if (rmdir(root) < 0) /* a directory was left in it */
		_exit(77);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char offer[] =
	    "\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff";
	static const struct message_ops ops = { reply, flush, wake };
	static const struct asker asker = { NULL, ask, cancel };
	static struct frontend_opts o;
	static struct message_env env;
	struct mlt_filter_opts fo = { 0 };
	struct mlt_event ev;
	struct message *m;
	struct buf list = { 0 };
	char err[100];
	size_t at = 0;

	if (size < 9)
		return 0;
	if (!env.opts) {
		const char *tmp = getenv("TMPDIR");
		snprintf(root, sizeof(root), "%s/fuzz_message.XXXXXX",
		    tmp ? tmp : "/tmp");
		assert(mkdtemp(root));
		atexit(remove_root);
		log_set_sink(sink, NULL);
		assert(spool_open(&env.spool, root, err, sizeof(err)) == 0);
	}
	o = (struct frontend_opts){ .spool_dir = root,
		.check_relay = data[0] & 1,
		.check_helo = data[0] & 2,
		.check_sender = data[0] & 4,
		.check_recipient = data[0] & 8,
		.queue_connections = data[0] & 16,
		.strip_cr = data[0] & 32,
		.scanned_by = "x",
		.validate_header = "X",
		.log_summary = true,
		.limits = { .memory_bytes = data[0] & 64 ? 100 : 0 } };
	if (data[0] & 128) {
		o.limits.headers = HEADERS_MAX;
		o.limits.message_bytes = MESSAGE_MAX;
	}
	log_set_format(data[0] & 128 ? "json" : "text");
	env.opts = &o;
	env.asker = &asker;
	env.mono_ms = mono;
	env.wall_s = wall;
	assert(negotiate_options(&fo.want, &o, &list) == 0);
	g = (struct gate){ .limited = data[0] & 128 };
	assert(mlt_filter_new(&g.f, &fo) == 0);
	m = message_new(&env, g.f, &ops, NULL);
	assert(mlt_filter_feed(g.f, offer, 17) == 0);
	assert(mlt_filter_next(g.f, &ev) == 1);
	message_event(m, &ev);
	assert(mlt_filter_next(g.f, &ev) == 0);
	int rc = mlt_filter_feed(g.f, data + 9, size - 9);
	while (rc >= 0) {
		while ((rc = mlt_filter_next(g.f, &ev)) > 0) {
			count(&ev);
			message_event(m, &ev);
		}
		if (rc < 0 || !g.open) {
			message_tick(m);
			if (!mlt_filter_wants_reply(g.f))
				break;
			continue;
		}
		answer(data[1 + at++ % 8]);
	}
	mlt_filter_eof(g.f);
	while (mlt_filter_next(g.f, &ev) > 0) {
		count(&ev);
		message_event(m, &ev);
	}
	message_free(m);
	assert(!g.open);
	assert(!g.limited || g.n_logged == g.n_mail);
	mlt_filter_free(g.f);
	buf_fini(&list);
	return 0;
}
