/* SPDX-License-Identifier: MIT */
/* client: who is on the other side of the SMTP session (spec:connections).
 * Pure. */
#ifndef CORE_FRONTEND_CLIENT_H
#define CORE_FRONTEND_CLIENT_H

#include <milterproto.h>
#include <stdbool.h>

#define CLIENT_IP_MAX 64

struct client {
	char *host, *helo;          /* owned; NULL = not given */
	char ip[CLIENT_IP_MAX];     /* "" = unknown */
	char my_ip[CLIENT_IP_MAX];  /* of the interface; "" = unknown */
	unsigned port, daemon_port; /* 0 = none */
	bool no_address;            /* the MTA gave none; not: an odd one */
};

/* Canonical text of an IPv6 address, as IPv4 if it is mapped or compatible;
 * false: text is none, out is as before. */
bool client_ip6_text(char out[CLIENT_IP_MAX], const char *text);

/* From a CONNECT event.  `c` is zeroed, or as client_fini left it.  loopback:
 * this address counts as 127.0.0.1; may be NULL.  0, or -1: no memory. */
int client_connect(
    struct client *c, const struct mlt_event *ev, const char *loopback);
/* A new HELO argument.  0, or -1: no memory, the old one stays. */
int client_helo(struct client *c, struct mlt_bytes helo);
/* The interface's address: the macro's value unless it is empty or 127.0.0.1,
 * else `own`; may be NULL. */
void client_set_my_ip(
    struct client *c, struct mlt_bytes if_addr, const char *own);
void client_set_daemon_port(struct client *c, struct mlt_bytes macro);
/* For -R; choice:local-clients. */
bool client_is_local(const struct client *c);
void client_fini(struct client *c); /* as zeroed */

#endif
