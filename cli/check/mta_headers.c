/* SPDX-License-Identifier: MIT */
/*
 * mta_headers: changes of header fields, and what arrives.
 */
#include "cli/check/mta.h"

#include <string.h>

#define HDR MLT_SMFIR_ADDHEADER
#define INS MLT_SMFIR_INSHEADER
#define CHG MLT_SMFIR_CHGHEADER

struct change {
	uint8_t reply; /* 0: the end */
	uint32_t index;
	const char *name, *value;
};

/* The message with these further fields, changed like that, has arrived. */
static const struct sink_message *
changed(struct check_run *run, const char *fields, const struct change *c)
{
	struct rig_mail mail = { .fields = fields };
	struct mta_rig *r = &mta_of(run)->rig;

	plan_on(&r->plan, MLT_SMFIC_EOM, 0);
	for (; c->reply; c++)
		plan_header(&r->plan, c->reply, c->index, c->name, c->value);
	plan_reply(&r->plan, MLT_SMFIR_CONTINUE);
	return mta_delivered(run, &mail);
}

/* Of the message that arrived: these are all fields with this name. */
static enum check_result
are(struct check_run *run, const char *name, const char *const *values)
{
	for (unsigned n = 1;; values++, n++)
		if (mta_field_is(run, name, n, *values) == CHECK_FAIL)
			return CHECK_FAIL;
		else if (!*values)
			return CHECK_PASS;
}
#define ARE(run, name, ...) are(run, name, (const char *const[]){ __VA_ARGS__ })

static enum check_result
added(struct check_run *run)
{
	static const struct change c[] = { { HDR, 0, "X-Added", "a value" },
		{ 0 } };

	mta_begin(run);
	return changed(run, "", c) ? ARE(run, "X-Added", " a value", NULL)
				   : CHECK_FAIL;
}

static enum check_result
added_as_it_is(struct check_run *run)
{
	static const struct change c[] = { { HDR, 0, "X-None", "none" },
		{ HDR, 0, "X-Two", "  two" }, { 0 } };
	struct mta_rig *r = mta_begin(run);

	if (!(mta_of(run)->offer.protocol & MLT_PROT_HDR_LEADSPC))
		return check_not_applicable(run, "HDR_LEADSPC is not offered");
	r->plan.protocol = MLT_PROT_HDR_LEADSPC;
	if (!changed(run, "", c) ||
	    ARE(run, "X-None", "none", NULL) == CHECK_FAIL)
		return CHECK_FAIL;
	return ARE(run, "X-Two", "  two", NULL);
}

static enum check_result
added_folded(struct check_run *run)
{
	static const struct change c[] = {
		{ HDR, 0, "X-Folded", "one;\n\ttwo;\n three" }, { 0 }
	};

	mta_begin(run);
	return changed(run, "", c)
		   ? ARE(run, "X-Folded", " one;\n\ttwo;\n three", NULL)
		   : CHECK_FAIL;
}

/* The place of the nth field with this name among all, from 0. */
static unsigned
place(struct check_run *run, const char *name, unsigned nth)
{
	const char *value;
	unsigned line = 0;

	sink_message_field(&mta_of(run)->message, name, nth, &value, &line);
	return line;
}

static unsigned
n_fields(const struct sink_message *m)
{
	const char *p = buf_data(&m->text), *end = p + m->body;
	unsigned n = 0;

	for (bool start = true; p < end; start = *p++ == '\n')
		n += start && *p != ' ' && *p != '\t' && *p != '\n';
	return n;
}

static enum check_result
added_again(struct check_run *run)
{
	static const struct change c[] = { { HDR, 0, "X-Twice", "new" },
		{ 0 } };
	const char *value;

	mta_begin(run);
	if (!changed(run, "X-Twice: old\r\nX-Between: 1\r\n", c))
		return CHECK_FAIL;
	if (sink_message_field(
		&mta_of(run)->message, "X-Twice", 2, &value, NULL) < 0)
		return check_fail(run, "there is only one field");
	if (mta_field_is(run, "X-Twice", 1, " new") == CHECK_PASS)
		return check_differs(run, "before the one that was there");
	if (mta_field_is(run, "X-Twice", 2, " new") == CHECK_FAIL)
		return CHECK_FAIL;
	return check_differs(
	    run, place(run, "X-Twice", 2) > place(run, "X-Between", 1)
		     ? "behind the last field"
		     : "behind the one that was there");
}

static enum check_result
inserted_first(struct check_run *run)
{
	static const struct change c[] = { { INS, 0, "X-Top", "1" }, { 0 } };

	mta_begin(run);
	if (!changed(run, "", c) || ARE(run, "X-Top", " 1", NULL) == CHECK_FAIL)
		return CHECK_FAIL;
	if (place(run, "X-Top", 1) > 0)
		return check_fail(
		    run, "%u fields are above it", place(run, "X-Top", 1));
	return CHECK_PASS;
}

