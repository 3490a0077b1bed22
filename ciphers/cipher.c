/* The ciphers by name, and texts on their way through them. */
#include "ciphers/cipher.h"

#include <string.h>

#include "ciphers/letters.h"
#include "ciphers/transposition.h"

static const struct {
    const char *name, *key_form;
} ciphers[CIPHER_COUNT] = {
    [CIPHER_CAESAR] = {"caesar", "a number from 0 to 25, for example 3"},
    [CIPHER_AFFINE] = {"affine", "two numbers A,B with A odd and not 13, for example 5,8"},
    [CIPHER_MONOALPHABETIC] = {"monoalphabetic",
        "a keyword, or 26 letters: what A, B, C... become, for example ZEBRAS"},
    [CIPHER_VIGENERE] = {"vigenere", "up to 64 letters, for example LEMON"},
    [CIPHER_COLUMNAR] = {"columnar",
        "a keyword or the order of the columns, for example ZEBRAS or 6,3,2,4,1,5; two of them "
        "with / between for a double transposition"},
    [CIPHER_RAILFENCE] = {"railfence", "the number of rails from 2 to 1000, for example 3"},
};

const char *cipher_name(enum cipher_kind kind)
{
    return ciphers[kind].name;
}

const char *cipher_key_form(enum cipher_kind kind)
{
    return ciphers[kind].key_form;
}

bool cipher_find(const char *name, enum cipher_kind *kind_out)
{
    for (unsigned kind = 0; kind < CIPHER_COUNT; kind++) {
        if (strcmp(ciphers[kind].name, name) == 0) {
            *kind_out = (enum cipher_kind)kind;
            return true;
        }
    }
    return false;
}

bool cipher_is_transposition(enum cipher_kind kind)
{
    return kind == CIPHER_COLUMNAR || kind == CIPHER_RAILFENCE;
}

/* ---- substitution as tables, one for each place of the period ---- */

static uint8_t substitute(const struct cipher_key *key, size_t place, uint8_t letter)
{
    switch (key->kind) {
    case CIPHER_CAESAR: return letter_mod(letter + key->as.shift);
    case CIPHER_AFFINE: return letter_mod(key->as.affine.factor * letter + key->as.affine.shift);
    case CIPHER_MONOALPHABETIC: return key->as.alphabet[letter];
    case CIPHER_VIGENERE: return letter_mod(letter + key->as.vigenere.shifts[place]);
    default: return letter;
    }
}

void cipher_stream_init(
    struct cipher_stream *stream, const struct cipher_key *key, enum cipher_direction direction)
{
    *stream = (struct cipher_stream){.key = *key, .direction = direction, .period = 1};
    if (key->kind == CIPHER_VIGENERE)
        stream->period = key->as.vigenere.period;
    for (size_t place = 0; place < stream->period; place++) {
        for (uint8_t plain = 0; plain < CIPHER_LETTERS; plain++) {
            uint8_t cipher = substitute(key, place, plain);

            if (direction == CIPHER_ENCRYPT)
                stream->table[place][plain] = cipher;
            else
                stream->table[place][cipher] = plain;
        }
    }
}

enum signet_err cipher_stream_update(
    struct cipher_stream *stream, signet_span piece, struct signet_buf *out)
{
    enum signet_err err;

    if (cipher_is_transposition(stream->key.kind))
        return signet_buf_append(&stream->held, piece);
    if ((err = signet_buf_reserve(out, piece.len)) != SIGNET_OK)
        return err;
    for (size_t i = 0; i < piece.len; i++) {
        uint8_t letter = letter_of(piece.ptr[i]);

        if (letter == CIPHER_LETTERS) {
            out->ptr[out->len++] = piece.ptr[i];
            continue;
        }
        out->ptr[out->len++] = letter_like(stream->table[stream->place][letter], piece.ptr[i]);
        if (++stream->place == stream->period)
            stream->place = 0;
    }
    return SIGNET_OK;
}

/* Put the letters, in their new order, at the places of letters. */
static enum signet_err transpose(const struct cipher_stream *stream, struct signet_buf *out)
{
    struct signet_buf letters = {0}, moved = {0};
    signet_span text = signet_buf_span(&stream->held);
    size_t next = 0;
    enum signet_err err;

    if ((err = letters_collect(text, &letters)) != SIGNET_OK)
        goto out;
    err = transposition_apply(&stream->key, stream->direction, signet_buf_span(&letters), &moved);
    if (err != SIGNET_OK || (err = signet_buf_reserve(out, text.len)) != SIGNET_OK)
        goto out;
    for (size_t i = 0; i < text.len; i++) {
        bool is_letter = letter_of(text.ptr[i]) < CIPHER_LETTERS;

        out->ptr[out->len++] =
            is_letter ? letter_like(moved.ptr[next++], text.ptr[i]) : text.ptr[i];
    }
out:
    signet_buf_free(&letters);
    signet_buf_free(&moved);
    return err;
}

enum signet_err cipher_stream_finish(struct cipher_stream *stream, struct signet_buf *out)
{
    enum signet_err err = SIGNET_OK;

    if (cipher_is_transposition(stream->key.kind))
        err = transpose(stream, out);
    cipher_stream_free(stream);
    return err;
}

void cipher_stream_free(struct cipher_stream *stream)
{
    signet_buf_free(&stream->held);
}

enum signet_err cipher_apply(const struct cipher_key *key, enum cipher_direction direction,
    signet_span text, struct signet_buf *out)
{
    struct cipher_stream stream;
    size_t len = out->len;
    enum signet_err err;

    cipher_stream_init(&stream, key, direction);
    err = cipher_stream_update(&stream, text, out);
    if (err == SIGNET_OK)
        err = cipher_stream_finish(&stream, out);
    cipher_stream_free(&stream);
    if (err != SIGNET_OK)
        signet_buf_truncate(out, len);
    return err;
}
