/* SPDX-License-Identifier: MIT */
/*
 * decode: payloads taken apart; see codec.h.
 *
 * Commands are judged leniently: only what would make the two sides
 * disagree is refused, trailing octets behind the last field are ignored.
 * Replies are judged strictly: every deviation is refused.  spec:bad-input
 */
#include "codec.h"
#include "replytext.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A payload of strings is not empty and ends in NUL. */
static bool
ends_in_nul(struct mlt_bytes b)
{
	return b.n > 0 && b.p[b.n - 1] == 0;
}

size_t
mlt_count_strings(struct mlt_bytes b)
{
	struct mlt_bytes s;
	size_t n = 0;

	while (mlt_get_cstr(&b, &s))
		n++;
	return n;
}

/* ---- commands --------------------------------------------------------------- */

/* addr is NUL-terminated at addr->p[addr->n].  spec:connect */
static bool
address_ok(char family, struct mlt_bytes *addr)
{
	unsigned char bin[sizeof(struct in6_addr)];

	switch (family) {
	case '4':
		return inet_pton(AF_INET, addr->p, bin) == 1;
	case '6':
		if (addr->n >= 5 && strncasecmp(addr->p, "IPv6:", 5) == 0) {
			addr->p += 5;
			addr->n -= 5;
		}
		return inet_pton(AF_INET6, addr->p, bin) == 1;
	default: /* 'L' */
		return addr->n < sizeof(((struct sockaddr_un *)0)->sun_path);
	}
}

static int
decode_connect(struct mlt_bytes b, struct mlt_event *ev)
{
	struct mlt_bytes host, addr = { NULL, 0 };
	uint8_t family;
	uint16_t port = 0;

	if (!mlt_get_cstr(&b, &host) || !mlt_get_u8(&b, &family) ||
	    (family != 'U' && family != 'L' && family != '4' && family != '6'))
		return MLT_E_PROTO;
	if (family != 'U') {
		if (!mlt_get_u16(&b, &port) || !ends_in_nul(b) ||
		    !mlt_get_cstr(&b, &addr) ||
		    !address_ok((char)family, &addr))
			return MLT_E_PROTO;
	}
	ev->type = MLT_EV_CONNECT;
	ev->connect.host = host;
	ev->connect.addr = addr;
	ev->connect.port = port;
	ev->connect.family = (char)family;
	return 0;
}

static int
decode_text(struct mlt_bytes b, enum mlt_event_type type, struct mlt_event *ev)
{
	if (!ends_in_nul(b))
		return MLT_E_PROTO;
	ev->type = type;
	mlt_get_cstr(&b, &ev->text);
	return 0;
}

static int
decode_args(struct mlt_bytes b, enum mlt_event_type type, struct mlt_bytes *v,
    struct mlt_event *ev)
{
	size_t n = 0;

	if (!ends_in_nul(b))
		return MLT_E_PROTO;
	while (mlt_get_cstr(&b, &v[n]))
		n++;
	ev->type = type;
	ev->args.v = v;
	ev->args.n = n;
	return 0;
}

static int
decode_header(struct mlt_bytes b, struct mlt_event *ev)
{
	struct mlt_bytes name, value;

	if (!ends_in_nul(b) || !mlt_get_cstr(&b, &name) || name.n == 0 ||
	    !mlt_get_cstr(&b, &value))
		return MLT_E_PROTO;
	ev->type = MLT_EV_HEADER;
	ev->header.name = name;
	ev->header.value = value;
	return 0;
}

