/*
 * The words for what became of a message: one table for chat, receive, history and verify.
 * docs/protocol.md, section 8. The numbers are stored: never change one.
 */
#ifndef ENGINE_HISTORY_VERDICT_H
#define ENGINE_HISTORY_VERDICT_H

#include <stdbool.h>

#include <signet/error.h>

enum verdict {
    VERDICT_VERIFIED = 0,
    VERDICT_GAP = 1,
    VERDICT_LATE = 2,
    VERDICT_FORK = 3,
    VERDICT_MISSING = 4,
    VERDICT_MALFORMED = 10,
    VERDICT_AUTHENTICATION = 11,
    VERDICT_REPLAYED = 12,
    VERDICT_SIGNER = 13,
    VERDICT_PURPOSE = 14,
    VERDICT_CHANNEL = 15,
    VERDICT_UNKNOWN = 16,
    VERDICT_LIMIT = 17,
    VERDICT_KEY = 18,
    VERDICT_ROLLBACK = 19,
    VERDICT_LIST_FORK = 20,
    VERDICT_IDENTITY = 21,
    VERDICT_EXPIRED = 22,
    VERDICT_NOT_YET = 23,
    VERDICT_UNSUPPORTED = 24,
};

/* "verified", "gap", ...; never NULL. */
const char *verdict_word(enum verdict verdict);
/* What it means, a clause for people; never NULL. */
const char *verdict_meaning(enum verdict verdict);
/* Whether the message's text is its author's: all but the refused ones. */
bool verdict_is_authentic(enum verdict verdict);
/* Why the library refused something. Machine errors have no verdict: do not ask for them. */
enum verdict verdict_of(enum signet_err err);
/* Whether an error is about the peer's bytes, so that it has a verdict. */
bool verdict_exists(enum signet_err err);

#endif
