/* EVP calls with keys made once. */
#include "bench/raw.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "bench/common.h"

enum { SEAL_LEN = 512, HKDF_LEN = 76 };

static struct {
    EVP_PKEY *rsa, *dh, *peer;
    EVP_CIPHER *gcm;
    EVP_KDF *hkdf;
    EVP_MD *sha256;
    unsigned char message[SEAL_LEN], signature[512], wrapped[512];
    size_t signature_len, wrapped_len;
} raw;

static void must(int holds, const char *what)
{
    bench_check(holds == 1, what);
}

static void sign(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key = NULL;

    raw.signature_len = sizeof(raw.signature);
    must(EVP_DigestSignInit(context, &key, raw.sha256, NULL, raw.rsa) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(key, 32) == 1 &&
             EVP_DigestSign(context, raw.signature, &raw.signature_len, raw.message, SEAL_LEN) == 1,
        "sign");
    EVP_MD_CTX_free(context);
}

static void verify(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key = NULL;

    must(
        EVP_DigestVerifyInit(context, &key, raw.sha256, NULL, raw.rsa) == 1 &&
            EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(key, 32) == 1 &&
            EVP_DigestVerify(context, raw.signature, raw.signature_len, raw.message, SEAL_LEN) == 1,
        "verify");
    EVP_MD_CTX_free(context);
}

static void set_oaep(EVP_PKEY_CTX *context)
{
    must(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_oaep_md(context, raw.sha256) == 1 &&
             EVP_PKEY_CTX_set_rsa_mgf1_md(context, raw.sha256) == 1,
        "choose OAEP");
}

static void wrap(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(raw.rsa, NULL);

    raw.wrapped_len = sizeof(raw.wrapped);
    must(EVP_PKEY_encrypt_init(context), "wrap");
    set_oaep(context);
    must(EVP_PKEY_encrypt(context, raw.wrapped, &raw.wrapped_len, raw.message, 32), "wrap");
    EVP_PKEY_CTX_free(context);
}

static void unwrap(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(raw.rsa, NULL);
    unsigned char secret[512];
    size_t len = sizeof(secret);

    must(EVP_PKEY_decrypt_init(context), "unwrap");
    set_oaep(context);
    must(EVP_PKEY_decrypt(context, secret, &len, raw.wrapped, raw.wrapped_len), "unwrap");
    EVP_PKEY_CTX_free(context);
}

static void dh_key(void)
{
    EVP_PKEY_free(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"));
}

static void dh(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(raw.dh, NULL);
    unsigned char secret[32];
    size_t len = sizeof(secret);

    must(EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer(context, raw.peer) == 1 &&
             EVP_PKEY_derive(context, secret, &len) == 1,
        "derive");
    EVP_PKEY_CTX_free(context);
}

static void seal(void)
{
    static const unsigned char key[32], nonce[12];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char out[SEAL_LEN], tag[16];
    int len;

    must(EVP_EncryptInit_ex2(context, raw.gcm, key, nonce, NULL) == 1 &&
             EVP_EncryptUpdate(context, out, &len, raw.message, SEAL_LEN) == 1 &&
             EVP_EncryptFinal_ex(context, tag, &len) == 1 &&
             EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, sizeof(tag), tag) == 1,
        "seal");
    EVP_CIPHER_CTX_free(context);
}

static void hkdf(void)
{
    char digest[] = "SHA256";
    unsigned char key[32] = {1}, out[HKDF_LEN];
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(raw.hkdf);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int("mode", &mode),
        OSSL_PARAM_construct_utf8_string("digest", digest, 0),
        OSSL_PARAM_construct_octet_string("key", key, sizeof(key)),
        OSSL_PARAM_construct_octet_string("info", key, 20),
        OSSL_PARAM_construct_end(),
    };

    must(EVP_KDF_derive(context, out, sizeof(out), params), "expand");
    EVP_KDF_CTX_free(context);
}

static void (*const operations[RAW_COUNT])(void) = {
    [RAW_SIGN] = sign,
    [RAW_VERIFY] = verify,
    [RAW_WRAP] = wrap,
    [RAW_UNWRAP] = unwrap,
    [RAW_DH_KEY] = dh_key,
    [RAW_DH] = dh,
    [RAW_SEAL] = seal,
    [RAW_HKDF] = hkdf,
};

void raw_run(enum raw_operation which)
{
    operations[which]();
}

void raw_begin(void)
{
    raw.rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072);
    raw.dh = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    raw.peer = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    raw.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    raw.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    raw.sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    bench_check(raw.rsa != NULL && raw.dh != NULL && raw.peer != NULL && raw.gcm != NULL &&
                    raw.hkdf != NULL && raw.sha256 != NULL,
        "make keys");
    sign();
    wrap();
}

void raw_end(void)
{
    EVP_PKEY_free(raw.rsa);
    EVP_PKEY_free(raw.dh);
    EVP_PKEY_free(raw.peer);
    EVP_CIPHER_free(raw.gcm);
    EVP_KDF_free(raw.hkdf);
    EVP_MD_free(raw.sha256);
}
