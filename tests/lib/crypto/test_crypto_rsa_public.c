/* crypto: which public RSA keys are accepted: one encoding, three sizes, one exponent. */
#include "tests/support/crypto_unit.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "crypto/rsa.h"
#include "tests/support/key_pool.h"
#include "tests/support/spki.h"

static const uint8_t e_65537[] = {0x01, 0x00, 0x01};

/* A good key of 2048 bits; tests change one thing of it. modulus[0] is the leading zero. */
struct good_key {
    struct crypto_rsa_private *key;
    uint8_t modulus[257];
    struct spki_parts parts;
};

static struct good_key good_key(struct signet_library *library)
{
    struct good_key good = {.key = key_pool_take(library, 2048, 0)};
    signet_span spki = crypto_rsa_public_spki(crypto_rsa_private_public(good.key));

    memcpy(good.modulus, spki.ptr + spki.len - 5 - 257, 257);
    good.parts.algorithm = spki_rsa_encryption();
    good.parts.exponent = signet_span_of(e_65537, sizeof(e_65537));
    return good;
}

/* Refused by comparing bytes alone: without a library there is nothing to parse or compute with. */
static void check_refused_cheaply(signet_span spki)
{
    struct crypto_rsa_public *key = NULL;

    CHECK_ERR(crypto_rsa_public_read(NULL, spki, &key), SIGNET_ERR_KEY);
    CHECK(key == NULL);
}

static void check_parts_refused_cheaply(const struct spki_parts *parts)
{
    struct signet_buf spki = spki_build(parts);

    check_refused_cheaply(signet_buf_span(&spki));
    signet_buf_free(&spki);
}

/* The builder's good key is accepted: so whatever a test below changes is why it is refused. */
static void a_key_built_by_hand_is_accepted(void **state)
{
    struct good_key good = good_key(*state);
    struct crypto_rsa_public *key = NULL;
    struct signet_buf spki;

    good.parts.modulus = signet_span_of(good.modulus, sizeof(good.modulus));
    spki = spki_build(&good.parts);
    CHECK_OK(crypto_rsa_public_read(*state, signet_buf_span(&spki), &key));
    CHECK(signet_span_equal(crypto_rsa_public_spki(key), signet_buf_span(&spki)));
    CHECK(crypto_rsa_public_size(key) == 256);
    crypto_rsa_public_free(key);
    signet_buf_free(&spki);
    crypto_rsa_private_free(good.key);
}

/* RFC 3279, section 2.3.1: the bytes are those that OpenSSL writes for the same key. */
static void the_encoding_is_that_of_openssl(void **state)
{
    static const unsigned sizes[] = {2048, 3072, 4096};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct crypto_rsa_private *key = key_pool_take(*state, sizes[i], 0);
        struct signet_buf pkcs8 = {0};
        const unsigned char *at;
        unsigned char *der = NULL;
        EVP_PKEY *pkey;
        int len;

        CHECK_OK(crypto_rsa_private_write(key, &pkcs8));
        at = pkcs8.ptr;
        pkey = d2i_AutoPrivateKey(NULL, &at, (long)pkcs8.len);
        len = i2d_PUBKEY(pkey, &der);
        CHECK(len > 0 && (size_t)len <= CRYPTO_RSA_SPKI_MAX);
        CHECK(signet_span_equal(crypto_rsa_public_spki(crypto_rsa_private_public(key)),
            signet_span_of(der, (size_t)len)));
        OPENSSL_free(der);
        EVP_PKEY_free(pkey);
        signet_buf_free(&pkcs8);
        crypto_rsa_private_free(key);
    }
}

static void a_key_is_shared_until_its_last_owner_frees_it(void **state)
{
    struct crypto_rsa_private *pair = key_pool_take(*state, 2048, 0);
    struct crypto_rsa_public *key = crypto_rsa_public_share(crypto_rsa_private_public(pair));
    struct signet_id fingerprint = *crypto_rsa_public_fingerprint(key);

    CHECK(crypto_rsa_public_share(NULL) == NULL);
    crypto_rsa_private_free(pair);
    CHECK(signet_id_equal(crypto_rsa_public_fingerprint(key), &fingerprint));
    crypto_rsa_public_free(key);
    crypto_rsa_public_free(NULL);
}

