/* SPDX-License-Identifier: MIT */
/*
 * How a played session puts things: octets, chunks, spelling; and what it does
 * when the filter, the script or the memory fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/failmalloc.h"
#include "tests/support/playrun.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define B(s)     PLAYRUN_B(s)
/* An answer to OPTNEG: version 6, these actions, no protocol flags. */
#define AGREED(actions)                                                        \
	"\0\0\0\x0d"                                                           \
	"O\0\0\0\6\0\0" actions "\0\0\0\0"
#define CONTINUE "\0\0\0\1c"

static struct mlt_play *p;
static struct mlt_play_event ev;
static struct playrun r;

static int
clean(void **state)
{
	(void)state;
	mlt_play_free(p);
	p = NULL;
	memset(&r, 0, sizeof(r));
	return 0;
}

static void
begin(const char *profile, const struct mlt_play_script *s)
{
	struct mlt_play_opts opts = { .profile = mlt_profile_find(profile) };

	assert_int_equal(mlt_play_new(&p, &opts, s), 0);
}

/* Until nothing more is said; the last event stays in ev. */
static void
drain(void)
{
	int rc;

	while ((rc = mlt_play_next(p, &ev)) > 0)
		;
	assert_int_equal(rc, 0);
}

static void
want_said(struct mlt_bytes want)
{
	const uint8_t *b;
	size_t n;

	drain();
	n = mlt_play_output(p, &b);
	assert_int_equal(n, want.n);
	assert_memory_equal(b, want.p, want.n);
	mlt_play_sent(p, n);
}

static void
hear(struct mlt_bytes b)
{
	static char lent[256];

	assert_in_range(b.n, 1, sizeof(lent));
	memcpy(lent, b.p, b.n);
	assert_int_equal(mlt_play_feed(p, lent, b.n), 0);
	drain();
}

/* Answers all commands up to the one with this octet, whose packets with its
 * macros remain to be read. */
static void
reach(uint8_t octet)
{
	const uint8_t *b;
	size_t n, len;

	for (;;) {
		drain();
		n = mlt_play_output(p, &b);
		assert_true(n > 0);
		for (; n >= 5; b += len, n -= len) {
			len = 4 + ((size_t)b[2] << 8 | b[3]);
			if (b[4] == octet)
				return;
		}
		mlt_play_sent(p, SIZE_MAX);
		hear(B(CONTINUE));
	}
}

/* ---- octets -------------------------------------------------------------------------- */

/* seen: a dialogue of Sendmail's, with the macros of a sparse configuration */
static void
sendmails_dialogue_is_reproduced(void **state)
{
	static const struct mlt_bytes client[] = { B("j"),
		B("mx.example.org") };
	static const struct mlt_bytes from[] = { B("<a@example.org>") };
	static const struct mlt_bytes mail[] = { B("i"), B("4F1A2B") };
	static const struct mlt_bytes to[] = { B("<b@example.com>") };
	static const struct mlt_play_rcpt rcpt = { .args = PLAYRUN_LIST(to) };
	static const struct mlt_play_header header = { B("Subject"), B(" hi") };
	static const struct mlt_play_message m = { .from = PLAYRUN_LIST(from),
		.macros = PLAYRUN_LIST(mail),
		.rcpts = &rcpt,
		.n_rcpts = 1,
		.headers = &header,
		.n_headers = 1,
		.body = B("x\n") };
	static const struct mlt_play_script s = { .host = B("localhost"),
		.addr = B("127.0.0.1"),
		.port = 1234,
		.family = '4',
		.helo = B("h.example"),
		.macros = PLAYRUN_LIST(client),
		.messages = &m,
		.n_messages = 1 };
	struct mlt_play_opts opts = { .profile =
					  mlt_profile_find("sendmail-8.17"),
		.macros = { "j", "", "i", "", "", "", "" } };

	(void)state;
	assert_int_equal(mlt_play_new(&p, &opts, &s), 0);
	want_said(B("\0\0\0\x0dO\0\0\0\6\0\0\1\xff\0\x1f\xff\xff"));
	hear(B(AGREED("\0\1")));
	want_said(B("\0\0\0\x13"
		    "DCj\0mx.example.org\0"
		    "\0\0\0\x18"
		    "Clocalhost\0004\x04\xd2"
		    "127.0.0.1\0"));
	hear(B(CONTINUE));
	want_said(B("\0\0\0\x0bHh.example\0"));
	hear(B(CONTINUE));
	want_said(B("\0\0\0\x0b"
		    "DMi\0004F1A2B\0"
		    "\0\0\0\x11M<a@example.org>\0"));
	hear(B(CONTINUE));
	want_said(B("\0\0\0\x11R<b@example.com>\0"));
	hear(B(CONTINUE));
	want_said(B("\0\0\0\1T"));
	hear(B(CONTINUE));
	want_said(B("\0\0\0\x0cLSubject\0hi\0"));
	hear(B(CONTINUE));
	want_said(B("\0\0\0\1N"));
	hear(B(CONTINUE));
	want_said(B("\0\0\0\4Bx\r\n"));
	assert_int_equal(mlt_play_wait_ms(p), 10000);
	hear(B(CONTINUE));
	want_said(B("\0\0\0\1E"));
	hear(B("\0\0\0\7hX-A\0b\0" CONTINUE));
	assert_int_equal(ev.type, MLT_PLAY_DONE);
	assert_true(mlt_play_done(p));
	want_said(B("\0\0\0\1Q"));
}

