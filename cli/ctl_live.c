/* SPDX-License-Identifier: MIT */
/*
 * ctl_live: `top` (ctl_live.h).
 *
 * A look is two requests, `load1` (or `status`, where that is unknown) and
 * `workers`.  A multiplexor that goes away stays on the screen as it was last,
 * marked as old, until it is back.
 */
#include "cli/ctl_live.h"
#include "cli/ctl_ask.h"
#include "cli/ctl_safe.h"
#include "cli/ctl_top.h"
#include "cli/ctl_tty.h"
#include "core/base/fdio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reports are answered at once, by whoever is not stopped. */
#define LOOK_MS   5000
#define NOTICE_MS 10000 /* how long "back" stays */

struct live {
	const struct ctl_live_opts *o;
	struct ctl_top top;
	struct ctl_ask ask;
	struct buf totals; /* the first answer of a look */
	bool looking, second, only_status;
	msec until;  /* the look must be complete */
	msec next;   /* the next look begins */
	int failed;  /* -errno of the last look, 0: it succeeded */
	msec gone;   /* since when they fail */
	msec forget; /* the notice goes then */
	char notice[200];
	bool paused;
};

/* ---- one look ---- */

static void
ask(struct live *l, const char *line)
{
	ctl_ask_end(&l->ask);
	ctl_ask_begin(&l->ask, l->o->addr, line, strlen(line));
}

static void
begin_look(struct live *l, msec now)
{
	l->looking = true;
	l->second = false;
	l->until = now + LOOK_MS;
	ask(l, l->only_status ? "status\n" : "load1 60\n");
}

static struct ctl_str
text_of(const struct buf *b)
{
	return (struct ctl_str){ buf_data(b), buf_len(b) };
}

/* The first answer is there: goes on with the next question. */
static void
take_totals(struct live *l)
{
	struct ctl_load1 load;

	if (!l->only_status &&
	    ctl_read_load1(text_of(&l->ask.answer), &load) < 0) {
		l->only_status = true; /* it does not know load1 */
		ask(l, "status\n");
		return;
	}
	buf_reset(&l->totals);
	buf_add(&l->totals, buf_data(&l->ask.answer), buf_len(&l->ask.answer));
	l->second = true;
	ask(l, "workers\n");
}

/* 1: the look is complete, `failed` says how.  0: wait. */
static int
go_on_looking(struct live *l, msec now)
{
	int rc;

	while ((rc = ctl_ask_step(&l->ask)) > 0 && !l->second)
		take_totals(l);
	if (rc == 0 && now < l->until)
		return 0;
	if (rc > 0)
		rc = ctl_top_take(&l->top, text_of(&l->totals),
			 text_of(&l->ask.answer), now) < 0
			 ? -EPROTO
			 : 0;
	else if (rc == 0)
		rc = -ETIMEDOUT;
	l->failed = rc;
	l->looking = false;
	ctl_ask_end(&l->ask);
	/* another one may be there when it is back */
	l->only_status = l->only_status && rc == 0;
	return 1;
}

static void
live_init(struct live *l, const struct ctl_live_opts *o)
{
	*l = (struct live){ .o = o };
	l->ask.fd = -1;
	ctl_top_init(&l->top);
	buf_init(&l->totals, CTL_ANSWER_MAX);
}

static void
live_fini(struct live *l)
{
	ctl_ask_end(&l->ask);
	ctl_top_fini(&l->top);
	buf_fini(&l->totals);
}

static const char *
reason(int err)
{
	return err == -EPROTO ? "answers something else" : strerror(-err);
}

static void
draw(const struct live *l, struct ctl_screen *s, struct buf *out)
{
	s->host = l->o->host;
	s->socket = l->o->socket;
	s->interval_s = l->o->interval_s;
	s->now = (time_t)clock_wall_s();
	ctl_top_draw(&l->top, s, out);
}

/* ---- on a screen ---- */

static void
note_look(struct live *l, msec now, bool failed_before)
{
	if (l->failed) {
		if (!failed_before)
			l->gone = now;
		l->notice[0] = '\0';
		l->forget = MSEC_NEVER;
	} else if (failed_before && l->gone) {
		snprintf(l->notice, sizeof(l->notice), "BACK after %llu s%s",
		    (unsigned long long)(now - l->gone) / 1000,
		    l->top.restarted ? ", restarted" : "");
		l->forget = now + NOTICE_MS;
	} else if (l->top.restarted) {
		snprintf(l->notice, sizeof(l->notice), "RESTARTED");
		l->forget = now + NOTICE_MS;
	} else if (now >= l->forget) {
		l->notice[0] = '\0';
	}
}

