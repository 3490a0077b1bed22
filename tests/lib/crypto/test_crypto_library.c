/* crypto: the library itself: its cache of checked keys, its contexts, several threads. */
#include "tests/support/crypto_unit.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include "crypto/aead.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/rsa.h"
#include "crypto/secret.h"
#include "tests/support/forge_crypto.h"
#include "tests/support/key_pool.h"

static struct signet_id numbered(size_t number)
{
    struct signet_id id = {{0}};

    memcpy(id.b, &number, sizeof(number));
    return id;
}

/* The cache is bounded; the oldest makes room. */
static void the_cache_forgets_the_oldest_only(void **state)
{
    struct signet_library *library = NULL;
    struct signet_id id;

    (void)state;
    CHECK_OK(signet_library_new(NULL, &library));
    for (size_t i = 0; i < forge_checked_max(); i++) {
        id = numbered(i);
        CHECK(!forge_is_checked(library, &id));
        forge_add_checked(library, &id);
        forge_add_checked(library, &id); /* once is enough */
    }
    id = numbered(0);
    CHECK(forge_is_checked(library, &id));
    id = numbered(forge_checked_max());
    forge_add_checked(library, &id);
    CHECK(forge_is_checked(library, &id));
    for (size_t i = 0; i < forge_checked_max(); i++) {
        id = numbered(i);
        CHECK(forge_is_checked(library, &id) == (i > 0));
    }
    CHECK(forge_checked_count(library) == forge_checked_max());
    signet_library_free(library);
    signet_library_free(NULL);
}

static void a_public_key_is_checked_once(void **state)
{
    struct crypto_rsa_private *pair = key_pool_take(*state, 2048, 0);
    struct crypto_rsa_public *first = NULL;
    struct crypto_rsa_public *second = NULL;
    struct signet_library *library = NULL;
    signet_span spki = crypto_rsa_public_spki(crypto_rsa_private_public(pair));

    CHECK_OK(signet_library_new(NULL, &library));
    CHECK_OK(crypto_rsa_public_read(library, spki, &first));
    CHECK(forge_checked_count(library) == 1);
    CHECK(forge_is_checked(library, crypto_rsa_public_fingerprint(first)));
    CHECK_OK(crypto_rsa_public_read(library, spki, &second));
    CHECK(forge_checked_count(library) == 1);
    crypto_rsa_public_free(first);
    crypto_rsa_public_free(second);
    signet_library_free(library);
    crypto_rsa_private_free(pair);
}

/* library.h: everything comes from the context that the caller gives. */
static void a_context_without_algorithms_is_refused(void **state)
{
    OSSL_LIB_CTX *openssl = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *empty = OSSL_PROVIDER_load(openssl, "null");
    struct signet_library *library = NULL;

    (void)state;
    CHECK(openssl != NULL && empty != NULL);
    CHECK_ERR(signet_library_new(openssl, &library), SIGNET_ERR_CRYPTO);
    CHECK(library == NULL && ERR_peek_error() == 0);
    CHECK(OSSL_PROVIDER_unload(empty) == 1);
    OSSL_LIB_CTX_free(openssl);
}

static void a_context_of_its_own_serves(void **state)
{
    OSSL_LIB_CTX *openssl = OSSL_LIB_CTX_new();
    struct signet_library *library = NULL;
    struct crypto_rsa_private *key;
    struct signet_buf signature = {0};

    (void)state;
    CHECK(openssl != NULL);
    CHECK_OK(signet_library_new(openssl, &library));
    key = key_pool_take(library, 2048, 0);
    CHECK_OK(crypto_rsa_sign(key, signet_span_str("text"), &signature));
    CHECK_OK(crypto_rsa_verify(
        crypto_rsa_private_public(key), signet_span_str("text"), signet_buf_span(&signature)));
    signet_buf_free(&signature);
    crypto_rsa_private_free(key);
    signet_library_free(library);
    OSSL_LIB_CTX_free(openssl);
}

struct shared {
    struct signet_library *library;
    struct crypto_rsa_public *key;
    signet_span signature;
};

static bool round_of_everything(const struct shared *shared)
{
    const struct crypto_aead_key aead_key = {{1}, {2}};
    const struct crypto_prk prk = {{3}};
    struct signet_library *library = shared->library;
    struct crypto_rsa_public *key = NULL;
    struct crypto_dh_pair pair;
    struct crypto_dh_shared agreed;
    struct signet_buf sealed = {0};
    struct signet_buf opened = {0};
    uint8_t bytes[64];
    bool good;

    good =
        crypto_rsa_public_read(library, crypto_rsa_public_spki(shared->key), &key) == SIGNET_OK &&
        crypto_rsa_verify(key, signet_span_str("text"), shared->signature) == SIGNET_OK &&
        crypto_rsa_verify(shared->key, signet_span_str("text"), shared->signature) == SIGNET_OK &&
        crypto_hmac(library, signet_span_str("k"), signet_span_str("d"), bytes) == SIGNET_OK &&
        crypto_random_secret(library, bytes, sizeof(bytes)) == SIGNET_OK &&
        crypto_dh_generate(library, &pair) == SIGNET_OK &&
        crypto_dh_agree(library, &pair.private_key, &pair.public_key, &agreed) == SIGNET_OK &&
        crypto_hkdf_expand(library, &prk, signet_span_str("l"), signet_span_str("c"),
            (struct crypto_out){bytes, sizeof(bytes)}) == SIGNET_OK &&
        crypto_aead_seal(library, &aead_key, signet_span_str("ad"), signet_span_str("text"),
            &sealed) == SIGNET_OK &&
        crypto_aead_open(library, &aead_key, signet_span_str("ad"), signet_buf_span(&sealed),
            &opened) == SIGNET_OK;
    crypto_rsa_public_free(key);
    signet_buf_free(&sealed);
    signet_buf_free(&opened);
    return good;
}

static void *thread_main(void *argument)
{
    const struct shared *shared = argument;
    struct crypto_rsa_public *mine = crypto_rsa_public_share(shared->key);
    bool good = true;

    for (int i = 0; i < 50 && good; i++)
        good = round_of_everything(shared);
    crypto_rsa_public_free(mine);
    return good ? argument : NULL;
}

/* library.h: safe to use from several threads; a public key that is shared is only read. */
static void several_threads_use_one_library(void **state)
{
    enum { THREADS = 4 };
    struct crypto_rsa_private *pair = key_pool_take(*state, 2048, 0);
    struct signet_buf signature = {0};
    struct shared shared = {.key = crypto_rsa_private_public(pair)};
    pthread_t threads[THREADS];
    void *result;

    CHECK_OK(signet_library_new(NULL, &shared.library));
    CHECK_OK(crypto_rsa_sign(pair, signet_span_str("text"), &signature));
    shared.signature = signet_buf_span(&signature);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, thread_main, &shared) == 0);
    for (size_t i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], &result) == 0);
        CHECK(result == &shared);
    }
    CHECK(forge_checked_count(shared.library) == 1);
    signet_library_free(shared.library);
    signet_buf_free(&signature);
    crypto_rsa_private_free(pair);
}

TEST_FILE(crypto_library)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cache_forgets_the_oldest_only),
        cmocka_unit_test(a_public_key_is_checked_once),
        cmocka_unit_test(a_context_without_algorithms_is_refused),
        cmocka_unit_test(a_context_of_its_own_serves),
        cmocka_unit_test(several_threads_use_one_library),
    };

    return cmocka_run_group_tests_name("crypto_library", tests, library_setup, library_teardown);
}
