/* SPDX-License-Identifier: MIT */
/*
 * sockspec: where a socket is (sockspec.h).
 */
#include "sockspec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ADDRESS_MAX 63

/* Behind the prefix, or NULL. */
static const char *
after(const char *text, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

/* "PORT" or "PORT@ADDRESS"; *address is NULL without one. */
static bool
parse_port(const char *text, in_port_t *port, const char **address)
{
	unsigned long v = 0;
	const char *s = text;

	for (; *s >= '0' && *s <= '9' && v <= 65535; s++)
		v = v * 10 + (unsigned long)(*s - '0');
	*port = htons((uint16_t)v);
	*address = *s == '@' ? s + 1 : NULL;
	return s > text && v >= 1 && v <= 65535 && (*s == '\0' || *s == '@');
}

/* [brackets] are allowed. */
static bool
parse_address(int family, const char *text, void *to)
{
	char copy[ADDRESS_MAX + 1];
	size_t n = strlen(text);

	if (n && *text == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n >= sizeof(copy))
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	return inet_pton(family, copy, to) == 1;
}

static int
parse_unix(struct sockspec *s, const char *path, char *err, size_t errlen)
{
	struct sockaddr_un *un = &s->addr.un;
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(un->sun_path)) {
		snprintf(err, errlen,
		    "a socket's path has 1 to %zu octets, this one %zu",
		    sizeof(un->sun_path) - 1, n);
		return -1;
	}
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, n + 1);
	s->len = sizeof(*un);
	return 0;
}

static int
parse_inet(struct sockspec *s, const char *text, bool any, bool six, char *err,
    size_t errlen)
{
	const char *address;
	in_port_t port;
	void *to;

	if (!parse_port(text, &port, &address)) {
		snprintf(err, errlen,
		    "\"%s\" is no port from 1 to 65535, possibly with "
		    "@ADDRESS behind it",
		    text);
		return -1;
	}
	if (six) {
		s->addr.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
			.sin6_port = port,
			.sin6_addr = any ? in6addr_any : in6addr_loopback };
		s->len = sizeof(s->addr.in6);
		to = &s->addr.in6.sin6_addr;
	} else {
		s->addr.in = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_port = port };
		s->addr.in.sin_addr.s_addr =
		    htonl(any ? INADDR_ANY : INADDR_LOOPBACK);
		s->len = sizeof(s->addr.in);
		to = &s->addr.in.sin_addr;
	}
	if (address && !parse_address(six ? AF_INET6 : AF_INET, address, to)) {
		snprintf(err, errlen, "\"%s\" is no IPv%d address", address,
		    six ? 6 : 4);
		return -1;
	}
	return 0;
}

int
sockspec_parse(struct sockspec *s, const char *text, char *err, size_t errlen)
{
	static const struct {
		const char *prefix;
		bool any, six;
	} inets[] = {
		{ "inet:", false, false },
		{ "inet_any:", true, false },
		{ "inet6:", false, true },
		{ "inet6_any:", true, true },
	};
	const char *rest;

	*s = (struct sockspec){ 0 };
	for (size_t i = 0; i < sizeof(inets) / sizeof(inets[0]); i++)
		if ((rest = after(text, inets[i].prefix)))
			return parse_inet(
			    s, rest, inets[i].any, inets[i].six, err, errlen);
	if ((rest = after(text, "unix:")) || (rest = after(text, "local:")))
		text = rest;
	return parse_unix(s, text, err, errlen);
}

static int
listen_unix(struct sockspec *s, unsigned umask_, int backlog)
{
	const char *path = s->addr.un.sun_path;
	int fd = fdio_unix_listen(path, umask_, backlog);

	if (fd >= 0)
		s->made = fdio_unix_made(path);
	return fd;
}

int
sockspec_listen(struct sockspec *s, unsigned umask_, int backlog)
{
	int on = 1, fd, err;

	if (sockspec_is_unix(s))
		return listen_unix(s, umask_, backlog);
	fd = socket(s->addr.sa.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, &s->addr.sa, s->len) == 0 && listen(fd, backlog) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

void
sockspec_unlink(const struct sockspec *s)
{
	if (sockspec_is_unix(s))
		fdio_unix_unlink(s->addr.un.sun_path, &s->made);
}
