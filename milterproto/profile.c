/* SPDX-License-Identifier: MIT */
/*
 * profile: how MTAs differ, one row each.  docs/mta-profiles.md
 *
 * play.c knows no MTA by name: whatever distinguishes them is a member of the
 * row.  What no source says about an old version is as in the next newer one.
 */
#include <milterproto_play.h>

#include <string.h>

/* spec:offers */
#define OFFER(v, a, p)                                                         \
	.offer = { .version = (v), .actions = (a), .protocol = (p) }
#define PROT_V2 0x7f
#define PROT_V4 0x37f
#define ACT_V2  0x3f

#define TLS "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}"

/* ---- Sendmail, and nobody in particular ----------------------------------------- */

/* What both share: spec:default-macros spec:abort-habits */
#define SPARSE(client, eom)                                                    \
	.macros = {                                                            \
		[MLT_STAGE_CONNECT] = client,                                  \
		[MLT_STAGE_HELO] = TLS, \
		[MLT_STAGE_MAIL] = "i {auth_type} {auth_authen} {auth_ssf} "   \
				   "{auth_author} {mail_mailer} {mail_host} "  \
				   "{mail_addr}",                              \
		[MLT_STAGE_RCPT] = "{rcpt_mailer} {rcpt_host} {rcpt_addr}",    \
		[MLT_STAGE_EOM] = eom,                                         \
	}, .macros_before = "CHMRTNE", .macros_unknown = "",                   \
	.aborts = MLT_END_RSET | MLT_END_HELO | MLT_END_OTHERS |               \
		  MLT_END_DROPPED
#define NOBODY(name) .host = name, .addr = "", .family = 'U'

/* spec:suppressed-macros spec:after-verdicts spec:answers spec:times */
#define SENDMAIL                                                               \
	SPARSE("j _ {daemon_name} {if_name} {if_addr}", "{msg_id}"),           \
	    NOBODY("localhost"),                                               \
	    .macros_unsent = "CHMRTN",                                         \
	    .reject_client = "550 5.0.0 Command rejected",                     \
	    .reject_envelope = "550 5.7.1 Command rejected",                   \
	    .reject_content = "554 5.7.1 Command rejected",                    \
	    .tempfail = "451 4.3.2 Please try again later",                    \
	    .times = { 300000, 10000, 10000, 10000, 300000 },                  \
	    .edit_rule = MLT_EDIT_SENDMAIL
#define SENDMAIL_HABITS                                                        \
	(MLT_HABIT_MACROS_LISTED | MLT_HABIT_MACROS_REFUSED |                  \
	    MLT_HABIT_MACROS_OLD | MLT_HABIT_IPV6_PREFIX |                     \
	    MLT_HABIT_QUIT_VERDICT | MLT_HABIT_ABORT_MAIL)

#define REJECTED(text)                                                         \
	.reject_client = text, .reject_envelope = text, .reject_content = text

/* spec:generic  No more than the protocol asks for; everybody's macros. */
#define GENERIC                                                                \
	SPARSE("j _ v {daemon_name} {daemon_addr} {if_name} {if_addr}",        \
	    "i {msg_id}"),                                                     \
	    NOBODY("unknown"),                                                 \
	    .macros_unsent = "",                                               \
	    .habits = MLT_HABIT_EMPTY_LIST | MLT_HABIT_QUIT_VERDICT |          \
		      MLT_HABIT_CONNECT_TEXT,                                  \
	    REJECTED("550 5.7.1 Command rejected"),                            \
	    .tempfail = "451 4.7.1 Please try again later",                    \
	    .times = { 30000, 30000, 30000, 30000, 300000 },                   \
	    .edit_rule = MLT_EDIT_POSTFIX

/* ---- Postfix --------------------------------------------------------------------- */

