/* SPDX-License-Identifier: MIT
 *
 * Mail::MIMEDefang::Fast: see the module. */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"
#include "XSUB.h"

#include "base64.h"
#include "qp.h"

MODULE = Mail::MIMEDefang::Fast  PACKAGE = Mail::MIMEDefang::Fast

PROTOTYPES: DISABLE

SV *
decode_base64(text)
    SV *text
  PREINIT:
    STRLEN n;
    const char *in;
  CODE:
    in = SvPVbyte(text, n);
    RETVAL = newSV(base64_room(n) + 1);
    SvPOK_only(RETVAL);
    SvCUR_set(RETVAL, base64_decode((const unsigned char *)in, n, (unsigned char *)SvPVX(RETVAL)));
    *SvEND(RETVAL) = '\0';
  OUTPUT:
    RETVAL

SV *
encode_base64(bytes)
    SV *bytes
  PREINIT:
    STRLEN n;
    const char *in;
  CODE:
    in = SvPVbyte(bytes, n);
    RETVAL = newSV(base64_lines_size(n) + 1);
    SvPOK_only(RETVAL);
    base64_encode_lines((const unsigned char *)in, n, (unsigned char *)SvPVX(RETVAL));
    SvCUR_set(RETVAL, base64_lines_size(n));
    *SvEND(RETVAL) = '\0';
  OUTPUT:
    RETVAL

SV *
encode_qp(text)
    SV *text
  PREINIT:
    STRLEN n;
    const char *in;
  CODE:
    in = SvPVbyte(text, n);
    RETVAL = newSV(qp_room(n) + 1);
    SvPOK_only(RETVAL);
    SvCUR_set(RETVAL, qp_encode_text((const unsigned char *)in, n, (unsigned char *)SvPVX(RETVAL)));
    *SvEND(RETVAL) = '\0';
  OUTPUT:
    RETVAL

SV *
decode_qp(text)
    SV *text
  PREINIT:
    STRLEN n;
    const char *in;
  CODE:
    in = SvPVbyte(text, n);
    RETVAL = newSV(n + 1);
    SvPOK_only(RETVAL);
    SvCUR_set(RETVAL, qp_decode((const unsigned char *)in, n, (unsigned char *)SvPVX(RETVAL)));
    *SvEND(RETVAL) = '\0';
  OUTPUT:
    RETVAL
