/* Cryptanalysis from the command line: progress, the best so far on Ctrl-C, and the answer. */
#ifndef LAB_CRACK_H
#define LAB_CRACK_H

#include "ciphers/crack.h"
#include "term/report.h"

enum { LAB_CRACK_MAX = 16 << 20 }; /* bytes of a text */

struct lab_crack_request {
    enum cipher_kind kind; /* CIPHER_COUNT: guess it */
    const char *given;     /* the text; NULL or "-" for standard input */
    uint64_t seed;         /* where chance starts */
    uint64_t top;          /* how many answers to show; 0: as many as is usual */
    bool explain;          /* tell what the statistics say */
};

/*
 * Break a text and print what was found.
 * Returns EXIT_DONE where the answer is more likely right than not, else EXIT_FAILED.
 */
enum exit_code lab_crack(const struct report *report, const struct lab_crack_request *request);

#endif
