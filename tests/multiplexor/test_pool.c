/* SPDX-License-Identifier: MIT */
/*
 * pool: scripts in tests/scenario with a clock of their own, then a random
 * walk (POOL_SEED, POOL_STEPS) that keeps its own books of every request.
 * pool_check runs after each input.
 *
 *	opts NAME=VALUE ...    before the first "at"; times in seconds
 *	at SECONDS INPUT ...   start, request ID CLASS [DOMAIN], now ID CLASS,
 *	                       cancel ID, grow, shrink (want no: refused),
 *	                       ready|failed|gone|stuck|noisy|exited SLOT,
 *	                       finished SLOT [talks|ends], reread, stop, tick
 *	want ACTION ...        the next thing that the pool wants done
 *	state LETTERS [queued] states in slot order
 *	due SECONDS|never      the pool's deadline
 *
 * A spawn is followed by "ready" at once unless it is warm or "opts manual".
 */
#include "multiplexor/pool.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define WANTS 64

struct script {
	const char *path;
	unsigned line;
	struct pool_opts o;
	struct pool *p;
	bool manual;
	msec now;
	char want[WANTS][64]; /* what the pool said, in order */
	size_t n_want, at_want;
};

static const char *const why_names[POOL_WHY_N] = { "min", "request", "requests",
	"lifetime", "generation", "reread", "idle", "busy", "talk", "output",
	"stop", "overdue", "scale" };
static const char *const answer_names[POOL_A_N] = { "busy", "start", "queue",
	"timeout", "talk", "died", "domain", "stop" };

__attribute__((noreturn, format(printf, 2, 3))) static void
fail_at(const struct script *s, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fail_msg("%s:%u: %s", s->path, s->line, text);
	abort();
}

static void
print_action(const struct pool_action *a, char *to, size_t max)
{
	unsigned long long req = a->req;

	switch (a->type) {
	case POOL_SPAWN:
		snprintf(to, max, "spawn %u %s%s", a->slot, why_names[a->why],
		    a->warm ? " warm" : "");
		break;
	case POOL_ASSIGN:
		snprintf(to, max, "assign %u %llu", a->slot, req);
		break;
	case POOL_WAIT:
		snprintf(to, max, "wait %llu %u", req, a->n);
		break;
	case POOL_CLOSE:
		snprintf(to, max, "close %u %s", a->slot, why_names[a->why]);
		break;
	case POOL_TERM:
		snprintf(to, max, "term %u %s", a->slot, why_names[a->why]);
		break;
	case POOL_KILL:
		snprintf(to, max, "kill %u", a->slot);
		break;
	case POOL_ANSWER:
		if (a->answer == POOL_A_TIMEOUT)
			snprintf(to, max, "answer %llu timeout %u", req, a->n);
		else
			snprintf(to, max, "answer %llu %s", req,
			    answer_names[a->answer]);
		break;
	case POOL_FORGET:
		snprintf(to, max, "forget %llu", req);
		break;
	case POOL_RETRY:
		snprintf(to, max, "retry %u %llu", a->slot, req);
		break;
	case POOL_ALARM:
		snprintf(to, max, "alarm %u", a->n / 1000);
		break;
	}
}

static void
drain(struct script *s)
{
	struct pool_action a;

	while (pool_next(s->p, &a)) {
		if (s->n_want == WANTS)
			fail_at(s, "too many actions");
		print_action(&a, s->want[s->n_want++], sizeof(s->want[0]));
		if (a.type == POOL_SPAWN && !s->manual && !a.warm)
			pool_ready(s->p, a.slot, s->now);
	}
	pool_check(s->p);
}

static enum mux_class
class_of(const char *name)
{
	char line[20];

	return mux_classify(
	    line, (size_t)snprintf(line, sizeof(line), "%s", name ? name : ""));
}

static enum pool_after
after_of(const char *word)
{
	if (word && strcmp(word, "talks") == 0)
		return POOL_TALKS;
	return word && strcmp(word, "ends") == 0 ? POOL_ENDS : POOL_STAYS;
}