static void
show(struct live *l, msec now)
{
	struct ctl_screen s = { .ansi = true, .paused = l->paused };
	char gone[200];
	struct buf out;

	ctl_tty_size(&s.rows, &s.columns);
	if (l->failed) {
		snprintf(gone, sizeof(gone), "NO ANSWER for %llu s: %s",
		    (unsigned long long)(now - l->gone) / 1000,
		    reason(l->failed));
		s.notice = gone;
		s.stale = true;
	} else if (l->notice[0]) {
		s.notice = l->notice;
	}
	buf_init(&out, 0);
	draw(l, &s, &out);
	ctl_tty_show(buf_data(&out), buf_len(&out));
	buf_fini(&out);
}

/* How long until something is to be done without a key. */
static msec
time_left(const struct live *l, msec now)
{
	msec at = l->looking ? l->until : l->paused ? now + 60000 : l->next;

	if (l->looking && l->ask.fd < 0 && at > now + CTL_ASK_RETRY_MS)
		at = now + CTL_ASK_RETRY_MS;
	return at > now ? at - now : 0;
}

static void
do_key(struct live *l, enum ctl_key key, msec now)
{
	if (key == CTL_KEY_PAUSE)
		l->paused = !l->paused;
	if (key == CTL_KEY_LOOK || key == CTL_KEY_PAUSE)
		l->next = now;
	if (key == CTL_KEY_LOOK && !l->looking)
		begin_look(l, now);
	if (key != CTL_KEY_NONE)
		show(l, now);
}

int
ctl_live_screen(const struct ctl_live_opts *o)
{
	enum ctl_key key = CTL_KEY_NONE;
	struct live l;

	live_init(&l, o);
	ctl_tty_open();
	while (key != CTL_KEY_QUIT) {
		msec now = clock_mono_ms();
		bool failed_before = l.failed != 0;

		do_key(&l, key, now);
		if (!l.looking && !l.paused && now >= l.next)
			begin_look(&l, now);
		if (l.looking && go_on_looking(&l, now)) {
			l.next = now + (msec)o->interval_s * 1000;
			note_look(&l, now, failed_before);
			show(&l, now);
		}
		now = clock_mono_ms();
		key = ctl_tty_wait(l.looking ? l.ask.fd : -1,
		    ctl_ask_events(&l.ask), time_left(&l, now));
	}
	ctl_tty_close();
	live_fini(&l);
	return 0;
}

/* ---- as plain text ---- */

/* 0, or -errno. */
static int
look_once(struct live *l)
{
	msec now = clock_mono_ms();

	begin_look(l, now);
	while (!go_on_looking(l, clock_mono_ms())) {
		struct pollfd p = { .fd = l->ask.fd,
			.events = ctl_ask_events(&l->ask) };

		now = clock_mono_ms();
		poll(&p, 1, (int)time_left(l, now));
	}
	return l->failed;
}

static int
print_look(struct live *l)
{
	struct ctl_screen s = { 0 };
	struct buf out;
	int rc;

	buf_init(&out, 0);
	draw(l, &s, &out);
	rc = out.failed
		 ? -ENOMEM
		 : fdio_write_all(STDOUT_FILENO, buf_data(&out), buf_len(&out));
	buf_fini(&out);
	return rc;
}

int
ctl_live_batch(const struct ctl_live_opts *o, long times)
{
	struct live l;
	int rc = 0;

	live_init(&l, o);
	for (long i = 0; i < times; i++) {
		if (i)
			poll(NULL, 0, (int)o->interval_s * 1000);
		if (i && !rc)
			rc = fdio_write_all(STDOUT_FILENO, "\n", 1);
		rc = look_once(&l);
		if (rc)
			fprintf(stderr,
			    "ERROR %s: %s (is the multiplexor "
			    "running?)\n",
			    o->socket, reason(rc));
		else if ((rc = print_look(&l)) < 0)
			break; /* nobody reads it */
	}
	live_fini(&l);
	return rc ? 1 : 0;
}
