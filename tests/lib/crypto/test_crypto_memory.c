/*
 * crypto: every allocation that OpenSSL makes fails in turn. The machine's failure is never taken
 * for a peer's (AUTH, KEY) nor hidden behind a rejection value, and nothing is put out.
 */
#include "tests/support/crypto_unit.h"

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "crypto/aead.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/rsa.h"
#include "tests/support/key_pool.h"

static long fail_at = -1; /* allocations still to succeed; negative: all do */

static bool fails_now(void)
{
    if (fail_at < 0)
        return false;
    return fail_at-- == 0;
}

static void *allocate(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails_now() ? NULL : malloc(len);
}

static void *reallocate(void *old, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails_now() ? NULL : realloc(old, len);
}

static void release(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

struct fixture {
    struct signet_library *library;
    struct crypto_rsa_private *key;
    struct signet_buf signature, wrapped, sealed, pkcs8;
    struct crypto_dh_pair pair;
    struct signet_buf out;
    uint8_t bytes[64];
};

static const struct crypto_aead_key aead_key = {{1}, {2}};
static const struct crypto_oaep_secret secret = {{3}};
static const struct crypto_reject_key reject = {{4}};

static enum signet_err do_sign(struct fixture *f)
{
    return crypto_rsa_sign(f->key, signet_span_str("text"), &f->out);
}

static enum signet_err do_verify(struct fixture *f)
{
    return crypto_rsa_verify(
        crypto_rsa_private_public(f->key), signet_span_str("text"), signet_buf_span(&f->signature));
}

static enum signet_err do_wrap(struct fixture *f)
{
    return crypto_rsa_wrap(crypto_rsa_private_public(f->key), &secret, &f->out);
}

static enum signet_err do_unwrap(struct fixture *f)
{
    struct crypto_oaep_secret given;
    enum signet_err err = crypto_rsa_unwrap(f->key, &reject, signet_buf_span(&f->wrapped), &given);

    if (err == SIGNET_OK)
        assert_memory_equal(&given, &secret, sizeof(given));
    return err;
}

static enum signet_err do_read_public(struct fixture *f)
{
    struct crypto_rsa_public *key = NULL;
    enum signet_err err = crypto_rsa_public_read(
        f->library, crypto_rsa_public_spki(crypto_rsa_private_public(f->key)), &key);

    CHECK((err == SIGNET_OK) == (key != NULL));
    crypto_rsa_public_free(key);
    return err;
}

static enum signet_err do_read_private(struct fixture *f)
{
    struct crypto_rsa_private *key = NULL;
    enum signet_err err = crypto_rsa_private_read(f->library, signet_buf_span(&f->pkcs8), &key);

    CHECK((err == SIGNET_OK) == (key != NULL));
    crypto_rsa_private_free(key);
    /* A key of one's own, and OpenSSL's decoders do not say why they refuse. */
    return err == SIGNET_ERR_KEY ? SIGNET_ERR_CRYPTO : err;
}

static enum signet_err do_write_private(struct fixture *f)
{
    return crypto_rsa_private_write(f->key, &f->out);
}

static enum signet_err do_seal(struct fixture *f)
{
    return crypto_aead_seal(
        f->library, &aead_key, signet_span_str("ad"), signet_span_str("text"), &f->out);
}

static enum signet_err do_open(struct fixture *f)
{
    return crypto_aead_open(
        f->library, &aead_key, signet_span_str("ad"), signet_buf_span(&f->sealed), &f->out);
}

static enum signet_err do_generate(struct fixture *f)
{
    struct crypto_dh_pair pair;

    return crypto_dh_generate(f->library, &pair);
}

static enum signet_err do_agree(struct fixture *f)
{
    struct crypto_dh_shared shared;

    return crypto_dh_agree(f->library, &f->pair.private_key, &f->pair.public_key, &shared);
}

static enum signet_err do_expand(struct fixture *f)
{
    const struct crypto_prk prk = {{5}};

    return crypto_hkdf_expand(f->library, &prk, signet_span_str("label"),
        signet_span_str("context"), (struct crypto_out){f->bytes, sizeof(f->bytes)});
}

static enum signet_err do_extract(struct fixture *f)
{
    struct crypto_prk prk;

    return crypto_hkdf_extract(
        f->library, signet_span_str("salt"), signet_span_str("secret"), &prk);
}

static enum signet_err do_hmac(struct fixture *f)
{
    return crypto_hmac(f->library, signet_span_str("key"), signet_span_str("data"), f->bytes);
}

static enum signet_err do_hash(struct fixture *f)
{
    struct signet_id digest;

    return crypto_sha256_one(f->library, signet_span_str("data"), &digest);
}

static enum signet_err do_library(struct fixture *f)
{
    struct signet_library *library = NULL;
    enum signet_err err = signet_library_new(NULL, &library);

    (void)f;
    CHECK((err == SIGNET_OK) == (library != NULL));
    signet_library_free(library);
    return err;
}

static enum signet_err (*const calls[])(struct fixture *f) = {do_sign, do_verify, do_wrap,
    do_unwrap, do_read_public, do_read_private, do_write_private, do_seal, do_open, do_generate,
    do_agree, do_expand, do_extract, do_hmac, do_hash, do_library};

/* Fail the first, the second, ... allocation until the call needs no more of them. */
static void fail_each_allocation(struct fixture *f, enum signet_err (*call)(struct fixture *f))
{
    enum { ENOUGH = 20000 };

    for (long n = 0; n < ENOUGH; n++) {
        enum signet_err err;
        bool all_done;

        fail_at = n;
        err = call(f);
        all_done = fail_at >= 0;
        fail_at = -1;
        CHECK(ERR_peek_error() == 0);
        CHECK(err == SIGNET_OK || err == SIGNET_ERR_NOMEM || err == SIGNET_ERR_CRYPTO);
        CHECK(err == SIGNET_OK || f->out.len == 0);
        signet_buf_truncate(&f->out, 0);
        if (all_done) {
            CHECK_OK(err);
            return;
        }
    }
    fail_msg("the call never stops allocating");
}

static void no_failed_allocation_is_taken_for_anything_else(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        fail_each_allocation(f, calls[i]);
}

static int fixture_setup(void **state)
{
    static struct fixture f;

    CHECK_OK(signet_library_new(NULL, &f.library));
    f.key = key_pool_take(f.library, 2048, 0);
    CHECK_OK(do_sign(&f));
    CHECK_OK(signet_buf_append(&f.signature, signet_buf_span(&f.out)));
    signet_buf_truncate(&f.out, 0);
    CHECK_OK(crypto_rsa_wrap(crypto_rsa_private_public(f.key), &secret, &f.wrapped));
    CHECK_OK(crypto_aead_seal(
        f.library, &aead_key, signet_span_str("ad"), signet_span_str("text"), &f.sealed));
    CHECK_OK(crypto_rsa_private_write(f.key, &f.pkcs8));
    CHECK_OK(crypto_dh_generate(f.library, &f.pair));
    *state = &f;
    return 0;
}

static int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    signet_buf_free(&f->signature);
    signet_buf_free(&f->wrapped);
    signet_buf_free(&f->sealed);
    signet_buf_free(&f->pkcs8);
    signet_buf_free(&f->out);
    crypto_rsa_private_free(f->key);
    signet_library_free(f->library);
    return 0;
}

TEST_FILE(crypto_memory)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_failed_allocation_is_taken_for_anything_else),
    };

    /* Only possible before OpenSSL's first allocation. */
    if (CRYPTO_set_mem_functions(allocate, reallocate, release) != 1)
        return EXIT_FAILURE;
    return cmocka_run_group_tests_name("crypto_memory", tests, fixture_setup, fixture_teardown);
}
