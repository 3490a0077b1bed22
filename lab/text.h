/*
 * Texts of the cipher lab: taken from the command line or from standard input, and written out.
 *
 * What is no text is refused before anything is done with it, each refusal in one line.
 */
#ifndef LAB_TEXT_H
#define LAB_TEXT_H

#include "ciphers/cipher.h"
#include "term/report.h"

/*
 * Append a whole text: `given`, or standard input where it is NULL or "-". It has a letter, no zero
 * byte and hardly a control character, and for JSON is UTF-8. A line feed at the end of standard
 * input is left out.
 * was_cut_out  a longer text is cut to `max` bytes or a little less, and no more of it is read;
 *              NULL: it is refused
 * Reports. Errors: FORMAT, LIMIT, IO, NOMEM.
 */
SIGNET_MUST_USE enum signet_err lab_take(const struct report *report, const char *given, size_t max,
    bool *was_cut_out, struct signet_buf *out);

/*
 * Encrypt or decrypt, piece by piece, from `given` or standard input to the report's output. A
 * text from the command line ends with a line feed. Reports. Returns what to exit with.
 */
enum exit_code lab_pass(const struct report *report, const struct cipher_key *key,
    enum cipher_direction direction, const char *given);

/* Say that memory is short, or what else a call failed with; returns EXIT_FAILED. */
enum exit_code lab_failed(const struct report *report, enum signet_err err);

#endif