static enum check_result
inserted_last(struct check_run *run)
{
	static const struct change c[] = { { INS, 9999, "X-Last", "1" },
		{ 0 } };
	const struct sink_message *m;
	unsigned n;

	mta_begin(run);
	m = changed(run, "", c);
	if (!m || ARE(run, "X-Last", " 1", NULL) == CHECK_FAIL)
		return CHECK_FAIL;
	n = n_fields(m) - 1 - place(run, "X-Last", 1);
	return n ? check_fail(run, "%u fields are below it", n) : CHECK_PASS;
}

static enum check_result
changed_first(struct check_run *run)
{
	static const struct change c[] = { { CHG, 1, "X-Three", "new" },
		{ 0 } };

	mta_begin(run);
	if (!changed(run, "X-Three: 1\r\nX-Between: 1\r\nX-Three: 2\r\n", c) ||
	    ARE(run, "X-Three", " new", " 2", NULL) == CHECK_FAIL)
		return CHECK_FAIL;
	return place(run, "X-Three", 1) < place(run, "X-Between", 1)
		   ? CHECK_PASS
		   : check_fail(run, "it is not in its place");
}

static enum check_result
changed_second(struct check_run *run)
{
	static const struct change c[] = { { CHG, 2, "X-Three", "new" },
		{ 0 } };

	mta_begin(run);
	return changed(run, "X-Three: 1\r\nx-three: 2\r\nX-Three: 3\r\n", c)
		   ? ARE(run, "X-Three", " 1", " new", " 3", NULL)
		   : CHECK_FAIL;
}

static enum check_result
deleted(struct check_run *run)
{
	static const struct change c[] = { { CHG, 1, "X-Three", "" }, { 0 } };

	mta_begin(run);
	return changed(run, "X-Three: 1\r\nX-Three: 2\r\n", c)
		   ? ARE(run, "X-Three", " 2", NULL)
		   : CHECK_FAIL;
}

static enum check_result
deleted_all(struct check_run *run)
{
	static const struct change c[] = { { CHG, 3, "X-Three", "" },
		{ CHG, 2, "X-Three", "" }, { CHG, 1, "X-Three", "" }, { 0 } };

	mta_begin(run);
	return changed(run, "X-Three: 1\r\nX-Three: 2\r\nX-Three: 3\r\n", c)
		   ? ARE(run, "X-Three", NULL)
		   : CHECK_FAIL;
}

static enum check_result
changed_missing(struct check_run *run)
{
	static const struct change c[] = { { CHG, 2, "X-One", "new" }, { 0 } };

	mta_begin(run);
	if (!changed(run, "X-One: 1\r\n", c))
		return CHECK_FAIL;
	if (mta_field_is(run, "X-One", 1, " new") == CHECK_PASS)
		return ARE(run, "X-One", " new", " 1", NULL);
	return ARE(run, "X-One", " 1", " new", NULL);
}

static enum check_result
changed_zeroth(struct check_run *run)
{
	static const struct change c[] = { { CHG, 0, "X-Three", "new" },
		{ 0 } };
	static const char *const words[] = { "the first one is",
		"the second one is" };

	mta_begin(run);
	if (!changed(run, "X-Three: 1\r\nX-Three: 2\r\n", c))
		return CHECK_FAIL;
	for (unsigned i = 0; i < 2; i++)
		if (mta_field_is(run, "X-Three", i + 1, " new") == CHECK_PASS)
			return check_differs(run, "%s", words[i]);
	return check_differs(run, "neither of two is");
}

static enum check_result
in_order(struct check_run *run)
{
	static const struct change c[] = { { HDR, 0, "X-Order", "first" },
		{ CHG, 1, "X-Order", "second" }, { CHG, 1, "X-Gone", "" },
		{ HDR, 0, "X-Gone", "back" }, { 0 } };

	mta_begin(run);
	if (!changed(run, "X-Gone: 1\r\n", c) ||
	    ARE(run, "X-Order", " second", NULL) == CHECK_FAIL)
		return CHECK_FAIL;
	return ARE(run, "X-Gone", " back", NULL);
}

const struct check_case mta_header_cases[] = {
	{ "header-added", 380, MTA_PROFILE, added },
	{ "header-added-as-it-is", 381, MTA_PROFILE, added_as_it_is },
	{ "header-added-folded", 382, MTA_PROFILE, added_folded },
	{ "header-added-again", 383, MTA_PROFILE, added_again },
	{ "header-inserted-first", 384, MTA_PROFILE, inserted_first },
	{ "header-inserted-last", 385, MTA_PROFILE, inserted_last },
	{ "header-changed-first", 386, MTA_PROFILE, changed_first },
	{ "header-changed-second", 387, MTA_PROFILE, changed_second },
	{ "header-deleted", 388, MTA_PROFILE, deleted },
	{ "header-deleted-all", 389, MTA_PROFILE, deleted_all },
	{ "header-changed-missing", 390, MTA_PROFILE, changed_missing },
	{ "header-changed-zeroth", 391, MTA_PROFILE, changed_zeroth },
	{ "header-changed-in-order", 392, MTA_PROFILE, in_order },
	{ .name = NULL },
};
