/* SPDX-License-Identifier: MIT */
/* vec: reading and running golden conversations; see vec.h. */
#include "vec.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failmalloc.h"
#include "guard.h"

enum {
	MAX_LINES = 2000,
	MAX_BLOCKS = 200,
	FILE_BYTES = 256 * 1024
};

/* ---- the file ------------------------------------------------------------------- */

/* A block is a named sequence of lines that goes on where another one ended:
 * `@ state NAME [after NAME]`, or `@ case NAME [after NAME]`, which is run. */
struct block {
	const char *name, *after, *session;
	int first, end; /* lines */
	bool is_case;
};

static char text[FILE_BYTES + 1];
static char *lines[MAX_LINES];
static struct block blocks[MAX_BLOCKS];
static int n_lines, n_blocks;
static const char *session; /* arguments of the last `@ session` */

static int
complain(const char *path, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", path, line + 1, what);
	return -1;
}

static char *
word(char **s)
{
	char *w = *s + strspn(*s, " \t");

	*s = w + strcspn(w, " \t");
	if (**s)
		*(*s)++ = 0;
	return *w ? w : NULL;
}

static int
read_directive(const char *path, int i)
{
	char *s = lines[i] + 1, *w = word(&s);
	struct block *b = &blocks[n_blocks];

	if (w && strcmp(w, "session") == 0) {
		session = s;
		return 0;
	}
	if (!w || (strcmp(w, "case") != 0 && strcmp(w, "state") != 0) ||
	    n_blocks == MAX_BLOCKS)
		return complain(path, i, "unknown directive");
	*b = (struct block){ .first = i + 1,
		.end = n_lines,
		.is_case = w[0] == 'c',
		.session = session };
	b->name = word(&s);
	w = word(&s);
	if (w && strcmp(w, "after") == 0)
		b->after = word(&s);
	n_blocks++;
	return b->name ? 0 : complain(path, i, "name is missing");
}

static int
read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, FILE_BYTES);

	n_lines = n_blocks = 0;
	session = "";
	if (fd >= 0)
		close(fd);
	if (n < 0 || n == FILE_BYTES)
		return complain(path, 0, "cannot be read");
	text[n] = 0;
	for (char *p = text; *p;) {
		char *nl = strchr(p, '\n');

		if (n_lines == MAX_LINES)
			return complain(path, n_lines, "too many lines");
		lines[n_lines++] = p;
		p = nl ? nl + 1 : p + strlen(p);
		if (nl)
			*nl = 0;
	}
	for (int i = 0; i < n_lines; i++) {
		if (lines[i][0] != '@')
			continue;
		if (n_blocks && blocks[n_blocks - 1].end > i)
			blocks[n_blocks - 1].end = i;
		if (read_directive(path, i) < 0)
			return -1;
	}
	return n_blocks ? 0 : complain(path, 0, "no case");
}

static const struct block *
block_named(const char *name)
{
	for (int i = 0; i < n_blocks; i++) {
		if (strcmp(blocks[i].name, name) == 0)
			return &blocks[i];
	}
	return NULL;
}

long
vec_hex(unsigned char *to, size_t room, const char *s)
{
	unsigned char *p = to, *end = to + room;

	for (;;) {
		unsigned v;
		unsigned long times = 1;
		int used = 0;

		s += strspn(s, " \t");
		if (!*s)
			return p - to;
		if (sscanf(s, "(%2x)*%lu%n", &v, &times, &used) != 2 || !used) {
			if (!isxdigit((unsigned char)s[0]) ||
			    !isxdigit((unsigned char)s[1]))
				return -1;
			sscanf(s, "%2x%n", &v, &used);
		}
		if ((size_t)(end - p) < times)
			return -1;
		memset(p, (int)v, times);
		p += times;
		s += used;
	}
}

/* ---- octets from the peer --------------------------------------------------------- */

/* All that the peer says in this case, where its lines end, what was fed. */
static unsigned char queue[VEC_QUEUE];
static size_t queued, known, fed, line_end;
static enum vec_how how_now;
static size_t split_at;
static struct guard lent;
static unsigned char lent_octet[1];

