/* SPDX-License-Identifier: MIT */
/* doctor_rules: how an MTA speaks to our daemon: times, what it does without
 * one, version, macros, sizes. */
#include "cli/doctor_rules.h"

#include <stdio.h>
#include <string.h>

/* A client waits no longer for the reply to a command, and to the message.
 * rfc:5321#4.5.3.2 */
#define SMTP_COMMAND_S 300
#define SMTP_MESSAGE_S 600
#define MARGIN_S       10
/* While a message is scanned the MTA hears of it every 5 s: spec:timing. */
#define PROGRESS_S    5
#define CONNECT_MIN_S 5

long
doctor_longest_s(const struct doctor_facts *f)
{
	return f->mo->busy_s + (f->mo->queue_max > 0 ? f->mo->queue_s : 0);
}

static long
at_most(long v, long max)
{
	return v < max ? v : max;
}

/* ---- what to change --------------------------------------------------------------------- */

/* A milter's own option beats the parameter. */
static void
change_postfix(struct doctor_report *r, const struct mta *m,
    const struct mta_way *w, const char *parameter, const char *value)
{
	char postconf[300];

	doctor_postconf(m, postconf, sizeof(postconf));
	if (strchr(w->list, '{'))
		doctor_change(r,
		    "%s -e '%s = %s'; a { } in smtpd_milters may have its own: "
		    "%s=%s",
		    postconf, parameter, value, parameter + strlen("milter_"),
		    value);
	else
		doctor_change(r, "%s -e '%s = %s'", postconf, parameter, value);
}

static void
change_seconds(struct doctor_report *r, const struct mta *m,
    const struct mta_way *w, const char *parameter, const char *letter, long s)
{
	char value[40];

	snprintf(value, sizeof(value), "%lds", s);
	if (m->postfix)
		change_postfix(r, m, w, parameter, value);
	else
		doctor_change(r,
		    "sendmail.mc: INPUT_MAIL_FILTER(`mimedefang', `S=..., "
		    "F=T, T=...;%s:%s')",
		    letter, value);
}

/* ---- times -------------------------------------------------------------------------------- */

static void
command_time(const struct doctor_facts *f, const struct mta *m,
    const struct mta_way *w, struct doctor_report *r)
{
	const struct frontend_opts *fe = &f->md->fe;
	long need = at_most(doctor_longest_s(f) + MARGIN_S, SMTP_COMMAND_S);

	if (w->terms.command_s >= need ||
	    !(fe->check_relay || fe->check_helo || fe->check_sender ||
		fe->check_recipient))
		return;
	doctor_found(r, FOUND_COMMAND_TIME,
	    "%s: the MTA waits %ld s for a check, a worker may take %ld s "
	    "(-b%s of the multiplexor)",
	    m->config, w->terms.command_s, doctor_longest_s(f),
	    f->mo->queue_max > 0 ? " and -Q" : "");
	change_seconds(r, m, w, "milter_command_timeout", "R", need);
}

static void
content_time(const struct doctor_facts *f, const struct mta *m,
    const struct mta_way *w, struct doctor_report *r)
{
	long need = at_most(doctor_longest_s(f) + MARGIN_S, SMTP_MESSAGE_S);

	if (w->terms.content_s < 2 * PROGRESS_S) {
		doctor_found(r, FOUND_CONTENT_TIME,
		    "%s: the MTA waits %ld s for a sign of life, which comes "
		    "every %d s",
		    m->config, w->terms.content_s, PROGRESS_S);
		change_seconds(r, m, w, "milter_content_timeout", "R", 60);
	}
	if (w->terms.end_s && w->terms.end_s < need) {
		doctor_found(r, FOUND_CONTENT_TIME,
		    "%s: the MTA waits %ld s for the end of a scan, which may "
		    "take %ld s (-b%s of the multiplexor)",
		    m->config, w->terms.end_s, doctor_longest_s(f),
		    f->mo->queue_max > 0 ? " and -Q" : "");
		change_seconds(r, m, w, "", "E", need);
	}
}

