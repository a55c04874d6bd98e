/* SPDX-License-Identifier: MIT */
/*
 * broken_mta_deliver: the message of broken_mta, its changes, its end in the sink.
 */
#include "broken_mta.h"

#include "core/base/fdio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
message_begin(struct broken *b)
{
	message_end(b);
	b->m.open = true;
	if (b->fault != FAULT_one_queue_id)
		b->n_messages++;
	snprintf(b->m.id, sizeof(b->m.id), "Q%06u", b->n_messages);
}

void
message_end(struct broken *b)
{
	buf_fini(&b->m.content);
	mlt_edit_free(b->m.edit);
	memset(&b->m, 0, sizeof(b->m));
	buf_init(&b->m.content, 0);
}

/* ---- its parts ------------------------------------------------------------------ */

struct mlt_bytes
message_body(const struct broken *b)
{
	const char *p = buf_data(&b->m.content),
		   *end = p + buf_len(&b->m.content);
	const char *body = memmem(p, (size_t)(end - p), "\r\n\r\n", 4);

	body = body ? body + 4 : end;
	return (struct mlt_bytes){ body, (size_t)(end - body) };
}

/* The end of the field that begins at p, without its CR LF. */
static const char *
field_end(const char *p, const char *end)
{
	do {
		p = memmem(p, (size_t)(end - p), "\r\n", 2);
		if (!p)
			return end;
		p += 2;
	} while (p < end && (*p == ' ' || *p == '\t'));
	return p - 2;
}

enum verdict
message_fields(struct broken *b, field_fn *fn)
{
	const char *p = buf_data(&b->m.content);
	const char *end = p + buf_len(&b->m.content), *next;
	enum verdict v = V_GO_ON;

	for (; v == V_GO_ON && p < end && *p != '\r'; p = next + 2) {
		const char *colon;

		next = field_end(p, end);
		colon = memchr(p, ':', (size_t)(next - p));
		if (!colon)
			break;
		v = fn(b, (struct mlt_bytes){ p, (size_t)(colon - p) },
		    (struct mlt_bytes){
			colon + 1, (size_t)(next - colon - 1) });
	}
	return v;
}

/* ---- changes --------------------------------------------------------------------- */

static enum verdict
load_field(struct broken *b, struct mlt_bytes name, struct mlt_bytes value)
{
	return mlt_edit_header(b->m.edit, MLT_EDIT_SEEN, name, value) < 0
		   ? V_REFUSE
		   : V_GO_ON;
}

int
message_load(struct broken *b)
{
	static const char received[] = " from client by mx.example; today";
	struct mlt_edit_opts opts = { .rule = MLT_EDIT_POSTFIX };
	struct mlt_bytes body = message_body(b), none = { NULL, 0 };
	int rc;

	if (b->mta) {
		opts.actions = mlt_mta_actions(b->mta);
		opts.protocol = mlt_mta_protocol(b->mta);
	}
	if (b->fault == FAULT_no_blank)
		opts.protocol |= MLT_PROT_HDR_LEADSPC;
	rc = mlt_edit_new(&b->m.edit, &opts);
	if (rc == 0)
		rc = mlt_edit_from(b->m.edit, b->m.from.v[0], none);
	for (size_t i = 0; rc == 0 && i < b->m.n_rcpts; i++)
		rc = mlt_edit_rcpt(b->m.edit, b->m.rcpt[i].v[0], none);
	if (rc == 0)
		rc = mlt_edit_header(b->m.edit, MLT_EDIT_OWN,
		    (struct mlt_bytes){ "Received", 8 },
		    (struct mlt_bytes){ received, sizeof(received) - 1 });
	if (rc == 0)
		rc = message_fields(b, load_field) == V_GO_ON ? 0 : -1;
	return rc == 0 ? mlt_edit_body(b->m.edit, body.p, body.n) : rc;
}

/* Is this change lost on the way? */
static bool
is_ignored(const struct broken *b, const struct mlt_action *a)
{
	switch ((int)b->fault) {
	case FAULT_first_change_only:
		return b->m.n_changes > 1;
	case FAULT_keeps_deleted:
		return a->reply == MLT_SMFIR_CHGHEADER && a->value.n == 0;
	case FAULT_ignores_added_rcpt:
		return a->reply == MLT_SMFIR_ADDRCPT;
	case FAULT_ignores_deleted_rcpt:
		return a->reply == MLT_SMFIR_DELRCPT;
	case FAULT_ignores_new_sender:
		return a->reply == MLT_SMFIR_CHGFROM;
	case FAULT_first_piece_only:
		return a->reply == MLT_SMFIR_REPLBODY && b->m.replaced;
	case FAULT_delivers_quarantined:
		return a->reply == MLT_SMFIR_QUARANTINE;
	default: /* the others are made elsewhere */
		return false;
	}
}

bool
message_change(struct broken *b, struct mlt_action *a)
{
	bool ignored;

	if (a->reply == MLT_SMFIR_PROGRESS)
		return true;
	b->m.n_changes++;
	ignored = is_ignored(b, a);
	b->m.replaced |= a->reply == MLT_SMFIR_REPLBODY;
	if (ignored)
		return true;
	if (b->fault == FAULT_inserts_at_end && a->reply == MLT_SMFIR_INSHEADER)
		a->index = 9999;
	if (b->fault == FAULT_changes_the_next &&
	    a->reply == MLT_SMFIR_CHGHEADER)
		a->index++;
	b->m.held |= a->reply == MLT_SMFIR_QUARANTINE;
	return mlt_edit_apply(b->m.edit, a) >= 0;
}

/* ---- the sink -------------------------------------------------------------------- */

static void
add_address(struct buf *out, const char *field, struct mlt_edit_address a)
{
	buf_addf(out, "%s: <%.*s>\r\n", field, (int)a.addr.n,
	    a.addr.p ? a.addr.p : "");
}

static void
render(struct broken *b, struct buf *out)
{
	size_t at = 0, n = mlt_edit_render(b->m.edit, NULL, 0);
	struct mlt_edit_address to;
	char *room;

	add_address(out, "X-Envelope-From", mlt_edit_get_from(b->m.edit));
	while (mlt_edit_next_rcpt(b->m.edit, &at, &to))
		add_address(out, "X-Envelope-To", to);
	if (b->early)
		buf_adds(out, "X-Early: y\r\n");
	room = buf_space(out, n + 1);
	if (room)
		buf_added(out, mlt_edit_render(b->m.edit, room, n + 1));
}

bool
message_deliver(struct broken *b)
{
	char name[64], tmp[80];
	struct buf text;
	bool ok = false;
	int dir;

	if (b->m.dropped && b->fault != FAULT_delivers_discarded)
		return true;
	if (b->m.held)
		return true;
	if (!b->m.edit && message_load(b) < 0)
		return false;
	snprintf(name, sizeof(name), "%s.%ld", b->m.id, (long)getpid());
	if (b->fault == FAULT_one_queue_id)
		snprintf(name, sizeof(name), "%p", (void *)b->m.edit);
	snprintf(tmp, sizeof(tmp), ".%s", name);
	dir = fdio_open_dir(b->sink);
	buf_init(&text, 0);
	render(b, &text);
	if (dir >= 0 && !text.failed)
		ok = fdio_write_file(dir, tmp, 0600, buf_data(&text),
			 buf_len(&text)) == 0 &&
		     renameat(dir, tmp, dir, name) == 0;
	buf_fini(&text);
	if (dir >= 0)
		close(dir);
	return ok;
}
