/* The comparison as one JSON document. */
#include <math.h>
#include <stdlib.h>

#include "base/hex.h"
#include "lab/compare.h"
#include "term/json.h"

static enum signet_err write_hex(struct json *json, const char *key, signet_span bytes)
{
    char *text = malloc(2 * bytes.len + 1);

    if (text == NULL)
        return SIGNET_ERR_NOMEM;
    hex_encode(bytes, text);
    json_text(json, key, text);
    free(text);
    return SIGNET_OK;
}

static void write_bars(struct json *json, const size_t *bars, size_t count)
{
    json_array(json, "histogram");
    for (size_t i = 0; i < count; i++)
        json_u64(json, NULL, bars[i]);
    json_end(json);
}

static void write_break(struct json *json, const struct lab_row *row, bool is_aead)
{
    json_object(json, "break");
    json_bool(json, "measured", !is_aead);
    json_bool(json, "broken", row->is_broken);
    if (is_aead) {
        json_double(json, "keys_per_second", row->per_second, 0);
        json_double(json, "years_log10", row->years_power, 1);
    } else {
        json_double(json, "seconds", row->seconds, 4);
        json_u64(json, "tries", row->tries);
        json_double(json, "letters_needed", ceil(row->needed), 0);
    }
    json_end(json);
}

static void write_diffusion(struct json *json, const struct lab_row *row, bool is_aead)
{
    json_object(json, "one_letter_changed");
    json_u64(json, "changed", row->changed);
    json_u64(json, "of", row->changeable);
    json_text(json, "unit", is_aead ? "bits" : "letters");
    if (is_aead) {
        json_u64(json, "bytes_changed_under_the_same_nonce", row->changed_same_nonce);
        json_u64(json, "bytes_of_the_tag_changed_then", row->changed_tag);
    }
    json_end(json);
    json_text(json, "known_plaintext", row->known);
    json_object(json, "one_bit_flipped");
    json_bool(json, "refused", row->is_refused);
    json_u64(json, "wrong_letters", row->wrong);
    json_end(json);
}

static enum signet_err write_row(struct json *json, const struct lab_row *row, bool is_aead)
{
    enum signet_err err = SIGNET_OK;

    json_object(json, NULL);
    json_text(json, "cipher", row->name);
    json_text(json, "key", row->key);
    if (is_aead)
        err = write_hex(json, "ciphertext", signet_buf_span(&row->ciphertext));
    else
        json_string(json, "ciphertext", signet_buf_span(&row->ciphertext));
    write_bars(json, row->bars, row->bar_count);
    if (!is_aead)
        json_double(json, "index_of_coincidence", row->coincidence, 4);
    json_double(json, "entropy", row->entropy, 3);
    json_double(json, "key_bits", row->key_bits, 1);
    write_break(json, row, is_aead);
    write_diffusion(json, row, is_aead);
    json_end(json);
    return err;
}

static enum signet_err write_nonce(struct json *json, const struct lab_nonce *nonce)
{
    enum signet_err err;

    json_object(json, "nonce_reuse");
    json_bool(json, "demonstration", true);
    json_string(json, "first", signet_span_of(nonce->plain[0], LAB_NONCE_LEN));
    json_string(json, "second", signet_span_of(nonce->plain[1], LAB_NONCE_LEN));
    err = write_hex(json, "sum_of_ciphertexts", signet_span_of(nonce->sum, LAB_NONCE_LEN));
    json_string(json, "second_without_the_key", signet_span_of(nonce->guessed, LAB_NONCE_LEN));
    json_end(json);
    return err;
}

enum signet_err lab_write_json(const struct lab_comparison *comparison, struct signet_buf *out)
{
    enum signet_err err = SIGNET_OK;
    struct json json;

    json_begin(&json, out);
    json_object(&json, NULL);
    json_string(&json, "text", comparison->text);
    json_u64(&json, "letters", comparison->letters);
    json_double(&json, "index_of_coincidence", comparison->coincidence, 4);
    json_array(&json, "ciphers");
    for (size_t i = 0; err == SIGNET_OK && i < LAB_ROWS; i++)
        err = write_row(&json, &comparison->rows[i], i == LAB_AEAD);
    json_end(&json);
    if (err == SIGNET_OK)
        err = write_nonce(&json, &comparison->nonce);
    json_end(&json);
    return err == SIGNET_OK ? json_finish(&json) : err;
}
