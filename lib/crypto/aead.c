/* AES-256-GCM (NIST SP 800-38D). */
#include "crypto/aead.h"

#include "crypto/library_internal.h"
#include "crypto/secret.h"

/* OpenSSL counts in int; longer input goes in by pieces. */
enum { PIECE_MAX = 1 << 30 };

/* Process `in`: as associated data where `out` is NULL, else into `out`. */
static bool update(EVP_CIPHER_CTX *context, uint8_t *out, signet_span in)
{
    size_t done = 0;

    while (done < in.len) {
        int piece = in.len - done > PIECE_MAX ? PIECE_MAX : (int)(in.len - done);
        int written = 0;
        uint8_t *place = out == NULL ? NULL : out + done;

        if (EVP_CipherUpdate(context, place, &written, in.ptr + done, piece) != 1 ||
            written != piece)
            return false;
        done += (size_t)piece;
    }
    return true;
}

enum signet_err crypto_aead_seal(struct signet_library *library, const struct crypto_aead_key *key,
    signet_span ad, signet_span plaintext, struct signet_buf *out)
{
    EVP_CIPHER_CTX *context = NULL;
    enum signet_err err;
    uint8_t *sealed;
    int none = 0;

    if (plaintext.len > SIZE_MAX - CRYPTO_AEAD_TAG_LEN)
        return SIGNET_ERR_NOMEM;
    err = signet_buf_reserve(out, plaintext.len + CRYPTO_AEAD_TAG_LEN);
    if (err != SIGNET_OK)
        return err;
    sealed = out->ptr + out->len;
    context = EVP_CIPHER_CTX_new();
    if (context == NULL ||
        EVP_EncryptInit_ex2(context, library->aes256_gcm, key->key, key->nonce, NULL) != 1 ||
        !update(context, NULL, ad) || !update(context, sealed, plaintext) ||
        EVP_EncryptFinal_ex(context, sealed + plaintext.len, &none) != 1 || none != 0 ||
        EVP_CIPHER_CTX_ctrl(
            context, EVP_CTRL_AEAD_GET_TAG, CRYPTO_AEAD_TAG_LEN, sealed + plaintext.len) != 1)
        err = openssl_failure();
    else
        out->len += plaintext.len + CRYPTO_AEAD_TAG_LEN;
    EVP_CIPHER_CTX_free(context);
    return err;
}

/* Decrypt into `plain`, which holds a plaintext to be trusted only where the result is OK. */
static enum signet_err decrypt(EVP_CIPHER_CTX *context, signet_span ad, signet_span ciphertext,
    const uint8_t *tag, uint8_t *plain)
{
    uint8_t tag_copy[CRYPTO_AEAD_TAG_LEN]; /* OpenSSL's argument is not const */
    int none = 0;

    for (size_t i = 0; i < sizeof(tag_copy); i++)
        tag_copy[i] = tag[i];
    if (!update(context, NULL, ad) || !update(context, plain, ciphertext) ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, CRYPTO_AEAD_TAG_LEN, tag_copy) != 1)
        return openssl_failure();
    if (EVP_DecryptFinal_ex(context, plain + ciphertext.len, &none) != 1 || none != 0) {
        (void)openssl_failure();
        return SIGNET_ERR_AUTH;
    }
    return SIGNET_OK;
}

enum signet_err crypto_aead_open(struct signet_library *library, const struct crypto_aead_key *key,
    signet_span ad, signet_span sealed, struct signet_buf *out)
{
    EVP_CIPHER_CTX *context = NULL;
    signet_span ciphertext;
    enum signet_err err;

    if (sealed.len < CRYPTO_AEAD_TAG_LEN)
        return SIGNET_ERR_AUTH;
    ciphertext = signet_span_of(sealed.ptr, sealed.len - CRYPTO_AEAD_TAG_LEN);
    /* The plaintext is made in the spare room behind out->len, and joins the buffer only when the
     * tag has held. */
    err = signet_buf_reserve(out, sealed.len);
    if (err != SIGNET_OK)
        return err;
    context = EVP_CIPHER_CTX_new();
    if (context == NULL ||
        EVP_DecryptInit_ex2(context, library->aes256_gcm, key->key, key->nonce, NULL) != 1)
        err = openssl_failure();
    else
        err =
            decrypt(context, ad, ciphertext, ciphertext.ptr + ciphertext.len, out->ptr + out->len);
    if (err == SIGNET_OK)
        out->len += ciphertext.len;
    else
        crypto_wipe(out->ptr + out->len, ciphertext.len);
    EVP_CIPHER_CTX_free(context);
    return err;
}
