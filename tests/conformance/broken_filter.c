/* SPDX-License-Identifier: MIT */
/*
 * broken_filter: a filter that is right but for one fault, by name.
 *
 *	broken_filter FAULT SOCKET	"none" is no fault
 *	broken_filter --list		name and requirement of each, by line
 *
 * The session is the library's, so that all else is as it should be; faults are
 * made from its octets, on their way in and out.  With them milter-check is
 * tested: the case of that requirement has to see the fault.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <milterproto_server.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/fdio.h"

#define CONNECTIONS 400
#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define LITERAL(s)  s, sizeof(s) - 1

enum where {
	BEFORE,
	AFTER,
	INSTEAD,
	LAST
};

static const struct fault {
	const char *name;
	unsigned requirement;
	enum {
		FAULT_OUTPUT,
		FAULT_OPTIONS,
		FAULT_LISTS,
		FAULT_BEHAVIOUR
	} kind;
	enum mlt_event_type event;
	enum where where;
	const char *octets;
	size_t n; /* of them, or the offset in options */
	uint8_t bits;
} faults[] = {
	{ .name = "none", .kind = FAULT_BEHAVIOUR },
#define OUTPUT(name, number, event, where, octets)                             \
	{ #name, number, FAULT_OUTPUT, MLT_EV_##event, where, LITERAL(octets), \
		0 },
#define OPTIONS(name, number, offset, bits)                                    \
	{ #name, number, FAULT_OPTIONS, MLT_EV_NEGOTIATE, AFTER, NULL, offset, \
		bits },
#define LISTS(name, number, octets)                                            \
	{ #name, number, FAULT_LISTS, MLT_EV_NEGOTIATE, AFTER,                 \
		LITERAL(octets), 0 },
#define BEHAVIOUR(name, number)                                                \
	{ #name, number, FAULT_BEHAVIOUR, MLT_EV_N, AFTER, NULL, 0, 0 },
#include "tests/conformance/filter_faults.def"
#undef OUTPUT
#undef OPTIONS
#undef LISTS
#undef BEHAVIOUR
};
static const struct fault *fault = faults;

struct conn {
	int fd;
	struct mlt_filter *session;
	struct buf in, out;
	bool ending;  /* close when the output has left */
	bool deaf;    /* nothing of it is looked at any more */
	bool opened;  /* a message is open */
	uint8_t last; /* command */
	uint32_t offered_version, offered_actions;
	unsigned messages, rcpts, helos;
};
static struct conn conns[CONNECTIONS];
static unsigned n_accepted;
static uint32_t least_version = MLT_VERSION_MAX;

static bool
is(const char *name)
{
	return strcmp(fault->name, name) == 0;
}

/* ---- output ------------------------------------------------------------------------------ */

static void
put(struct conn *c, const void *p, size_t n)
{
	if (buf_add(&c->out, p, n) < 0)
		errx(1, "out of memory");
}

/* A frame of one letter many times. */
static void
put_long(struct conn *c, const char *head, size_t n_head, size_t n)
{
	uint32_t len = htonl((uint32_t)(n_head + n + 1));

	put(c, &len, 4);
	put(c, head, n_head);
	while (n-- > 0)
		put(c, "x", 1);
	put(c, "", 1);
}

/* What the session wants to say, behind `from` octets of the output. */
static void
take_output(struct conn *c)
{
	const uint8_t *p;
	size_t n;

	while ((n = mlt_filter_output(c->session, &p)) > 0) {
		put(c, p, n);
		mlt_filter_sent(c->session, n);
	}
}

static void
spoil_options(struct conn *c, size_t from)
{
	char *frame = c->out.p + c->out.off + from;
	uint32_t len;

	if (fault->kind == FAULT_OPTIONS)
		frame[5 + fault->n] |= (char)fault->bits;
	if (is("version-echoed"))
		frame[8] = (char)c->offered_version;
	if (is("options-shared") && c->offered_version < least_version)
		least_version = c->offered_version;
	if (is("options-shared") && frame[8] > (char)least_version)
		frame[8] = (char)least_version;
	if ((fault->kind == FAULT_LISTS &&
		(c->offered_actions & MLT_ACT_SETSYMLIST)) ||
	    is("list-not-offered")) {
		static const char list[] = "\0\0\0\2i {mail_addr}";
		const char *p = fault->octets ? fault->octets : list;
		size_t n = fault->octets ? fault->n : sizeof(list);

		len = htonl((uint32_t)(13 + n));
		memcpy(frame, &len, 4);
		put(c, p, n);
	}
}

/* Octets in place of, before or behind those of the answer. */
static void
spoil_answer(struct conn *c, size_t from)
{
	struct buf answer;

	buf_init(&answer, 0);
	buf_add(&answer, buf_data(&c->out) + from, buf_len(&c->out) - from);
	buf_cut(&c->out, from);
	if (fault->where == AFTER)
		put(c, buf_data(&answer), buf_len(&answer));
	put(c, fault->octets, fault->n);
	if (fault->where == BEFORE)
		put(c, buf_data(&answer), buf_len(&answer));
	c->ending |= fault->where == LAST;
	buf_fini(&answer);
}

static void
spoil_message(struct conn *c)
{
	if (is("huge-reply"))
		put_long(c, "hX\0", 3, 70000);
	if (is("large-chunk"))
		put_long(c, "b", 1, 65535);
	if (is("long-field"))
		put_long(c, "hX\0", 3, 2000);
}

/* ---- events ------------------------------------------------------------------------------- */

static void
answer(struct conn *c, const struct mlt_event *ev)
{
	static const struct mlt_bytes name = { "X-Broken", 8 },
				      one = { "1", 1 };
	struct mlt_reply reply = { .type = MLT_REPLY_CONTINUE };
	size_t from = buf_len(&c->out);

	if (ev->type == MLT_EV_EOM) {
		spoil_message(c);
		from = buf_len(&c->out);
		mlt_filter_add_header(c->session, name, one);
	}
	if (ev->need_reply && mlt_filter_reply(c->session, &reply) < 0)
		errx(1, "the library refuses to continue");
	take_output(c);
	if (is("long-text") && ev->type == MLT_EV_MAIL) {
		buf_cut(&c->out, from);
		put_long(c, "y550 5.7.1 ", 11, 1200);
	}
	if (is("answers-in-spite") && ev->type == MLT_EV_HEADER)
		put(c, "\0\0\0\1c", 5);
	if (ev->type == MLT_EV_NEGOTIATE && buf_len(&c->out) >= from + 17)
		spoil_options(c, from);
	if (fault->kind == FAULT_OUTPUT && ev->type == fault->event)
		spoil_answer(c, from);
}

static void
pull_events(struct conn *c)
{
	struct mlt_event ev;
	int rc;

	while ((rc = mlt_filter_next(c->session, &ev)) > 0) {
		answer(c, &ev);
		if (c->ending)
			return;
	}
	c->ending |= rc < 0;
	if (mlt_filter_done(c->session))
		c->ending = !is("stays-behind-quit");
}

/* ---- input --------------------------------------------------------------------------------- */

enum take {
	PASS,  /* to the session */
	DROP,  /* say nothing */
	CLOSE, /* the connection */
	WAIT   /* for more octets */
};

/* What is not a frame, or has no legal length. */
static enum take
look_at_length(struct conn *c, uint32_t len)
{
	if (len == 0 && is("zero-length-ignored")) {
		buf_take(&c->in, 4);
		return DROP;
	}
	if (len > 65536 && is("oversize-awaited"))
		return WAIT;
	if (len > 60000 && len <= 65536 && is("small-limit"))
		return CLOSE;
	return PASS;
}

static bool
ends_in_nul(const char *payload, uint32_t n)
{
	return n && payload[n - 1] == '\0';
}

/* Faults in how commands are taken, by what was said before. */
static enum take
look_at_state(const struct conn *c, uint8_t cmd, uint32_t n)
{
	if (is("second-offer-ignored") && cmd == 'O' && c->last)
		return DROP;
	if (is("early-command-ignored") && cmd != 'O' && !c->last)
		return DROP;
	if (is("second-connect-ignored") && cmd == 'C' && c->last == 'C')
		return DROP;
	if (is("stray-steps-ignored") && strchr("RTLNBE", cmd) && !c->opened)
		return DROP;
	if (is("closes-at-stray-abort") && cmd == 'A' && !c->opened)
		return CLOSE;
	if (is("closes-at-abort") && cmd == 'A' && c->opened)
		return CLOSE;
	if (is("closes-at-nested-mail") && cmd == 'M' && c->opened)
		return CLOSE;
	if (is("closes-at-unknown") && cmd == 'U' && c->opened)
		return CLOSE;
	if (is("closes-at-second-helo") && cmd == 'H' && c->helos > 1)
		return CLOSE;
	if (is("one-message") && cmd == 'M' && c->messages > 1)
		return CLOSE;
	if (is("few-recipients") && cmd == 'R' && c->rcpts > 30)
		return CLOSE;
	if (is("closes-at-empty-body") && cmd == 'B' && n == 0)
		return CLOSE;
	return PASS;
}

/* Faults in how payloads are taken. */
static enum take
look_at_payload(struct conn *c, uint8_t cmd, const char *payload, uint32_t n)
{
	if (is("dies-at-bad-input") && !mlt_command_name(cmd))
		exit(0);
	if (is("unknown-command-ignored") && !mlt_command_name(cmd))
		return DROP;
	if (is("old-version-ignored") && cmd == 'O' && n >= 4 &&
	    payload[3] == 1)
		return DROP;
	if (is("unterminated-ignored") && strchr("HMRU", cmd) &&
	    !ends_in_nul(payload, n))
		return DROP;
	if (is("closes-at-null-sender") && cmd == 'M' && n >= 2 &&
	    memcmp(payload, "<>", 2) == 0)
		return CLOSE;
	if (is("closes-at-nul-in-body") && cmd == 'B' && memchr(payload, 0, n))
		return CLOSE;
	if (cmd != 'D')
		return PASS;
	if (is("macros-answered"))
		put(c, "\0\0\0\1c", 5);
	if (is("strange-macros-refused") && n && strchr("LBUZ", payload[0]))
		return CLOSE;
	return is("macros-of-no-stage-ignored") && n == 0 ? DROP : PASS;
}

static void
note_command(struct conn *c, uint8_t cmd, const char *payload, uint32_t n)
{
	uint32_t v;

	if (cmd == 'O' && n >= 12) {
		memcpy(&v, payload, 4);
		c->offered_version = ntohl(v);
		memcpy(&v, payload + 4, 4);
		c->offered_actions = ntohl(v);
	}
	c->messages += cmd == 'M';
	c->rcpts = cmd == 'M' ? 0 : c->rcpts + (cmd == 'R');
	c->helos += cmd == 'H';
}

static void
then(struct conn *c, uint8_t cmd)
{
	c->last = cmd;
	if (cmd == 'M')
		c->opened = true;
	if (strchr("EAHQK", cmd))
		c->opened = false;
}

/* One frame, or what must be fed to the session to be refused.  False: there is
 * none, or nothing more is wanted. */
static bool
take_frame(struct conn *c)
{
	uint32_t len, n;
	const char *p = buf_data(&c->in);
	enum take take;
	uint8_t cmd;
	size_t all;

	if (buf_len(&c->in) < 4)
		return false;
	memcpy(&len, p, 4);
	len = ntohl(len);
	take = look_at_length(c, len);
	if (take != PASS) {
		c->ending |= take == CLOSE;
		return take == DROP;
	}
	if (len > 0 && len <= 65536 && buf_len(&c->in) - 4 < len)
		return false;
	if (len > 0 && len <= 65536) {
		cmd = (uint8_t)p[4];
		n = len - 1;
		note_command(c, cmd, p + 5, n);
		take = look_at_state(c, cmd, n);
		if (take == PASS)
			take = look_at_payload(c, cmd, p + 5, n);
		then(c, cmd);
	}
	all = len > 0 && len <= 65536 ? 4 + (size_t)len : buf_len(&c->in);
	c->ending |= take == CLOSE;
	if (take == PASS && (mlt_filter_feed(c->session, p, all) < 0 ||
				(pull_events(c), c->ending)))
		c->ending = true;
	buf_take(&c->in, all);
	return !c->ending;
}

/* ---- connections ---------------------------------------------------------------------------- */

static void
open_conn(int fd)
{
	struct mlt_filter_opts opts = { .want.actions_wanted =
					    MLT_ACT_ALL & ~MLT_ACT_CHGFROM &
					    ~MLT_ACT_SETSYMLIST };
	struct conn *c = conns;

	while (c < conns + CONNECTIONS && c->session)
		c++;
	if (c == conns + CONNECTIONS) {
		close(fd);
		return;
	}
	if (is("no-leading-blank"))
		opts.want.protocol = MLT_PROT_HDR_LEADSPC;
	if (is("answers-in-spite"))
		opts.want.protocol = MLT_PROT_NR_HDR;
	*c = (struct conn){ .fd = fd };
	if (mlt_filter_new(&c->session, &opts) < 0)
		errx(1, "out of memory");
	buf_init(&c->in, 0);
	buf_init(&c->out, 0);
	c->deaf = is("tires") && ++n_accepted > 150;
}

static void
close_conn(struct conn *c)
{
	if (is("ends-at-early-close") && buf_len(&c->in))
		exit(0);
	close(c->fd);
	mlt_filter_free(c->session);
	buf_fini(&c->in);
	buf_fini(&c->out);
	c->session = NULL;
}

static void
read_conn(struct conn *c)
{
	char *room = buf_space(&c->in, 100000);
	ssize_t n = room ? recv(c->fd, room, 100000, 0) : -1;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		c->ending = !is("stays-at-half-close");
		c->deaf = true;
		return;
	}
	buf_added(&c->in, (size_t)n);
	if (is("http-answered") && buf_data(&c->in)[0] == 'G') {
		put(c, LITERAL("HTTP/1.0 400 Bad Request\r\n\r\n"));
		buf_reset(&c->in);
	}
	while (take_frame(c) && !is("one-frame-a-read"))
		continue;
	if (is("one-frame-a-read") || is("frames-in-pieces-lost"))
		buf_reset(&c->in);
}

