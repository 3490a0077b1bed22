/* AES-256-GCM beside the classical ciphers, and what becomes of it if a nonce is used twice. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ciphers/letters.h"
#include "crypto/aead.h"
#include "crypto/secret.h"
#include "lab/compare.h"
#include "lab/measure.h"

enum {
    BYTES_BAR = 8, /* byte values in one bar */
    TRIALS = 20000,
    TRIAL_BYTES = 16,
};
static const double YEAR = 365.25 * 86400;
static const char second_message[LAB_NONCE_LEN + 1] = "pay mallory nine hundred euros  ";

static enum signet_err fresh_key(struct signet_library *library, struct crypto_aead_key *key)
{
    enum signet_err err = crypto_random_secret(library, key->key, sizeof(key->key));

    if (err == SIGNET_OK)
        err = crypto_random_public(library, key->nonce, sizeof(key->nonce));
    return err;
}

static void measure(struct lab_row *row)
{
    size_t counts[256] = {0}, len = row->ciphertext.len;

    for (size_t i = 0; i < len; i++) {
        counts[row->ciphertext.ptr[i]]++;
        row->bars[row->ciphertext.ptr[i] / BYTES_BAR]++;
    }
    row->bar_count = LAB_BARS_MAX;
    row->entropy = lab_entropy(counts, 256);
    row->entropy_most = log2(len < 256 ? (double)len : 256);
}

static size_t differing_bits(signet_span a, signet_span b, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++) {
        for (unsigned both = a.ptr[i] ^ b.ptr[i]; both != 0; both &= both - 1)
            count++;
    }
    return count;
}

/* The same text with one letter changed, under the same nonce and under a fresh one. */
static enum signet_err change_letter(struct signet_library *library, signet_span text,
    const struct crypto_aead_key *key, struct lab_row *row)
{
    struct signet_buf changed = {0}, same = {0}, fresh = {0};
    struct crypto_aead_key other = *key;
    signet_span ciphertext = signet_buf_span(&row->ciphertext);
    enum signet_err err = lab_change_letter(text, &changed);

    if (err != SIGNET_OK)
        goto out;
    if ((err = crypto_random_public(library, other.nonce, sizeof(other.nonce))) != SIGNET_OK)
        goto out;
    err = crypto_aead_seal(library, key, (signet_span){0}, signet_buf_span(&changed), &same);
    if (err != SIGNET_OK)
        goto out;
    err = crypto_aead_seal(library, &other, (signet_span){0}, signet_buf_span(&changed), &fresh);
    if (err != SIGNET_OK)
        goto out;
    row->changeable = 8 * ciphertext.len;
    row->changed = differing_bits(ciphertext, signet_buf_span(&fresh), ciphertext.len);
    for (size_t i = 0; i < ciphertext.len; i++)
        *(i < text.len ? &row->changed_same_nonce : &row->changed_tag) +=
            ciphertext.ptr[i] != same.ptr[i];
out:
    crypto_wipe(&other, sizeof(other));
    signet_buf_free(&changed);
    signet_buf_free(&same);
    signet_buf_free(&fresh);
    return err;
}

static enum signet_err flip_bit(
    struct signet_library *library, const struct crypto_aead_key *key, struct lab_row *row)
{
    struct signet_buf read = {0};
    enum signet_err err;

    row->ciphertext.ptr[0] ^= 1;
    err =
        crypto_aead_open(library, key, (signet_span){0}, signet_buf_span(&row->ciphertext), &read);
    row->ciphertext.ptr[0] ^= 1;
    signet_buf_free(&read);
    row->is_refused = err == SIGNET_ERR_AUTH;
    return err == SIGNET_ERR_AUTH ? SIGNET_OK : err;
}

