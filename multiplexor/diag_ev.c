/* SPDX-License-Identifier: MIT */
/*
 * diag_ev: what a process of ours writes to standard error.
 *
 * It is always read, so that nobody blocks.  With -l each line is logged as it
 * comes; without, the last ones are kept for the case that the process dies.
 */
#include "mux_int.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_N     1023 /* octets of a line; spec:mux-stderr */
#define LAST_WORDS_MAX 2048 /* octets kept */
#define LAST_READS_MAX 16   /* of a dead one's pipe: others may hold it */

static void
keep(struct diag *d, const char *p, size_t n)
{
	while (buf_len(&d->last_words) + n + 1 > LAST_WORDS_MAX &&
	       buf_len(&d->last_words)) {
		const char *lf = memchr(
		    buf_data(&d->last_words), '\n', buf_len(&d->last_words));
		buf_take(&d->last_words,
		    (size_t)(lf - buf_data(&d->last_words)) + 1);
	}
	buf_add(&d->last_words, p, n);
	buf_addc(&d->last_words, '\n');
}

/* Whoever asked for a reread may read it. */
static void
keep_first(struct diag *d, const char *p, size_t n)
{
	if (n >= sizeof(d->first))
		n = sizeof(d->first) - 1;
	memcpy(d->first, p, n);
	report_printable(d->first, n);
	d->first[n] = '\0';
}

static void
said(struct diag *d, const char *p, size_t n)
{
	if (memmem(p, n, "Out of memory!", 14))
		d->out_of_memory = true;
	if (n == 0)
		return;
	if (!d->first[0])
		keep_first(d, p, n);
	if (d->m->o->log_events)
		d->log(d->arg, p, n);
	else
		keep(d, p, n);
}

/* false: nothing more to read. */
static bool
read_some(struct diag *d)
{
	char *p = d->m->in;
	struct line_text t;
	size_t left;
	ssize_t n;
	int r;

	if (d->fd < 0)
		return false;
	n = read(d->fd, d->m->in, MUX_READ);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		if (line_rest(&d->line, &t))
			said(d, t.p, t.n);
		mux_end_fd(&d->ev, &d->fd);
		return false;
	}
	left = (size_t)n;
	while ((r = line_next(&d->line, &p, &left, &t)) != 0)
		if (r > 0)
			said(d, t.p, t.n);
	return true;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	read_some(arg);
}

int
diag_start(struct diag *d, struct mux *m, int *fd, diag_log_fn *log, void *arg)
{
	*d = (struct diag){ .m = m, .fd = *fd, .log = log, .arg = arg };
	line_init(&d->line, LINE_MAX_N);
	buf_init(&d->last_words, 0);
	d->ev = mux_watch(m, *fd, on_readable, d);
	*fd = -1;
	return d->ev ? 0 : -ENOMEM;
}

void
diag_drain(struct diag *d)
{
	for (int i = 0; i < LAST_READS_MAX && read_some(d); i++)
		;
}

void
diag_finish(struct diag *d)
{
	struct line_text t;

	diag_drain(d);
	if (line_rest(&d->line, &t))
		said(d, t.p, t.n);
}

void
diag_forget(struct diag *d)
{
	buf_reset(&d->last_words);
}

void
diag_tell(struct diag *d)
{
	const char *p = buf_data(&d->last_words), *lf;
	size_t n = buf_len(&d->last_words);

	while (n && (lf = memchr(p, '\n', n))) {
		d->log(d->arg, p, (size_t)(lf - p));
		n -= (size_t)(lf + 1 - p);
		p = lf + 1;
	}
}

void
diag_end(struct diag *d)
{
	if (!d->m)
		return;
	mux_end_fd(&d->ev, &d->fd);
	line_fini(&d->line);
	buf_fini(&d->last_words);
}
