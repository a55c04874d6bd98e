/* SPDX-License-Identifier: MIT */
#include "cli/check/sink_smtp.h"

#include "core/base/fdio.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LINE_MAX_    65536
#define MESSAGE_MAX_ (64u << 20)

void
sink_smtp_init(
    struct sink_smtp *s, const char *dir, unsigned *n_written, struct buf *out)
{
	*s = (struct sink_smtp){ .dir = dir, .n_written = n_written };
	buf_init(&s->envelope, LINE_MAX_);
	buf_init(&s->message, MESSAGE_MAX_);
	buf_adds(out, "220 sink.invalid ESMTP milter-check\r\n");
}

void
sink_smtp_fini(struct sink_smtp *s)
{
	buf_fini(&s->envelope);
	buf_fini(&s->message);
}

/* Under a name with a dot first, so that whoever looks finds it whole. */
static int
write_message(struct sink_smtp *s)
{
	char tmp[80], name[64];
	int dir = fdio_open_dir(s->dir), rc = -1;

	snprintf(name, sizeof(name), "milter-check.%ld.%u", (long)getpid(),
	    ++*s->n_written);
	snprintf(tmp, sizeof(tmp), ".%s", name);
	if (dir < 0)
		return -1;
	buf_add(&s->envelope, buf_data(&s->message), buf_len(&s->message));
	if (!s->envelope.failed && !s->message.failed &&
	    fdio_write_file(dir, tmp, 0600, buf_data(&s->envelope),
		buf_len(&s->envelope)) == 0)
		rc = renameat(dir, tmp, dir, name);
	close(dir);
	return rc;
}

static void
forget(struct sink_smtp *s)
{
	buf_fini(&s->envelope);
	buf_init(&s->envelope, MESSAGE_MAX_);
	buf_reset(&s->message);
}

/* The address and its parameters, behind the colon, as a line in front of the
 * message. */
static void
note(struct sink_smtp *s, const char *field, const char *p, size_t n)
{
	const char *colon = memchr(p, ':', n);
	size_t skip = colon ? (size_t)(colon + 1 - p) : n;

	buf_addf(&s->envelope, "%s: %.*s\r\n", field, (int)(n - skip),
	    colon ? colon + 1 : "");
}

static const char *
command(struct sink_smtp *s, const char *p, size_t n)
{
	static const struct {
		const char *verb, *answer;
	} rows[] = {
		{ "EHLO", "250-sink.invalid\r\n250-8BITMIME\r\n250-DSN\r\n"
			  "250 SMTPUTF8\r\n" },
		{ "MAIL", "250 2.1.0 ok\r\n" },
		{ "RCPT", "250 2.1.5 ok\r\n" },
		{ "DATA", "354 go on\r\n" },
		{ "QUIT", "221 2.0.0 bye\r\n" },
	};
	size_t i = 0;

	while (i < sizeof(rows) / sizeof(rows[0]) &&
	       (n < 4 || strncasecmp(p, rows[i].verb, 4) != 0))
		i++;
	if (i == 1)
		forget(s);
	if (i == 1 || i == 2)
		note(s, i == 1 ? "X-Envelope-From" : "X-Envelope-To", p, n);
	s->data = i == 3;
	s->quit = i == 4;
	return i < sizeof(rows) / sizeof(rows[0]) ? rows[i].answer
						  : "250 2.0.0 ok\r\n";
}

/* A line of the message, with its end. */
static void
data_line(struct sink_smtp *s, const char *p, size_t n, struct buf *out)
{
	if (n == 3 && memcmp(p, ".\r\n", 3) == 0) {
		buf_adds(out, write_message(s) == 0
				  ? "250 2.0.0 kept\r\n"
				  : "451 4.3.0 cannot write the file\r\n");
		forget(s);
		s->data = false;
		return;
	}
	if (*p == '.') {
		p++;
		n--;
	}
	buf_add(&s->message, p, n);
}

int
sink_smtp_step(struct sink_smtp *s, struct buf *in, struct buf *out)
{
	const char *nl;

	while (!s->quit && (nl = memchr(buf_data(in), '\n', buf_len(in)))) {
		size_t n = (size_t)(nl + 1 - buf_data(in)), bare = n - 1;

		if (s->data) {
			data_line(s, buf_data(in), n, out);
		} else {
			if (bare && nl[-1] == '\r')
				bare--;
			buf_adds(out, command(s, buf_data(in), bare));
		}
		buf_take(in, n);
	}
	return s->quit || in->failed || out->failed ? -1 : 0;
}
