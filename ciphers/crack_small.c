/* Caesar, affine, rail fence: so few keys that each is tried. */
#include "ciphers/crack_internal.h"
#include "ciphers/letters.h"
#include "ciphers/transposition.h"

static void try_substitution(struct search *search, const struct cipher_key *key)
{
    struct cipher_stream stream;
    uint32_t cost;

    cipher_stream_init(&stream, key, CIPHER_DECRYPT);
    cost = model_cost_mapped(
        &search->model->letters, search->letters, search->scored, stream.table[0]);
    search_offer(search, key, search->noise, cost, cost);
    cipher_stream_free(&stream);
}

void crack_caesar(struct search *search)
{
    struct cipher_key key = {.kind = CIPHER_CAESAR};

    for (uint8_t shift = 0; shift < CIPHER_LETTERS && search_goes_on(search, 1); shift++) {
        key.as.shift = shift;
        try_substitution(search, &key);
    }
}

void crack_affine(struct search *search)
{
    struct cipher_key key = {.kind = CIPHER_AFFINE};

    for (uint8_t factor = 1; factor < CIPHER_LETTERS; factor += 2) {
        if (factor == 13)
            continue;
        for (uint8_t shift = 0; shift < CIPHER_LETTERS; shift++) {
            if (!search_goes_on(search, 1))
                return;
            key.as.affine.factor = factor;
            key.as.affine.shift = shift;
            try_substitution(search, &key);
        }
    }
}

void crack_railfence(struct search *search)
{
    struct cipher_key key = {.kind = CIPHER_RAILFENCE};
    uint8_t plain[CRACK_SAMPLE];
    uint32_t cost;

    /* With as many rails as letters nothing moves. */
    for (size_t rails = 2; rails <= CIPHER_RAILS_MAX && (rails == 2 || rails < search->count);
         rails++) {
        if (!search_goes_on(search, 1))
            return;
        for (size_t i = 0; i < search->scored; i++)
            plain[i] = search->letters[transposition_rail_place(rails, search->count, i)];
        key.as.rails = (uint16_t)rails;
        cost = model_cost(&search->model->letters, plain, search->scored);
        search_offer(search, &key, search->noise, cost, cost);
    }
}
