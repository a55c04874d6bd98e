/* SPDX-License-Identifier: MIT */
/*
 * epoll_loop: the limit.  Answers like a null filter, without looking at what
 * the MTA says but for the last octets: load.c writes up to the step that is to
 * be answered in one piece, then waits.
 *
 *	epoll_loop [--no-reply] PATH
 */
#include <err.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS    20000
#define EVENTS 64

static const char negotiated[] = "\0\0\0\15O\0\0\0\6\0\0\0\1";
static const char changed[] = "\0\0\0\12hX-Null\0001\0\0\0\0\1c"; /* + add */
static const char eom[] = { 0, 0, 0, 1, 'E' };
static bool known[FDS], no_reply;
static char in[1 << 17];

/* false: this connection is over */
static bool
answer(int fd)
{
	ssize_t n = recv(fd, in, sizeof(in), 0);
	char options[17];

	if (n <= 0)
		return false;
	if (!known[fd]) {
		memcpy(options, negotiated, 13);
		memcpy(
		    options + 13, no_reply ? "\0\17\360\200" : "\0\0\0\0", 4);
		known[fd] = true;
		return send(fd, options, sizeof(options), MSG_NOSIGNAL) > 0;
	}
	if (n >= 5 && memcmp(in + n - 5, eom, 5) == 0)
		return send(fd, changed, sizeof(changed) - 1, MSG_NOSIGNAL) > 0;
	return no_reply || send(fd, changed + 14, 5, MSG_NOSIGNAL) > 0;
}

static void
watch(int ep, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) < 0)
		err(1, "epoll_ctl");
}

int
main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct epoll_event ev[EVENTS];
	int ls = socket(AF_UNIX, SOCK_STREAM, 0), ep = epoll_create1(0), n;

	no_reply = argc == 3 && strcmp(argv[1], "--no-reply") == 0;
	if (argc != 2 + no_reply || strlen(argv[argc - 1]) > 107)
		errx(2, "usage: epoll_loop [--no-reply] PATH");
	strcpy(sun.sun_path, argv[argc - 1]);
	if (bind(ls, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    listen(ls, SOMAXCONN) < 0)
		err(1, "%s", sun.sun_path);
	watch(ep, ls);
	while ((n = epoll_wait(ep, ev, EVENTS, -1)) >= 0)
		for (int i = 0; i < n; i++) {
			int fd = ev[i].data.fd;

			if (fd == ls) {
				fd = accept(ls, NULL, NULL);
				if (fd < 0 || fd >= FDS)
					err(1, "accept");
				known[fd] = false;
				watch(ep, fd);
			} else if (!answer(fd)) {
				close(fd);
			}
		}
	return 1;
}
