/* SPDX-License-Identifier: MIT */
/*
 * rig: the SMTP client, and the sessions of which cases are made (rig.h).
 */
#include "cli/check/rig.h"

#include "cli/check/rig_int.h"
#include "cli/ctl_safe.h"
#include "core/base/fdio.h"

#include <arpa/inet.h>
#include <errno.h>
#include <milterproto_server.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SINK_EACH_MS 25 /* between two looks into a directory */

/* ---- making and ending it ------------------------------------------------------ */

static int
tcp_socket(const struct addrinfo *a, bool listener)
{
	int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (listener) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
		    listen(fd, SOMAXCONN) == 0 &&
		    fdio_set_nonblock(fd, true) == 0)
			return fd;
	} else if (connect(fd, a->ai_addr, a->ai_addrlen) == 0 &&
		   fdio_set_nonblock(fd, true) == 0) {
		return fd;
	}
	one = errno;
	close(fd);
	errno = one;
	return -1;
}

/* HOST:PORT or [HOST]:PORT into its parts; false: it is neither. */
static bool
split(const char *where, char host[256], const char **port)
{
	const char *colon = strrchr(where, ':');
	size_t n = colon ? (size_t)(colon - where) : 0;

	if (!colon || n >= 256 || !colon[1])
		return false;
	if (n >= 2 && where[0] == '[' && where[n - 1] == ']') {
		where++;
		n -= 2;
	}
	memcpy(host, where, n);
	host[n] = '\0';
	*port = colon + 1;
	return n > 0;
}

int
rig_tcp(const char *where, bool listener, char *err, size_t errlen)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = listener ? AI_PASSIVE : 0 };
	struct addrinfo *all, *a;
	char host[256];
	const char *port;
	int rc, fd = -1;

	if (!split(where, host, &port)) {
		snprintf(err, errlen, "%s: write it as HOST:PORT", where);
		return -1;
	}
	rc = getaddrinfo(host, port, &hints, &all);
	if (rc != 0) {
		snprintf(err, errlen, "%s: %s", where, gai_strerror(rc));
		return -1;
	}
	for (a = all; fd < 0 && a; a = a->ai_next)
		fd = tcp_socket(a, listener);
	if (fd < 0)
		snprintf(err, errlen, "%s: %s", where, strerror(errno));
	freeaddrinfo(all);
	return fd;
}

/* Others must not guess it: a message with our marker counts as ours. */
static void
make_run_id(char id[20])
{
	uint64_t chance = 0;

	if (getrandom(&chance, sizeof(chance), 0) < 0)
		chance = clock_mono_us();
	snprintf(id, 20, "%016llx", (unsigned long long)chance);
}

int
rig_init(struct mta_rig *r, const struct rig_opts *o, char *err, size_t errlen)
{
	mode_t mask = umask(0);
	struct mlt_listen_opts how = { .umask_ = mask, .remove_dead = true };
	int rc;

	umask(mask);
	*r = (struct mta_rig){ .o = o,
		.start_us = clock_mono_us(),
		.listen_fd = -1,
		.sink_fd = -1,
		.smtp_fd = -1 };
	plan_init(&r->plan);
	buf_init(&r->smtp_in, 0);
	for (size_t i = 0; i < RIG_STEP_N; i++)
		smtp_reply_init(&r->told[i]);
	smtp_reply_init(&r->ehlo);
	make_run_id(r->run_id);
	rc = sink_init(&r->sink, o->sink);
	if (rc < 0) {
		snprintf(err, errlen, "--sink %s: %s", o->sink, strerror(-rc));
		return -1;
	}
	r->listen_fd = mlt_listen_open(o->listen, &how, err, errlen);
	if (r->listen_fd < 0)
		return -1;
	if (o->sink_listen)
		r->sink_fd = rig_tcp(o->sink_listen, true, err, errlen);
	return o->sink_listen && r->sink_fd < 0 ? -1 : 0;
}

static void
forget_session(struct mta_rig *r)
{
	for (size_t i = 0; i < r->n_links; i++)
		rig_link_free(r->link[i]);
	r->n_links = 0;
	if (r->smtp_fd >= 0)
		close(r->smtp_fd);
	r->smtp_fd = -1;
	buf_reset(&r->smtp_in);
	for (size_t i = 0; i < RIG_STEP_N; i++) {
		r->told[i].code = RIG_NOT_SAID;
		buf_reset(&r->told[i].text);
	}
	plan_fini(&r->plan);
	r->stray = r->lingered = false;
}

