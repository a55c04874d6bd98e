/* SPDX-License-Identifier: MIT */
/*
 * gate: one SMTP session for tests of the message logic, without a loop: an
 * MTA's session and a filter's session face to face in memory, a message
 * between them, a spool below a directory of its own, and a multiplexor that
 * is the test: each request stops in `asked` until gate_answer.
 *
 * Everything that was said is text: `heard` is what the MTA got, one line for
 * each reply and modification; `log` is what was logged, consumed by
 * gate_log.  A log line that nobody consumed fails the test in gate_close.
 */
#ifndef TESTS_CORE_GATE_H
#define TESTS_CORE_GATE_H

#include "core/base/buf.h"
#include "core/base/fdio.h"
#include "core/base/log.h"
#include "core/frontend/message.h"
#include "core/frontend/negotiate.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <milterproto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct gate {
	struct frontend_opts opts;
	struct mlt_mta_opts offer;
	struct asker asker;
	struct message_env env;
	struct mlt_mta *mta;
	struct mlt_filter *filter;
	struct message *message;
	struct buf macro_list, heard_buf, log_buf, file;
	char root[64];
	char asked[5000]; /* "" = no open question */
	ask_done_fn *done;
	void *done_arg;
	bool no_memory_to_ask, lost_reply;
	msec wake_in, now;
};

/* The least that opens: no question at connect. */
#define GATE_QUEUE                                                             \
	{                                                                      \
		.queue_connections = true                                      \
	}
/* What is logged of gate_answer(g, NULL). */
#define GATE_DOWN "connect: Connection refused: Is multiplexor running?"

#define B(s)                                                                   \
	(struct mlt_bytes)                                                     \
	{                                                                      \
		s, sizeof(s) - 1                                               \
	}

static inline struct mlt_bytes
gate_bytes(const char *s)
{
	return (struct mlt_bytes){ s, s ? strlen(s) : 0 };
}

static inline msec
gate_mono(void)
{
	static msec ms;
	return ms += 7;
}

static inline int64_t
gate_wall(void)
{
	return 1700000000;
}

static inline uint64_t
gate_ask(void *self, const char *line, size_t n, ask_done_fn *done, void *arg)
{
	struct gate *g = self;

	assert(!*g->asked && n > 0 && n < sizeof(g->asked));
	if (g->no_memory_to_ask)
		return 0;
	memcpy(g->asked, line, n);
	g->asked[n] = '\0';
	g->done = done;
	g->done_arg = arg;
	return 7;
}

static inline void
gate_cancel(void *self, uint64_t ticket)
{
	struct gate *g = self;

	assert(*g->asked && ticket == 7);
	g->asked[0] = '\0';
}

static inline void
gate_reply(void *arg, const struct mlt_reply *r)
{
	struct gate *g = arg;
	int rc = mlt_filter_reply(g->filter, r);

	if (rc < 0)
		buf_addf(&g->heard_buf, "refused by the session: %s\n",
		    mlt_strerror(rc));
}

static inline void
gate_flush(void *arg)
{
	(void)arg;
}

static inline int
gate_wake(void *arg, msec in_ms)
{
	struct gate *g = arg;

	g->wake_in = in_ms;
	return 0;
}

static inline void
gate_sink(void *arg, enum log_level level, const char *line)
{
	struct gate *g = arg;

	buf_addf(&g->log_buf, "%c %s\n", "EWID"[level], line);
}

static inline void
gate_hear(struct gate *g, const struct mlt_action *a)
{
	struct buf *b = &g->heard_buf;

	buf_addf(b, "%c", a->reply);
	if (a->reply == 'i' || a->reply == 'm')
		buf_addf(b, " %u", a->index);
	if (a->name.n)
		buf_addf(b, " %.*s: %.*s", (int)a->name.n, a->name.p,
		    (int)a->value.n, a->value.p);
	else if (a->text.n)
		buf_addf(b, " %.*s", (int)a->text.n, a->text.p);
	buf_addc(b, '\n');
}

/* Moves octets and events until nothing moves any more. */
static inline void
gate_pump(struct gate *g)
{
	struct mlt_event ev;
	struct mlt_action a;
	const uint8_t *p;
	size_t n, in;

	for (bool moved = true; moved;) {
		moved = false;
		if ((in = mlt_mta_output(g->mta, &p))) {
			moved = true;
			assert_true(mlt_filter_feed(g->filter, p, in) >= 0);
		}
		while (mlt_filter_next(g->filter, &ev) > 0) {
			moved = true;
			message_event(g->message, &ev);
		}
		mlt_mta_sent(g->mta, in); /* borrowed by feed until here */
		if ((n = mlt_filter_output(g->filter, &p))) {
			moved = true;
			assert_true(mlt_mta_feed(g->mta, p, n) >= 0);
			while (mlt_mta_next(g->mta, &a) > 0)
				if (a.reply != 'O')
					gate_hear(g, &a);
			mlt_filter_sent(g->filter, n);
		}
	}
}

