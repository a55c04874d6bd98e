/* SPDX-License-Identifier: MIT */
/*
 * generate: writes what milterproto.def says into the marked places of files.
 *
 *	generate [--check] FILE...
 *
 * A place begins with a line that contains "generated: NAME" and ends with the
 * next line that ends a comment named "end", in the file's own kind of
 * comment.  The lines between are replaced by section NAME, all else stays.
 * With --check nothing is written.  Exit status: 0, 1 a file is (or, checked,
 * was) not as it should be, 2 trouble; the first line on stderr says why.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <milterproto_const.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the rows -------------------------------------------------------- */

enum layout {
	EMPTY,
	CODE,
	HEADER,
	INDEX,
	RAW,
	TEXT,
	ADDRESS,
	OPTIONS,
	NEVER
};

static const struct {
	const char *word, *doc;
} layouts[] = {
	[EMPTY] = { "empty", "empty" },
	[CODE] = { "code", "cstr, see reply-text" },
	[HEADER] = { "header", "cstr name, cstr value" },
	[INDEX] = { "index", "u32 index, cstr name, cstr value" },
	[RAW] = { "raw", "octets" },
	[TEXT] = { "text", "cstr" },
	[ADDRESS] = { "address", "cstr [, cstr parameters]" },
	[OPTIONS] = { "options", "12 octets, macro lists" },
	[NEVER] = { "never", "never used" },
};

static const struct command {
	const char *name, *replies;
	uint32_t no, nr;
	int version;
	char octet;
} commands[] = {
#define MLT_X_COMMAND(name, octet, version, no, nr, replies)                   \
	{ #name, replies, no, nr, version, octet },
#include <milterproto.def>
};

static const struct reply {
	const char *name;
	enum layout layout;
	uint32_t actions;
	char octet;
} replies[] = {
#define MLT_X_REPLY(name, octet, layout, actions)                              \
	{ #name, layout, actions, octet },
#include <milterproto.def>
};

struct bit {
	const char *name;
	uint32_t bit;
	int version;
};

static const struct bit actions[] = {
#define MLT_X_ACTION(name, bit, version) { #name, bit, version },
#include <milterproto.def>
};

static const struct bit protocol[] = {
#define MLT_X_PROTOCOL(name, bit, version) { #name, bit, version },
#include <milterproto.def>
};

static const struct stage {
	const char *name;
	int number;
	char command;
} stages[] = {
#define MLT_X_STAGE(name, number, command) { #name, number, command },
#include <milterproto.def>
};

static const struct limit {
	const char *name;
	int value;
} limits[] = {
#define MLT_X_LIMIT(name, value) { #name, value },
#include <milterproto.def>
};

#define EACH(type, p, table)                                                   \
	for (const struct type *p = table; p < table + LEN(table); p++)

/* ---- Markdown -------------------------------------------------------- */

static const char *
bit_name(const struct bit *table, size_t n, uint32_t bit)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].bit == bit)
			return table[i].name;
	return "-";
}

static void
doc_commands(FILE *out)
{
	fputs("| octet | name | version | NO flag | NR flag | final replies |\n"
	      "|---|---|---|---|---|---|\n",
	    out);
	EACH(command, c, commands)
	{
		fprintf(out, "| `%c` | %s | %d | %s | %s |", c->octet, c->name,
		    c->version, bit_name(protocol, LEN(protocol), c->no),
		    bit_name(protocol, LEN(protocol), c->nr));
		for (const char *r = *c->replies ? c->replies : "-"; *r; r++)
			fprintf(out, " %c", *r);
		fputs(" |\n", out);
	}
}

static void
doc_replies(FILE *out)
{
	fputs("| octet | name | payload | action bit |\n|---|---|---|---|\n",
	    out);
	EACH(reply, r, replies)
	fprintf(out, "| `%c` | %s | %s | %s |\n", r->octet, r->name,
	    layouts[r->layout].doc,
	    bit_name(actions, LEN(actions), r->actions));
}

static void
doc_bits(FILE *out, const struct bit *table, size_t n)
{
	fputs("| bit | name | version |\n|---|---|---|\n", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "| 0x%08x | %s | %d |\n", table[i].bit,
		    table[i].name, table[i].version);
}

static void
doc_actions(FILE *out)
{
	doc_bits(out, actions, LEN(actions));
}

static void
doc_protocol(FILE *out)
{
	doc_bits(out, protocol, LEN(protocol));
}

static void
doc_stages(FILE *out)
{
	fputs("| name | number in lists | command |\n|---|---|---|\n", out);
	EACH(stage, s, stages)
	fprintf(out, "| %s | %d | `%c` |\n", s->name, s->number, s->command);
}

static void
doc_limits(FILE *out)
{
	fputs("| name | value |\n|---|---|\n", out);
	EACH(limit, l, limits)
	fprintf(out, "| %s | %d |\n", l->name, l->value);
}

/* ---- a dictionary for libFuzzer and AFL++ ---------------------------- */

static void
dictionary_frame(FILE *out, const char *name, char octet)
{
	fprintf(out, "%s=\"\\x00\\x00\\x00\\x01%c\"\n", name, octet);
}

