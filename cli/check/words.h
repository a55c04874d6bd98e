/* SPDX-License-Identifier: MIT */
/*
 * words: a frame of the protocol as text for people.  Pure.
 *
 * Nothing of the octets reaches the text unescaped, and a long payload is cut:
 * they may come from whoever a test talks to.
 */
#ifndef CLI_CHECK_WORDS_H
#define CLI_CHECK_WORDS_H

#include "core/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends the words of one frame without its length, such as
 *	MAIL <a@example.org> SIZE=12
 *	OPTNEG version 6, actions 0x1 ADDHDRS, protocol 0x0
 * reply: the filter said it.  A payload that is not as it should be is shown as
 * escaped octets behind the name. */
void words_frame(
    struct buf *out, bool reply, uint8_t octet, const void *payload, size_t n);
/* Appends the words of octets as they were written or read: whole frames by
 * their words, separated by "; ", and what is no whole frame by its size.  They
 * begin at the beginning of a frame. */
void words_octets(struct buf *out, bool reply, const void *p, size_t n);
/* Appends "0000000163 ...": at most `most` octets, and how many there are. */
void words_hex(struct buf *out, const void *p, size_t n, size_t most);

#endif
