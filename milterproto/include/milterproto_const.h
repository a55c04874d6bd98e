/* SPDX-License-Identifier: MIT */
/*
 * milterproto_const.h: the numbers of the wire, made from milterproto.def.
 *
 *   MLT_SMFIC_*   command octets           MLT_SMFIR_*  reply octets
 *   MLT_ACT_*     what a filter may do     MLT_PROT_*   steps and abilities
 *   MLT_STAGE_*   macro stages             MLT_*_MAX    limits
 *
 * They are enumerators, thus int: write ~(uint32_t)MLT_ACT_X.
 */
#ifndef MILTERPROTO_CONST_H
#define MILTERPROTO_CONST_H

enum {
#define MLT_X_COMMAND(name, octet, version, no, nr, replies)                   \
	MLT_SMFIC_##name = octet,
#include <milterproto.def>
	MLT_SMFIC_BODYEOB = MLT_SMFIC_EOM
};

enum {
#define MLT_X_REPLY(name, octet, layout, actions) MLT_SMFIR_##name = octet,
#include <milterproto.def>
};

enum {
#define MLT_X_ACTION(name, bit, version) MLT_ACT_##name = bit,
#include <milterproto.def>
	MLT_ACT_ALL = 0x1ff,
	MLT_ACT_V1 = 0x0f /* meant by an offer of 0 */
};

enum {
#define MLT_X_PROTOCOL(name, bit, version) MLT_PROT_##name = bit,
#include <milterproto.def>
	MLT_PROT_ALL = 0x1fffff, /* all of version 6 but MDS */
	MLT_PROT_V1 = 0x3f,      /* meant by an offer of 0 */
	MLT_PROT_MDS = 0x30000000,
	MLT_PROT_NO_ALL = 0x37f,  /* the NO_ bits */
	MLT_PROT_NR_ALL = 0xff080 /* the NR_ bits */
};

enum {
#define MLT_X_STAGE(name, number, command) MLT_STAGE_##name = number,
#include <milterproto.def>
	MLT_STAGE_N = 7
};

enum {
#define MLT_X_LIMIT(name, value) MLT_##name = value,
#include <milterproto.def>
};

#endif
