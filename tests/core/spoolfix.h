/* SPDX-License-Identifier: MIT */
/*
 * spoolfix: a spool directory of the test's own, called /sp in the log, with one
 * working directory that is to be made.  Nothing may be left over in the log.
 */
#ifndef TESTS_CORE_SPOOLFIX_H
#define TESTS_CORE_SPOOLFIX_H

#include "core/base/buf.h"
#include "core/base/fdio.h"
#include "core/base/log.h"
#include "core/frontend/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct fixture {
	struct spool s;
	struct spool_dir d; /* mdefang-Q1 */
	struct buf log;
	char root[64];
};

static inline void
sink(void *arg, enum log_level level, const char *line)
{
	struct fixture *f = arg;

	buf_addf(&f->log, "%c %s\n", "EWID"[level], line);
}

/* The directory of the queue id exists now. */
static inline void
create(struct fixture *f, const char *queue_id)
{
	spool_dir_name(&f->d, queue_id, "ident00");
	assert_int_equal(spool_dir_create(&f->s, &f->d, "ident00", "c"), 0);
}

static inline int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char err[200];

	snprintf(f->root, sizeof(f->root), "%s/spool.XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(f->root) ||
	    spool_open(&f->s, f->root, err, sizeof(err)) < 0)
		return -1;
	f->s.path = "/sp";
	spool_dir_init(&f->d);
	spool_dir_name(&f->d, "Q1", "ident00");
	log_set_sink(sink, f);
	umask(0);
	*state = f;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct fixture *f = *state;
	int root = fdio_open_dir("/");

	log_set_sink(NULL, NULL);
	assert_string_equal(buf_cstr(&f->log), "");
	spool_discard(&f->s, &f->d, SPOOL_DONE, NULL);
	spool_close(&f->s);
	fdio_remove_tree(root, f->root + 1);
	close(root);
	buf_fini(&f->log);
	free(f);
	return 0;
}

static inline void
assert_logged(struct fixture *f, const char *want)
{
	assert_string_equal(buf_cstr(&f->log), want);
	buf_reset(&f->log);
}

static inline bool
is_there(const struct fixture *f, const char *name)
{
	return faccessat(f->s.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The name of the only entry of the spool that begins so, or NULL. */
static inline const char *
only_one(const struct fixture *f, const char *prefix)
{
	static char name[300];
	DIR *d = opendir(f->root);
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 && ++n)
			snprintf(name, sizeof(name), "%s", e->d_name);
	closedir(d);
	assert_true(n <= 1);
	return n ? name : NULL;
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

#endif
