/* SPDX-License-Identifier: MIT */
/*
 * mta: how an MTA is told to use a milter, in terms that Postfix and Sendmail
 * share.  cli/mta_postfix and cli/mta_sendmail fill it from what the MTA's own
 * configuration says.  Pure, and without memory of its own: texts that do not
 * fit are cut.
 */
#ifndef CLI_MTA_H
#define CLI_MTA_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MTA_WAYS_MAX   32
#define MTA_TEXT_MAX   1024
#define MTA_GROUPS_MAX 64

/* Where a milter is. */
struct mta_addr {
	bool is_unix;
	char path[256]; /* UNIX; one slash in a row */
	char host[128]; /* "" = any; localhost is 127.0.0.1 */
	char port[32];
};

/* How long an MTA waits for a milter, and what it does without one. */
enum mta_action {
	MTA_TEMPFAIL, /* also: refuses to talk to the client */
	MTA_ACCEPT,
	MTA_REJECT,
	MTA_HOLD
};
struct mta_terms {
	enum mta_action action;
	long connect_s;
	long command_s; /* for each answer up to DATA */
	long content_s; /* for each answer from there on; progress is one */
	long end_s;  /* for all of them at the end; 0 = as long as it takes */
	int version; /* of the protocol */
};

/* One way by which mail comes in. */
struct mta_way {
	char name[80];           /* as the MTA calls it */
	bool local;              /* for mail that does not come by SMTP */
	bool own_list;           /* it has a list of milters of its own */
	bool off;                /* it uses none, whatever the list says */
	bool chroot;             /* the MTA's process is below queue_dir */
	bool ours;               /* our daemon is in the list */
	bool hidden;             /* it is, but not below queue_dir */
	char list[MTA_TEXT_MAX]; /* of milters, as configured */
	struct mta_terms terms;  /* if it is ours */
};

/* Who connects to the milter. */
struct mta_user {
	char name[64];
	bool known;
	uid_t uid;
	gid_t gid[MTA_GROUPS_MAX];
	size_t n_gids;
};

enum mta_stage {
	MTA_CONNECT,
	MTA_HELO,
	MTA_MAIL,
	MTA_RCPT,
	MTA_EOM, /* for Postfix: DATA and later; what has all */
	MTA_STAGES
};

struct mta {
	bool postfix;      /* false: Sendmail */
	char config[256];  /* where this was read */
	char trouble[256]; /* why it could not be; "" = it could */
	struct mta_way way[MTA_WAYS_MAX];
	size_t n_ways;
	char macros[MTA_STAGES][MTA_TEXT_MAX];
	char queue_dir[256];     /* "" = none */
	long long message_bytes; /* largest message; 0 = no limit */
	struct mta_user user;    /* name only, the rest is looked up */
	bool chroot_default;     /* Postfix: what "-" in master.cf means */
	bool unlisted;           /* Sendmail: defined, but in no list */
	bool trusts_sticky;      /* Sendmail: DontBlameSendmail */
	bool trusts_group;
};

/* An address as our -p has it, and as Postfix's lists have it.  0, or -1: it is
 * none, or one of a descriptor. */
int mta_addr_ours(struct mta_addr *a, const char *text, size_t n);
int mta_addr_postfix(struct mta_addr *a, const char *text, size_t n);
/* Whether what an MTA connects to is what we listen on. */
bool mta_addr_same(const struct mta_addr *ours, const struct mta_addr *theirs);
/* Appends as the MTA writes it, "unix:/path" or "inet:...", at most outlen octets with
 * the NUL. */
void mta_addr_print(
    const struct mta_addr *a, bool postfix, char *out, size_t outlen);

/* "30s", "5m", "2h", "1d", "1w"; a number alone is in seconds.  -1: none of
 * these. */
long mta_seconds(const char *text, size_t n);
/* A number of octets, up to a million millions; -1: no number. */
long long mta_bytes(const char *text, size_t n);
/* Whether a list of macros, by commas or blanks, has this one; {x} and x are the
 * same. */
bool mta_has_macro(const char *list, const char *name);
/* Whether a text of MTA_TEXT_MAX octets may have been longer. */
bool mta_is_cut(const char *text);
/* Puts n octets and a NUL where max fit, as many as do. */
void mta_copy(char *out, size_t max, const char *p, size_t n);

#endif
