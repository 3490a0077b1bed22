/* X25519 (RFC 7748). */
#include "crypto/dh.h"

#include <openssl/err.h>
#include <openssl/proverr.h>

#include "crypto/library_internal.h"
#include "crypto/secret.h"

enum signet_err crypto_dh_generate(struct signet_library *library, struct crypto_dh_pair *pair_out)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(library->openssl, NULL, "X25519");
    size_t private_len = CRYPTO_DH_LEN;
    size_t public_len = CRYPTO_DH_LEN;
    enum signet_err err = SIGNET_OK;
    struct crypto_dh_pair pair;

    if (key == NULL || EVP_PKEY_get_raw_private_key(key, pair.private_key.k, &private_len) != 1 ||
        EVP_PKEY_get_raw_public_key(key, pair.public_key.k, &public_len) != 1 ||
        private_len != CRYPTO_DH_LEN || public_len != CRYPTO_DH_LEN)
        err = openssl_failure();
    else
        *pair_out = pair;
    crypto_wipe(&pair, sizeof(pair));
    EVP_PKEY_free(key);
    return err;
}

/* OpenSSL refuses an all-zero result itself, with a code of its own. */
static enum signet_err derive_failure(void)
{
    unsigned long code = ERR_peek_last_error();
    enum signet_err err = openssl_failure();

    if (ERR_GET_LIB(code) == ERR_LIB_PROV &&
        ERR_GET_REASON(code) == PROV_R_FAILED_DURING_DERIVATION)
        return SIGNET_ERR_KEY;
    return err;
}

static enum signet_err derive(EVP_PKEY *ours, EVP_PKEY *theirs, struct signet_library *library,
    struct crypto_dh_shared *shared_out)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(library->openssl, ours, NULL);
    static const uint8_t zero[CRYPTO_DH_LEN];
    size_t len = sizeof(shared_out->k);
    enum signet_err err = SIGNET_OK;

    /* No validation of the peer's key: every 32 bytes are one (RFC 7748, section 5). */
    if (context == NULL || EVP_PKEY_derive_init(context) != 1 ||
        EVP_PKEY_derive_set_peer_ex(context, theirs, 0) != 1)
        err = openssl_failure();
    else if (EVP_PKEY_derive(context, shared_out->k, &len) != 1)
        err = derive_failure();
    else if (len != sizeof(shared_out->k))
        err = SIGNET_ERR_CRYPTO;
    else if (crypto_equal(signet_span_of(shared_out->k, len), signet_span_of(zero, len)))
        err = SIGNET_ERR_KEY;
    EVP_PKEY_CTX_free(context);
    return err;
}

enum signet_err crypto_dh_agree(struct signet_library *library,
    const struct crypto_dh_private *ours, const struct crypto_dh_public *theirs,
    struct crypto_dh_shared *shared_out)
{
    EVP_PKEY *private_key =
        EVP_PKEY_new_raw_private_key_ex(library->openssl, "X25519", NULL, ours->k, sizeof(ours->k));
    EVP_PKEY *public_key = EVP_PKEY_new_raw_public_key_ex(
        library->openssl, "X25519", NULL, theirs->k, sizeof(theirs->k));
    enum signet_err err;

    if (private_key == NULL || public_key == NULL)
        err = openssl_failure();
    else
        err = derive(private_key, public_key, library, shared_out);
    if (err != SIGNET_OK)
        crypto_wipe(shared_out, sizeof(*shared_out));
    EVP_PKEY_free(public_key);
    EVP_PKEY_free(private_key);
    return err;
}
