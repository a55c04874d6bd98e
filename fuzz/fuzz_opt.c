/* SPDX-License-Identifier: MIT */
/* opt: whatever the words, what is stored keeps to the table.  NUL ends a word
 * of the input. */
#include "core/base/opt.h"

#include <assert.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct opts {
	bool flag;
	long clamped, strict;
	const char *text;
	struct opt_list list;
};
#define AT(m) offsetof(struct opts, m)
static const struct opt rows[] = {
	{ 'f', "flag", OPT_FLAG, 0, AT(flag), NULL, NULL, 0, 0, "", NULL },
	{ 'c', "clamped", OPT_INT, OPT_NUMERIC, AT(clamped), "N", "2", 1, 99,
	    "", NULL },
	{ 's', "strict", OPT_INT, OPT_STRICT, AT(strict), "N", "3", 0, 9, "",
	    NULL },
	{ 't', "text", OPT_STR, OPT_ONCE, AT(text), "T", "x", 0, 0, "", NULL },
	{ 'l', "list", OPT_LIST, 0, AT(list), "L", NULL, 0, 0, "", NULL },
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), *argv[64] = { "fuzz" };
	struct opts o = { 0 };
	struct buf b;
	int argc = 1, rest = -1, rc;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	for (char *p = text; p < text + size && argc < 63; p += strlen(p) + 1)
		argv[argc++] = p;
	opterr = 0;
	rc = opt_parse(rows, 5, &o, argc, argv, &rest);
	assert(rc == 0 || rc == 1);
	assert(rc == 1 || (rest >= 1 && rest <= argc));
	assert(o.clamped >= 1 && o.clamped <= 99);
	assert(o.strict >= 0 && o.strict <= 9);
	assert(o.text && o.list.n <= OPT_LIST_MAX);
	buf_init(&b, 0);
	opt_dump(rows, 5, &o, &b);
	assert(
	    strncmp(buf_cstr(&b), o.flag ? "flag=yes\n" : "flag=no\n", 8) == 0);
	buf_fini(&b);
	free(text);
	return 0;
}
