/* SPDX-License-Identifier: MIT */
/* sweep: what a start removes from the spool, and what it never does. */
#include "tests/core/spoolfix.h"

#include "core/frontend/sweep.h"

#include <sys/file.h>

#define NOW 2000000000 /* of the sweep */

static void
write_to(const struct fixture *f, const char *path, const char *text)
{
	int fd = openat(f->s.fd, path, O_CREAT | O_WRONLY, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A directory with something in it, so many seconds old at NOW. */
static void
make(struct fixture *f, const char *name, time_t age)
{
	const struct timespec t[2] = { { .tv_sec = NOW - age },
		{ .tv_sec = NOW - age } };
	char path[200];

	assert_int_equal(mkdirat(f->s.fd, name, 0700), 0);
	snprintf(path, sizeof(path), "%s/Work", name);
	assert_int_equal(mkdirat(f->s.fd, path, 0700), 0);
	snprintf(path, sizeof(path), "%s/INPUTMSG", name);
	write_to(f, path, "text");
	assert_int_equal(utimensat(f->s.fd, name, t, 0), 0);
}

static void
old_directories_of_ours_are_removed(void **state)
{
	struct fixture *f = *state;

	make(f, "mdefang-OLD", 3600);
	make(f, "mdefang-YOUNG", 3599);
	make(f, "mdefangOLD", 9999);
	make(f, "Quarantine", 9999);
	assert_int_equal(sweep_spool(&f->s, NOW, 3600), 1);
	assert_false(is_there(f, "mdefang-OLD"));
	assert_true(is_there(f, "mdefang-YOUNG"));
	assert_true(is_there(f, "mdefangOLD"));
	assert_true(is_there(f, "Quarantine"));
	assert_logged(f,
	    "I Removed 1 stale working directories from /sp, the first was "
	    "mdefang-OLD\n");
}

static void
what_is_no_directory_of_ours_stays(void **state)
{
	struct fixture *f = *state;
	char outside[100];

	snprintf(outside, sizeof(outside), "%s/outside", f->root);
	make(f, "outside", 9999);
	assert_int_equal(symlinkat(outside, f->s.fd, "mdefang-LINK"), 0);
	write_to(f, "mdefang-FILE", "");
	assert_int_equal(sweep_spool(&f->s, NOW + 9000000000, 3600), 0);
	assert_true(is_there(f, "mdefang-LINK"));
	assert_true(is_there(f, "mdefang-FILE"));
	assert_true(is_there(f, "outside/Work"));
	if (getuid() == 0) {
		make(f, "mdefang-OTHER", 9999);
		assert_int_equal(
		    fchownat(f->s.fd, "mdefang-OTHER", 65534, (gid_t)-1, 0), 0);
		assert_int_equal(sweep_spool(&f->s, NOW, 3600), 0);
		assert_true(is_there(f, "mdefang-OTHER"));
	}
}

static void
directory_that_was_kept_on_purpose_stays(void **state)
{
	static const enum spool_fate fates[] = { SPOOL_KILLER, SPOOL_FAILED,
		SPOOL_DONE };
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		f->s.keep_failed = i == 1;
		f->s.keep_all = i == 2;
		create(f, (const char[]){ 'Q', (char)('0' + i), '\0' });
		spool_discard(&f->s, &f->d, fates[i], "c");
	}
	f->s.keep_failed = f->s.keep_all = false;
	buf_reset(&f->log);
	assert_int_equal(sweep_spool(&f->s, NOW + 9000000000, 3600), 0);
	assert_true(is_there(f, "mdefang-Q0/KEPT"));
	assert_true(is_there(f, "mdefang-Q1/KEPT"));
	assert_true(is_there(f, "mdefang-Q2/KEPT"));
}

static void
options_and_the_marker_keep_all(void **state)
{
	static const char want[] =
	    "I 1 stale working directories in /sp stay because of -d, -k or "
	    "the marker\n";
	struct fixture *f = *state;

	make(f, "mdefang-OLD", 9999);
	f->s.keep_all = true;
	assert_int_equal(sweep_spool(&f->s, NOW, 3600), 0);
	assert_logged(f, want);
	f->s.keep_all = false;
	f->s.keep_failed = true;
	assert_int_equal(sweep_spool(&f->s, NOW, 3600), 0);
	assert_logged(f, want);
	f->s.keep_failed = false;
	assert_int_equal(mkdirat(f->s.fd, "DO-NOT-DELETE-WORK-DIRS", 0700), 0);
	assert_int_equal(sweep_spool(&f->s, NOW, 3600), 0);
	assert_logged(f, want);
	assert_true(is_there(f, "mdefang-OLD/Work"));
}

static void
spool_in_use_is_not_swept(void **state)
{
	struct fixture *f = *state;
	struct spool other;
	char err[200];

	make(f, "mdefang-OLD", 9999);
	assert_int_equal(spool_open(&other, f->root, err, sizeof(err)), 0);
	assert_int_equal(sweep_spool(&other, NOW, 0), 0); /* asks for nothing */
	assert_int_equal(sweep_spool(&f->s, NOW, 3600), 0);
	assert_logged(f,
	    "I /sp is in use by another front-end: stale working directories "
	    "stay\n");
	assert_true(is_there(f, "mdefang-OLD"));
	spool_close(&other);
	assert_int_equal(sweep_spool(&f->s, NOW, 3600), 1);
	buf_reset(&f->log);
}

/* However young, whatever else is kept: there is nothing in it. */
static void
spare_directories_of_an_earlier_run_are_removed(void **state)
{
	struct fixture *f = *state;
	struct spool other;
	char err[200];

	assert_int_equal(mkdirat(f->s.fd, ".spare-1", 0700), 0);
	write_to(f, ".spare-1/INPUTMSG", "");
	assert_int_equal(mkdirat(f->s.fd, ".spare-2", 0700), 0);
	make(f, ".spare-OLD", 9999); /* something was left in it */
	make(f, ".spare-YOUNG", 3599);
	assert_int_equal(spool_open(&other, f->root, err, sizeof(err)), 0);
	assert_int_equal(sweep_spool(&other, NOW, 0), 0);
	assert_false(is_there(f, ".spare-1"));
	assert_true(is_there(f, ".spare-OLD"));
	assert_int_equal(mkdirat(f->s.fd, ".spare-1", 0700), 0);
	assert_int_equal(sweep_spool(&f->s, NOW, 0), 0);
	assert_true(is_there(f, ".spare-1")); /* it may be the other's */
	spool_close(&other);
	f->s.keep_all = true;
	assert_int_equal(sweep_spool(&f->s, NOW, 0), 0);
	assert_false(is_there(f, ".spare-1"));
	f->s.keep_all = false;
	assert_int_equal(sweep_spool(&f->s, NOW, 3600), 1);
	assert_logged(f,
	    "I Removed 1 stale working directories from /sp, the first was "
	    ".spare-OLD\n");
	assert_true(is_there(f, ".spare-YOUNG/Work"));
	assert_true(is_there(f, ".spare-YOUNG/INPUTMSG"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(old_directories_of_ours_are_removed),
		CASE(what_is_no_directory_of_ours_stays),
		CASE(directory_that_was_kept_on_purpose_stays),
		CASE(options_and_the_marker_keep_all),
		CASE(spool_in_use_is_not_swept),
		CASE(spare_directories_of_an_earlier_run_are_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
