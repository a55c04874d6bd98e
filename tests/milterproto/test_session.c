/* SPDX-License-Identifier: MIT */
/*
 * The two sessions against each other: what one says the other hears.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <milterproto.h>

#define B(s) ((struct mlt_bytes){ (s), sizeof(s) - 1 })

static struct mlt_filter *f;
static struct mlt_mta *m;
static uint8_t lent[4096]; /* borrowed by m */

static void
open_pair(const struct mlt_filter_opts *fo, const struct mlt_mta_opts *mo)
{
	assert_int_equal(mlt_filter_new(&f, fo), 0);
	assert_int_equal(mlt_mta_new(&m, mo), 0);
}

static int
close_pair(void **state)
{
	(void)state;
	mlt_filter_free(f);
	mlt_mta_free(m);
	f = NULL;
	m = NULL;
	return 0;
}

/* Moves what the MTA said to the filter. */
static void
to_filter(void)
{
	const uint8_t *p;
	size_t n = mlt_mta_output(m, &p);

	assert_int_equal(mlt_filter_feed(f, p, n), 0);
}

static struct mlt_event
want_event(enum mlt_event_type type)
{
	struct mlt_event ev;

	assert_int_equal(mlt_filter_next(f, &ev), 1);
	assert_string_equal(mlt_event_name(ev.type), mlt_event_name(type));
	return ev;
}

static void
want_drained(void)
{
	struct mlt_event ev;

	assert_int_equal(mlt_filter_next(f, &ev), 0);
	mlt_mta_sent(m, SIZE_MAX);
}

static void
reply(enum mlt_reply_type type)
{
	struct mlt_reply r = { .type = type };

	assert_int_equal(mlt_filter_reply(f, &r), 0);
}

/* Moves what the filter said to the MTA, which must hear this. */
static struct mlt_action
want_action(uint8_t octet)
{
	struct mlt_action a;
	const uint8_t *p;
	size_t n = mlt_filter_output(f, &p);

	if (n) {
		assert_in_range(n, 1, sizeof(lent));
		memcpy(lent, p, n);
		assert_int_equal(mlt_mta_feed(m, lent, n), 0);
		mlt_filter_sent(f, n);
	}
	assert_int_equal(mlt_mta_next(m, &a), 1);
	assert_int_equal(a.reply, octet);
	return a;
}

static void
negotiated(void)
{
	assert_int_equal(mlt_mta_negotiate(m), 1);
	to_filter();
	want_event(MLT_EV_NEGOTIATE);
	want_drained();
	want_action('O');
}

static void
a_message_passes_with_all_changes(void **state)
{
	static const struct mlt_filter_opts fo = {
		.want = { .actions_required = MLT_ACT_ALL }
	};
	struct mlt_event ev;
	struct mlt_action a;

	(void)state;
	open_pair(&fo, NULL);
	negotiated();
	assert_int_equal(
	    mlt_mta_connect(m, B("mx"), '6', 25, B("IPv6:::1")), 1);
	to_filter();
	ev = want_event(MLT_EV_CONNECT);
	assert_true(ev.need_reply);
	assert_int_equal(ev.connect.port, 25);
	assert_string_equal(ev.connect.addr.p, "::1");
	reply(MLT_REPLY_CONTINUE);
	want_drained();
	want_action('c');
	assert_int_equal(
	    mlt_mta_mail(m, (struct mlt_bytes[]){ B("<a@b>"), B("SIZE=1") }, 2),
	    1);
	to_filter();
	ev = want_event(MLT_EV_MAIL);
	assert_int_equal(ev.args.n, 2);
	assert_string_equal(ev.args.v[1].p, "SIZE=1");
	reply(MLT_REPLY_CONTINUE);
	want_drained();
	want_action('c');
	assert_int_equal(mlt_mta_eoh(m), MLT_E_STATE); /* DATA is missing */
	assert_int_equal(mlt_mta_data(m), 1);
	to_filter();
	want_event(MLT_EV_DATA);
	reply(MLT_REPLY_CONTINUE);
	want_drained();
	want_action('c');
	assert_int_equal(mlt_mta_eoh(m), 1);
	to_filter();
	want_event(MLT_EV_EOH);
	reply(MLT_REPLY_CONTINUE);
	want_drained();
	want_action('c');
	assert_int_equal(mlt_mta_eom(m), 1);
	to_filter();
	want_event(MLT_EV_EOM);
	want_drained();
	assert_int_equal(mlt_filter_add_header(f, B("A"), B("1\n 2")), 0);
	assert_int_equal(mlt_filter_change_header(f, 3, B("B"), B("")), 0);
	assert_int_equal(mlt_filter_replace_body(f, "xy", 2), 0);
	assert_int_equal(
	    mlt_filter_add_rcpt(f, B("<c@d>"), B("NOTIFY=NEVER")), 0);
	assert_int_equal(mlt_filter_replace_body(f, "xy", 2), MLT_E_STATE);
	assert_int_equal(mlt_filter_quarantine(f, B("because")), 0);
	assert_int_equal(mlt_filter_progress(f), 0);
	assert_int_equal(
	    mlt_filter_reply(f, &(struct mlt_reply){ MLT_REPLY_CODE, "550",
				    "5.7.1", B("50%\nno") }),
	    0);
	a = want_action('h');
	assert_string_equal(a.value.p, "1\n 2");
	a = want_action('m');
	assert_int_equal(a.index, 3);
	a = want_action('b');
	assert_memory_equal(a.text.p, "xy", 2);
	a = want_action('2');
	assert_string_equal(a.text.p, "<c@d>");
	assert_string_equal(a.esmtp.p, "NOTIFY=NEVER");
	want_action('q');
	want_action('p');
	assert_true(mlt_mta_awaits(m));
	a = want_action('y');
	assert_true(a.final);
	assert_string_equal(a.text.p, "550-5.7.1 50%%\r\n550 5.7.1 no");
	assert_false(mlt_mta_awaits(m));
}