void
rig_fini(struct mta_rig *r)
{
	forget_session(r);
	for (size_t i = 0; i < RIG_HOPS; i++)
		rig_hop_free(r->hop[i]);
	for (size_t i = 0; i < RIG_STEP_N; i++)
		smtp_reply_fini(&r->told[i]);
	smtp_reply_fini(&r->ehlo);
	buf_fini(&r->smtp_in);
	sink_fini(&r->sink);
	if (r->listen_fd >= 0) {
		close(r->listen_fd);
		if (mlt_listen_path(r->o->listen))
			unlink(mlt_listen_path(r->o->listen));
	}
	if (r->sink_fd >= 0)
		close(r->sink_fd);
}

void
rig_begin(struct mta_rig *r)
{
	forget_session(r);
	plan_init(&r->plan);
}

/* ---- transcript ---------------------------------------------------------------- */

uint64_t
rig_now_us(const struct mta_rig *r)
{
	return clock_mono_us() - r->start_us;
}

void
rig_note(struct mta_rig *r, const char *fmt, ...)
{
	struct buf text;
	va_list ap;

	if (!r->transcript)
		return;
	buf_init(&text, 0);
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (buf_cstr(&text))
		transcript_note(
		    r->transcript, 0, rig_now_us(r), "%s", buf_cstr(&text));
	buf_fini(&text);
}

static void
note_smtp(struct mta_rig *r, const char *who, const char *p, size_t n)
{
	struct buf text;

	buf_init(&text, 0);
	ctl_safe(&text, p, n < 400 ? n : 400, true);
	if (buf_cstr(&text))
		rig_note(r, "SMTP %s %s%s", who, buf_cstr(&text),
		    n > 400 ? "..." : "");
	buf_fini(&text);
}

/* ---- waiting ------------------------------------------------------------------- */

bool
rig_wait(struct mta_rig *r, bool (*cond)(struct mta_rig *r))
{
	msec end = clock_mono_ms() + r->o->wait_ms;

	while (!cond(r)) {
		if (clock_mono_ms() >= end)
			return false;
		rig_turn(r, end);
	}
	return true;
}

static bool
has_left(struct mta_rig *r)
{
	for (size_t i = 0; i < r->n_links; i++)
		if (r->link[i]->fd >= 0)
			return false;
	return true;
}

/* The next reply, into told[step]. */
static int
await_reply(struct mta_rig *r, enum rig_step step)
{
	struct smtp_reply *t = &r->told[step];
	msec end = clock_mono_ms() + r->o->wait_ms;
	int rc;

	while ((rc = smtp_reply_take(&r->smtp_in, t)) == 0) {
		if (r->smtp_fd < 0) {
			rig_note(r, "SMTP closed by the MTA");
			return t->code = RIG_CLOSED;
		}
		if (clock_mono_ms() >= end) {
			rig_note(r, "SMTP no reply in %llu ms",
			    (unsigned long long)r->o->wait_ms);
			return t->code = RIG_SILENT;
		}
		rig_turn(r, end);
	}
	if (rc < 0) {
		note_smtp(r, "<", buf_data(&r->smtp_in), buf_len(&r->smtp_in));
		return t->code = RIG_GARBAGE;
	}
	note_smtp(r, "<", buf_data(&t->text), buf_len(&t->text));
	return t->code;
}

/* ---- the client ---------------------------------------------------------------- */

/* Sends while the loop serves the others: the MTA may wait for them. */
static void
put(struct mta_rig *r, const struct buf *b)
{
	const char *p = buf_data(b);
	size_t left = buf_len(b);
	msec end = clock_mono_ms() + r->o->wait_ms;

	while (left && r->smtp_fd >= 0 && clock_mono_ms() < end) {
		ssize_t n = send(r->smtp_fd, p, left, MSG_NOSIGNAL);

		if (n > 0) {
			p += n;
			left -= (size_t)n;
		} else if (errno == EAGAIN) {
			rig_turn(r, clock_mono_ms() + 1);
		} else if (errno != EINTR) {
			break; /* what the server said last can be read still */
		}
	}
}

