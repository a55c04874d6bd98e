/* SPDX-License-Identifier: MIT */
/*
 * play_macros: which macros precede a command, by the lists of the MTA or of
 * the filter.  spec:macro-lists
 */
#include "play.h"

#include <string.h>

enum {
	NAMES_MAX = 50 /* macros of one stage */
};

/* One name off the front of a list; false at its end. */
static bool
next_name(struct mlt_bytes *list, struct mlt_bytes *name)
{
	size_t n = 0;

	while (list->n && strchr(" ,", list->p[0])) {
		list->p++;
		list->n--;
	}
	while (n < list->n && !strchr(" ,", list->p[n]))
		n++;
	*name = (struct mlt_bytes){ list->p, n };
	if (n) {
		list->p += n;
		list->n -= n;
	}
	return n > 0;
}

/* spec:macro-lists  "i" and "{i}" are the same. */
static bool
same_name(struct mlt_bytes a, struct mlt_bytes b)
{
	if (a.n > 2 && a.p[0] == '{' && a.p[a.n - 1] == '}')
		a = (struct mlt_bytes){ a.p + 1, a.n - 2 };
	if (b.n > 2 && b.p[0] == '{' && b.p[b.n - 1] == '}')
		b = (struct mlt_bytes){ b.p + 1, b.n - 2 };
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static bool
find(struct mlt_play_list pairs, struct mlt_bytes name, struct mlt_bytes *value)
{
	for (size_t i = 0; i + 1 < pairs.n; i += 2) {
		if (same_name(pairs.v[i], name)) {
			*value = pairs.v[i + 1];
			return true;
		}
	}
	return false;
}

static bool
value_of(
    const struct mlt_play *p, struct mlt_bytes name, struct mlt_bytes *value)
{
	struct mlt_bytes list = play_text(p->pf->macros_unknown), unknown;
	bool in_message = p->at >= STEP_MAIL && p->at <= STEP_EOM;

	while (next_name(&list, &unknown)) {
		if (same_name(unknown, name))
			return false;
	}
	if (play_has(p, MLT_HABIT_LATE_ID) && p->accepted == 0 &&
	    p->at < STEP_DATA && same_name(name, play_text("i")))
		return false;
	if (p->at == STEP_RCPT &&
	    find(play_message(p)->rcpts[p->i].macros, name, value))
		return true;
	if (in_message && find(play_message(p)->macros, name, value))
		return true;
	return find(p->s->macros, name, value);
}

/* The list in force at this command: the filter's or the MTA's own; {NULL, 0}
 * = there is none.  spec:macro-lists */
static struct mlt_bytes
list_for(const struct mlt_play *p, enum mlt_cm cm)
{
	static const uint8_t stages[CM_N] = {
#define MLT_X_STAGE(name, number, command) [CM_##name] = MLT_STAGE_##name + 1,
#include <milterproto.def>
		[CM_HEADER] = MLT_STAGE_EOH + 1,
		[CM_BODY] = MLT_STAGE_EOM + 1,
	};
	unsigned stage;
	struct mlt_bytes asked;
	bool is_asked;

	if (!stages[cm])
		return (struct mlt_bytes){ NULL, 0 };
	stage = stages[cm] - 1u;
	asked = mlt_mta_macro_list(p->m, stage);
	is_asked = asked.p;
	if (stage == MLT_STAGE_EOM && play_has(p, MLT_HABIT_EOM_BY_EOH))
		is_asked = mlt_mta_macro_list(p->m, MLT_STAGE_EOH).p;
	else if (asked.n == 0 && !play_has(p, MLT_HABIT_EMPTY_LIST))
		is_asked = false;
	return is_asked ? asked : play_text(p->macros[stage]);
}

/* Will this command be sent, or else, is its MACRO packet sent all the same?
 * spec:suppressed-macros */
static bool
macros_due(const struct mlt_play *p, enum mlt_cm cm)
{
	const struct mlt_command *c = &mlt_commands[cm];
	bool refused =
	    p->at == STEP_RCPT && play_message(p)->rcpts[p->i].refused;

	if (!strchr(p->pf->macros_before, c->octet))
		return false;
	if (refused && !(mlt_mta_protocol(p->m) & MLT_PROT_RCPT_REJ))
		return play_has(p, MLT_HABIT_MACROS_REFUSED);
	if (mlt_mta_version(p->m) < c->version &&
	    !play_has(p, MLT_HABIT_MACROS_OLD))
		return false;
	return (mlt_mta_version(p->m) >= c->version &&
		   !(mlt_mta_protocol(p->m) & c->no)) ||
	       strchr(p->pf->macros_unsent, c->octet);
}

int
mlt_play_say_macros(struct mlt_play *p, enum mlt_cm cm)
{
	struct mlt_bytes pairs[2 * NAMES_MAX], list, name;
	size_t n = 0;
	bool listed;
	int rc;

	if (!macros_due(p, cm))
		return 0;
	list = list_for(p, cm);
	listed = list.n > 0;
	while (n < NAMES_MAX && next_name(&list, &name)) {
		pairs[2 * n] = name;
		if (value_of(p, name, &pairs[2 * n + 1]))
			n++;
	}
	if (n == 0 && !play_has(p, MLT_HABIT_MACROS_ALWAYS) &&
	    !(listed && play_has(p, MLT_HABIT_MACROS_LISTED)))
		return 0;
	rc = mlt_mta_macros(p->m, mlt_commands[cm].octet, pairs, n);
	return rc < 0 ? rc : 0;
}
