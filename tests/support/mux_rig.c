/* SPDX-License-Identifier: MIT */
/* mux_rig: a multiplexor for one test (mux_rig.h). */
#include "mux_rig.h"

#include "core/base/fdio.h"
#include "core/base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define HANGS_S 60 /* then the test is aborted */

static void
keep_line(void *arg, enum log_level level, const char *line)
{
	static const char names[LOG_L_N][6] = { "ERR", "WARN", "INFO",
		"DEBUG" };
	struct rig *r = arg;
	char text[2100], *more;
	size_t n;

	n = (size_t)snprintf(
	    text, sizeof(text), "%s: %s\n", names[level], line);
	more = realloc(r->log, r->log_len + n + 1);
	if (!more)
		return; /* the test makes malloc fail */
	r->log = more;
	memcpy(r->log + r->log_len, text, n + 1);
	r->log_len += n;
}

int
rig_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct rig *r = calloc(1, sizeof(*r));
	char top[PATH_MAX];

	if (!r || !getcwd(top, sizeof(top)))
		return -1;
	snprintf(r->dir, sizeof(r->dir), "%s/mux.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(r->dir))
		return -1;
	snprintf(r->sock, sizeof(r->sock), "%s/mx.sock", r->dir);
	snprintf(
	    r->worker, sizeof(r->worker), "%s/tests/support/worker.pl", top);
	r->o = (struct mux_opts){ .min_workers = 1,
		.max_workers = 2,
		.max_requests = 500,
		.max_lifetime_s = -1,
		.idle_s = 300,
		.busy_s = 60,
		.client_s = 10,
		.start_delay_s = 1,
		.scale_s = 15,
		.scale_out = 80,
		.scale_in = 30,
		.scale_step = 1,
		.queue_s = 30,
		.backlog = 5,
		.open_max = 20,
		.request_bytes = 4094,
		.answer_bytes = 4096,
		.max_listeners = 5,
		.listener_bytes = 65536,
		.max_map_clients = 1000,
		.map_idle_s = 3600,
		.in_flight = 1024,
		.pipeline_idle_s = 3600,
		.socket = r->sock,
		.spool_dir = r->dir,
		.worker = r->worker,
		.log_events = true };
	r->log = calloc(1, 1);
	r->base = event_base_new();
	log_set_sink(keep_line, r);
	alarm(HANGS_S);
	*state = r;
	return r->base && r->log ? 0 : -1;
}

int
rig_teardown(void **state)
{
	struct rig *r = *state;
	struct stat st;
	int bad;

	mux_free(r->m);
	/* nobody is left behind */
	bad = waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD ||
	      (r->m && lstat(r->sock, &st) == 0);
	if (bad)
		print_error("a child or the socket was left\n");
	log_set_sink(NULL, NULL);
	event_base_free(r->base);
	fdio_remove_tree(AT_FDCWD, r->dir);
	free(r->log);
	free(r);
	alarm(0);
	return bad;
}

void
rig_start(struct rig *r)
{
	char err[300] = "";

	if (mux_new(&r->m, r->base, &r->o, err, sizeof(err)) < 0)
		fail_msg("mux_new: %s", err);
	mux_start(r->m);
}

void
rig_done(void *arg, char *answer, size_t n, const char *error)
{
	struct rig_answer *a = arg;

	assert_false(a->done);
	a->done = true;
	a->none = !answer;
	if (!answer) {
		assert_non_null(error);
		return;
	}
	assert_true(n < sizeof(a->text));
	assert_int_equal(answer[n], '\0');
	memcpy(a->text, answer, n + 1);
	a->n = n;
	memset(answer, '#', n); /* it may be modified */
}

uint64_t
rig_ask(struct rig *r, const char *line, struct rig_answer *a)
{
	uint64_t id;

	*a = (struct rig_answer){ 0 };
	id = mux_ask(r->m, line, strlen(line), rig_done, a);
	assert_int_not_equal(id, 0);
	assert_false(a->done); /* never inside mux_ask */
	return id;
}

void
rig_until(struct rig *r, const bool *flag)
{
	while (!*flag)
		event_base_loop(r->base, EVLOOP_ONCE);
}

const char *
rig_say(struct rig *r, const char *line)
{
	static struct rig_answer a;

	rig_ask(r, line, &a);
	rig_until(r, &a.done);
	assert_false(a.none);
	if (a.n && a.text[a.n - 1] == '\n')
		a.text[a.n - 1] = '\0';
	return a.text;
}

bool
rig_logged(const struct rig *r, const char *text)
{
	return strstr(r->log, text) != NULL;
}

void
rig_until_logged(struct rig *r, const char *text)
{
	while (!rig_logged(r, text))
		event_base_loop(r->base, EVLOOP_ONCE);
}

void
rig_until_letters(struct rig *r, const char *letters)
{
	size_t n = strlen(letters);

	/* A loop that sleeps until something happens cannot miss it: the
	 * question itself wakes it. */
	while (strncmp(rig_say(r, "status"), letters, n) != 0)
		event_base_loop(r->base, EVLOOP_NONBLOCK);
}

const char *
rig_fifo(struct rig *r, const char *name)
{
	static char path[260];

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	if (mkfifo(path, 0600) < 0)
		assert_int_equal(errno, EEXIST);
	return path;
}

void
rig_release(struct rig *r, const char *path)
{
	int fd;

	/* until the worker has opened its end */
	while ((fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) {
		assert_int_equal(errno, ENXIO);
		event_base_loop(r->base, EVLOOP_NONBLOCK);
	}
	assert_int_equal(write(fd, "\n", 1), 1);
	close(fd);
}

int
rig_connect(struct rig *r)
{
	int fd = fdio_unix_connect(r->sock, false);

	assert_true(fd >= 0);
	return fd;
}

void
rig_send(int fd, const char *p, size_t n)
{
	assert_int_equal(fdio_write_all(fd, p, n), 0);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

const char *
rig_hear(struct rig *r, int fd, const char *want)
{
	static char text[70000];
	size_t n = 0, all = strlen(want);

	fdio_set_nonblock(fd, true);
	while (n < all) {
		ssize_t got = read(fd, text + n, all - n);

		if (got == 0)
			break;
		if (got > 0)
			n += (size_t)got;
		else
			event_base_loop(r->base, EVLOOP_NONBLOCK);
	}
	text[n] = '\0';
	return text;
}

size_t
rig_receive(struct rig *r, int fd, char *to, size_t max)
{
	bool ready = false;
	struct event *ev;
	size_t n = 0;
	ssize_t got;

	fdio_set_nonblock(fd, true);
	ev = event_new(r->base, fd, EV_READ | EV_PERSIST, on_readable, &ready);
	event_add(ev, NULL);
	do {
		ready = false;
		rig_until(r, &ready);
		got = read(fd, to + n, max - n - 1);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	event_free(ev);
	close(fd);
	to[n] = '\0';
	return n;
}