int
mlt_decode_command(enum mlt_cm cm, struct mlt_bytes b, struct mlt_bytes *v,
    struct mlt_event *ev)
{
	switch (cm) {
	case CM_NONE:
	case CM_OPTNEG: /* mlt_decode_options */
	case CM_MACRO:  /* mlt_decode_macros */
	case CM_N:
		break;
	case CM_CONNECT:
		return decode_connect(b, ev);
	case CM_HELO:
		return decode_text(b, MLT_EV_HELO, ev);
	case CM_MAIL:
		return decode_args(b, MLT_EV_MAIL, v, ev);
	case CM_RCPT:
		return decode_args(b, MLT_EV_RCPT, v, ev);
	case CM_DATA:
		ev->type = MLT_EV_DATA;
		return 0;
	case CM_HEADER:
		return decode_header(b, ev);
	case CM_EOH:
		ev->type = MLT_EV_EOH;
		return 0;
	case CM_BODY:
		ev->type = MLT_EV_BODY;
		ev->text = b;
		return 0;
	case CM_EOM:
		ev->type = MLT_EV_EOM;
		return 0;
	case CM_ABORT:
		ev->type = MLT_EV_ABORT;
		return 0;
	case CM_UNKNOWN:
		return decode_text(b, MLT_EV_UNKNOWN, ev);
	case CM_QUIT:
	case CM_QUIT_NC:
		ev->type = MLT_EV_QUIT;
		ev->quit.more = cm == CM_QUIT_NC;
		return 0;
	}
	return MLT_E_PROTO;
}

/* A string that is cut off, and a name without value, are dropped. */
int
mlt_decode_macros(struct mlt_bytes b, uint8_t *stage, struct mlt_bytes *pairs)
{
	struct mlt_bytes name, value;

	if (!mlt_get_u8(&b, stage))
		return MLT_E_PROTO;
	*pairs = (struct mlt_bytes){ b.p, 0 };
	while (mlt_get_cstr(&b, &name) && mlt_get_cstr(&b, &value))
		pairs->n = (size_t)(b.p - pairs->p);
	return 0;
}

/* ---- OPTNEG ------------------------------------------------------------------- */

int
mlt_decode_options(struct mlt_bytes b, struct mlt_agreement *a)
{
	if (!mlt_get_u32(&b, &a->version) || !mlt_get_u32(&b, &a->actions) ||
	    !mlt_get_u32(&b, &a->protocol))
		return MLT_E_PROTO;
	a->lists = b;
	return 0;
}

int
mlt_next_list(struct mlt_bytes *lists, uint32_t *stage, struct mlt_bytes *names)
{
	if (lists->n == 0)
		return 0;
	if (!mlt_get_u32(lists, stage) || *stage >= MLT_STAGE_N ||
	    !mlt_get_cstr(lists, names))
		return MLT_E_PROTO;
	return 1;
}

/* ---- replies ------------------------------------------------------------------ */

static bool
header_ok(const struct mlt_action *a)
{
	if (a->name.n == 0 || memchr(a->name.p, ':', a->name.n))
		return false;
	return !a->value.n || !memmem(a->value.p, a->value.n, "\r\n", 2);
}

int
mlt_decode_reply(const struct mlt_frame *f, struct mlt_action *out)
{
	const struct mlt_reply_info *r = &mlt_replies[mlt_reply_index[f->cmd]];
	struct mlt_bytes b = { f->p, f->n };
	struct mlt_action a = { .reply = f->cmd };
	bool ok = false;

	a.final = !r->actions && f->cmd != MLT_SMFIR_PROGRESS;
	switch ((enum mlt_layout)r->layout) {
	case LAYOUT_EMPTY:
		ok = true;
		break;
	case LAYOUT_CODE:
		ok = mlt_get_cstr(&b, &a.text) && mlt_code_valid(a.text);
		break;
	case LAYOUT_INDEX:
		if (!mlt_get_u32(&b, &a.index) || a.index > INT32_MAX)
			break; /* not even Sendmail takes it as it is */
			       /* fall through */
	case LAYOUT_HEADER:
		ok = mlt_get_cstr(&b, &a.name) && mlt_get_cstr(&b, &a.value) &&
		     header_ok(&a);
		break;
	case LAYOUT_RAW:
		a.text = b;
		ok = b.n <= MLT_BODY_MAX;
		b.n = 0;
		break;
	case LAYOUT_TEXT:
		ok = mlt_get_cstr(&b, &a.text) && a.text.n > 0;
		break;
	case LAYOUT_ADDRESS:
		ok = mlt_get_cstr(&b, &a.text) && a.text.n > 0;
		if (ok && b.n > 0)
			ok = mlt_get_cstr(&b, &a.esmtp);
		break;
	case LAYOUT_OPTIONS:
		ok = true;
		b.n = 0;
		break;
	case LAYOUT_NEVER:
		break;
	}
	if (!ok || b.n > 0)
		return MLT_E_PROTO;
	*out = a;
	return 0;
}