/* What a function said: "no" is something to want. */
static void
may(struct script *s, bool done)
{
	if (!done)
		snprintf(s->want[s->n_want++], sizeof(s->want[0]), "no");
}

static void
input(struct script *s, const char *verb, char **w)
{
	static const struct {
		const char *verb;
		void (*f)(struct pool *, unsigned, msec);
	} slots[] = { { "ready", pool_ready }, { "failed", pool_failed },
		{ "gone", pool_gone }, { "stuck", pool_stuck },
		{ "noisy", pool_noisy } };
	static const struct {
		const char *verb;
		void (*f)(struct pool *, msec);
	} all[] = { { "start", pool_start }, { "reread", pool_reread },
		{ "stop", pool_stop }, { "tick", pool_tick } };
	unsigned n = w[0] ? (unsigned)strtoul(w[0], NULL, 10) : 0;

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (strcmp(verb, slots[i].verb) == 0) {
			slots[i].f(s->p, n, s->now);
			return;
		}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(verb, all[i].verb) == 0) {
			all[i].f(s->p, s->now);
			return;
		}
	if (strcmp(verb, "request") == 0)
		pool_request(s->p, n, class_of(w[1]),
		    w[1] && w[2] ? strtoul(w[2], NULL, 10) : 0, s->now);
	else if (strcmp(verb, "now") == 0)
		pool_request_now(s->p, n, class_of(w[1]), s->now);
	else if (strcmp(verb, "grow") == 0)
		may(s, pool_grow(s->p, s->now));
	else if (strcmp(verb, "shrink") == 0)
		may(s, pool_shrink(s->p, s->now));
	else if (strcmp(verb, "cancel") == 0)
		pool_cancel(s->p, n);
	else if (strcmp(verb, "finished") == 0)
		pool_finished(s->p, n, after_of(w[1]), s->now);
	else if (strcmp(verb, "exited") == 0)
		pool_exited(s->p, n, s->now);
	else
		fail_at(s, "no such input: %s", verb);
}

static void
nothing_left(const struct script *s)
{
	if (s->at_want < s->n_want)
		fail_at(s, "unexpected: %s", s->want[s->at_want]);
}

static void
do_at(struct script *s, char **w)
{
	nothing_left(s);
	s->n_want = s->at_want = 0;
	if (!s->p)
		assert_int_equal(pool_new(&s->p, &s->o), 0);
	s->now = (msec)(strtod(w[0], NULL) * 1000);
	input(s, w[1], w + 2);
	drain(s);
}

static void
do_want(struct script *s, const char *want)
{
	const char *got = "nothing";

	if (s->at_want < s->n_want)
		got = s->want[s->at_want++];
	if (strcmp(got, want) != 0)
		fail_at(s, "got %s, want %s", got, want);
}

static void
do_state(struct script *s, char **w)
{
	struct pool_counts c;
	struct pool_info i;

	pool_count(s->p, &c);
	for (unsigned slot = 0; w[0][slot]; slot++) {
		pool_info(s->p, slot, &i);
		if (pool_state_name(i.state)[0] != w[0][slot])
			fail_at(
			    s, "slot %u is %s", slot, pool_state_name(i.state));
	}
	if (w[1] && c.queued != strtoul(w[1], NULL, 10))
		fail_at(s, "%u are queued", c.queued);
}

static void
do_due(struct script *s, const char *when)
{
	msec due = pool_deadline(s->p), want = MSEC_NEVER;

	if (strcmp(when, "never") != 0)
		want = (msec)(strtod(when, NULL) * 1000);
	if (due != want)
		fail_at(s, "due at %g, want %s", (double)due / 1000, when);
}

