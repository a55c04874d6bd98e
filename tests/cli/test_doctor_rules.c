/* SPDX-License-Identifier: MIT */
/* doctor_rules about the MTA and its way to the daemon: every finding is provoked
 * by one thing that is wrong with facts that are right otherwise.  tests/lint/doctor
 * looks for the names here and in test_doctor_host.c. */
#include "tests/cli/doctorfix.h"

#include <errno.h>

P(config, strcpy(m->trouble, "fatal: open /etc/postfix/main.cf");
    m->n_ways = 0;)
S(config_s, strcpy(m->trouble, "/x.cf: No such file or directory");
    m->n_ways = 0;)
P(unused, w[0].ours = w[1].ours = false; w[0].list[0] = w[1].list[0] = '\0';)
S(unused_s, w->ours = false; w->list[0] = '\0';)
P(other, w[0].ours = w[1].ours = false;
    strcpy(w[0].list, "inet:127.0.0.1:8891");)
P(other_own, w[0].ours = w[1].ours = false; w[0].own_list = true;
    strcpy(w[0].list, "inet:h:1");)
S(unlisted, w->ours = false; m->unlisted = true; w->list[0] = '\0';)
P(only_local, w[0].ours = false; w[0].list[0] = '\0';)
P(submission, add_way(m, "submission/inet", false, ""); w[2].ours = false;
    w[2].own_list = true;)
P(no_milters, add_way(m, "in/inet", false, "unix:" SOCKET); w[2].ours = false;
    w[2].off = true;)
P(long_list, add_way(m, "in/inet", false, ""); w[2].ours = false;
    w[2].own_list = true; memset(w[2].list, 'x', MTA_TEXT_MAX - 1);)
S(own_list, add_way(m, "MSA", false, ""); w[1].ours = false;
    w[1].own_list = true;)
P(no_local, w[1].ours = false; w[1].list[0] = '\0';)
P(chrooted, w[0].chroot = w[0].hidden = true;)
P(silent, f.listen_error = ECONNREFUSED;)
P(missing, f.path.n = 4; f.path.error = f.listen_error = ENOENT;)
P(no_socket, f.path.part[4].mode = S_IFREG | 0644;
    f.listen_error = ECONNREFUSED;)
P(dir_closed, f.path.part[3].mode = S_IFDIR | 0700;)
P(dir_closed_group, m->user.n_gids = 1;)
P(dir_of_root, f.path.part[2].mode = S_IFDIR | 0700;)
P(socket_closed, f.path.part[4].mode = S_IFSOCK | 0700;)
P(socket_group, f.path.part[4].mode = S_IFSOCK | 0770;
    f.path.part[3].mode = S_IFDIR | 0755; m->user.n_gids = 1;)
S(sticky, f.path.part[2].mode = S_IFDIR | 01777;)
S(group_writable, f.path.part[3].mode = S_IFDIR | 0770;)
S(world_writable, m->trusts_sticky = true;
    f.path.part[2].mode = S_IFDIR | 0777;)
P(open_dir, f.path.part[2].mode = S_IFDIR | 0777;)
static const uid_t only_root[] = { 0 };
P(refused, f.uids = only_root; f.n_uids = 1;)
static const gid_t second_group[] = { 110 };
P(refused_group, f.gids = second_group; f.n_gids = 1;)
P(open_inet, f.listen = (struct mta_addr){ .port = "10025" };
    md.conn = "inet:10025";)
P(command_time, w[0].terms.command_s = w[1].terms.command_s = 30;)
P(command_time_queue, w[0].terms.command_s = w[1].terms.command_s = 130;
    mo.queue_max = 16; mo.queue_s = 30;)
P(command_time_limit, w[0].terms.command_s = w[1].terms.command_s = 299;
    mo.busy_s = 600;)
P(command_time_item, w[0].terms.command_s = w[1].terms.command_s = 30;
    strcpy(w[0].list, "{ unix:" SOCKET ", command_timeout=30s }");)
