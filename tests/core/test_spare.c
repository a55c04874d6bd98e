/* SPDX-License-Identifier: MIT */
/* Emptied directories that wait for the next messages. */
#include "tests/core/spoolfix.h"

#include <sys/mman.h>

static ino_t
number_of(const struct fixture *f, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(f->s.fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_ino;
}

static off_t
size_of(const struct fixture *f, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(f->s.fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_size;
}

#define PATH_BYTES 310

/* Of a file in the one that waits. */
static void
in_spare(const struct fixture *f, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", only_one(f, ".spare-"), name);
}

static void
put(struct fixture *f, const char *name, const char *text)
{
	assert_int_equal(
	    spool_append(&f->s, &f->d, name, text, strlen(text), "c"), 0);
}

/* A message whose directory may wait, with its files. */
static void
begin_message(struct fixture *f)
{
	f->s.spares.max = 1;
	create(f, "Q1");
	put(f, "INPUTMSG", "secret");
}

/* It passes. */
static void
pass_message(struct fixture *f)
{
	begin_message(f);
	put(f, "HEADERS", "A: b\n");
	put(f, "RESULTS", "F\n");
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	assert_false(is_there(f, "mdefang-Q1"));
}

static void
emptied_directory_gets_the_next_name(void **state)
{
	struct fixture *f = *state;
	ino_t number;

	pass_message(f);
	assert_non_null(only_one(f, ".spare-"));
	number = number_of(f, only_one(f, ".spare-"));
	create(f, "Q2");
	assert_null(only_one(f, ".spare-"));
	assert_true(number_of(f, "mdefang-Q2") == number);
	assert_int_equal(size_of(f, "mdefang-Q2/HEADERS"), 0);
	assert_false(is_there(f, "mdefang-Q2/RESULTS"));
	put(f, "INPUTMSG", "other");
	assert_int_equal(size_of(f, "mdefang-Q2/INPUTMSG"), 5);
}

static void
emptied_file_is_used_again(void **state)
{
	struct fixture *f = *state;
	char path[PATH_BYTES];
	ino_t number;

	begin_message(f);
	number = number_of(f, "mdefang-Q1/INPUTMSG");
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	in_spare(f, "INPUTMSG", path);
	assert_int_equal(size_of(f, path), 0);
	create(f, "Q2");
	assert_true(number_of(f, "mdefang-Q2/INPUTMSG") == number);
}

/* Who reads INPUTMSG late does so from the message that it was opened for. */
static void
file_that_is_open_is_not_used_again(void **state)
{
	struct fixture *f = *state;
	char text[7] = "";
	int fd;

	begin_message(f);
	fd = openat(f->d.w.fd, "INPUTMSG", O_RDONLY);
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	create(f, "Q2");
	put(f, "INPUTMSG", "other");
	assert_int_equal(read(fd, text, sizeof(text)), 6);
	assert_string_equal(text, "secret");
	close(fd);
}

static void
file_that_is_mapped_is_not_used_again(void **state)
{
	struct fixture *f = *state;
	const char *text;
	int fd;

	begin_message(f);
	fd = openat(f->d.w.fd, "INPUTMSG", O_RDONLY);
	text = mmap(NULL, 6, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	create(f, "Q2");
	put(f, "INPUTMSG", "public");
	assert_memory_equal(text, "secret", 6);
	munmap((void *)text, 6);
}

/* A filter may keep it, by a link. */
static void
file_with_another_name_is_not_used_again(void **state)
{
	struct fixture *f = *state;

	begin_message(f);
	assert_int_equal(linkat(f->d.w.fd, "INPUTMSG", f->s.fd, "Kept", 0), 0);
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	create(f, "Q2");
	put(f, "INPUTMSG", "other");
	assert_int_equal(size_of(f, "Kept"), 6);
}

static void
file_with_another_mode_is_not_used_again(void **state)
{
	struct fixture *f = *state;

	begin_message(f);
	assert_int_equal(fchmodat(f->d.w.fd, "INPUTMSG", 0644, 0), 0);
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	create(f, "Q2");
	assert_true(fdio_dir_is_empty(f->d.w.fd));
}

/* A filter may take it away, and put another one there. */
static void
file_that_was_moved_is_not_touched(void **state)
{
	static const char *const link[] = { NULL, "../Quarantine" };
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		begin_message(f);
		assert_int_equal(
		    renameat(f->d.w.fd, "INPUTMSG", f->s.fd, "Quarantine"), 0);
		if (link[i])
			assert_int_equal(
			    symlinkat(link[i], f->d.w.fd, "INPUTMSG"), 0);
		spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
		assert_null(only_one(f, ".spare-"));
		assert_null(only_one(f, "mdefang-"));
		assert_int_equal(size_of(f, "Quarantine"), 6);
	}
}

static void
what_the_worker_makes_is_removed_before(void **state)
{
	struct fixture *f = *state;

	f->s.spares.max = 1;
	create(f, "Q1");
	assert_int_equal(mkdirat(f->d.w.fd, "Work", 0700), 0);
	put(f, "Work/msg-1.txt", "secret");
	assert_int_equal(mkdirat(f->d.w.fd, "tmp", 0700), 0);
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	assert_non_null(only_one(f, ".spare-"));
	create(f, "Q2");
	assert_true(fdio_dir_is_empty(f->d.w.fd));
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
	assert_int_equal(fchmod(f->d.w.fd, 0755), 0);
	spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
	if (getuid() == 0) {
		create(f, "Q1");
		assert_int_equal(fchown(f->d.w.fd, (uid_t)-1, 65534), 0);
		spool_discard(&f->s, &f->d, SPOOL_DONE, "c");
		create(f, "Q1");
		assert_int_equal(fchown(f->d.w.fd, 65534, (gid_t)-1), 0);
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

/* The one that waits is not taken, as something is in it. */
static void
assert_not_taken(struct fixture *f)
{
	char want[500];

	snprintf(want, sizeof(want),
	    "W Something wrote into %s after its message was done: does the "
	    "filter leave programs behind? See --spare-dirs\n",
	    only_one(f, ".spare-"));
	create(f, "Q2");
	assert_logged(f, want);
	assert_true(fdio_dir_is_empty(f->d.w.fd));
	assert_null(only_one(f, ".spare-"));
}

static void
directory_that_is_not_empty_any_more_is_no_spare(void **state)
{
	struct fixture *f = *state;
	char path[PATH_BYTES];

	pass_message(f);
	in_spare(f, "RESULTS", path);
	assert_int_equal(mkdirat(f->s.fd, path, 0700), 0);
	assert_not_taken(f);
}

static void
file_that_is_not_empty_any_more_is_no_spare(void **state)
{
	struct fixture *f = *state;
	char path[PATH_BYTES];
	int fd;

	pass_message(f);
	in_spare(f, "INPUTMSG", path);
	fd = openat(f->s.fd, path, O_WRONLY);
	assert_int_equal(write(fd, "late", 4), 4);
	close(fd);
	assert_not_taken(f);
}

static void
spare_one_that_somebody_removed_is_not_missed(void **state)
{
	struct fixture *f = *state;

	pass_message(f);
	assert_int_equal(fdio_remove_tree(f->s.fd, only_one(f, ".spare-")), 0);
	create(f, "Q2");
	put(f, "INPUTMSG", "x");
	assert_true(is_there(f, "mdefang-Q2/INPUTMSG"));
}

static void
none_is_left_when_the_spool_is_closed(void **state)
{
	struct fixture *f = *state;
	char path[PATH_BYTES];

	pass_message(f);
	in_spare(f, "late", path);
	assert_int_equal(mkdirat(f->s.fd, path, 0700), 0);
	spool_close(&f->s);
	assert_null(only_one(f, ".spare-"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(emptied_directory_gets_the_next_name),
		CASE(emptied_file_is_used_again),
		CASE(file_that_is_open_is_not_used_again),
		CASE(file_that_is_mapped_is_not_used_again),
		CASE(file_with_another_name_is_not_used_again),
		CASE(file_with_another_mode_is_not_used_again),
		CASE(file_that_was_moved_is_not_touched),
		CASE(what_the_worker_makes_is_removed_before),
		CASE(directory_that_was_changed_is_removed),
		CASE(directory_with_a_doubtful_end_is_removed),
		CASE(directory_that_was_moved_is_left_alone),
		CASE(only_so_many_wait),
		CASE(the_one_that_waited_longest_is_taken),
		CASE(name_that_is_taken_stays),
		CASE(directory_that_is_not_empty_any_more_is_no_spare),
		CASE(file_that_is_not_empty_any_more_is_no_spare),
		CASE(spare_one_that_somebody_removed_is_not_missed),
		CASE(none_is_left_when_the_spool_is_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
