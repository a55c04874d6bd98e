/* SPDX-License-Identifier: MIT */
/* doctor_rules: whether mail comes to our daemon. */
#include "cli/doctor_rules.h"

#include <stdio.h>
#include <string.h>

void
doctor_postconf(const struct mta *m, char *out, size_t outlen)
{
	if (strcmp(m->config, "/etc/postfix") == 0)
		snprintf(out, outlen, "postconf");
	else
		snprintf(out, outlen, "postconf -c %s", m->config);
}

/* What of our path is below Postfix's queue; NULL: it is elsewhere. */
static const char *
below_queue(const struct doctor_facts *f, const struct mta *m)
{
	size_t n = strlen(m->queue_dir);

	if (n && strncmp(f->listen.path, m->queue_dir, n) == 0 &&
	    f->listen.path[n] == '/')
		return f->listen.path + n + 1;
	return NULL;
}

void
doctor_address(
    const struct doctor_facts *f, const struct mta *m, char *out, size_t outlen)
{
	const char *rest =
	    m->postfix && f->listen.is_unix ? below_queue(f, m) : NULL;

	if (rest) /* right with and without a chroot */
		snprintf(out, outlen, "unix:%s", rest);
	else
		mta_addr_print(&f->listen, m->postfix, out, outlen);
}

/* ---- counting ------------------------------------------------------------------------ */

struct seen {
	const struct mta_way *smtp, *smtp_ours; /* the first of each, or NULL */
	const struct mta_way *local, *local_ours;
	const struct mta_way *listed; /* of SMTP, not ours, but with milters */
};

static void
note_way(struct seen *s, const struct mta_way *w)
{
	const struct mta_way **any = w->local ? &s->local : &s->smtp,
			     **ours = w->local ? &s->local_ours : &s->smtp_ours;

	if (!*any)
		*any = w;
	if (w->ours && !*ours)
		*ours = w;
	if (!w->ours && !w->local && w->list[0] && !s->listed)
		s->listed = w;
}

static struct seen
look(const struct mta *m)
{
	struct seen s = { 0 };

	for (const struct mta_way *w = m->way; w < m->way + m->n_ways; w++)
		note_way(&s, w);
	return s;
}

/* ---- what to change -------------------------------------------------------------------- */

/* A list with us in it, behind what is there. */
static void
change_postfix(struct doctor_report *r, const struct doctor_facts *f,
    const struct mta *m, const struct mta_way *w)
{
	const char *parameter =
	    w->local ? "non_smtpd_milters" : "smtpd_milters";
	char postconf[300], address[300];

	doctor_postconf(m, postconf, sizeof(postconf));
	doctor_address(f, m, address, sizeof(address));
	if (mta_is_cut(w->list))
		doctor_change(r, "add %s to %s of %s", address, parameter,
		    w->own_list ? w->name : "main.cf");
	else if (w->own_list)
		doctor_change(r, "%s -P '%s/%s=%s%s%s'", postconf, w->name,
		    parameter, w->list, w->list[0] ? " " : "", address);
	else
		doctor_change(r, "%s -e '%s = %s%s%s'", postconf, parameter,
		    w->list, w->list[0] ? ", " : "", address);
}

static void
change_sendmail(struct doctor_report *r, const struct doctor_facts *f,
    const struct mta *m, const struct mta_way *w)
{
	char address[300];

	doctor_address(f, m, address, sizeof(address));
	if (w->own_list)
		doctor_change(r,
		    "sendmail.mc: in DAEMON_OPTIONS of Name=%s, leave out "
		    "InputMailFilters, or add the filter to it",
		    w->name);
	else
		doctor_change(r,
		    "sendmail.mc: INPUT_MAIL_FILTER(`mimedefang', `S=%s, F=T, "
		    "T=C:1m;S:60s;R:60s;E:10m')",
		    address);
}

static void
change_list(struct doctor_report *r, const struct doctor_facts *f,
    const struct mta *m, const struct mta_way *w)
{
	if (m->postfix)
		change_postfix(r, f, m, w);
	else
		change_sendmail(r, f, m, w);
}

/* ---- rules ----------------------------------------------------------------------------- */

static const char *
name_of(const struct mta *m)
{
	return m->postfix ? "Postfix" : "Sendmail";
}