static void
want_connect(
    const char *profile, const struct mlt_play_script *s, struct mlt_bytes want)
{
	const uint8_t *b;
	size_t n;

	begin(profile, s);
	drain();
	mlt_play_sent(p, SIZE_MAX);
	hear(B(AGREED("\0\0")));
	n = mlt_play_output(p, &b);
	assert_true(n >= want.n);
	assert_memory_equal(b + n - want.n, want.p, want.n);
	clean(NULL);
}

static void
addresses_are_spelled_as_each_mta_does(void **state)
{
	struct mlt_play_script s = { .addr = B("IPv6:2001:DB8:0:0:0:0:0:1"),
		.port = 25000,
		.family = '6' };

	(void)state;
	want_connect("sendmail-8.17", &s,
	    B("\0\0\0\x3a"
	      "C[IPv6:2001:db8:0:0:0:0:0:1]\0006\x61\xa8"
	      "IPv6:2001:db8:0:0:0:0:0:1\0"));
	want_connect("postfix-3", &s,
	    B("\0\0\0\x1e"
	      "C[2001:db8::1]\0006\x61\xa8"
	      "2001:db8::1\0"));
	s.addr = B("::ffff:192.0.2.1");
	want_connect("sendmail-8.17", &s,
	    B("\0\0\0\x1a"
	      "C[192.0.2.1]\0004\x61\xa8"
	      "192.0.2.1\0"));
	s = (struct mlt_play_script){ .family = 'L', .addr = B("/run/x") };
	want_connect("postfix-3", &s,
	    B("\0\0\0\x15"
	      "Clocalhost\0L\0\0/run/x\0"));
	s = (struct mlt_play_script){ .family = 0 };
	want_connect("sendmail-8.17", &s,
	    B("\0\0\0\x0c"
	      "Clocalhost\0U"));
	want_connect("postfix-3", &s,
	    B("\0\0\0\x0a"
	      "Cunknown\0U"));
	want_connect("postfix-3-cleanup", &s,
	    B("\0\0\0\x18"
	      "Clocalhost\0004\0\0"
	      "127.0.0.1\0"));
}

static void
simulated_mail_has_bare_addresses(void **state)
{
	static const uint8_t *b;

	(void)state;
	begin("postfix-3-cleanup", playrun_script(1));
	drain();
	mlt_play_sent(p, SIZE_MAX);
	hear(B(AGREED("\0\0")));
	reach('M');
	assert_int_equal(mlt_play_output(p, &b), 58);
	assert_memory_equal(b + 39, "\0\0\0\x0fMa@example.org\0", 19);
}

static void
want_header(const char *profile, bool leading_space,
    struct mlt_play_header header, struct mlt_bytes want)
{
	struct mlt_play_script s = *playrun_script(1);
	struct mlt_play_message m = s.messages[0];
	const uint8_t *b;
	size_t n;

