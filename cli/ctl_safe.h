/* SPDX-License-Identifier: MIT */
/*
 * ctl_safe: text from a multiplexor, made fit to be seen.  Pure.
 *
 * Queue ids, addresses and diagnostics in a report come from mail: printed as
 * they are, an escape sequence in them would command the administrator's
 * terminal.
 */
#ifndef CLI_CTL_SAFE_H
#define CLI_CTL_SAFE_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* The octets of the character that begins here, if it is one of UTF-8 and no
 * control character (C0, DEL, C1, and those that change the direction of the
 * text); else 0.  n > 0. */
size_t ctl_printable(const char *p, size_t n);
/* Appends the text: what is printable as it is, LF and tab too unless
 * `one_line`, every other octet as \xHH. */
void ctl_safe(struct buf *out, const char *p, size_t n, bool one_line);
/* As ctl_safe of one line, but ASCII only and cut to `columns`, with a '>' in
 * the last one if something is missing. */
void ctl_safe_cut(struct buf *out, const char *p, size_t n, size_t columns);
/* Appends a JSON string with its quotes.  An octet that is no UTF-8 becomes
 * U+FFFD. */
void ctl_json_string(struct buf *out, const char *p, size_t n);

#endif
