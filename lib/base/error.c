/* The words for each error. */
#include <signet/error.h>

const char *signet_err_text(enum signet_err err)
{
    switch (err) {
    case SIGNET_OK: return "done";
    case SIGNET_ERR_FORMAT: return "malformed";
    case SIGNET_ERR_AUTH: return "authentication failed";
    case SIGNET_ERR_REPLAY: return "used before";
    case SIGNET_ERR_LIMIT: return "beyond what is accepted";
    case SIGNET_ERR_KEY: return "public key not acceptable";
    case SIGNET_ERR_SIGNER: return "signed by another key";
    case SIGNET_ERR_PURPOSE: return "signed for another purpose";
    case SIGNET_ERR_PROFILE: return "signature headers not acceptable";
    case SIGNET_ERR_EXPIRED: return "expired";
    case SIGNET_ERR_NOT_YET: return "not valid yet";
    case SIGNET_ERR_ROLLBACK: return "older than what was seen before";
    case SIGNET_ERR_FORK: return "two different versions under one number";
    case SIGNET_ERR_SUCCESSION: return "identity key changed without being announced";
    case SIGNET_ERR_CHANNEL: return "made for another conversation";
    case SIGNET_ERR_UNKNOWN: return "unknown session or key";
    case SIGNET_ERR_SUITE: return "cipher suite not supported";
    case SIGNET_ERR_STATE: return "not possible now";
    case SIGNET_ERR_ARGUMENT: return "argument out of range";
    case SIGNET_ERR_NOMEM: return "out of memory";
    case SIGNET_ERR_CRYPTO: return "cryptographic library failed";
    case SIGNET_ERR_IO: return "input or output failed";
    }
    return "unknown error";
}
