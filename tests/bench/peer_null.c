/* SPDX-License-Identifier: MIT */
/*
 * peer_null: docs/examples/null-filter.c on Debian's libmilter, through its
 * public interface.  A callback for each step, so that the MTA sends each step
 * and awaits an answer; with --no-reply the same flags as ours.
 */
#include <err.h>
#include <libmilter/mfapi.h>
#include <string.h>

/* NR_CONN HELO MAIL RCPT DATA UNKN EOH BODY and NR_HDR; spec:protocol-flags */
#define NO_REPLY_FLAGS 0xff080ul

static sfsistat answer = SMFIS_CONTINUE;

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
    unsigned long f3, unsigned long *pf0, unsigned long *pf1,
    unsigned long *pf2, unsigned long *pf3)
{
	(void)ctx, (void)f0, (void)f1, (void)f2, (void)f3;
	*pf0 = SMFIF_ADDHDRS;
	*pf1 = answer == SMFIS_NOREPLY ? NO_REPLY_FLAGS : 0;
	*pf2 = *pf3 = 0;
	return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, struct sockaddr *addr)
{
	(void)ctx, (void)host, (void)addr;
	return answer;
}

static sfsistat
on_text(SMFICTX *ctx, char *text)
{
	(void)ctx, (void)text;
	return answer;
}

static sfsistat
on_unknown(SMFICTX *ctx, const char *text)
{
	(void)ctx, (void)text;
	return answer;
}

static sfsistat
on_envelope(SMFICTX *ctx, char **argv)
{
	(void)ctx, (void)argv;
	return answer;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx, (void)name, (void)value;
	return answer;
}

static sfsistat
on_step(SMFICTX *ctx)
{
	(void)ctx;
	return answer;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *p, size_t n)
{
	(void)ctx, (void)p, (void)n;
	return answer;
}

static sfsistat
on_eom(SMFICTX *ctx)
{
	char name[] = "X-Null", value[] = "1";

	return smfi_addheader(ctx, name, value) == MI_SUCCESS ? SMFIS_CONTINUE
							      : SMFIS_TEMPFAIL;
}

int
main(int argc, char **argv)
{
	char name[] = "peer_null";
	struct smfiDesc d = { .xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_text,
		.xxfi_envfrom = on_envelope,
		.xxfi_envrcpt = on_envelope,
		.xxfi_header = on_header,
		.xxfi_eoh = on_step,
		.xxfi_body = on_body,
		.xxfi_eom = on_eom,
		.xxfi_unknown = on_unknown,
		.xxfi_data = on_step,
		.xxfi_negotiate = on_negotiate };
	int no_reply = argc == 3 && strcmp(argv[1], "--no-reply") == 0;

	if (argc != 2 + no_reply)
		errx(2, "usage: peer_null [--no-reply] SOCKET");
	if (no_reply)
		answer = SMFIS_NOREPLY;
	if (smfi_setconn(argv[argc - 1]) != MI_SUCCESS ||
	    smfi_register(d) != MI_SUCCESS)
		errx(1, "libmilter refuses");
	return smfi_main() == MI_SUCCESS ? 0 : 1;
}
