/* What is counted and timed of a text and of what a cipher makes of it. */
#include "lab/measure.h"

#include <math.h>
#include <time.h>

#include "ciphers/letters.h"

void lab_count_letters(signet_span text, size_t counts[CIPHER_LETTERS])
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t letter = letter_of(text.ptr[i]);

        if (letter < CIPHER_LETTERS)
            counts[letter]++;
    }
}

double lab_coincidence(const size_t counts[CIPHER_LETTERS])
{
    double total = 0, same = 0;

    for (size_t i = 0; i < CIPHER_LETTERS; i++) {
        total += (double)counts[i];
        same += (double)counts[i] * ((double)counts[i] - 1);
    }
    return total < 2 ? 0 : same / (total * (total - 1));
}

double lab_entropy(const size_t *counts, size_t kinds)
{
    double total = 0, bits = 0;

    for (size_t i = 0; i < kinds; i++)
        total += (double)counts[i];
    for (size_t i = 0; i < kinds; i++) {
        double share = (double)counts[i] / total;

        if (counts[i] > 0)
            bits -= share * log2(share);
    }
    return bits;
}

size_t lab_differing(signet_span a, signet_span b)
{
    size_t count = 0;

    for (size_t i = 0; i < a.len && i < b.len; i++)
        count += a.ptr[i] != b.ptr[i];
    return count;
}

enum signet_err lab_change_letter(signet_span text, struct signet_buf *out)
{
    enum signet_err err = signet_buf_append(out, text);
    size_t at = text.len / 2;
    uint8_t *byte;

    if (err != SIGNET_OK)
        return err;
    while (letter_of(text.ptr[at]) == CIPHER_LETTERS)
        at = (at + 1) % text.len;
    byte = &out->ptr[out->len - text.len + at];
    *byte = letter_like(letter_mod(letter_of(*byte) + 1), *byte);
    return SIGNET_OK;
}

double lab_seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
