/* Runs a person's command for a message: the text goes in, an answer may come out. */
#ifndef AGENT_REPLY_H
#define AGENT_REPLY_H

#include <uv.h>

#include <signet/buffer.h>

enum {
    REPLY_MAX = 65536, /* bytes of an answer */
    REPLY_MS = 30000,  /* given to a command */
};

struct reply;

/* What a command is told besides the text, in its environment. */
struct reply_facts {
    const char *from;    /* SIGNET_FROM: name, or fingerprint where none is known */
    const char *address; /* SIGNET_ADDRESS */
    const char *id;      /* SIGNET_ID */
    const char *verdict; /* SIGNET_VERDICT */
    const char *contact; /* SIGNET_CONTACT */
};

struct reply_request {
    const char *command; /* for /bin/sh -c */
    signet_span text;    /* copied */
    struct reply_facts facts;
    /*
     * The last call, when the command itself has ended: the answer, without the line feed at its end, or `problem` (a clause)
     * if there is none because the command failed. Both are borrowed during the call.
     */
    void (*on_done)(void *ctx, const char *problem, signet_span answer);
    void *ctx;
};

/* Start the command. Errors: IO (with errno), NOMEM; there is no on_done then. */
SIGNET_MUST_USE enum signet_err reply_start(
    uv_loop_t *loop, const struct reply_request *request, struct reply **reply_out);
/* Kill it, without on_done; not after on_done. The loop must still run once. NULL is fine. */
void reply_stop(struct reply *reply);

#endif