/* Set opts before; the spool's path and the asker are set here. */
static inline void
gate_open(struct gate *g)
{
	static const struct message_ops ops = { gate_reply, gate_flush,
		gate_wake };
	struct mlt_filter_opts fo = { 0 };
	char err[200];

	snprintf(g->root, sizeof(g->root), "%s/gate.XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(g->root));
	log_set_sink(gate_sink, g);
	g->opts.spool_dir = g->root;
	if (!g->opts.scanned_by)
		g->opts.scanned_by = "";
	g->asker = (struct asker){ g, gate_ask, gate_cancel };
	g->wake_in = MSEC_NEVER;
	g->env = (struct message_env){ .opts = &g->opts,
		.asker = &g->asker,
		.mono_ms = gate_mono,
		.wall_s = gate_wall };
	assert_int_equal(
	    spool_open(&g->env.spool, g->root, err, sizeof(err)), 0);
	g->env.spool.keep_all = g->opts.keep_dirs;
	g->env.spool.keep_failed = g->opts.keep_failed;
	g->env.spool.group = g->opts.group_access;
	g->env.spool.spares.max = (unsigned)g->opts.spare_dirs;
	assert_int_equal(
	    negotiate_options(&fo.want, &g->opts, &g->macro_list), 0);
	assert_int_equal(mlt_filter_new(&g->filter, &fo), 0);
	assert_int_equal(mlt_mta_new(&g->mta, &g->offer), 0);
	g->message = message_new(&g->env, g->filter, &ops, g);
	assert_non_null(g->message);
	assert_true(mlt_mta_negotiate(g->mta) > 0);
	gate_pump(g);
}

static inline const char *
gate_text(struct buf *b)
{
	return buf_cstr(b);
}

/* What the MTA heard since the last call. */
#define gate_heard(g, want)                                                    \
	do {                                                                   \
		assert_string_equal(gate_text(&(g)->heard_buf), want);         \
		buf_reset(&(g)->heard_buf);                                    \
	} while (0)
#define gate_log(g, want)                                                      \
	do {                                                                   \
		assert_string_equal(gate_text(&(g)->log_buf), want);           \
		buf_reset(&(g)->log_buf);                                      \
	} while (0)

/* The name of the only working directory, or NULL if there is none. */
static inline const char *
gate_dir(struct gate *g)
{
	static char name[300];
	DIR *d = opendir(g->root);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)))
		if (strncmp(e->d_name, "mdefang-", 8) == 0 && ++n)
			snprintf(name, sizeof(name), "%s", e->d_name);
	closedir(d);
	assert_true(n <= 1);
	return n ? name : NULL;
}

/* Content of a file of the working directory. */
static inline const char *
gate_file(struct gate *g, const char *name)
{
	char path[500];

	snprintf(path, sizeof(path), "%s/%s/%s", g->root, gate_dir(g), name);
	buf_reset(&g->file);
	if (fdio_read_file(AT_FDCWD, path, 1 << 20, &g->file) < 0)
		return "(cannot be read)";
	return buf_cstr(&g->file);
}

static inline void
gate_put(struct gate *g, const char *name, const char *text, size_t n)
{
	char path[500];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", g->root, gate_dir(g), name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fdio_write_all(fd, text, n), 0);
	close(fd);
}

/* Puts what is no plain file where one is expected: a link to target, a FIFO,
 * a directory (i is 0 to 2).  What is said of reading it. */
static inline const char *
gate_put_odd(struct gate *g, const char *name, const char *target, int i)
{
	char path[500];

	snprintf(path, sizeof(path), "%s/%s/%s", g->root, gate_dir(g), name);
	assert_int_equal(i == 0   ? symlink(target, path)
			 : i == 1 ? mkfifo(path, 0600)
				  : mkdir(path, 0700),
	    0);
	return i == 0 ? "Too many levels of symbolic links"
		      : "Invalid argument";
}

