/* SPDX-License-Identifier: MIT */
/*
 * listen: connection strings, sockets that listen on them and sockets that are
 * connected to them.  spec:connection-strings
 *
 * Blocking look-ups of names happen here, at start, and nowhere else.  Each
 * error is one line for the operator, who reads it at the terminal.
 */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum kind {
	KIND_UNIX,
	KIND_INET,
	KIND_INET6,
	KIND_FD,
	KIND_BAD
};

struct where {
	const char *spec; /* whole, for messages */
	const char *rest; /* behind the type */
	const struct mlt_listen_opts *opts;
	char *err;
	size_t errlen;
	bool in_use; /* the failure is that somebody serves there */
};

__attribute__((format(printf, 2, 3))) static int
fail(const struct where *w, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(w->err, w->errlen, "%s: ", w->spec);

	if (n < 0 || (size_t)n >= w->errlen)
		return -1;
	va_start(ap, fmt);
	vsnprintf(w->err + n, w->errlen - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

static enum kind
kind_of(const char *spec, const char **rest)
{
	static const struct {
		const char *name;
		enum kind kind;
	} kinds[] = { { "", KIND_UNIX }, { "unix", KIND_UNIX },
		{ "local", KIND_UNIX }, { "inet", KIND_INET },
		{ "inet6", KIND_INET6 }, { "fd", KIND_FD } };
	const char *colon = strchr(spec, ':');
	size_t n = colon ? (size_t)(colon - spec) : 0;

	*rest = colon ? colon + 1 : spec;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) == n &&
		    strncasecmp(kinds[i].name, spec, n) == 0)
			return kinds[i].kind;
	}
	return KIND_BAD;
}

const char *
mlt_listen_path(const char *spec)
{
	const char *rest;

	return kind_of(spec, &rest) == KIND_UNIX && *rest ? rest : NULL;
}

/* A decimal number of at most max, nothing behind it; -1 if not. */
static long
number(const char *s, long max)
{
	long v = 0;

	if (!*s)
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		v = v * 10 + (*s - '0');
		if (v > max)
			return -1;
	}
	return v;
}

/* ---- unix ------------------------------------------------------------------------- */

/* 1: a dead socket is there; 0: nothing is; -1: something else. */
static int
look_at_path(struct where *w, const struct sockaddr_un *sa)
{
	struct stat st;
	int fd, rc;

	if (lstat(sa->sun_path, &st) < 0)
		return 0; /* bind says what is wrong */
	if (!S_ISSOCK(st.st_mode))
		return fail(w, "something that is not a socket is there: "
			       "choose another path or remove it");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(w, "socket: %s", strerror(errno));
	rc = connect(fd, (const struct sockaddr *)sa, sizeof(*sa));
	w->in_use = rc == 0 || errno == EAGAIN;
	if (rc < 0 && errno == ECONNREFUSED)
		rc = 1;
	else if (w->in_use)
		rc = fail(w, "another process answers there: stop it first");
	else
		rc = fail(w, "cannot tell whether it is in use (%s): remove it",
		    strerror(errno));
	close(fd);
	return rc;
}

/* Makes way for us if only a dead socket is there.  0 or -1. */
static int
clear_path(struct where *w, const struct sockaddr_un *sa)
{
	int rc = look_at_path(w, sa);

	return rc == 1 ? unlink(sa->sun_path) : rc;
}

/* The number, or that of the name; 0 or -1 with a message.  name NULL: -1, which
 * chown leaves as it is. */
static int
find_user(const struct where *w, uid_t *uid)
{
	const char *name = w->opts->owner;
	struct passwd *pw;
	long n = name ? number(name, INT32_MAX) : -1;

	*uid = (uid_t)n;
	if (!name || n >= 0)
		return 0;
	pw = getpwnam(name);
	if (!pw)
		return fail(w, "there is no user \"%s\"", name);
	*uid = pw->pw_uid;
	return 0;
}

static int
find_group(const struct where *w, gid_t *gid)
{
	const char *name = w->opts->group;
	struct group *gr;
	long n = name ? number(name, INT32_MAX) : -1;

	*gid = (gid_t)n;
	if (!name || n >= 0)
		return 0;
	gr = getgrnam(name);
	if (!gr)
		return fail(w, "there is no group \"%s\"", name);
	*gid = gr->gr_gid;
	return 0;
}

/* Before listen: nobody can have connected. */
static int
give_away(const struct where *w, const char *path)
{
	uid_t uid;
	gid_t gid;

	if (!w->opts->owner && !w->opts->group)
		return 0;
	if (find_user(w, &uid) < 0 || find_group(w, &gid) < 0)
		return -1;
	if (lchown(path, uid, gid) < 0)
		return fail(w, "cannot change the owner: %s", strerror(errno));
	return 0;
}

