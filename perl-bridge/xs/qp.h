/* SPDX-License-Identifier: MIT
 *
 * Quoted-printable (rfc:2045#6.7), with the line breaks that MIME-tools choose.  Pure. */
#ifndef XS_QP_H
#define XS_QP_H

#include <stddef.h>

/* Encodes n octets; an LF is the end of a line.  A line that is "." or begins with "From ", and is
 * short, is written so that no mailer takes it for more than text.  Writes to out, which has
 * room for qp_room(n); returns how many octets these are. */
size_t qp_encode_text(const unsigned char *in, size_t n, unsigned char *out);
size_t qp_room(size_t n);

/* Decodes n octets; CR LF and LF become LF, blanks before them go, and an "=" that means nothing
 * stays.  Writes at most n octets to out; returns how many. */
size_t qp_decode(const unsigned char *in, size_t n, unsigned char *out);

#endif