	m.headers = &header;
	s.messages = &m;
	begin(profile, &s);
	drain();
	mlt_play_sent(p, SIZE_MAX);
	hear(leading_space ? B("\0\0\0\x0d"
			       "O\0\0\0\6\0\0\0\0\0\x10\0\0")
			   : B(AGREED("\0\0")));
	reach('L');
	n = mlt_play_output(p, &b);
	assert_true(n >= want.n);
	assert_memory_equal(b + n - want.n, want.p, want.n);
	clean(NULL);
}

static void
header_lines_are_put_as_each_mta_does(void **state)
{
	static char value[70000];
	static char cut[4 + 1 + 60000 - 1 + 2];
	struct mlt_play_header h = { B("To \t"), B("  a,\r\n\tb\r\r\n") };

	(void)state;
	want_header(
	    "sendmail-8.17", false, h, B("\0\0\0\x0eLTo \t\0 a,\n\tb\r\0"));
	want_header(
	    "sendmail-8.17", true, h, B("\0\0\0\x0fLTo \t\0  a,\n\tb\r\0"));
	want_header("postfix-3", false, h, B("\0\0\0\x0cLTo\0 a,\n\tb\r\0"));
	h = (struct mlt_play_header){ B("X"), B("\n") };
	want_header("postfix-3", false, h, B("\0\0\0\4LX\0\0"));
	/* 60000 octets of "X:value" */
	memset(value, 'x', sizeof(value));
	h.value = (struct mlt_bytes){ value, sizeof(value) };
	memset(cut, 'x', sizeof(cut));
	memcpy(cut, "\0\0\xea\x62LX\0", 7);
	cut[sizeof(cut) - 1] = 0;
	want_header(
	    "postfix-3", false, h, (struct mlt_bytes){ cut, sizeof(cut) });
}

/* ---- the body ------------------------------------------------------------------------- */

static void
play_body(const char *profile, struct mlt_bytes body)
{
	struct mlt_play_script s = *playrun_script(1);
	struct mlt_play_message m = s.messages[0];

	memset(r.wire, 0, sizeof(r.wire));
	r.body_octets = r.body_sum = 0;
	m.body = body;
	s.messages = &m;
	r.script = &s;
	r.play.profile = mlt_profile_find(profile);
	playrun(&r);
	assert_int_equal(r.rc, 0);
}

static void
bodies_get_crlf_and_full_chunks(void **state)
{
	/* 65534 octets, then a line end, so that chunks part CR from LF */
	static char lf[65536], crlf[65537];

	(void)state;
	memset(lf, 'a', sizeof(lf));
	lf[65534] = '\n';
	lf[65535] = 'b';
	memset(crlf, 'a', sizeof(crlf));
	memcpy(crlf + 65534, "\r\nb", 3);

	play_body("sendmail-8.17", (struct mlt_bytes){ lf, sizeof(lf) });
	assert_non_null(strstr(r.wire, "N B B DE"));
	assert_int_equal(r.body_octets, 65537);
	assert_int_equal(r.body_sum, 0x7fe780b6);
	play_body("sendmail-8.17", (struct mlt_bytes){ crlf, sizeof(crlf) });
	assert_non_null(strstr(r.wire, "N B B DE"));
	assert_int_equal(r.body_sum, 0x7fe780b6);
	play_body("postfix-3", (struct mlt_bytes){ lf, sizeof(lf) });
	assert_non_null(strstr(r.wire, "DN N DB B DB B DE"));
	assert_int_equal(r.body_octets, 65539);

	play_body("sendmail-8.17", (struct mlt_bytes){ lf, 65534 });
	assert_non_null(strstr(r.wire, "N B DE"));
	play_body("postfix-3", (struct mlt_bytes){ lf, 65534 });
	assert_non_null(strstr(r.wire, "DN N DB B DB B DE"));
	assert_int_equal(r.body_octets, 65536);
	/* a lone CR stays; an empty body is not sent */
	play_body("sendmail-8.17", B("\na\rb\n\r\n"));
	assert_int_equal(r.body_octets, 9);
	play_body("postfix-3", B("a\r"));
	assert_int_equal(r.body_octets, 4);
	play_body("postfix-3", B(""));
	assert_null(strstr(r.wire, "B"));
}