/* e = 65537 and no other; e = 1, 3, even, huge, negative or zero come from attackers. */
static void other_exponents_are_refused_cheaply(void **state)
{
    static const char *const exponents[] = {"", "00", "01", "02", "03", "11", "010000", "010002",
        "010003", "00010001", "000001", "810001", "ff", "0100000001", "0100010000000000000001"};
    struct good_key good = good_key(*state);

    good.parts.modulus = signet_span_of(good.modulus, sizeof(good.modulus));
    for (size_t i = 0; i < sizeof(exponents) / sizeof(exponents[0]); i++) {
        struct signet_buf exponent = from_hex(exponents[i]);

        good.parts.exponent = signet_buf_span(&exponent);
        check_parts_refused_cheaply(&good.parts);
        signet_buf_free(&exponent);
    }
    crypto_rsa_private_free(good.key);
}

/* 2048, 3072 or 4096 bits; a modulus of 16384 bits makes whoever checks it work. */
static void other_sizes_are_refused_cheaply(void **state)
{
    static const size_t bits[] = {
        8, 512, 1024, 1536, 2040, 2047, 2049, 2056, 3071, 3073, 4095, 4097, 4104, 8192, 16384};
    struct good_key good = good_key(*state);
    uint8_t modulus[2049];

    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        size_t len = bits[i] / 8 + 1; /* room for the sign */

        memset(modulus, 0x5b, sizeof(modulus));
        modulus[0] = (uint8_t)(bits[i] % 8 == 0 ? 0 : 1U << (bits[i] % 8 - 1));
        if (bits[i] % 8 == 0)
            modulus[1] |= 0x80;
        good.parts.modulus = signet_span_of(modulus, len);
        check_parts_refused_cheaply(&good.parts);
    }
    crypto_rsa_private_free(good.key);
}

/* X.690, section 8.3: an INTEGER has no needless zeros, and its first bit is its sign. */
static void other_encodings_of_the_modulus_are_refused_cheaply(void **state)
{
    struct good_key good = good_key(*state);
    uint8_t longer[258] = {0};

    memcpy(longer + 1, good.modulus, sizeof(good.modulus));
    good.parts.modulus = signet_span_of(longer, sizeof(longer)); /* a zero too many */
    check_parts_refused_cheaply(&good.parts);
    good.parts.modulus = signet_span_of(good.modulus + 1, 256); /* negative */
    check_parts_refused_cheaply(&good.parts);
    good.modulus[0] = 0xff; /* negative, of the right length */
    good.parts.modulus = signet_span_of(good.modulus, sizeof(good.modulus));
    check_parts_refused_cheaply(&good.parts);
    good.parts.modulus = signet_span_of(NULL, 0);
    check_parts_refused_cheaply(&good.parts);
    crypto_rsa_private_free(good.key);
}

/* The right length, yet below 2^2047: a key of fewer bits with zeros in front. */
static void a_modulus_without_its_highest_bit_is_refused(void **state)
{
    struct good_key good = good_key(*state);
    struct crypto_rsa_public *key = NULL;
    struct signet_buf spki;

    good.modulus[1] &= 0x7f;
    good.parts.modulus = signet_span_of(good.modulus, sizeof(good.modulus));
    spki = spki_build(&good.parts);
    CHECK_ERR(crypto_rsa_public_read(*state, signet_buf_span(&spki), &key), SIGNET_ERR_KEY);
    signet_buf_free(&spki);
    crypto_rsa_private_free(good.key);
}

/* RSASSA-PSS and RSAES-OAEP keys, missing NULL (RFC 3279: it must be there), another NULL, more. */
static void other_algorithms_are_refused_cheaply(void **state)
{
    static const char *const algorithms[] = {
        "06092a864886f70d01010a",         /* id-RSASSA-PSS without parameters */
        "06092a864886f70d01010a0500",     /* and with NULL */
        "06092a864886f70d01010a3000",     /* and with the defaults (SHA-1) */
        "06092a864886f70d0101070500",     /* id-RSAES-OAEP */
        "06092a864886f70d01010b0500",     /* sha256WithRSAEncryption */
        "06092a864886f70d010101",         /* rsaEncryption, missing NULL */
        "06092a864886f70d01010105810000", /* NULL with a long length */
        "06092a864886f70d0101013000",     /* an empty SEQUENCE for NULL */
        "06092a864886f70d01010105000500", /* NULL twice */
        "",
    };
    struct good_key good = good_key(*state);

    good.parts.modulus = signet_span_of(good.modulus, sizeof(good.modulus));
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        struct signet_buf algorithm = from_hex(algorithms[i]);

        good.parts.algorithm = signet_buf_span(&algorithm);
        check_parts_refused_cheaply(&good.parts);
        signet_buf_free(&algorithm);
    }
    crypto_rsa_private_free(good.key);
}

