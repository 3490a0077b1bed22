/*
 * Why a call did not do what was asked.
 *
 * One enumeration for the whole library; 0 is success. Causes that depend on a secret are merged
 * into SIGNET_ERR_AUTH, so that no caller can be used as an oracle; public causes keep their own
 * code, so that every refusal can be named to the person.
 */
#ifndef SIGNET_ERROR_H
#define SIGNET_ERROR_H

#include <signet/attributes.h>

SIGNET_C_BEGIN

enum signet_err {
    SIGNET_OK = 0,

    /* The bytes of a peer, or of a file, are not acceptable. */
    SIGNET_ERR_FORMAT = -1,      /* not canonical, truncated, or a field out of range */
    SIGNET_ERR_AUTH = -2,        /* a tag, signature or proof does not verify */
    SIGNET_ERR_REPLAY = -3,      /* this message key, or first message, was used before */
    SIGNET_ERR_LIMIT = -4,       /* well formed, but beyond what is accepted */
    SIGNET_ERR_KEY = -5,         /* a public key that is not acceptable */
    SIGNET_ERR_SIGNER = -6,      /* signed by another key than the one that must sign */
    SIGNET_ERR_PURPOSE = -7,     /* a valid object of another type */
    SIGNET_ERR_PROFILE = -8,     /* COSE headers other than the two profiles */
    SIGNET_ERR_EXPIRED = -9,     /* past its not-after, beyond the clock tolerance */
    SIGNET_ERR_NOT_YET = -10,    /* before its not-before, beyond the clock tolerance */
    SIGNET_ERR_ROLLBACK = -11,   /* an older version than one already seen */
    SIGNET_ERR_FORK = -12,       /* two different objects of one version and signer */
    SIGNET_ERR_SUCCESSION = -13, /* another identity key that was not announced */
    SIGNET_ERR_CHANNEL = -14,    /* made for another conversation, recipient or sender */
    SIGNET_ERR_UNKNOWN = -15,    /* names a session, bundle or prekey that is not here */
    SIGNET_ERR_SUITE = -16,      /* a cipher suite that is not spoken here */

    /* The caller asked for something that is not possible. */
    SIGNET_ERR_STATE = -32,    /* not possible now */
    SIGNET_ERR_ARGUMENT = -33, /* outside what the function takes */

    /* The machine. */
    SIGNET_ERR_NOMEM = -64,  /* out of memory */
    SIGNET_ERR_CRYPTO = -65, /* the cryptographic library refused */
    SIGNET_ERR_IO = -66,     /* a file, disk or network failed */
};

/* A short clause for people, without capital or full stop; never NULL. */
SIGNET_API const char *signet_err_text(enum signet_err err);

SIGNET_C_END

#endif
