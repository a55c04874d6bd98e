/* SPDX-License-Identifier: MIT */
/* What md-mx-ctrl sends, and what it makes of the answers: literal texts, most
 * of them as the original program printed them. */
#include "cli/ctl_cmd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOAD                                                                   \
	"3 14 70 151 2.000000 1.857143 1.600000 1.543046 420.333333 "          \
	"388.214286 401.500000 397.887417 0 0 1 4 0 0 1 3 2 3 5 0 1542 17 10 " \
	"0 86423\n"
#define LOAD1                                                                  \
	"14 1.857143 388.214286 20 1.100000 2.300000 18 1.200000 5.100000 25 " \
	"1.400000 9.800000 2 3 5 0 1542 17 10 0 86423 60 1 0 0 1\n"
#define HLOAD                                                                  \
	"512 2100 6003 11877 1.400000 1.500000 1.500000 1.400000 390.100000 "  \
	"401.200000 399.900000 398.000000 2990 13790 42588 85800\n"
#define NOTHING "ERROR multiplexor: closed the connection without an answer\n"

static const struct ctl_command *
find(const char *line)
{
	return ctl_find(line, strlen(line));
}

static void
end(struct ctl_shown *s)
{
	buf_fini(&s->out);
	buf_fini(&s->err);
}

static struct ctl_shown
show_octets(const char *line, bool json, const char *answer, size_t n)
{
	struct ctl_shown s = { .status = -1 };
	struct ctl_form_in in = {
		.text = { answer, n }, .hostname = "mx1", .now = 1795347621
	};

	buf_init(&s.out, 0);
	buf_init(&s.err, 0);
	ctl_show(find(line), json, &in, &s);
	assert_non_null(buf_cstr(&s.out));
	assert_non_null(buf_cstr(&s.err));
	return s;
}

struct show_case {
	const char *line, *answer, *out, *err;
	int status;
};

static void
check(const struct show_case *c, size_t n, bool json)
{
	for (size_t i = 0; i < n; i++) {
		struct ctl_shown s = show_octets(
		    c[i].line, json, c[i].answer, strlen(c[i].answer));

		print_message("%s\n", c[i].line);
		assert_string_equal(buf_cstr(&s.out), c[i].out);
		assert_string_equal(buf_cstr(&s.err), c[i].err ? c[i].err : "");
		assert_int_equal(s.status, c[i].status);
		end(&s);
	}
}
#define CHECK(cases, json) check(cases, sizeof(cases) / sizeof(cases[0]), json)

