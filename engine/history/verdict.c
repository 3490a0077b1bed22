/* The words for what became of a message: docs/protocol.md, section 8. */
#include "engine/history/verdict.h"

#include <stddef.h>

static const struct {
    enum verdict verdict;
    const char *word;
    const char *meaning;
} table[] = {
    {VERDICT_VERIFIED, "verified", "signature, chain and channel hold"},
    {VERDICT_GAP, "gap", "authentic, but messages before it are missing"},
    {VERDICT_LATE, "late", "authentic; it was missing and arrives after later ones"},
    {VERDICT_FORK, "fork", "authentic, but its author signed another message for the same place"},
    {VERDICT_MISSING, "missing", "the other side has lost keys, and says that it has not got it"},
    {VERDICT_MALFORMED, "malformed", "not well formed"},
    {VERDICT_AUTHENTICATION, "authentication-failed", "its seal or signature does not hold"},
    {VERDICT_REPLAYED, "replayed", "it was received before"},
    {VERDICT_SIGNER, "wrong-signer", "signed by another key than its sender's"},
    {VERDICT_PURPOSE, "wrong-purpose", "signed for another purpose"},
    {VERDICT_CHANNEL, "wrong-channel", "made for another conversation or recipient"},
    {VERDICT_UNKNOWN, "unknown-session", "it names a session or key that is not here"},
    {VERDICT_LIMIT, "limit", "beyond what is accepted"},
    {VERDICT_KEY, "key-refused", "it holds a public key that is not acceptable"},
    {VERDICT_ROLLBACK, "rollback", "its sender's device list is older than one seen before"},
    {VERDICT_LIST_FORK, "list-fork", "its sender signed two device lists of one version"},
    {VERDICT_IDENTITY, "identity-changed", "its sender's identity changed unannounced"},
    {VERDICT_EXPIRED, "expired", "its sender's device list has expired"},
    {VERDICT_NOT_YET, "not-yet-valid", "its sender's device list lies in the future"},
    {VERDICT_UNSUPPORTED, "unsupported", "a version, suite or kind not spoken here"},
};

const char *verdict_word(enum verdict verdict)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].verdict == verdict)
            return table[i].word;
    }
    return "malformed";
}

const char *verdict_meaning(enum verdict verdict)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].verdict == verdict)
            return table[i].meaning;
    }
    return "not well formed";
}

bool verdict_is_authentic(enum verdict verdict)
{
    return verdict < VERDICT_MALFORMED;
}

bool verdict_exists(enum signet_err err)
{
    return err <= SIGNET_ERR_FORMAT && err >= SIGNET_ERR_SUITE;
}

enum verdict verdict_of(enum signet_err err)
{
    switch (err) {
    case SIGNET_OK: return VERDICT_VERIFIED;
    case SIGNET_ERR_AUTH: return VERDICT_AUTHENTICATION;
    case SIGNET_ERR_REPLAY: return VERDICT_REPLAYED;
    case SIGNET_ERR_LIMIT: return VERDICT_LIMIT;
    case SIGNET_ERR_KEY: return VERDICT_KEY;
    case SIGNET_ERR_SIGNER: return VERDICT_SIGNER;
    case SIGNET_ERR_PURPOSE: return VERDICT_PURPOSE;
    case SIGNET_ERR_PROFILE: return VERDICT_UNSUPPORTED;
    case SIGNET_ERR_EXPIRED: return VERDICT_EXPIRED;
    case SIGNET_ERR_NOT_YET: return VERDICT_NOT_YET;
    case SIGNET_ERR_ROLLBACK: return VERDICT_ROLLBACK;
    case SIGNET_ERR_FORK: return VERDICT_LIST_FORK;
    case SIGNET_ERR_SUCCESSION: return VERDICT_IDENTITY;
    case SIGNET_ERR_CHANNEL: return VERDICT_CHANNEL;
    case SIGNET_ERR_UNKNOWN: return VERDICT_UNKNOWN;
    case SIGNET_ERR_SUITE: return VERDICT_UNSUPPORTED;
    default: return VERDICT_MALFORMED;
    }
}