static void
connect_time(
    const struct mta *m, const struct mta_way *w, struct doctor_report *r)
{
	/* Sendmail: 0 is the system's time. */
	if (w->terms.connect_s >= CONNECT_MIN_S || w->terms.connect_s == 0)
		return;
	doctor_found(r, FOUND_CONNECT_TIME,
	    "%s: the MTA waits %ld s for a connection", m->config,
	    w->terms.connect_s);
	change_seconds(r, m, w, "milter_connect_timeout", "C", 30);
}

/* ---- without us, and with an old protocol -------------------------------------------------- */

static void
default_action(
    const struct mta *m, const struct mta_way *w, struct doctor_report *r)
{
	enum mta_action a = w->terms.action;

	if (a == MTA_TEMPFAIL)
		return;
	doctor_found(r, a == MTA_REJECT ? FOUND_REJECT : FOUND_ACCEPT,
	    m->postfix ? "%s: milter_default_action of %s is %s"
		       : "%s: the filter of %s has %s",
	    m->config, w->name,
	    a == MTA_REJECT ? m->postfix ? "reject" : "F=R"
	    : a == MTA_HOLD ? "quarantine"
	    : m->postfix    ? "accept"
			    : "no F=T");
	if (m->postfix)
		change_postfix(r, m, w, "milter_default_action", "tempfail");
	else
		doctor_change(r,
		    "sendmail.mc: INPUT_MAIL_FILTER(`mimedefang', `S=..., F=T, "
		    "...')");
}

static void
protocol(const struct mta *m, const struct mta_way *w, struct doctor_report *r)
{
	if (w->terms.version >= 6)
		return;
	doctor_found(r, FOUND_PROTOCOL, "%s: milter_protocol of %s is %d",
	    m->config, w->name, w->terms.version);
	change_postfix(r, m, w, "milter_protocol", "6");
}

/* ---- macros -------------------------------------------------------------------------------- */

static const struct {
	const char *postfix, *sendmail; /* the lists' names */
	const char *needed;             /* spec:macros; Postfix has no more */
	const char *sendmail_needs;     /* beside those; "-": none at all */
} stages[MTA_STAGES] = {
	[MTA_CONNECT] = { "milter_connect_macros", "confMILTER_MACROS_CONNECT",
	    "j _ {daemon_name}", "{if_addr}" },
	[MTA_HELO] = { "milter_helo_macros", "confMILTER_MACROS_HELO",
	    "{tls_version} {cipher} {cipher_bits}", "" },
	[MTA_MAIL] = { "milter_mail_macros", "confMILTER_MACROS_ENVFROM",
	    "i {auth_type} {auth_authen} {mail_addr} {mail_host} {mail_mailer}",
	    "" },
	[MTA_RCPT] = { "milter_rcpt_macros", "confMILTER_MACROS_ENVRCPT",
	    "{rcpt_addr} {rcpt_host} {rcpt_mailer}", "" },
	[MTA_EOM] = { "milter_end_of_data_macros", "", "i", "-" },
};

/* Appends the words of `needed` that the list lacks. */
static void
add_missing(char *out, size_t max, const char *list, const char *needed)
{
	char word[220];
	size_t n;

	for (const char *p = needed; *p; p += n) {
		p += strspn(p, " ");
		n = strcspn(p, " ");
		mta_copy(word, sizeof(word), p, n);
		if (n == 0 || mta_has_macro(list, word) ||
		    strlen(out) + 1 + strlen(word) >= max)
			continue;
		if (out[0])
			strcat(out, " ");
		strcat(out, word);
	}
}

static void
change_macros(struct doctor_report *r, const struct mta *m,
    enum mta_stage stage, const char *missing)
{
	char postconf[300], commas[256];
	size_t at = 0;

	if (m->postfix && mta_is_cut(m->macros[stage])) {
		doctor_change(
		    r, "add %s to %s", missing, stages[stage].postfix);
		return;
	}
	if (m->postfix) {
		doctor_postconf(m, postconf, sizeof(postconf));
		doctor_change(r, "%s -e '%s = %s%s%s'", postconf,
		    stages[stage].postfix,
		    stage == MTA_EOM ? "" : m->macros[stage],
		    stage != MTA_EOM && m->macros[stage][0] ? " " : "",
		    missing);
		return;
	}
	for (const char *p = missing; *p && at < sizeof(commas) - 3; p++) {
		if (*p == ' ')
			commas[at++] = ',';
		commas[at++] = *p;
	}
	commas[at] = '\0';
	doctor_change(r, "sendmail.mc: define(`%s', %s``, %s'')",
	    stages[stage].sendmail, stages[stage].sendmail, commas);
}

