/* SPDX-License-Identifier: MIT */
/*
 * ctl_top: the screen of `top` (ctl_top.h).
 */
#include "cli/ctl_top.h"
#include "cli/ctl_safe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAR_MAX      60
#define LONG_BUSY_S  60 /* then it is shown in red */
#define LINE_MIN     9  /* "0 S ago=1"; spares memory for empty lines */
#define CELL_COLUMNS 80 /* wider screens show workers side by side */

/* ---- what is known ---- */

void
ctl_top_init(struct ctl_top *t)
{
	*t = (struct ctl_top){ .rate = -1 };
	buf_init(&t->text, 0);
}

void
ctl_top_fini(struct ctl_top *t)
{
	buf_fini(&t->text);
	free(t->workers);
	t->workers = NULL;
}

/* Busy ones first, the longest at it on top; then what has been idle for the
 * shortest time, since work goes there. */
static int
compare(const void *a, const void *b)
{
	static const unsigned order[CTL_STATE_N] = { [CTL_BUSY] = 0,
		[CTL_KILLED] = 1,
		[CTL_IDLE] = 2,
		[CTL_STOPPED] = 3 };
	const struct ctl_worker *x = a, *y = b;

	if (x->state != y->state)
		return order[x->state] < order[y->state] ? -1 : 1;
	if (x->ago != y->ago)
		return (x->ago > y->ago) == (x->state == CTL_BUSY) ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static size_t
count_lines(struct ctl_str text)
{
	struct ctl_str line;
	size_t n = 0;

	while (ctl_line(&text, &line))
		n++;
	return n;
}

/* The lines of `workers`, sorted, pointing into copy.  0 or -1. */
static int
take_workers(
    struct ctl_str text, struct buf *copy, struct ctl_worker **rows, size_t *n)
{
	struct ctl_str line;

	*n = count_lines(text);
	if (*n > text.n / LINE_MIN + 1)
		return -1;
	*rows = calloc(*n + 1, sizeof(**rows));
	if (!*rows || buf_add(copy, text.p, text.n) < 0)
		return -1;
	text.p = buf_data(copy);
	for (size_t i = 0; i < *n; i++)
		if (!ctl_line(&text, &line) ||
		    ctl_read_worker(line, &(*rows)[i]) < 0)
			return -1;
	qsort(*rows, *n, sizeof(**rows), compare);
	return 0;
}

static int
take_totals(
    struct ctl_str text, struct ctl_load1 *load, struct ctl_totals *totals)
{
	struct ctl_status s;

	*load = (struct ctl_load1){ 0 };
	if (ctl_read_load1(text, load) == 0) {
		*totals = load->t;
		return 0;
	}
	if (ctl_read_status(text, &s) < 0 || !s.whole)
		return -1;
	*totals = s.t;
	return 0;
}

int
ctl_top_take(
    struct ctl_top *t, struct ctl_str totals, struct ctl_str workers, msec now)
{
	struct ctl_top new = { .known = true, .rate = -1, .taken = now };

	buf_init(&new.text, 0);
	if (take_totals(totals, &new.load, &new.t) < 0 ||
	    take_workers(workers, &new.text, &new.workers, &new.n_workers) <
		0) {
		ctl_top_fini(&new);
		return -1;
	}
	if (t->known) {
		new.restarted = new.t.uptime < t->t.uptime;
		if (!new.restarted &&new.t.msgs >= t->t.msgs && now > t->taken)
			new.rate = (new.t.msgs - t->t.msgs) * 1000 /
				   (double)(now - t->taken);
	}
	ctl_top_fini(t);
	*t = new;
	return 0;
}

/* ---- painting ---- */

enum style {
	PLAIN,
	BOLD,
	DIM,
	GREEN,
	YELLOW,
	RED,
	TITLE,
	STYLE_N
};
static const char *const sgr[STYLE_N] = {
	[BOLD] = "1",
	[DIM] = "2",
	[GREEN] = "32",
	[YELLOW] = "33",
	[RED] = "31",
	[TITLE] = "7",
};

/* Where the next character goes. */
struct painter {
	struct buf *out;
	const struct ctl_screen *s;
	size_t left; /* columns of this line */
	unsigned lines;
};

static void
begin_line(struct painter *p)
{
	p->left = p->s->columns ? p->s->columns : SIZE_MAX / 4;
}

static void
end_line(struct painter *p)
{
	buf_adds(p->out, p->s->ansi ? "\x1b[K\n" : "\n");
	p->lines++;
	begin_line(p);
}

/* What fits of the text, in a style. */
static void
paint(struct painter *p, enum style style, const char *text, size_t n)
{
	bool ansi = p->s->ansi && sgr[style];
	size_t start;

	if (ansi)
		buf_addf(p->out, "\x1b[%sm", sgr[style]);
	start = buf_len(p->out);
	ctl_safe_cut(p->out, text, n, p->left);
	p->left -= buf_len(p->out) - start;
	if (ansi)
		buf_adds(p->out, "\x1b[0m");
}

__attribute__((format(printf, 3, 4))) static void
put(struct painter *p, enum style style, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0)
		paint(p, style, text,
		    (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static void
blanks(struct painter *p, size_t n)
{
	if (n > p->left)
		n = p->left;
	for (size_t i = 0; i < n; i++)
		buf_addc(p->out, ' ');
	p->left -= n;
}

/* "12s", "3m20s", "2h05m", "3d04h" */
static const char *
duration(double seconds, char text[32])
{
	unsigned long s = seconds < 0 ? 0 : (unsigned long)seconds;

	if (s < 100)
		snprintf(text, 32, "%lus", s);
	else if (s < 6000)
		snprintf(text, 32, "%lum%02lus", s / 60, s % 60);
	else if (s < 100 * 3600)
		snprintf(text, 32, "%luh%02lum", s / 3600, s / 60 % 60);
	else
		snprintf(text, 32, "%lud%02luh", s / 86400, s / 3600 % 24);
	return text;
}

/* ---- the upper part ---- */

static void
draw_title(struct painter *p, const struct ctl_top *t)
{
	char clock[32] = "", up[32];
	struct tm tm;
	size_t width;

	if (localtime_r(&p->s->now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	width = strlen(clock) + 1;
	if (p->s->columns > width)
		p->left -= width;
	put(p, TITLE, " %s  %s", p->s->host, p->s->socket);
	if (t->known)
		put(p, TITLE, "  up %s", duration(t->t.uptime, up));
	if (p->s->columns > width) {
		if (p->s->ansi)
			buf_addf(p->out, "\x1b[%sm", sgr[TITLE]);
		blanks(p, p->left);
		p->left = width;
		put(p, TITLE, "%s ", clock);
	} else {
		put(p, TITLE, "  %s", clock);
	}
	end_line(p);
}

static void
draw_bar(struct painter *p, const char *name, double part, double all,
    enum style style)
{
	size_t width = p->s->columns > 66 ? p->s->columns - 56 : 10, on = 0;
	char bar[BAR_MAX];

	if (width > BAR_MAX || p->s->columns == 0)
		width = p->s->columns ? BAR_MAX : 25;
	if (all > 0)
		on = (size_t)((part < all ? part : all) / all * (double)width +
			      0.5);
	if (part > 0 && on == 0)
		on = 1; /* something is there */
	memset(bar, '|', sizeof(bar));
	put(p, PLAIN, "%-8s[", name);
	paint(p, style, bar, on);
	blanks(p, width - on);
	put(p, PLAIN, "] ");
}

static enum style
fullness(double part, double all)
{
	return part >= all * 0.9 ? RED : part >= all * 0.7 ? YELLOW : GREEN;
}

static void
draw_totals(struct painter *p, const struct ctl_totals *t)
{
	double all = 0;

	for (size_t i = 0; i < CTL_STATE_N; i++)
		all += t->workers[i];
	draw_bar(p, "Workers", t->workers[CTL_BUSY], all,
	    fullness(t->workers[CTL_BUSY], all));
	put(p, BOLD, "%.0f/%.0f busy", t->workers[CTL_BUSY], all);
	put(p, PLAIN, ", %.0f idle, %.0f stopped", t->workers[CTL_IDLE],
	    t->workers[CTL_STOPPED]);
	if (t->workers[CTL_KILLED] > 0)
		put(p, YELLOW, ", %.0f killed", t->workers[CTL_KILLED]);
	end_line(p);
	draw_bar(p, "Queue", t->queued, t->queue_size,
	    fullness(t->queued, t->queue_size));
	if (t->queue_size > 0)
		put(p, t->queued > 0 ? BOLD : PLAIN, "%.0f/%.0f waiting",
		    t->queued, t->queue_size);
	else
		put(p, PLAIN, "no queue");
	end_line(p);
}

static void
draw_messages(struct painter *p, const struct ctl_top *t)
{
	put(p, PLAIN, "Scanned %.0f messages", t->t.msgs);
	if (t->rate >= 0)
		put(p, BOLD, ", now %.1f a second", t->rate);
	put(p, PLAIN, "; started %.0f workers", t->t.activations);
	end_line(p);
}

static void
draw_load(struct painter *p, const struct ctl_load1 *l)
{
	static const char *const rows[] = { "per second", "mean ms",
		"mean busy", "running now" };
	char head[32];

	end_line(p);
	snprintf(head, sizeof(head), "Last %.0f s", l->seconds);
	put(p, BOLD, "%-12s", head);
	for (enum ctl_class c = 0; c < CTL_CLASS_N; c++)
		put(p, BOLD, "%12s", ctl_class_word(c));
	end_line(p);
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		put(p, PLAIN, "%-12s", rows[r]);
		for (size_t c = 0; c < CTL_CLASS_N; c++) {
			const double v[] = { ctl_rate(&l->w[c]), l->w[c].ms,
				l->w[c].busy, l->running[c] };
			bool some = v[r] > 0;

			if (!some)
				put(p, DIM, "%12s", "-");
			else
				put(p, PLAIN, "%12.*f",
				    r == 0   ? 2
				    : r == 3 ? 0
					     : 1,
				    v[r]);
		}
		end_line(p);
	}
}

/* ---- the workers ---- */

/* What it does, or did last. */
static void
draw_work(struct painter *p, const struct ctl_worker *w)
{
	if (w->state == CTL_BUSY) {
		bool told = w->tag.n >= w->command.n && w->command.n &&
			    memcmp(w->tag.p, w->command.p, w->command.n) == 0;

		if (w->command.n && !told) {
			paint(p, PLAIN, w->command.p, w->command.n);
			put(p, PLAIN, w->tag.n ? " | " : "");
		}
		paint(p, PLAIN, w->tag.p, w->tag.n);
	} else if (w->last.n) {
		put(p, DIM, "last ");
		paint(p, DIM, w->last.p, w->last.n);
	}
}

static void
draw_worker(struct painter *p, const struct ctl_worker *w)
{
	enum style style = w->state == CTL_KILLED  ? RED
			   : w->state != CTL_BUSY  ? DIM
			   : w->ago >= LONG_BUSY_S ? RED
						   : BOLD;
	char pid[32] = "-", ago[32];

	if (w->pid >= 0)
		snprintf(pid, sizeof(pid), "%.0f", w->pid);
	put(p, style, "%5.0f %-8s", w->slot, ctl_state_word(w->state));
	put(p, w->state == CTL_BUSY ? PLAIN : DIM, "%8s", pid);
	put(p, style, "%8s  ", duration(w->ago, ago));
	draw_work(p, w);
}

/* Those that found no room. */
static void
draw_rest(struct painter *p, const struct ctl_top *t, size_t from)
{
	size_t n[CTL_STATE_N] = { 0 };
	const char *comma = ": ";

	for (size_t i = from; i < t->n_workers; i++)
		n[t->workers[i].state]++;
	put(p, DIM, "%5s %zu more", "", t->n_workers - from);
	for (enum ctl_state s = 0; s < CTL_STATE_N; s++) {
		if (!n[s])
			continue;
		put(p, s == CTL_BUSY ? BOLD : DIM, "%s%zu %s", comma, n[s],
		    ctl_state_word(s));
		comma = ", ";
	}
	end_line(p);
}

/* In `columns` cells side by side, filled downwards. */
static void
draw_cells(struct painter *p, const struct ctl_top *t, size_t shown,
    size_t lines, size_t columns)
{
	for (size_t y = 0; y < lines; y++) {
		size_t width = p->left / columns, right = p->left;

		for (size_t x = 0; x < columns; x++) {
			size_t i = x * lines + y;

			right -= width;
			p->left = columns > 1 ? width - 1 : width;
			if (i < shown)
				draw_worker(p, &t->workers[i]);
			if (columns == 1)
				continue;
			blanks(p, p->left);
			p->left = 1;
			blanks(p, 1);
		}
		p->left = right;
		end_line(p);
	}
}

static void
draw_workers(struct painter *p, const struct ctl_top *t, unsigned footer)
{
	size_t room = t->n_workers, lines = t->n_workers, columns = 1, shown;
	unsigned above = p->lines + 2 + footer;

	if (p->s->rows) {
		room = p->s->rows > above ? p->s->rows - above : 0;
		if (t->n_workers > room && p->s->columns / CELL_COLUMNS > 1)
			columns = p->s->columns / CELL_COLUMNS;
		if (room == 0)
			return;
	}
	end_line(p);
	for (size_t x = 0; x < columns; x++) {
		size_t width = p->s->columns / columns, before = p->left;

		put(p, BOLD, "%5s %-8s%8s%8s  %s", "SLOT", "STATE", "PID",
		    "FOR", "WHAT");
		if (x + 1 < columns)
			blanks(p, width - (before - p->left));
	}
	end_line(p);
	shown = room * columns;
	if (shown >= t->n_workers) {
		shown = t->n_workers;
		lines = (shown + columns - 1) / columns;
	} else {
		lines = room - 1;
		shown = lines * columns;
	}
	draw_cells(p, t, shown, lines, columns);
	if (shown < t->n_workers)
		draw_rest(p, t, shown);
}

static void
draw_footer(struct painter *p)
{
	const struct ctl_screen *s = p->s;

	if (s->rows)
		while (p->lines + 1 < s->rows)
			end_line(p);
	if (s->notice)
		put(p, s->stale ? RED : YELLOW, "%s", s->notice);
	else if (s->paused)
		put(p, YELLOW, "PAUSED");
	if (s->notice || s->paused)
		put(p, PLAIN, "  ");
	if (s->rows)
		put(p, DIM, "q quit  space look now  p %s  (every %ld s)",
		    s->paused ? "go on" : "pause", s->interval_s);
}

void
ctl_top_draw(
    const struct ctl_top *t, const struct ctl_screen *s, struct buf *out)
{
	struct painter p = { .out = out, .s = s };
	bool footer = s->rows || s->notice;

	begin_line(&p);
	draw_title(&p, t);
	if (t->known) {
		draw_totals(&p, &t->t);
		draw_messages(&p, t);
		if (t->load.seconds > 0 && (!s->rows || s->rows > 14))
			draw_load(&p, &t->load);
		draw_workers(&p, t, footer);
	}
	if (!footer)
		return;
	draw_footer(&p);
	buf_adds(out, s->ansi ? "\x1b[K" : "\n");
}
