/* SPDX-License-Identifier: MIT */
/* ident: the seven characters that name a message.  Pure; spec:spool-dir. */
#ifndef CORE_FRONTEND_IDENT_H
#define CORE_FRONTEND_IDENT_H

#include <stdint.h>

#define IDENT_LEN 7

/* Five digits of time (seconds since 1970), two of the counter, base 60; both
 * are taken modulo what fits.  NUL-terminated. */
void ident_make(char out[IDENT_LEN + 1], int64_t wall_s, unsigned counter);

#endif
