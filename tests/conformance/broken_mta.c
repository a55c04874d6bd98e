/* SPDX-License-Identifier: MIT */
#include "broken_mta.h"

#include "cli/cmdline.h"
#include "core/base/fdio.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTENT_MAX (16u << 20)

static const struct {
	const char *name, *found_by;
	unsigned requirement;
} faults[FAULT_N] = {
#define FAULT(name, requirement, case) { #name, case, requirement },
	[FAULT_NONE] = { "none", "", 0 },
#include "broken_mta.def"
#undef FAULT
};

struct options {
	const char *fault, *milter, *sink;
	bool list;
};
#define AT(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ 'f', "fault", OPT_STR, 0, AT(fault), "NAME", "none", 0, 0,
	    "what is wrong", NULL },
	{ 'm', "milter", OPT_STR, 0, AT(milter), "unix:PATH", NULL, 0, 0,
	    "the filter's socket", NULL },
	{ 's', "sink", OPT_STR, 0, AT(sink), "DIRECTORY", NULL, 0, 0,
	    "where messages are written", NULL },
	{ 'l', "list", OPT_FLAG, 0, AT(list), NULL, NULL, 0, 0,
	    "list the faults, their requirements and cases", NULL },
};

/* ---- the client's connection --------------------------------------------------- */

static void
tell(struct broken *b, const char *text)
{
	struct buf line;

	buf_init(&line, 0);
	buf_addf(&line, "%s\r\n", text);
	fdio_write_all(b->client, buf_data(&line), buf_len(&line));
	buf_fini(&line);
}

/* The next line with its end, taken off the input; false: the client has
 * gone. */
static bool
read_line(struct broken *b, struct buf *line)
{
	const char *nl;

	buf_reset(line);
	while (!(nl = memchr(buf_data(&b->in), '\n', buf_len(&b->in)))) {
		char *room = buf_space(&b->in, 65536);
		ssize_t n = room ? read(b->client, room, 65536) : 0;

		if (n <= 0)
			return false;
		buf_added(&b->in, (size_t)n);
	}
	buf_add(line, buf_data(&b->in), (size_t)(nl + 1 - buf_data(&b->in)));
	buf_take(&b->in, buf_len(line));
	return true;
}

/* Lines up to the lone dot. */
static bool
read_content(struct broken *b)
{
	struct buf line;
	bool ok;

	buf_init(&line, CONTENT_MAX);
	buf_init(&b->m.content, CONTENT_MAX);
	while ((ok = read_line(b, &line))) {
		const char *p = buf_data(&line);
		size_t skip = *p == '.' && b->fault != FAULT_dots_doubled;

		if (buf_len(&line) == 3 && memcmp(p, ".\r\n", 3) == 0)
			break;
		buf_add(&b->m.content, p + skip, buf_len(&line) - skip);
	}
	buf_fini(&line);
	return ok;
}

/* ---- commands --------------------------------------------------------------------- */

/* What is behind the colon: the address, and words. */
static bool
parse_args(struct args *a, const char *line)
{
	const char *colon = strchr(line, ':');
	char *p;

	a->n = 0;
	snprintf(a->line, sizeof(a->line), "%s", colon ? colon + 1 : "");
	for (p = a->line; *p && a->n < ARGS_MAX; a->n++) {
		size_t n = strcspn(p, " ");

		a->v[a->n] = (struct mlt_bytes){ p, n };
		p += n;
		p += strspn(p, " ");
	}
	return a->n > 0 && a->v[0].n >= 2 && a->v[0].p[0] == '<';
}

/* Tells what the filter's verdict makes of a command; false: it was the last
 * of the client. */
static bool
conclude(struct broken *b, enum verdict v, const char *good)
{
	if (b->lost && b->fault == FAULT_mute_without_filter)
		return true;
	tell(b, v == V_GO_ON ? good : b->reply);
	return v == V_GO_ON || strncmp(b->reply, "421", 3) != 0 ||
	       b->fault == FAULT_stays_after_421;
}

static bool
ehlo(struct broken *b, const char *line)
{
	const char *name = strchr(line, ' ');

	filter_abort(b);
	message_end(b);
	filter_helo(b, name ? name + 1 : "");
	tell(b, "250-mx.example\r\n250-SIZE 16000000\r\n250 8BITMIME");
	return true;
}

static bool
mail(struct broken *b, const char *line)
{
	enum verdict v;

	message_begin(b);
	if (!parse_args(&b->m.from, line)) {
		tell(b, "501 5.5.4 MAIL FROM:<address>");
		return true;
	}
	v = filter_mail(b);
	if (v != V_GO_ON)
		message_end(b);
	return conclude(b, v, "250 2.1.0 Ok");
}

