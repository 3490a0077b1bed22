/*
 * How a command speaks: results on standard output, all else on standard error.
 *
 * With --json an error is one line {"error": {"code", "message", "hint"}}; without, it is
 * "signet: MESSAGE; HINT". Notes are plain text with --json, too. Messages may hold text from others: it is escaped here.
 */
#ifndef TERM_REPORT_H
#define TERM_REPORT_H

#include <stdio.h>

#include <signet/buffer.h>

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,   /* the command line makes no sense */
    EXIT_REFUSED = 3, /* a verification failed */
};

struct report {
    FILE *out; /* borrowed, as is `err` */
    FILE *err;
    bool json;
    bool quiet; /* no notes */
};

/*
 * Say why something was not done.
 * code  a word for scripts, [a-z-]+
 * hint  what to do about it; NULL: nothing to say
 */
void report_error(const struct report *report, const char *code, const char *hint,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Say something by the way; nothing with --quiet. */
void report_note(const struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Write a result and a line feed, and hand them to the system. The text is ours, or has been
 * through text_show or a json writer.
 * Errors: IO (errno says why): what depends on the result having been seen must not be done.
 */
SIGNET_MUST_USE enum signet_err report_result(const struct report *report, signet_span text);

#endif
