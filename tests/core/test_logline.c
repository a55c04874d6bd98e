/* SPDX-License-Identifier: MIT */
/* logline: what a line looks like, and that it stays one line. */
#include "core/base/logline.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct logline_head head = { 1700000000123, "info", "prog", 42 };
#define HEAD                                                                   \
	"{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"info\","           \
	"\"program\":\"prog\",\"pid\":42"

static void
plain_line_escapes_control_octets(void **state)
{
	struct logline l;

	(void)state;
	logline_plain(&l, "Q\n1", "a\r\nb\x7f \"x\" gr\xc3\xbc\xff");
	assert_string_equal(
	    l.text, "Q\\x0A1: a\\x0D\\x0Ab\\x7F \"x\" gr\xc3\xbc\xff");
	logline_plain(&l, NULL, "");
	assert_string_equal(l.text, "");
}

static void
json_line_is_an_object(void **state)
{
	static const struct {
		const char *ctx, *text, *want;
	} rows[] = {
		{ NULL, "plain", HEAD ",\"message\":\"plain\"}" },
		{ "Q\n1", "a\"b\\c\td\x7f/",
		    HEAD ",\"context\":\"Q\\u000A1\",\"message\":"
			 "\"a\\\"b\\\\c\\u0009d\\u007F/\"}" },
		{ NULL, "gr\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80",
		    HEAD ",\"message\":"
			 "\"gr\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"}" },
		/* no UTF-8: bare, overlong, surrogate, too large, cut */
		{ NULL,
		    "\xff.\xc0\xaf.\xe0\x80\x80.\xed\xa0\x80.\xf4\x90\x80"
		    "\x80.\xc3",
		    HEAD ",\"message\":\"\\\\xFF.\\\\xC0\\\\xAF.\\\\xE0\\\\x80"
			 "\\\\x80.\\\\xED\\\\xA0\\\\x80.\\\\xF4\\\\x90\\\\x80"
			 "\\\\x80.\\\\xC3\"}" },
	};
	struct logline l;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		logline_json(&l, &head, rows[i].ctx, rows[i].text);
		assert_string_equal(l.text, rows[i].want);
	}
}

static void
make_event(struct logline *l, const struct logline_head *h)
{
	logline_event(l, h, "Q1", "message");
	logline_text(l, "id", "bamdk00", 7, 20);
	logline_number(l, "size", 12345678901234567890U);
	logline_list(l, "rcpt");
	logline_item(l, "<a,b c@d>", 9, 20);
	logline_item(l, "<x=\"%\n\xc3\xbc>", 9, 20);
	logline_text(l, "empty", "", 0, 20);
	logline_list(l, "none");
	logline_text(l, "cut", "0123456789", 10, 4);
	logline_list(l, "last");
	logline_item(l, "y", 1, 20);
	logline_end(l);
}

static void
event_has_keys_and_values(void **state)
{
	struct logline l;

	(void)state;
	make_event(&l, NULL);
	assert_string_equal(l.text,
	    "Q1: message id=bamdk00 size=12345678901234567890 "
	    "rcpt=<a%2Cb%20c@d>,<x=%22%25%0A%C3%BC> empty= none= cut=0123 "
	    "last=y");
	make_event(&l, &head);
	assert_string_equal(l.text, HEAD
	    ",\"context\":\"Q1\",\"event\":\"message\",\"id\":\"bamdk00\","
	    "\"size\":12345678901234567890,"
	    "\"rcpt\":[\"<a,b c@d>\",\"<x=\\\"%\\u000A\xc3\xbc>\"],"
	    "\"empty\":\"\",\"none\":[],\"cut\":\"0123\",\"last\":[\"y\"]}");
}

/* Quotes and brackets close, and nothing follows: enough of a check for lines
 * whose pieces are ours. */
static void
assert_closed(const struct logline *l)
{
	bool in_string = false;
	int depth = 0;

	assert_int_equal(strlen(l->text), l->n);
	assert_true(l->n <= LOGLINE_MAX);
	for (const char *p = l->text; *p; p++) {
		assert_true((unsigned char)*p >= 0x20);
		if (in_string && *p == '\\')
			assert_true(*++p);
		else if (*p == '"')
			in_string = !in_string;
		else if (!in_string && (*p == '{' || *p == '['))
			depth++;
		else if (!in_string && (*p == '}' || *p == ']'))
			assert_true(--depth > 0 || p[1] == '\0');
	}
	assert_false(in_string);
	assert_int_equal(depth, 0);
}

/* Values of every length and kind up to more than fits, in every place. */
static void
line_that_is_too_long_is_cut_and_closed(void **state)
{
	static const char *const fills[] = { "x", "\n", "\xff", "\xc3\xbc" };
	char text[LOGLINE_MAX + 500];
	struct logline l;

	(void)state;
	for (size_t f = 0; f < 4; f++) {
		size_t step = strlen(fills[f]);

		for (size_t i = 0; i + step <= sizeof(text); i += step)
			memcpy(text + i, fills[f], step);
		for (size_t n = 0; n < sizeof(text); n++) {
			logline_event(&l, &head, "Q1", "e");
			logline_text(&l, "a", text, n, sizeof(text));
			logline_list(&l, "b");
			logline_item(&l, text, n / 2, sizeof(text));
			logline_item(&l, "y", 1, 1);
			logline_number(&l, "c", 1234567890);
			logline_list(&l, "d");
			logline_item(&l, text, n, sizeof(text));
			logline_end(&l);
			assert_closed(&l);
			text[n] = '\0';
			logline_json(&l, &head, text, text);
			assert_closed(&l);
			logline_plain(&l, text, text);
			assert_int_equal(strlen(l.text), l.n);
			text[n] = fills[f][n % step];
			logline_event(&l, NULL, NULL, "e");
			logline_list(&l, "a");
			logline_item(&l, text, n, sizeof(text));
			logline_item(&l, text, n, sizeof(text));
			logline_number(&l, "b", 1);
			logline_end(&l);
			assert_int_equal(strlen(l.text), l.n);
			assert_true(l.n <= LOGLINE_MAX);
		}
	}
}

static void
number_is_whole_or_not_there(void **state)
{
	char text[LOGLINE_MAX];
	struct logline l;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t n = LOGLINE_MAX - 40; n < LOGLINE_MAX; n++) {
		const char *at;

		logline_event(&l, NULL, NULL, "e");
		logline_text(&l, "a", text, n, sizeof(text));
		logline_number(&l, "b", 1234567);
		logline_end(&l);
		at = strstr(l.text, " b");
		assert_true(!at || strcmp(at, " b=1234567") == 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_line_escapes_control_octets),
		cmocka_unit_test(json_line_is_an_object),
		cmocka_unit_test(event_has_keys_and_values),
		cmocka_unit_test(line_that_is_too_long_is_cut_and_closed),
		cmocka_unit_test(number_is_whole_or_not_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
