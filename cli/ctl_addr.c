/* SPDX-License-Identifier: MIT */
/*
 * ctl_addr: where a multiplexor listens, as it is written behind -s.
 *
 * The words are those of the multiplexor's own sockets, so that the one can be
 * copied from the other (spec:control-socket): a socket on all addresses is
 * reached through the loopback one, unless a host is named.
 */
#include "cli/ctl_ask.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static int
unix_addr(const char *path, struct ctl_addr *a, const char **why)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&a->ss;
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(sun->sun_path)) {
		*why = "a path of 1 to 107 octets is needed";
		return -1;
	}
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, n + 1);
	a->len = sizeof(*sun);
	return 0;
}

/* PORT or PORT@HOST */
static int
inet_addr_of(int family, const char *text, struct ctl_addr *a, const char **why)
{
	struct addrinfo hints = { .ai_family = family,
		.ai_socktype = SOCK_STREAM },
			*found;
	const char *at = strchr(text, '@');
	const char *host = at                   ? at + 1
			   : family == AF_INET6 ? "::1"
						: "127.0.0.1";
	char port[8] = "", *end;
	size_t n = at ? (size_t)(at - text) : strlen(text);
	long v;

	if (n == 0 || n >= sizeof(port) || text[0] < '0' || text[0] > '9') {
		*why = "a port from 1 to 65535 is needed";
		return -1;
	}
	memcpy(port, text, n);
	v = strtol(port, &end, 10);
	if (*end || v < 1 || v > 65535) {
		*why = "a port from 1 to 65535 is needed";
		return -1;
	}
	if (getaddrinfo(host, port, &hints, &found) != 0) {
		*why = "no such host, or it has no address of this family";
		return -1;
	}
	memcpy(&a->ss, found->ai_addr, found->ai_addrlen);
	a->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

int
ctl_addr(const char *spec, struct ctl_addr *a, const char **why)
{
	static const struct {
		const char *prefix;
		int family;
	} rows[] = {
		{ "unix:", AF_UNIX },
		{ "local:", AF_UNIX },
		{ "inet:", AF_INET },
		{ "inet_any:", AF_INET },
		{ "inet6:", AF_INET6 },
		{ "inet6_any:", AF_INET6 },
	};

	memset(a, 0, sizeof(*a));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].prefix);

		if (strncmp(spec, rows[i].prefix, n) != 0)
			continue;
		return rows[i].family == AF_UNIX
			   ? unix_addr(spec + n, a, why)
			   : inet_addr_of(rows[i].family, spec + n, a, why);
	}
	return unix_addr(spec, a, why);
}
