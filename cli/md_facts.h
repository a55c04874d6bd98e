/* SPDX-License-Identifier: MIT */
/* md_facts: what `mimedefang` finds out about its host: its address, and the
 * secret name of the IP validation header. */
#ifndef CLI_MD_FACTS_H
#define CLI_MD_FACTS_H

#include <stddef.h>

/* This host's first IPv4 address, in static memory; NULL and one line in err if
 * there is none. */
const char *md_my_ip(char *err, size_t errlen);
/* The validation header's name, the first line of the key file at path, into
 * *name (to be freed; NULL: there is none, which is normal).  0, or -1 with one
 * line in err. */
int md_ip_key(const char *path, char **name, char *err, size_t errlen);

#endif
