/* SPDX-License-Identifier: MIT */
/*
 * dump: inside of `milter-check dump`, for dump_ev.c (options, the filter) and
 * dump_show.c (one connection as it is shown).
 */
#ifndef CLI_CHECK_DUMP_H
#define CLI_CHECK_DUMP_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct dump_form {
	bool json, hex;
};

/* One connection: its octets are packets, cut anywhere, in both directions. */
struct dump_show {
	const struct dump_form *form;
	uint64_t number, start_us;
	struct buf heard, said; /* packets that are not whole yet */
	bool lost;              /* no packets any more, or no memory */
};
void dump_show_begin(struct dump_show *d, const struct dump_form *form,
    uint64_t number, uint64_t now_us);
/* Shows the packets that are whole now.  sent: by us. */
void dump_show_octets(
    struct dump_show *d, bool sent, const void *p, size_t n, uint64_t now_us);
/* why: in words, NULL = QUIT or the end of the connection. */
void dump_show_end(struct dump_show *d, const char *why, uint64_t now_us);

#endif
