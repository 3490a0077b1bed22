/*
 * The COSE working group's examples, made by another implementation: the bytes that are signed must
 * be the same here, and none of the examples is of signet's two profiles, so each is refused, with
 * its cause. PS256 over COSE_Sign's Sig_structure is verified with the key given there.
 * Files: vectors/cose in $SIGNET_VECTORS, or in ../shared/vectors beside the sources.
 */
#include "tests/support/unit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "base/hex.h"
#include "crypto/rsa.h"
#include "wire/cose.h"

#define TYP "application/signet-entry+cbor"

enum { PATH_SIZE = 4096 };

/* The example, or NULL where there are no vectors here. */
static json_t *load(const char *name)
{
    const char *folder = getenv("SIGNET_VECTORS");
    char path[PATH_SIZE];
    json_error_t error;
    json_t *example;
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/cose", folder != NULL ? folder : VECTORS_DEFAULT);
    file = fopen(path, "r");
    if (file == NULL)
        return NULL;
    (void)fclose(file);
    (void)snprintf(
        path, sizeof(path), "%s/cose/%s", folder != NULL ? folder : VECTORS_DEFAULT, name);
    example = json_load_file(path, 0, &error);
    if (example == NULL)
        fail_msg("%s: %s", path, error.text);
    return example;
}

/* The bytes of a hexadecimal string in the example; `path` is its keys, joined by '/'. */
static struct signet_buf bytes_at(const json_t *example, const char *path)
{
    struct signet_buf bytes = {0};
    char keys[128], *rest = keys;

    (void)snprintf(keys, sizeof(keys), "%s", path);
    for (const char *key; (key = strsep(&rest, "/")) != NULL;) {
        if (isdigit((unsigned char)key[0]))
            example = json_array_get(example, (size_t)atoi(key));
        else
            example = json_object_get(example, key);
    }
    if (!json_is_string(example))
        fail_msg("%s is missing", path);
    CHECK_OK(hex_decode(json_string_value(example), &bytes));
    return bytes;
}

/* What a COSE_Sign1 of any profile carries; what stands before the array is passed over. */
static void split_sign1(signet_span cose, signet_span *header, signet_span *payload)
{
    struct wire_reader r = wire_reader(cose);

    if (wire_peek(&r) == WIRE_TAG)
        wire_expect_tag(&r, cose.ptr[0] == 0xd2 ? 18 : 998);
    wire_expect_array(&r, 4);
    *header = wire_get_bytes(&r, 0, SIZE_MAX);
    (void)wire_get_item(&r, SIZE_MAX);
    *payload = wire_get_bytes(&r, 0, SIZE_MAX);
    (void)wire_get_bytes(&r, 0, SIZE_MAX);
    CHECK_OK(wire_reader_finish(&r));
}

static const struct example {
    const char *name;
    enum signet_err refusal; /* of signet's reader */
    const char *cause;
    /* What the example's signer put in place of what the finished bytes hold; NULL: nothing. */
    const char *signed_header;
    const char *signed_payload;
    bool has_external_aad;
} examples[] = {
    {"sign-pass-01.json", SIGNET_ERR_PROFILE, "algorithm in the unprotected header", "", NULL,
        false},
    {"sign-pass-02.json", SIGNET_ERR_PROFILE, "ES256 and kid", NULL, NULL, true},
    {"sign-pass-03.json", SIGNET_ERR_FORMAT, "no tag", NULL, NULL, false},
    {"sign-fail-01.json", SIGNET_ERR_FORMAT, "tag 998", NULL, NULL, false},
    {"sign-fail-02.json", SIGNET_ERR_PROFILE, "ES256 and kid", NULL,
        "546869732069732074686520636f6e74656e742e", false},
    {"sign-fail-03.json", SIGNET_ERR_PROFILE, "algorithm -999", "a10126", NULL, false},
    {"sign-fail-04.json", SIGNET_ERR_PROFILE, "algorithm as text", "a10126", NULL, false},
    {"sign-fail-06.json", SIGNET_ERR_PROFILE, "content type added", "a10126", NULL, false},
    {"sign-fail-07.json", SIGNET_ERR_PROFILE, "content type removed", "a201260300", NULL, false},
    {"rsa-pss-01.json", SIGNET_ERR_FORMAT, "COSE_Sign, tag 98", NULL, NULL, false},
};

enum { SIGN1_COUNT = sizeof(examples) / sizeof(examples[0]) - 1 };

static void every_example_is_refused_for_its_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        json_t *example = load(examples[i].name);
        struct signet_buf cose;
        struct cose_sign1 sign1;
        enum signet_err err;

        if (example == NULL)
            skip();
        cose = bytes_at(example, "output/cbor");
        err = cose_sign1_read(signet_buf_span(&cose), TYP, &sign1);
        print_message("%s: %s (%s)\n", examples[i].name, signet_err_text(err), examples[i].cause);
        CHECK_ERR(err, examples[i].refusal);
        signet_buf_free(&cose);
        json_decref(example);
    }
}

