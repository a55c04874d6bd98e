/* SPDX-License-Identifier: MIT */
/* mta_postfix: what postconf prints, read as it means it. */
#include "cli/mta_postfix.h"

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
	mta_postfix_read(&m, &ours, text, strlen(text));
}

/* seen: postconf of Postfix 3.7.11 */
static const char usual[] =
    "postconf: warning: /etc/postfix/master.cf: unused parameter: x = b\n"
    "smtpd_milters = inet:127.0.0.1:8891, unix:/run/md.sock\n"
    "non_smtpd_milters =\n"
    "milter_default_action = tempfail\n"
    "milter_protocol = 6\n"
    "milter_connect_timeout = 30s\n"
    "milter_command_timeout = 5m\n"
    "milter_content_timeout = 300s\n"
    "milter_connect_macros = j {daemon_name}\n"
    "milter_mail_macros = i {mail_addr}\n"
    "milter_data_macros = i\n"
    "milter_end_of_data_macros = {x}\n"
    "queue_directory = /var/spool/postfix\n"
    "mail_owner = postfix\n"
    "message_size_limit = 10240000\n"
    "compatibility_level = 3.6\n"
    "submission/inet/smtpd_milters =\n"
    "submission/inet/milter_protocol = 4\n"
    "smtp/inet/chroot = y\n"
    "smtp/inet/command = smtpd\n"
    "submission/inet/chroot = -\n"
    "submission/inet/command = smtpd -o smtpd_milters=\n"
    "pickup/unix/command = pickup\n"
    "cleanup/unix/chroot = n\n"
    "cleanup/unix/command = cleanup\n";

static void
facts_of_all_services(void **state)
{
	(void)state;
	read_for("/run/md.sock", usual);
	assert_true(m.postfix);
	assert_string_equal(m.queue_dir, "/var/spool/postfix");
	assert_string_equal(m.user.name, "postfix");
	assert_int_equal(m.message_bytes, 10240000);
	assert_string_equal(m.macros[MTA_CONNECT], "j {daemon_name}");
	assert_string_equal(m.macros[MTA_HELO], "");
	assert_string_equal(m.macros[MTA_MAIL], "i {mail_addr}");
	assert_true(mta_has_macro(m.macros[MTA_EOM], "i"));
	assert_true(mta_has_macro(m.macros[MTA_EOM], "x"));
	assert_int_equal(m.n_ways, 3);
}

static void
each_way_has_its_list(void **state)
{
	const struct mta_way *w = m.way;

	(void)state;
	read_for("/run/md.sock", usual);
	assert_string_equal(w[0].name, "smtp/inet");
	assert_false(w[0].local);
	assert_false(w[0].own_list);
	assert_true(w[0].chroot);
	assert_true(w[0].ours);
	assert_true(w[0].hidden);
	assert_string_equal(
	    w[0].list, "inet:127.0.0.1:8891, unix:/run/md.sock");
	assert_int_equal(w[0].terms.command_s, 300);
	assert_int_equal(w[0].terms.end_s, 0);
	assert_int_equal(w[0].terms.version, 6);

	assert_string_equal(w[1].name, "submission/inet");
	assert_true(w[1].own_list);
	assert_false(w[1].chroot);
	assert_false(w[1].ours);
	assert_string_equal(w[1].list, "");

	assert_string_equal(w[2].name, "cleanup/unix");
	assert_true(w[2].local);
	assert_false(w[2].ours);
}

static void
an_older_postfix_has_a_chroot_by_default(void **state)
{
	static const char services[] = "smtp/inet/chroot = -\n"
				       "smtp/inet/command = smtpd\n";
	char text[200];

	(void)state;
	read_for("/m", services);
	assert_true(m.way[0].chroot);
	snprintf(text, sizeof(text), "compatibility_level = 0\n%s", services);
	read_for("/m", text);
	assert_true(m.way[0].chroot);
	snprintf(text, sizeof(text), "compatibility_level = 2\n%s", services);
	read_for("/m", text);
	assert_false(m.way[0].chroot);
}

/* What the only service has with this line. */
static const struct mta_way *
with(const char *conn, const char *line, char chroot)
{
	char text[1000];

	snprintf(text, sizeof(text),
	    "queue_directory = /q\n%s\nsmtp/inet/chroot = %c\n"
	    "smtp/inet/command = smtpd\n",
	    line, chroot);
	read_for(conn, text);
	assert_int_equal(m.n_ways, 1);
	return &m.way[0];
}