void
rig_octets(struct mta_rig *r, const char *p, size_t n)
{
	struct buf b;

	buf_init(&b, 0);
	buf_add(&b, p, n);
	note_smtp(r, ">", p, n);
	put(r, &b);
	buf_fini(&b);
}

static bool
is_closed(struct mta_rig *r)
{
	return r->smtp_fd < 0;
}

bool
rig_is_closed(struct mta_rig *r)
{
	return rig_wait(r, is_closed);
}

static void
note_client(struct mta_rig *r)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a;
	socklen_t len = sizeof(a);

	r->client_port = 0;
	r->client_addr[0] = '\0';
	if (getsockname(r->smtp_fd, &a.sa, &len) < 0)
		return;
	r->client_port =
	    ntohs(a.sa.sa_family == AF_INET ? a.in.sin_port : a.in6.sin6_port);
	inet_ntop(a.sa.sa_family,
	    a.sa.sa_family == AF_INET ? (void *)&a.in.sin_addr
				      : (void *)&a.in6.sin6_addr,
	    r->client_addr, sizeof(r->client_addr));
}

int
rig_connect(struct mta_rig *r)
{
	char err[300];

	r->smtp_fd = rig_tcp(r->o->smtp, false, err, sizeof(err));
	if (r->smtp_fd < 0) {
		rig_note(r, "SMTP %s", err);
		return r->told[RIG_GREETING].code = RIG_CLOSED;
	}
	rig_note(r, "SMTP connected to %s", r->o->smtp);
	note_client(r);
	return await_reply(r, RIG_GREETING);
}

int
rig_say(struct mta_rig *r, enum rig_step step, const char *fmt, ...)
{
	struct buf line;
	va_list ap;

	r->stray = r->stray || buf_len(&r->smtp_in) > 0;
	buf_init(&line, 0);
	va_start(ap, fmt);
	buf_vaddf(&line, fmt, ap);
	va_end(ap);
	note_smtp(r, ">", buf_data(&line), buf_len(&line));
	buf_adds(&line, "\r\n");
	put(r, &line);
	buf_fini(&line);
	return await_reply(r, step);
}

int
rig_hello(struct mta_rig *r)
{
	int code = rig_connect(r);

	if (code < 200 || code >= 300)
		return code;
	code = rig_say(r, RIG_HELO, "EHLO %s", r->o->helo);
	if (code == 250) {
		smtp_reply_fini(&r->ehlo);
		smtp_reply_init(&r->ehlo);
		r->ehlo.code = code;
		buf_add(&r->ehlo.text, buf_data(&r->told[RIG_HELO].text),
		    buf_len(&r->told[RIG_HELO].text));
	}
	return code;
}

