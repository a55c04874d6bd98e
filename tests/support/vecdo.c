/* SPDX-License-Identifier: MIT */
/*
 * vecdo: what the caller does (`!` lines), how a session begins (`@ session`),
 * and the text of what happened (`=` lines).
 */
#include "vec.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_ARGS = 16
};

/* Arguments of a line: words and "strings" with \n \r \t \\ \" \xHH; after a
 * string, *N repeats it.  In place in a copy. */
struct args {
	struct mlt_bytes v[MAX_ARGS];
	size_t n;
	const char *want; /* behind "->", or NULL */
};

static char arena[VEC_QUEUE];
static size_t used;

static void
put(char c)
{
	if (used < sizeof(arena) - 1)
		arena[used++] = c;
}

static const char *
read_string(const char *s)
{
	size_t from = used, len;
	unsigned long times = 1;
	unsigned v;

	for (; *s && *s != '"'; s++) {
		if (*s != '\\') {
			put(*s);
			continue;
		}
		s++;
		if (*s == 'x' && sscanf(s + 1, "%2x", &v) == 1) {
			put((char)v);
			s += 2;
		} else {
			put(*s == 'n'   ? '\n'
			    : *s == 'r' ? '\r'
			    : *s == 't' ? '\t'
					: *s);
		}
	}
	s += *s == '"';
	if (*s == '*')
		times = strtoul(s + 1, (char **)&s, 10);
	len = used - from;
	while (--times > 0) {
		for (size_t i = 0; i < len; i++)
			put(arena[from + i]);
	}
	return s;
}

static void
read_args(struct args *a, const char *s)
{
	*a = (struct args){ .n = 0 };
	used = 0;
	for (;;) {
		size_t from = used;

		s += strspn(s, " \t");
		if (!*s || a->n == MAX_ARGS)
			return;
		if (strncmp(s, "-> ", 3) == 0) {
			a->want = s + 3;
			return;
		}
		if (*s == '"') {
			s = read_string(s + 1);
		} else {
			while (*s && *s != ' ' && *s != '\t')
				put(*s++);
		}
		a->v[a->n++] = (struct mlt_bytes){ arena + from, used - from };
		put(0);
	}
}

static bool
is(const struct args *a, const char *name)
{
	return a->n && strcmp(a->v[0].p, name) == 0;
}

static uint32_t
number(const struct args *a, size_t i)
{
	return i < a->n ? (uint32_t)strtoul(a->v[i].p, NULL, 0) : 0;
}

static struct mlt_bytes
arg(const struct args *a, size_t i)
{
	return i < a->n ? a->v[i] : (struct mlt_bytes){ NULL, 0 };
}

/* ---- sessions ------------------------------------------------------------------- */

/* key=value options; strings of macro lists live in their own store. */
static void
read_options(const struct args *a, struct mlt_options *o)
{
	static const char *const stages[] = {
		"CONNECT=", "HELO=", "MAIL=", "RCPT=", "DATA=", "EOM=", "EOH="
	};
	static char lists[MLT_STAGE_N][64];

	for (size_t i = 1; i < a->n; i++) {
		const char *s = a->v[i].p;

		if (strncmp(s, "required=", 9) == 0)
			o->actions_required = (uint32_t)strtoul(s + 9, NULL, 0);
		if (strncmp(s, "actions=", 8) == 0)
			o->actions_wanted = (uint32_t)strtoul(s + 8, NULL, 0);
		if (strncmp(s, "protocol=", 9) == 0)
			o->protocol = (uint32_t)strtoul(s + 9, NULL, 0);
		for (int k = 0; k < MLT_STAGE_N; k++) {
			size_t n = strlen(stages[k]);

			if (strncmp(s, stages[k], n) != 0)
				continue;
			snprintf(lists[k], sizeof(lists[k]), "%s", s + n);
			for (char *c = lists[k]; (c = strchr(c, ','));)
				*c = ' ';
			o->macros[k] = lists[k];
		}
	}
}

static size_t
size_option(const struct args *a, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 1; i < a->n; i++) {
		if (strncmp(a->v[i].p, key, n) == 0)
			return strtoul(a->v[i].p + n, NULL, 0);
	}
	return 0;
}

void
vec_session(struct vec *v, const char *line)
{
	struct mlt_filter_opts fo = { .ask_options = false };
	struct mlt_mta_opts mo = { 0 };
	struct args a;
	int rc = 0, tries = 0;

	read_args(&a, line);
	v->is_mta = is(&a, "mta");
	read_options(&a, &fo.want);
	fo.ask_options = a.n > 1 && strcmp(a.v[1].p, "ask") == 0;
	fo.max_frame_bytes = size_option(&a, "frame=");
	fo.max_macro_bytes = (uint32_t)size_option(&a, "macros=");
	mo.version = (uint32_t)size_option(&a, "version=");
	mo.actions = fo.want.actions_wanted;
	mo.protocol = fo.want.protocol;
	mo.max_frame_bytes = fo.max_frame_bytes;
	do {
		rc = v->is_mta ? mlt_mta_new(&v->m, &mo)
			       : mlt_filter_new(&v->f, &fo);
	} while (rc == MLT_E_NOMEM && v->retry && tries++ == 0);
	if (rc == MLT_E_NOMEM)
		v->gave_up = true;
	else if (rc < 0)
		vec_fail(v, "session: %s", mlt_strerror(rc));
}

