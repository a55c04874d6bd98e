/* SPDX-License-Identifier: MIT */
/*
 * rig_loop: the sockets of the rig and the one poll(2) that waits for all of
 * them.  What the MTA says to the filter goes to struct played, what it sends
 * on to struct sink_smtp; what the SMTP server says waits for rig.c.
 */
#include "cli/check/rig_int.h"
#include "core/base/fdio.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_MAX      65536
#define PROGRESS_EACH 20 /* ms between two PROGRESS without end */
#define N_FDS         (3 + RIG_LINKS_MAX + RIG_HOPS)

void
rig_link_free(struct rig_link *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	played_fini(&l->f);
	buf_fini(&l->out);
	free(l);
}

void
rig_hop_free(struct rig_hop *h)
{
	if (!h)
		return;
	close(h->fd);
	buf_fini(&h->in);
	buf_fini(&h->out);
	sink_smtp_fini(&h->smtp);
	free(h);
}

/* What can be read now is added: false at the end of the connection, also if
 * that is by an error. */
static bool
receive(int fd, struct buf *in)
{
	for (;;) {
		char *room = buf_space(in, READ_MAX);
		ssize_t n = room ? read(fd, room, READ_MAX) : 0;

		if (n > 0) {
			buf_added(in, (size_t)n);
			continue;
		}
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	}
}

/* Writes what can be written now, at most so much.  false: the other end does
 * not read. */
static bool
transmit(int fd, struct buf *out, size_t most)
{
	while (buf_len(out) && most) {
		size_t n = buf_len(out) < most ? buf_len(out) : most;
		ssize_t sent = send(fd, buf_data(out), n, MSG_NOSIGNAL);

		if (sent < 0)
			return errno == EAGAIN || errno == EINTR;
		buf_take(out, (size_t)sent);
		most -= (size_t)sent;
	}
	return true;
}

/* ---- the filter --------------------------------------------------------------- */

static unsigned
number_of(const struct mta_rig *r, const struct rig_link *l)
{
	for (size_t i = 0; i < r->n_links; i++)
		if (r->link[i] == l)
			return (unsigned)i;
	return 0;
}

/* Frames that were taken since the last time, as they came. */
static void
show_frames(struct mta_rig *r, struct rig_link *l)
{
	struct buf frame;

	for (; r->transcript && l->shown < l->f.n; l->shown++) {
		struct mlt_bytes payload = played_payload(&l->f, l->shown);
		uint32_t n = (uint32_t)payload.n + 1;
		char head[5] = { (char)(n >> 24), (char)(n >> 16),
			(char)(n >> 8), (char)n, (char)l->f.v[l->shown].cmd };

		buf_init(&frame, 0);
		buf_add(&frame, head, sizeof(head));
		buf_add(&frame, payload.p, payload.n);
		transcript_add(r->transcript, TRANSCRIPT_HEARD, number_of(r, l),
		    rig_now_us(r), false, buf_data(&frame), buf_len(&frame));
		buf_fini(&frame);
	}
}

static void
show_said(struct mta_rig *r, const struct rig_link *l, size_t from)
{
	if (r->transcript && buf_len(&l->out) > from)
		transcript_add(r->transcript, TRANSCRIPT_SAID, number_of(r, l),
		    rig_now_us(r), true, buf_data(&l->out) + from,
		    buf_len(&l->out) - from);
}

static void
leave(struct mta_rig *r, struct rig_link *l, const char *why)
{
	if (l->fd < 0)
		return;
	rig_note(r, "filter connection %u: %s", number_of(r, l), why);
	close(l->fd);
	l->fd = -1;
}

/* All of it, or one octet at a time, so that the MTA has time to read it. */
static void
flush_link(struct mta_rig *r, struct rig_link *l, msec now)
{
	size_t most = r->plan.piecemeal ? now >= l->next_octet : SIZE_MAX;

	if (l->fd < 0)
		return;
	if (!transmit(l->fd, &l->out, most))
		leave(r, l, "the MTA has closed it, and reads no answer");
	else if (l->closing && !buf_len(&l->out))
		leave(r, l, "closed by the filter");
	if (r->plan.piecemeal && most)
		l->next_octet = now + 1;
}

static void
say_progress(struct mta_rig *r, struct rig_link *l, msec now)
{
	static const char progress[] = { 0, 0, 0, 1, MLT_SMFIR_PROGRESS };
	size_t from = buf_len(&l->out);

	buf_add(&l->out, progress, sizeof(progress));
	if (l->n_progress++ < 3)
		show_said(r, l, from);
	l->next_progress = now + PROGRESS_EACH;
}

/* The answer that is due, if its time has come; and all that follows. */
static void
answer(struct mta_rig *r, struct rig_link *l, msec now)
{
	while (l->fd >= 0 && l->f.is_due && !l->closing) {
		enum plan_then then = l->f.due ? l->f.due->then : PLAN_GO_ON;
		size_t from = buf_len(&l->out);

		if (r->plan.hold && !l->hold_until)
			l->hold_until = now + r->o->grace_ms;
		if (l->hold_until > now)
			return;
		if (then == PLAN_PROGRESS && !l->progress_until)
			l->progress_until = now + r->o->progress_ms;
		if (l->progress_until > now) {
			if (now >= l->next_progress)
				say_progress(r, l, now);
			return;
		}
		l->hold_until = l->progress_until = 0;
		played_answer(&l->f, &l->out);
		show_said(r, l, from);
		l->closing = then == PLAN_CLOSE;
		flush_link(r, l, now);
		played_take(&l->f);
		show_frames(r, l);
	}
}

