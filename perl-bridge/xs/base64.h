/* SPDX-License-Identifier: MIT
 *
 * Base64 as mail has it: anything may lie between the letters, lines are written.
 * Pure. */
#ifndef XS_BASE64_H
#define XS_BASE64_H

#include <stddef.h>

/* Decodes the n octets at in; whatever is no letter of the alphabet, "=" too, is passed over,
 * and so is one letter alone at the end.  Writes to out, which has room for base64_room(n);
 * returns how many octets these are. */
size_t base64_decode(const unsigned char *in, size_t n, unsigned char *out);
size_t base64_room(size_t n);

/* Encodes n octets in lines of 60 letters, each with an LF.  Writes base64_lines_size(n) octets. */
void base64_encode_lines(const unsigned char *in, size_t n, unsigned char *out);
size_t base64_lines_size(size_t n);

#endif
