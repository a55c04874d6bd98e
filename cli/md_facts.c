/* SPDX-License-Identifier: MIT */
#include "cli/md_facts.h"

#include "core/base/fdio.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY_FILE_MAX 65536

const char *
md_my_ip(char *err, size_t errlen)
{
	static char text[INET_ADDRSTRLEN];
	struct addrinfo hints = { .ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *ai = NULL;
	char host[256] = "";

	if (gethostname(host, sizeof(host) - 1) == 0 &&
	    getaddrinfo(host, NULL, &hints, &ai) == 0) {
		const struct sockaddr_in *in = (const void *)ai->ai_addr;
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		freeaddrinfo(ai);
		return text;
	}
	snprintf(err, errlen,
	    "Could not determine my own IP address!  Ensure that %s has an "
	    "entry in /etc/hosts or the DNS",
	    host);
	return NULL;
}

int
md_ip_key(const char *path, char **name, char *err, size_t errlen)
{
	struct buf text;
	const char *s;
	int rc;

	*name = NULL;
	buf_init(&text, 0);
	rc = fdio_read_file(AT_FDCWD, path, KEY_FILE_MAX, &text);
	s = rc < 0 ? NULL : buf_cstr(&text);
	if (s && *s && strcspn(s, "\r\n"))
		*name = strndup(s, strcspn(s, "\r\n"));
	if (rc == 0 && (!s || (strcspn(s, "\r\n") && !*name)))
		rc = -ENOMEM;
	buf_fini(&text);
	if (rc == 0 || rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	snprintf(err, errlen, "cannot read key file %s, error: %s", path,
	    strerror(-rc));
	return -1;
}
