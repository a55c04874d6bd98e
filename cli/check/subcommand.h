/* SPDX-License-Identifier: MIT */
/*
 * subcommand: what the commands of milter-check share on their command lines.
 */
#ifndef CLI_CHECK_SUBCOMMAND_H
#define CLI_CHECK_SUBCOMMAND_H

#include "cli/check/check.h"
#include "cli/cmdline.h"

/* argv[0] is the command's word.  An exit status. */
#define SUBCOMMAND(name, help) int check_##name##_main(int argc, char **argv);
#include "cli/check/subcommand.def"
#undef SUBCOMMAND

#endif
