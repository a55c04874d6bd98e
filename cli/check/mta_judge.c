/* SPDX-License-Identifier: MIT */
/*
 * mta_judge: sessions and judgements that many cases need (mta.h).
 */
#include "cli/check/mta.h"
#include "cli/ctl_safe.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

struct mta_rig *
mta_begin(struct check_run *run)
{
	struct mta *m = mta_of(run);

	sink_message_fini(&m->message);
	sink_message_init(&m->message);
	m->rig.transcript = &run->transcript;
	if (run->transcript.n == 0)
		m->rig.start_us = clock_mono_us();
	rig_begin(&m->rig);
	return &m->rig;
}

/* ---- sessions -------------------------------------------------------------------- */

static bool
accepted(struct check_run *run, const struct rig_mail *mail)
{
	struct mta_rig *r = &mta_of(run)->rig;

	if (rig_deliver(r, mail))
		return true;
	mta_told(run, rig_last(r), "success");
	return false;
}

/* What the filter heard in the session before, if those are frames. */
static const struct played *
heard(struct check_run *run)
{
	const struct played *f = rig_played(&mta_of(run)->rig);

	if (!f) {
		check_fail(run, "the MTA did not connect to the filter");
		return NULL;
	}
	if (!f->bad && !f->full)
		return f;
	check_fail(run, "the MTA sent %s", f->bad ? f->bad : "without end");
	return NULL;
}

const struct played *
mta_heard(struct check_run *run, const struct rig_mail *mail)
{
	return accepted(run, mail) ? heard(run) : NULL;
}

const struct played *
mta_heard_all(struct check_run *run, const struct rig_mail *mail, bool second)
{
	struct mta_rig *r = &mta_of(run)->rig;
	bool ok = rig_hello(r) == 250;

	if (ok)
		rig_say(r, RIG_OTHER, "XCHECK one two");
	ok = ok && rig_send(r, mail) && (!second || rig_send(r, NULL));
	rig_quit(r);
	if (ok)
		return heard(run);
	mta_told(run, rig_last(r), "success");
	return NULL;
}

const struct sink_message *
mta_arrives(struct check_run *run)
{
	struct mta *m = mta_of(run);

	sink_message_fini(&m->message);
	sink_message_init(&m->message);
	if (rig_arrived(&m->rig, &m->message))
		return &m->message;
	check_fail(run, "the message was accepted and did not arrive");
	return NULL;
}

const struct sink_message *
mta_delivered(struct check_run *run, const struct rig_mail *mail)
{
	return accepted(run, mail) ? mta_arrives(run) : NULL;
}

/* ---- results --------------------------------------------------------------------- */

enum check_result
mta_told(struct check_run *run, enum rig_step step, const char *want)
{
	struct buf text;

	buf_init(&text, 0);
	rig_tell(&mta_of(run)->rig, step, &text);
	check_fail(run, "the client heard at %s; %s was to be expected",
	    buf_cstr(&text), want);
	buf_fini(&text);
	return CHECK_FAIL;
}

int
mta_class(struct check_run *run, enum rig_step step)
{
	int code = rig_code(&mta_of(run)->rig, step);

	return code > 0 ? code / 100 : 0;
}

/* The next session with a perfect filter; what is noted of this one goes. */
static bool
next_works(struct check_run *run)
{
	struct buf why;
	bool ok;

	buf_init(&why, 0);
	ok = rig_still_serves(&mta_of(run)->rig, &why);
	if (!ok)
		check_fail(run, "%s", buf_cstr(&why));
	buf_fini(&why);
	return ok;
}

/* The client had one reply to each command, or the connection ended. */
static bool
had_answers(struct check_run *run)
{
	struct mta_rig *r = &mta_of(run)->rig;
	enum rig_step last = rig_last(r);
	int code = rig_code(r, last);

	if (code == RIG_SILENT || code == RIG_GARBAGE) {
		mta_told(run, last, "an answer");
		return false;
	}
	if (r->stray) {
		check_fail(
		    run, "the client got more replies than it said commands");
		return false;
	}
	return true;
}

enum check_result
mta_survives(struct check_run *run)
{
	return had_answers(run) && next_works(run) ? CHECK_PASS : CHECK_FAIL;
}