/* RFC 9052, section 4.4. An example that was spoilt on purpose says here what was signed. */
static void check_to_be_signed(const struct example *example, const json_t *json)
{
    struct signet_buf cose = bytes_at(json, "output/cbor");
    struct signet_buf wanted = bytes_at(json, "intermediates/ToBeSign_hex");
    struct signet_buf header_signed = {0}, payload_signed = {0}, got = {0};
    signet_span header, payload;

    split_sign1(signet_buf_span(&cose), &header, &payload);
    if (example->signed_header != NULL) {
        CHECK_OK(hex_decode(example->signed_header, &header_signed));
        header = signet_buf_span(&header_signed);
    }
    if (example->signed_payload != NULL) {
        CHECK_OK(hex_decode(example->signed_payload, &payload_signed));
        payload = signet_buf_span(&payload_signed);
    }
    CHECK_OK(cose_to_be_signed(header, payload, &got));
    /* signet has no external_aad, so there it must come out different. */
    if (signet_span_equal(signet_buf_span(&got), signet_buf_span(&wanted)) ==
        example->has_external_aad)
        fail_msg("%s", example->name);
    if (example->has_external_aad)
        print_message("%s: external_aad, which signet has not\n", example->name);
    signet_buf_free(&cose);
    signet_buf_free(&wanted);
    signet_buf_free(&header_signed);
    signet_buf_free(&payload_signed);
    signet_buf_free(&got);
}

static void what_is_signed_is_the_same_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIGN1_COUNT; i++) {
        json_t *json = load(examples[i].name);

        if (json == NULL)
            skip();
        check_to_be_signed(&examples[i], json);
        json_decref(json);
    }
}

/* The SubjectPublicKeyInfo of a modulus and exponent. */
static struct signet_buf spki_of(const struct signet_buf *n, const struct signet_buf *e)
{
    BIGNUM *modulus = BN_bin2bn(n->ptr, (int)n->len, NULL);
    BIGNUM *exponent = BN_bin2bn(e->ptr, (int)e->len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    struct signet_buf spki = {0};
    OSSL_PARAM *params;
    EVP_PKEY *key = NULL;
    uint8_t *der = NULL;
    int len;

    assert_non_null(modulus);
    assert_non_null(exponent);
    assert_non_null(builder);
    assert_non_null(context);
    CHECK(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1);
    CHECK(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1);
    params = OSSL_PARAM_BLD_to_param(builder);
    assert_non_null(params);
    CHECK(EVP_PKEY_fromdata_init(context) == 1);
    CHECK(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
    len = i2d_PUBKEY(key, &der);
    CHECK(len > 0);
    CHECK_OK(signet_buf_append(&spki, signet_span_of(der, (size_t)len)));
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(exponent);
    BN_free(modulus);
    return spki;
}

/* The one signature of a COSE_Sign (RFC 9052, section 4.1). */
static signet_span signature_of(signet_span cose)
{
    struct wire_reader r = wire_reader(cose);
    signet_span signature;

    wire_expect_tag(&r, 98);
    wire_expect_array(&r, 4);
    (void)wire_get_bytes(&r, 0, SIZE_MAX);
    (void)wire_get_item(&r, SIZE_MAX);
    (void)wire_get_bytes(&r, 0, SIZE_MAX);
    wire_expect_array(&r, 1);
    wire_expect_array(&r, 3);
    (void)wire_get_bytes(&r, 0, SIZE_MAX);
    (void)wire_get_item(&r, SIZE_MAX);
    signature = wire_get_bytes(&r, 0, SIZE_MAX);
    CHECK_OK(wire_reader_finish(&r));
    return signature;
}

/* RFC 8230, section 2: PS256 of another implementation. */
static void ps256_of_the_example_verifies(void **state)
{
    json_t *json = load("rsa-pss-01.json");
    struct signet_buf n, e, spki, cose, signed_bytes;
    struct crypto_rsa_public *key = NULL;
    struct signet_library *library = NULL;
    signet_span signature;

    (void)state;
    if (json == NULL)
        skip();
    n = bytes_at(json, "input/sign/signers/0/key/n_hex");
    e = bytes_at(json, "input/sign/signers/0/key/e_hex");
    cose = bytes_at(json, "output/cbor");
    signed_bytes = bytes_at(json, "intermediates/signers/0/ToBeSign_hex");
    spki = spki_of(&n, &e);
    CHECK_OK(signet_library_new(NULL, &library));
    CHECK_OK(crypto_rsa_public_read(library, signet_buf_span(&spki), &key));
    signature = signature_of(signet_buf_span(&cose));
    CHECK_OK(crypto_rsa_verify(key, signet_buf_span(&signed_bytes), signature));
    signed_bytes.ptr[signed_bytes.len - 1] ^= 1;
    CHECK_ERR(crypto_rsa_verify(key, signet_buf_span(&signed_bytes), signature), SIGNET_ERR_AUTH);
    crypto_rsa_public_free(key);
    signet_library_free(library);
    signet_buf_free(&n);
    signet_buf_free(&e);
    signet_buf_free(&spki);
    signet_buf_free(&cose);
    signet_buf_free(&signed_bytes);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_is_refused_for_its_cause),
        cmocka_unit_test(what_is_signed_is_the_same_bytes),
        cmocka_unit_test(ps256_of_the_example_verifies),
    };

    return cmocka_run_group_tests_name("cose_vectors", tests, NULL, NULL);
}
