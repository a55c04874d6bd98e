/* SPDX-License-Identifier: MIT */
/*
 * results: the text of RESULTS -> a checked list of changes and how the
 * message ends (spec:spool-results).  Pure.
 *
 * The whole file is read before anything is done (choice:results-whole); what
 * stands behind the line that ends it does not count.
 */
#ifndef CORE_FRONTEND_RESULTS_H
#define CORE_FRONTEND_RESULTS_H

#include <milterproto.h>
#include <stdint.h>

enum result_op {
	RESULT_ADD_HEADER,    /* name value */
	RESULT_INSERT_HEADER, /* name index value */
	RESULT_CHANGE_HEADER, /* name index value */
	RESULT_DELETE_HEADER, /* name index */
	RESULT_ADD_RCPT,      /* value */
	RESULT_DELETE_RCPT,   /* value */
	RESULT_CHANGE_FROM,   /* value */
	RESULT_QUARANTINE,    /* value */
	RESULT_CONTENT_TYPE,  /* value */
	RESULT_REPLACE_BODY,
	RESULT_INCOMPLETE, /* not a change: letter lacks an argument */
	RESULT_UNKNOWN,    /* not a change: no such letter */
};

struct result {
	enum result_op op;
	char letter; /* as written; '\0' = empty line */
	uint32_t index;
	struct mlt_bytes name, value; /* borrowed from the text */
};

enum results_end {
	RESULTS_DONE,     /* F: make the changes, accept */
	RESULTS_REJECT,   /* B */
	RESULTS_TEMPFAIL, /* T */
	RESULTS_DISCARD,  /* D */
};

struct results {
	struct result *v; /* in file order; only quarantines unless DONE */
	size_t n, cap;
	enum results_end end;
	const char *code, *dsn; /* of B and T */
	struct mlt_bytes text;  /* likewise */
	size_t overlong;        /* length of the line that is RESULTS_E_LONG */
};

enum results_err {
	RESULTS_E_NOMEM = -1,
	RESULTS_E_LONG = -2,   /* a line is longer than line_max */
	RESULTS_E_NO_END = -3, /* neither F nor a refusal */
};

/* Zero r before the first use; r->v is used again by the next call.  text has n
 * octets and then a NUL, is modified and borrowed; line_max is without LF.  0 or
 * an enum results_err. */
int results_parse(struct results *r, char *text, size_t n, size_t line_max);
void results_fini(struct results *r);

#endif
