/* SPDX-License-Identifier: MIT */
#include "cli/mta.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void
mta_copy(char *out, size_t max, const char *p, size_t n)
{
	if (n > max - 1)
		n = max - 1;
	memcpy(out, p, n);
	out[n] = '\0';
}

bool
mta_is_cut(const char *text)
{
	return strlen(text) == MTA_TEXT_MAX - 1;
}

/* ---- addresses -------------------------------------------------------------------- */

/* The octets behind a prefix like "unix:", in either case; NULL: another one. */
static const char *
behind(const char *prefix, const char *text, size_t n)
{
	size_t len = strlen(prefix);

	return n >= len && strncasecmp(text, prefix, len) == 0 ? text + len
							       : NULL;
}

static int
set_path(struct mta_addr *a, const char *p, size_t n)
{
	size_t at = 0;

	if (n == 0 || n >= sizeof(a->path))
		return -1;
	a->is_unix = true;
	for (size_t i = 0; i < n; i++)
		if (p[i] != '/' || at == 0 || a->path[at - 1] != '/')
			a->path[at++] = p[i];
	a->path[at] = '\0';
	return 0;
}

static int
set_inet(struct mta_addr *a, const char *host, size_t n_host, const char *port,
    size_t n_port)
{
	if (n_host >= 2 && host[0] == '[' && host[n_host - 1] == ']') {
		host++;
		n_host -= 2;
	}
	if (n_port == 0 || n_port >= sizeof(a->port) ||
	    n_host >= sizeof(a->host))
		return -1;
	mta_copy(a->host, sizeof(a->host), host, n_host);
	mta_copy(a->port, sizeof(a->port), port, n_port);
	if (strcasecmp(a->host, "localhost") == 0)
		strcpy(a->host, "127.0.0.1");
	return 0;
}

static const char *
unix_path(const char *text, size_t n)
{
	const char *p = behind("unix:", text, n);

	return p ? p : behind("local:", text, n);
}

int
mta_addr_ours(struct mta_addr *a, const char *text, size_t n)
{
	const char *end = text + n, *p = unix_path(text, n), *at;

	*a = (struct mta_addr){ 0 };
	if (!p && n && *text == '/')
		p = text;
	if (p)
		return set_path(a, p, (size_t)(end - p));
	p = behind("inet:", text, n);
	if (!p)
		p = behind("inet6:", text, n);
	if (!p)
		return -1;
	at = memchr(p, '@', (size_t)(end - p));
	if (!at)
		return set_inet(a, p, 0, p, (size_t)(end - p));
	return set_inet(a, at + 1, (size_t)(end - at) - 1, p, (size_t)(at - p));
}

int
mta_addr_postfix(struct mta_addr *a, const char *text, size_t n)
{
	const char *end = text + n, *p = unix_path(text, n), *at = NULL;

	*a = (struct mta_addr){ 0 };
	if (p)
		return set_path(a, p, (size_t)(end - p));
	p = behind("inet:", text, n);
	if (!p)
		return -1;
	for (const char *c = p; c < end; c++) /* the last one */
		if (*c == ':')
			at = c;
	if (!at)
		return -1;
	return set_inet(a, p, (size_t)(at - p), at + 1, (size_t)(end - at) - 1);
}

static bool
is_any(const char *host)
{
	return !*host || strcmp(host, "0.0.0.0") == 0 ||
	       strcmp(host, "::") == 0;
}

bool
mta_addr_same(const struct mta_addr *ours, const struct mta_addr *theirs)
{
	if (ours->is_unix != theirs->is_unix)
		return false;
	if (ours->is_unix)
		return strcmp(ours->path, theirs->path) == 0;
	return strcmp(ours->port, theirs->port) == 0 &&
	       (is_any(ours->host) ||
		   strcasecmp(ours->host, theirs->host) == 0);
}

void
mta_addr_print(const struct mta_addr *a, bool postfix, char *out, size_t outlen)
{
	const char *host = is_any(a->host) ? "127.0.0.1" : a->host;
	bool v6 = strchr(host, ':') != NULL;

	if (a->is_unix)
		snprintf(out, outlen, "unix:%s", a->path);
	else if (postfix)
		snprintf(out, outlen, v6 ? "inet:[%s]:%s" : "inet:%s:%s", host,
		    a->port);
	else
		snprintf(out, outlen, v6 ? "inet6:%s@%s" : "inet:%s@%s",
		    a->port, host);
}

/* ---- values ------------------------------------------------------------------------- */

/* Digits at the front; how many there are. */
static size_t
number(const char *text, size_t n, long long *v)
{
	size_t i = 0;

	for (*v = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		if (*v < 1000000000000)
			*v = *v * 10 + (text[i] - '0');
	return i;
}

long
mta_seconds(const char *text, size_t n)
{
	static const char units[] = "smhdw";
	static const long factor[] = { 1, 60, 3600, 86400, 604800 };
	long long v;
	size_t i = number(text, n, &v);
	const char *unit;

	if (i == 0 || n > i + 1)
		return -1;
	unit = n == i ? units : strchr(units, text[i]);
	if (!unit || !*unit)
		return -1;
	v *= factor[unit - units];
	return v > INT_MAX ? INT_MAX : (long)v;
}

long long
mta_bytes(const char *text, size_t n)
{
	long long v;

	return n && number(text, n, &v) == n ? v : -1;
}

bool
mta_has_macro(const char *list, const char *name)
{
	static const char between[] = " \t,{}";
	size_t len, want;

	name += strspn(name, between);
	want = strcspn(name, between);
	for (const char *p = list; *p; p += len) {
		p += strspn(p, between);
		len = strcspn(p, between);
		if (len && len == want && memcmp(p, name, len) == 0)
			return true;
	}
	return false;
}
