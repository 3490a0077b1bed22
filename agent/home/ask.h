/* Asking the person for a passphrase. */
#ifndef AGENT_HOME_ASK_H
#define AGENT_HOME_ASK_H

#include <signet/buffer.h>

enum { ASK_PASSPHRASE_MAX = 1024 }; /* bytes */

/* Somebody to ask; tests have their own. */
struct asker {
    void *ctx;
    /* Whether a person is at the terminal, so that a choice may be offered. */
    bool (*is_present)(void *ctx);
    /*
     * Show the prompt and append the line typed in, without its end.
     * Errors: STATE (no terminal), LIMIT (over ASK_PASSPHRASE_MAX), IO (end of input), NOMEM.
     */
    enum signet_err (*passphrase)(void *ctx, const char *prompt, struct signet_buf *out);
};

/*
 * The controlling terminal. What is typed is not shown; the terminal is put back also when a
 * signal ends or stops the process meanwhile. A person is present where standard input and
 * standard error are terminals, so that scripts are never offered a choice.
 */
extern const struct asker ask_terminal;

#endif