static void
serve_link(struct mta_rig *r, struct rig_link *l, short events, msec now)
{
	if (l->fd >= 0 && events & (POLLIN | POLLHUP | POLLERR)) {
		bool open = receive(l->fd, &l->f.in);

		played_take(&l->f);
		show_frames(r, l);
		answer(r, l, now);
		if (l->f.bad || l->f.full)
			leave(r, l, l->f.bad ? l->f.bad : "too much was said");
		if (!open) {
			l->closed = l->fd >= 0;
			leave(r, l, "closed by the MTA");
		}
	}
	answer(r, l, now);
	flush_link(r, l, now);
}

static void
accept_link(struct mta_rig *r)
{
	int fd =
	    accept4(r->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct rig_link *l;

	if (fd < 0)
		return;
	l = r->n_links < RIG_LINKS_MAX ? calloc(1, sizeof(*l)) : NULL;
	if (!l) {
		close(fd);
		return;
	}
	l->fd = fd;
	played_init(&l->f, &r->plan);
	buf_init(&l->out, 0);
	r->link[r->n_links++] = l;
	rig_note(r, "filter connection %zu: opened by the MTA", r->n_links - 1);
}

/* ---- the sink ------------------------------------------------------------------ */

static void
accept_hop(struct mta_rig *r)
{
	int fd = accept4(r->sink_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct rig_hop *h = fd >= 0 ? calloc(1, sizeof(*h)) : NULL;

	for (size_t i = 0; h && i < RIG_HOPS; i++) {
		if (r->hop[i])
			continue;
		h->fd = fd;
		buf_init(&h->in, 0);
		buf_init(&h->out, 0);
		sink_smtp_init(&h->smtp, r->sink.dir, &r->n_written, &h->out);
		r->hop[i] = h;
		return;
	}
	free(h);
	if (fd >= 0)
		close(fd);
}

static void
serve_hop(struct mta_rig *r, size_t i, short events)
{
	struct rig_hop *h = r->hop[i];
	bool open = true;

	if (events & (POLLIN | POLLHUP | POLLERR)) {
		open = receive(h->fd, &h->in);
		if (sink_smtp_step(&h->smtp, &h->in, &h->out) < 0)
			open = false;
	}
	if (!transmit(h->fd, &h->out, SIZE_MAX) || !open) {
		rig_hop_free(h);
		r->hop[i] = NULL;
	}
}

/* ---- all of it ----------------------------------------------------------------- */

static void
watch(struct pollfd *p, int fd, const struct buf *out)
{
	*p = (struct pollfd){ .fd = fd,
		.events =
		    (short)(POLLIN | (out && buf_len(out) ? POLLOUT : 0)) };
}

/* When something is due on a connection that its socket does not tell of. */
static msec
link_due(const struct mta_rig *r, const struct rig_link *l)
{
	if (l->fd < 0)
		return MSEC_NEVER;
	if (r->plan.piecemeal && buf_len(&l->out))
		return l->next_octet;
	if (l->hold_until)
		return l->hold_until;
	return l->progress_until ? l->next_progress : MSEC_NEVER;
}

static msec
next_due(const struct mta_rig *r, msec until)
{
	for (size_t i = 0; i < r->n_links; i++) {
		msec at = link_due(r, r->link[i]);

		if (at < until)
			until = at;
	}
	return until;
}

static void
serve(struct mta_rig *r, const struct pollfd *p)
{
	msec now = clock_mono_ms();
	size_t n_links = r->n_links;

	if (p[2].revents && !receive(r->smtp_fd, &r->smtp_in)) {
		close(r->smtp_fd);
		r->smtp_fd = -1;
	}
	for (size_t i = 0; i < n_links; i++)
		serve_link(r, r->link[i], p[3 + i].revents, now);
	for (size_t i = 0; i < RIG_HOPS; i++)
		if (r->hop[i] && p[3 + RIG_LINKS_MAX + i].revents)
			serve_hop(r, i, p[3 + RIG_LINKS_MAX + i].revents);
	if (p[0].revents)
		accept_link(r);
	if (p[1].revents)
		accept_hop(r);
}

void
rig_turn(struct mta_rig *r, msec until)
{
	struct pollfd p[N_FDS];
	msec now = clock_mono_ms();

	until = next_due(r, until);
	watch(&p[0], r->listen_fd, NULL);
	watch(&p[1], r->sink_fd, NULL);
	watch(&p[2], r->smtp_fd, NULL);
	for (size_t i = 0; i < RIG_LINKS_MAX; i++)
		watch(&p[3 + i], i < r->n_links ? r->link[i]->fd : -1,
		    i < r->n_links && !r->plan.piecemeal ? &r->link[i]->out
							 : NULL);
	for (size_t i = 0; i < RIG_HOPS; i++)
		watch(&p[3 + RIG_LINKS_MAX + i], r->hop[i] ? r->hop[i]->fd : -1,
		    r->hop[i] ? &r->hop[i]->out : NULL);
	if (poll(p, N_FDS, until > now ? (int)(until - now) : 0) >= 0)
		serve(r, p);
}
