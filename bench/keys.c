/* RSA keys from products of primes (RFC 8017, section 3.2). */
#include "bench/keys.h"

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "bench/common.h"
#include "tests/support/key_pool.h"

enum { POOL_KEYS_MAX = 140, PRIMES_MAX = 2 * POOL_KEYS_MAX, POOL_FIRST = 1000 };

_Static_assert(BENCH_KEYS_MAX == PRIMES_MAX * (PRIMES_MAX - 1) / 2, "one key per pair");

struct bench_primes {
    BIGNUM *prime[PRIMES_MAX];
    unsigned count;
};

struct bench_primes *bench_primes_new(struct signet_library *library, unsigned key_count)
{
    struct bench_primes *primes = bench_alloc(sizeof(*primes));

    bench_check(key_count <= BENCH_KEYS_MAX, "make so many keys");
    for (; primes->count * (primes->count - 1) / 2 < key_count; primes->count += 2) {
        unsigned i = primes->count / 2;
        struct crypto_rsa_private *key = key_pool_take(library, BENCH_KEY_BITS, POOL_FIRST + i);
        struct signet_buf pkcs8 = {0};
        const uint8_t *at;
        EVP_PKEY *pkey;

        bench_must(crypto_rsa_private_write(key, &pkcs8), "write a key");
        at = pkcs8.ptr;
        pkey = d2i_AutoPrivateKey(NULL, &at, (long)pkcs8.len);
        bench_check(pkey != NULL &&
                        EVP_PKEY_get_bn_param(
                            pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &primes->prime[2 * i]) == 1 &&
                        EVP_PKEY_get_bn_param(
                            pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, &primes->prime[2 * i + 1]) == 1,
            "take a key apart");
        EVP_PKEY_free(pkey);
        signet_buf_free(&pkcs8);
        crypto_rsa_private_free(key);
    }
    return primes;
}

void bench_primes_free(struct bench_primes *primes)
{
    for (unsigned i = 0; i < primes->count; i++)
        BN_free(primes->prime[i]);
    free(primes);
}

enum part { PART_N, PART_E, PART_D, PART_P, PART_Q, PART_DP, PART_DQ, PART_QINV, PART_COUNT };

static const char *const names[PART_COUNT] = {
    [PART_N] = OSSL_PKEY_PARAM_RSA_N,
    [PART_E] = OSSL_PKEY_PARAM_RSA_E,
    [PART_D] = OSSL_PKEY_PARAM_RSA_D,
    [PART_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
    [PART_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
    [PART_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
    [PART_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
    [PART_QINV] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

/* The other parts from E, P and Q. */
static bool complete(BIGNUM *part[PART_COUNT], BN_CTX *work)
{
    BIGNUM *p1 = BN_CTX_get(work), *q1 = BN_CTX_get(work), *order = BN_CTX_get(work);

    return order != NULL && BN_mul(part[PART_N], part[PART_P], part[PART_Q], work) == 1 &&
           BN_sub(p1, part[PART_P], BN_value_one()) == 1 &&
           BN_sub(q1, part[PART_Q], BN_value_one()) == 1 && BN_mul(order, p1, q1, work) == 1 &&
           BN_mod_inverse(part[PART_D], part[PART_E], order, work) != NULL &&
           BN_mod(part[PART_DP], part[PART_D], p1, work) == 1 &&
           BN_mod(part[PART_DQ], part[PART_D], q1, work) == 1 &&
           BN_mod_inverse(part[PART_QINV], part[PART_Q], part[PART_P], work) != NULL;
}

static EVP_PKEY *build(BIGNUM *const part[PART_COUNT])
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;

    bench_check(builder != NULL && context != NULL, "build a key");
    for (unsigned i = 0; i < PART_COUNT; i++)
        bench_check(OSSL_PARAM_BLD_push_BN(builder, names[i], part[i]) == 1, "build a key");
    params = OSSL_PARAM_BLD_to_param(builder);
    bench_check(params != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
                    EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, params) == 1,
        "build a key");
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    return pkey;
}

struct crypto_rsa_private *bench_key(
    struct signet_library *library, const struct bench_primes *primes, unsigned index)
{
    unsigned q = 1, p = index;
    BIGNUM *part[PART_COUNT] = {NULL};
    struct crypto_rsa_private *key = NULL;
    BN_CTX *work = BN_CTX_new();
    PKCS8_PRIV_KEY_INFO *info;
    uint8_t *der = NULL;
    EVP_PKEY *pkey;
    int len;

    for (; p >= q; q++)
        p -= q; /* the pairs with q as the larger index are q many */
    bench_check(q < primes->count && work != NULL, "make a key");
    for (unsigned i = 0; i < PART_COUNT; i++)
        bench_check((part[i] = BN_new()) != NULL, "make a key");
    BN_CTX_start(work);
    bench_check(BN_set_word(part[PART_E], 65537) == 1 &&
                    BN_copy(part[PART_P], primes->prime[p]) != NULL &&
                    BN_copy(part[PART_Q], primes->prime[q]) != NULL && complete(part, work),
        "make a key");
    pkey = build(part);
    info = EVP_PKEY2PKCS8(pkey);
    len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    PKCS8_PRIV_KEY_INFO_free(info);
    bench_must(crypto_rsa_private_read(library, signet_span_of(der, (size_t)len), &key), "read it");
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
    BN_CTX_end(work);
    BN_CTX_free(work);
    for (unsigned i = 0; i < PART_COUNT; i++)
        BN_free(part[i]);
    return key;
}