static int
set_path(const struct where *w, struct sockaddr_un *sa)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!*w->rest || strlen(w->rest) >= sizeof(sa->sun_path))
		return fail(w, "a path of 1 to %zu octets is needed",
		    sizeof(sa->sun_path) - 1);
	strcpy(sa->sun_path, w->rest);
	return 0;
}

/* The directory and the names, but nothing is made. */
static int
check_unix(struct where *w)
{
	struct sockaddr_un sa;
	char *slash;
	uid_t uid;
	gid_t gid;
	int rc;

	if (set_path(w, &sa) < 0 || find_user(w, &uid) < 0 ||
	    find_group(w, &gid) < 0)
		return -1;
	rc = look_at_path(w, &sa);
	if (rc < 0)
		return -1;
	if (rc == 1 && !w->opts->remove_dead)
		return fail(w, "an old socket is there: remove it");
	slash = strrchr(sa.sun_path, '/');
	if (slash)
		slash[slash == sa.sun_path] = '\0';
	if (access(slash ? sa.sun_path : ".", W_OK | X_OK) < 0)
		return fail(w, "cannot make a socket in that directory: %s",
		    strerror(errno));
	return 0;
}

static int
open_unix(struct where *w)
{
	unsigned mask = w->opts->mode ? ~w->opts->mode & 0777 : w->opts->umask_;
	struct sockaddr_un sa;
	mode_t old;
	int fd, rc;

	if (set_path(w, &sa) < 0)
		return -1;
	if (w->opts->remove_dead && clear_path(w, &sa) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(w, "socket: %s", strerror(errno));
	old = umask((mode_t)mask);
	rc = bind(fd, (const struct sockaddr *)&sa, sizeof(sa));
	umask(old);
	if (rc < 0) {
		fail(w, "cannot bind: %s%s", strerror(errno),
		    errno == EADDRINUSE ? ": remove the old socket if nobody "
					  "uses it"
					: "");
		close(fd);
		return -1;
	}
	if (give_away(w, sa.sun_path) < 0) {
		unlink(sa.sun_path);
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- inet, inet6 ------------------------------------------------------------------- */

/* The port, in host order; -1 with a message. */
static int
parse_port(const struct where *w, const char *port)
{
	struct servent *se;
	long n = number(port, 65535);

	if (n > 0)
		return (int)n;
	se = *port && (*port < '0' || *port > '9') ? getservbyname(port, "tcp")
						   : NULL;
	if (!se && strchr(port, ':'))
		return fail(w,
		    "the port comes first: write PORT@HOST (HOST:PORT is what "
		    "Postfix has in main.cf)");
	if (!se)
		return fail(w,
		    "\"%s\" is no port: a number from 1 to 65535 "
		    "or a TCP service name is needed",
		    port);
	return ntohs((uint16_t)se->s_port);
}

/* host may be NULL: all addresses. */
static struct addrinfo *
resolve(const struct where *w, int family, char *host, int port)
{
	struct addrinfo hints = { .ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *ai;
	char text[12];
	size_t n = host ? strlen(host) : 0;
	int rc;

	if (n > 0 && host[0] == '[') {
		hints.ai_flags |= AI_NUMERICHOST;
		if (host[n - 1] != ']') {
			fail(w, "] is missing behind the address");
			return NULL;
		}
		host[n - 1] = 0;
		host++;
	}
	snprintf(text, sizeof(text), "%d", port);
	rc = getaddrinfo(host, text, &hints, &ai);
	if (rc != 0) {
		fail(w, "\"%s\" is no address or host name for %s: %s",
		    host ? host : "", family == AF_INET ? "inet" : "inet6",
		    gai_strerror(rc));
		return NULL;
	}
	return ai;
}

/* What PORT[@HOST] means; NULL with a message. */
static struct addrinfo *
find_inet(const struct where *w, int family)
{
	char copy[512], *host;
	int port;

	if (strlen(w->rest) >= sizeof(copy)) {
		fail(w, "too long");
		return NULL;
	}
	strcpy(copy, w->rest);
	host = strchr(copy, '@');
	if (host)
		*host++ = 0;
	port = parse_port(w, copy);
	if (port < 0)
		return NULL;
	if (host && !*host) {
		fail(w, "a host is missing behind @");
		return NULL;
	}
	return resolve(w, family, host, port);
}

static int
open_inet(struct where *w, int family)
{
	struct addrinfo *ai = find_inet(w, family);
	int fd, on = 1;

	if (!ai)
		return -1;
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		fail(w, "socket: %s", strerror(errno));
		goto out;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6) /* "that family", so that inet: fits beside */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
		w->in_use = errno == EADDRINUSE;
		fail(w, "cannot bind: %s%s", strerror(errno),
		    w->in_use ? ": another process has this port" : "");
		close(fd);
		fd = -1;
	}
out:
	freeaddrinfo(ai);
	return fd;
}

/* ---- fd --------------------------------------------------------------------------- */

static int
open_fd(const struct where *w)
{
	long fd = number(w->rest, 65535);

	if (fd < 0)
		return fail(w, "a descriptor number is needed");
	if (!mlt_listen_adopt((int)fd))
		return fail(
		    w, "descriptor %ld is not a listening stream socket", fd);
	return (int)fd;
}

static struct where
make_where(const char *spec, const struct mlt_listen_opts *opts, char *err,
    size_t errlen)
{
	static const struct mlt_listen_opts none = { .umask_ = 0077 };

	return (struct where){ .spec = spec,
		.opts = opts ? opts : &none,
		.err = err,
		.errlen = errlen };
}

static int
bad_kind(const struct where *w)
{
	return fail(w, "unknown socket type: use unix: local: inet: inet6: or "
		       "fd:");
}

int
mlt_listen_check(const char *spec, const struct mlt_listen_opts *opts,
    char *err, size_t errlen)
{
	struct where w = make_where(spec, opts, err, errlen);
	int rc = -1;

	switch (kind_of(spec, &w.rest)) {
	case KIND_UNIX:
		rc = check_unix(&w);
		break;
	case KIND_INET:
		rc = open_inet(&w, AF_INET);
		break;
	case KIND_INET6:
		rc = open_inet(&w, AF_INET6);
		break;
	case KIND_FD:
		return 0;
	case KIND_BAD:
		return bad_kind(&w);
	}
	if (rc > 0) /* bound, but nobody can connect */
		close(rc);
	return rc >= 0 ? 0 : w.in_use ? 1 : -1;
}

int
mlt_listen_open(const char *spec, const struct mlt_listen_opts *opts, char *err,
    size_t errlen)
{
	struct where w = make_where(spec, opts, err, errlen);
	int fd = -1, backlog;

	switch (kind_of(spec, &w.rest)) {
	case KIND_UNIX:
		fd = open_unix(&w);
		break;
	case KIND_INET:
		fd = open_inet(&w, AF_INET);
		break;
	case KIND_INET6:
		fd = open_inet(&w, AF_INET6);
		break;
	case KIND_FD:
		return open_fd(&w);
	case KIND_BAD:
		return bad_kind(&w);
	}
	if (fd < 0)
		return -1;
	backlog = w.opts->backlog > 0 ? w.opts->backlog : SOMAXCONN;
	if (listen(fd, backlog) < 0) {
		fail(&w, "listen: %s", strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- the other end ------------------------------------------------------------------ */

static bool
is_connected(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	socklen_t n = sizeof(int);
	int error = 0, rc;

	do {
		rc = poll(&pfd, 1, timeout_ms);
	} while (rc < 0 && errno == EINTR);
	if (rc == 0)
		error = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		error = errno;
	errno = error;
	return error == 0;
}

static int
dial(const struct where *w, const struct sockaddr *sa, socklen_t len,
    int timeout_ms)
{
	int fd = socket(
	    sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fail(w, "socket: %s", strerror(errno));
	if (connect(fd, sa, len) == 0 ||
	    (errno == EINPROGRESS && is_connected(fd, timeout_ms)))
		return fd;
	fail(w, "cannot connect: %s", strerror(errno));
	close(fd);
	return -1;
}

int
mlt_connect_open(const char *spec, int timeout_ms, char *err, size_t errlen)
{
	struct where w = make_where(spec, NULL, err, errlen);
	enum kind kind = kind_of(spec, &w.rest);
	struct addrinfo *ai;
	struct sockaddr_un sa;
	int fd;

	if (kind == KIND_UNIX)
		return set_path(&w, &sa) < 0
			   ? -1
			   : dial(&w, (const struct sockaddr *)&sa, sizeof(sa),
				 timeout_ms);
	if (kind == KIND_FD || kind == KIND_BAD)
		return fail(&w, "one cannot connect there: use unix: local: "
				"inet: or inet6:");
	ai = find_inet(&w, kind == KIND_INET ? AF_INET : AF_INET6);
	if (!ai)
		return -1;
	fd = dial(&w, ai->ai_addr, ai->ai_addrlen, timeout_ms);
	freeaddrinfo(ai);
	return fd;
}
