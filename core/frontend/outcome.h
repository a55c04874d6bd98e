/* SPDX-License-Identifier: MIT */
/*
 * outcome: what the filter left in the working directory after its scan ->
 * changes on the session and the final reply.
 */
#ifndef CORE_FRONTEND_OUTCOME_H
#define CORE_FRONTEND_OUTCOME_H

#include "core/base/buf.h"
#include "core/frontend/apply.h"
#include "core/frontend/results.h"

#include <milterproto.h>

/* Memory that is used again for each message; zero it first. */
struct outcome_room {
	struct results results;
	struct buf file, text;
};
void outcome_room_fini(struct outcome_room *room);

/* 0: the changes are on the session, *r (it borrows from room) is the reply.
 * -1: the filter failed, or there is no memory; logged; tempfail. */
__attribute__((warn_unused_result)) int outcome_obey(
    const struct apply_to *to, struct outcome_room *room, struct mlt_reply *r);

#endif