static void
what_was_agreed_can_be_asked(void **state)
{
	static const struct mlt_mta_opts mo = { 4, MLT_ACT_V1, 0x37f, 0 };

	(void)state;
	open_pair(NULL, &mo);
	assert_int_equal(mlt_filter_version(f), 0);
	assert_false(mlt_filter_done(f));
	negotiated();
	assert_int_equal(mlt_filter_version(f), 4);
	assert_int_equal(mlt_filter_actions(f), 0);
	assert_int_equal(mlt_filter_protocol(f), 0);
	assert_int_equal(mlt_mta_version(m), 4);
	assert_int_equal(mlt_mta_actions(m), 0);
	assert_int_equal(mlt_mta_protocol(m), 0);
}

static void
nothing_can_be_freed(void **state)
{
	(void)state;
	mlt_filter_free(NULL);
	mlt_mta_free(NULL);
}

static void
a_dead_session_takes_nothing(void **state)
{
	struct mlt_event ev;
	struct mlt_reply r = { MLT_REPLY_CODE, "550", NULL, { NULL, 0 } };

	(void)state;
	open_pair(NULL, NULL);
	assert_int_equal(mlt_filter_feed(f, "\0\0\0", 4), 0);
	assert_int_equal(mlt_filter_next(f, &ev), MLT_E_PROTO);
	assert_int_equal(mlt_filter_feed(f, "", 1), MLT_E_STATE);
	assert_int_equal(mlt_filter_reply(f, &r), MLT_E_STATE);
	mlt_filter_eof(f); /* too late */
	assert_int_equal(mlt_filter_next(f, &ev), MLT_E_PROTO);
	assert_true(mlt_filter_done(f));
	assert_int_equal(mlt_mta_feed(m, "\0\0\0", 4), 0);
	assert_int_equal(
	    mlt_mta_next(m, &(struct mlt_action){ 0 }), MLT_E_PROTO);
	assert_int_equal(mlt_mta_feed(m, "", 1), MLT_E_STATE);
	assert_int_equal(
	    mlt_mta_next(m, &(struct mlt_action){ 0 }), MLT_E_PROTO);
}

static void
strings_are_counted_to_the_last(void **state)
{
	static char frame[5 + 65535] = "\0\1\0\0M";
	struct mlt_event ev;

	(void)state;
	open_pair(NULL, NULL);
	negotiated();
	assert_int_equal(mlt_filter_feed(f, frame, sizeof(frame)), 0);
	ev = want_event(MLT_EV_MAIL);
	assert_int_equal(ev.args.n, 65535);
	assert_int_equal(ev.args.v[65534].n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_message_passes_with_all_changes, close_pair),
		cmocka_unit_test_teardown(
		    what_was_agreed_can_be_asked, close_pair),
		cmocka_unit_test(nothing_can_be_freed),
		cmocka_unit_test_teardown(
		    a_dead_session_takes_nothing, close_pair),
		cmocka_unit_test_teardown(
		    strings_are_counted_to_the_last, close_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
