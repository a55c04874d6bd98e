/* SPDX-License-Identifier: MIT */
/* doctor_rules: every finding is provoked by one thing that is wrong with facts
 * that are right otherwise.  tests/lint/doctor looks for the names here. */
#include "cli/doctor_rules.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static struct md_opts md;
static struct mux_opts mo;
static struct doctor_facts f;
static struct doctor_report found;

#define SOCKET "/var/spool/MIMEDefang/mimedefang.sock"

/* ---- facts that are right -------------------------------------------------------- */

static void
add_way(struct mta *m, const char *name, bool local, const char *list)
{
	struct mta_way *w = &m->way[m->n_ways++];

	snprintf(w->name, sizeof(w->name), "%s", name);
	snprintf(w->list, sizeof(w->list), "%s", list);
	w->local = local;
	w->ours = true;
	w->terms = (struct mta_terms){ MTA_TEMPFAIL, 30, 310, 300, 0, 6 };
}

static void
add_user(struct mta *m, const char *name, uid_t uid, gid_t gid)
{
	snprintf(m->user.name, sizeof(m->user.name), "%s", name);
	m->user.known = true;
	m->user.uid = uid;
	m->user.gid[0] = gid;
	m->user.gid[1] = 110;
	m->user.n_gids = 2;
}

static void
add_macros(struct mta *m, const char *eom)
{
	static const char *const lists[MTA_EOM] = {
		"j _ {daemon_name} {if_addr}",
		"{tls_version} {cipher} {cipher_bits}",
		"i {auth_type} {auth_authen} {mail_addr} {mail_host} "
		"{mail_mailer}",
		"{rcpt_addr} {rcpt_host} {rcpt_mailer}"
	};

	for (int i = 0; i < MTA_EOM; i++)
		snprintf(m->macros[i], sizeof(m->macros[i]), "%s", lists[i]);
	snprintf(m->macros[MTA_EOM], sizeof(m->macros[MTA_EOM]), "%s", eom);
}

static void
add_part(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct doctor_part *p = &f.path.part[f.path.n++];

	snprintf(p->path, sizeof(p->path), "%s", path);
	p->mode = mode;
	p->uid = uid;
	p->gid = gid;
}

static struct mta *
postfix(void)
{
	struct mta *m = &f.mta[f.n_mtas++];

	m->postfix = true;
	strcpy(m->config, "/etc/postfix");
	strcpy(m->queue_dir, "/var/spool/postfix");
	m->message_bytes = 10240000;
	add_way(m, "smtp/inet", false, "unix:" SOCKET);
	add_way(m, "cleanup/unix", true, "unix:" SOCKET);
	add_user(m, "postfix", 102, 105);
	add_macros(m, "i");
	return m;
}

static struct mta *
sendmail(void)
{
	struct mta *m = &f.mta[f.n_mtas++];

	strcpy(m->config, "/etc/mail/sendmail.cf");
	add_way(m, "MTA", false, "mimedefang");
	m->way[0].terms.end_s = 600;
	add_user(m, "root", 0, 0);
	add_macros(m, "{msg_id}");
	return m;
}

static void
make_right(void)
{
	memset(&f, 0, sizeof(f));
	memset(&md, 0, sizeof(md));
	memset(&mo, 0, sizeof(mo));
	memset(&found, 0, sizeof(found));
	md.conn = "unix:" SOCKET;
	md.user = "defang";
	md.fe.spool_dir = "/var/spool/MIMEDefang";
	md.fe.check_sender = true;
	md.fe.limits.min_free_kb = 64;
	md.mux_answer_s = 900;
	mo.max_workers = 8;
	mo.busy_s = 120;
	mo.worker = "/usr/bin/mimedefang.pl";
	mo.filter = "/etc/mail/mimedefang-filter";
	mo.socket = "/var/spool/MIMEDefang/mimedefang-multiplexor.sock";
	f.md = &md;
	f.mo = &mo;
	f.root = true;
	f.listen_gid = 110;
	f.listen_known = true;
	f.listen = (struct mta_addr){ .is_unix = true, .path = SOCKET };
	add_part("/", S_IFDIR | 0755, 0, 0);
	add_part("/var", S_IFDIR | 0755, 0, 0);
	add_part("/var/spool", S_IFDIR | 0755, 0, 0);
	add_part("/var/spool/MIMEDefang", S_IFDIR | 0750, 110, 110);
	add_part(SOCKET, S_IFSOCK | 0770, 110, 110);
	f.spool_known = true;
	f.spool_memory = true;
	f.free_bytes = f.total_bytes = 1ULL << 30;
	f.mux_known = true;
	f.mux_free = 2;
	f.filter = FILTER_LOADS;
	f.filter_text = "sub filter_begin { spam_assassin_check(); }\n";
	f.features = "SpamAssassin                  : yes\n"
		     "Virus:CLAMD                   : no\n"
		     "Virus:CLAMAV                  : no\n";
	f.descriptors = 65536;
	f.memory_bytes = 16ULL << 30;
}

