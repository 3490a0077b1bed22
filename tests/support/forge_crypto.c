/* Keys of lib/crypto that it would not make, and a look at what it keeps to itself. */
#include "tests/support/forge_crypto.h"

#include <stdlib.h>

#include "crypto/rsa_internal.h"

struct signet_library *forge_library_of(const struct crypto_rsa_private *key)
{
    return key->public_key->library;
}

EVP_PKEY *forge_pkey(const struct crypto_rsa_private *key)
{
    return key->pkey;
}

struct crypto_rsa_private *forge_rsa_private(EVP_PKEY *pkey, struct crypto_rsa_public *public_key)
{
    struct crypto_rsa_private *key = calloc(1, sizeof(*key));
    EVP_PKEY **working = calloc(1, sizeof(EVP_PKEY *));

    if (key == NULL || working == NULL || EVP_PKEY_up_ref(pkey) != 1)
        abort();
    key->pkey = pkey;
    key->working = working;
    key->public_key = crypto_rsa_public_share(public_key);
    return key;
}

signet_span forge_modulus(const struct crypto_rsa_public *key)
{
    return rsa_modulus(key);
}

bool forge_is_checked(struct signet_library *library, const struct signet_id *fingerprint)
{
    return library_key_is_checked(library, fingerprint);
}

void forge_add_checked(struct signet_library *library, const struct signet_id *fingerprint)
{
    library_key_add_checked(library, fingerprint);
}

size_t forge_checked_count(const struct signet_library *library)
{
    return library->checked_count;
}

size_t forge_checked_max(void)
{
    return LIBRARY_CHECKED_MAX;
}