static void
skip_ends_the_body(void **state)
{
	static const struct playrun_rule rules[] = { { "B", MLT_REPLY_SKIP,
							 NULL, NULL },
		{ NULL, MLT_REPLY_CONTINUE, NULL, NULL } };
	static char body[200000];

	(void)state;
	memset(body, 'a', sizeof(body));
	r.rules = rules;
	r.filter.want.protocol = MLT_PROT_SKIP;
	play_body("postfix-3", (struct mlt_bytes){ body, sizeof(body) });
	assert_non_null(strstr(r.wire, "DN N DB B DE E A"));
	assert_non_null(strstr(r.events, "Nc Bs Ec accept done(1)"));
}

static void
output_is_bounded(void **state)
{
	static char body[2000000];
	const uint8_t *b;
	struct mlt_play_script s = *playrun_script(1);
	struct mlt_play_message m = s.messages[0];
	size_t turns = 0;

	(void)state;
	memset(body, 'a', sizeof(body));
	m.body = (struct mlt_bytes){ body, sizeof(body) };
	s.messages = &m;
	begin("generic-v6", &s);
	drain();
	mlt_play_sent(p, SIZE_MAX);
	/* no reply to anything but EOM */
	hear(B("\0\0\0\x0dO\0\0\0\6\0\0\0\0\0\x0f\xf0\x80"));
	while (!mlt_play_awaits(p)) {
		drain();
		assert_in_range(mlt_play_output(p, &b), 1, 200000);
		mlt_play_sent(p, SIZE_MAX);
		turns++;
	}
	assert_in_range(turns, 14, 18);
}

/* ---- what the filter wants --------------------------------------------------------------- */

static void
a_filter_that_answers_only_the_end_gets_all_at_once(void **state)
{
	(void)state;
	r.filter.want.protocol = MLT_PROT_NR_ALL;
	r.play.profile = mlt_profile_find("generic-v6");
	r.script = playrun_script(2);
	playrun(&r);
	assert_string_equal(r.wire, "O DC C H DM M DR R DR R T L L N B DE E "
				    "DM M DR R T N DE E Q");
	assert_string_equal(r.events, "OO Ec accept Ec accept done(2)");
	assert_int_equal(r.turns, 3);
}

static void
recipients_that_the_mta_refused_are_shown_on_request(void **state)
{
	static const struct {
		const char *profile;
		uint32_t protocol;
		const char *wire, *events;
	} cases[] = {
		{ "sendmail-8.17", 0, "O DC C DH H DM M DR DR R A Q",
		    "OO Cc Hc Mc R- Rr reject done(1)" },
		{ "sendmail-8.17", MLT_PROT_RCPT_REJ,
		    "O DC C DH H DM M DR R DR R A Q",
		    "OO Cc Hc Mc Rc Rr reject done(1)" },
		{ "postfix-3", 0, "O DC C DH H DM M DR R A A Q",
		    "OO Cc Hc Mc R- Rr reject done(1)" },
	};
	static const struct playrun_rule rules[] = { { "R2", MLT_REPLY_REJECT,
							 NULL, NULL },
		{ NULL, MLT_REPLY_CONTINUE, NULL, NULL } };
	static const struct playrun_rule shown_once[] = {
		{ "R1", MLT_REPLY_REJECT, NULL, NULL },
		{ NULL, MLT_REPLY_CONTINUE, NULL, NULL }
	};
	struct mlt_play_script s = *playrun_script(1);
	struct mlt_play_message m = s.messages[0];
	struct mlt_play_rcpt rcpts[2];

	memcpy(rcpts, m.rcpts, sizeof(rcpts));
	rcpts[0].refused = true;
	m.rcpts = rcpts;
	s.messages = &m;
	for (size_t i = 0; i < COUNT(cases); i++) {
		clean(state);
		r.script = &s;
		r.rules = cases[i].protocol ? rules : shown_once;
		r.filter.want.protocol = cases[i].protocol;
		r.play.profile = mlt_profile_find(cases[i].profile);
		playrun(&r);
		assert_string_equal(r.wire, cases[i].wire);
		assert_string_equal(r.events, cases[i].events);
		assert_string_equal(r.told, "550 5.7.1 Command rejected");
	}
}

