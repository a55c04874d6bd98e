/* SPDX-License-Identifier: MIT */
/*
 * muxfix: a client of a multiplexor on a loop, and a listening socket where the
 * test itself plays the multiplexor, in small steps that do not block: what the
 * client has written inside `ask` is there.
 */
#ifndef TESTS_CORE_MUXFIX_H
#define TESTS_CORE_MUXFIX_H

#include "core/base/buf.h"
#include "core/base/fdio.h"
#include "core/frontend/muxclient_ev.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define HANGS_S 60 /* then the test is aborted */

struct fixture {
	struct event_base *base;
	struct muxclient *c;
	struct asker asker;
	struct buf got; /* "answer|" or "!error|" */
	int n_done;
	int listen_fd;
	bool known; /* what this multiplexor is */
	char root[64], path[100];
};

static inline void
done(void *arg, char *answer, size_t n, const char *error)
{
	struct fixture *f = arg;

	f->n_done++;
	if (answer) {
		assert_int_equal(strlen(answer), n);
		answer[n] = 'x'; /* it may be modified, its NUL too */
		answer[n] = '\0';
		buf_addf(&f->got, "%s|", answer);
	} else {
		buf_addf(&f->got, "!%s|", error);
	}
}

static inline int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char err[200];

	snprintf(f->root, sizeof(f->root), "%s/muxclient.XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(f->root))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/s", f->root);
	f->base = event_base_new();
	f->listen_fd = fdio_unix_listen(f->path, 077, 1);
	if (f->listen_fd < 0 ||
	    muxclient_new(&f->c, f->base, f->path, err, sizeof(err)) < 0)
		return -1;
	f->asker = muxclient_asker(f->c);
	alarm(HANGS_S);
	*state = f;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct fixture *f = *state;

	muxclient_free(f->c);
	event_base_free(f->base);
	close(f->listen_fd);
	unlink(f->path);
	rmdir(f->root);
	buf_fini(&f->got);
	free(f);
	return 0;
}

/* Accepts the next connection; its line is checked. */
static inline int
accept_request(struct fixture *f, const char *want)
{
	char line[200];
	int fd = accept(f->listen_fd, NULL, NULL);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, line, sizeof(line) - 1);
	assert_true(n >= 0);
	line[n] = '\0';
	assert_string_equal(line, want);
	return fd;
}

/* A multiplexor that is not ours: a part of its answer is enough. */
static inline uint64_t
ask(struct fixture *f, const char *line)
{
	uint64_t ticket =
	    f->asker.ask(f->asker.self, line, strlen(line), done, f);

	assert_true(ticket != 0);
	if (!f->known) {
		int fd = accept_request(f, "workerinfo pipeline-1\n");

		fdio_write_all(fd, "error: Invalid worker number\n", 29);
		close(fd);
		f->known = true;
	}
	return ticket;
}

static inline void
say(int fd, const char *text)
{
	assert_int_equal(fdio_write_all(fd, text, strlen(text)), 0);
}

static inline void
run_until(struct fixture *f, int n_done)
{
	while (f->n_done < n_done)
		event_base_loop(f->base, EVLOOP_ONCE);
}

#endif
