/* SPDX-License-Identifier: MIT */
/*
 * epoll_loop: the limit.  Answers like a null filter, without looking at what
 * the MTA says: its load (load.c) writes each step in one piece and waits.
 *
 *	epoll_loop [--no-reply] PATH
 */
#include <stdbool.h>
#include <stdio.h>
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
	ssize_t n = read(fd, in, sizeof(in));
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

int
main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct epoll_event ev[EVENTS] = { { .events = EPOLLIN } };
	int ls = socket(AF_UNIX, SOCK_STREAM, 0), ep = epoll_create1(0), n;

	no_reply = argc == 3 && strcmp(argv[1], "--no-reply") == 0;
	if (argc != 2 + no_reply || strlen(argv[argc - 1]) > 107)
		return fputs("usage: epoll_loop [--no-reply] PATH\n", stderr),
		       2;
	strcpy(sun.sun_path, argv[argc - 1]);
	ev[0].data.fd = ls;
	if (bind(ls, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    listen(ls, SOMAXCONN) < 0 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, ls, ev) < 0)
		return perror("epoll_loop"), 1;
	while ((n = epoll_wait(ep, ev, EVENTS, -1)) >= 0)
		for (int i = 0; i < n; i++) {
			int fd = ev[i].data.fd;

			if (fd != ls) {
				if (!answer(fd))
					close(fd);
			} else if ((fd = accept(ls, NULL, NULL)) >= 0) {
				struct epoll_event add = { .events = EPOLLIN,
					.data.fd = fd };

				known[fd] = false;
				epoll_ctl(ep, EPOLL_CTL_ADD, fd, &add);
			}
		}
	return 1;
}
