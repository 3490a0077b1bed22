/* SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104). */
#include "crypto/hash.h"

#include <string.h>

#include "crypto/library_internal.h"
#include "crypto/secret.h"

static bool update_all(EVP_MD_CTX *context, const signet_span *parts, size_t part_count)
{
    for (size_t i = 0; i < part_count; i++)
        if (parts[i].len > 0 && EVP_DigestUpdate(context, parts[i].ptr, parts[i].len) != 1)
            return false;
    return true;
}

enum signet_err crypto_sha256(struct signet_library *library, const signet_span *parts,
    size_t part_count, struct signet_id *out)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    enum signet_err err = SIGNET_OK;
    struct signet_id digest;

    if (context == NULL || EVP_DigestInit_ex2(context, library->sha256, NULL) != 1 ||
        !update_all(context, parts, part_count) || EVP_DigestFinal_ex(context, digest.b, NULL) != 1)
        err = openssl_failure();
    else
        *out = digest;
    crypto_wipe(&digest, sizeof(digest));
    EVP_MD_CTX_free(context);
    return err;
}

enum signet_err crypto_sha256_one(
    struct signet_library *library, signet_span part, struct signet_id *out)
{
    return crypto_sha256(library, &part, 1, out);
}

enum signet_err crypto_hmac(
    struct signet_library *library, signet_span key, signet_span data, uint8_t out[CRYPTO_MAC_LEN])
{
    /* A NULL key would mean "the key as before" to OpenSSL. */
    static const uint8_t no_key[1];
    EVP_MAC_CTX *context = EVP_MAC_CTX_dup(library->hmac_sha256);
    enum signet_err err = SIGNET_OK;
    uint8_t mac[CRYPTO_MAC_LEN];
    size_t len = 0;

    if (context == NULL ||
        EVP_MAC_init(context, key.len == 0 ? no_key : key.ptr, key.len, NULL) != 1 ||
        (data.len > 0 && EVP_MAC_update(context, data.ptr, data.len) != 1) ||
        EVP_MAC_final(context, mac, &len, sizeof(mac)) != 1 || len != sizeof(mac))
        err = openssl_failure();
    else
        memcpy(out, mac, sizeof(mac));
    crypto_wipe(mac, sizeof(mac));
    EVP_MAC_CTX_free(context);
    return err;
}
