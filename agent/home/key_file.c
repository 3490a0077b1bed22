/* The files that hold a home's keys. */
#include "agent/home/key_file.h"

#include <string.h>

#include "base/hex.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"

static const char magic[] = "SIGNETK1";

enum {
    MAGIC_LEN = sizeof(magic) - 1,
    HEADER_LEN = MAGIC_LEN + 1 + CRYPTO_SCRYPT_SALT_LEN,
    SEALED_FILE_LEN = HEADER_LEN + STORE_KEY_LEN + CRYPTO_AEAD_TAG_LEN,
    PLAIN_FILE_LEN = 2 * STORE_KEY_LEN + 1,
    PEM_LINE_BYTES = 48, /* 64 characters: RFC 7468, section 2 */
};

/* ---- without passphrase ---- */

enum signet_err key_plain_write(const struct store_key *key, struct signet_buf *out)
{
    char line[PLAIN_FILE_LEN + 1];
    enum signet_err err;

    hex_encode(signet_span_of(key->k, sizeof(key->k)), line);
    line[PLAIN_FILE_LEN - 1] = '\n';
    err = signet_buf_append(out, signet_span_of(line, PLAIN_FILE_LEN));
    crypto_wipe(line, sizeof(line));
    return err;
}

enum signet_err key_plain_read(signet_span file, struct store_key *key_out)
{
    char line[PLAIN_FILE_LEN];
    struct signet_buf bytes = {0};
    enum signet_err err;

    if (file.len != PLAIN_FILE_LEN || file.ptr[PLAIN_FILE_LEN - 1] != '\n')
        return SIGNET_ERR_FORMAT;
    memcpy(line, file.ptr, PLAIN_FILE_LEN - 1);
    line[PLAIN_FILE_LEN - 1] = '\0';
    err = hex_decode(line, &bytes);
    if (err == SIGNET_OK && bytes.len != sizeof(key_out->k))
        err = SIGNET_ERR_FORMAT;
    if (err == SIGNET_OK)
        memcpy(key_out->k, bytes.ptr, sizeof(key_out->k));
    crypto_wipe(line, sizeof(line));
    signet_buf_free(&bytes);
    return err;
}

/* ---- with a passphrase ---- */

static enum signet_err stretch(struct signet_library *library, signet_span passphrase,
    const uint8_t header[HEADER_LEN], struct crypto_aead_key *key_out)
{
    return crypto_scrypt(library, passphrase,
        signet_span_of(header + MAGIC_LEN + 1, CRYPTO_SCRYPT_SALT_LEN), header[MAGIC_LEN],
        (struct crypto_out){key_out, sizeof(*key_out)});
}

enum signet_err key_sealed_write(struct signet_library *library, signet_span passphrase,
    const struct store_key *key, struct signet_buf *out)
{
    uint8_t header[HEADER_LEN];
    signet_span ad = signet_span_of(header, sizeof(header));
    struct crypto_aead_key wrap;
    size_t start = out->len;
    enum signet_err err;

    memcpy(header, magic, MAGIC_LEN);
    header[MAGIC_LEN] = CRYPTO_SCRYPT_LOG2_N;
    err = crypto_random_public(library, header + MAGIC_LEN + 1, CRYPTO_SCRYPT_SALT_LEN);
    if (err != SIGNET_OK)
        return err;
    if ((err = stretch(library, passphrase, header, &wrap)) != SIGNET_OK)
        return err;
    if ((err = signet_buf_append(out, ad)) == SIGNET_OK)
        err = crypto_aead_seal(library, &wrap, ad, signet_span_of(key->k, sizeof(key->k)), out);
    if (err != SIGNET_OK)
        signet_buf_truncate(out, start);
    crypto_wipe(&wrap, sizeof(wrap));
    return err;
}

enum signet_err key_sealed_read(struct signet_library *library, signet_span passphrase,
    signet_span file, struct store_key *key_out)
{
    struct crypto_aead_key wrap;
    struct signet_buf key = {0};
    enum signet_err err;

    if (file.len != SEALED_FILE_LEN || memcmp(file.ptr, magic, MAGIC_LEN) != 0 ||
        file.ptr[MAGIC_LEN] < CRYPTO_SCRYPT_LOG2_N || file.ptr[MAGIC_LEN] > KEY_SEALED_LOG2_N_MAX)
        return SIGNET_ERR_AUTH;
    if ((err = stretch(library, passphrase, file.ptr, &wrap)) != SIGNET_OK)
        return err;
    err = crypto_aead_open(library, &wrap, signet_span_of(file.ptr, HEADER_LEN),
        signet_span_from(file, HEADER_LEN), &key);
    if (err == SIGNET_OK)
        memcpy(key_out->k, key.ptr, sizeof(key_out->k));
    crypto_wipe(&wrap, sizeof(wrap));
    signet_buf_free(&key);
    return err;
}

/* ---- PEM ---- */

/* One to three bytes as four characters: RFC 4648, section 4. */
static void base64_group(signet_span bytes, char group[4])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = (uint32_t)bytes.ptr[0] << 16;

    if (bytes.len > 1)
        bits |= (uint32_t)bytes.ptr[1] << 8;
    if (bytes.len > 2)
        bits |= bytes.ptr[2];
    group[0] = alphabet[bits >> 18 & 63];
    group[1] = alphabet[bits >> 12 & 63];
    group[2] = '=';
    group[3] = '=';
    if (bytes.len > 1)
        group[2] = alphabet[bits >> 6 & 63];
    if (bytes.len > 2)
        group[3] = alphabet[bits & 63];
}

static enum signet_err pem_line(signet_span bytes, struct signet_buf *out)
{
    char line[PEM_LINE_BYTES / 3 * 4 + 1];
    size_t len = 0;
    enum signet_err err;

    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;

        base64_group(signet_span_of(bytes.ptr + i, left < 3 ? left : 3), line + len);
        len += 4;
    }
    line[len++] = '\n';
    err = signet_buf_append(out, signet_span_of(line, len));
    crypto_wipe(line, sizeof(line));
    return err;
}

enum signet_err key_pem_write(signet_span pkcs8, struct signet_buf *out)
{
    size_t start = out->len;
    enum signet_err err;

    err = signet_buf_append(out, signet_span_str("-----BEGIN PRIVATE KEY-----\n"));
    for (size_t i = 0; i < pkcs8.len && err == SIGNET_OK; i += PEM_LINE_BYTES) {
        size_t left = pkcs8.len - i;

        err = pem_line(
            signet_span_of(pkcs8.ptr + i, left < PEM_LINE_BYTES ? left : PEM_LINE_BYTES), out);
    }
    if (err == SIGNET_OK)
        err = signet_buf_append(out, signet_span_str("-----END PRIVATE KEY-----\n"));
    if (err != SIGNET_OK)
        signet_buf_truncate(out, start);
    return err;
}