/* ---- what is wrong ------------------------------------------------------------------ */

/* One that Postfix has, one that Sendmail has. */
#define P(name, ...)                                                           \
	static void name(void)                                                 \
	{                                                                      \
		struct mta *m = postfix();                                     \
		struct mta_way *w = m->way;                                    \
		(void)w;                                                       \
		__VA_ARGS__                                                    \
	}
#define S(name, ...)                                                           \
	static void name(void)                                                 \
	{                                                                      \
		struct mta *m = sendmail();                                    \
		struct mta_way *w = m->way;                                    \
		(void)w;                                                       \
		__VA_ARGS__                                                    \
	}
/* clang-format off: one thing a line */
P(no_user, strcpy(f.user_trouble, "there is no user defang (-U)");)
P(assumed, f.assumed = true; f.defaults_file = "/etc/default/mimedefang";)
P(not_root, f.root = false;)
static void
no_mta(void)
{
}
P(config, strcpy(m->trouble, "fatal: open /etc/postfix/main.cf");
    m->n_ways = 0;)
S(config_s, strcpy(m->trouble, "/x.cf: No such file or directory");
    m->n_ways = 0;)
P(from_manager, f.listen_known = false; md.conn = "fd:3";)

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
P(mux_time, md.mux_socket = "/m"; md.mux_answer_s = 119;)

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
P(no_queue_id, m->macros[MTA_EOM][0] = '\0';)
P(extra, md.macros.v[0] = "client_ptr"; md.macros.v[1] = "j"; md.macros.n = 2;)

P(spool, strcpy(f.spool_trouble, "/var/spool/MIMEDefang is writable by others "
				 "(mode 0777); chmod 0750 it");)
P(spool_full, f.free_bytes = 65535;)
P(spool_room, f.free_bytes = 200 << 20;)
P(spool_room_disk, f.free_bytes = 200 << 20; f.spool_memory = false;)
P(spool_files, f.total_files = 10000; f.free_files = 7999;)
P(on_disk, f.spool_memory = false;)
P(size, md.fe.limits.message_bytes = 5000000;)
P(any_size, md.fe.limits.message_bytes = 5000000; m->message_bytes = 0;)
S(size_s, md.fe.limits.message_bytes = 5000000; m->message_bytes = 5000001;)

P(filter, f.filter = FILTER_BROKEN; f.features = NULL; strcpy(
    f.filter_said, "/usr/bin/mimedefang.pl does not load it: syntax error");)
P(module, f.features = "SpamAssassin                  : no\n";)
P(scanner, f.filter_text =
	       "# spam_assassin_check()\n\tmy @v = message_contains_virus();";)

P(mux, f.mux_free = -1; strcpy(f.mux_why, "Connection refused");)
P(separate_mux, md.mux_socket = "/m"; f.mux_free = -1;
    strcpy(f.mux_why, "Connection refused");)
P(no_worker, f.mux_free = 0;)
P(descriptors, f.descriptors = 100;)
P(memory, f.memory_bytes = 256 << 20;)
P(memory_zygote, f.memory_bytes = 100 << 20; mo.zygote = true;)