S(command_time_s, w->terms.command_s = 10;)
P(content_time, w[0].terms.content_s = w[1].terms.content_s = 9;)
S(end_time, w->terms.end_s = 60;)
P(connect_time, w[0].terms.connect_s = w[1].terms.connect_s = 2;)
P(accept_, w[0].terms.action = w[1].terms.action = MTA_ACCEPT;)
P(hold, w[0].terms.action = w[1].terms.action = MTA_HOLD;)
S(no_flag, w->terms.action = MTA_ACCEPT;)
P(reject, w[0].terms.action = w[1].terms.action = MTA_REJECT;)
S(reject_s, w->terms.action = MTA_REJECT;)
P(version_2, w[0].terms.version = w[1].terms.version = 2;)
P(mail_macros,
    strcpy(m->macros[MTA_MAIL], "i {mail_addr} {mail_host} {mail_mailer}");)
S(mail_macros_s,
    strcpy(m->macros[MTA_MAIL], "i, {mail_addr}, {mail_host}, {mail_mailer}");)
P(long_macros, memset(m->macros[MTA_RCPT], 'x', MTA_TEXT_MAX - 1);)
P(no_queue_id, m->macros[MTA_EOM][0] = '\0';)
P(extra, md.macros.v[0] = "client_ptr"; md.macros.v[1] = "j"; md.macros.n = 2;)
P(size, md.fe.limits.message_bytes = 5000000;)
P(any_size, md.fe.limits.message_bytes = 5000000; m->message_bytes = 0;)
S(size_s, md.fe.limits.message_bytes = 5000000; m->message_bytes = 5000001;)
P(another_config, strcpy(m->config, "/etc/postfix-in");
    w[0].terms.version = w[1].terms.version = 3;)

