/* SPDX-License-Identifier: MIT */
/*
 * playrun: plays a script against a real filter session in memory and writes
 * down what was said on the wire and what was reported.
 *
 * Allocates nothing itself, so that failmalloc counts the library's
 * allocations only.
 */
#ifndef TESTS_SUPPORT_PLAYRUN_H
#define TESTS_SUPPORT_PLAYRUN_H

#include <milterproto.h>

/* How the filter answers: `at` is a command octet, for recipients perhaps with
 * its number from 1 ("R2"); the first that fits counts, none is CONTINUE. */
struct playrun_rule {
	const char *at;
	enum mlt_reply_type type;
	const char *code, *text; /* MLT_REPLY_CODE */
};

struct playrun {
	/* in */
	struct mlt_play_opts play;
	struct mlt_filter_opts filter;
	const struct mlt_play_script *script;
	const struct playrun_rule *rules; /* ends with at NULL; may be NULL */
	void (*at_eom)(struct mlt_filter *f); /* makes changes; may be NULL */
	bool retry;                           /* after NOMEM call again */
	/* out */
	char wire[4096];   /* "O DC C DH H ..." */
	char macros[4096]; /* "C(j=mx) H() ..." */
	char events[4096]; /* "Oc Cc ... E:h Ec accept done(1)" */
	char told[256];    /* the answer of the last message */
	size_t turns;      /* how often the MTA side had to wait */
	size_t octets;     /* of all commands */
	size_t body_octets;
	uint32_t body_sum; /* of its octets, each times its place */
	int rc;            /* 0, or what either side failed with */
};

/* To the end, or to the first failure. */
void playrun(struct playrun *r);

/* A script with one client and up to two messages to begin with. */
const struct mlt_play_script *playrun_script(size_t n_messages);

#define PLAYRUN_B(s) ((struct mlt_bytes){ (s), sizeof(s) - 1 })
#define PLAYRUN_LIST(a)                                                        \
	((struct mlt_play_list){ (a), sizeof(a) / sizeof(*(a)) })

#endif
