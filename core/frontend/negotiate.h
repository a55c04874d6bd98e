/* SPDX-License-Identifier: MIT */
/*
 * negotiate: what we ask of the MTA: steps, answers, actions, macros.  Pure.
 */
#ifndef CORE_FRONTEND_NEGOTIATE_H
#define CORE_FRONTEND_NEGOTIATE_H

#include "core/base/buf.h"
#include "core/frontend/frontend_ev.h"

#include <milterproto.h>

/* Macros that go to COMMANDS in this order, spelled as the MTA does; NULL ends
 * the list.  spec:spool-commands */
extern const char *const negotiate_macros[];

/* An extra macro's name (-a, without braces) as the MTA spells it. */
#define NEGOTIATE_MACRO_MAX 203
void negotiate_spell(char out[NEGOTIATE_MACRO_MAX], const char *name);

/* How many of the extra macros do not fit into the list of -y, which an MTA
 * keeps 50 names of; extra may be NULL. */
size_t negotiate_left_out(const struct opt_list *extra);

/* Asks for what these options need (choice:negotiate-away).  The macro list is
 * made in `list`, which must live as long as *out.  0, or -1: no memory. */
int negotiate_options(
    struct mlt_options *out, const struct frontend_opts *fo, struct buf *list);

#endif
