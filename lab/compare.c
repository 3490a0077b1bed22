/* One text through every classical cipher: the measuring. */
#include "lab/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ciphers/letters.h"
#include "ciphers/transposition.h"
#include "lab/measure.h"

static const double BROKEN = 0.9; /* of the letters */

static const char *const sample_keys[CIPHER_COUNT] = {
    [CIPHER_CAESAR] = "3",
    [CIPHER_AFFINE] = "5,8",
    [CIPHER_MONOALPHABETIC] = "ZEBRAS",
    [CIPHER_VIGENERE] = "LEMON",
    [CIPHER_COLUMNAR] = "ZEBRAS",
    [CIPHER_RAILFENCE] = "3",
};

struct cipher_key lab_sample_key(enum cipher_kind kind)
{
    struct cipher_key key = {.kind = kind};
    char problem[CIPHER_PROBLEM_SIZE];

    if (cipher_key_parse(kind, sample_keys[kind], &key, problem) != SIGNET_OK)
        key.kind = kind; /* the keys above are good */
    return key;
}

/* ---- what is measured of one cipher ---- */

static enum signet_err break_it(
    const struct cipher_model *model, signet_span text, enum cipher_kind kind, struct lab_row *row)
{
    struct crack_options options = {.seed = 1};
    struct crack_result result;
    struct signet_buf read = {0};
    double start = lab_seconds();
    enum signet_err err = crack(model, kind, signet_buf_span(&row->ciphertext), &options, &result);

    row->seconds = lab_seconds() - start;
    if (err == SIGNET_ERR_ARGUMENT)
        return SIGNET_OK; /* too short: not broken */
    if (err != SIGNET_OK)
        return err;
    row->tries = result.tries;
    err = cipher_apply(
        &result.candidates[0].key, CIPHER_DECRYPT, signet_buf_span(&row->ciphertext), &read);
    if (err == SIGNET_OK)
        row->is_broken = (double)lab_differing(signet_buf_span(&read), text) <=
                         (1 - BROKEN) * (double)letters_count(text);
    signet_buf_free(&read);
    return err;
}

/* How much of the ciphertext is another then? */
static enum signet_err change_letter(
    signet_span text, const struct cipher_key *key, struct lab_row *row)
{
    struct signet_buf changed = {0}, other = {0};
    enum signet_err err = lab_change_letter(text, &changed);

    if (err == SIGNET_OK)
        err = cipher_apply(key, CIPHER_ENCRYPT, signet_buf_span(&changed), &other);
    if (err == SIGNET_OK)
        row->changed = lab_differing(signet_buf_span(&other), signet_buf_span(&row->ciphertext));
    row->changeable = letters_count(text);
    signet_buf_free(&changed);
    signet_buf_free(&other);
    return err;
}

/* Flip a bit of the first letter, one that leaves it a letter, decrypt, and count what is wrong. */
static enum signet_err flip_bit(signet_span text, const struct cipher_key *key, struct lab_row *row)
{
    struct signet_buf flipped = {0}, read = {0};
    enum signet_err err = signet_buf_append(&flipped, signet_buf_span(&row->ciphertext));
    size_t at = 0;
    uint8_t bit = 1;

    if (err == SIGNET_OK) {
        while (letter_of(flipped.ptr[at]) == CIPHER_LETTERS)
            at++;
        while (letter_of(flipped.ptr[at] ^ bit) == CIPHER_LETTERS)
            bit = (uint8_t)(bit << 1); /* each letter has one below 32 */
        flipped.ptr[at] ^= bit;
        err = cipher_apply(key, CIPHER_DECRYPT, signet_buf_span(&flipped), &read);
    }
    if (err == SIGNET_OK)
        row->wrong = lab_differing(signet_buf_span(&read), text);
    signet_buf_free(&flipped);
    signet_buf_free(&read);
    return err;
}

/* ---- known plaintext ---- */

static struct cipher_key first_key(const struct cipher_key *like)
{
    struct cipher_key key = {.kind = like->kind};

    switch (key.kind) {
    case CIPHER_AFFINE: key.as.affine.factor = 1; break;
    case CIPHER_RAILFENCE: key.as.rails = 2; break;
    case CIPHER_COLUMNAR:
        key.as.columns[0].count = like->as.columns[0].count;
        for (uint8_t i = 0; i < key.as.columns[0].count; i++)
            key.as.columns[0].rank[i] = i;
        break;
    default: break;
    }
    return key;
}

/* The next key of the same form, for ciphers of few; false after the last. */
static bool next_key(struct cipher_key *key, size_t letters)
{
    static const uint8_t factors[] = {1, 3, 5, 7, 9, 11, 15, 17, 19, 21, 23, 25, 0};
    size_t at = 0;

    switch (key->kind) {
    case CIPHER_CAESAR: return ++key->as.shift < CIPHER_LETTERS;
    case CIPHER_AFFINE:
        if (++key->as.affine.shift < CIPHER_LETTERS)
            return true;
        key->as.affine.shift = 0;
        while (factors[at] != key->as.affine.factor)
            at++;
        key->as.affine.factor = factors[at + 1];
        return factors[at + 1] != 0;
    case CIPHER_COLUMNAR: return transposition_next_order(&key->as.columns[0]);
    /* With as many rails as letters, or more, nothing moves: those are one key. */
    case CIPHER_RAILFENCE: return key->as.rails++ < letters && key->as.rails <= CIPHER_RAILS_MAX;
    default: return false;
    }
}

