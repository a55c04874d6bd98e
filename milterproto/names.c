/* SPDX-License-Identifier: MIT */
/*
 * names: the rows of milterproto.def as tables, and names for logs.
 */
#include "state.h"

const struct mlt_command mlt_commands[CM_N] = {
	[CM_NONE] = { "", "", 0, 0, 0, 0 },
#define MLT_X_COMMAND(name, octet, version, no, nr, replies)                   \
	[CM_##name] = { #name, replies, no, nr, octet, version },
#include <milterproto.def>
};

const uint8_t mlt_command_index[256] = {
#define MLT_X_COMMAND(name, octet, version, no, nr, replies)                   \
	[octet] = CM_##name,
#include <milterproto.def>
};

enum {
	RP_NONE,
#define MLT_X_REPLY(name, octet, layout, actions) RP_##name,
#include <milterproto.def>
};

const struct mlt_reply_info mlt_replies[] = {
	[RP_NONE] = { "", 0, 0, LAYOUT_NEVER },
#define MLT_X_REPLY(name, octet, layout, actions)                              \
	[RP_##name] = { #name, actions, octet, LAYOUT_##layout },
#include <milterproto.def>
};

const uint8_t mlt_reply_index[256] = {
#define MLT_X_REPLY(name, octet, layout, actions) [octet] = RP_##name,
#include <milterproto.def>
};

const char *
mlt_command_name(uint8_t cmd)
{
	uint8_t i = mlt_command_index[cmd];

	return i ? mlt_commands[i].name : NULL;
}

const char *
mlt_reply_name(uint8_t reply)
{
	uint8_t i = mlt_reply_index[reply];

	return i ? mlt_replies[i].name : NULL;
}

const char *
mlt_event_name(enum mlt_event_type t)
{
	static const char names[MLT_EV_N][10] = {
		[MLT_EV_NEGOTIATE] = "NEGOTIATE",
		[MLT_EV_CONNECT] = "CONNECT",
		[MLT_EV_HELO] = "HELO",
		[MLT_EV_MAIL] = "MAIL",
		[MLT_EV_RCPT] = "RCPT",
		[MLT_EV_DATA] = "DATA",
		[MLT_EV_HEADER] = "HEADER",
		[MLT_EV_EOH] = "EOH",
		[MLT_EV_BODY] = "BODY",
		[MLT_EV_EOM] = "EOM",
		[MLT_EV_ABORT] = "ABORT",
		[MLT_EV_UNKNOWN] = "UNKNOWN",
		[MLT_EV_QUIT] = "QUIT",
	};

	return (unsigned)t < MLT_EV_N ? names[t] : "?";
}

const char *
mlt_action_name(uint32_t bit)
{
	switch (bit) {
#define MLT_X_ACTION(name, value, version)                                     \
	case value:                                                            \
		return #name;
#include <milterproto.def>
	}
	return NULL;
}

const char *
mlt_protocol_name(uint32_t bit)
{
	switch (bit) {
#define MLT_X_PROTOCOL(name, value, version)                                   \
	case value:                                                            \
		return #name;
#include <milterproto.def>
	}
	return NULL;
}

const char *
mlt_strerror(int err)
{
	switch (err) {
	case 0:
		return "no error";
	case MLT_E_NOMEM:
		return "out of memory";
	case MLT_E_ARG:
		return "value cannot be put on the wire";
	case MLT_E_STATE:
		return "not allowed now";
	case MLT_E_AGREED:
		return "not negotiated";
	case MLT_E_PROTO:
		return "peer violated the protocol";
	case MLT_E_TOOBIG:
		return "frame longer than the limit";
	case MLT_E_OFFER:
		return "MTA does not offer a required action";
	}
	return "unknown error";
}