static const struct rule_case cases[] = {
	{ "mta-config", config, "Postfix: fatal: open /etc/postfix/main.cf",
	    "--postfix-config names the directory with main.cf; postconf -n "
	    "shows what is wrong" },
	{ "mta-config", config_s, "Sendmail: /x.cf: No such file or directory",
	    "--sendmail-cf names the file" },
	{ "not-used", unused, "/etc/postfix: smtpd_milters has no milter",
	    "postconf -e 'smtpd_milters = unix:" SOCKET "'" },
	{ "not-used", unused_s,
	    "/etc/mail/sendmail.cf: InputMailFilters has no milter",
	    "sendmail.mc: INPUT_MAIL_FILTER(`mimedefang', `S=unix:" SOCKET
	    ", F=T, T=C:1m;S:60s;R:60s;E:10m')" },
	{ "other-socket", other,
	    "/etc/postfix: smtpd_milters of smtp/inet has "
	    "\"inet:127.0.0.1:8891\", but not unix:" SOCKET
	    ", where the daemon listens",
	    "postconf -e 'smtpd_milters = inet:127.0.0.1:8891, unix:" SOCKET
	    "'" },
	{ "other-socket", other_own,
	    "/etc/postfix: smtpd_milters of smtp/inet has \"inet:h:1\", but "
	    "not unix:" SOCKET ", where the daemon listens",
	    "postconf -P 'smtp/inet/smtpd_milters=inet:h:1 unix:" SOCKET "'" },
	{ "not-listed", unlisted,
	    "/etc/mail/sendmail.cf: the filter at unix:" SOCKET
	    " is in no list",
	    "sendmail.mc: INPUT_MAIL_FILTER instead of MAIL_FILTER, or name it "
	    "in InputMailFilters of DAEMON_OPTIONS" },
	{ "only-local", only_local,
	    "/etc/postfix: unix:" SOCKET
	    " is in non_smtpd_milters, but not in smtpd_milters",
	    "postconf -e 'smtpd_milters = unix:" SOCKET "'" },
	{ "service-without", submission,
	    "/etc/postfix: submission/inet has a list of its own, \"\", "
	    "without our daemon",
	    "postconf -P 'submission/inet/smtpd_milters=unix:" SOCKET "'" },
	{ "service-without", no_milters,
	    "/etc/postfix: in/inet has no_milters in receive_override_options",
	    "leave no_milters out there, if this mail did not pass another "
	    "service before" },
	{ "service-without", own_list,
	    "/etc/mail/sendmail.cf: MSA has a list of its own, \"\", without "
	    "our daemon",
	    "sendmail.mc: in DAEMON_OPTIONS of Name=MSA, leave out "
	    "InputMailFilters, or add the filter to it" },
	{ "local-mail", no_local,
	    "/etc/postfix: non_smtpd_milters has \"\", without our daemon",
	    "postconf -e 'non_smtpd_milters = unix:" SOCKET "'" },
	{ "chroot", chrooted,
	    "/etc/postfix: smtp/inet runs in a chroot at /var/spool/postfix, "
	    "and " SOCKET " is looked for below it",
	    "postconf -F 'smtp/inet/chroot=n'; or mimedefang -p "
	    "/var/spool/postfix/mimedefang/mimedefang.sock, and "
	    "unix:mimedefang/mimedefang.sock in smtpd_milters" },
	{ "not-listening", silent,
	    "nobody answers at unix:" SOCKET ": Connection refused",
	    "systemctl start mimedefang; its log says why if it does not "
	    "serve" },
	{ "not-listening", missing,
	    "nobody answers at unix:" SOCKET ": No such file or directory",
	    "systemctl start mimedefang; its log says why if it does not "
	    "serve" },
	{ "not-a-socket", no_socket, SOCKET " is not a socket",
	    "remove it, or another path with -p; then start the daemon" },
	{ "directory-closed", dir_closed,
	    "/var/spool/MIMEDefang: mode 0700, of defang:defang: postfix may "
	    "not search it",
	    "chmod g+x /var/spool/MIMEDefang" },
	{ "directory-closed", dir_of_root,
	    "/var/spool: mode 0700, of root:root: postfix may not search it",
	    "another directory with -p; or chmod o+x /var/spool" },
	{ "directory-closed", dir_closed_group,
	    "/var/spool/MIMEDefang: mode 0750, of defang:defang: postfix may "
	    "not search it",
	    "usermod -a -G defang postfix; chmod g+x /var/spool/MIMEDefang; "
	    "give the daemon -G (MD_ALLOW_GROUP_ACCESS=yes); restart both" },
	{ "socket-closed", socket_closed,
	    SOCKET ": mode 0700, of defang:defang: postfix may not write to it",
	    "give the daemon -G (MD_ALLOW_GROUP_ACCESS=yes) and restart it" },
	{ "socket-closed", socket_group,
	    SOCKET ": mode 0770, of defang:defang: postfix may not write to it",
	    "usermod -a -G defang postfix; give the daemon -G "
	    "(MD_ALLOW_GROUP_ACCESS=yes); restart both" },
	{ "directory-unsafe", sticky, "/var/spool: mode 1777",
	    "another directory with -p; or sendmail.mc: "
	    "define(`confDONT_BLAME_SENDMAIL', `TrustStickyBit')" },
	{ "directory-unsafe", group_writable,
	    "/var/spool/MIMEDefang: mode 0770",
	    "chmod g-w /var/spool/MIMEDefang" },
	{ "directory-unsafe", world_writable, "/var/spool: mode 0777",
	    "chmod go-w /var/spool" },
	{ "directory-open", open_dir, "/var/spool: mode 0777",
	    "chmod o-w /var/spool" },
	{ "peer-refused", refused,
	    "postfix is neither in --allow-user nor in --allow-group",
	    "--allow-user postfix" },
	{ "peer-refused", refused_group,
	    "postfix is neither in --allow-user nor in --allow-group",
	    "--allow-user postfix" },
	{ "inet-open", open_inet,
	    "-p inet:10025 serves every host that reaches it",
	    "-p inet:10025@127.0.0.1, or --allow ADDRESSES" },
	{ "command-timeout", command_time,
	    "/etc/postfix: the MTA waits 30 s for a check, a worker may take "
	    "120 s (-b of the multiplexor)",
	    "postconf -e 'milter_command_timeout = 130s'" },
	{ "command-timeout", command_time_queue,
	    "/etc/postfix: the MTA waits 130 s for a check, a worker may take "
	    "150 s (-b and -Q of the multiplexor)",
	    "postconf -e 'milter_command_timeout = 160s'" },
	{ "command-timeout", command_time_limit,
	    "/etc/postfix: the MTA waits 299 s for a check, a worker may take "
	    "600 s (-b of the multiplexor)",
	    "postconf -e 'milter_command_timeout = 300s'" },
	{ "command-timeout", command_time_item,
	    "/etc/postfix: the MTA waits 30 s for a check, a worker may take "
	    "120 s (-b of the multiplexor)",
	    "postconf -e 'milter_command_timeout = 130s'; a { } in "
	    "smtpd_milters may have its own: command_timeout=130s" },
	{ "command-timeout", command_time_s,
	    "/etc/mail/sendmail.cf: the MTA waits 10 s for a check, a worker "
	    "may take 120 s (-b of the multiplexor)",
	    "sendmail.mc: INPUT_MAIL_FILTER(`mimedefang', `S=..., F=T, "
	    "T=...;R:130s')" },
	{ "content-timeout", content_time,
	    "/etc/postfix: the MTA waits 9 s for a sign of life, which comes "
	    "every 5 s",
	    "postconf -e 'milter_content_timeout = 60s'" },
	{ "content-timeout", end_time,
	    "/etc/mail/sendmail.cf: the MTA waits 60 s for the end of a scan, "
	    "which may take 120 s (-b of the multiplexor)",
	    "sendmail.mc: INPUT_MAIL_FILTER(`mimedefang', `S=..., F=T, "
	    "T=...;E:130s')" },
	{ "connect-timeout", connect_time,
	    "/etc/postfix: the MTA waits 2 s for a connection",
	    "postconf -e 'milter_connect_timeout = 30s'" },
	{ "default-accept", accept_,
	    "/etc/postfix: milter_default_action of smtp/inet is accept",
	    "postconf -e 'milter_default_action = tempfail'" },
	{ "default-accept", hold,
	    "/etc/postfix: milter_default_action of smtp/inet is quarantine",
	    "postconf -e 'milter_default_action = tempfail'" },
	{ "default-accept", no_flag,
	    "/etc/mail/sendmail.cf: the filter of MTA has no F=T",
	    "sendmail.mc: INPUT_MAIL_FILTER(`mimedefang', `S=..., F=T, ...')" },
	{ "default-reject", reject,
	    "/etc/postfix: milter_default_action of smtp/inet is reject",
	    "postconf -e 'milter_default_action = tempfail'" },
	{ "default-reject", reject_s,
	    "/etc/mail/sendmail.cf: the filter of MTA has F=R",
	    "sendmail.mc: INPUT_MAIL_FILTER(`mimedefang', `S=..., F=T, ...')" },
	{ "protocol-version", version_2,
	    "/etc/postfix: milter_protocol of smtp/inet is 2",
	    "postconf -e 'milter_protocol = 6'" },
	{ "macros", mail_macros,
	    "/etc/postfix: milter_mail_macros lacks {auth_type} {auth_authen}",
	    "postconf -e 'milter_mail_macros = i {mail_addr} {mail_host} "
	    "{mail_mailer} {auth_type} {auth_authen}'" },
	{ "macros", mail_macros_s,
	    "/etc/mail/sendmail.cf: confMILTER_MACROS_ENVFROM lacks "
	    "{auth_type} {auth_authen}",
	    "sendmail.mc: define(`confMILTER_MACROS_ENVFROM', "
	    "confMILTER_MACROS_ENVFROM``, {auth_type}, {auth_authen}'')" },
	{ "macros", no_queue_id,
	    "/etc/postfix: milter_end_of_data_macros lacks i",
	    "postconf -e 'milter_end_of_data_macros = i'" },
	{ "extra-macros", extra,
	    "/etc/postfix: no list up to MAIL has {client_ptr}, which -a names",
	    "postconf -e 'milter_mail_macros = i {auth_type} {auth_authen} "
	    "{mail_addr} {mail_host} {mail_mailer} {client_ptr}'" },
	{ "message-size", size,
	    "/etc/postfix: the MTA takes up to 10240000 octets, --max-message "
	    "is 5000000",
	    "postconf -e 'message_size_limit = 5000000'" },
	{ "message-size", any_size,
	    "/etc/postfix: the MTA takes messages of any size, --max-message "
	    "is 5000000",
	    "postconf -e 'message_size_limit = 5000000'" },
	{ "message-size", size_s,
	    "/etc/mail/sendmail.cf: the MTA takes up to 5000001 octets, "
	    "--max-message is 5000000",
	    "sendmail.mc: define(`confMAX_MESSAGE_SIZE', `5000000')" },
};