/* How many letters from the beginning two texts have in common. */
static size_t common(signet_span a, signet_span b)
{
    size_t letters = 0;

    for (size_t i = 0; i < a.len && i < b.len && a.ptr[i] == b.ptr[i]; i++)
        letters += letter_of(a.ptr[i]) < CIPHER_LETTERS;
    return letters;
}

/* After how many known letters only the true key is left: all other keys are tried. */
static enum signet_err letters_to_key(
    signet_span text, const struct cipher_key *key, struct lab_row *row)
{
    struct cipher_key other = first_key(key);
    struct signet_buf read = {0};
    size_t letters = letters_count(text), most = 0, left = 0, needed;
    enum signet_err err = SIGNET_OK;

    do {
        size_t same;

        signet_buf_truncate(&read, 0);
        err = cipher_apply(&other, CIPHER_DECRYPT, signet_buf_span(&row->ciphertext), &read);
        same = err == SIGNET_OK ? common(signet_buf_span(&read), text) : 0;
        left += same == letters;
        if (same < letters && same > most)
            most = same;
    } while (err == SIGNET_OK && next_key(&other, letters));
    needed = left > 1 ? letters : most + 1;
    if (left > 1)
        (void)snprintf(row->known, sizeof(row->known), "%zu %s: %zu keys are left", needed,
            needed == 1 ? "letter" : "letters", left);
    else
        (void)snprintf(row->known, sizeof(row->known), "%zu %s: the whole key", needed,
            needed == 1 ? "letter" : "letters");
    signet_buf_free(&read);
    return err;
}

static enum signet_err known_plaintext(
    signet_span text, const struct cipher_key *key, struct lab_row *row)
{
    size_t counts[LAB_BARS_MAX] = {0}, different = 0, letters = letters_count(text);

    switch (key->kind) {
    case CIPHER_MONOALPHABETIC:
        lab_count_letters(text, counts);
        for (size_t i = 0; i < CIPHER_LETTERS; i++)
            different += counts[i] > 0;
        (void)snprintf(
            row->known, sizeof(row->known), "all of it: %zu of 26 of the key", different);
        return SIGNET_OK;
    case CIPHER_VIGENERE:
        different = key->as.vigenere.period;
        letters = letters < different ? letters : different;
        (void)snprintf(row->known, sizeof(row->known), "%zu %s: %zu of %zu of the key", letters,
            letters == 1 ? "letter" : "letters", letters, different);
        return SIGNET_OK;
    default: return letters_to_key(text, key, row);
    }
}

/* ---- the whole ---- */

static enum signet_err compare_one(
    const struct cipher_model *model, signet_span text, enum cipher_kind kind, struct lab_row *row)
{
    struct cipher_key key = lab_sample_key(kind);
    size_t letters = letters_count(text);
    enum signet_err err;

    row->name = cipher_name(kind);
    (void)snprintf(row->key, sizeof(row->key), "%s", sample_keys[kind]);
    if ((err = cipher_apply(&key, CIPHER_ENCRYPT, text, &row->ciphertext)) != SIGNET_OK)
        return err;
    row->bar_count = CIPHER_LETTERS;
    lab_count_letters(signet_buf_span(&row->ciphertext), row->bars);
    row->coincidence = lab_coincidence(row->bars);
    row->entropy = lab_entropy(row->bars, CIPHER_LETTERS);
    row->entropy_most = log2((double)(letters < CIPHER_LETTERS ? letters : CIPHER_LETTERS));
    row->letters = letters;
    row->key_bits = cipher_key_bits(&key);
    if (kind == CIPHER_RAILFENCE && letters <= CIPHER_RAILS_MAX) /* more rails are no more keys */
        row->key_bits = letters < 3 ? 0 : log2((double)letters - 1);
    row->needed = crack_unicity(&key);
    if ((err = break_it(model, text, kind, row)) != SIGNET_OK ||
        (err = change_letter(text, &key, row)) != SIGNET_OK ||
        (err = flip_bit(text, &key, row)) != SIGNET_OK)
        return err;
    return known_plaintext(text, &key, row);
}

enum signet_err lab_compare(
    struct signet_library *library, signet_span text, struct lab_comparison *comparison)
{
    struct cipher_model *model = NULL;
    enum signet_err err = cipher_model_new(&model);

    comparison->text = text;
    comparison->letters = letters_count(text);
    lab_count_letters(text, comparison->bars);
    comparison->coincidence = lab_coincidence(comparison->bars);
    for (unsigned kind = 0; err == SIGNET_OK && kind < CIPHER_COUNT; kind++)
        err = compare_one(model, text, (enum cipher_kind)kind, &comparison->rows[kind]);
    cipher_model_free(model);
    return err == SIGNET_OK ? lab_compare_aead(library, comparison) : err;
}

void lab_comparison_free(struct lab_comparison *comparison)
{
    for (size_t i = 0; i < LAB_ROWS; i++)
        signet_buf_free(&comparison->rows[i].ciphertext);
}
