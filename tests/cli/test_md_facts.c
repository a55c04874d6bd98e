/* SPDX-License-Identifier: MIT */
/* md_facts: the key file. */
#include "cli/md_facts.h"

#include "core/base/fdio.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[40], path[60], err[300];

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_facts.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/key", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

/* The name that a file with this text gives, "" for none. */
static const char *
key_of(const char *text)
{
	static char got[100];
	char *name;

	unlink(path);
	assert_int_equal(
	    fdio_write_file(AT_FDCWD, path, 0600, text, strlen(text)), 0);
	assert_int_equal(md_ip_key(path, &name, err, sizeof(err)), 0);
	snprintf(got, sizeof(got), "%s", name ? name : "");
	free(name);
	return got;
}

static void
the_first_line_is_the_name(void **state)
{
	(void)state;
	assert_string_equal(key_of("X-Secret-1\n"), "X-Secret-1");
	assert_string_equal(key_of("X-Secret-2"), "X-Secret-2");
	assert_string_equal(key_of("X-Secret-3\r\nmore\n"), "X-Secret-3");
	assert_string_equal(key_of(""), "");
	assert_string_equal(key_of("\nX-Secret-4\n"), "");
}

static void
no_file_is_normal_and_anything_else_is_told(void **state)
{
	char *name = dir;

	(void)state;
	assert_int_equal(md_ip_key(path, &name, err, sizeof(err)), 0);
	assert_null(name);
	assert_int_equal(md_ip_key("/dev/null/x", &name, err, 300), 0);
	assert_null(name);
	assert_int_equal(md_ip_key(dir, &name, err, sizeof(err)), -1);
	assert_null(name);
	assert_memory_equal(err, "cannot read key file /tmp/test_facts.", 37);
	assert_non_null(strstr(err, ", error: "));
}

static void
the_own_address_is_one_or_the_reason_is_told(void **state)
{
	const char *ip = md_my_ip(err, sizeof(err));
	struct in_addr in;

	(void)state;
	if (ip)
		assert_int_equal(inet_pton(AF_INET, ip, &in), 1);
	else
		assert_memory_equal(
		    err, "Could not determine my own IP address!  ", 40);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_first_line_is_the_name),
		CASE(the_own_address_is_one_or_the_reason_is_told),
		CASE(no_file_is_normal_and_anything_else_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