/* ---- what the caller does ---------------------------------------------------------- */

static int
do_reply(struct vec *v, const struct args *a)
{
	static const char *const names[] = { "continue", "accept", "reject",
		"tempfail", "discard", "skip", "code" };
	struct mlt_reply r = { .type = MLT_REPLY_CONTINUE };

	for (int i = 0; i <= MLT_REPLY_CODE; i++) {
		if (a->n > 1 && strcmp(a->v[1].p, names[i]) == 0)
			r.type = (enum mlt_reply_type)i;
	}
	r.code = arg(a, 2).p;
	r.dsn = arg(a, 3).n ? arg(a, 3).p : NULL;
	r.text = arg(a, 4);
	return mlt_filter_reply(v->f, &r);
}

static int
do_filter(struct vec *v, const struct args *a)
{
	struct mlt_filter *f = v->f;
	struct mlt_options o = { 0 };

	if (is(a, "reply"))
		return do_reply(v, a);
	if (is(a, "negotiate")) {
		read_options(a, &o);
		return mlt_filter_negotiate(f, &o);
	}
	if (is(a, "add_header"))
		return mlt_filter_add_header(f, arg(a, 1), arg(a, 2));
	if (is(a, "insert_header"))
		return mlt_filter_insert_header(
		    f, number(a, 1), arg(a, 2), arg(a, 3));
	if (is(a, "change_header"))
		return mlt_filter_change_header(
		    f, number(a, 1), arg(a, 2), arg(a, 3));
	if (is(a, "replace_body"))
		return mlt_filter_replace_body(f, arg(a, 1).p, arg(a, 1).n);
	if (is(a, "add_rcpt"))
		return mlt_filter_add_rcpt(f, arg(a, 1), arg(a, 2));
	if (is(a, "delete_rcpt"))
		return mlt_filter_delete_rcpt(f, arg(a, 1));
	if (is(a, "change_from"))
		return mlt_filter_change_from(f, arg(a, 1), arg(a, 2));
	if (is(a, "quarantine"))
		return mlt_filter_quarantine(f, arg(a, 1));
	if (is(a, "progress"))
		return mlt_filter_progress(f);
	vec_fail(v, "unknown command");
	return 0;
}

static int
do_mta(struct vec *v, const struct args *a)
{
	struct mlt_mta *m = v->m;

	if (is(a, "negotiate"))
		return mlt_mta_negotiate(m);
	if (is(a, "macros"))
		return mlt_mta_macros(
		    m, (uint8_t)arg(a, 1).p[0], a->v + 2, (a->n - 2) / 2);
	if (is(a, "connect"))
		return mlt_mta_connect(m, arg(a, 1), arg(a, 2).p[0],
		    (uint16_t)number(a, 3), arg(a, 4));
	if (is(a, "helo"))
		return mlt_mta_helo(m, arg(a, 1));
	if (is(a, "mail"))
		return mlt_mta_mail(m, a->v + 1, a->n - 1);
	if (is(a, "rcpt"))
		return mlt_mta_rcpt(m, a->v + 1, a->n - 1);
	if (is(a, "data"))
		return mlt_mta_data(m);
	if (is(a, "unknown"))
		return mlt_mta_unknown(m, arg(a, 1));
	if (is(a, "header"))
		return mlt_mta_header(m, arg(a, 1), arg(a, 2));
	if (is(a, "eoh"))
		return mlt_mta_eoh(m);
	if (is(a, "body"))
		return mlt_mta_body(m, arg(a, 1).p, arg(a, 1).n);
	if (is(a, "eom"))
		return mlt_mta_eom(m);
	if (is(a, "abort"))
		return mlt_mta_abort(m);
	if (is(a, "quit"))
		return mlt_mta_quit(m, false);
	if (is(a, "quit_nc"))
		return mlt_mta_quit(m, true);
	vec_fail(v, "unknown command");
	return 0;
}

static const char *
code_name(int rc)
{
	static char digits[16];

	switch (rc) {
	case MLT_E_NOMEM:
		return "NOMEM";
	case MLT_E_ARG:
		return "ARG";
	case MLT_E_STATE:
		return "STATE";
	case MLT_E_AGREED:
		return "AGREED";
	case MLT_E_PROTO:
		return "PROTO";
	case MLT_E_TOOBIG:
		return "TOOBIG";
	case MLT_E_OFFER:
		return "OFFER";
	}
	snprintf(digits, sizeof(digits), "%d", rc);
	return digits;
}

