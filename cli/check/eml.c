/* SPDX-License-Identifier: MIT */
/*
 * eml: a message taken apart (eml.h).
 *
 * One walk over the lines of the header.  What is no field ends the header, as
 * it does for Sendmail and Postfix: a message without any header is all body.
 */
#include "cli/check/eml.h"

#include <stdlib.h>
#include <string.h>

#define MBOX_LINE "From "

struct walk {
	struct eml *eml;
	const char *p, *end; /* what is left */
	size_t line;         /* number of the line at p */
	size_t room;         /* of eml->headers */
};

/* The line at p with its end; {p, 0} at the end of the text. */
static struct mlt_bytes
line_at(const struct walk *w)
{
	size_t left = (size_t)(w->end - w->p);
	const char *lf = left ? memchr(w->p, '\n', left) : NULL;

	return (struct mlt_bytes){ w->p, lf ? (size_t)(lf + 1 - w->p) : left };
}

static void
take(struct walk *w, struct mlt_bytes line)
{
	w->p += line.n;
	w->line++;
}

static bool
is_empty(struct mlt_bytes line)
{
	return (line.n == 1 && line.p[0] == '\n') ||
	       (line.n == 2 && memcmp(line.p, "\r\n", 2) == 0);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* rfc:5322#2.2  Octets before the colon of a field, blanks behind the name
 * (rfc:5322#4.5) among them; 0 = no field begins here. */
static size_t
name_length(struct mlt_bytes line)
{
	size_t n = 0, name;

	while (n < line.n && line.p[n] > ' ' && line.p[n] <= '~' &&
	       line.p[n] != ':')
		n++;
	name = n;
	while (n < line.n && is_blank(line.p[n]))
		n++;
	return name > 0 && n < line.n && line.p[n] == ':' ? n : 0;
}

/* "From : x" is a field. */
static bool
is_mbox_line(struct mlt_bytes line)
{
	return line.n >= strlen(MBOX_LINE) &&
	       memcmp(line.p, MBOX_LINE, strlen(MBOX_LINE)) == 0 &&
	       name_length(line) == 0;
}

static int
fail(struct eml_error *err, size_t line, const char *why)
{
	err->line = line;
	err->why = why;
	return -1;
}

static struct mlt_play_header *
new_header(struct walk *w)
{
	struct eml *e = w->eml;
	void *grown;

	if (e->n_headers == w->room) {
		w->room = w->room ? 2 * w->room : 32;
		grown = realloc(e->headers, w->room * sizeof(*e->headers));
		if (!grown)
			return NULL;
		e->headers = grown;
	}
	return &e->headers[e->n_headers++];
}

/* The field that begins with this line, and the lines that go on with it. */
static int
take_field(
    struct walk *w, struct mlt_bytes line, size_t name_n, struct eml_error *err)
{
	struct mlt_play_header *h = new_header(w);

	if (!h)
		return fail(err, 0, "out of memory");
	h->name = (struct mlt_bytes){ line.p, name_n };
	h->value = (struct mlt_bytes){ line.p + name_n + 1, 0 };
	do {
		if (memchr(line.p, 0, line.n))
			return fail(err, w->line,
			    "a header field with a NUL cannot be told to a "
			    "filter: take the NUL out");
		take(w, line);
		line = line_at(w);
	} while (line.n > 0 && is_blank(line.p[0]));
	h->value.n = (size_t)(w->p - h->value.p);
	return 0;
}

static int
take_header(struct walk *w, struct eml_error *err)
{
	struct mlt_bytes line;
	size_t name_n;

	for (;;) {
		line = line_at(w);
		if (line.n == 0)
			return 0;
		if (is_empty(line)) {
			take(w, line);
			return 0;
		}
		if ((name_n = name_length(line)) == 0) {
			w->eml->odd_line = w->line;
			return 0;
		}
		if (take_field(w, line, name_n, err) < 0)
			return -1;
	}
}

int
eml_parse(struct eml *out, const char *text, size_t n, struct eml_error *err)
{
	struct eml e = { 0 };
	struct walk w = { .eml = &e, .p = text, .end = text + n, .line = 1 };

	if (n > EML_BYTES_MAX)
		return fail(err, 1, "more than 100 MB: take a smaller message");
	if (is_mbox_line(line_at(&w))) {
		e.mbox = true;
		take(&w, line_at(&w));
	}
	if (take_header(&w, err) < 0) {
		eml_fini(&e);
		return -1;
	}
	e.body = (struct mlt_bytes){ w.p, (size_t)(w.end - w.p) };
	*out = e;
	return 0;
}

void
eml_fini(struct eml *e)
{
	free(e->headers);
	*e = (struct eml){ 0 };
}

struct mlt_bytes
eml_name(const struct mlt_play_header *h)
{
	struct mlt_bytes name = h->name;

	while (name.n > 1 && is_blank(name.p[name.n - 1]))
		name.n--;
	return name;
}