static const char *
list_of(const struct mta *m)
{
	return m->postfix ? "smtpd_milters" : "InputMailFilters";
}

static void
not_used(const struct doctor_facts *f, const struct mta *m,
    const struct seen *s, struct doctor_report *r)
{
	static const struct mta_way none;
	char address[300];

	mta_addr_print(&f->listen, m->postfix, address, sizeof(address));
	if (m->unlisted) {
		doctor_found(r, FOUND_UNLISTED,
		    "%s: the filter at %s is in no list", m->config, address);
		doctor_change(r,
		    "sendmail.mc: INPUT_MAIL_FILTER instead of MAIL_FILTER, or "
		    "name it in InputMailFilters of DAEMON_OPTIONS");
	} else if (s->local_ours) {
		doctor_found(r, FOUND_ONLY_LOCAL,
		    "%s: %s is in non_smtpd_milters, but not in smtpd_milters",
		    m->config, address);
		change_list(r, f, m, s->smtp ? s->smtp : &none);
	} else if (s->listed) {
		doctor_found(r, FOUND_OTHER_SOCKET,
		    "%s: %s of %s has \"%s\", but not %s, where the daemon "
		    "listens",
		    m->config, list_of(m), s->listed->name, s->listed->list,
		    address);
		change_list(r, f, m, s->listed);
	} else {
		doctor_found(r, FOUND_NOT_USED, "%s: %s has no milter",
		    m->config, list_of(m));
		change_list(r, f, m, s->smtp ? s->smtp : &none);
	}
}

static void
no_milters(
    const struct mta *m, const struct mta_way *w, struct doctor_report *r)
{
	doctor_found(r, FOUND_SERVICE,
	    "%s: %s has no_milters in receive_override_options", m->config,
	    w->name);
	doctor_change(r,
	    "leave no_milters out there, if this mail did not pass another "
	    "service before");
}

static void
other_ways(
    const struct doctor_facts *f, const struct mta *m, struct doctor_report *r)
{
	for (const struct mta_way *w = m->way; w < m->way + m->n_ways; w++) {
		if (w->ours || w->local)
			continue;
		if (w->off) {
			no_milters(m, w, r);
			continue;
		}
		doctor_found(r, FOUND_SERVICE,
		    "%s: %s has a list of its own, \"%s\", without our daemon",
		    m->config, w->name, w->list);
		change_list(r, f, m, w);
	}
}

static void
hidden_ways(
    const struct doctor_facts *f, const struct mta *m, struct doctor_report *r)
{
	char postconf[300];

	doctor_postconf(m, postconf, sizeof(postconf));
	for (const struct mta_way *w = m->way; w < m->way + m->n_ways; w++) {
		if (!w->hidden)
			continue;
		doctor_found(r, FOUND_CHROOT,
		    w->chroot ? "%s: %s runs in a chroot at %s, and %s is "
				"looked for below it"
			      : "%s: %s looks below %s for %s",
		    m->config, w->name, m->queue_dir, f->listen.path);
		doctor_change(r,
		    "%s -F '%s/chroot=n'; or mimedefang -p "
		    "%s/mimedefang/mimedefang.sock, and "
		    "unix:mimedefang/mimedefang.sock in smtpd_milters",
		    postconf, w->name, m->queue_dir);
	}
}

void
doctor_rules_use(
    const struct doctor_facts *f, const struct mta *m, struct doctor_report *r)
{
	struct seen s = look(m);

	if (m->trouble[0]) {
		doctor_found(
		    r, FOUND_MTA_CONFIG, "%s: %s", name_of(m), m->trouble);
		doctor_change(
		    r, m->postfix ? "--postfix-config names the directory with "
				    "main.cf; postconf -n shows what is wrong"
				  : "--sendmail-cf names the file");
		return;
	}
	if (!f->listen_known)
		return;
	if (!s.smtp_ours) {
		not_used(f, m, &s, r);
	} else {
		other_ways(f, m, r);
		if (s.local && !s.local_ours) {
			doctor_found(r, FOUND_LOCAL_MAIL,
			    "%s: non_smtpd_milters has \"%s\", without our "
			    "daemon",
			    m->config, s.local->list);
			change_list(r, f, m, s.local);
		}
	}
	hidden_ways(f, m, r);
}
