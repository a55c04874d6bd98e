/* SPDX-License-Identifier: MIT */
/*
 * ctl_form: the forms in which reports are shown: for people, as monitors
 * know them, and as JSON.  Pure: the text of a report in, text out.
 *
 * The texts are parsed by others, and kept to the octet (spec:control-client).
 */
#ifndef CLI_CTL_FORM_H
#define CLI_CTL_FORM_H

#include "cli/ctl_report.h"
#include "core/base/buf.h"

#include <time.h>

struct ctl_form_in {
	struct ctl_str text;  /* what the multiplexor answered */
	enum ctl_class cls;   /* whose load it is */
	const char *hostname; /* of this machine, and ... */
	time_t now;           /* ... the time here, for JSON */
	const char *key;      /* of the only value, for ctl_json_value */
};

/* Appends the form to out.  0, or -1 with out as it was: the text is no such
 * report. */
typedef int ctl_form_fn(const struct ctl_form_in *in, struct buf *out);

/* As it is, with an LF at its end; the other one decodes it. */
ctl_form_fn ctl_text_raw, ctl_text_decoded;
/* spec:control-client */
ctl_form_fn ctl_text_status, ctl_text_bar, ctl_text_load, ctl_text_hload,
    ctl_text_load1;
/* These two are known to monitors: no LF at the end of the first. */
ctl_form_fn ctl_text_jsonstatus, ctl_text_jsonload1;

/* One object on one line.  spec:control-json */
ctl_form_fn ctl_json_status, ctl_json_workers, ctl_json_workerinfo,
    ctl_json_load, ctl_json_hload, ctl_json_load1, ctl_json_histo,
    ctl_json_pairs;
ctl_form_fn ctl_json_number; /* { KEY: 3 } */
ctl_form_fn ctl_json_text;   /* { KEY: "3.7.1" } of any text, decoded */

#endif
