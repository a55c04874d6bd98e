/* SPDX-License-Identifier: MIT */
/* mail: one message on its way in. */
#include "mail.h"

#include "core/base/log.h"
#include "core/frontend/commands.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define POOL_MAX       16          /* messages kept for use again ... */
#define POOL_BUF_BYTES (256 << 10) /* ... with buffers up to this size */

_Static_assert(MAIL_FILE_N == WORKDIR_FILES, "workdir_names has them all");

static void
destroy(struct mail *m)
{
	for (int i = 0; i < MAIL_FILE_N; i++)
		buf_fini(&m->file[i]);
	buf_fini(&m->sender);
	buf_fini(&m->first_rcpt);
	buf_fini(&m->lines);
	buf_fini(&m->shown);
	free(m);
}

struct mail *
mail_new(struct mail_pool *pool)
{
	struct mail *m = pool->free;

	if (m) {
		pool->free = m->next;
		pool->n_free--;
		return m;
	}
	m = calloc(1, sizeof(*m));
	if (m)
		spool_dir_init(&m->dir);
	return m;
}

static void
empty(struct buf *b)
{
	if (b->cap > POOL_BUF_BYTES)
		buf_fini(b);
	else
		buf_reset(b);
}

void
mail_free(struct mail_pool *pool, struct mail *m)
{
	assert(m->dir.w.fd < 0);
	if (pool->n_free == POOL_MAX) {
		destroy(m);
		return;
	}
	for (int i = 0; i < MAIL_FILE_N; i++) {
		empty(&m->file[i]);
		m->on_disk[i] = false;
	}
	empty(&m->sender);
	empty(&m->first_rcpt);
	empty(&m->lines);
	empty(&m->shown);
	m->shown_before = 0;
	m->n_rcpt = m->n_refused = 0;
	m->written = 0;
	m->body = (struct convert_body){ 0 };
	m->n_header = m->header_bytes = 0;
	m->n_content_type = m->n_validation = 0;
	m->mime_version = m->queue_id_written = m->went_early = false;
	m->fate = SPOOL_DONE;
	m->next = pool->free;
	pool->free = m;
	pool->n_free++;
}

void
mail_pool_fini(struct mail_pool *pool)
{
	while (pool->free) {
		struct mail *m = pool->free;
		pool->free = m->next;
		destroy(m);
	}
	pool->n_free = 0;
}

static bool
is_name(struct mlt_bytes s, const char *name)
{
	return s.n == strlen(name) && strncasecmp(s.p, name, s.n) == 0;
}

static void
header_line(struct mail *m, char letter, struct mlt_bytes value)
{
	buf_reset(&m->lines);
	convert_unfolded(&m->lines, value);
	if (m->lines.failed)
		m->file[MAIL_COMMANDS].failed = true;
	commands_line(&m->file[MAIL_COMMANDS], letter,
	    (struct mlt_bytes){ buf_data(&m->lines), buf_len(&m->lines) });
}

void
mail_header(struct mail *m, struct mlt_bytes name, struct mlt_bytes value,
    const char *validation)
{
	struct buf *commands = &m->file[MAIL_COMMANDS];

	m->n_header++;
	m->header_bytes += name.n + value.n;
	if (is_name(name, "Content-Type") && ++m->n_content_type > 1)
		return; /* spec:spool-inputmsg */
	if (convert_header(
		&m->file[MAIL_INPUTMSG], &m->file[MAIL_HEADERS], name, value))
		buf_adds(commands, "!\n");
	if (is_name(name, "MIME-Version")) {
		m->mime_version = true;
	} else if (is_name(name, "Subject")) {
		header_line(m, 'U', value);
	} else if (is_name(name, "Message-ID")) {
		header_line(m, 'X', value);
	} else if (validation && is_name(name, validation)) {
		m->n_validation++;
		commands_relay(commands, value);
	}
}

void
mail_eoh(struct mail *m)
{
	buf_addc(&m->file[MAIL_INPUTMSG], '\n');
}

void
mail_body(struct mail *m, struct mlt_bytes piece)
{
	convert_body(&m->body, &m->file[MAIL_INPUTMSG], piece.p, piece.n);
}

uint64_t
mail_size(const struct mail *m)
{
	return m->written + buf_len(&m->file[MAIL_INPUTMSG]);
}

int
mail_write(
    struct mail *m, struct spool *s, enum mail_file which, const char *ctx)
{
	struct buf *b = &m->file[which];

	if (b->failed) {
		log_msg(LOG_L_ERR, ctx, "Out of memory for %s",
		    workdir_names[which]);
		return -1;
	}
	if (buf_len(b) == 0 && m->on_disk[which])
		return 0;
	if (m->dir.w.fd < 0 && spool_dir_create(s, &m->dir, m->ident, ctx) < 0)
		return -1;
	if (spool_append(s, &m->dir, workdir_names[which], buf_data(b),
		buf_len(b), ctx) < 0)
		return -1;
	m->on_disk[which] = true;
	if (which == MAIL_INPUTMSG)
		m->written += buf_len(b);
	buf_reset(b);
	return 0;
}

int
mail_keep_small(struct mail *m, struct spool *s, size_t limit, const char *ctx)
{
	for (enum mail_file i = 0; i < MAIL_FILE_N; i++) {
		if (!m->file[i].failed && buf_len(&m->file[i]) <= limit)
			continue;
		m->went_early = true;
		if (mail_write(m, s, i, ctx) < 0)
			return -1;
	}
	return 0;
}

int
mail_seal(struct mail *m, struct spool *s, const char *ctx)
{
	convert_body_end(&m->body, &m->file[MAIL_INPUTMSG]);
	if (m->body.suspicious)
		buf_adds(&m->file[MAIL_COMMANDS], "?\n");
	buf_adds(&m->file[MAIL_COMMANDS], "F\n");
	for (enum mail_file i = 0; i < MAIL_FILE_N; i++)
		if (mail_write(m, s, i, ctx) < 0)
			return -1;
	return 0;
}
