/* SPDX-License-Identifier: MIT */
#include "cli/check/played.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static const char offer[] = "\0\0\0\xdO\0\0\0\6\0\0\1\xff\0\x1f\xff\xff";
static const char helo[] = "\0\0\0\3Hx\0";
#define PUT(f, octets) buf_add(&(f)->in, octets, sizeof(octets) - 1)

struct fixture {
	struct plan plan;
	struct played f;
	struct buf out;
};

static int
set_up(void **state)
{
	static struct fixture x;

	plan_init(&x.plan);
	played_init(&x.f, &x.plan);
	buf_init(&x.out, 0);
	*state = &x;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *x = *state;

	played_fini(&x->f);
	plan_fini(&x->plan);
	buf_fini(&x->out);
	return 0;
}

/* Takes what is there, answers while an answer is due. */
static void
serve(struct fixture *x)
{
	for (played_take(&x->f); x->f.is_due; played_take(&x->f))
		played_answer(&x->f, &x->out);
}

static void
assert_out(struct fixture *x, const void *want, size_t n)
{
	assert_int_equal(buf_len(&x->out), n);
	assert_memory_equal(buf_data(&x->out), want, n);
	buf_reset(&x->out);
}
#define OUT(x, octets) assert_out(x, octets, sizeof(octets) - 1)

static void
it_agrees_on_what_is_offered_only(void **state)
{
	struct fixture *x = *state;

	x->plan.protocol = MLT_PROT_NR_HELO | 0x00200000;
	PUT(&x->f, "\0\0\0\xdO\0\0\0\4\0\0\0\x0f\0\0\x3f\xff");
	serve(x);
	OUT(x, "\0\0\0\xdO\0\0\0\4\0\0\0\x0f\0\0\x20\0");
	assert_int_equal(x->f.offer.version, 4);
}

static void
a_stubborn_one_says_what_it_likes(void **state)
{
	struct fixture *x = *state;

	x->plan.stubborn = true;
	x->plan.version = 7;
	x->plan.actions = 0;
	x->plan.macros[MLT_STAGE_MAIL] = "i";
	PUT(&x->f, offer);
	serve(x);
	OUT(x, "\0\0\0\x13O\0\0\0\7\0\0\0\0\0\0\0\0\0\0\0\2i\0");
}

static void
commands_are_answered_by_plan(void **state)
{
	struct fixture *x = *state;

	plan_on(&x->plan, MLT_SMFIC_HELO, 0);
	plan_reply(&x->plan, MLT_SMFIR_REJECT);
	plan_on(&x->plan, MLT_SMFIC_HELO, 2);
	plan_text(&x->plan, MLT_SMFIR_REPLYCODE, "450 no");
	PUT(&x->f, offer);
	serve(x);
	buf_reset(&x->out);
	PUT(&x->f, helo);
	serve(x);
	OUT(x, "\0\0\0\1r");
	PUT(&x->f, helo);
	serve(x);
	OUT(x, "\0\0\0\x8y450 no\0");
	PUT(&x->f, "\0\0\0\1T");
	serve(x);
	OUT(x, "\0\0\0\1c");
}

static void
what_has_no_answer_gets_none(void **state)
{
	struct fixture *x = *state;

	x->plan.protocol = MLT_PROT_NR_HELO;
	PUT(&x->f, offer);
	serve(x);
	buf_reset(&x->out);
	PUT(&x->f, "\0\0\0\2DH");
	PUT(&x->f, helo);
	PUT(&x->f, "\0\0\0\1A\0\0\0\1Q");
	serve(x);
	OUT(x, "");
	assert_int_equal(x->f.n, 5);
}

static void
what_comes_before_the_answer_is_eager(void **state)
{
	struct fixture *x = *state;

	PUT(&x->f, offer);
	serve(x);
	PUT(&x->f, helo);
	serve(x);
	PUT(&x->f, "\0\0\0\4Ma\0\0\0\0\0\1T");
	serve(x);
	assert_int_equal(x->f.n, 4);
	assert_false(x->f.v[1].eager);
	assert_false(x->f.v[2].eager);
	assert_true(x->f.v[3].eager);
}

static void
bad_frames_end_it(void **state)
{
	static const struct {
		const char *octets;
		size_t n;
	} cases[] = {
		{ "\0\0\0\0O", 5 },
		{ "\0\0\0\1c", 5 },
		{ "\0\1\0\1B", 5 },
		{ "\xff\xff\xff\xff", 4 },
	};
	struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		played_fini(&x->f);
		played_init(&x->f, &x->plan);
		buf_add(&x->f.in, cases[i].octets, cases[i].n);
		serve(x);
		assert_non_null(x->f.bad);
		assert_int_equal(x->f.n, 0);
	}
}

static void
it_takes_the_same_however_it_is_cut(void **state)
{
	static const char said[] =
	    "\0\0\0\xdO\0\0\0\6\0\0\1\xff\0\x1f\xff\xff\0\0\0\7DCj\0mx\0"
	    "\0\0\0\3Hx\0\0\0\0\5M<>\0\0";
	struct fixture *x = *state;
	struct buf word;

	for (size_t i = 0; i < sizeof(said) - 1; i++) {
		buf_addc(&x->f.in, said[i]);
		serve(x);
	}
	buf_init(&word, 0);
	played_word(&x->f, true, &word);
	assert_string_equal(buf_cstr(&word), "ODHM");
	buf_fini(&word);
	assert_int_equal(played_nth(&x->f, MLT_SMFIC_HELO, 1), 2);
	assert_int_equal(played_nth(&x->f, MLT_SMFIC_HELO, 2), -1);
}

static void
strings_are_found_by_number(void **state)
{
	static const char payload[] = "Cj\0mx\0\0cut";
	struct mlt_bytes p = { payload, sizeof(payload) - 1 };

	(void)state;
	assert_int_equal(played_string(p, 1, 0).n, 1);
	assert_int_equal(played_string(p, 1, 1).n, 2);
	assert_int_equal(played_string(p, 1, 2).n, 0);
	assert_non_null(played_string(p, 1, 2).p);
	assert_null(played_string(p, 1, 3).p);
	assert_null(played_string(p, 100, 0).p);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_agrees_on_what_is_offered_only),
		T(a_stubborn_one_says_what_it_likes),
		T(commands_are_answered_by_plan),
		T(what_has_no_answer_gets_none),
		T(what_comes_before_the_answer_is_eager),
		T(bad_frames_end_it),
		T(it_takes_the_same_however_it_is_cut),
		T(strings_are_found_by_number),
	};

	return cmocka_run_group_tests_name("played", tests, NULL, NULL);
}
