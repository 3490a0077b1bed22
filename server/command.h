/* What signetd's commands share: arguments, exit codes, how they speak. */
#ifndef SERVER_COMMAND_H
#define SERVER_COMMAND_H

#include <signet/error.h>
#include <stdbool.h>
#include <stdint.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* What was given on the command line; NULL: not given. */
struct arguments {
    const char *data;
    const char *name;
    const char *listen;
    const char *threads;
    const char *config;
    const char *uses;
    const char *expires;
    const char *file; /* the one that is no option */
};

struct command {
    const char *name;
    const char *usage;   /* what follows the name */
    const char *summary; /* a clause */
    const char *options; /* long options accepted, each between spaces: " data name " */
    bool needs_file;
    int (*run)(const struct arguments *arguments); /* returns an exit code */
};

extern const struct command command_init, command_run, command_invite, command_backup,
    command_check_config;

/* "signetd: ", the text, and the end of the line, on stderr; returns `code`. Control characters
 * are shown as '?'. */
__attribute__((format(printf, 2, 3))) int complain(int code, const char *format, ...);

/* min..max, or *out is unchanged. */
SIGNET_MUST_USE enum signet_err parse_number(
    const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* "90s", "30m", "12h", "7d" in milliseconds; at least 1 s, at most 3650 d. Errors: FORMAT. */
SIGNET_MUST_USE enum signet_err parse_duration(const char *text, uint64_t *ms_out);

#endif
