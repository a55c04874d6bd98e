/* SPDX-License-Identifier: MIT */
/*
 * line: lines out of pieces of any size, each cut to a maximum.  Pure; used
 * for requests, workers' answers, their diagnostics and status reports.
 *
 * A line that lies whole in the piece is lent from there without a copy; what
 * is beyond the maximum is dropped up to the LF.
 */
#ifndef MULTIPLEXOR_LINE_H
#define MULTIPLEXOR_LINE_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct line {
	struct buf part; /* of a line whose LF has not come */
	size_t max;
	bool given; /* part was lent, forget it first */
	bool cut;   /* the line being read, or lent last, lost octets */
};

struct line_text {
	char *p;
	size_t n;
	bool cut;
};

void line_init(struct line *l, size_t max); /* allocates nothing */
void line_fini(struct line *l);
void line_reset(struct line *l); /* forgets a part */

/* Takes octets from *p, *n up to and with the next LF.  1: *t is the line
 * without its LF, borrowed until the next call or the end of the piece; it may
 * be modified, with one octet behind it, which is the LF unless it was cut.  0: the piece is used up.  -1:
 * no memory; the line is lost. */
int line_next(struct line *l, char **p, size_t *n, struct line_text *t);
bool line_has_part(const struct line *l); /* of a line that has not ended */
/* What came since the last LF, borrowed and modifiable as above.  false:
 * nothing. */
bool line_rest(struct line *l, struct line_text *t);

#endif