static void
write_conn(struct conn *c)
{
	ssize_t n =
	    send(c->fd, buf_data(&c->out), buf_len(&c->out), MSG_NOSIGNAL);

	if (n > 0)
		buf_take(&c->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		c->ending = c->deaf = true, buf_reset(&c->out);
}

static void
serve(struct conn *c, short events)
{
	if ((events & (POLLIN | POLLHUP | POLLERR)) && !c->deaf && !c->ending)
		read_conn(c);
	if (buf_len(&c->out))
		write_conn(c);
	if (c->ending && !buf_len(&c->out))
		close_conn(c);
}

static void
loop(int listener)
{
	static struct pollfd pfds[CONNECTIONS + 1];
	static struct conn *who[CONNECTIONS + 1];

	for (;;) {
		nfds_t n = 0;

		for (struct conn *c = conns; c < conns + CONNECTIONS; c++) {
			if (!c->session)
				continue;
			who[n] = c;
			pfds[n++] = (struct pollfd){ .fd = c->deaf ? -1 : c->fd,
				.events = (short)(buf_len(&c->out) ? POLLOUT
								   : POLLIN) };
		}
		/* one connection after the other */
		pfds[n] =
		    (struct pollfd){ .fd = n && is("one-connection") ? -1
								     : listener,
			    .events = POLLIN };
		if (poll(pfds, n + 1, -1) < 0 && errno != EINTR)
			err(1, "poll");
		for (nfds_t i = 0; i < n; i++) {
			if (pfds[i].revents)
				serve(who[i], pfds[i].revents);
		}
		if (pfds[n].revents) {
			int fd = accept(listener, NULL, NULL);

			if (fd < 0)
				continue;
			fdio_set_nonblock(fd, true);
			open_conn(fd);
		}
	}
}

static void
pick_fault(const char *name)
{
	for (size_t i = 0; i < COUNT(faults); i++) {
		if (strcmp(faults[i].name, name) == 0) {
			fault = &faults[i];
			return;
		}
	}
	errx(2, "there is no fault \"%s\": --list shows them", name);
}

int
main(int argc, char **argv)
{
	const struct mlt_listen_opts how = { .remove_dead = true };
	char why[300];
	int fd;

	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (size_t i = 1; i < COUNT(faults); i++)
			printf(
			    "%s %u\n", faults[i].name, faults[i].requirement);
		return 0;
	}
	if (argc != 3)
		errx(2, "usage: broken_filter FAULT SOCKET | --list");
	pick_fault(argv[1]);
	signal(SIGPIPE, SIG_IGN);
	fd = mlt_listen_open(argv[2], &how, why, sizeof(why));
	if (fd < 0)
		errx(1, "%s", why);
	loop(fd);
}
