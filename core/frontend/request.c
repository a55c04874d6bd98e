/* SPDX-License-Identifier: MIT */
/* request: the lines that ask a multiplexor. */
#include "request.h"

#include "core/base/muxproto.h"

#include <string.h>

#define UNKNOWN "UNKNOWN"

static void
begin(struct buf *b, const char *word)
{
	buf_reset(b);
	mux_word(b, word);
}

static void
arg(struct buf *b, struct mlt_bytes s, const char *substitute)
{
	mux_arg(b, s.p, s.n, substitute);
}

static void
arg_text(struct buf *b, const char *s, const char *substitute)
{
	mux_arg(b, s, s ? strlen(s) : 0, substitute);
}

static void
arg_number(struct buf *b, unsigned n)
{
	buf_addf(b, " %u", n);
}

static void
arg_peer(struct buf *b, const struct client *c)
{
	arg_text(b, c->ip, UNKNOWN);
	arg_text(b, c->host, *c->ip ? c->ip : UNKNOWN);
}

static void
arg_queue_id(struct buf *b, const struct request_about *a)
{
	arg_text(b, a->queue_id, "NOQUEUE");
}

static int
end(const struct buf *b, const struct request_about *a)
{
	return b->failed || buf_len(b) > a->max ? -1 : 0;
}

/* As many of the parameters args[1..n) as fit. */
static int
end_with_params(struct buf *b, const struct request_about *a,
    const struct mlt_bytes *args, size_t n)
{
	if (end(b, a) < 0)
		return -1;
	for (size_t i = 1; i < n; i++) {
		size_t before = buf_len(b);

		arg(b, args[i], NULL);
		if (end(b, a) < 0) {
			if (b->failed)
				return -1;
			buf_cut(b, before);
			return (int)(n - i);
		}
	}
	return 0;
}

static void
arg_ports(struct buf *b, const struct request_about *a)
{
	arg_number(b, a->client->port);
	arg_text(b, a->client->my_ip, UNKNOWN);
	arg_number(b, a->client->daemon_port);
	arg_queue_id(b, a);
}

int
request_relayok(struct buf *b, const struct request_about *a)
{
	begin(b, "relayok");
	arg_peer(b, a->client);
	arg_ports(b, a);
	return end(b, a);
}

int
request_helook(struct buf *b, const struct request_about *a)
{
	begin(b, "helook");
	arg_peer(b, a->client);
	arg_text(b, a->client->helo, UNKNOWN);
	arg_ports(b, a);
	return end(b, a);
}

static void
arg_place(struct buf *b, const struct request_about *a)
{
	arg_text(b, a->client->helo, UNKNOWN);
	arg_text(b, a->dir, UNKNOWN);
	arg_queue_id(b, a);
}

int
request_senderok(struct buf *b, const struct request_about *a,
    const struct mlt_bytes *args, size_t n)
{
	begin(b, "senderok");
	arg(b, args[0], UNKNOWN);
	arg_peer(b, a->client);
	arg_place(b, a);
	return end_with_params(b, a, args, n);
}

int
request_recipok(struct buf *b, const struct request_about *a,
    const struct request_rcpt *r, const struct mlt_bytes *args, size_t n)
{
	begin(b, "recipok");
	arg(b, args[0], UNKNOWN);
	arg(b, r->sender, UNKNOWN);
	arg_peer(b, a->client);
	arg(b, r->first, UNKNOWN);
	arg_place(b, a);
	arg(b, r->mailer, "?");
	arg(b, r->host, "?");
	arg(b, r->addr, "?");
	return end_with_params(b, a, args, n);
}

int
request_scan(struct buf *b, const struct request_about *a)
{
	begin(b, "scan");
	arg_queue_id(b, a);
	arg_text(b, a->dir, UNKNOWN);
	return end(b, a);
}
