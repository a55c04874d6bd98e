/* SPDX-License-Identifier: MIT */
/*
 * rig: an MTA between the SMTP client, the filter and the next hop that we all
 * are: one loop serves them while a case speaks SMTP and waits.
 *
 * A case begins a session, makes the plan of the filter, says what the client
 * says, and judges what is noted here.  Every wait ends after opts.wait_ms.
 */
#ifndef CLI_CHECK_RIG_H
#define CLI_CHECK_RIG_H

#include "cli/check/played.h"
#include "cli/check/sink.h"
#include "cli/check/smtp.h"
#include "cli/check/transcript.h"
#include "core/base/clock.h"

struct rig_opts {
	const char *smtp;        /* HOST:PORT of the MTA */
	const char *listen;      /* our filter's socket */
	const char *sink;        /* directory */
	const char *sink_listen; /* HOST:PORT, or NULL */
	const char *helo;
	const char *from, *new_from; /* bare addresses */
	const char *to, *to2, *to_added;
	msec wait_ms, grace_ms, progress_ms;
};

/* What the client says, in order, and was told. */
enum rig_step {
	RIG_GREETING,
	RIG_HELO,
	RIG_MAIL,
	RIG_RCPT,
	RIG_RCPT2,
	RIG_DATA,
	RIG_CONTENT,
	RIG_OTHER, /* what is none of these */
	RIG_STEP_N
};
const char *rig_step_word(enum rig_step s);

/* In place of a code. */
enum {
	RIG_NOT_SAID = 0, /* the client did not get there */
	RIG_CLOSED = -1,  /* the MTA closed the connection */
	RIG_SILENT = -2,  /* it did not answer in time */
	RIG_GARBAGE = -3  /* what it said is no SMTP reply */
};

/* A message; what is NULL is left out, or the usual. */
struct rig_mail {
	const char *mail_args; /* behind MAIL FROM:<...>, with their blank */
	bool two;              /* recipients */
	bool null_sender;
	const char *fields; /* further header fields, each with CR LF */
	const char *body;   /* in CR LF form */
	size_t body_n;      /* 0: it is a C string */
};

#define RIG_LINKS_MAX 8
struct rig_link; /* one connection from the MTA */
#define RIG_HOPS 16

struct mta_rig {
	const struct rig_opts *o;
	struct transcript *transcript; /* borrowed; NULL: none is kept */
	uint64_t start_us;
	int listen_fd, sink_fd;
	struct sink sink;
	unsigned n_written, n_markers;
	char run_id[20];

	/* of this session */
	struct plan plan;
	struct rig_link *link[RIG_LINKS_MAX];
	size_t n_links;
	int smtp_fd;
	struct buf smtp_in;
	struct smtp_reply told[RIG_STEP_N];
	struct smtp_reply ehlo; /* the last one that was good */
	bool stray;             /* a reply came that nothing had asked for */
	bool lingered;          /* the MTA kept a connection to the filter */
	char marker[64];
	uint16_t client_port; /* of the SMTP client */
	char client_addr[64];

	struct rig_hop *hop[RIG_HOPS]; /* connections to the sink */
};

/* Listens and looks at the sink.  0, or -1 with a line in err. */
int rig_init(
    struct mta_rig *r, const struct rig_opts *o, char *err, size_t errlen);
void rig_fini(struct mta_rig *r);

/* Forgets the session before; the plan is that of a perfect filter. */
void rig_begin(struct mta_rig *r);
/* Connects and awaits the greeting: its code. */
int rig_connect(struct mta_rig *r);
/* One command, without its CR LF; the code of the reply, kept in told[step]. */
__attribute__((format(printf, 3, 4))) int rig_say(
    struct mta_rig *r, enum rig_step step, const char *fmt, ...);
/* Greeting and EHLO: the code of the last one that was said. */
int rig_hello(struct mta_rig *r);
/* MAIL to the end of the message, with a new marker; goes no further than the
 * MTA lets it.  True if the message was accepted. */
bool rig_send(struct mta_rig *r, const struct rig_mail *m);
/* The content and the final dot, after DATA: its code. */
int rig_content(struct mta_rig *r, const struct rig_mail *m);
/* Octets to which no reply is awaited. */
void rig_octets(struct mta_rig *r, const char *p, size_t n);
/* The MTA closes the SMTP connection by itself. */
bool rig_is_closed(struct mta_rig *r);
/* QUIT, or just goes away; waits until the MTA has left the filter. */
void rig_quit(struct mta_rig *r);
void rig_hang_up(struct mta_rig *r);
/* All of it: one session with one message (NULL: the usual one). */
bool rig_deliver(struct mta_rig *r, const struct rig_mail *m);
/* Serves all until cond is true; false: it did not become so in time. */
bool rig_wait(struct mta_rig *r, bool (*cond)(struct mta_rig *r));

/* Waits for the message of the last rig_send; m is initialized. */
bool rig_arrived(struct mta_rig *r, struct sink_message *m);
/* As it is now. */
bool rig_is_there(struct mta_rig *r, const char *marker);
/* A whole session with a perfect filter: the message is accepted and arrives.
 * Why not: one line in why.  What was noted of the session before is gone but
 * for the marker that the caller copied. */
bool rig_still_serves(struct mta_rig *r, struct buf *why);

/* ---- for judges ------------------------------------------------------------ */

int rig_code(const struct mta_rig *r, enum rig_step s);
/* The text of a reply, lines joined by LF; "" if there is none. */
const char *rig_text(struct mta_rig *r, enum rig_step s);
/* The last step that was said. */
enum rig_step rig_last(const struct mta_rig *r);
/* The first connection of the MTA to the filter, or NULL. */
const struct played *rig_played(const struct mta_rig *r);
/* Appends "MAIL: 451 4.7.1 text", escaped. */
void rig_tell(struct mta_rig *r, enum rig_step s, struct buf *out);

#endif