static void
do_opts(struct script *s, char **w)
{
	static const struct {
		const char *name;
		size_t at;
		bool ms;
	} rows[] = {
		{ "min", offsetof(struct pool_opts, min_workers), false },
		{ "max", offsetof(struct pool_opts, max_workers), false },
		{ "requests", offsetof(struct pool_opts, max_requests), false },
		{ "queue", offsetof(struct pool_opts, queue_max), false },
		{ "domain", offsetof(struct pool_opts, per_domain), false },
		{ "wait", offsetof(struct pool_opts, queue_ms), true },
		{ "busy", offsetof(struct pool_opts, busy_ms), true },
		{ "idle", offsetof(struct pool_opts, idle_ms), true },
		{ "life", offsetof(struct pool_opts, lifetime_ms), true },
		{ "delay", offsetof(struct pool_opts, start_delay_ms), true },
		{ "gap", offsetof(struct pool_opts, start_min_ms), true },
		{ "start", offsetof(struct pool_opts, start_ms), true },
	};
	size_t n = sizeof(rows) / sizeof(rows[0]);

	for (; *w; w++) {
		char *eq = strchr(*w, '='), *to = (char *)&s->o;
		size_t i = 0;

		if (strcmp(*w, "manual") == 0) {
			s->manual = true;
			continue;
		}
		for (*eq = '\0'; i < n && strcmp(rows[i].name, *w) != 0; i++)
			;
		if (i == n)
			fail_at(s, "no such option: %s", *w);
		if (rows[i].ms)
			*(msec *)(void *)(to + rows[i].at) =
			    strtoul(eq + 1, NULL, 10) * 1000;
		else
			*(unsigned *)(void *)(to + rows[i].at) =
			    (unsigned)strtoul(eq + 1, NULL, 10);
	}
}

static void
run_line(struct script *s, char *line)
{
	char *w[12] = { NULL }, *rest = NULL, copy[256];
	size_t n = 0;

	line[strcspn(line, "#\n")] = '\0';
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *t = strtok_r(line, " ", &rest); t && n < 11;
	     t = strtok_r(NULL, " ", &rest))
		w[n++] = t;
	if (n == 0)
		return;
	if (strcmp(w[0], "opts") == 0)
		do_opts(s, w + 1);
	else if (n > 2 && strcmp(w[0], "at") == 0)
		do_at(s, w + 1);
	else if (n > 1 && strcmp(w[0], "want") == 0)
		do_want(s, copy + 5);
	else if (n > 1 && strcmp(w[0], "state") == 0)
		do_state(s, w + 1);
	else if (n > 1 && strcmp(w[0], "due") == 0)
		do_due(s, w[1]);
	else
		fail_at(s, "what is %s?", copy);
}

static const struct pool_opts defaults = { .min_workers = 1,
	.max_workers = 2,
	.max_requests = 500,
	.queue_ms = 30000,
	.busy_ms = 120000,
	.idle_ms = 300000,
	.start_delay_ms = 3000,
	.term_ms = 10000,
	.gone_ms = 1000,
	.backoff_ms = 1000,
	.backoff_max_ms = 60000 };

static void
scenario(void **state)
{
	struct script s = { .path = *state, .o = defaults };
	char line[256];
	FILE *f = fopen(s.path, "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		s.line++;
		run_line(&s, line);
	}
	nothing_left(&s);
	fclose(f);
	pool_free(s.p);
}

/* ---- random walk ---- */

#define IDS 4096 /* of requests, used in a ring */

struct walk {
	struct pool *p;
	unsigned slots;
	msec now;
	uint64_t rnd, next_id;
	unsigned char open[IDS]; /* not answered: one of */
#define ASKED     1
#define CANCELLED 2 /* while a worker had it */
	unsigned n_open;
};

static uint64_t
rnd(struct walk *w, uint64_t below)
{
	w->rnd ^= w->rnd << 13;
	w->rnd ^= w->rnd >> 7;
	w->rnd ^= w->rnd << 17;
	return (w->rnd >> 11) % below;
}

static void
close_request(struct walk *w, uint64_t id, int how)
{
	assert_int_equal(w->open[id % IDS], how); /* answered twice? */
	w->open[id % IDS] = 0;
	w->n_open--;
}

static void
walk_drain(struct walk *w)
{
	struct pool_action a;

	while (pool_next(w->p, &a)) {
		if (a.type == POOL_ANSWER)
			close_request(w, a.req, ASKED);
		if (a.type == POOL_FORGET)
			close_request(w, a.req, CANCELLED);
		if (a.type != POOL_SPAWN)
			continue;
		if (rnd(w, 20) == 0)
			pool_failed(w->p, a.slot, w->now);
		else if (rnd(w, 4) != 0) /* else later, or never */
			pool_ready(w->p, a.slot, w->now);
	}
	pool_check(w->p);
}

