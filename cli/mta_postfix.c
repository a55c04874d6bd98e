/* SPDX-License-Identifier: MIT */
#include "cli/mta_postfix.h"

#include <string.h>

const char *const postfix_parameters[] = { "smtpd_milters", "non_smtpd_milters",
	"milter_default_action", "milter_protocol", "milter_connect_timeout",
	"milter_command_timeout", "milter_content_timeout",
	"milter_connect_macros", "milter_helo_macros", "milter_mail_macros",
	"milter_rcpt_macros", "milter_data_macros",
	"milter_end_of_header_macros", "milter_end_of_data_macros",
	"queue_directory", "mail_owner", "message_size_limit",
	"compatibility_level", "receive_override_options", NULL };
const char *const postfix_overrides[] = { "*/*/smtpd_milters",
	"*/*/non_smtpd_milters", "*/*/receive_override_options",
	"*/*/milter_default_action", "*/*/milter_protocol",
	"*/*/milter_connect_timeout", "*/*/milter_command_timeout",
	"*/*/milter_content_timeout", NULL };
const char *const postfix_services[] = { "*/*/chroot", "*/*/command", NULL };

/* ---- lines ------------------------------------------------------------------------- */

/* Splits one line at its first " = "; an empty value has " =" only. */
static bool
split(const char *p, size_t n, struct postconf_line *line)
{
	size_t key = 0;

	while (key < n && p[key] != ' ' && p[key] != '\t')
		key++;
	if (key == 0 || key + 2 > n || p[key] != ' ' || p[key + 1] != '=')
		return false;
	if (key + 2 < n && p[key + 2] != ' ')
		return false;
	line->key = p;
	line->n_key = key;
	line->value = p + (key + 2 < n ? key + 3 : n);
	line->n_value = (size_t)(p + n - line->value);
	return true;
}

bool
postconf_next(const char **p, const char *end, struct postconf_line *line)
{
	while (*p < end) {
		const char *start = *p,
			   *lf = memchr(start, '\n', (size_t)(end - start));
		size_t n = (size_t)((lf ? lf : end) - start);

		*p = lf ? lf + 1 : end;
		if (split(start, n, line))
			return true;
	}
	return false;
}

struct text {
	const char *p, *end;
};

static bool
is_key(const struct postconf_line *l, const char *a, size_t n_a, const char *b)
{
	size_t n_b = strlen(b);

	return l->n_key == n_a + n_b && memcmp(l->key, a, n_a) == 0 &&
	       memcmp(l->key + n_a, b, n_b) == 0;
}

/* The value of the key "ab", the last one if there are several. */
static bool
get(struct text t, const char *a, size_t n_a, const char *b,
    struct postconf_line *out)
{
	struct postconf_line line;
	bool found = false;

	while (postconf_next(&t.p, t.end, &line))
		if (is_key(&line, a, n_a, b)) {
			*out = line;
			found = true;
		}
	return found;
}

/* What a service has of its own, or what is said for all; false: nothing is. */
static bool
get_for(struct text t, const char *service, size_t n_service, const char *name,
    struct postconf_line *out, bool *own)
{
	*own = get(t, service, n_service, name, out);
	return *own || get(t, "", 0, name, out);
}

static void
get_text(struct text t, const char *name, char *out, size_t max)
{
	struct postconf_line line;

	out[0] = '\0';
	if (get(t, "", 0, name, &line))
		mta_copy(out, max, line.value, line.n_value);
}

/* ---- lists of milters ----------------------------------------------------------------- */

