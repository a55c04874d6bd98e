/* SPDX-License-Identifier: MIT */
/* mta_sendmail: the lines of a sendmail.cf that are about milters. */
#include "cli/mta_sendmail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct mta m;

static void
read_for(const char *conn, const char *text)
{
	struct mta_addr ours;

	assert_int_equal(mta_addr_ours(&ours, conn, strlen(conn)), 0);
	memset(&m, 0, sizeof(m));
	mta_sendmail_read(&m, &ours, text, strlen(text));
}

/* seen: made by m4 from Sendmail 8.17.1's cf/ */
static const char usual[] =
    "#O MaxMessageSize=1\n"
    "V10/Berkeley\n"
    "O DontBlameSendmail=TrustStickyBit,GroupWritableDirPathSafe\n"
    "O MaxMessageSize=20000000\n"
    "O DaemonPortOptions=Family=inet,  Name=MTA-v4, Port=smtp, "
    "Addr=127.0.0.1\n"
    "O DaemonPortOptions=Family=inet,  Name=MSP-v4, Port=submission, M=Ea,\n"
    "\tAddr=127.0.0.1, InputMailFilters=\n"
    "O RunAsUser=smmsp:smmsp\n"
    "O InputMailFilters=other, mimedefang\n"
    "O Milter.macros.connect=j, _, {daemon_name}, {if_name}, {if_addr}\n"
    "O Milter.macros.envfrom=i, {auth_type},\n"
    "  {mail_addr}\n"
    "O Milter.macros.eom={msg_id}\n"
    "Xother, S=inet:8891@localhost, F=R\n"
    "Xmimedefang, S=unix:/var/spool/MIMEDefang/mimedefang.sock, F=T, "
    "T=C:1m;S:60s;R:90s;E:5m\n";
#define OURS "/var/spool/MIMEDefang/mimedefang.sock"

static void
facts_of_the_file(void **state)
{
	(void)state;
	read_for(OURS, usual);
	assert_false(m.postfix);
	assert_true(m.trusts_sticky);
	assert_true(m.trusts_group);
	assert_false(m.unlisted);
	assert_int_equal(m.message_bytes, 20000000);
	assert_string_equal(m.user.name, "smmsp");
	assert_true(mta_has_macro(m.macros[MTA_CONNECT], "if_addr"));
	assert_true(mta_has_macro(m.macros[MTA_MAIL], "mail_addr"));
	assert_string_equal(m.macros[MTA_RCPT], "");
	assert_string_equal(m.macros[MTA_EOM], "{msg_id}");
}

static void
each_daemon_has_its_list(void **state)
{
	const struct mta_way *w = m.way;

	(void)state;
	read_for(OURS, usual);
	assert_int_equal(m.n_ways, 2);
	assert_string_equal(w[0].name, "MTA-v4");
	assert_false(w[0].own_list);
	assert_true(w[0].ours);
	assert_string_equal(w[0].list, "other, mimedefang");
	assert_int_equal(w[0].terms.action, MTA_TEMPFAIL);
	assert_int_equal(w[0].terms.connect_s, 60);
	assert_int_equal(w[0].terms.command_s, 90);
	assert_int_equal(w[0].terms.content_s, 90);
	assert_int_equal(w[0].terms.end_s, 300);
	assert_string_equal(w[1].name, "MSP-v4");
	assert_true(w[1].own_list);
	assert_false(w[1].ours);
}

static void
what_is_not_said_is_as_sendmail_has_it(void **state)
{
	const struct mta_way *w = m.way;

	(void)state;
	read_for("inet:1@127.0.0.1",
	    "Xa, S=inet:1@localhost\nO InputMailFilters = a\n");
	assert_int_equal(m.n_ways, 1);
	assert_string_equal(w->name, "MTA");
	assert_true(w->ours);
	assert_int_equal(w->terms.action, MTA_ACCEPT);
	assert_int_equal(w->terms.connect_s, 300);
	assert_int_equal(w->terms.command_s, 10);
	assert_int_equal(w->terms.end_s, 300);
	assert_string_equal(m.user.name, "root");
	assert_int_equal(m.message_bytes, 0);
	assert_false(m.trusts_sticky);
}

static void
flags_say_what_is_done_without_the_filter(void **state)
{
	(void)state;
	read_for("/m", "Xa, S=/m, F=R\nO InputMailFilters=a\n");
	assert_int_equal(m.way[0].terms.action, MTA_REJECT);
	read_for("/m", "Xa, S=/m, F=4\nO InputMailFilters=a\n");
	assert_int_equal(m.way[0].terms.action, MTA_TEMPFAIL);
	read_for("/m", "Xa, S=/m, F=\nO InputMailFilters=a\n");
	assert_int_equal(m.way[0].terms.action, MTA_ACCEPT);
}

static void
lists_of_daemons_are_by_semicolons(void **state)
{
	(void)state;
	read_for("/m", "O DaemonPortOptions=Name=A, InputMailFilters=x;a\n"
		       "O DaemonPortOptions=Name=B, InputMailFilters=x\n"
		       "O DaemonPortOptions=Port=25\nXa, S=/m\nXx, S=/x\n");
	assert_true(m.way[0].ours);
	assert_false(m.way[1].ours);
	assert_string_equal(m.way[2].name, "MTA");
	assert_false(m.way[2].ours);
	assert_false(m.unlisted);
}

static void
a_filter_in_no_list_is_told(void **state)
{
	(void)state;
	read_for("/m", "Xa, S=/m\nXb, S=/b\nO InputMailFilters=b\n");
	assert_true(m.unlisted);
	assert_false(m.way[0].ours);
	read_for("/m", "Xb, S=/b\nO InputMailFilters=b\n");
	assert_false(m.unlisted);
}

static void
odd_lines_do_no_harm(void **state)
{
	(void)state;
	read_for("/m", "");
	assert_int_equal(m.n_ways, 1);
	read_for("/m", "X\nX,\nX, S=/m\nXa\nO\nO x\nO =\nO Milter.macros.=x\n"
		       "O MaxMessageSize=big\nO RunAsUser=\n");
	assert_false(m.way[0].ours);
	assert_int_equal(m.message_bytes, 0);
}

/* Fields of a list, as "NAME|VALUE;". */
static void
fields_of_a_list(void **state)
{
	static const char list[] = " a = b c ,d,, e=";
	static const char *const want[] = { "a|b c", "d|", "|", "e|" };
	const char *p = list, *end = list + strlen(list);
	struct cf_field f;
	char got[50];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(cf_field_next(&p, end, ',', &f));
		snprintf(got, sizeof(got), "%.*s|%.*s", (int)f.n_name, f.name,
		    (int)f.n_value, f.value);
		assert_string_equal(got, want[i]);
	}
	assert_false(cf_field_next(&p, end, ',', &f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_of_the_file),
		cmocka_unit_test(each_daemon_has_its_list),
		cmocka_unit_test(what_is_not_said_is_as_sendmail_has_it),
		cmocka_unit_test(flags_say_what_is_done_without_the_filter),
		cmocka_unit_test(lists_of_daemons_are_by_semicolons),
		cmocka_unit_test(a_filter_in_no_list_is_told),
		cmocka_unit_test(odd_lines_do_no_harm),
		cmocka_unit_test(fields_of_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