static void
walk_request(struct walk *w)
{
	uint64_t id = ++w->next_id;

	if (w->open[id % IDS])
		return;
	w->open[id % IDS] = ASKED;
	w->n_open++;
	if (rnd(w, 10) == 0)
		pool_request_now(w->p, id, MUX_OTHER, w->now);
	else
		pool_request(w->p, id, (enum mux_class)rnd(w, MUX_CLASS_N),
		    rnd(w, 4), w->now);
}

static void
walk_cancel(struct walk *w)
{
	uint64_t id = w->next_id - rnd(w, 8);

	if (w->open[id % IDS] != ASKED)
		return;
	/* no answer for it from now on */
	if (pool_cancel(w->p, id))
		close_request(w, id, ASKED);
	else
		w->open[id % IDS] = CANCELLED;
}

static void
walk_slot(struct walk *w, unsigned slot)
{
	uint64_t id = pool_req(w->p, slot);
	struct pool_info i;

	pool_info(w->p, slot, &i);
	switch (rnd(w, 12)) {
	case 0:
		pool_gone(w->p, slot, w->now);
		break;
	case 1:
		pool_noisy(w->p, slot, w->now);
		break;
	case 2:
		pool_stuck(w->p, slot, w->now);
		break;
	case 3:
	case 4:
		if (i.state != POOL_DEAD)
			pool_exited(w->p, slot, w->now);
		break;
	default:
		if (i.state == POOL_STARTING)
			pool_ready(w->p, slot, w->now);
		if (!id || i.state == POOL_STARTING)
			break;
		close_request(w, id, w->open[id % IDS]);
		pool_finished(
		    w->p, slot, (enum pool_after)rnd(w, 3) % 3, w->now);
	}
}

static void
walk_step(struct walk *w)
{
	msec due = pool_deadline(w->p);

	w->now += rnd(w, 200); /* the timer may be late */
	switch (rnd(w, 100)) {
	case 0:
		switch (rnd(w, 4)) {
		case 0:
			pool_grow(w->p, w->now);
			break;
		case 1:
			pool_shrink(w->p, w->now);
			break;
		default:
			pool_reread(w->p, w->now);
		}
		break;
	case 1 ... 5:
		walk_cancel(w);
		break;
	case 6 ... 15:
		if (due != MSEC_NEVER && due > w->now)
			w->now = due;
		pool_tick(w->p, w->now);
		break;
	case 16 ... 20:
		w->now += rnd(w, 20000);
		pool_tick(w->p, w->now);
		break;
	case 21 ... 60:
		walk_request(w);
		break;
	default:
		walk_slot(w, (unsigned)rnd(w, w->slots));
	}
	walk_drain(w);
}

/* The end: nobody is forgotten, and all come to rest. */
static void
walk_stop(struct walk *w)
{
	struct pool_info i;

	pool_stop(w->p, w->now);
	walk_drain(w);
	walk_request(w);
	walk_drain(w);
	/* each is told twice more at most, at a time of its own */
	for (unsigned n = 0;
	     n < 2 * w->slots && pool_deadline(w->p) != MSEC_NEVER; n++) {
		if (pool_deadline(w->p) > w->now)
			w->now = pool_deadline(w->p);
		pool_tick(w->p, w->now);
		walk_drain(w);
	}
	assert_int_equal(pool_deadline(w->p), MSEC_NEVER);
	for (unsigned slot = 0; slot < w->slots; slot++) {
		pool_info(w->p, slot, &i);
		if (i.state != POOL_DEAD)
			pool_exited(w->p, slot, w->now);
		walk_drain(w);
	}
	assert_int_equal(pool_running(w->p), 0);
	assert_int_equal(w->n_open, 0);
}

