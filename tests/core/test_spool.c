/* SPDX-License-Identifier: MIT */
#include "tests/core/spoolfix.h"

static int
mode_of(const struct fixture *f, const char *name)
{
	struct stat st;

	if (fstatat(f->s.fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return (int)(st.st_mode & 0777);
}

static void
modes_are_private_or_of_the_group(void **state)
{
	struct fixture *f = *state;

	create(f, "Q1");
	assert_int_equal(spool_append(&f->s, &f->d, "A", "x", 1, "c"), 0);
	assert_int_equal(mode_of(f, "mdefang-Q1"), 0700);
	assert_int_equal(mode_of(f, "mdefang-Q1/A"), 0600);
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	f->s.group = true;
	create(f, "Q1");
	assert_int_equal(spool_append(&f->s, &f->d, "A", "x", 1, "c"), 0);
	assert_int_equal(mode_of(f, "mdefang-Q1"), 0750);
	assert_int_equal(mode_of(f, "mdefang-Q1/A"), 0640);
}

static void
append(struct fixture *f, const char *file, const char *text)
{
	assert_int_equal(
	    spool_append(&f->s, &f->d, file, text, strlen(text), "c"), 0);
}

static void
assert_holds(struct fixture *f, const char *file, const char *text)
{
	struct buf b = { 0 };

	assert_int_equal(fdio_read_file(f->d.w.fd, file, 100, &b), 0);
	assert_string_equal(buf_cstr(&b), text);
	buf_fini(&b);
}

static void
file_grows_by_appending(void **state)
{
	static const char *const files[] = { "A", "INPUTMSG", "HEADERS" };
	struct fixture *f = *state;

	create(f, "Q1");
	for (size_t i = 0; i < 3; i++) {
		append(f, files[i], "");
		append(f, files[i], "one");
		append(f, files[i], "two");
		assert_holds(f, files[i], "onetwo");
	}
}

/* Some filter may write it anew between two checks. */
static void
file_that_was_replaced_grows(void **state)
{
	struct fixture *f = *state;

	create(f, "Q1");
	append(f, "COMMANDS", "old");
	append(f, "A", "new");
	assert_int_equal(renameat(f->d.w.fd, "A", f->d.w.fd, "COMMANDS"), 0);
	append(f, "COMMANDS", " end");
	assert_holds(f, "COMMANDS", "new end");
}

/* Of many messages at once no more than the directory is open. */
static void
files_stay_open_only_while_there_are_descriptors(void **state)
{
	struct fixture *f = *state;
	int next = dup(0);

	close(next);
	f->s.keep_below = next + 2;
	create(f, "Q1"); /* has the first */
	append(f, "INPUTMSG", "x");
	append(f, "HEADERS", "y");
	append(f, "HEADERS", "z");
	assert_int_equal(dup(0), next + 2);
	close(next + 2);
	assert_holds(f, "HEADERS", "yz");
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	assert_int_equal(dup(0), next);
	close(next);
}

static void
link_or_pipe_in_the_directory_is_not_written_to(void **state)
{
	struct fixture *f = *state;
	create(f, "Q1");
	assert_int_equal(symlinkat("../outside", f->d.w.fd, "A"), 0);
	assert_int_equal(spool_append(&f->s, &f->d, "A", "x", 1, "c"), -1);
	assert_logged(f,
	    "W c: Could not open /sp/mdefang-Q1/A: Too many levels of symbolic "
	    "links\n");
	assert_int_equal(mode_of(f, "outside"), -1);
	assert_int_equal(mkfifoat(f->d.w.fd, "B", 0600), 0);
	assert_int_equal(spool_append(&f->s, &f->d, "B", "x", 1, "c"), -1);
	assert_logged(f, "W c: Could not open /sp/mdefang-Q1/B: No such device "
			 "or address\n");
}

static void
full_disk_is_said(void **state)
{
	struct fixture *f = *state;
	struct spool dev = f->s;
	struct spool_dir d;

	dev.fd = fdio_open_dir("/");
	spool_dir_init(&d);
	d.w.fd = fdio_open_dir("/dev");
	if (faccessat(d.w.fd, "full", W_OK, 0) < 0)
		skip();
	assert_int_equal(spool_append(&dev, &d, "full", "xyz", 3, "c"), -1);
	close(d.w.fd);
	close(dev.fd);
	assert_logged(f,
	    "W c: Unable to write 3 bytes to file full (ret = -1): No space "
	    "left on device\n");
}

static void
taken_names_are_passed_over(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->s.fd, "mdefang-Q1", 0700), 0);
	assert_int_equal(mkdirat(f->s.fd, "mdefang-ident00", 0700), 0);
	assert_int_equal(mkdirat(f->s.fd, "mdefang-ident00-1", 0700), 0);
	create(f, "Q1");
	assert_string_equal(f->d.name, "mdefang-ident00-2");
}

static void
directory_that_is_a_link_is_not_entered(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(symlinkat("/tmp", f->s.fd, "mdefang-Q1"), 0);
	create(f, "Q1");
	assert_string_equal(f->d.name, "mdefang-ident00");
}

static void
discard_removes_what_the_filter_left(void **state)
{
	struct fixture *f = *state;

	create(f, "Q1");
	assert_int_equal(spool_append(&f->s, &f->d, "odd", "x", 1, "c"), 0);
	assert_int_equal(mkdirat(f->d.w.fd, "Work", 0700), 0);
	assert_int_equal(mkdirat(f->d.w.fd, "Work/deep", 0700), 0);
	assert_int_equal(symlinkat("/etc/passwd", f->d.w.fd, "Work/ln"), 0);
	assert_int_equal(mkdirat(f->d.w.fd, "tmp", 0700), 0);
	assert_int_equal(mkdirat(f->d.w.fd, "tmp/x", 0700), 0);
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	assert_int_equal(mode_of(f, "mdefang-Q1"), -1);
	assert_int_equal(f->d.w.fd, -1);
}

static void
k_keeps_only_failed_ones(void **state)
{
	struct fixture *f = *state;

	f->s.keep_failed = true;
	create(f, "Q1");
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	assert_int_equal(mode_of(f, "mdefang-Q1"), -1);
	create(f, "Q1");
	spool_discard(&f->s, &f->d, SPOOL_FAILED, "c");
	assert_int_equal(mode_of(f, "mdefang-Q1"), 0700);
	assert_logged(
	    f, "W c: Filter failed.  Message kept in /sp/mdefang-Q1\n");
}

static void
directories_of_killers_are_kept_up_to_a_number(void **state)
{
	struct fixture *f = *state;

	f->s.killers_left = 1;
	create(f, "Q1");
	spool_discard(&f->s, &f->d, SPOOL_KILLER, "c");
	assert_int_equal(mode_of(f, "mdefang-Q1"), 0700);
	buf_reset(&f->log);
	create(f, "Q2");
	spool_discard(&f->s, &f->d, SPOOL_KILLER, "c");
	assert_int_equal(mode_of(f, "mdefang-Q2"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(modes_are_private_or_of_the_group),
		CASE(file_grows_by_appending),
		CASE(file_that_was_replaced_grows),
		CASE(files_stay_open_only_while_there_are_descriptors),
		CASE(link_or_pipe_in_the_directory_is_not_written_to),
		CASE(full_disk_is_said),
		CASE(taken_names_are_passed_over),
		CASE(directory_that_is_a_link_is_not_entered),
		CASE(discard_removes_what_the_filter_left),
		CASE(k_keeps_only_failed_ones),
		CASE(directories_of_killers_are_kept_up_to_a_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