static const struct rule_case {
	const char *name;
	void (*spoil)(void);
	const char *what, *change;
} cases[] = {
	{ "user", no_user, "there is no user defang (-U)",
	    "adduser --system --group --home /var/spool/MIMEDefang defang; -U "
	    "defang (MX_USER)" },
	{ "options-assumed", assumed,
	    "no options were given, and there is no /etc/default/mimedefang",
	    "mimedefang doctor OPTIONS, those of the daemon" },
	{ "not-root", not_root, "this is not run by root",
	    "sudo mimedefang doctor" },
	{ "no-mta", no_mta,
	    "there is neither a configuration of Postfix nor one of Sendmail",
	    "--postfix-config DIR, or --sendmail-cf FILE" },
	{ "mta-config", config, "Postfix: fatal: open /etc/postfix/main.cf",
	    "--postfix-config names the directory with main.cf; postconf -n "
	    "shows what is wrong" },
	{ "mta-config", config_s, "Sendmail: /x.cf: No such file or directory",
	    "--sendmail-cf names the file" },
	{ "address-unknown", from_manager,
	    "the service manager opens the socket (-p fd:3)",
	    "-p with what its ListenStream= says" },

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
	    "/var/spool/MIMEDefang: mode 0700, owner 110, group 110: postfix "
	    "may not search it",
	    "chmod g+x /var/spool/MIMEDefang; or another directory with -p" },
	{ "directory-closed", dir_closed_group,
	    "/var/spool/MIMEDefang: mode 0750, owner 110, group 110: postfix "
	    "may not search it",
	    "usermod -a -G 110 postfix; chmod g+x /var/spool/MIMEDefang; give "
	    "the daemon -G; restart both" },
	{ "socket-closed", socket_closed,
	    SOCKET
	    ": mode 0700, owner 110, group 110: postfix may not write to it",
	    "give the daemon -G (MD_ALLOW_GROUP_ACCESS=yes) and restart it" },
	{ "socket-closed", socket_group,
	    SOCKET
	    ": mode 0770, owner 110, group 110: postfix may not write to it",
	    "usermod -a -G 110 postfix; give the daemon -G "
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
	{ "multiplexor-timeout", mux_time,
	    "--mux-timeout is 119 s, an answer may take 120 s",
	    "--mux-timeout 130" },

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

	{ "spool", spool,
	    "/var/spool/MIMEDefang is writable by others (mode 0777); chmod "
	    "0750 it",
	    "install -d -o defang -m 0750 /var/spool/MIMEDefang" },
	{ "spool-full", spool_full,
	    "/var/spool/MIMEDefang: 63 KiB are free, --min-free is 64",
	    "make room there; md-mx-ctrl status shows what is in progress" },
	{ "spool-room", spool_room,
	    "/var/spool/MIMEDefang: 200 MiB are free; 8 workers with messages "
	    "of 10240000 octets need 3 times as much for each",
	    "mount -o remount,size=1059M /var/spool/MIMEDefang, and in "
	    "/etc/fstab" },
	{ "spool-room", spool_room_disk,
	    "/var/spool/MIMEDefang: 200 MiB are free; 8 workers with messages "
	    "of 10240000 octets need 3 times as much for each",
	    "a file system with 1059 MiB for /var/spool/MIMEDefang; or a "
	    "smaller limit of the MTA" },
	{ "spool-inodes", spool_files,
	    "/var/spool/MIMEDefang: 7999 inodes are free for 8 workers",
	    "mount -o remount,nr_inodes=18000 /var/spool/MIMEDefang, and in "
	    "/etc/fstab" },
	{ "spool-disk", on_disk, "/var/spool/MIMEDefang is on a disk",
	    "/etc/fstab: tmpfs /var/spool/MIMEDefang tmpfs "
	    "rw,nosuid,nodev,noexec,mode=0750,uid=defang,size=1G 0 0" },
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

	{ "filter", filter,
	    "/usr/bin/mimedefang.pl does not load it: syntax error",
	    "/usr/bin/mimedefang.pl -f /etc/mail/mimedefang-filter -test" },
	{ "module", module,
	    "the filter calls spam_assassin_, and there is no SpamAssassin",
	    "apt-get install spamassassin, and reread" },
	{ "module", scanner,
	    "the filter calls message_contains_virus(), and there is no "
	    "scanner",
	    "apt-get install clamav-daemon, and reread" },

	{ "multiplexor", mux,
	    "/var/spool/MIMEDefang/mimedefang-multiplexor.sock: Connection "
	    "refused",
	    "systemctl restart mimedefang" },
	{ "multiplexor", separate_mux, "/m: Connection refused",
	    "start it, or give its socket with -m" },
	{ "no-free-worker", no_worker,
	    "/var/spool/MIMEDefang/mimedefang-multiplexor.sock: none of 8 "
	    "workers is free",
	    "more of them (-x), or a queue (-q); md-mx-ctrl load shows how it "
	    "was" },
	{ "descriptors", descriptors,
	    "the limit is 100, 32 sessions and 8 workers need 136",
	    "LimitNOFILE=136 in the unit, or ulimit -Hn" },
	{ "memory", memory,
	    "8 workers (-x) of about 60 MiB each, on a host with 256 MiB",
	    "-x 4; or -E, with which workers share most of it" },
	{ "memory", memory_zygote,
	    "8 workers (-x) of about 15 MiB each, on a host with 100 MiB",
	    "-x 6" },
};
/* clang-format on */