static void
each_finding_is_provoked(void **state)
{
	(void)state;
	check_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
nothing_is_found_where_all_is_right(void **state)
{
	(void)state;
	make_right();
	postfix();
	doctor_examine(&f, &found);
	assert_int_equal(found.n, 0);
	make_right();
	sendmail();
	doctor_examine(&f, &found);
	assert_int_equal(found.n, 0);
}

P(no_checks, md.fe.check_sender = false;
    w[0].terms.command_s = w[1].terms.command_s = 1;)
P(told_macros, md.fe.set_symlist = true; m->macros[MTA_MAIL][0] = '\0';)
P(root_connects, add_user(m, "root", 0, 0);
    f.path.part[3].mode = S_IFDIR | 0700;)
static const uid_t postfix_too[] = { 0, 102 };
P(allowed, f.uids = postfix_too; f.n_uids = 2;)
static const gid_t its_group[] = { 105 };
P(allowed_group, f.gids = its_group; f.n_gids = 1;)
P(loopback, f.listen = (struct mta_addr){ .port = "1", .host = "127.0.0.1" };)
P(filtered, f.listen = (struct mta_addr){ .port = "1" };
    md.allow = "192.0.2.0/24";)
P(sticky_postfix, f.path.part[2].mode = S_IFDIR | 01777;)
S(trusted, m->trusts_sticky = m->trusts_group = true;
    f.path.part[2].mode = S_IFDIR | 01777;
    f.path.part[3].mode = S_IFDIR | 0770;)
S(system_connect, w->terms.connect_s = 0;)

static void
what_is_meant_is_not_found(void **state)
{
	static void (*const right[])(void) = { no_checks, told_macros,
		root_connects, allowed, allowed_group, loopback, filtered,
		sticky_postfix, trusted, system_connect };

	(void)state;
	check_nothing(right, sizeof(right) / sizeof(right[0]));
}

static void
no_list_is_proposed_that_was_cut(void **state)
{
	(void)state;
	make_right();
	long_list();
	doctor_examine(&f, &found);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.v[0].change,
	    "add unix:" SOCKET " to smtpd_milters of in/inet");
	make_right();
	long_macros();
	doctor_examine(&f, &found);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.v[0].change,
	    "add {rcpt_addr} {rcpt_host} {rcpt_mailer} to milter_rcpt_macros");
}