static bool
is_between(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

/* From behind a "{" to its "}", or to the end. */
static const char *
closing(const char *p, const char *end)
{
	for (int depth = 1; p < end; p++)
		if (*p == '{')
			depth++;
		else if (*p == '}' && --depth == 0)
			break;
	return p;
}

static const char *
skip(const char *p, const char *end, bool between)
{
	while (p < end && is_between(*p) == between)
		p++;
	return p;
}

bool
milter_item_next(const char **p, const char *end, struct milter_item *item)
{
	const char *at = skip(*p, end, true), *stop;
	bool braced = at < end && *at == '{';

	if (at == end) {
		*p = end;
		return false;
	}
	stop = braced ? closing(++at, end) : skip(at, end, false);
	*p = braced && stop < end ? stop + 1 : stop;
	at = skip(at, stop, true);
	item->spec = at;
	at = skip(at, stop, false);
	item->n_spec = (size_t)(at - item->spec);
	item->options = at;
	item->n_options = (size_t)(stop - at);
	return true;
}

/* A value within an item's options: "name = value", "{name = value}"; false:
 * not there. */
static bool
item_option(const struct milter_item *item, const char *name,
    const char **value, size_t *n)
{
	const char *p = item->options, *end = p + item->n_options;
	size_t len = strlen(name);

	for (; p + len < end; p++) {
		const char *v = p + len;

		if (memcmp(p, name, len) != 0 ||
		    (p > item->options && !is_between(p[-1]) && p[-1] != '{'))
			continue;
		while (v < end && (*v == ' ' || *v == '\t'))
			v++;
		if (v == end || *v++ != '=')
			continue;
		while (v < end && (*v == ' ' || *v == '\t'))
			v++;
		*value = v;
		while (v < end && !is_between(*v) && *v != '}')
			v++;
		*n = (size_t)(v - *value);
		return true;
	}
	return false;
}

/* ---- terms ------------------------------------------------------------------------------ */

struct place {
	struct text text;
	const char *service; /* the key's front, "smtp/inet/" */
	size_t n_service;
};

/* What holds for one milter in one service: its own option is "name", the
 * parameter "milter_name". */
static bool
term(const struct place *at, const struct milter_item *item,
    const char *parameter, const char **value, size_t *n)
{
	struct postconf_line line;
	bool own;

	if (item_option(item, parameter + strlen("milter_"), value, n))
		return true;
	if (!get_for(
		at->text, at->service, at->n_service, parameter, &line, &own))
		return false;
	*value = line.value;
	*n = line.n_value;
	return true;
}

static long
term_seconds(const struct place *at, const struct milter_item *item,
    const char *parameter, long dflt)
{
	const char *p;
	size_t n;
	long v = term(at, item, parameter, &p, &n) ? mta_seconds(p, n) : -1;

	return v < 0 ? dflt : v;
}

static enum mta_action
term_action(const struct place *at, const struct milter_item *item)
{
	static const struct {
		const char *word;
		enum mta_action action;
	} words[] = { { "accept", MTA_ACCEPT }, { "reject", MTA_REJECT },
		{ "quarantine", MTA_HOLD } };
	const char *p;
	size_t n;

	if (!term(at, item, "milter_default_action", &p, &n))
		return MTA_TEMPFAIL;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (n == strlen(words[i].word) &&
		    memcmp(p, words[i].word, n) == 0)
			return words[i].action;
	return MTA_TEMPFAIL;
}

static void
read_terms(
    struct mta_terms *t, const struct place *at, const struct milter_item *item)
{
	const char *p;
	size_t n;

	t->action = term_action(at, item);
	t->connect_s = term_seconds(at, item, "milter_connect_timeout", 30);
	t->command_s = term_seconds(at, item, "milter_command_timeout", 30);
	t->content_s = term_seconds(at, item, "milter_content_timeout", 300);
	t->end_s = 0;
	t->version = 6;
	if (term(at, item, "milter_protocol", &p, &n) && n > 0 && *p >= '0' &&
	    *p <= '9')
		t->version = *p - '0';
}

/* ---- services --------------------------------------------------------------------------- */

/* Where a chrooted process, or one that stands in the queue directory, comes to
 * by that path. */
static void
as_seen_from(
    const struct mta *m, bool chroot, struct mta_addr *a, const char *path)
{
	size_t n = strlen(m->queue_dir), len = strlen(path);

	if (path[0] == '/' && !chroot)
		return;
	if (n + len + 2 > sizeof(a->path))
		return;
	memcpy(a->path, m->queue_dir, n);
	a->path[n] = '/';
	memcpy(
	    a->path + n + 1, path + (path[0] == '/'), len + (path[0] != '/'));
}

static void
find_ours(struct mta *m, struct mta_way *w, const struct mta_addr *ours,
    const struct place *at, const char *list, size_t n)
{
	const char *p = list, *end = list + n;
	struct milter_item item;

	while (!w->ours && milter_item_next(&p, end, &item)) {
		struct mta_addr named, meant;

		if (mta_addr_postfix(&named, item.spec, item.n_spec) < 0)
			continue;
		meant = named;
		if (named.is_unix)
			as_seen_from(m, w->chroot, &meant, named.path);
		w->ours = mta_addr_same(ours, &meant);
		if (!w->ours && mta_addr_same(ours, &named))
			w->ours = w->hidden = true;
		if (w->ours)
			read_terms(&w->terms, at, &item);
	}
}

static bool
has_no_milters(struct text t, const char *service, size_t n)
{
	static const char word[] = "no_milters";
	struct postconf_line line;
	bool own;

	if (!get_for(t, service, n, "receive_override_options", &line, &own))
		return false;
	for (size_t i = 0; i + sizeof(word) - 1 <= line.n_value; i++)
		if (memcmp(line.value + i, word, sizeof(word) - 1) == 0)
			return true;
	return false;
}

/* Services as they are in master.cf: the key is "smtp/inet/command". */
static void
add_way(struct mta *m, const struct mta_addr *ours, struct text t,
    const char *service, size_t n, bool local)
{
	struct mta_way *w = &m->way[m->n_ways];
	struct place at = { .text = t, .service = service, .n_service = n };
	struct postconf_line line = { "", "", 0, 0 };

	if (m->n_ways == MTA_WAYS_MAX)
		return;
	m->n_ways++;
	*w = (struct mta_way){ .local = local };
	mta_copy(w->name, sizeof(w->name), service, n ? n - 1 : 0);
	if (get(t, service, n, "chroot", &line) && line.n_value)
		w->chroot = *line.value == 'y' ||
			    (*line.value == '-' && m->chroot_default);
	line = (struct postconf_line){ "", "", 0, 0 };
	get_for(t, service, n, local ? "non_smtpd_milters" : "smtpd_milters",
	    &line, &w->own_list);
	mta_copy(w->list, sizeof(w->list), line.value, line.n_value);
	w->off = has_no_milters(t, service, n);
	if (!w->off)
		find_ours(m, w, ours, &at, line.value, line.n_value);
}

static bool
runs(const struct postconf_line *command, const char *program)
{
	size_t n = strlen(program);

	return command->n_value >= n &&
	       memcmp(command->value, program, n) == 0 &&
	       (command->n_value == n || command->value[n] == ' ');
}

static void
read_services(struct mta *m, const struct mta_addr *ours, struct text t)
{
	static const char suffix[] = "/command";
	struct text rest = t;
	struct postconf_line line;

	while (postconf_next(&rest.p, rest.end, &line)) {
		size_t n = line.n_key;

		if (n <= sizeof(suffix) ||
		    memcmp(line.key + n - sizeof(suffix) + 1, suffix,
			sizeof(suffix) - 1) != 0)
			continue;
		n -= strlen("command");
		if (runs(&line, "smtpd"))
			add_way(m, ours, t, line.key, n, false);
		else if (runs(&line, "cleanup"))
			add_way(m, ours, t, line.key, n, true);
	}
}

static void
add_list(char *out, size_t max, struct text t, const char *name)
{
	size_t n = strlen(out);

	if (n + 2 > max)
		return;
	out[n] = ' ';
	get_text(t, name, out + n + 1, max - n - 1);
}

static void
read_macros(struct mta *m, struct text t)
{
	static const char *const names[MTA_STAGES] = { "milter_connect_macros",
		"milter_helo_macros", "milter_mail_macros",
		"milter_rcpt_macros", "milter_end_of_data_macros" };

	for (size_t i = 0; i < MTA_STAGES; i++)
		get_text(t, names[i], m->macros[i], sizeof(m->macros[i]));
	add_list(m->macros[MTA_EOM], sizeof(m->macros[MTA_EOM]), t,
	    "milter_data_macros");
	add_list(m->macros[MTA_EOM], sizeof(m->macros[MTA_EOM]), t,
	    "milter_end_of_header_macros");
}

void
mta_postfix_read(
    struct mta *m, const struct mta_addr *ours, const char *text, size_t n)
{
	struct text t = { text, text + n };
	struct postconf_line line;

	m->postfix = true;
	m->n_ways = 0;
	get_text(t, "queue_directory", m->queue_dir, sizeof(m->queue_dir));
	get_text(t, "mail_owner", m->user.name, sizeof(m->user.name));
	m->message_bytes = 0;
	if (get(t, "", 0, "message_size_limit", &line))
		m->message_bytes = mta_bytes(line.value, line.n_value);
	if (m->message_bytes < 0)
		m->message_bytes = 0;
	/* a column "-" was "y" in versions before that parameter, and with 0 */
	m->chroot_default = !get(t, "", 0, "compatibility_level", &line) ||
			    (line.n_value > 0 && *line.value == '0');
	read_macros(m, t);
	read_services(m, ours, t);
}