static void
add_header(struct mta_rig *r, const struct rig_mail *m, struct buf *out)
{
	char date[64] = "";
	time_t now = (time_t)clock_wall_s();
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(
		    date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	buf_addf(out,
	    "From: <%s>\r\nTo: <%s>\r\nSubject: milter-check\r\n"
	    "Message-ID: <%s@milter-check.invalid>\r\nDate: %s\r\n" SINK_FIELD
	    ": %s\r\n%s\r\n",
	    r->o->from, r->o->to, r->marker, date, r->marker,
	    m->fields ? m->fields : "");
}

int
rig_content(struct mta_rig *r, const struct rig_mail *m)
{
	struct buf message, wire;

	buf_init(&message, 0);
	buf_init(&wire, 0);
	add_header(r, m, &message);
	if (!m->body)
		buf_adds(&message, "A message of milter-check.\r\n");
	else
		buf_add(
		    &message, m->body, m->body_n ? m->body_n : strlen(m->body));
	smtp_put_content(&wire, buf_data(&message), buf_len(&message));
	rig_note(r, "SMTP > the message, %zu octets", buf_len(&wire));
	put(r, &wire);
	buf_fini(&message);
	buf_fini(&wire);
	return await_reply(r, RIG_CONTENT);
}

bool
rig_send(struct mta_rig *r, const struct rig_mail *m)
{
	static const struct rig_mail usual;
	bool any;

	if (!m)
		m = &usual;
	snprintf(
	    r->marker, sizeof(r->marker), "%s.%u", r->run_id, ++r->n_markers);
	if (rig_say(r, RIG_MAIL, "MAIL FROM:<%s>%s",
		m->null_sender ? "" : r->o->from,
		m->mail_args ? m->mail_args : "") != 250)
		return false;
	any = rig_say(r, RIG_RCPT, "RCPT TO:<%s>", r->o->to) == 250;
	if (m->two && rig_code(r, RIG_RCPT) > 0)
		any |= rig_say(r, RIG_RCPT2, "RCPT TO:<%s>", r->o->to2) == 250;
	if (!any || rig_say(r, RIG_DATA, "DATA") != 354)
		return false;
	return rig_content(r, m) == 250;
}

void
rig_quit(struct mta_rig *r)
{
	enum rig_step last = rig_last(r);

	/* a server that did not greet may say the same to QUIT */
	if (r->smtp_fd >= 0 && r->told[last].code != RIG_SILENT &&
	    rig_say(r, RIG_OTHER, "QUIT") > 0 &&
	    r->told[RIG_OTHER].code != 221 && r->told[last].code != 421 &&
	    r->told[RIG_GREETING].code == 220)
		r->stray = true;
	rig_hang_up(r);
}

void
rig_hang_up(struct mta_rig *r)
{
	if (r->smtp_fd >= 0) {
		close(r->smtp_fd);
		r->smtp_fd = -1;
	}
	if (!rig_wait(r, has_left)) {
		rig_note(r, "the MTA has not closed its connection");
		r->lingered = true;
	}
}

bool
rig_deliver(struct mta_rig *r, const struct rig_mail *m)
{
	bool ok = rig_hello(r) == 250 && rig_send(r, m);

	rig_quit(r);
	return ok;
}

/* ---- what arrives -------------------------------------------------------------- */

bool
rig_is_there(struct mta_rig *r, const char *marker)
{
	return sink_look(&r->sink) == 0 && sink_has(&r->sink, marker);
}

bool
rig_arrived(struct mta_rig *r, struct sink_message *m)
{
	msec end = clock_mono_ms() + r->o->wait_ms;

	while (!rig_is_there(r, r->marker)) {
		msec now = clock_mono_ms();

		if (now >= end) {
			rig_note(r, "the message has not arrived");
			return false;
		}
		rig_turn(r, now + SINK_EACH_MS);
	}
	return sink_get(&r->sink, r->marker, m);
}

bool
rig_still_serves(struct mta_rig *r, struct buf *why)
{
	struct sink_message m;
	bool ok;

	sink_message_init(&m);
	rig_note(r, "the next session");
	rig_begin(r);
	ok = rig_deliver(r, NULL);
	if (!ok) {
		buf_adds(why, "the next session failed: ");
		rig_tell(r, rig_last(r), why);
	} else if (r->n_links == 0) {
		ok = false;
		buf_adds(why, "the next session did not use the filter");
	} else if (!rig_arrived(r, &m)) {
		ok = false;
		buf_adds(
		    why, "the next message was accepted and not delivered");
	}
	sink_message_fini(&m);
	return ok;
}

/* ---- for judges ---------------------------------------------------------------- */

const char *
rig_step_word(enum rig_step s)
{
	static const char *const words[RIG_STEP_N] = { "the greeting", "EHLO",
		"MAIL", "RCPT", "the second RCPT", "DATA", "the message",
		"the last command" };

	return words[s];
}

int
rig_code(const struct mta_rig *r, enum rig_step s)
{
	return r->told[s].code;
}

const char *
rig_text(struct mta_rig *r, enum rig_step s)
{
	const char *text =
	    r->told[s].code > 0 ? buf_cstr(&r->told[s].text) : NULL;

	return text ? text : "";
}

enum rig_step
rig_last(const struct mta_rig *r)
{
	enum rig_step s = RIG_CONTENT;

	while (s > RIG_GREETING && r->told[s].code == RIG_NOT_SAID)
		s--;
	return s;
}

const struct played *
rig_played(const struct mta_rig *r)
{
	return r->n_links ? &r->link[0]->f : NULL;
}

void
rig_tell(struct mta_rig *r, enum rig_step s, struct buf *out)
{
	int code = r->told[s].code;
	const char *text = rig_text(r, s);

	buf_addf(out, "%s: ", rig_step_word(s));
	if (code > 0)
		ctl_safe(out, text, strlen(text), true);
	else
		buf_adds(out, code == RIG_CLOSED    ? "connection closed"
			      : code == RIG_SILENT  ? "no answer in time"
			      : code == RIG_GARBAGE ? "no SMTP reply"
						    : "not said");
}