static void
missing_macros(const struct mta *m, struct doctor_report *r)
{
	for (unsigned s = 0; s < MTA_STAGES; s++) {
		char missing[256] = "";

		if (!m->postfix && strcmp(stages[s].sendmail_needs, "-") == 0)
			continue;
		add_missing(
		    missing, sizeof(missing), m->macros[s], stages[s].needed);
		if (!m->postfix)
			add_missing(missing, sizeof(missing), m->macros[s],
			    stages[s].sendmail_needs);
		if (!missing[0])
			continue;
		doctor_found(r, FOUND_MACROS, "%s: %s lacks %s", m->config,
		    m->postfix ? stages[s].postfix : stages[s].sendmail,
		    missing);
		change_macros(r, m, (enum mta_stage)s, missing);
	}
}

/* -a: they are read when MAIL has come. */
static void
extra_macros(
    const struct doctor_facts *f, const struct mta *m, struct doctor_report *r)
{
	char missing[256] = "";

	for (size_t i = 0; i < f->md->macros.n; i++) {
		const char *name = f->md->macros.v[i];
		char braced[220];

		if (mta_has_macro(m->macros[MTA_CONNECT], name) ||
		    mta_has_macro(m->macros[MTA_HELO], name))
			continue;
		snprintf(braced, sizeof(braced),
		    strlen(name) > 1 ? "{%s}" : "%s", name);
		add_missing(
		    missing, sizeof(missing), m->macros[MTA_MAIL], braced);
	}
	if (!missing[0])
		return;
	doctor_found(r, FOUND_EXTRA_MACROS,
	    "%s: no list up to MAIL has %s, which -a names", m->config,
	    missing);
	change_macros(r, m, MTA_MAIL, missing);
}

/* ---- all ------------------------------------------------------------------------------------ */

static void
message_size(
    const struct doctor_facts *f, const struct mta *m, struct doctor_report *r)
{
	long ours = f->md->fe.limits.message_bytes;
	char postconf[300], takes[80] = "messages of any size";

	if (ours == 0 || (m->message_bytes > 0 && m->message_bytes <= ours))
		return;
	if (m->message_bytes)
		snprintf(takes, sizeof(takes), "up to %lld octets",
		    m->message_bytes);
	doctor_found(r, FOUND_SIZE,
	    "%s: the MTA takes %s, --max-message is %ld", m->config, takes,
	    ours);
	doctor_postconf(m, postconf, sizeof(postconf));
	if (m->postfix)
		doctor_change(
		    r, "%s -e 'message_size_limit = %ld'", postconf, ours);
	else
		doctor_change(r,
		    "sendmail.mc: define(`confMAX_MESSAGE_SIZE', `%ld')", ours);
}

/* Whether a way before this one is spoken to in the same terms. */
static bool
said_already(const struct mta *m, const struct mta_way *w)
{
	const struct mta_terms *t = &w->terms;

	for (const struct mta_way *v = m->way; v < w; v++)
		if (v->ours && v->terms.action == t->action &&
		    v->terms.connect_s == t->connect_s &&
		    v->terms.command_s == t->command_s &&
		    v->terms.content_s == t->content_s &&
		    v->terms.end_s == t->end_s &&
		    v->terms.version == t->version)
			return true;
	return false;
}

void
doctor_rules_terms(
    const struct doctor_facts *f, const struct mta *m, struct doctor_report *r)
{
	bool ours = false;

	for (const struct mta_way *w = m->way; w < m->way + m->n_ways; w++) {
		ours |= w->ours;
		if (!w->ours || said_already(m, w))
			continue;
		command_time(f, m, w, r);
		content_time(f, m, w, r);
		connect_time(m, w, r);
		default_action(m, w, r);
		protocol(m, w, r);
	}
	if (!ours)
		return;
	if (!f->md->fe.set_symlist) { /* -y: we tell the MTA what we want */
		missing_macros(m, r);
		extra_macros(f, m, r);
	}
	message_size(f, m, r);
}