static void
a_unix_path_is_seen_from_the_process(void **state)
{
	static const struct {
		const char *conn, *line;
		char chroot;
		bool ours, hidden;
	} cases[] = {
		{ "/q/m", "smtpd_milters = unix:m", 'n', true, false },
		{ "/q/m", "smtpd_milters = unix:m", 'y', true, false },
		{ "/q/m", "smtpd_milters = unix:/m", 'y', true, false },
		{ "/q/m", "smtpd_milters = unix:/q/m", 'n', true, false },
		{ "/q/m", "smtpd_milters = unix:/q/m", 'y', true, true },
		{ "/r/m", "smtpd_milters = unix:/r/m", 'y', true, true },
		{ "/r/m", "smtpd_milters = unix:m", 'n', false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mta_way *w =
		    with(cases[i].conn, cases[i].line, cases[i].chroot);

		assert_int_equal(w->ours, cases[i].ours);
		assert_int_equal(w->hidden, cases[i].hidden);
	}
}

static void
a_milter_may_have_terms_of_its_own(void **state)
{
	const struct mta_way *w;

	(void)state;
	w = with("inet:1@127.0.0.1",
	    "milter_default_action = tempfail\n"
	    "smtpd_milters = unix:/x { inet:localhost:1, "
	    "command_timeout = 7s, {default_action = accept}, protocol=3 }, "
	    "inet:h:2",
	    'n');
	assert_true(w->ours);
	assert_int_equal(w->terms.action, MTA_ACCEPT);
	assert_int_equal(w->terms.command_s, 7);
	assert_int_equal(w->terms.version, 3);
	assert_int_equal(w->terms.connect_s, 30);
	w = with("inet:1@127.0.0.1",
	    "smtpd_milters = inet:127.0.0.1:1\n"
	    "milter_default_action = accept\n"
	    "smtp/inet/milter_default_action = quarantine\n"
	    "smtp/inet/milter_content_timeout = 1h",
	    'n');
	assert_int_equal(w->terms.action, MTA_HOLD);
	assert_int_equal(w->terms.content_s, 3600);
	w = with("inet:1@127.0.0.1",
	    "smtpd_milters = inet:127.0.0.1:1\n"
	    "milter_default_action = reject\nmilter_command_timeout = soon",
	    'n');
	assert_int_equal(w->terms.action, MTA_REJECT);
	assert_int_equal(w->terms.command_s, 30);
}

static void
a_service_may_use_none(void **state)
{
	const struct mta_way *w;

	(void)state;
	w = with("inet:1@127.0.0.1",
	    "smtpd_milters = inet:127.0.0.1:1\n"
	    "smtp/inet/receive_override_options = "
	    "no_unknown_recipient_checks,no_milters",
	    'n');
	assert_true(w->off);
	assert_false(w->ours);
	w = with("inet:1@127.0.0.1",
	    "smtpd_milters = inet:127.0.0.1:1\n"
	    "receive_override_options = no_header_body_checks\n"
	    "x/inet/receive_override_options = no_milters",
	    'n');
	assert_false(w->off);
	assert_true(w->ours);
}

/* Items of a list, as "SPEC|OPTIONS;". */
static const char *
items(const char *list)
{
	static char out[300];
	const char *p = list, *end = list + strlen(list);
	struct milter_item item;
	size_t n = 0;

	while (milter_item_next(&p, end, &item))
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%.*s|%.*s;",
		    (int)item.n_spec, item.spec, (int)item.n_options,
		    item.options);
	out[n] = '\0';
	return out;
}

static void
lists_of_milters(void **state)
{
	(void)state;
	assert_string_equal(items(""), "");
	assert_string_equal(items(" , "), "");
	assert_string_equal(items("a,b c"), "a|;b|;c|;");
	assert_string_equal(items("{ a, x=1 } b"), "a|, x=1 ;b|;");
	assert_string_equal(items("{a, {x = 1}}, b"), "a|, {x = 1};b|;");
	assert_string_equal(items("{a, x=1"), "a|, x=1;");
	assert_string_equal(items("{}"), "|;");
}

/* Lines as "KEY|VALUE;". */
static const char *
lines(const char *text)
{
	static char out[300];
	const char *p = text, *end = text + strlen(text);
	struct postconf_line l;
	size_t n = 0;

	while (postconf_next(&p, end, &l))
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%.*s|%.*s;",
		    (int)l.n_key, l.key, (int)l.n_value, l.value);
	out[n] = '\0';
	assert_ptr_equal(p, end);
	return out;
}

static void
lines_of_postconf(void **state)
{
	(void)state;
	assert_string_equal(lines(""), "");
	assert_string_equal(lines("a = b\nc =\n"), "a|b;c|;");
	assert_string_equal(lines("a = b = c"), "a|b = c;");
	assert_string_equal(lines("postconf: warning: x = y\n"), "");
	assert_string_equal(lines("a=b\n= c\na =b\n"), "");
	assert_string_equal(lines("a = \n"), "a|;");
}

static void
more_services_than_are_kept_do_no_harm(void **state)
{
	char text[8000];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "s%d/inet/command = smtpd\n", i);
	read_for("/m", text);
	assert_int_equal(m.n_ways, MTA_WAYS_MAX);
	assert_string_equal(m.way[MTA_WAYS_MAX - 1].name, "s31/inet");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_of_all_services),
		cmocka_unit_test(each_way_has_its_list),
		cmocka_unit_test(an_older_postfix_has_a_chroot_by_default),
		cmocka_unit_test(a_unix_path_is_seen_from_the_process),
		cmocka_unit_test(a_milter_may_have_terms_of_its_own),
		cmocka_unit_test(a_service_may_use_none),
		cmocka_unit_test(lists_of_milters),
		cmocka_unit_test(lines_of_postconf),
		cmocka_unit_test(more_services_than_are_kept_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
