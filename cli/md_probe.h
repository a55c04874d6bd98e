/* SPDX-License-Identifier: MIT */
/*
 * md_probe: asks what runs, or would run, beside `mimedefang`: a multiplexor how
 * many workers are free, the worker program about the filter, the milter socket
 * for a connection.  Each ends after some seconds, and changes nothing.
 */
#ifndef CLI_MD_PROBE_H
#define CLI_MD_PROBE_H

#include "core/base/buf.h"
#include "multiplexor/mux_opts.h"

/* Free workers, or -1 with the reason in *why, a static text. */
long probe_multiplexor(const char *path, const char **why);
/* Has the worker program load the filter, with this word as its last argument;
 * what it says goes to `said`.  0, or -1 with one line in err. */
int probe_filter(const struct mux_opts *mo, const char *word, struct buf *said,
    char *err, size_t errlen);
/* Connects and goes away.  0 or an errno. */
int probe_unix(const char *path);
int probe_inet(const char *host, const char *port);

#endif
