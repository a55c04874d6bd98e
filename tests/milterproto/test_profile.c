/* SPDX-License-Identifier: MIT */
/*
 * What each MTA says, command by command, in good days and after verdicts.
 * The sequences of sendmail-8.17, postfix-3 and postfix-3-cleanup are those that
 * Sendmail 8.17.1.9 and Postfix 3.7.11 were seen to send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/playrun.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static struct playrun r;

static int
clean(void **state)
{
	(void)state;
	memset(&r, 0, sizeof(r));
	return 0;
}

static void
play(const char *profile, size_t n_messages)
{
	r.play.profile = mlt_profile_find(profile);
	assert_non_null(r.play.profile);
	r.script = playrun_script(n_messages);
	playrun(&r);
	assert_int_equal(r.rc, 0);
}

static void
two_messages_go_as_each_mta_sends_them(void **state)
{
	static const struct {
		const char *profile, *wire, *events;
	} cases[] = {
		{ "sendmail-8.17",
		    "O DC C DH H DM M DR R DR R T L L N B DE E "
		    "DM M DR R T N DE E Q",
		    "OO Cc Hc Mc Rc Rc Tc Lc Lc Nc Bc Ec accept "
		    "Mc Rc Tc Nc Ec accept done(2)" },
		{ "sendmail-8.14",
		    "O DC C DH H DM M DR R DR R T L L N B DE E "
		    "DM M DR R T N DE E Q",
		    "OO Cc Hc Mc Rc Rc Tc Lc Lc Nc Bc Ec accept "
		    "Mc Rc Tc Nc Ec accept done(2)" },
		{ "sendmail-8.13",
		    "O DC C DH H DM M DR R DR R L L N B DE E "
		    "DM M DR R N DE E Q",
		    "OO Cc Hc Mc Rc Rc T- Lc Lc Nc Bc Ec accept "
		    "Mc Rc T- Nc Ec accept done(2)" },
		{ "sendmail-8.12",
		    "O DC C DH H DM M DR R DR R L L N B DE E "
		    "DM M DR R N DE E Q",
		    "OO Cc Hc Mc Rc Rc T- Lc Lc Nc Bc Ec accept "
		    "Mc Rc T- Nc Ec accept done(2)" },
		{ "postfix-3",
		    "O DC C DH H DM M DR R DR R DT T DL L DL L DN N DB B "
		    "DE E A DM M DR R DT T DN N DE E A A Q",
		    "OO Cc Hc Mc Rc Rc Tc Lc Lc Nc Bc Ec accept "
		    "Mc Rc Tc Nc Ec accept done(2)" },
		{ "postfix-3-cleanup",
		    "O DC C DH H DM M DR R DR R DT T DL L DL L DN N DB B "
		    "DE E Q",
		    "OO Cc Hc Mc Rc Rc Tc Lc Lc Nc Bc Ec accept done(1)" },
		{ "postfix-2.6",
		    "O DC C DH H DM M DR R DR R DT T DL L DL L DN N DB B "
		    "DE E A DM M DR R DT T DN N DE E A A Q",
		    "OO Cc Hc Mc Rc Rc Tc Lc Lc Nc Bc Ec accept "
		    "Mc Rc Tc Nc Ec accept done(2)" },
		{ "generic-v6",
		    "O DC C H DM M DR R DR R T L L N B DE E "
		    "DM M DR R T N DE E Q",
		    "OO Cc Hc Mc Rc Rc Tc Lc Lc Nc Bc Ec accept "
		    "Mc Rc Tc Nc Ec accept done(2)" },
		{ "generic-v4",
		    "O DC C H DM M DR R DR R T L L N B DE E "
		    "DM M DR R T N DE E Q",
		    "OO Cc Hc Mc Rc Rc Tc Lc Lc Nc Bc Ec accept "
		    "Mc Rc Tc Nc Ec accept done(2)" },
		{ "generic-v2",
		    "O DC C H DM M DR R DR R L L N B DE E "
		    "DM M DR R N DE E Q",
		    "OO Cc Hc Mc Rc Rc T- Lc Lc Nc Bc Ec accept "
		    "Mc Rc T- Nc Ec accept done(2)" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		clean(state);
		assert_string_equal(mlt_profile_at(i)->name, cases[i].profile);
		play(cases[i].profile, 2);
		assert_string_equal(r.wire, cases[i].wire);
		assert_string_equal(r.events, cases[i].events);
	}
	assert_null(mlt_profile_at(COUNT(cases)));
	assert_null(mlt_profile_find("exim"));
}

static void
macros_are_those_of_the_mta(void **state)
{
	static const struct {
		const char *profile, *macros;
	} cases[] = {
		{ "sendmail-8.17",
		    "C(j=mx.example _=c.example [192.0.2.1] {daemon_name}=MTA "
		    "{if_addr}=192.0.2.9) H() "
		    "M(i=4F1A {mail_host}=example.org "
		    "{mail_addr}=a@example.org) "
		    "R({rcpt_mailer}=smtp {rcpt_addr}=b@example.com) "
		    "R({rcpt_mailer}=smtp {rcpt_addr}=c@example.com) "
		    "E({msg_id}=<1@example.org>)" },
		{ "postfix-3",
		    "C(j=mx.example {daemon_name}=MTA {daemon_addr}=192.0.2.9 "
		    "v=1.0 _=c.example [192.0.2.1]) H() "
		    "M({mail_addr}=a@example.org {mail_host}=example.org) "
		    "R({rcpt_addr}=b@example.com {rcpt_mailer}=smtp) "
		    "R(i=4F1A {rcpt_addr}=c@example.com {rcpt_mailer}=smtp) "
		    "T(i=4F1A) L(i=4F1A) L(i=4F1A) N(i=4F1A) B(i=4F1A) "
		    "E(i=4F1A)" },
		{ "postfix-3-cleanup",
		    "C(j=mx.example {daemon_name}=MTA {daemon_addr}=192.0.2.9 "
		    "v=1.0 _=c.example [192.0.2.1]) H() "
		    "M(i=4F1A {mail_addr}=a@example.org) "
		    "R(i=4F1A {rcpt_addr}=b@example.com) "
		    "R(i=4F1A {rcpt_addr}=c@example.com) "
		    "T(i=4F1A) L(i=4F1A) L(i=4F1A) N(i=4F1A) B(i=4F1A) "
		    "E(i=4F1A)" },
		{ "postfix-2.6",
		    "C(j=mx.example {daemon_name}=MTA v=1.0 "
		    "_=c.example [192.0.2.1]) H() "
		    "M({mail_addr}=a@example.org {mail_host}=example.org) "
		    "R({rcpt_addr}=b@example.com {rcpt_mailer}=smtp) "
		    "R(i=4F1A {rcpt_addr}=c@example.com {rcpt_mailer}=smtp) "
		    "T(i=4F1A) L(i=4F1A) L(i=4F1A) N(i=4F1A) B(i=4F1A) "
		    "E(i=4F1A)" },
		{ "generic-v2",
		    "C(j=mx.example _=c.example [192.0.2.1] v=1.0 "
		    "{daemon_name}=MTA {daemon_addr}=192.0.2.9 "
		    "{if_addr}=192.0.2.9) "
		    "M(i=4F1A {mail_host}=example.org "
		    "{mail_addr}=a@example.org) "
		    "R({rcpt_mailer}=smtp {rcpt_addr}=b@example.com) "
		    "R({rcpt_mailer}=smtp {rcpt_addr}=c@example.com) "
		    "E(i=4F1A {msg_id}=<1@example.org>)" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		clean(state);
		play(cases[i].profile, 1);
		assert_string_equal(r.macros, cases[i].macros);
	}
}

/* ---- verdicts -------------------------------------------------------------------- */

