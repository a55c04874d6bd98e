/* SPDX-License-Identifier: MIT */
/*
 * frame_json: a packet of the protocol as members of a JSON object: name, words,
 * the strings in it, and its octets.  Pure.
 */
#ifndef CLI_CHECK_FRAME_JSON_H
#define CLI_CHECK_FRAME_JSON_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Appends "from":"mta","name":"MAIL",...  without braces.  MACRO has the command
 * that it is for as "for", and its names and values as "macros". */
void frame_json(struct buf *out, bool reply, uint8_t octet, const void *payload,
    size_t n, bool hex);

#endif