static void
dictionary_bits(FILE *out, const struct bit *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t b = table[i].bit;
		fprintf(out, "%s=\"\\x%02x\\x%02x\\x%02x\\x%02x\"\n",
		    table[i].name, b >> 24, b >> 16 & 0xff, b >> 8 & 0xff,
		    b & 0xff);
	}
}

static void
dictionary(FILE *out)
{
	EACH(command, c, commands)
	dictionary_frame(out, c->name, c->octet);
	EACH(reply, r, replies)
	dictionary_frame(out, r->name, r->octet);
	dictionary_bits(out, actions, LEN(actions));
	dictionary_bits(out, protocol, LEN(protocol));
}

/* ---- tables in Lua --------------------------------------------------- */

static void
lua_commands(FILE *out)
{
	EACH(command, c, commands)
	fprintf(out, "\t[0x%02x] = \"%s\",\n", c->octet, c->name);
}

static void
lua_replies(FILE *out)
{
	EACH(reply, r, replies)
	fprintf(out, "\t[0x%02x] = { \"%s\", \"%s\" },\n", r->octet, r->name,
	    layouts[r->layout].word);
}

static void
lua_actions(FILE *out)
{
	EACH(bit, b, actions)
	fprintf(out, "\t{ 0x%08x, \"%s\" },\n", b->bit, b->name);
}

static void
lua_protocol(FILE *out)
{
	EACH(bit, b, protocol)
	fprintf(out, "\t{ 0x%08x, \"%s\" },\n", b->bit, b->name);
}

static void
lua_stages(FILE *out)
{
	EACH(stage, s, stages)
	fprintf(out, "\t[%d] = \"%s\",\n", s->number, s->name);
}

static void
lua_limits(FILE *out)
{
	EACH(limit, l, limits)
	fprintf(out, "\t%s = %d,\n", l->name, l->value);
}

/* ---- marked places --------------------------------------------------- */

static const struct section {
	const char *name;
	void (*print)(FILE *out);
} sections[] = {
	{ "commands", doc_commands },
	{ "replies", doc_replies },
	{ "actions", doc_actions },
	{ "protocol", doc_protocol },
	{ "stages", doc_stages },
	{ "limits", doc_limits },
	{ "dictionary", dictionary },
	{ "lua-commands", lua_commands },
	{ "lua-replies", lua_replies },
	{ "lua-actions", lua_actions },
	{ "lua-protocol", lua_protocol },
	{ "lua-stages", lua_stages },
	{ "lua-limits", lua_limits },
};

/* The section that a line begins, or NULL. */
static const struct section *
section_at(const char *line, const char *file)
{
	static const char mark[] = "generated: ";
	const char *name = strstr(line, mark);

	if (!name)
		return NULL;
	name += sizeof(mark) - 1;
	size_t n = strcspn(name, " \n");
	EACH(section, s, sections)
	if (strlen(s->name) == n && memcmp(s->name, name, n) == 0)
		return s;
	errx(2, "%s: there is no section %.*s", file, (int)n, name);
}

static bool
ends_section(const char *line)
{
	return strcmp(line, "<!-- end -->\n") == 0 ||
	       strcmp(line, "-- end\n") == 0 || strcmp(line, "# end\n") == 0;
}

/* Copies in to was as it is, and to now with its sections made anew. */
static void
fill(FILE *in, FILE *was, FILE *now, const char *file)
{
	char *line = NULL;
	size_t cap = 0, count = 0;
	bool inside = false;

	while (getline(&line, &cap, in) > 0) {
		fputs(line, was);
		inside = inside && !ends_section(line);
		if (inside)
			continue;
		fputs(line, now);
		const struct section *s = section_at(line, file);
		if (s) {
			s->print(now);
			inside = true;
			count++;
		}
	}
	free(line);
	if (inside)
		errx(2, "%s: a section has no end", file);
	if (!count)
		errx(2, "%s: there is no section in it", file);
}

static bool
generate(const char *file, bool check)
{
	struct {
		char *p;
		size_t n;
	} was, now;
	FILE *in = fopen(file, "r");
	FILE *old = open_memstream(&was.p, &was.n);
	FILE *new = open_memstream(&now.p, &now.n);

	if (!in || !old || !new)
		err(2, "%s", file);
	fill(in, old, new, file);
	if (ferror(in) || fclose(in) || fclose(old) || fclose(new))
		err(2, "%s", file);
	bool same = was.n == now.n && memcmp(was.p, now.p, now.n) == 0;
	if (!same && check)
		warnx("%s is stale: run make generate", file);
	if (!same && !check) {
		FILE *out = fopen(file, "w");
		if (!out || fwrite(now.p, 1, now.n, out) != now.n ||
		    fclose(out))
			err(2, "%s", file);
	}
	free(was.p);
	free(now.p);
	return same || !check;
}

int
main(int argc, char **argv)
{
	bool check = argc > 1 && strcmp(argv[1], "--check") == 0;
	bool good = true;

	if (argc < 2 + check)
		errx(2, "usage: generate [--check] FILE...");
	for (int i = 1 + check; i < argc; i++)
		good = generate(argv[i], check) && good;
	return !good;
}
