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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
		    a_message_passes_with_all_changes, close_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
