/* SPDX-License-Identifier: MIT */
/*
 * doctor: `mimedefang doctor`: looks at the MTA, the daemon and what is between
 * them, and says what is wrong, why it matters and the line to change.
 *
 *   doctor_defaults, doctor_gather, doctor_mta  ->  doctor_facts
 *   doctor_use, _terms, _socket, _host, _spool, _filter (pure)  ->  doctor_find
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

/* argv[0] is the word "doctor".  The exit status: 0 no problem, 1 at least one,
 * 2 bad usage. */
int doctor_main(int argc, char **argv);

/* Of a problem that was found, and of bad options. */
#define DOCTOR_EXIT_PROBLEM 1
#define DOCTOR_EXIT_USAGE   2

#endif
