/* SPDX-License-Identifier: MIT */
#include "cli/check/load_plan.h"

#include "tests/support/failmalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define B(s) ((struct mlt_bytes){ s, sizeof(s) - 1 })

/* What a filter answers to the negotiation: no wishes; no reply to anything but
 * the end of the message; no HELO, no DATA. */
static const struct mlt_bytes no_wishes =
    B("\0\0\0\xdO\0\0\0\6\0\0\0\0\0\0\0\0");
static const struct mlt_bytes no_replies =
    B("\0\0\0\xdO\0\0\0\6\0\0\0\0\0\x0f\xf0\x80");
static const struct mlt_bytes no_steps =
    B("\0\0\0\xdO\0\0\0\6\0\0\0\0\0\0\2\2");

static struct mlt_play_header headers[] = { { B("A"), B(" 1") } };
static const struct eml message = {
	.headers = headers, .n_headers = 1, .body = { "x\n", 2 }
};

/* One part: the packets of a step, macros as lower case, '.' if an answer is
 * awaited, a blank otherwise. */
static const char *
show(const struct load_plan *plan, enum load_part part)
{
	static char out[512];
	size_t n = 0;

	for (size_t i = plan->from[part]; i < plan->to[part]; i++) {
		const struct load_step *s = &plan->steps[i];
		const uint8_t *p = (const uint8_t *)plan->octets.p + s->out;
		const uint8_t *end = p + s->out_n;

		for (; p < end; p += 4 + ((size_t)p[2] << 8 | p[3]))
			out[n++] = (char)(p[4] == 'D' ? p[5] + 32 : p[4]);
		out[n++] = s->answered ? '.' : ' ';
	}
	out[n] = '\0';
	return out;
}

static int
make(struct load_plan *plan, const char *mta, struct mlt_bytes optneg,
    bool apart)
{
	struct client_opts o = { .mta = mta, .from = "a@b" };
	char err[300] = "";
	struct client *c = client_new(&o, &message, 2, err, sizeof(err));
	int rc;

	if (!c)
		return -1;
	rc = load_plan_make(plan, c, optneg, apart, err, sizeof(err));
	client_free(c);
	return rc;
}

static void
steps_end_with_an_answer(void **state)
{
	static const struct {
		const char *label, *mta;
		const struct mlt_bytes *optneg;
		bool apart;
		const char *greeting, *first, *next, *quit;
	} cases[] = {
		{ "postfix", "postfix", &no_wishes, false, "O.cC.hH.",
		    "mM.rR.tT.lL.nN.bB.eE.", "AmM.rR.tT.lL.nN.bB.eE.", "AAQ " },
		{ "sendmail", "sendmail", &no_wishes, false, "O.cC.hH.",
		    "mM.rR.T.L.N.B.eE.", "mM.rR.T.L.N.B.eE.", "Q " },
		/* with the envelope ends a step */
		{ "no replies", "postfix", &no_replies, false, "O.cChH ",
		    "mMrRtT lLnNbBeE.", "AmMrRtT lLnNbBeE.", "AAQ " },
		{ "apart", "postfix", &no_replies, true, "O.c C h H ",
		    "m M r R t T l L n N b B e E.",
		    "A m M r R t T l L n N b B e E.", "A A Q " },
		{ "no HELO, no DATA", "generic-v6", &no_steps, false, "O.cC.",
		    "mM.rR.L.N.B.eE.", "mM.rR.L.N.B.eE.", "Q " },
		{ "a connection for each", "postfix-3-cleanup", &no_wishes,
		    false, "O.cC.hH.", "mM.rR.tT.lL.nN.bB.eE.", "", "Q " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct load_plan plan;

		print_message("%s\n", cases[i].label);
		assert_int_equal(
		    make(&plan, cases[i].mta, *cases[i].optneg, cases[i].apart),
		    0);
		assert_string_equal(
		    show(&plan, LOAD_GREETING), cases[i].greeting);
		assert_string_equal(show(&plan, LOAD_FIRST), cases[i].first);
		assert_string_equal(show(&plan, LOAD_NEXT), cases[i].next);
		assert_string_equal(show(&plan, LOAD_QUIT), cases[i].quit);
		assert_string_equal(show(&plan, LOAD_ABORT), "A ");
		assert_string_equal(show(&plan, LOAD_BYE), "Q ");
		assert_int_equal(plan.next_aborts, cases[i].next[0] == 'A');
		assert_int_equal(plan.one_message, cases[i].next[0] == '\0');
		load_plan_fini(&plan);
	}
}

/* Postfix knows it when a recipient was accepted, and tells it seven times in a
 * message from then on. */
static void
queue_ids_are_found(void **state)
{
	struct load_plan plan;

	(void)state;
	assert_int_equal(make(&plan, "postfix", no_wishes, false), 0);
	assert_int_equal(plan.n_ids, 10);
	for (size_t i = 0; i < plan.n_ids; i++)
		assert_memory_equal(plan.octets.p + plan.ids[i],
		    CLIENT_QUEUE_ID, strlen(CLIENT_QUEUE_ID));
	for (size_t i = plan.from[LOAD_FIRST] + 2, id = 0; id < 5; i++, id++) {
		assert_int_equal(plan.steps[i].n_ids, 1);
		assert_int_equal(plan.steps[i].id, id);
	}
	load_plan_fini(&plan);
}

static void
bad_negotiation_is_refused(void **state)
{
	struct load_plan plan;

	(void)state;
	assert_int_equal(make(&plan, "postfix",
			     B("\0\0\0\xdO\0\0\0\7\0\0\0\0\0\0\0\0"), false),
	    -1);
	assert_int_equal(make(&plan, "postfix", B("\0\0\0\1c"), false), -1);
}

static void
no_memory_is_said(void **state)
{
	struct load_plan plan;
	size_t n;

	(void)state;
	failmalloc_after(SIZE_MAX);
	assert_int_equal(make(&plan, "postfix", no_wishes, false), 0);
	n = failmalloc_count();
	load_plan_fini(&plan);
	for (size_t i = 0; i < n; i++) {
		failmalloc_after(i);
		assert_int_equal(make(&plan, "postfix", no_wishes, false), -1);
		failmalloc_off();
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_end_with_an_answer),
		cmocka_unit_test(queue_ids_are_found),
		cmocka_unit_test(bad_negotiation_is_refused),
		cmocka_unit_test(no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