/* ---- tests ---------------------------------------------------------------------------- */

/* The finding of this name; the only one, but that of a spool on a disk. */
static const struct doctor_finding *
only(const struct rule_case *c)
{
	const struct doctor_finding *got = NULL;

	for (size_t i = 0; i < found.n; i++) {
		const char *name = doctor_kinds[found.v[i].id].name;

		if (strcmp(name, c->name) == 0 && !got)
			got = &found.v[i];
		else if (strcmp(name, "spool-disk") != 0)
			fail_msg(
			    "%s: also %s: %s", c->name, name, found.v[i].what);
	}
	if (!got)
		fail_msg("%s is not found: %s", c->name, c->what);
	return got;
}

static void
each_finding_is_provoked(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct doctor_finding *got;

		make_right();
		cases[i].spoil();
		doctor_examine(&f, &found);
		got = only(&cases[i]);
		assert_string_equal(got->what, cases[i].what);
		assert_string_equal(got->change, cases[i].change);
	}
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

/* What looks odd, and is as it should be. */
/* clang-format off: one thing a line */
P(another_config, strcpy(m->config, "/etc/postfix-in");
    w[0].terms.version = w[1].terms.version = 3;)
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
P(other_worker, f.features = "who knows\n";)
P(scanner_there, f.filter_text = "message_contains_virus()";
    f.features = "Virus:CLAMD   : no\nVirus:CLAMAV  : yes (/x)\n";)
P(in_comment, f.filter_text = "1; # spam_assassin_check\n";
    f.features = "SpamAssassin : no\n";)
P(sticky_postfix, f.path.part[2].mode = S_IFDIR | 01777;)
S(trusted, m->trusts_sticky = m->trusts_group = true;
    f.path.part[2].mode = S_IFDIR | 01777;
    f.path.part[3].mode = S_IFDIR | 0770;)
S(system_connect, w->terms.connect_s = 0;)
P(not_asked, f.mux_known = false; f.mux_free = -1;)
P(unlimited, f.descriptors = 0; f.memory_bytes = 0;)
/* clang-format on */

static void
what_is_meant_is_not_found(void **state)
{
	static void (*const right[])(void) = { no_checks, told_macros,
		root_connects, allowed, allowed_group, loopback, filtered,
		other_worker, scanner_there, in_comment, sticky_postfix,
		trusted, system_connect, not_asked, unlimited };

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		make_right();
		right[i]();
		doctor_examine(&f, &found);
		if (found.n)
			fail_msg("%zu: %s", i, found.v[0].what);
	}
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
		cmocka_unit_test(a_line_to_change_names_the_directory),
		cmocka_unit_test(
		    a_socket_in_the_queue_is_named_as_a_chroot_sees_it),
		cmocka_unit_test(equal_terms_are_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
