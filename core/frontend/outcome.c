/* SPDX-License-Identifier: MIT */
/* outcome: RESULTS and what becomes of it. */
#include "outcome.h"

#include "core/base/fdio.h"
#include "core/base/log.h"
#include "core/frontend/reply.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

void
outcome_room_fini(struct outcome_room *room)
{
	results_fini(&room->results);
	buf_fini(&room->file);
	buf_fini(&room->text);
}

/* 0, or -1: logged. */
static int
read_results(const struct apply_to *to, struct buf *file)
{
	size_t max = limits_of(to->limits->results_bytes, LIMITS_RESULTS);
	int dir = to->mail->dir.w.fd, rc;
	struct stat st;

	buf_reset(file);
	rc = fdio_read_file(dir, "RESULTS", max, file);
	if (rc == 0 && !buf_cstr(file))
		rc = -ENOMEM;
	if (rc == 0)
		return 0;
	if (rc == -ENOENT)
		log_msg(
		    LOG_L_WARN, to->ctx, "Filter did not create RESULTS file");
	else if (rc == -EFBIG &&
		 fstatat(dir, "RESULTS", &st, AT_SYMLINK_NOFOLLOW) == 0)
		log_msg(LOG_L_WARN, to->ctx,
		    "RESULTS file is unreasonably large - %lld byes; max is "
		    "%zu bytes",
		    (long long)st.st_size, max);
	else
		log_msg(LOG_L_WARN, to->ctx, "Error reading RESULTS file: %s",
		    strerror(-rc));
	return -1;
}

static int
parse_results(const struct apply_to *to, struct outcome_room *room)
{
	size_t max = limits_of(to->limits->results_line, LIMITS_RESULTS_LINE);
	int rc = results_parse(&room->results, room->file.p + room->file.off,
	    buf_len(&room->file), max);

	if (rc == RESULTS_E_LONG)
		log_msg(LOG_L_WARN, to->ctx,
		    "Overlong line in RESULTS file - %zu chars (max %zu)",
		    room->results.overlong, max + 1);
	else if (rc == RESULTS_E_NO_END)
		log_msg(LOG_L_ERR, to->ctx,
		    "RESULTS file did not finish with 'F' line: Tempfailing");
	else if (rc < 0)
		log_msg(LOG_L_ERR, to->ctx, "Out of memory for RESULTS");
	return rc;
}

static int
make_reply(
    const struct apply_to *to, struct outcome_room *room, struct mlt_reply *r)
{
	const struct results *res = &room->results;
	enum mlt_reply_type type = MLT_REPLY_TEMPFAIL;

	switch (res->end) {
	case RESULTS_DONE:
		*r = (struct mlt_reply){ .type = MLT_REPLY_CONTINUE };
		return 0;
	case RESULTS_DISCARD:
		log_msg(LOG_L_DEBUG, to->ctx,
		    "Discarding because filter instructed us to");
		*r = (struct mlt_reply){ .type = MLT_REPLY_DISCARD };
		return 0;
	case RESULTS_REJECT:
		log_msg(LOG_L_DEBUG, to->ctx,
		    "Bouncing because filter instructed us to");
		type = MLT_REPLY_REJECT;
		break;
	case RESULTS_TEMPFAIL:
		log_msg(LOG_L_DEBUG, to->ctx,
		    "Tempfailing because filter instructed us to");
		break;
	}
	if (reply_refusal(
		r, type, res->code, res->dsn, res->text, &room->text) == 0)
		return 0;
	log_msg(LOG_L_ERR, to->ctx, "Out of memory for a reply");
	return -1;
}

int
outcome_obey(
    const struct apply_to *to, struct outcome_room *room, struct mlt_reply *r)
{
	if (read_results(to, &room->file) < 0 || parse_results(to, room) < 0 ||
	    apply_results(to, &room->results) < 0)
		return -1;
	return make_reply(to, room, r);
}
