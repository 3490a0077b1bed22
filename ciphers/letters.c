/* The 26 letters among the bytes of a text. */
#include "ciphers/letters.h"

size_t letters_count(signet_span text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += letter_of(text.ptr[i]) < CIPHER_LETTERS;
    return count;
}

enum signet_err letters_collect(signet_span text, struct signet_buf *out)
{
    enum signet_err err = signet_buf_reserve(out, text.len);

    for (size_t i = 0; err == SIGNET_OK && i < text.len; i++) {
        uint8_t letter = letter_of(text.ptr[i]);

        if (letter < CIPHER_LETTERS)
            out->ptr[out->len++] = letter;
    }
    return err;
}

/* The length of an apostrophe, ' or U+2019 or U+2018, at the start of a span; 0: none. */
static size_t apostrophe(signet_span text)
{
    if (text.ptr[0] == '\'')
        return 1;
    return text.len >= 3 && text.ptr[0] == 0xe2 && text.ptr[1] == 0x80 &&
                   (text.ptr[2] == 0x98 || text.ptr[2] == 0x99)
               ? 3
               : 0;
}

enum signet_err letters_and_spaces(signet_span text, struct signet_buf *out)
{
    size_t start = out->len;
    bool is_apart = false;
    enum signet_err err = signet_buf_reserve(out, text.len);

    if (err != SIGNET_OK)
        return err;
    while (text.len > 0) {
        uint8_t letter = letter_of(text.ptr[0]);
        size_t skip = letter < CIPHER_LETTERS ? 0 : apostrophe(text);

        if (letter < CIPHER_LETTERS) {
            if (is_apart && out->len > start)
                out->ptr[out->len++] = CIPHER_LETTERS; /* never more than what it stands for */
            out->ptr[out->len++] = letter;
            is_apart = false;
        } else if (skip == 0) {
            is_apart = true;
        }
        text = signet_span_from(text, skip == 0 ? 1 : skip);
    }
    return SIGNET_OK;
}