static size_t
chunk(void)
{
	size_t n = line_end - fed;

	switch (how_now) {
	case VEC_BYTES:
		return 1;
	case VEC_SPLIT:
		return fed < split_at && split_at < line_end ? split_at - fed
							     : n;
	case VEC_AHEAD:
		return known - fed;
	case VEC_WHOLE:
	case VEC_HOW_N:
		break;
	}
	return n;
}

/* Feeds the next piece.  False: there is none. */
static bool
feed(struct vec *v)
{
	size_t n;
	const void *p = lent_octet;
	int rc;

	if (fed >= line_end)
		return false;
	n = chunk();
	if (n == 1) {
		lent_octet[0] = queue[fed];
	} else {
		guard_free(&lent);
		guard_copy(&lent, queue + fed, n);
		p = lent.p;
	}
	rc = v->is_mta ? mlt_mta_feed(v->m, p, n) : mlt_filter_feed(v->f, p, n);
	fed += n;
	if (rc < 0 && !(rc == MLT_E_STATE && v->pending < MLT_E_DEAD))
		vec_fail(v, "feed gave %d", rc);
	return true;
}

static bool
next(struct vec *v)
{
	int tries = 0;

	do {
		v->pending = v->is_mta ? mlt_mta_next(v->m, &v->act)
				       : mlt_filter_next(v->f, &v->ev);
	} while (v->pending == MLT_E_NOMEM && v->retry && tries++ == 0);
	if (v->pending == MLT_E_NOMEM) {
		v->gave_up = true;
		v->pending = 0;
	}
	return v->pending != 0;
}

/* ---- one case ----------------------------------------------------------------------- */