/* `! macro NAME "value"`, `! macro NAME` (unknown), `! eof`, `! done`. */
static bool
do_other(struct vec *v, const struct args *a)
{
	struct mlt_bytes got;

	if (is(a, "eof")) {
		if (vec_pull(v))
			vec_fail(v, "before eof: %s", vec_text(v));
		mlt_filter_eof(v->f);
	} else if (is(a, "done")) {
		vec_pull(v);
		if (!mlt_filter_done(v->f))
			vec_fail(v, "is not done");
	} else if (is(a, "macro")) {
		got = mlt_filter_macro(v->f, a->v[1].p);
		if (a->n > 2 ? !got.p || strcmp(got.p, a->v[2].p) != 0
			     : got.p != NULL)
			vec_fail(v, "macro is \"%s\"", got.p ? got.p : "-");
	} else if (is(a, "macro_list")) {
		got = mlt_mta_macro_list(v->m, number(a, 1));
		if (a->n > 2 ? !got.p || strcmp(got.p, a->v[2].p) != 0
			     : got.p != NULL)
			vec_fail(v, "list is \"%s\"", got.p ? got.p : "-");
	} else {
		return false;
	}
	return true;
}

void
vec_do(struct vec *v, const char *line)
{
	struct args a;
	int rc = 0, tries = 0;

	read_args(&a, line);
	if (do_other(v, &a))
		return;
	do {
		rc = v->is_mta ? do_mta(v, &a) : do_filter(v, &a);
	} while (rc == MLT_E_NOMEM && v->retry && tries++ == 0);
	if (rc == MLT_E_NOMEM) {
		v->gave_up = true;
		return;
	}
	if (a.want ? strcmp(a.want, code_name(rc)) != 0
		   : rc < 0 || (v->is_mta && rc == 0))
		vec_fail(v, "! %s gave %s", line, code_name(rc));
}

/* ---- what happened --------------------------------------------------------------------- */

static char told[1024];
static size_t told_n;

__attribute__((format(printf, 1, 2))) static void
tell(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(told + told_n, sizeof(told) - told_n, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof(told) - told_n)
		told_n += (size_t)n;
}

static void
tell_octets(const char *label, struct mlt_bytes b)
{
	if (!b.p)
		return;
	tell(" %s\"", label);
	for (size_t i = 0; i < b.n && i < 48; i++) {
		unsigned char c = (unsigned char)b.p[i];

		if (c == '"' || c == '\\')
			tell("\\%c", c);
		else if (c >= ' ' && c <= '~')
			tell("%c", c);
		else
			tell("\\x%02x", c);
	}
	tell("\"");
	if (b.n > 48)
		tell("...%zu", b.n);
}

static void
tell_event(const struct mlt_event *ev)
{
	tell("%s", mlt_event_name(ev->type));
	switch (ev->type) {
	case MLT_EV_NEGOTIATE:
		tell(" version=%u actions=0x%x protocol=0x%x",
		    ev->negotiate.version, ev->negotiate.actions,
		    ev->negotiate.protocol);
		break;
	case MLT_EV_CONNECT:
		tell_octets("host=", ev->connect.host);
		tell(
		    " family=%c port=%u", ev->connect.family, ev->connect.port);
		tell_octets("addr=", ev->connect.addr);
		break;
	case MLT_EV_MAIL:
	case MLT_EV_RCPT:
		for (size_t i = 0; i < ev->args.n; i++)
			tell_octets("", ev->args.v[i]);
		break;
	case MLT_EV_HEADER:
		tell_octets("", ev->header.name);
		tell_octets("", ev->header.value);
		break;
	case MLT_EV_HELO:
	case MLT_EV_BODY:
	case MLT_EV_UNKNOWN:
		tell_octets("", ev->text);
		break;
	case MLT_EV_QUIT:
		tell("%s", ev->quit.more ? " more" : "");
		break;
	case MLT_EV_DATA:
	case MLT_EV_EOH:
	case MLT_EV_EOM:
	case MLT_EV_ABORT:
	case MLT_EV_N:
		break;
	}
	tell("%s", ev->need_reply ? " need_reply" : "");
}

const char *
vec_text(const struct vec *v)
{
	const struct mlt_action *a = &v->act;

	told_n = 0;
	told[0] = 0;
	if (v->pending < 0) {
		tell("error %s", code_name(v->pending));
	} else if (!v->is_mta) {
		tell_event(&v->ev);
	} else {
		tell("%s", mlt_reply_name(a->reply));
		if (a->index)
			tell(" index=%u", a->index);
		tell_octets("", a->name);
		tell_octets("", a->value);
		tell_octets("", a->text);
		tell_octets("", a->esmtp);
		tell("%s", a->final ? " final" : "");
	}
	return told;
}
