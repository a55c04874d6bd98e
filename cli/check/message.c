/* SPDX-License-Identifier: MIT */
/*
 * message: where a message comes from (message.h).
 */
#include "cli/check/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE 65536

static const char header[] =
    "Received: from client.example.net (client.example.net [192.0.2.17])\r\n"
    "\tby mx.example.org (8.17.1/8.17.1) with ESMTPS id 4AMLk1Zq012345\r\n"
    "\tfor <recipient@example.org>; Sun, 22 Nov 2026 21:46:01 GMT\r\n"
    "From: Alice Example <sender@example.net>\r\n"
    "To: Bob Example <recipient@example.org>\r\n"
    "Subject: Minutes of the meeting on Thursday\r\n"
    "Date: Sun, 22 Nov 2026 21:46:00 +0000\r\n"
    "Message-ID: <20261122214600.12345@example.net>\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "\r\n";
static const char body_line[] = "Lorem ipsum dolor sit amet, consectetur "
				"adipisici elit, sed eiusmod tempor\r\n";

static int
complain(const char *path, const char *why)
{
	fprintf(stderr, "milter-check: %s: %s\n", path, why);
	return -1;
}

static int
read_all(struct message *m, const char *path, int fd)
{
	ssize_t n;

	do {
		char *room = buf_space(&m->text, READ_SIZE);

		if (!room)
			return complain(path, "out of memory");
		n = read(fd, room, READ_SIZE);
		if (n < 0 && errno != EINTR)
			return complain(path, strerror(errno));
		if (n > 0)
			buf_added(&m->text, (size_t)n);
		if (buf_len(&m->text) > EML_BYTES_MAX)
			return complain(
			    path, "more than 100 MB: take a smaller message");
	} while (n != 0);
	return 0;
}

static int
parse(struct message *m, const char *path)
{
	struct eml_error err;

	if (eml_parse(&m->eml, buf_data(&m->text), buf_len(&m->text), &err) ==
	    0)
		return 0;
	if (err.line > 0)
		fprintf(stderr, "milter-check: %s, line %zu: %s\n", path,
		    err.line, err.why);
	else
		complain(path, err.why);
	return -1;
}

int
message_read(struct message *m, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return complain(path, strerror(errno));
	buf_init(&m->text, 0);
	rc = read_all(m, path, fd);
	if (!is_stdin)
		close(fd);
	if (rc == 0)
		rc = parse(m, is_stdin ? "standard input" : path);
	if (rc < 0)
		buf_fini(&m->text);
	return rc;
}

int
message_make(struct message *m, size_t body_bytes)
{
	buf_init(&m->text, 0);
	buf_adds(&m->text, header);
	for (size_t left = body_bytes, n; left > 0; left -= n) {
		n = left < sizeof(body_line) - 1 ? left : sizeof(body_line) - 1;
		buf_add(&m->text, body_line, n);
	}
	if (!m->text.failed && parse(m, "message") == 0)
		return 0;
	buf_fini(&m->text);
	return complain("message", "out of memory");
}

void
message_fini(struct message *m)
{
	eml_fini(&m->eml);
	buf_fini(&m->text);
}