void
vec_fail(struct vec *v, const char *fmt, ...)
{
	static const char *const names[] = { "whole", "bytes", "split",
		"ahead" };
	va_list ap;

	if (v->failed || v->gave_up)
		return;
	v->failed = true;
	fprintf(stderr, "%s:%d: case %s (%s", v->path, v->line + 1, v->label,
	    names[how_now]);
	if (how_now == VEC_SPLIT)
		fprintf(stderr, " at %zu", split_at);
	fprintf(stderr, "): ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static size_t
output(struct vec *v, const uint8_t **p)
{
	return v->is_mta ? mlt_mta_output(v->m, p) : mlt_filter_output(v->f, p);
}

bool
vec_pull(struct vec *v)
{
	if (v->pending)
		return true;
	while (!v->gave_up && !v->failed) {
		if (next(v))
			return true;
		if (!feed(v))
			return false;
	}
	return false;
}

static void
want_event(struct vec *v, const char *want)
{
	const char *got = vec_pull(v) ? vec_text(v) : "nothing";

	if (v->gave_up)
		return;
	if (strcmp(got, want) != 0)
		vec_fail(v, "\n  got  %s\n  want %s", got, want);
	if (v->pending > 0)
		v->pending = 0;
}

static void
want_octets(struct vec *v, const char *hex)
{
	static unsigned char want[VEC_QUEUE];
	long n = vec_hex(want, sizeof(want), hex);
	const uint8_t *p;

	if (n < 0) {
		vec_fail(v, "bad hex");
		return;
	}
	if (output(v, &p) < (size_t)n)
		vec_pull(v); /* an automatic answer may come with it */
	if (v->gave_up)
		return;
	if (output(v, &p) < (size_t)n || memcmp(p, want, (size_t)n) != 0) {
		size_t got = output(v, &p);

		vec_fail(v, "octets differ, want %s", hex);
		fprintf(stderr, "  got  ");
		for (size_t i = 0; i < got && i < 64; i++)
			fprintf(stderr, "%02x", p[i]);
		fputc('\n', stderr);
		return;
	}
	if (v->is_mta)
		mlt_mta_sent(v->m, (size_t)n);
	else
		mlt_filter_sent(v->f, (size_t)n);
}

static void
run_lines(struct vec *v, const struct block *b, bool collect)
{
	const struct block *after = b->after ? block_named(b->after) : NULL;

	if (b->after && !after) {
		vec_fail(v, "no state %s", b->after);
		return;
	}
	if (after)
		run_lines(v, after, collect);
	for (int i = b->first; i < b->end && !v->failed && !v->gave_up; i++) {
		const char *s = lines[i];
		const char *arg = *s ? s + 1 + strspn(s + 1, " ") : s;
		long n;

		v->line = i;
		if (collect && *s != '>')
			continue;
		switch (*s) {
		case '>':
			n = vec_hex(
			    queue + queued, sizeof(queue) - queued, arg);
			if (n < 0)
				vec_fail(v, "bad hex");
			else
				queued += (size_t)n;
			line_end = how_now == VEC_AHEAD ? known : queued;
			break;
		case '<':
			want_octets(v, arg);
			break;
		case '=':
			want_event(v, arg);
			break;
		case '!':
			vec_do(v, arg);
			break;
		case '#':
		case 0:
			break;
		default:
			vec_fail(v, "unknown line");
		}
	}
}

static void
run_case(struct vec *v, const struct block *b)
{
	const uint8_t *p;

	/* Once to see how many octets there are, once for real. */
	queued = known = fed = line_end = 0;
	v->failed = v->gave_up = false;
	v->pending = 0;
	v->label = b->name;
	run_lines(v, b, true);
	known = queued;
	queued = fed = line_end = 0;
	vec_session(v, b->session);
	if (!v->gave_up && !v->failed)
		run_lines(v, b, false);
	if (!v->failed && !v->gave_up && v->pending == 0 && vec_pull(v))
		vec_fail(v, "surplus event: %s", vec_text(v));
	if (!v->failed && !v->gave_up && output(v, &p) > 0)
		vec_fail(v, "surplus output, first octet %02x", p[4]);
	mlt_filter_free(v->f);
	mlt_mta_free(v->m);
	v->f = NULL;
	v->m = NULL;
	guard_free(&lent);
}

int
vec_run(const char *path, enum vec_how how)
{
	struct vec v = { .path = path };
	int n = 0, bad = 0;

	if (read_file(path) < 0)
		return -1;
	how_now = how;
	for (int i = 0; i < n_blocks; i++) {
		size_t end = 1, step;

		if (!blocks[i].is_case)
			continue;
		for (split_at = 0; split_at < end && !v.failed;
		     split_at += step) {
			run_case(&v, &blocks[i]);
			if (how == VEC_SPLIT)
				end = known;
			/* long ones: near the ends, and now and then */
			step = known > 4000 && split_at > 600 &&
				       split_at + 200 < known
				   ? 997
				   : 1;
		}
		bad += v.failed;
		v.failed = false;
		n++;
	}
	return bad ? -1 : n;
}

int
vec_run_failing_malloc(const char *path)
{
	struct vec v = { .path = path };
	int n = 0, bad = 0;

	if (read_file(path) < 0)
		return -1;
	how_now = VEC_WHOLE;
	for (int i = 0; i < n_blocks; i++) {
		size_t allocations;

		if (!blocks[i].is_case)
			continue;
		failmalloc_after(SIZE_MAX);
		run_case(&v, &blocks[i]);
		allocations = failmalloc_count();
		failmalloc_off();
		for (size_t k = 0; k < allocations && !v.failed; k++) {
			v.retry = true;
			failmalloc_once(k);
			run_case(&v, &blocks[i]);
			failmalloc_off();
			if (v.gave_up)
				v.failed = true;
			if (v.failed)
				break;
			v.retry = false;
			failmalloc_after(k);
			run_case(&v, &blocks[i]);
			failmalloc_off();
			if (!v.gave_up && !v.failed) {
				fprintf(stderr,
				    "%s: case %s: no memory went "
				    "unnoticed\n",
				    path, v.label);
				v.failed = true;
			}
		}
		bad += v.failed;
		v.failed = false;
		n++;
	}
	return bad ? -1 : n;
}