/* The same key under another address: OpenSSL takes trailing bytes. */
static void trailing_and_missing_bytes_are_refused_cheaply(void **state)
{
    struct good_key good = good_key(*state);
    signet_span spki = crypto_rsa_public_spki(crypto_rsa_private_public(good.key));
    struct signet_buf longer = {0};

    for (size_t len = 0; len < spki.len; len++)
        check_refused_cheaply(signet_span_of(spki.ptr, len));
    CHECK_OK(signet_buf_append(&longer, spki));
    for (size_t more = 0; more < 300; more++) {
        CHECK_OK(signet_buf_fill(&longer, 0, 1));
        check_refused_cheaply(signet_buf_span(&longer));
    }
    check_refused_cheaply(signet_span_of(NULL, 0));
    signet_buf_free(&longer);
    crypto_rsa_private_free(good.key);
}

/* X.690, section 10.1: lengths as short as possible, never indefinite; each framing byte counts. */
static void any_flipped_bit_of_the_frame_is_refused_cheaply(void **state)
{
    struct good_key good = good_key(*state);
    signet_span spki = crypto_rsa_public_spki(crypto_rsa_private_public(good.key));
    uint8_t changed[CRYPTO_RSA_SPKI_MAX];

    memcpy(changed, spki.ptr, spki.len);
    for (size_t bit = 0; bit < spki.len * 8; bit++) {
        if (bit / 8 >= 33 && bit / 8 < spki.len - 5)
            continue; /* the modulus */
        changed[bit / 8] ^= (uint8_t)(1U << bit % 8);
        check_refused_cheaply(signet_span_of(changed, spki.len));
        changed[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    crypto_rsa_private_free(good.key);
}

static void check_modulus_refused(struct signet_library *library, const BIGNUM *modulus)
{
    struct spki_parts parts = {.algorithm = spki_rsa_encryption()};
    struct crypto_rsa_public *key = NULL;
    struct signet_buf spki;
    uint8_t bytes[257];

    CHECK(BN_num_bits(modulus) == 2048);
    CHECK(BN_bn2binpad(modulus, bytes, sizeof(bytes)) == sizeof(bytes));
    parts.modulus = signet_span_of(bytes, sizeof(bytes));
    parts.exponent = signet_span_of(e_65537, sizeof(e_65537));
    spki = spki_build(&parts);
    /* The second time too: only what passed is remembered. */
    for (int i = 0; i < 2; i++) {
        CHECK_ERR(crypto_rsa_public_read(library, signet_buf_span(&spki), &key), SIGNET_ERR_KEY);
        CHECK(key == NULL);
        CHECK(ERR_peek_error() == 0);
    }
    signet_buf_free(&spki);
}

/* NIST SP 800-56B, section 6.4.2.2: n is odd, composite, and has no small factor. */
static void a_modulus_of_no_use_is_refused(void **state)
{
    struct good_key good = good_key(*state);
    BIGNUM *n = BN_bin2bn(good.modulus, sizeof(good.modulus), NULL);
    BIGNUM *prime = BN_get_rfc3526_prime_2048(NULL);

    CHECK(n != NULL && prime != NULL);
    CHECK(BN_sub_word(n, BN_mod_word(n, 6)) == 1);
    check_modulus_refused(*state, n); /* even */
    CHECK(BN_add_word(n, 3) == 1);
    check_modulus_refused(*state, n); /* odd multiple of 3 */
    check_modulus_refused(*state, prime);
    BN_free(prime);
    BN_free(n);
    crypto_rsa_private_free(good.key);
}

TEST_FILE(crypto_rsa_public)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_built_by_hand_is_accepted),
        cmocka_unit_test(the_encoding_is_that_of_openssl),
        cmocka_unit_test(a_key_is_shared_until_its_last_owner_frees_it),
        cmocka_unit_test(other_exponents_are_refused_cheaply),
        cmocka_unit_test(other_sizes_are_refused_cheaply),
        cmocka_unit_test(other_encodings_of_the_modulus_are_refused_cheaply),
        cmocka_unit_test(a_modulus_without_its_highest_bit_is_refused),
        cmocka_unit_test(other_algorithms_are_refused_cheaply),
        cmocka_unit_test(trailing_and_missing_bytes_are_refused_cheaply),
        cmocka_unit_test(any_flipped_bit_of_the_frame_is_refused_cheaply),
        cmocka_unit_test(a_modulus_of_no_use_is_refused),
    };

    return cmocka_run_group_tests_name("crypto_rsa_public", tests, library_setup, library_teardown);
}