/* Try wrong keys for a moment: the speed with which all of them would have to be tried. */
static enum signet_err try_keys(struct signet_library *library, struct lab_row *row)
{
    struct crypto_aead_key key = {0};
    signet_span sealed =
        signet_span_of(row->ciphertext.ptr, row->ciphertext.len < TRIAL_BYTES + CRYPTO_AEAD_TAG_LEN
                                                ? row->ciphertext.len
                                                : TRIAL_BYTES + CRYPTO_AEAD_TAG_LEN);
    struct signet_buf read = {0};
    double start = lab_seconds();
    enum signet_err err = SIGNET_ERR_AUTH;

    for (uint32_t i = 0; i < TRIALS && err == SIGNET_ERR_AUTH; i++) {
        key.key[0] = (uint8_t)i;
        key.key[1] = (uint8_t)(i >> 8);
        err = crypto_aead_open(library, &key, (signet_span){0}, sealed, &read);
    }
    row->tries = TRIALS;
    row->seconds = lab_seconds() - start;
    row->per_second = (double)TRIALS / row->seconds;
    row->years_power = (row->key_bits - 1) * log10(2) - log10(row->per_second * YEAR);
    signet_buf_free(&read);
    return err == SIGNET_ERR_AUTH ? SIGNET_OK : err;
}

/* Both messages under one key and one nonce, as must never be. */
static enum signet_err reuse_nonce(
    struct signet_library *library, const struct crypto_aead_key *key, struct lab_nonce *nonce)
{
    struct signet_buf sealed = {0};
    enum signet_err err = SIGNET_OK;

    for (size_t i = 0; i < 2 && err == SIGNET_OK; i++) {
        signet_buf_truncate(&sealed, 0);
        err = crypto_aead_seal(library, key, (signet_span){0},
            signet_span_of(nonce->plain[i], LAB_NONCE_LEN), &sealed);
        for (size_t at = 0; err == SIGNET_OK && at < LAB_NONCE_LEN; at++)
            nonce->cipher[i][at] = sealed.ptr[at];
    }
    for (size_t at = 0; at < LAB_NONCE_LEN; at++) {
        nonce->sum[at] = nonce->cipher[0][at] ^ nonce->cipher[1][at];
        nonce->guessed[at] = nonce->sum[at] ^ nonce->plain[0][at];
    }
    signet_buf_free(&sealed);
    return err;
}

/* The first letters of the text, spaces for all else, and a second message of the same length. */
static void choose_messages(signet_span text, struct lab_nonce *nonce)
{
    for (size_t i = 0; i < LAB_NONCE_LEN; i++) {
        bool is_letter = i < text.len && letter_of(text.ptr[i]) < CIPHER_LETTERS;

        nonce->plain[0][i] = is_letter ? text.ptr[i] : ' ';
        nonce->plain[1][i] = (uint8_t)second_message[i];
    }
}

enum signet_err lab_compare_aead(struct signet_library *library, struct lab_comparison *comparison)
{
    struct lab_row *row = &comparison->rows[LAB_AEAD];
    struct crypto_aead_key key;
    enum signet_err err;

    row->name = "aes-256-gcm";
    (void)snprintf(row->key, sizeof(row->key), "random");
    (void)snprintf(row->known, sizeof(row->known), "all of it: nothing of the key");
    row->key_bits = 8 * CRYPTO_AEAD_KEY_LEN;
    if ((err = fresh_key(library, &key)) != SIGNET_OK)
        goto out;
    err = crypto_aead_seal(library, &key, (signet_span){0}, comparison->text, &row->ciphertext);
    if (err != SIGNET_OK)
        goto out;
    measure(row);
    if ((err = change_letter(library, comparison->text, &key, row)) != SIGNET_OK ||
        (err = flip_bit(library, &key, row)) != SIGNET_OK ||
        (err = try_keys(library, row)) != SIGNET_OK)
        goto out;
    /* Not the nonce of the row: the lesson has one of its own. */
    if ((err = crypto_random_public(library, key.nonce, sizeof(key.nonce))) != SIGNET_OK)
        goto out;
    choose_messages(comparison->text, &comparison->nonce);
    err = reuse_nonce(library, &key, &comparison->nonce);
out:
    crypto_wipe(&key, sizeof(key));
    return err;
}
