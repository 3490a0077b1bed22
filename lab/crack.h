/* Cryptanalysis from the command line: progress, the best so far on Ctrl-C, and the answer. */
#ifndef LAB_CRACK_H
#define LAB_CRACK_H

#include "ciphers/crack.h"
#include "cli/command.h"

enum { LAB_CRACK_MAX = 16 << 20 }; /* bytes of a text */

/*
 * Break a text and print what was found.
 * kind   CIPHER_COUNT: guess it
 * given  the text; NULL or "-" for standard input
 * Returns EXIT_DONE where the answer is more likely right than not, else EXIT_FAILED.
 */
enum exit_code lab_crack(const struct context *context, enum cipher_kind kind, const char *given);

#endif
