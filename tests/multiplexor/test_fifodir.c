/* SPDX-License-Identifier: MIT */
/* fifodir: one's own directory is made and removed, dead ones are removed,
 * living ones and those of others are left alone. */
#include "multiplexor/fifodir.h"

#include "core/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void
only_the_dead_are_swept(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char spool[200], stale[300], file[300], link[300], others[300];
	char *one, *two;
	struct stat st;
	int a, b;
	bool not_mine; /* only root can give it away */

	(void)state;
	snprintf(spool, sizeof(spool), "%s/fifodir.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(spool));
	snprintf(stale, sizeof(stale), "%s/.zygote-dead", spool);
	snprintf(file, sizeof(file), "%s/.zygote-dead/7.1.0", spool);
	snprintf(link, sizeof(link), "%s/.zygote-link", spool);
	snprintf(others, sizeof(others), "%s/.zygote-others", spool);
	assert_int_equal(mkdir(stale, 0700), 0);
	assert_int_equal(mkdir(others, 0700), 0);
	not_mine = chown(others, geteuid() + 1, (gid_t)-1) == 0;
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(symlink("/", link), 0);
	a = fifodir_make(spool, &one);
	assert_true(a >= 0);
	assert_int_equal(stat(one, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(access(stale, F_OK), -1);
	assert_int_equal(lstat(link, &st), 0);
	assert_int_equal(access(others, F_OK), not_mine ? 0 : -1);
	b = fifodir_make(spool, &two);
	assert_true(b >= 0);
	assert_int_equal(access(one, F_OK), 0);
	snprintf(stale, sizeof(stale), "%s", one);
	fifodir_remove(a, one);
	assert_int_equal(access(stale, F_OK), -1);
	fifodir_remove(b, two);
	assert_int_equal(fdio_remove_tree(AT_FDCWD, spool), 0);
	fifodir_remove(-1, NULL);
	assert_int_equal(fifodir_make("/nonexistent", &one), -ENOENT);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_dead_are_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
