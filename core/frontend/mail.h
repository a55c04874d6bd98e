/* SPDX-License-Identifier: MIT */
/*
 * mail: one message on its way in: the texts of its files, in memory until
 * somebody looks or they outgrow it (choice:late-directory), and what has to be
 * remembered of its header.
 *
 * A failed allocation sticks in a file's buffer and is found, as a failed write
 * is, by mail_keep_small, mail_write and mail_seal; those log with ctx and give
 * -1, and the message must be given up.
 */
#ifndef CORE_FRONTEND_MAIL_H
#define CORE_FRONTEND_MAIL_H

#include "core/base/buf.h"
#include "core/frontend/convert.h"
#include "core/frontend/ident.h"
#include "core/frontend/spool.h"

#include <milterproto.h>
#include <stdbool.h>
#include <stdint.h>

/* As in workdir_names. */
enum mail_file {
	MAIL_INPUTMSG,
	MAIL_HEADERS,
	MAIL_COMMANDS,
	MAIL_FILE_N
};

struct mail {
	struct mail *next; /* in its pool */
	char ident[IDENT_LEN + 1];
	struct spool_dir dir;
	struct buf file[MAIL_FILE_N]; /* what is not yet on disk */
	bool on_disk[MAIL_FILE_N];
	uint64_t written; /* octets of INPUTMSG on disk */
	struct convert_body body;
	size_t n_header, header_bytes;
	unsigned n_content_type; /* header fields of that name */
	unsigned n_validation;   /* likewise, of the validation header */
	const char *validation;  /* its secret name at MAIL, or NULL */
	bool mime_version;       /* there was such a field */
	bool queue_id_written;   /* to COMMANDS */
	enum spool_fate fate;
	bool went_early; /* to disk, before its end */
	/* for the line that sums it up */
	msec began;
	unsigned n_rcpt, n_refused;
	struct buf shown;    /* the first recipients, a NUL behind each */
	size_t shown_before; /* octets of it without the last one */
	/* for checks of recipients, and the sender for the summary */
	struct buf sender, first_rcpt;
	struct buf lines; /* for COMMANDS, of the recipient that is being
			   * checked; scratch for header fields later */
};

/* Messages that are done are used again with their buffers, so that a message
 * costs no allocation and an idle session no memory. */
struct mail_pool {
	struct mail *free;
	size_t n_free;
};
struct mail *mail_new(struct mail_pool *pool);          /* NULL: no memory */
void mail_free(struct mail_pool *pool, struct mail *m); /* dir is discarded
							 * already */
void mail_pool_fini(struct mail_pool *pool);

/* validation: name of the secret header, or NULL. */
void mail_header(struct mail *m, struct mlt_bytes name, struct mlt_bytes value,
    const char *validation);
void mail_eoh(struct mail *m);
void mail_body(struct mail *m, struct mlt_bytes piece);

/* Octets of INPUTMSG so far. */
uint64_t mail_size(const struct mail *m);

/* Writes out each file that has more than `limit` octets in memory. */
__attribute__((warn_unused_result)) int mail_keep_small(
    struct mail *m, struct spool *s, size_t limit, const char *ctx);
/* Writes out what is in memory of one file. */
__attribute__((warn_unused_result)) int mail_write(
    struct mail *m, struct spool *s, enum mail_file which, const char *ctx);
/* Ends the body and COMMANDS and writes out everything. */
__attribute__((warn_unused_result)) int mail_seal(
    struct mail *m, struct spool *s, const char *ctx);

#endif