#define SM       "sendmail-8.17"
#define PF       "postfix-3"
#define CL       "postfix-3-cleanup"
#define NO       "550 5.7.1 Command rejected"
#define LATER_SM "451 4.3.2 Please try again later"
#define LATER_PF "451 4.7.1 Service unavailable - try again later"
static const struct {
	const char *profile, *at;
	enum mlt_reply_type type;
	const char *code, *wire, *events, *told;
} verdicts[] = {
	{ SM, "C", MLT_REPLY_ACCEPT, NULL, "O DC C Q",
	    "OO Ca accept accept done(2)", "" },
	{ SM, "C", MLT_REPLY_REJECT, NULL, "O DC C Q",
	    "OO Cr reject reject done(2)", "550 5.0.0 Command rejected" },
	{ SM, "C", MLT_REPLY_TEMPFAIL, NULL, "O DC C Q",
	    "OO Ct tempfail tempfail done(2)", LATER_SM },
	{ SM, "C", MLT_REPLY_CODE, "550", "O DC C Q",
	    "OO Cy reject reject done(2)", "550 5.0.0 Command rejected" },
	{ SM, "C", MLT_REPLY_CODE, "421", "O DC C Q", "OO Cy done(0)", "" },
	{ SM, "H", MLT_REPLY_ACCEPT, NULL, "O DC C DH H Q",
	    "OO Cc Ha accept accept done(2)", "" },
	{ SM, "H", MLT_REPLY_CODE, "450", "O DC C DH H Q",
	    "OO Cc Hy tempfail tempfail done(2)", "450 no 100%" },
	{ SM, "M", MLT_REPLY_ACCEPT, NULL, "O DC C DH H DM M DM M Q",
	    "OO Cc Hc Ma accept Ma accept done(2)", "" },
	{ SM, "M", MLT_REPLY_REJECT, NULL, "O DC C DH H DM M DM M Q",
	    "OO Cc Hc Mr reject Mr reject done(2)", NO },
	{ SM, "M", MLT_REPLY_DISCARD, NULL, "O DC C DH H DM M DM M Q",
	    "OO Cc Hc Md discard Md discard done(2)", "" },
	{ SM, "R2", MLT_REPLY_REJECT, NULL,
	    "O DC C DH H DM M DR R DR R T L L N B DE E DM M DR R T N DE E Q",
	    "OO Cc Hc Mc Rc Rr Tc Lc Lc Nc Bc Ec accept "
	    "Mc Rc Tc Nc Ec accept done(2)",
	    "" },
	{ SM, "R", MLT_REPLY_TEMPFAIL, NULL,
	    "O DC C DH H DM M DR R DR R A DM M DR R A Q",
	    "OO Cc Hc Mc Rt Rt tempfail Mc Rt tempfail done(2)", LATER_SM },
	{ SM, "R", MLT_REPLY_ACCEPT, NULL, "O DC C DH H DM M DR R DM M DR R Q",
	    "OO Cc Hc Mc Ra accept Mc Ra accept done(2)", "" },
	{ SM, "R", MLT_REPLY_DISCARD, NULL,
	    "O DC C DH H DM M DR R A DM M DR R A Q",
	    "OO Cc Hc Mc Rd discard Mc Rd discard done(2)", "" },
	{ SM, "R", MLT_REPLY_CODE, "421", "O DC C DH H DM M DR R Q",
	    "OO Cc Hc Mc Ry tempfail done(1)", "421 no 100%" },
	{ SM, "T", MLT_REPLY_REJECT, NULL,
	    "O DC C DH H DM M DR R DR R T A DM M DR R T A Q",
	    "OO Cc Hc Mc Rc Rc Tr reject Mc Rc Tr reject done(2)", NO },
	{ SM, "L", MLT_REPLY_REJECT, NULL,
	    "O DC C DH H DM M DR R DR R T L DM M DR R T N DE E Q",
	    "OO Cc Hc Mc Rc Rc Tc Lr reject Mc Rc Tc Nc Ec accept done(2)",
	    "" },
	{ SM, "N", MLT_REPLY_DISCARD, NULL,
	    "O DC C DH H DM M DR R DR R T L L N DM M DR R T N Q",
	    "OO Cc Hc Mc Rc Rc Tc Lc Lc Nd discard Mc Rc Tc Nd discard done(2)",
	    "" },
	{ SM, "B", MLT_REPLY_CODE, "421",
	    "O DC C DH H DM M DR R DR R T L L N B Q",
	    "OO Cc Hc Mc Rc Rc Tc Lc Lc Nc By tempfail done(1)",
	    "421 no 100%" },
	{ SM, "E", MLT_REPLY_REJECT, NULL,
	    "O DC C DH H DM M DR R DR R T L L N B DE E DM M DR R T N DE E Q",
	    "OO Cc Hc Mc Rc Rc Tc Lc Lc Nc Bc Er reject "
	    "Mc Rc Tc Nc Er reject done(2)",
	    "554 5.7.1 Command rejected" },
	{ PF, "C", MLT_REPLY_ACCEPT, NULL, "O DC C",
	    "OO Ca accept accept done(2)", "" },
	{ PF, "C", MLT_REPLY_CODE, "550", "O DC C",
	    "OO Cy reject reject done(2)", "550 no 100%" },
	{ PF, "H", MLT_REPLY_REJECT, NULL, "O DC C DH H",
	    "OO Cc Hr reject reject done(2)", NO },
	{ PF, "M", MLT_REPLY_ACCEPT, NULL, "O DC C DH H DM M A DM M A A Q",
	    "OO Cc Hc Ma accept Ma accept done(2)", "" },
	{ PF, "M", MLT_REPLY_REJECT, NULL, "O DC C DH H DM M A DM M A A Q",
	    "OO Cc Hc Mr reject Mr reject done(2)", NO },
	{ PF, "R", MLT_REPLY_REJECT, NULL,
	    "O DC C DH H DM M DR R DR R A DM M DR R A A Q",
	    "OO Cc Hc Mc Rr Rr reject Mc Rr reject done(2)", NO },
	{ PF, "R", MLT_REPLY_DISCARD, NULL,
	    "O DC C DH H DM M DR R A DM M DR R A A Q",
	    "OO Cc Hc Mc Rd discard Mc Rd discard done(2)", "" },
	{ PF, "R", MLT_REPLY_CODE, "421", "O DC C DH H DM M DR R A A Q",
	    "OO Cc Hc Mc Ry tempfail done(1)", "421 no 100%" },
	{ PF, "T", MLT_REPLY_TEMPFAIL, NULL,
	    "O DC C DH H DM M DR R DR R DT T A DM M DR R DT T A A Q",
	    "OO Cc Hc Mc Rc Rc Tt tempfail Mc Rc Tt tempfail done(2)",
	    LATER_PF },
	{ PF, "L", MLT_REPLY_TEMPFAIL, NULL,
	    "O DC C DH H DM M DR R DR R DT T DL L A "
	    "DM M DR R DT T DN N DE E A A Q",
	    "OO Cc Hc Mc Rc Rc Tc Lt tempfail Mc Rc Tc Nc Ec accept done(2)",
	    "" },
	{ PF, "B", MLT_REPLY_CODE, "421",
	    "O DC C DH H DM M DR R DR R DT T DL L DL L DN N DB B A A Q",
	    "OO Cc Hc Mc Rc Rc Tc Lc Lc Nc By tempfail done(1)",
	    "421 no 100%" },
	{ CL, "H", MLT_REPLY_REJECT, NULL, "O DC C DH H",
	    "OO Cc Hr reject done(1)", NO },
	{ CL, "M", MLT_REPLY_REJECT, NULL, "O DC C DH H DM M Q",
	    "OO Cc Hc Mr reject done(1)", NO },
	{ CL, "R", MLT_REPLY_REJECT, NULL, "O DC C DH H DM M DR R Q",
	    "OO Cc Hc Mc Rr tempfail done(1)", LATER_PF },
	{ CL, "R", MLT_REPLY_ACCEPT, NULL, "O DC C DH H DM M DR R Q",
	    "OO Cc Hc Mc Ra accept done(1)", "" },
	{ CL, "L", MLT_REPLY_TEMPFAIL, NULL,
	    "O DC C DH H DM M DR R DR R DT T DL L Q",
	    "OO Cc Hc Mc Rc Rc Tc Lt tempfail done(1)", LATER_PF },
};