/* The multiplexor's answer; NULL: it cannot be reached. */
static inline void
gate_answer(struct gate *g, const char *text)
{
	char copy[5000];

	assert_true(*g->asked);
	g->asked[0] = '\0';
	if (text) {
		snprintf(copy, sizeof(copy), "%s", text);
		g->done(g->done_arg, copy, strlen(copy), NULL);
	} else {
		g->done(g->done_arg, NULL, 0, GATE_DOWN);
	}
	gate_pump(g);
}

/* ---- what the MTA says ------------------------------------------------------ */

static inline void
gate_macros(struct gate *g, int stage, ...)
{
	struct mlt_bytes v[40];
	const char *s;
	size_t n = 0;
	va_list ap;

	va_start(ap, stage);
	while ((s = va_arg(ap, const char *)))
		v[n++] = gate_bytes(s);
	va_end(ap);
	assert_int_equal(mlt_mta_macros(g->mta, (uint8_t)stage, v, n / 2), 2);
	gate_pump(g);
}

static inline void
gate_connect_as(struct gate *g, const char *host, char family, uint16_t port,
    const char *addr)
{
	assert_true(mlt_mta_connect(g->mta, gate_bytes(host), family, port,
			gate_bytes(addr)) > 0);
	gate_pump(g);
}

static inline void
gate_connect(struct gate *g)
{
	gate_connect_as(g, "[1.2.3.4]", '4', 4321, "1.2.3.4");
	if (strcmp(g->asked, "free") == 0)
		gate_answer(g, "1\n");
}

/* A gate whose client has connected. */
static inline void
gate_ready(struct gate *g)
{
	gate_open(g);
	gate_connect(g);
	buf_reset(&g->heard_buf);
}

static inline void
gate_helo(struct gate *g, const char *text)
{
	assert_true(mlt_mta_helo(g->mta, gate_bytes(text)) > 0);
	gate_pump(g);
}

#define gate_mail(g, ...) gate_args(g, mlt_mta_mail, __VA_ARGS__, NULL)
#define gate_rcpt(g, ...) gate_args(g, mlt_mta_rcpt, __VA_ARGS__, NULL)
static inline void
gate_args(struct gate *g,
    int (*fn)(struct mlt_mta *, const struct mlt_bytes *, size_t), ...)
{
	struct mlt_bytes v[60];
	const char *s;
	size_t n = 0;
	va_list ap;

	va_start(ap, fn);
	while ((s = va_arg(ap, const char *)))
		v[n++] = gate_bytes(s);
	va_end(ap);
	assert_true(fn(g->mta, v, n) > 0);
	gate_pump(g);
}

static inline void
gate_header(struct gate *g, const char *name, const char *value)
{
	(void)mlt_mta_data(g->mta); /* not wanted, so not sent */
	assert_true(
	    mlt_mta_header(g->mta, gate_bytes(name), gate_bytes(value)) > 0);
	gate_pump(g);
}

static inline void
gate_eoh(struct gate *g)
{
	(void)mlt_mta_data(g->mta);
	assert_true(mlt_mta_eoh(g->mta) > 0);
	gate_pump(g);
}

static inline void
gate_body(struct gate *g, struct mlt_bytes b)
{
	assert_true(mlt_mta_body(g->mta, b.p, b.n) > 0);
	gate_pump(g);
}

static inline void
gate_eom(struct gate *g)
{
	assert_true(mlt_mta_eom(g->mta) > 0);
	gate_pump(g);
}

/* A whole small message up to its scan. */
static inline void
gate_message(struct gate *g)
{
	gate_mail(g, "<a@b>");
	gate_rcpt(g, "<c@d>");
	gate_header(g, "Subject", "hi");
	gate_eoh(g);
	gate_body(g, B("x\r\n"));
	gate_eom(g);
}

/* The worker writes RESULTS and says ok. */
static inline void
gate_scanned(struct gate *g, const char *results)
{
	gate_put(g, "RESULTS", results, strlen(results));
	gate_answer(g, "ok\n");
}

static inline void
gate_close(struct gate *g)
{
	int dir;

	message_free(g->message);
	mlt_filter_free(g->filter);
	mlt_mta_free(g->mta);
	message_env_fini(&g->env);
	spool_close(&g->env.spool);
	log_set_sink(NULL, NULL);
	assert_false(*g->asked);
	assert_string_equal(gate_text(&g->log_buf), "");
	dir = fdio_open_dir("/");
	fdio_remove_tree(dir, g->root + 1);
	close(dir);
	buf_fini(&g->macro_list);
	buf_fini(&g->heard_buf);
	buf_fini(&g->log_buf);
	buf_fini(&g->file);
}

#endif