static void
a_line_to_change_names_the_directory(void **state)
{
	(void)state;
	make_right();
	another_config();
	doctor_examine(&f, &found);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.v[0].change,
	    "postconf -c /etc/postfix-in -e 'milter_protocol = 6'");
}

static void
a_socket_in_the_queue_is_named_as_a_chroot_sees_it(void **state)
{
	(void)state;
	make_right();
	unused();
	strcpy(f.listen.path, "/var/spool/postfix/md/s");
	doctor_examine(&f, &found);
	assert_int_equal(found.n, 1);
	assert_string_equal(
	    found.v[0].change, "postconf -e 'smtpd_milters = unix:md/s'");
}

static void
equal_terms_are_told_once(void **state)
{
	(void)state;
	make_right();
	version_2();
	add_way(&f.mta[0], "smtps/inet", false, "unix:" SOCKET);
	f.mta[0].way[2].terms.version = 4;
	doctor_examine(&f, &found);
	assert_int_equal(found.n, 2);
	assert_string_equal(found.v[1].what,
	    "/etc/postfix: milter_protocol of smtps/inet is 4");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_finding_is_provoked),
		cmocka_unit_test(nothing_is_found_where_all_is_right),
		cmocka_unit_test(what_is_meant_is_not_found),
		cmocka_unit_test(no_list_is_proposed_that_was_cut),
		cmocka_unit_test(a_line_to_change_names_the_directory),
		cmocka_unit_test(
		    a_socket_in_the_queue_is_named_as_a_chroot_sees_it),
		cmocka_unit_test(equal_terms_are_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
