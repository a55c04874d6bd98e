/* SPDX-License-Identifier: MIT */
/*
 * eml: a message as a file has it, taken apart into what an MTA tells a filter.
 * Pure; every octet of a message may be hostile.
 */
#ifndef CLI_CHECK_EML_H
#define CLI_CHECK_EML_H

#include <milterproto.h>

#define EML_BYTES_MAX ((size_t)100 << 20) /* of a message */

/* Names, values and body are borrowed from the text.  A name may have blanks
 * behind it (some MTAs pass them on); a value is all behind the colon, with the
 * line end; lines end in LF or CRLF, as they came. */
struct eml {
	struct mlt_play_header *headers; /* heap; NULL if there are none */
	size_t n_headers;
	struct mlt_bytes body; /* behind the empty line; p is never NULL */
	size_t odd_line; /* the header ended with this line, from 1, which is
			  * neither a field nor empty: the body begins with it,
			  * as for MTAs; 0 = there was none */
	bool mbox;       /* the first line was one of an mbox, and left out */
};

/* Why a text is no message that could be sent. */
struct eml_error {
	size_t line;     /* from 1 */
	const char *why; /* static */
};

/* Takes a text of up to EML_BYTES_MAX octets apart; it has to outlive *out.
 * 0; -1 with *err (NUL in the header), or no memory: err->line 0.  After -1
 * there is nothing to free. */
int eml_parse(
    struct eml *out, const char *text, size_t n, struct eml_error *err);
void eml_fini(struct eml *e);
/* The name without the blanks behind it. */
struct mlt_bytes eml_name(const struct mlt_play_header *h);

#endif
