/* SPDX-License-Identifier: MIT */
/*
 * peers: who may connect; see peers.h.
 *
 * An address is 16 octets, one of IPv4 in its IPv6 form, so that a listener of
 * either family gives the same answer.  A prefix of IPv6 never covers IPv4:
 * "::/0" is all of IPv6 and nothing else.
 */
#include "peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct net {
	uint8_t addr[16];
	unsigned bits; /* of addr that count */
};

struct mlt_peers {
	bool any_address, any_user;
	size_t n_nets, n_uids, n_gids;
	struct net *nets;
	uid_t *uids;
	gid_t *gids;
};

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

/* ---- prefixes ------------------------------------------------------------- */

static void
map(uint8_t addr[16], const void *v4)
{
	memcpy(addr, mapped, sizeof(mapped));
	memcpy(addr + sizeof(mapped), v4, 4);
}

static bool
parse_net(const char *s, size_t n, struct net *net)
{
	char text[INET6_ADDRSTRLEN + 4], *slash, *end;
	unsigned long bits = 0, most = 128;
	struct in_addr v4;

	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = 0;
	slash = strchr(text, '/');
	if (slash)
		*slash++ = 0;
	if (inet_pton(AF_INET, text, &v4) == 1) {
		map(net->addr, &v4);
		most = 32;
	} else if (inet_pton(AF_INET6, text, net->addr) != 1) {
		return false;
	}
	if (slash) {
		if (*slash < '0' || *slash > '9')
			return false;
		bits = strtoul(slash, &end, 10);
		if (*end || bits > most)
			return false;
	} else {
		bits = most;
	}
	net->bits = (unsigned)(bits + 128 - most);
	return true;
}

/* Fills v, or only counts if v is NULL.  The count, or -1. */
static ssize_t
parse_nets(const char *s, struct net *v)
{
	static const char between[] = " \t\n,";
	struct net one;
	ssize_t n = 0;

	for (s += strspn(s, between); *s; s += strspn(s, between)) {
		size_t len = strcspn(s, between);

		if (!parse_net(s, len, v ? &v[n] : &one))
			return -1;
		s += len;
		n++;
	}
	return n;
}

static bool
in_net(const struct net *net, const uint8_t addr[16])
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (whole < sizeof(mapped) && memcmp(addr, mapped, sizeof(mapped)) == 0)
		return false;
	if (memcmp(net->addr, addr, whole) != 0)
		return false;
	return rest == 0 || (net->addr[whole] ^ addr[whole]) >> (8 - rest) == 0;
}

/* ---- the lists -------------------------------------------------------------- */

/* *out = NULL for n 0.  False: no memory. */
static bool
copy(void *out, const void *v, size_t n, size_t size)
{
	void *p = n ? malloc(n * size) : NULL;

	if (p)
		memcpy(p, v, n * size);
	memcpy(out, &p, sizeof(p));
	return p || n == 0;
}

int
mlt_peers_new(struct mlt_peers **out, const struct mlt_server_opts *o)
{
	ssize_t nets = o->allow ? parse_nets(o->allow, NULL) : 0;
	struct mlt_peers *p;

	*out = NULL;
	if (nets < 0)
		return MLT_E_ARG;
	if (!o->allow && o->n_uids + o->n_gids == 0)
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p)
		return MLT_E_NOMEM;
	p->any_address = !o->allow;
	p->any_user = o->n_uids + o->n_gids == 0;
	p->n_nets = (size_t)nets;
	p->n_uids = o->n_uids;
	p->n_gids = o->n_gids;
	if (p->n_nets)
		p->nets = calloc(p->n_nets, sizeof(*p->nets));
	if ((p->n_nets && !p->nets) ||
	    !copy(&p->uids, o->uids, o->n_uids, sizeof(*o->uids)) ||
	    !copy(&p->gids, o->gids, o->n_gids, sizeof(*o->gids))) {
		mlt_peers_free(p);
		return MLT_E_NOMEM;
	}
	if (p->nets)
		parse_nets(o->allow, p->nets);
	*out = p;
	return 0;
}

void
mlt_peers_free(struct mlt_peers *p)
{
	if (!p)
		return;
	free(p->nets);
	free(p->uids);
	free(p->gids);
	free(p);
}

/* ---- a peer ------------------------------------------------------------------- */

static bool
allow_address(const struct mlt_peers *p, const uint8_t addr[16], unsigned port,
    char *text)
{
	bool v4 = memcmp(addr, mapped, sizeof(mapped)) == 0;
	char name[INET6_ADDRSTRLEN];

	if (p->any_address)
		return true;
	for (size_t i = 0; i < p->n_nets; i++) {
		if (in_net(&p->nets[i], addr))
			return true;
	}
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr + sizeof(mapped) : addr,
	    name, sizeof(name));
	snprintf(text, MLT_PEER_TEXT, v4 ? "%s:%u" : "[%s]:%u", name, port);
	return false;
}

/* Linux; FreeBSD has getpeereid, which tells no pid. */
static bool
allow_user(const struct mlt_peers *p, int fd, char *text)
{
	struct ucred c;
	socklen_t len = sizeof(c);

	if (p->any_user)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) < 0) {
		snprintf(text, MLT_PEER_TEXT, "unknown user");
		return false;
	}
	for (size_t i = 0; i < p->n_uids; i++) {
		if (p->uids[i] == c.uid)
			return true;
	}
	for (size_t i = 0; i < p->n_gids; i++) {
		if (p->gids[i] == c.gid)
			return true;
	}
	snprintf(text, MLT_PEER_TEXT, "uid %ju gid %ju pid %jd",
	    (uintmax_t)c.uid, (uintmax_t)c.gid, (intmax_t)c.pid);
	return false;
}

bool
mlt_peers_allow(const struct mlt_peers *p, int fd, const struct sockaddr *sa,
    char text[MLT_PEER_TEXT])
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	uint8_t addr[16];

	if (!p)
		return true;
	switch (sa->sa_family) {
	case AF_UNIX:
		return allow_user(p, fd, text);
	case AF_INET:
		memcpy(&v4, sa, sizeof(v4));
		map(addr, &v4.sin_addr);
		return allow_address(p, addr, ntohs(v4.sin_port), text);
	case AF_INET6:
		memcpy(&v6, sa, sizeof(v6));
		memcpy(addr, &v6.sin6_addr, sizeof(addr));
		return allow_address(p, addr, ntohs(v6.sin6_port), text);
	default:
		snprintf(text, MLT_PEER_TEXT, "address family %d",
		    (int)sa->sa_family);
		return false;
	}
}