static bool
rcpt(struct broken *b, const char *line)
{
	struct args *a = &b->m.rcpt[b->m.n_rcpts];
	enum verdict v = V_GO_ON;

	if (!b->m.open || b->m.n_rcpts == RCPTS_MAX || !parse_args(a, line)) {
		tell(b, "503 5.5.1 MAIL FROM:<address> first");
		return true;
	}
	if (!b->m.accepted && !b->m.dropped)
		v = filter_rcpt(b, a);
	if (v == V_GO_ON)
		b->m.n_rcpts++;
	else if (b->fault == FAULT_rcpt_refuses_all)
		message_end(b);
	return conclude(b, v, "250 2.1.5 Ok");
}

static bool
data(struct broken *b)
{
	enum verdict v = V_GO_ON;
	bool goes_on;

	if (b->m.n_rcpts == 0) {
		tell(b, "554 5.5.1 No valid recipients");
		return true;
	}
	if (!b->m.accepted && !b->m.dropped)
		v = filter_data(b);
	if (v != V_GO_ON)
		return conclude(b, v, "354 End data with <CR><LF>.<CR><LF>");
	tell(b, "354 End data with <CR><LF>.<CR><LF>");
	if (!read_content(b))
		return false;
	v = filter_content(b);
	if (v == V_GO_ON && !message_deliver(b))
		goes_on = conclude(b, v, "451 4.3.0 Cannot deliver");
	else
		goes_on = conclude(b, v, "250 2.0.0 Ok");
	b->m.open = false;
	message_end(b);
	return goes_on;
}

/* One command; false: the session is over. */
static bool
command(struct broken *b, const char *line)
{
	if (strncasecmp(line, "EHLO", 4) == 0 ||
	    strncasecmp(line, "HELO", 4) == 0)
		return ehlo(b, line);
	if (strncasecmp(line, "MAIL", 4) == 0)
		return mail(b, line);
	if (strncasecmp(line, "RCPT", 4) == 0)
		return rcpt(b, line);
	if (strncasecmp(line, "DATA", 4) == 0)
		return data(b);
	if (strncasecmp(line, "QUIT", 4) == 0) {
		tell(b, "221 2.0.0 Bye");
		return false;
	}
	if (strncasecmp(line, "RSET", 4) == 0) {
		filter_abort(b);
		message_end(b);
		tell(b, "250 2.0.0 Ok");
		return true;
	}
	filter_unknown(b, line);
	tell(b, "500 5.5.2 Command not recognized");
	return true;
}

static void
serve(struct broken *b, const char *milter)
{
	struct buf line;
	bool goes_on = true;

	buf_init(&b->in, 0);
	buf_init(&line, 0);
	filter_begin(b, filter_connect(milter));
	tell(b, strncmp(b->whole, "5", 1) == 0
		    ? "554 mx.example does not accept connections"
		    : "220 mx.example ESMTP");
	while (goes_on && read_line(b, &line)) {
		size_t n = strcspn(buf_cstr(&line), "\r\n");

		buf_cut(&line, n);
		goes_on = command(b, buf_cstr(&line));
	}
	filter_abort(b);
	message_end(b);
	filter_end(b);
	close(b->client);
	buf_fini(&b->in);
	buf_fini(&line);
}

/* ---- main --------------------------------------------------------------------------- */

static int
open_listener(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		err(1, "cannot listen");
	printf("%u\n", ntohs(a.sin_port)); /* for whoever started it */
	fflush(stdout);
	return fd;
}

static enum fault
find_fault(const char *name)
{
	for (int i = 0; i < FAULT_N; i++)
		if (strcmp(faults[i].name, name) == 0)
			return (enum fault)i;
	errx(2, "there is no fault %s; see --list", name);
}

int
main(int argc, char **argv)
{
	static const struct cmdline c = { .name = "broken_mta",
		.rows = rows,
		.n = sizeof(rows) / sizeof(rows[0]) };
	static struct broken b;
	struct options o = { 0 };
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int listener;

	cmdline_parse(&c, &o, argc, argv);
	for (int i = 1; o.list && i < FAULT_N; i++)
		printf("%s\tMLT-%u\t%s\n", faults[i].name,
		    faults[i].requirement, faults[i].found_by);
	if (o.list)
		return 0;
	if (!o.milter || !o.sink)
		errx(2, "--milter and --sink are needed");
	signal(SIGPIPE, SIG_IGN);
	b.fault = find_fault(o.fault);
	b.sink = o.sink;
	buf_init(&b.m.content, 0);
	listener = open_listener();
	while (
	    (b.client = accept(listener, (struct sockaddr *)&a, &len)) >= 0) {
		b.port = ntohs(a.sin_port);
		len = sizeof(a);
		serve(&b, o.milter);
	}
	err(1, "accept");
}
