/*
 * The library's hold on OpenSSL: algorithms fetched once, the random generator, a cache of public
 * keys already checked. Make one per process (or per test) and pass it on.
 *
 * A library is safe to use from several threads at once; the objects made with it are not.
 */
#ifndef SIGNET_LIBRARY_H
#define SIGNET_LIBRARY_H

#include <signet/error.h>

SIGNET_C_BEGIN

struct signet_library;
struct ossl_lib_ctx_st; /* OpenSSL's OSSL_LIB_CTX */

/*
 * openssl  where algorithms and randomness come from; NULL is OpenSSL's default context. Borrowed:
 *          it must outlive the library. Tests put a seeded generator there.
 *
 * The first call in a process sets up OpenSSL's secure heap, in which private keys live: locked in
 * memory where the system's limit allows, never in a core image. OpenSSL's own copies of an RSA key
 * are not in it: what it computes with, wiped with the key; and the encoded form that it makes while
 * a key is read or written, which it frees without wiping. The keys of skipped messages are not in
 * it either, but are wiped.
 *
 * Errors: NOMEM, CRYPTO (an algorithm is missing).
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_library_new(
    struct ossl_lib_ctx_st *openssl, struct signet_library **library_out);

/* NULL is fine. Everything made with the library must be gone. */
SIGNET_API void signet_library_free(struct signet_library *library);

SIGNET_C_END

#endif