static void
unknown_lines_follow_helo(void **state)
{
	static const struct mlt_bytes lines[] = { B("FOO bar"), B("X") };
	struct mlt_play_script s = *playrun_script(0);
	static const struct playrun_rule rules[] = { { "U", MLT_REPLY_CODE,
							 "421", "go" },
		{ NULL, MLT_REPLY_CONTINUE, NULL, NULL } };
	const uint8_t *b;

	(void)state;
	s.unknown = PLAYRUN_LIST(lines);
	s.helo = (struct mlt_bytes){ NULL, 0 };
	r.script = &s;
	r.play.profile = mlt_profile_find("postfix-3");
	playrun(&r);
	assert_string_equal(r.wire, "O DC C DU U DU U Q");
	r.rules = rules;
	memset(r.wire, 0, sizeof(r.wire));
	playrun(&r);
	assert_string_equal(r.wire, "O DC C DU U Q");
	begin("postfix-3", &s);
	drain();
	mlt_play_sent(p, SIZE_MAX);
	hear(B(AGREED("\0\0")));
	reach('U');
	assert_int_equal(mlt_play_output(p, &b), 6 + 9);
	assert_memory_equal(b + 6, "\0\0\0\5UFOO\0", 9);
}

/* Sendmail 8.17 looks at the wrong list.  spec:macro-lists */
static void
sendmails_eom_list_depends_on_eoh(void **state)
{
	static const struct {
		struct mlt_bytes answer;
		const char *eom;
		size_t n;
	} cases[] = {
		/* EOM "j" only: the default is sent */
		{ B("\0\0\0\x13O\0\0\0\6\0\0\1\0\0\0\0\0\0\0\0\5j\0"),
		    "\0\0\0\x1b"
		    "DE{msg_id}\0<1@example.org>\0"
		    "\0\0\0\1E",
		    36 },
		/* EOH only: nothing */
		{ B("\0\0\0\x13O\0\0\0\6\0\0\1\0\0\0\0\0\0\0\0\6j\0"),
		    "\0\0\0\1E", 5 },
		/* both: the list */
		{ B("\0\0\0\x19O\0\0\0\6\0\0\1\0\0\0\0\0\0\0\0\5j\0"
		    "\0\0\0\6j\0"),
		    "\0\0\0\x0f"
		    "DEj\0mx.example\0"
		    "\0\0\0\1E",
		    24 },
	};
	const uint8_t *b;

	for (size_t i = 0; i < COUNT(cases); i++) {
		clean(state);
		begin("sendmail-8.17", playrun_script(1));
		drain();
		mlt_play_sent(p, SIZE_MAX);
		hear(cases[i].answer);
		reach('E');
		assert_int_equal(mlt_play_output(p, &b), cases[i].n);
		assert_memory_equal(b, cases[i].eom, cases[i].n);
	}
}

static void
change(struct mlt_filter *f)
{
	if (mlt_filter_add_header(f, B("X"), B("1")) < 0 ||
	    mlt_filter_progress(f) < 0)
		return; /* out of memory */
}

static void
changes_are_reported_before_the_reply(void **state)
{
	(void)state;
	r.filter.want.actions_wanted = MLT_ACT_ALL;
	r.at_eom = change;
	r.play.profile = mlt_profile_find("sendmail-8.17");
	r.script = playrun_script(1);
	playrun(&r);
	assert_non_null(strstr(r.events, "E:h E:p Ec accept done(1)"));
}

/* ---- failures ------------------------------------------------------------------------ */

static void
a_wrong_reply_ends_the_session(void **state)
{
	(void)state;
	begin("postfix-3", playrun_script(1));
	drain();
	mlt_play_sent(p, SIZE_MAX);
	hear(B(AGREED("\0\0")));
	mlt_play_sent(p, SIZE_MAX);
	hear(B(CONTINUE));
	mlt_play_sent(p, SIZE_MAX);
	assert_int_equal(mlt_play_wait_ms(p), 30000);
	hear(B(CONTINUE "\0\0\0\1s")); /* two, and SKIP is not agreed */
	assert_int_equal(ev.type, MLT_PLAY_VIOLATION);
	assert_int_equal(ev.offset, 17 + 5 + 5);
	assert_int_equal(ev.message, 0);
	assert_non_null(ev.text);
	assert_true(mlt_play_done(p));
	assert_int_equal(mlt_play_next(p, &ev), 0);
}

