/* SPDX-License-Identifier: MIT */
/* doctor_mta: what the MTAs of this host are told about milters. */
#ifndef CLI_DOCTOR_MTA_H
#define CLI_DOCTOR_MTA_H

#include "cli/doctor_gather.h"

/* Fills f->mta; f->listen is set already. */
void doctor_find_mtas(struct doctor_facts *f, const struct doctor_where *where);

#endif
