/* Caesar, affine, rail fence: so few keys that each is tried. */
#include "ciphers/crack_internal.h"

void crack_caesar(struct search *search)
{
    struct cipher_key key = {.kind = CIPHER_CAESAR};

    for (uint8_t shift = 0; shift < CIPHER_LETTERS && search_goes_on(search, 1); shift++) {
        key.as.shift = shift;
        search_try(search, &key);
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
            search_try(search, &key);
        }
    }
}

void crack_railfence(struct search *search)
{
    struct cipher_key key = {.kind = CIPHER_RAILFENCE};

    /* With as many rails as letters nothing moves. */
    for (size_t rails = 2; rails <= CIPHER_RAILS_MAX && (rails == 2 || rails < search->count);
         rails++) {
        if (!search_goes_on(search, 1))
            return;
        key.as.rails = (uint16_t)rails;
        search_try(search, &key);
    }
}