static void
a_filter_that_closes_is_a_violation_while_it_is_needed(void **state)
{
	struct mlt_play_script s = *playrun_script(0);

	(void)state;
	begin("postfix-3", &s);
	drain();
	mlt_play_eof(p);
	drain();
	assert_int_equal(ev.type, MLT_PLAY_VIOLATION);
	assert_int_equal(ev.stage, 'O');
	assert_int_equal(ev.offset, 0);
	clean(state);
	begin("postfix-3", &s);
	drain();
	hear(B(AGREED("\0\0")));
	hear(B(CONTINUE));
	assert_int_equal(mlt_play_feed(p, CONTINUE, 5), 0);
	mlt_play_eof(p);
	drain();
	assert_int_equal(ev.type, MLT_PLAY_DONE);
}

static void
want_refused(const struct mlt_play_script *s)
{
	begin("generic-v6", s);
	drain();
	mlt_play_sent(p, SIZE_MAX);
	assert_int_equal(mlt_play_feed(p, AGREED("\0\0"), 17), 0);
	assert_int_equal(mlt_play_next(p, &ev), 1);
	assert_int_equal(mlt_play_next(p, &ev), MLT_E_ARG);
	assert_int_equal(mlt_play_next(p, &ev), MLT_E_ARG);
	clean(NULL);
}

static void
impossible_scripts_are_refused(void **state)
{
	struct mlt_play_script s = *playrun_script(1);
	struct mlt_play_message m = s.messages[0];
	struct mlt_play *q;

	(void)state;
	s.messages = &m;
	m.stop_after = 'E';
	m.stop_by = MLT_END_CLOSE;
	assert_int_equal(mlt_play_new(&q, NULL, &s), MLT_E_ARG);
	m.stop_after = 'L';
	m.stop_by = MLT_END_RSET;
	assert_int_equal(mlt_play_new(&q, NULL, &s), MLT_E_ARG);
	m.stop_by = MLT_END_EOM;
	assert_int_equal(mlt_play_new(&q, NULL, &s), MLT_E_ARG);
	m.stop_after = 0;
	assert_int_equal(mlt_play_new(&p, NULL, &s), 0);
	mlt_play_free(p);
	s.addr = B("not an address");
	for (size_t i = 0; i < 2; i++) {
		s.family = "46"[i];
		want_refused(&s);
	}
}

/* Each allocation fails once and the call is repeated: nothing differs.  Then
 * all later ones fail too: it ends. */
static void
failing_malloc_loses_nothing(void **state)
{
	static const struct playrun_rule rules[] = { { "R2", MLT_REPLY_CODE,
							 "550", "no" },
		{ NULL, MLT_REPLY_CONTINUE, NULL, NULL } };
	static struct playrun base, want;
	size_t n;

	(void)state;
	base.play.profile = mlt_profile_find("postfix-3");
	base.script = playrun_script(2);
	base.rules = rules;
	base.retry = true;
	want = base;
	failmalloc_after(SIZE_MAX);
	playrun(&want);
	n = failmalloc_count();
	assert_true(n > 20);
	for (size_t i = 0; i < n; i++) {
		r = base;
		failmalloc_once(i);
		playrun(&r);
		failmalloc_off();
		assert_int_equal(r.rc, 0);
		assert_string_equal(r.wire, want.wire);
		assert_string_equal(r.macros, want.macros);
		assert_string_equal(r.events, want.events);
		r = base;
		r.retry = false;
		failmalloc_after(i);
		playrun(&r);
		failmalloc_off();
		assert_int_equal(r.rc, MLT_E_NOMEM);
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, clean, clean)
	const struct CMUnitTest tests[] = {
		CASE(sendmails_dialogue_is_reproduced),
		CASE(addresses_are_spelled_as_each_mta_does),
		CASE(simulated_mail_has_bare_addresses),
		CASE(header_lines_are_put_as_each_mta_does),
		CASE(bodies_get_crlf_and_full_chunks),
		CASE(skip_ends_the_body),
		CASE(output_is_bounded),
		CASE(a_filter_that_answers_only_the_end_gets_all_at_once),
		CASE(recipients_that_the_mta_refused_are_shown_on_request),
		CASE(unknown_lines_follow_helo),
		CASE(sendmails_eom_list_depends_on_eoh),
		CASE(changes_are_reported_before_the_reply),
		CASE(a_wrong_reply_ends_the_session),
		CASE(a_filter_that_closes_is_a_violation_while_it_is_needed),
		CASE(impossible_scripts_are_refused),
		CASE(failing_malloc_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
