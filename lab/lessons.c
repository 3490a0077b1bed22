/* What --explain adds to the comparison: each step in plain words, and the lesson on nonces. */
#include <ctype.h>
#include <math.h>

#include "ciphers/letters.h"
#include "lab/compare.h"
#include "term/text.h"

enum { HEX_LINE = 16 };

/* The first letter of the text, 0..25. */
static uint8_t first_letter(signet_span text)
{
    while (text.len > 0 && letter_of(text.ptr[0]) == CIPHER_LETTERS)
        text = signet_span_from(text, 1);
    return text.len > 0 ? letter_of(text.ptr[0]) : 0;
}

static enum signet_err explain_shifts(
    const struct lab_comparison *comparison, struct signet_buf *out)
{
    int x = first_letter(comparison->text);
    int caesar = (x + 3) % 26, affine = (5 * x + 8) % 26;

    return text_format(out,
        "\nSTEP BY STEP\n\n"
        "caesar: each letter moves 3 places on. The first, %c, is number %d;\n"
        "  %d + 3 = %d, so it becomes %c. There are 26 keys: trying all of them and keeping\n"
        "  the one that reads like English is the whole attack.\n"
        "affine: number x becomes 5 * x + 8, wrapped round at 26: %c becomes %c. 312 keys,\n"
        "  the same attack. Two known letters give two equations for the two numbers.\n",
        'A' + x, x, x, x + 3, 'A' + caesar, 'A' + x, 'A' + affine);
}

static enum signet_err explain_others(
    const struct lab_comparison *comparison, struct signet_buf *out)
{
    const struct lab_row *rows = comparison->rows;

    return text_format(out,
        "monoalphabetic: every letter has its own substitute. %.0f bits of key are more\n"
        "  than anyone can try, and it falls all the same: look at the bars. They are\n"
        "  those of the plaintext in another order, and so are the runs of four letters,\n"
        "  which English has its favourites among. A big key space is not security.\n"
        "vigenere: five Caesar ciphers in turn. The bars are flatter: equal pairs fell\n"
        "  from %.1f %% to %.1f %%. But every fifth letter has the same key, and taken by\n"
        "  themselves those letters are a Caesar cipher again.\n"
        "columnar, railfence: the letters stay, their places change. The bars are\n"
        "  exactly those of the plaintext, which gives the family away; the right order\n"
        "  is the one in which neighbours make English.\n"
        "All six: changing a letter changes one letter, whoever knows some plaintext\n"
        "  learns the key, and a changed ciphertext decrypts without complaint.\n",
        rows[CIPHER_MONOALPHABETIC].key_bits, 100 * comparison->coincidence,
        100 * rows[CIPHER_VIGENERE].coincidence);
}

static enum signet_err explain_aead(const struct lab_comparison *comparison, struct signet_buf *out)
{
    const struct lab_row *row = &comparison->rows[LAB_AEAD];

    return text_format(out,
        "aes-256-gcm: AES makes a stream of bits from key and nonce that nobody without\n"
        "  the key can tell from coin tosses; it is added to the text (CONFIDENTIALITY).\n"
        "  The bars show nothing. A tag of 16 bytes over all of it is checked before a\n"
        "  byte is believed (INTEGRITY): the flipped bit was refused. Who made the tag\n"
        "  had the key (AUTHENTICATION between the two who have it; to prove authorship\n"
        "  to others, signet adds an RSA signature).\n"
        "  Keys: half of 2^256 are 2^255. At the %.0f a second measured here\n"
        "  that takes 10^%.0f years. This is arithmetic, not a measurement.\n"
        "  One changed letter changes %zu byte of the text and %zu of the tag: the text\n"
        "  is added to a stream, letter by letter, as with the classical ciphers. It is\n"
        "  a new nonce, and with it a new stream, that makes %zu of %zu bits others,\n"
        "  whether a letter changes or none. Under one nonce the stream is the same\n"
        "  twice, and the key of the tags can be found: use no nonce twice.\n",
        row->per_second, floor(row->years_power), row->changed_same_nonce, row->changed_tag,
        row->changed, row->changeable);
}

/* ---- the nonce ---- */

static enum signet_err append_line(
    const char *label, const uint8_t *bytes, bool is_text, struct signet_buf *out)
{
    enum signet_err err = text_format(out, "  %-22s ", label);

    for (size_t i = 0; err == SIGNET_OK && i < LAB_NONCE_LEN; i++) {
        if (is_text)
            err = text_format(out, "%c", isprint(bytes[i]) ? bytes[i] : '.');
        else
            err = text_format(
                out, "%s%02x", i == HEX_LINE ? "\n                         " : "", bytes[i]);
    }
    while (out->len > 0 && out->ptr[out->len - 1] == ' ')
        out->len--;
    return err == SIGNET_OK ? text_format(out, "\n") : err;
}

static enum signet_err explain_nonce(const struct lab_nonce *nonce, struct signet_buf *out)
{
    enum signet_err err = text_format(out,
        "\n===================== DEMONSTRATION: NEVER DO THIS =====================\n\n"
        "Two messages, one key, and one nonce for both:\n\n");

    if (err == SIGNET_OK)
        err = append_line("first message", nonce->plain[0], true, out);
    if (err == SIGNET_OK)
        err = append_line("second message", nonce->plain[1], true, out);
    if (err == SIGNET_OK)
        err = append_line("first ciphertext", nonce->cipher[0], false, out);
    if (err == SIGNET_OK)
        err = append_line("second ciphertext", nonce->cipher[1], false, out);
    if (err == SIGNET_OK)
        err =
            text_format(out, "\nThe eavesdropper has no key. The two streams are the same, so in "
                             "the sum of\nboth ciphertexts (bit by bit, XOR) they cancel out:\n\n");
    if (err == SIGNET_OK)
        err = append_line("sum of ciphertexts", nonce->sum, false, out);
    if (err == SIGNET_OK)
        err = text_format(out, "\nThat is the sum of the two messages. Who knows or guesses the "
                               "first, adds it:\n\n");
    if (err == SIGNET_OK)
        err = append_line("the second, without key", nonce->guessed, true, out);
    if (err == SIGNET_OK)
        err = text_format(out,
            "\nWorse: two tags under one nonce give an equation for the key of the tags,\n"
            "and who solves it can forge messages (Joux 2006). signet derives key and nonce\n"
            "of each message anew and uses them once (docs/protocol.md).\n\n"
            "========================= END OF DEMONSTRATION =========================\n");
    return err;
}

enum signet_err lab_show_lessons(const struct lab_comparison *comparison, struct signet_buf *out)
{
    enum signet_err err = explain_shifts(comparison, out);

    if (err == SIGNET_OK)
        err = explain_others(comparison, out);
    if (err == SIGNET_OK)
        err = explain_aead(comparison, out);
    if (err == SIGNET_OK)
        err = explain_nonce(&comparison->nonce, out);
    return err;
}
