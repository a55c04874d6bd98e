/* SPDX-License-Identifier: MIT */
/* ident: base 60, most significant digit first; it does not sort as text. */
#include "ident.h"

static void
put_digits(char *to, int n, uint64_t v)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWX";

	while (n-- > 0) {
		to[n] = digits[v % 60];
		v /= 60;
	}
}

void
ident_make(char out[IDENT_LEN + 1], int64_t wall_s, unsigned counter)
{
	put_digits(out, 5, (uint64_t)wall_s);
	put_digits(out + 5, 2, counter);
	out[IDENT_LEN] = '\0';
}
