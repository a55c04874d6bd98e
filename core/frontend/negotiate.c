/* SPDX-License-Identifier: MIT */
/* negotiate: what we ask of the MTA. */
#include "negotiate.h"

#include <stdio.h>
#include <string.h>

#define LIST_MAX 50 /* an MTA keeps no more of a stage; spec:macro-lists */

const char *const negotiate_macros[] = { "_", "{auth_authen}", "{auth_author}",
	"{auth_ssf}", "{auth_type}", "{cert_issuer}", "{cert_subject}",
	"{cipher}", "{cipher_bits}", "{daemon_name}", "{daemon_port}", "i",
	"{if_addr}", "{if_name}", "j", "{mail_addr}", "{mail_host}",
	"{mail_mailer}", "{tls_version}", "{verify}", "{rcpt_addr}",
	"{rcpt_host}", "{rcpt_mailer}", NULL };

void
negotiate_spell(char out[NEGOTIATE_MACRO_MAX], const char *name)
{
	snprintf(
	    out, NEGOTIATE_MACRO_MAX, strlen(name) > 1 ? "{%s}" : "%s", name);
}

/* Names that every list has. */
static size_t
own_names(void)
{
	return sizeof(negotiate_macros) / sizeof(negotiate_macros[0]) - 1;
}

size_t
negotiate_left_out(const struct opt_list *extra)
{
	size_t room = LIST_MAX - own_names();

	return extra && extra->n > room ? extra->n - room : 0;
}

static int
make_list(struct buf *list, const struct opt_list *extra)
{
	char spelled[NEGOTIATE_MACRO_MAX];
	size_t n = 0;

	for (; negotiate_macros[n]; n++)
		buf_addf(list, n ? " %s" : "%s", negotiate_macros[n]);
	for (size_t i = 0; extra && i < extra->n && n < LIST_MAX; i++, n++) {
		negotiate_spell(spelled, extra->v[i]);
		buf_addf(list, " %s", spelled);
	}
	return buf_cstr(list) ? 0 : -1;
}

int
negotiate_options(
    struct mlt_options *out, const struct frontend_opts *fo, struct buf *list)
{
	struct mlt_options o = { .actions_wanted = MLT_ACT_ALL,
		.protocol = MLT_PROT_NO_DATA | MLT_PROT_NO_UNKNOWN |
			    MLT_PROT_NR_HDR | MLT_PROT_NR_EOH |
			    MLT_PROT_NR_BODY };

	if (fo->queue_connections && !fo->check_relay)
		o.protocol |= MLT_PROT_NR_CONN;
	if (!fo->check_helo)
		o.protocol |= MLT_PROT_NR_HELO;
	if (!fo->check_sender)
		o.protocol |= MLT_PROT_NR_MAIL;
	if (!fo->check_recipient)
		o.protocol |= MLT_PROT_NR_RCPT;
	if (!fo->skip_bad_rcpts)
		o.protocol |= MLT_PROT_RCPT_REJ;
	if (fo->set_symlist) {
		if (make_list(list, fo->macros) < 0)
			return -1;
		for (int i = 0; i < MLT_STAGE_N; i++)
			o.macros[i] = buf_data(list);
	} else {
		o.actions_wanted &= ~(uint32_t)MLT_ACT_SETSYMLIST;
	}
	*out = o;
	return 0;
}
