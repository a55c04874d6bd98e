/* SPDX-License-Identifier: MIT */
/* doctorfix: facts with which nothing is wrong, and what spoils one of them: for
 * tests of the doctor's rules. */
#ifndef TESTS_CLI_DOCTORFIX_H
#define TESTS_CLI_DOCTORFIX_H

#include "cli/doctor_rules.h"

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
		("i {auth_type} {auth_authen} {mail_addr} {mail_host} "
		 "{mail_mailer}"),
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
	strcpy(p->owner, uid ? "defang" : "root");
	strcpy(p->group, gid ? "defang" : "root");
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
	strcpy(f.listen_group, "defang");
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

struct rule_case {
	const char *name;
	void (*spoil)(void);
	const char *what, *change;
};

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
check_cases(const struct rule_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct doctor_finding *got;

		make_right();
		cases[i].spoil();
		doctor_examine(&f, &found);
		got = only(&cases[i]);
		assert_string_equal(got->what, cases[i].what);
		assert_string_equal(got->change, cases[i].change);
	}
}

/* What looks odd, and is as it should be. */
static void
check_nothing(void (*const right[])(void), size_t n)
{
	for (size_t i = 0; i < n; i++) {
		make_right();
		right[i]();
		doctor_examine(&f, &found);
		if (found.n)
			fail_msg("%zu: %s", i, found.v[0].what);
	}
}

#endif