static int
use_utc(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

static void
status_is_told_in_words_and_bars(void **state)
{
	static const struct show_case cases[] = {
		{ "status", "BIS 12 7 4 2 99\n",
		    "Max workers: 3\nWorker 0: busy\nWorker 1: idle\n"
		    "Worker 2: stopped\n",
		    NULL, 0 },
		{ "status", "K 0 1 0 0 1\n",
		    "Max workers: 1\nWorker 0: killed\n", NULL, 0 },
		{ "status", "BIX 1 2 3 4 5\n",
		    "Max workers: 3\nWorker 0: busy\nWorker 1: idle\n"
		    "Worker 2: unknown state 'X'\n",
		    NULL, 0 },
		{ "status", "I\x1b 1 2 3 4 5\n",
		    "Max workers: 2\nWorker 0: idle\n"
		    "Worker 1: unknown state '\\x1B'\n",
		    NULL, 0 },
		{ "rawstatus", "BIS 12 7 4 2 99\n", "BIS 12 7 4 2 99\n", NULL,
		    0 },
		{ "barstatus", "BBISSSSSSS 1542 17 0 0 86423\n",
		    "  2/10 BB........ 1542\n", NULL, 0 },
		{ "barstatus", "BBBBB 0 7 2 2 99\n",
		    "  5/5 BBBBB    2/2 QQ 0\n", NULL, 0 },
		{ "barstatus", "BIX 1 2 3 4 5\n", "  1/3 B..    4/3 QQQ 1\n",
		    NULL, 0 },
		{ "barstatus", "BBBBBBBBBIIIIIIIIIIIIIIIII 5 1 40 1 3\n",
		    "  9/26 BBBBBBBBB................    1/40 "
		    "Q................... 5\n",
		    NULL, 0 },
		{ "barstatus", "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBB 5 1 40 15 3\n",
		    " 30/30 BBBBBBBBBBBBBBBBBBBBBBBBB   15/40 "
		    "QQQQQQQQ............ 5\n",
		    NULL, 0 },
		{ "jsonstatus", "BIS 12 7 4 2 99\n",
		    "{\"timestamp\": \"Sun Nov 22 11:40:21 "
		    "2026\",\"hostname\": "
		    "\"mx1\",\"Worker0\": \"busy\",\"Worker1\": \"idle\","
		    "\"Worker2\": \"stopped\"}",
		    NULL, 0 },
	};

	(void)state;
	CHECK(cases, false);
}

static void
load_is_told_in_columns(void **state)
{
	static const struct show_case cases[] = {
		{ "load", LOAD,
		    "  Load              Msgs        Msgs/Sec     Avg ms/Scan  "
		    " "
		    "Avg Busy Workers\n"
		    "10 Sec               3            0.30           420.3    "
		    " "
		    "       2.00\n"
		    " 1 Min              14            0.23           388.2    "
		    " "
		    "       1.86\n"
		    " 5 Min              70            0.23           401.5    "
		    " "
		    "       1.60\n"
		    "10 Min             151            0.25           397.9    "
		    " "
		    "       1.54\n",
		    NULL, 0 },
		{ "hload", HLOAD,
		    "  Load              Msgs        Msgs/Sec     Avg ms/Scan  "
		    " "
		    "Avg Busy Workers\n"
		    "    1h             512            0.17           390.1    "
		    " "
		    "       1.40\n"
		    "    4h            2100            0.15           401.2    "
		    " "
		    "       1.50\n"
		    "   12h            6003            0.14           399.9    "
		    " "
		    "       1.50\n"
		    "   24h           11877            0.14           398.0    "
		    " "
		    "       1.40\n",
		    NULL, 0 },
		{ "hload", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
		    "  Load              Msgs        Msgs/Sec     Avg ms/Scan  "
		    " "
		    "Avg Busy Workers\n"
		    "    1h               0            0.00             0.0    "
		    " "
		    "       0.00\n"
		    "    4h               0            0.00             0.0    "
		    " "
		    "       0.00\n"
		    "   12h               0            0.00             0.0    "
		    " "
		    "       0.00\n"
		    "   24h               0            0.00             0.0    "
		    " "
		    "       0.00\n",
		    NULL, 0 },
		{ "rawload", LOAD, LOAD, NULL, 0 },
		{ "rawhload-recipok", HLOAD, HLOAD, NULL, 0 },
	};

	(void)state;
	CHECK(cases, false);
}

static void
each_kind_of_load_has_its_head(void **state)
{
	static const struct {
		const char *line, *head;
	} cases[] = {
		{ "load-relayok", "  Load              Conn        Conn/Sec    "
				  " Avg ms/Conn   Avg Busy Workers\n" },
		{ "load-senderok", "  Load              MAIL        MAIL/Sec   "
				   "  Avg ms/MAIL   Avg Busy Workers\n" },
		{ "load-recipok", "  Load              RCPT        RCPT/Sec    "
				  " Avg ms/RCPT   Avg Busy Workers\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ctl_shown s =
		    show_octets(cases[i].line, false, LOAD, strlen(LOAD));

		assert_memory_equal(
		    buf_data(&s.out), cases[i].head, strlen(cases[i].head));
		end(&s);
	}
}

static void
load1_is_told_as_table_and_as_json(void **state)
{
	static const struct show_case cases[] = {
		{ "load1 60", LOAD1,
		    "Statistics for last 60 seconds:\n"
		    "       Cmd             Num           Num/s      "
		    "AvgWorkers "
		    "          AvgMS\n"
		    "      Scan              14             0.2             "
		    "1.9 "
		    "          388.2\n"
		    "   Relayok              20             0.3             "
		    "1.1 "
		    "            2.3\n"
		    "  Senderok              18             0.3             "
		    "1.2 "
		    "            5.1\n"
		    "   Recipok              25             0.4             "
		    "1.4 "
		    "            9.8\n"
		    "\n"
		    "Current Snapshot:\n"
		    "Workers: busy=2 idle=3 stopped=5 killed=0\n"
		    "Cmds:   scan=1 relayok=0 senderok=0 recipok=1\n"
		    "Queue:  size=10 queued=0\n",
		    NULL, 0 },
		{ "jsonload1 60", LOAD1,
		    "{\"timestamp\": \"Sun Nov 22 11:40:21 "
		    "2026\",\"hostname\": "
		    "\"mx1\",\"busyworkers\":2, \"idleworkers\":3, "
		    "\"stoppedworkers\":5, \"killedworkers\":0,\"scan\":14, "
		    "\"relayok\":20, \"senderok\":18, \"recipok\":25,"
		    "\"queue_size\":10, \"queued_requests\":0}\n",
		    NULL, 0 },
		{ "rawload1 60", LOAD1, LOAD1, NULL, 0 },
	};

	(void)state;
	CHECK(cases, false);
}

static void
other_answers_are_decoded(void **state)
{
	static const struct show_case cases[] = {
		{ "free", "3\n", "3\n", NULL, 0 },
		{ "version", "3.7.1", "3.7.1\n", NULL, 0 },
		{ "Custom x%20y", "ok a%20b%0Ac\n", "ok a b\nc\n", NULL, 0 },
		{ "busyworkers", "", "", NULL, 0 },
		{ "histo", "   1 900\n   2 41\n", "   1 900\n   2 41\n", NULL,
		    0 },
		{ "rawstatus", "a%20b", "a%20b\n", NULL, 0 },
		{ "reread", "a%20b%0Ac", "a%20b%0Ac\n", NULL, 0 },
		{ "msgs", "error: x y\n", "error: x y\n", NULL, 0 },
	};

	(void)state;
	CHECK(cases, false);
}

static void
answers_that_are_no_report_are_refused(void **state)
{
	static const struct show_case cases[] = {
		{ "status", "error: no\n", "", "ERROR error: no\n", 1 },
		{ "barstatus", "\x1b]0;x\x07\n", "", "ERROR \\x1B]0;x\\x07\n",
		    1 },
		{ "jsonstatus", "no\nno\n", "", "ERROR no\\x0Ano\n", 1 },
		{ "load", "error: x\n",
		    "Could not interpret response: error: x\n", NULL, 1 },
		{ "load", "1 2 3\n", "Could not interpret response: 1 2 3\n",
		    NULL, 1 },
		{ "hload", HLOAD "1\n",
		    "Could not interpret response: 512 2100 6003 11877 "
		    "1.400000 1.500000 1.500000 1.400000 390.100000 "
		    "401.200000 399.900000 398.000000 2990 13790 42588 "
		    "85800\\x0A1\n",
		    NULL, 1 },
		{ "load1 5", "error: Invalid 'back' amount (must be 10-600)\n",
		    "Could not interpret response: error: Invalid 'back' "
		    "amount "
		    "(must be 10-600)\n",
		    NULL, 1 },
		{ "jsonload1 60", "1 nan\n",
		    "Could not interpret response: 1 nan\n", NULL, 1 },
		{ "free", "", "", NOTHING, 1 },
		{ "status", "", "", NOTHING, 1 },
		{ "load1 60", "", "", NOTHING, 1 },
	};

	(void)state;
	CHECK(cases, false);
}

static void
numbers_are_plain_and_few_digits(void **state)
{
	static const char *const bad[] = { "-1", "1e3", "0x10", "inf", "nan",
		"+1", "1.", ".5", "1.2.3", "1234567890123456", "" };
	char answer[400];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ctl_shown s;

		snprintf(answer, sizeof(answer),
		    "%s 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", bad[i]);
		s = show_octets("hload", false, answer, strlen(answer));
		assert_int_equal(s.status, 1);
		end(&s);
	}
}

static void
requests_are_what_the_multiplexor_knows(void **state)
{
	static const struct {
		const char *line, *sent;
	} cases[] = {
		{ "status", "status\n" },
		{ "barstatus", "status\n" },
		{ "jsonstatus", "status\n" },
		{ "rawstatus", "status\n" },
		{ "rawload", "load\n" },
		{ "rawload-senderok", "load-senderok\n" },
		{ "rawhload-relayok", "hload-relayok\n" },
		{ "rawload1 60", "load1 60\n" },
		{ "jsonload1 60 1", "load1 60 1\n" },
		{ "workerinfo 3", "workerinfo 3\n" },
		{ "free x", "free x\n" },
		{ "statusx", "statusx\n" },
		{ "Status", "Status\n" },
		{ "", "\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *line = cases[i].line;
		struct buf b;

		buf_init(&b, 0);
		ctl_request(find(line), line, strlen(line), &b);
		assert_string_equal(buf_cstr(&b), cases[i].sent);
		buf_fini(&b);
	}
	assert_true(ctl_lacks_arg(find("load1"), 5));
	assert_true(ctl_lacks_arg(find("load1 "), 6));
	assert_false(ctl_lacks_arg(find("load1 9"), 7));
	assert_false(ctl_lacks_arg(find("free"), 4));
	assert_string_equal(find("free x")->name, "");
}

#define HEAD "{\"timestamp\":\"2026-11-22T11:40:21Z\",\"hostname\":\"mx1\","
#define TOTALS                                                                 \
	"\"busyworkers\":2,\"idleworkers\":3,\"stoppedworkers\":5,"            \
	"\"killedworkers\":0,\"msgs\":1542,\"activations\":17,"                \
	"\"queue_size\":10,\"queued_requests\":0,\"uptime\":86423,"

static void
every_report_has_a_json_form(void **state)
{
	static const struct show_case cases[] = {
		{ "status", "BIS 12 7 4 2 99\n",
		    HEAD "\"busyworkers\":1,\"idleworkers\":1,"
			 "\"stoppedworkers\":1,\"killedworkers\":0,\"msgs\":12,"
			 "\"activations\":7,\"queue_size\":4,"
			 "\"queued_requests\":2,\"uptime\":99,\"workers\":["
			 "\"busy\",\"idle\",\"stopped\"]}\n",
		    NULL, 0 },
		{ "workers",
		    "0 B 811 scan last=scan ago=0 (1: > Reading \"x\")\n"
		    "1 S last=scan ago=311\n2 B 9 ago=2 (map access)\n",
		    HEAD "\"workers\":[{\"slot\":0,\"state\":\"busy\","
			 "\"pid\":811,\"command\":\"scan\",\"last\":\"scan\","
			 "\"ago\":0,\"tag\":\"1: > Reading \\\"x\\\"\"},"
			 "{\"slot\":1,\"state\":\"stopped\",\"pid\":null,"
			 "\"command\":null,\"last\":\"scan\",\"ago\":311,"
			 "\"tag\":null},{\"slot\":2,\"state\":\"busy\","
			 "\"pid\":9,\"command\":null,\"last\":null,\"ago\":2,"
			 "\"tag\":\"map access\"}]}\n",
		    NULL, 0 },
		{ "busyworkers", "", HEAD "\"workers\":[]}\n", NULL, 0 },
		{ "workerinfo 0",
		    "Worker 0\nState Busy\nPID 10512\nNumRequests 2\nNumScans "
		    "1\n"
		    "Age 5\nFirstReqAge -1\nLastStateChangeAge 2\n"
		    "StatusTag scan 4XyZ12\n",
		    HEAD "\"slot\":0,\"state\":\"busy\",\"pid\":10512,"
			 "\"requests\":2,\"scans\":1,\"age\":5,"
			 "\"first_request_age\":null,\"ago\":2,"
			 "\"tag\":\"scan 4XyZ12\"}\n",
		    NULL, 0 },
		{ "load1 60", LOAD1,
		    HEAD TOTALS
		    "\"seconds\":60,\"commands\":{\"scan\":{\"count\":14,"
		    "\"rate\":0.233333,\"ms\":388.214286,"
		    "\"busyworkers\":1.857143,\"running\":1},\"relayok\":{"
		    "\"count\":20,\"rate\":0.333333,\"ms\":2.300000,"
		    "\"busyworkers\":1.100000,\"running\":0},\"senderok\":{"
		    "\"count\":18,\"rate\":0.300000,\"ms\":5.100000,"
		    "\"busyworkers\":1.200000,\"running\":0},\"recipok\":{"
		    "\"count\":25,\"rate\":0.416667,\"ms\":9.800000,"
		    "\"busyworkers\":1.400000,\"running\":1}}}\n",
		    NULL, 0 },
		{ "histo", "   1 900\n   2 41\n",
		    HEAD "\"histo\":[{\"busyworkers\":1,\"count\":900},"
			 "{\"busyworkers\":2,\"count\":41}]}\n",
		    NULL, 0 },
		{ "msgs", "7\n", HEAD "\"msgs\":7}\n", NULL, 0 },
		{ "free", "3\n", HEAD "\"free\":3}\n", NULL, 0 },
		{ "version", "3.7.1", HEAD "\"version\":\"3.7.1\"}\n", NULL,
		    0 },
		{ "autoscale",
		    "enabled=1 interval=15 ema_busy=0.4213 scale_out=0.80\n",
		    HEAD "\"enabled\":1,\"interval\":15,\"ema_busy\":0.4213,"
			 "\"scale_out\":0.8}\n",
		    NULL, 0 },
		{ "jsonstats", "{\"uptime\":3}\n", "{\"uptime\":3}\n", NULL,
		    0 },
		{ "metrics", "# EOF\n", HEAD "\"metrics\":\"# EOF\"}\n", NULL,
		    0 },
		{ "reread", "Forced reread of filter rules\n",
		    HEAD "\"reread\":\"Forced reread of filter rules\"}\n",
		    NULL, 0 },
		{ "custom", "ok a%20b\n", HEAD "\"answer\":\"ok a b\"}\n", NULL,
		    0 },
	};

	(void)state;
	CHECK(cases, true);
}

static void
loads_have_a_json_form(void **state)
{
	static const struct show_case cases[] = {
		{ "load-relayok", LOAD,
		    HEAD TOTALS
		    "\"command\":\"relayok\",\"windows\":[{\"seconds\":10,"
		    "\"count\":3,\"rate\":0.300000,\"ms\":420.333333,"
		    "\"busyworkers\":2.000000,\"activated\":0,\"reaped\":0},"
		    "{\"seconds\":60,\"count\":14,\"rate\":0.233333,"
		    "\"ms\":388.214286,\"busyworkers\":1.857143,"
		    "\"activated\":0,\"reaped\":0},{\"seconds\":300,"
		    "\"count\":70,\"rate\":0.233333,\"ms\":401.500000,"
		    "\"busyworkers\":1.600000,\"activated\":1,\"reaped\":1},"
		    "{\"seconds\":600,\"count\":151,\"rate\":0.251667,"
		    "\"ms\":397.887417,\"busyworkers\":1.543046,"
		    "\"activated\":4,\"reaped\":3}]}\n",
		    NULL, 0 },
		{ "hload", HLOAD,
		    HEAD
		    "\"command\":\"scan\",\"windows\":[{\"hours\":1,"
		    "\"seconds\":2990,\"count\":512,\"rate\":0.171237,"
		    "\"ms\":390.100000,\"busyworkers\":1.400000},{\"hours\":4,"
		    "\"seconds\":13790,\"count\":2100,\"rate\":0.152284,"
		    "\"ms\":401.200000,\"busyworkers\":1.500000},{\"hours\":12,"
		    "\"seconds\":42588,\"count\":6003,\"rate\":0.140955,"
		    "\"ms\":399.900000,\"busyworkers\":1.500000},{\"hours\":24,"
		    "\"seconds\":85800,\"count\":11877,\"rate\":0.138427,"
		    "\"ms\":398.000000,\"busyworkers\":1.400000}]}\n",
		    NULL, 0 },
	};

	(void)state;
	CHECK(cases, true);
}

static void
errors_are_json_too(void **state)
{
	static const struct show_case cases[] = {
		{ "workerinfo 9", "error: Worker number out of range\n",
		    "{\"error\":\"error: Worker number out of range\"}\n", NULL,
		    1 },
		{ "status", "I 1 2 3 x 5\n", "{\"error\":\"I 1 2 3 x 5\"}\n",
		    NULL, 1 },
		{ "status", "IZ 1 2 3 4 5\n", "{\"error\":\"IZ 1 2 3 4 5\"}\n",
		    NULL, 1 },
		{ "workers", "0 B\n1 ?\n", "{\"error\":\"0 B\\u000a1 ?\"}\n",
		    NULL, 1 },
		{ "histo", "   1 x\n", "{\"error\":\"   1 x\"}\n", NULL, 1 },
		{ "autoscale", "a=1 b\n", "{\"error\":\"a=1 b\"}\n", NULL, 1 },
		{ "free", "\xff\x1b\n", "{\"error\":\"\\ufffd\\u001b\"}\n",
		    NULL, 1 },
		{ "free", "",
		    "{\"error\":\"multiplexor: closed the connection without "
		    "an answer\"}\n",
		    NULL, 1 },
	};

	(void)state;
	CHECK(cases, true);
}

static void
an_answer_too_long_to_show_is_an_error(void **state)
{
	struct ctl_shown s = { .status = -1 };
	struct ctl_form_in in = { .text = { "IIII 0 0 0 0 0\n", 15 },
		.hostname = "mx1" };

	(void)state;
	buf_init(&s.out, 40);
	buf_init(&s.err, 0);
	ctl_show(find("status"), false, &in, &s);
	assert_int_equal(s.status, 1);
	assert_int_equal(buf_len(&s.out), 0);
	assert_string_equal(
	    buf_cstr(&s.err), "ERROR multiplexor: the answer is too long\n");
	end(&s);
}

static void
one_table_feeds_help_and_manual(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	ctl_help(false, &b);
	assert_non_null(strstr(buf_cstr(&b), "  workers, slaves           "
					     "  a line for each worker\n"));
	assert_non_null(strstr(buf_cstr(&b),
	    "  load, load-relayok, load-senderok, load-recipok\n"
	    "                              requests of the last "));
	buf_reset(&b);
	ctl_help(true, &b);
	assert_null(strstr(buf_cstr(&b), "workers,"));
	assert_non_null(strstr(buf_cstr(&b), "  wait-ready   "));
	buf_reset(&b);
	ctl_mdoc(&b);
	assert_non_null(strstr(buf_cstr(&b),
	    ".It Cm workerinfo , Cm slaveinfo Ar N\nAll about worker N.\n"));
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_is_told_in_words_and_bars),
		cmocka_unit_test(load_is_told_in_columns),
		cmocka_unit_test(each_kind_of_load_has_its_head),
		cmocka_unit_test(load1_is_told_as_table_and_as_json),
		cmocka_unit_test(other_answers_are_decoded),
		cmocka_unit_test(answers_that_are_no_report_are_refused),
		cmocka_unit_test(numbers_are_plain_and_few_digits),
		cmocka_unit_test(requests_are_what_the_multiplexor_knows),
		cmocka_unit_test(every_report_has_a_json_form),
		cmocka_unit_test(loads_have_a_json_form),
		cmocka_unit_test(errors_are_json_too),
		cmocka_unit_test(an_answer_too_long_to_show_is_an_error),
		cmocka_unit_test(one_table_feeds_help_and_manual),
	};
	return cmocka_run_group_tests(tests, use_utc, NULL);
}