static void
every_request_is_answered_once_whatever_happens(void **state)
{
	const char *seed = getenv("POOL_SEED"), *steps = getenv("POOL_STEPS");
	uint64_t first = seed ? strtoull(seed, NULL, 10) : clock_mono_ms();
	unsigned long left = steps ? strtoul(steps, NULL, 10) : 1000000;
	struct walk w;

	(void)state;
	print_message("# POOL_SEED=%llu\n", (unsigned long long)first);
	for (uint64_t n = 0; left; n++) {
		w = (struct walk){ .rnd = first + n + 0x9e3779b97f4a7c15u,
			.now = 1000 };
		struct pool_opts o = defaults;

		w.slots = 1 + (unsigned)rnd(&w, rnd(&w, 4) ? 6 : 30);
		o.max_workers = w.slots;
		o.min_workers = 1 + (unsigned)rnd(&w, w.slots);
		o.queue_max = (unsigned)rnd(&w, 5);
		o.max_requests = 1 + (unsigned)rnd(&w, 8);
		o.lifetime_ms = rnd(&w, 3) * 60000;
		o.start_min_ms = rnd(&w, 3) * 2000;
		o.start_ms = rnd(&w, 3) * 5000;
		o.per_domain = (unsigned)rnd(&w, 3);
		assert_int_equal(pool_new(&w.p, &o), 0);
		pool_start(w.p, w.now);
		for (unsigned i = 0; left && i < 2000; i++, left--)
			walk_step(&w);
		walk_stop(&w);
		pool_free(w.p);
	}
}

/* Many of both: each is served, the waiting in their order. */
static void
five_hundred_workers_serve_five_thousand_waiting(void **state)
{
	enum {
		WORKERS = 500,
		WAITING = 5000
	};
	struct pool_opts o = defaults;
	uint64_t next = WORKERS + 1;
	struct pool_action a;
	unsigned assigned = 0;
	struct pool *p;

	(void)state;
	o.max_workers = WORKERS;
	o.queue_max = WAITING;
	o.max_requests = 100;
	assert_int_equal(pool_new(&p, &o), 0);
	pool_start(p, 0);
	for (uint64_t id = 1; id <= WORKERS + WAITING; id++) {
		pool_request(p, id, MUX_SCAN, 0, 1);
		while (pool_next(p, &a)) {
			if (a.type == POOL_SPAWN)
				pool_ready(p, a.slot, 1);
			assigned += a.type == POOL_ASSIGN;
			assert_true(a.type != POOL_ANSWER);
		}
	}
	pool_check(p);
	assert_int_equal(assigned, WORKERS);
	pool_request(p, 9999, MUX_SCAN, 0, 1); /* one too many */
	assert_true(pool_next(p, &a) && a.type == POOL_ANSWER);
	assert_int_equal(a.answer, POOL_A_BUSY);
	for (unsigned i = 0; i < WAITING; i++) {
		pool_finished(p, i % WORKERS, POOL_STAYS, 2);
		assert_true(pool_next(p, &a) && a.type == POOL_ASSIGN);
		assert_int_equal(a.req, next++);
		assert_false(pool_next(p, &a));
	}
	pool_check(p);
	pool_free(p);
}

int
main(void)
{
	glob_t g;

	if (glob("tests/scenario/*.scn", 0, NULL, &g) != 0) {
		fprintf(stderr, "run this from the top of the tree\n");
		return 1;
	}
	struct CMUnitTest *tests = calloc(g.gl_pathc + 2, sizeof(*tests));
	if (!tests)
		return 1;
	for (size_t i = 0; i < g.gl_pathc; i++)
		tests[i] = (struct CMUnitTest){ g.gl_pathv[i], scenario, NULL,
			NULL, g.gl_pathv[i] };
	tests[g.gl_pathc] = (struct CMUnitTest)cmocka_unit_test(
	    every_request_is_answered_once_whatever_happens);
	tests[g.gl_pathc + 1] = (struct CMUnitTest)cmocka_unit_test(
	    five_hundred_workers_serve_five_thousand_waiting);
	int r =
	    _cmocka_run_group_tests("pool", tests, g.gl_pathc + 2, NULL, NULL);
	free(tests);
	globfree(&g);
	return r;
}
