/* SPDX-License-Identifier: MIT */
/*
 * repeat: the command line that repeats what is running now, for a shell. Pure.
 */
#ifndef CLI_CHECK_REPEAT_H
#define CLI_CHECK_REPEAT_H

#include "core/base/buf.h"
#include "core/base/opt.h"

#include <stddef.h>

/* Appends a blank and the word, quoted if it has to be. */
void repeat_word(struct buf *out, const char *word);
/* Appends the options, texts and numbers, whose values are not their defaults;
 * those that only say what to do (OPT_MODE) are left out. */
void repeat_options(
    struct buf *out, const struct opt *rows, size_t n, const void *opts);

#endif
