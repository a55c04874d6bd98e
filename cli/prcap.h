/* SPDX-License-Identifier: MIT */
/* prcap: what this program can do as a milter, in the form that scripts of
 * administrators read (spec:prcap). */
#ifndef CLI_PRCAP_H
#define CLI_PRCAP_H

int prcap_print(void); /* exit status */

#endif