static void
each_verdict_has_its_consequences(void **state)
{
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		const struct playrun_rule rules[] = {
			{ verdicts[i].at, verdicts[i].type, verdicts[i].code,
			    verdicts[i].code ? "no 100%" : NULL },
			{ NULL, MLT_REPLY_CONTINUE, NULL, NULL }
		};

		clean(state);
		r.rules = rules;
		play(verdicts[i].profile, 2);
		assert_string_equal(r.wire, verdicts[i].wire);
		assert_string_equal(r.events, verdicts[i].events);
		assert_string_equal(r.told, verdicts[i].told);
	}
}

/* ---- a client who does not go on --------------------------------------------------- */

static const struct {
	const char *profile;
	char after;
	enum mlt_play_end by;
	uint32_t protocol; /* that the filter asks for */
	const char *wire;
} stops[] = {
	{ SM, 'M', MLT_END_RSET, 0, "O DC C DH H DM M A DM M DR R T N DE E Q" },
	{ SM, 'M', MLT_END_RSET, MLT_PROT_NR_MAIL,
	    "O DC C DH H DM M DM M DR R T N DE E Q" },
	{ SM, 'M', MLT_END_RSET, MLT_PROT_NO_MAIL,
	    "O DC C DH H DM DM DR R T N DE E Q" },
	{ SM, 'R', MLT_END_HELO, 0,
	    "O DC C DH H DM M DR R DR R A DH H DM M DR R T N DE E Q" },
	{ SM, 'T', MLT_END_HELO, MLT_PROT_NR_MAIL,
	    "O DC C DH H DM M DR R DR R T DH H DM M DR R T N DE E Q" },
	{ SM, 'L', MLT_END_OTHERS, MLT_PROT_NR_MAIL,
	    "O DC C DH H DM M DR R DR R T L L A DM M DR R T N DE E Q" },
	{ SM, 'N', MLT_END_CLOSE, 0, "O DC C DH H DM M DR R DR R T L L N Q" },
	{ SM, 'B', MLT_END_OTHERS, 0,
	    "O DC C DH H DM M DR R DR R T L L N B A DM M DR R T N DE E Q" },
	{ PF, 'M', MLT_END_RSET, MLT_PROT_NR_MAIL,
	    "O DC C DH H DM M A DM M DR R DT T DN N DE E A A Q" },
	{ PF, 'M', MLT_END_HELO, 0,
	    "O DC C DH H DM M DH H A A DM M DR R DT T DN N DE E A A Q" },
	{ PF, 'R', MLT_END_CLOSE, 0, "O DC C DH H DM M DR R DR R A A Q" },
	{ PF, 'B', MLT_END_OTHERS, 0,
	    "O DC C DH H DM M DR R DR R DT T DL L DL L DN N DB B A "
	    "DM M DR R DT T DN N DE E A A Q" },
	{ CL, 'T', MLT_END_OTHERS, 0, "O DC C DH H DM M DR R DR R DT T Q" },
	{ "generic-v6", 'R', MLT_END_RSET, MLT_PROT_NR_MAIL,
	    "O DC C H DM M DR R DR R A DM M DR R T N DE E Q" },
};