/* spec:suppressed-macros spec:after-verdicts spec:answers spec:times */
#define POSTFIX(client)                                                        \
	OFFER(6, MLT_ACT_ALL, MLT_PROT_ALL),                                   \
	.macros = {                                                            \
		[MLT_STAGE_CONNECT] = client,                                  \
		[MLT_STAGE_HELO] = TLS, \
		[MLT_STAGE_MAIL] = "i {auth_type} {auth_authen} "              \
				   "{auth_author} {mail_addr} {mail_host} "    \
				   "{mail_mailer}",                            \
		[MLT_STAGE_RCPT] = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",  \
		[MLT_STAGE_DATA] = "i",                                        \
		[MLT_STAGE_EOH] = "i",                                         \
		[MLT_STAGE_EOM] = "i",                                         \
	}, .macros_before = "CHUMRTLNBE", .macros_unsent = "CHUMRT",           \
	.header_max = 60000,                         \
	REJECTED("550 5.7.1 Command rejected"),                                \
	.tempfail = "451 4.7.1 Service unavailable - try again later",         \
	.times = { 30000, 30000, 30000, 300000, 0 },                           \
	.edit_rule = MLT_EDIT_POSTFIX
#define POSTFIX_3       "j {daemon_name} {daemon_addr} v _"
#define POSTFIX_2       "j {daemon_name} v _"
#define POSTFIX_UNKNOWN "{if_name} {if_addr} {auth_ssf} {msg_id}"
#define POSTFIX_HABITS                                                         \
	(MLT_HABIT_MACROS_ALWAYS | MLT_HABIT_LAST_LINE | MLT_HABIT_TRIM_NAME | \
	    MLT_HABIT_CONNECT_TEXT)
#define SMTPD                                                                  \
	NOBODY("unknown"),                                                     \
	    .macros_unknown = POSTFIX_UNKNOWN,                                 \
	    .habits = POSTFIX_HABITS | MLT_HABIT_LATE_ID |                     \
		      MLT_HABIT_VERB_ONLY | MLT_HABIT_ABORT_LATE,              \
	    .aborts = 0x1ff /* spec:abort-habits */

/* ---- the table ------------------------------------------------------------------- */

static const struct mlt_profile profiles[] = {
	{ .name = "sendmail-8.17",
	    .about = "Sendmail 8.17.1.9",
	    OFFER(6, MLT_ACT_ALL, MLT_PROT_ALL),
	    .habits =
		SENDMAIL_HABITS | MLT_HABIT_EMPTY_LIST | MLT_HABIT_EOM_BY_EOH,
	    SENDMAIL },
	{ .name = "sendmail-8.14",
	    .about = "Sendmail 8.14, the first with version 6",
	    OFFER(6, MLT_ACT_ALL, MLT_PROT_ALL),
	    .habits = SENDMAIL_HABITS,
	    SENDMAIL },
	{ .name = "sendmail-8.13",
	    .about = "Sendmail 8.13: version 2 with quarantine",
	    OFFER(2, ACT_V2, PROT_V2),
	    .habits = SENDMAIL_HABITS,
	    SENDMAIL },
	{ .name = "sendmail-8.12",
	    .about = "Sendmail 8.12: version 2",
	    OFFER(2, ACT_V2 & ~MLT_ACT_QUARANTINE, PROT_V2),
	    .habits = SENDMAIL_HABITS,
	    SENDMAIL },
	{ .name = "postfix-3",
	    .about = "Postfix 3: smtpd, and cleanup behind it",
	    POSTFIX(POSTFIX_3),
	    SMTPD },
	{ .name = "postfix-3-cleanup",
	    .about = "Postfix 3: mail that did not come by SMTP",
	    .habits = POSTFIX_HABITS | MLT_HABIT_BARE | MLT_HABIT_ONE_MESSAGE |
		      MLT_HABIT_RCPT_DEFERS,
	    .macros_unknown = POSTFIX_UNKNOWN
	    " {mail_host} {mail_mailer} {rcpt_host} {rcpt_mailer}",
	    .host = "localhost",
	    .family = '4',
	    .addr = "127.0.0.1",
	    .helo = "localhost",
	    POSTFIX(POSTFIX_3) },
	{ .name = "postfix-2.6",
	    .about = "Postfix 2.6, the first with version 6",
	    POSTFIX(POSTFIX_2),
	    SMTPD },
	{ .name = "generic-v6",
	    .about = "version 6, no more than it asks for",
	    OFFER(6, MLT_ACT_ALL, MLT_PROT_ALL),
	    GENERIC },
	{ .name = "generic-v4",
	    .about = "version 4: no NR flags, no macro lists",
	    OFFER(4, ACT_V2, PROT_V4),
	    GENERIC },
	{ .name = "generic-v2",
	    .about = "version 2: no DATA, no unknown commands",
	    OFFER(2, ACT_V2, PROT_V2),
	    GENERIC },
};

const struct mlt_profile *
mlt_profile_at(size_t i)
{
	return i < sizeof(profiles) / sizeof(*profiles) ? &profiles[i] : NULL;
}

const struct mlt_profile *
mlt_profile_find(const char *name)
{
	const struct mlt_profile *pf;

	for (size_t i = 0; (pf = mlt_profile_at(i)); i++) {
		if (strcmp(pf->name, name) == 0)
			return pf;
	}
	return NULL;
}
