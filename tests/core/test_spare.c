/* SPDX-License-Identifier: MIT */
/* Emptied directories that wait for the next messages. */
#include "tests/core/spoolfix.h"

static ino_t
number_of(const struct fixture *f, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(f->s.fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_ino;
}

static void
put(struct fixture *f, const char *name, const char *text)
{
	assert_int_equal(
	    spool_append(&f->s, &f->d, name, text, strlen(text), "c"), 0);
}

/* A message passes; its directory may wait. */
static void
pass_message(struct fixture *f)
{
	f->s.spares.max = 1;
	create(f, "Q1");
	put(f, "INPUTMSG", "secret");
	put(f, "RESULTS", "F\n");
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	assert_false(is_there(f, "mdefang-Q1"));
}

static void
emptied_directory_gets_the_next_name(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	ino_t number;

	pass_message(f);
	assert_non_null(only_one(f, ".spare-"));
	number = number_of(f, only_one(f, ".spare-"));
	create(f, "Q2");
	assert_null(only_one(f, ".spare-"));
	assert_true(number_of(f, "mdefang-Q2") == number);
	assert_true(fdio_dir_is_empty(f->d.fd));
	put(f, "INPUTMSG", "other");
	assert_int_equal(fstatat(f->s.fd, "mdefang-Q2/INPUTMSG", &st, 0), 0);
	assert_int_equal(st.st_size, 5);
}

static void
what_the_worker_makes_is_removed_before(void **state)
{
	struct fixture *f = *state;

	f->s.spares.max = 1;
	create(f, "Q1");
	put(f, "HEADERS", "A: b\n");
	assert_int_equal(mkdirat(f->d.fd, "Work", 0700), 0);
	put(f, "Work/msg-1.txt", "secret");
	assert_int_equal(mkdirat(f->d.fd, "tmp", 0700), 0);
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	assert_non_null(only_one(f, ".spare-"));
	create(f, "Q2");
	assert_true(fdio_dir_is_empty(f->d.fd));
}

static void
directory_that_was_changed_is_removed(void **state)
{
	struct fixture *f = *state;

	f->s.spares.max = 1;
	create(f, "Q1");
	put(f, "left", "x"); /* by the filter */
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	create(f, "Q1");
	assert_int_equal(fchmod(f->d.fd, 0755), 0);
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	if (getuid() == 0) {
		create(f, "Q1");
		assert_int_equal(fchown(f->d.fd, (uid_t)-1, 65534), 0);
		spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
		create(f, "Q1");
		assert_int_equal(fchown(f->d.fd, 65534, (gid_t)-1), 0);
		spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	}
	assert_null(only_one(f, ".spare-"));
	assert_null(only_one(f, "mdefang-"));
}

/* A worker that has not answered may write into it yet. */
static void
directory_with_a_doubtful_end_is_removed(void **state)
{
	struct fixture *f = *state;

	f->s.spares.max = 1;
	create(f, "Q1");
	f->d.unsure = true;
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	create(f, "Q1");
	assert_false(f->d.unsure);
	spool_discard(&f->s, &f->d, SPOOL_FAILED, "c");
	assert_null(only_one(f, ".spare-"));
	assert_null(only_one(f, "mdefang-"));
}

static void
directory_that_was_moved_is_left_alone(void **state)
{
	struct fixture *f = *state;

	f->s.spares.max = 1;
	create(f, "Q1");
	assert_int_equal(
	    renameat(f->s.fd, "mdefang-Q1", f->s.fd, "Quarantine"), 0);
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	assert_logged(f,
	    "E c: failed to clean up /sp/mdefang-Q1: No such file or "
	    "directory\n");
	assert_true(is_there(f, "Quarantine"));
	assert_null(only_one(f, ".spare-"));
}

static void
only_so_many_wait(void **state)
{
	struct fixture *f = *state;
	struct spool_dir other;

	f->s.spares.max = 1;
	spool_dir_init(&other);
	spool_dir_name(&other, "Q2", "ident01");
	assert_int_equal(spool_dir_create(&f->s, &other, "ident01", "c"), 0);
	create(f, "Q1");
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	spool_discard(&f->s, &other, SPOOL_DONE, "c");
	assert_non_null(only_one(f, ".spare-"));
	assert_null(only_one(f, "mdefang-"));
	f->s.spares.max = 0;
	create(f, "Q3"); /* takes it */
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	assert_null(only_one(f, ".spare-"));
}

/* Each in its turn: who is slow to leave one has the longest time for it. */
static void
the_one_that_waited_longest_is_taken(void **state)
{
	struct fixture *f = *state;
	struct spool_dir other;
	ino_t first;

	f->s.spares.max = 2;
	spool_dir_init(&other);
	spool_dir_name(&other, "Q2", "ident01");
	assert_int_equal(spool_dir_create(&f->s, &other, "ident01", "c"), 0);
	create(f, "Q1");
	first = number_of(f, "mdefang-Q1");
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	spool_discard(&f->s, &other, SPOOL_DONE, "c");
	create(f, "Q3");
	assert_true(number_of(f, "mdefang-Q3") == first);
}

static void
name_that_is_taken_stays(void **state)
{
	struct fixture *f = *state;

	pass_message(f);
	assert_int_equal(mkdirat(f->s.fd, "mdefang-Q2", 0700), 0);
	assert_int_equal(symlinkat("/tmp", f->s.fd, "mdefang-ident00"), 0);
	create(f, "Q2");
	assert_string_equal(f->d.name, "mdefang-ident00-1");
	assert_null(only_one(f, ".spare-"));
}

static void
directory_that_is_not_empty_any_more_is_no_spare(void **state)
{
	struct fixture *f = *state;
	char path[310], want[500];

	pass_message(f);
	snprintf(path, sizeof(path), "%s/RESULTS", only_one(f, ".spare-"));
	snprintf(want, sizeof(want),
	    "W Something wrote into %s after its message was done: does the "
	    "filter leave programs behind? See --spare-dirs\n",
	    only_one(f, ".spare-"));
	assert_int_equal(mkdirat(f->s.fd, path, 0700), 0);
	create(f, "Q2");
	assert_logged(f, want);
	assert_true(fdio_dir_is_empty(f->d.fd));
	assert_null(only_one(f, ".spare-"));
}

static void
spare_one_that_somebody_removed_is_not_missed(void **state)
{
	struct fixture *f = *state;

	pass_message(f);
	assert_int_equal(
	    unlinkat(f->s.fd, only_one(f, ".spare-"), AT_REMOVEDIR), 0);
	create(f, "Q2");
	put(f, "INPUTMSG", "x");
	assert_true(is_there(f, "mdefang-Q2/INPUTMSG"));
}

static void
none_is_left_when_the_spool_is_closed(void **state)
{
	struct fixture *f = *state;
	char path[310];

	pass_message(f);
	snprintf(path, sizeof(path), "%s/late", only_one(f, ".spare-"));
	assert_int_equal(mkdirat(f->s.fd, path, 0700), 0);
	spool_close(&f->s);
	assert_null(only_one(f, ".spare-"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(emptied_directory_gets_the_next_name),
		CASE(what_the_worker_makes_is_removed_before),
		CASE(directory_that_was_changed_is_removed),
		CASE(directory_with_a_doubtful_end_is_removed),
		CASE(directory_that_was_moved_is_left_alone),
		CASE(only_so_many_wait),
		CASE(the_one_that_waited_longest_is_taken),
		CASE(name_that_is_taken_stays),
		CASE(directory_that_is_not_empty_any_more_is_no_spare),
		CASE(spare_one_that_somebody_removed_is_not_missed),
		CASE(none_is_left_when_the_spool_is_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
