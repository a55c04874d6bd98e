/* SPDX-License-Identifier: MIT */
#include "cli/check/client.h"

#include "tests/support/failmalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const struct client_opts dflt = { .mta = "postfix",
	.from = "sender@example.net" };

static const struct eml message = { .body = { "x\n", 2 } };

static const char *
list(struct mlt_play_list l)
{
	static char out[1024];
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < l.n; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%.*s",
		    i ? "," : "", (int)l.v[i].n, l.v[i].p);
	return out;
}

static struct client *
make(const struct client_opts *o)
{
	char err[300] = "";
	struct client *c = client_new(o, &message, 1, err, sizeof(err));

	assert_string_equal(err, "");
	assert_non_null(c);
	return c;
}

static void
nothing_said_is_a_documentation_client(void **state)
{
	struct client *c = make(&dflt);
	const struct mlt_play_script *s = client_script(c);
	const struct mlt_play_message *m = s->messages;

	(void)state;
	assert_string_equal(client_play_opts(c)->profile->name, "postfix-3");
	assert_int_equal(s->family, '4');
	assert_memory_equal(s->addr.p, "192.0.2.17", s->addr.n);
	assert_memory_equal(s->host.p, "client.example.net", s->host.n);
	assert_memory_equal(s->helo.p, "client.example.net", s->helo.n);
	assert_string_equal(list(m->from), "<sender@example.net>");
	assert_string_equal(list(m->macros),
	    "{mail_addr},sender@example.net,{mail_host},example.net,"
	    "{mail_mailer},esmtp,i,4dfLk16Zq0z123");
	assert_int_equal(m->n_rcpts, 1);
	assert_string_equal(list(m->rcpts[0].args), "<recipient@example.org>");
	assert_string_equal(list(m->rcpts[0].macros),
	    "{rcpt_addr},recipient@example.org,{rcpt_host},example.org,"
	    "{rcpt_mailer},local");
	client_free(c);
}

static void
options_are_told_as_an_mta_would(void **state)
{
	struct client_opts o = { .mta = "sendmail",
		.from = "a@b  SIZE=10 BODY=8BITMIME ",
		.to = { { "<c@d>", "bob NOTIFY=NEVER" }, 2 },
		.ip = "2001:db8::1",
		.helo = "h",
		.macros = { { "auth_authen=alice", "{x}=1=2", "i=Q" }, 3 } };
	struct client *c = make(&o);
	const struct mlt_play_script *s = client_script(c);
	const struct mlt_play_message *m = s->messages;

	(void)state;
	assert_string_equal(
	    client_play_opts(c)->profile->name, "sendmail-8.17");
	assert_int_equal(s->family, '6');
	assert_null(s->host.p); /* an address without a name */
	assert_memory_equal(s->helo.p, "h", 2);
	assert_string_equal(list(m->from), "<a@b>,SIZE=10,BODY=8BITMIME");
	assert_string_equal(list(m->rcpts[0].args), "<c@d>");
	assert_string_equal(list(m->rcpts[1].args), "<bob>,NOTIFY=NEVER");
	assert_string_equal(list(m->rcpts[1].macros),
	    "{auth_authen},alice,{x},1=2,i,Q,{rcpt_addr},bob,{rcpt_host},,"
	    "{rcpt_mailer},local");
	/* told at CONNECT, because the MTA's lists have {auth_authen} only */
	assert_string_equal(client_play_opts(c)->macros[MLT_STAGE_CONNECT],
	    "j _ {daemon_name} {if_name} {if_addr} {x}");
	client_free(c);
}

static void
a_message_has_its_name(void **state)
{
	struct mlt_play_header headers[] = {
		{ { "Subject", 7 }, { " x\n", 3 } },
		{ { "message-id ", 11 }, { "\r\n <1@b> \r\n", 12 } },
		{ { "Message-ID", 10 }, { " <2@b>\n", 7 } },
	};
	struct eml e = { .headers = headers, .n_headers = 3 };
	char err[300];
	struct client *c = client_new(&dflt, &e, 1, err, sizeof(err));

	(void)state;
	assert_non_null(c);
	assert_non_null(strstr(list(client_script(c)->messages[0].macros),
	    ",i,4dfLk16Zq0z123,{msg_id},<1@b>"));
	client_free(c);
}

static void
null_sender_and_a_named_client(void **state)
{
	struct client_opts o = { .mta = "generic-v2",
		.from = "",
		.ip = "127.0.0.1",
		.host = "localhost" };
	struct client *c = make(&o);

	(void)state;
	assert_string_equal(list(client_script(c)->messages[0].from), "<>");
	assert_memory_equal(client_script(c)->host.p, "localhost", 10);
	assert_memory_equal(client_script(c)->helo.p, "localhost", 10);
	client_free(c);
}

static void
mistakes_are_explained(void **state)
{
	static const struct {
		struct client_opts o;
		const char *want;
	} cases[] = {
		{ { .mta = "exim", .from = "" },
		    "--mta: \"exim\" is none of postfix sendmail "
		    "sendmail-8.17 " },
		{ { .mta = "postfix", .from = "", .ip = "1.2.3" },
		    "--ip: \"1.2.3\" is no IPv4 or IPv6 address" },
		{ { .mta = "postfix", .from = "", .macros = { { "x" }, 1 } },
		    "--macro: \"x\" is not NAME=VALUE" },
		{ { .mta = "postfix", .from = "", .macros = { { "=x" }, 1 } },
		    "--macro: \"=x\" is not NAME=VALUE" },
		{ { .mta = "postfix",
		      .from = "a 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 "
			      "3 4 5 6 7 8 9 0 1 2" },
		    "--from: at most 31 ESMTP parameters" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char err[300] = "";

		assert_null(
		    client_new(&cases[i].o, &message, 1, err, sizeof(err)));
		err[strlen(cases[i].want)] = '\0';
		assert_string_equal(err, cases[i].want);
	}
}

static void
no_memory_is_said(void **state)
{
	char err[300];
	size_t n;

	(void)state;
	failmalloc_after(SIZE_MAX);
	client_free(make(&dflt));
	n = failmalloc_count();
	for (size_t i = 0; i < n; i++) {
		failmalloc_after(i);
		/* vasprintf does not ask through the wrappers */
		assert_null(client_new(&dflt, &message, 1, err, sizeof(err)));
		failmalloc_off();
		assert_string_equal(err, "out of memory");
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_is_a_documentation_client),
		cmocka_unit_test(options_are_told_as_an_mta_would),
		cmocka_unit_test(a_message_has_its_name),
		cmocka_unit_test(null_sender_and_a_named_client),
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