static void
a_message_may_end_at_every_stage(void **state)
{
	struct mlt_play_message messages[2];
	struct mlt_play_script s;

	for (size_t i = 0; i < COUNT(stops); i++) {
		clean(state);
		s = *playrun_script(2);
		memcpy(messages, s.messages, sizeof(messages));
		messages[0].stop_after = (uint8_t)stops[i].after;
		messages[0].stop_by = stops[i].by;
		s.messages = messages;
		r.script = &s;
		r.play.profile = mlt_profile_find(stops[i].profile);
		r.filter.want.protocol = stops[i].protocol;
		playrun(&r);
		assert_int_equal(r.rc, 0);
		assert_string_equal(r.wire, stops[i].wire);
		assert_non_null(strstr(r.events, "stopped"));
	}
}

/* ---- what the filter does not want -------------------------------------------------- */

static void
unwanted_commands_leave_their_macros_behind(void **state)
{
	static const struct {
		const char *profile, *wire;
	} cases[] = {
		{ SM, "O DC DH DM DR DR DE E Q" },
		{ PF, "O DC DH DM DR DR DT DE E A A Q" },
		{ CL, "O DC DH DM DR DR DT DE E Q" },
		{ "generic-v6", "O DE E Q" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		clean(state);
		r.filter.want.protocol = MLT_PROT_NO_ALL;
		play(cases[i].profile, 1);
		assert_string_equal(r.wire, cases[i].wire);
		assert_true(strncmp(r.events,
				"OO C- H- M- R- T- L- N- B- Ec accept done(1)",
				44) == 0);
	}
}

static void
an_older_filter_gets_no_newer_commands(void **state)
{
	static const struct mlt_bytes lines[] = { PLAYRUN_B("FOO bar") };
	struct mlt_play_script s = *playrun_script(1);

	(void)state;
	s.unknown = PLAYRUN_LIST(lines);
	r.script = &s;
	r.play.offer = (struct mlt_mta_opts){ 2, 0x1ff, 0x7f, 0 };
	r.play.macros[MLT_STAGE_DATA] = "i";
	r.play.profile = mlt_profile_find(PF);
	playrun(&r);
	assert_string_equal(r.wire,
	    "O DC C DH H DM M DR R DR R DL L DL L DN N DB B DE E A A Q");
	memset(r.wire, 0, sizeof(r.wire));
	r.play.profile = mlt_profile_find(SM);
	playrun(&r);
	assert_string_equal(
	    r.wire, "O DC C DH H DM M DR R DR R DT L L N B DE E Q");
}

/* ---- lists that the filter asks for -------------------------------------------------- */

static void
macro_lists_are_kept_as_each_mta_keeps_them(void **state)
{
	static const struct {
		const char *profile, *mail, *rcpt, *eoh, *macros;
	} cases[] = {
		/* an empty list: none, or the default */
		{ SM, "{mail_addr}, i", "", NULL,
		    "C(j=mx.example _=c.example [192.0.2.1] {daemon_name}=MTA "
		    "{if_addr}=192.0.2.9) H() "
		    "M({mail_addr}=a@example.org i=4F1A) "
		    "E({msg_id}=<1@example.org>)" },
		{ "sendmail-8.14", "{mail_addr}", "", NULL,
		    "C(j=mx.example _=c.example [192.0.2.1] {daemon_name}=MTA "
		    "{if_addr}=192.0.2.9) H() "
		    "M({mail_addr}=a@example.org) "
		    "R({rcpt_mailer}=smtp {rcpt_addr}=b@example.com) "
		    "R({rcpt_mailer}=smtp {rcpt_addr}=c@example.com) "
		    "E({msg_id}=<1@example.org>)" },
		{ PF, "{mail_addr}", "", "{i} j",
		    "C(j=mx.example {daemon_name}=MTA {daemon_addr}=192.0.2.9 "
		    "v=1.0 _=c.example [192.0.2.1]) H() "
		    "M({mail_addr}=a@example.org) "
		    "R({rcpt_addr}=b@example.com {rcpt_mailer}=smtp) "
		    "R(i=4F1A {rcpt_addr}=c@example.com {rcpt_mailer}=smtp) "
		    "T(i=4F1A) L({i}=4F1A j=mx.example) "
		    "L({i}=4F1A j=mx.example) N({i}=4F1A j=mx.example) "
		    "B({i}=4F1A j=mx.example) E({i}=4F1A j=mx.example)" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		clean(state);
		r.filter.want.macros[MLT_STAGE_MAIL] = cases[i].mail;
		r.filter.want.macros[MLT_STAGE_RCPT] = cases[i].rcpt;
		r.filter.want.macros[MLT_STAGE_EOH] = cases[i].eoh;
		play(cases[i].profile, 1);
		assert_string_equal(r.macros, cases[i].macros);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    two_messages_go_as_each_mta_sends_them, clean),
		cmocka_unit_test_setup(macros_are_those_of_the_mta, clean),
		cmocka_unit_test_setup(
		    each_verdict_has_its_consequences, clean),
		cmocka_unit_test_setup(a_message_may_end_at_every_stage, clean),
		cmocka_unit_test_setup(
		    unwanted_commands_leave_their_macros_behind, clean),
		cmocka_unit_test_setup(
		    an_older_filter_gets_no_newer_commands, clean),
		cmocka_unit_test_setup(
		    macro_lists_are_kept_as_each_mta_keeps_them, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
