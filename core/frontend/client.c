/* SPDX-License-Identifier: MIT */
/* client: who is on the other side of the SMTP session. */
#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
client_ip6_text(char out[CLIENT_IP_MAX], const char *text)
{
	struct in6_addr a;

	if (inet_pton(AF_INET6, text, &a) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&a) || IN6_IS_ADDR_V4COMPAT(&a))
		inet_ntop(AF_INET, &a.s6_addr[12], out, CLIENT_IP_MAX);
	else
		inet_ntop(AF_INET6, &a, out, CLIENT_IP_MAX);
	return true;
}

static void
set_text(char out[CLIENT_IP_MAX], const char *p, size_t n)
{
	snprintf(out, CLIENT_IP_MAX, "%.*s",
	    (int)(n < CLIENT_IP_MAX ? n : CLIENT_IP_MAX - 1), n ? p : "");
}

int
client_connect(
    struct client *c, const struct mlt_event *ev, const char *loopback)
{
	char text[CLIENT_IP_MAX];

	if (ev->connect.host.n) {
		c->host = strndup(ev->connect.host.p, ev->connect.host.n);
		if (!c->host)
			return -1;
	}
	c->ip[0] = '\0';
	c->port = ev->connect.port;
	set_text(text, ev->connect.addr.p, ev->connect.addr.n);
	if (ev->connect.family == '4')
		set_text(c->ip, text, strlen(text));
	else if (ev->connect.family == '6')
		client_ip6_text(c->ip, text);
	else if (ev->connect.family == 'L')
		set_text(c->ip, "127.0.0.1", 9);
	else
		c->no_address = true;
	if (loopback && strcmp(c->ip, loopback) == 0)
		set_text(c->ip, "127.0.0.1", 9);
	return 0;
}

int
client_helo(struct client *c, struct mlt_bytes helo)
{
	char *s = strndup(helo.n ? helo.p : "", helo.n);

	if (!s)
		return -1;
	free(c->helo);
	c->helo = s;
	return 0;
}

void
client_set_my_ip(struct client *c, struct mlt_bytes if_addr, const char *own)
{
	set_text(c->my_ip, if_addr.p, if_addr.n);
	if (!*c->my_ip || strcmp(c->my_ip, "127.0.0.1") == 0)
		set_text(c->my_ip, own, own ? strlen(own) : 0);
}

void
client_set_daemon_port(struct client *c, struct mlt_bytes macro)
{
	c->daemon_port = 0;
	for (size_t i = 0; i < macro.n; i++) {
		unsigned digit = (unsigned)macro.p[i] - '0';

		if (digit > 9 || c->daemon_port > 65535)
			break;
		c->daemon_port = c->daemon_port * 10 + digit;
	}
}

bool
client_is_local(const struct client *c)
{
	return c->no_address || strncmp(c->ip, "127.", 4) == 0 ||
	       strcmp(c->ip, "::1") == 0;
}

void
client_fini(struct client *c)
{
	free(c->host);
	free(c->helo);
	*c = (struct client){ 0 };
}