enum check_result
mta_survives_so(struct check_run *run, const char *when)
{
	struct mta_rig *r = &mta_of(run)->rig;
	enum check_result result = CHECK_DIFFERS;
	struct buf text;

	buf_init(&text, 0);
	rig_tell(r, rig_last(r), &text);
	if (mta_survives(run) == CHECK_FAIL)
		result = CHECK_FAIL;
	else
		check_differs(
		    run, "%s, the client heard at %s", when, buf_cstr(&text));
	buf_fini(&text);
	return result;
}

enum check_result
mta_never_arrives(struct check_run *run)
{
	struct mta_rig *r = &mta_of(run)->rig;
	char marker[sizeof(r->marker)];

	memcpy(marker, r->marker, sizeof(marker));
	if (!next_works(run))
		return CHECK_FAIL;
	if (rig_is_there(r, marker))
		return check_fail(run, "the message was delivered");
	return CHECK_PASS;
}

enum check_result
mta_held(struct check_run *run)
{
	struct mta_rig *r = mta_begin(run);

	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	plan_then(&r->plan, PLAN_CLOSE);
	if (rig_deliver(r, NULL) && mta_never_arrives(run) == CHECK_PASS)
		return CHECK_PASS;
	return check_fail(run, "the message was accepted and did not arrive");
}

struct mta_shown
mta_show(const char *p, size_t n)
{
	struct mta_shown s = { "nothing" };
	struct buf text;

	if (!p)
		return s;
	buf_init(&text, 0);
	ctl_safe_cut(&text, p, n, sizeof(s.text) - 4);
	if (buf_cstr(&text))
		snprintf(s.text, sizeof(s.text), "\"%s\"", buf_cstr(&text));
	buf_fini(&text);
	return s;
}

enum check_result
mta_field_is(
    struct check_run *run, const char *name, unsigned nth, const char *value)
{
	const char *p = NULL;
	long n = sink_message_field(&mta_of(run)->message, name, nth, &p, NULL);

	if (!value && n < 0)
		return CHECK_PASS;
	if (value && n == (long)strlen(value) &&
	    memcmp(p, value, (size_t)n) == 0)
		return CHECK_PASS;
	return check_fail(run, "field %u with the name %s has %s, not %s", nth,
	    name, mta_show(p, n < 0 ? 0 : (size_t)n).text,
	    mta_show(value, value ? strlen(value) : 0).text);
}

enum check_result
mta_body_is(struct check_run *run, const char *want)
{
	const struct sink_message *m = &mta_of(run)->message;
	const char *p = buf_data(&m->text) + m->body;
	size_t n = buf_len(&m->text) - m->body;

	if (n == strlen(want) && memcmp(p, want, n) == 0)
		return CHECK_PASS;
	return check_fail(run, "the body that arrived is %s, not %s",
	    mta_show(p, n).text, mta_show(want, strlen(want)).text);
}

static bool
matches(const char *word, const char *pattern)
{
	regex_t re;
	bool ok;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	ok = regexec(&re, word, 0, NULL, 0) == 0;
	regfree(&re);
	return ok;
}

enum check_result
mta_said(struct check_run *run, const char *pattern)
{
	const struct played *f = rig_played(&mta_of(run)->rig);
	enum check_result result = CHECK_PASS;
	struct buf word;

	if (!f)
		return check_fail(run, "the MTA did not connect to the filter");
	buf_init(&word, 0);
	played_word(f, false, &word);
	if (!buf_cstr(&word) || !matches(buf_cstr(&word), pattern))
		result = check_fail(run,
		    "the MTA sent the commands %s, which is not %s",
		    buf_cstr(&word), pattern);
	buf_fini(&word);
	return result;
}

bool
mta_is(struct mlt_bytes b, const char *text)
{
	return b.p && b.n == strlen(text) && memcmp(b.p, text, b.n) == 0;
}

/* name is spelled without braces. */
static bool
is_name(struct mlt_bytes b, const char *name)
{
	if (b.n >= 2 && b.p[0] == '{' && b.p[b.n - 1] == '}') {
		b.p++;
		b.n -= 2;
	}
	return mta_is(b, name);
}

struct mlt_bytes
mta_macro(struct mlt_bytes payload, const char *name)
{
	struct mlt_bytes found = { NULL, 0 };

	for (size_t i = 0; !found.p; i += 2) {
		struct mlt_bytes n = played_string(payload, 1, i);

		if (!n.p)
			break;
		if (is_name(n, name))
			found = played_string(payload, 1, i + 1);
	}
	return found;
}
