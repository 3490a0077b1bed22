/* Cryptanalysis: the views of a text, and the choice among the searches. */
#include "ciphers/crack.h"

#include <math.h>

#include "ciphers/crack_internal.h"
#include "ciphers/letters.h"

/* ---- the choice ---- */

static enum signet_err run(struct search *search, enum cipher_kind kind)
{
    search->kind = kind;
    switch (kind) {
    case CIPHER_CAESAR: crack_caesar(search); break;
    case CIPHER_AFFINE: crack_affine(search); break;
    case CIPHER_MONOALPHABETIC: crack_monoalphabetic(search); break;
    case CIPHER_VIGENERE: return crack_vigenere(search);
    case CIPHER_COLUMNAR: crack_columnar(search); break;
    case CIPHER_RAILFENCE: crack_railfence(search); break;
    case CIPHER_COUNT: break;
    }
    return SIGNET_OK;
}

/* Those with few keys, then what the statistics speak for, then the rest. */
static enum signet_err run_unknown(struct search *search)
{
    static const enum cipher_kind orders[][CIPHER_COUNT] = {
        [CIPHER_MONOALPHABETIC] = {CIPHER_CAESAR, CIPHER_AFFINE, CIPHER_RAILFENCE,
            CIPHER_MONOALPHABETIC, CIPHER_VIGENERE, CIPHER_COLUMNAR},
        [CIPHER_VIGENERE] = {CIPHER_CAESAR, CIPHER_AFFINE, CIPHER_RAILFENCE, CIPHER_VIGENERE,
            CIPHER_MONOALPHABETIC, CIPHER_COLUMNAR},
        [CIPHER_COLUMNAR] = {CIPHER_CAESAR, CIPHER_RAILFENCE, CIPHER_AFFINE, CIPHER_COLUMNAR,
            CIPHER_MONOALPHABETIC, CIPHER_VIGENERE},
    };
    struct crack_statistics statistics;
    enum signet_err err = SIGNET_OK;

    measure_letters(search->model, search->letters, search->count, &statistics);
    for (size_t i = 0; i < CIPHER_COUNT && err == SIGNET_OK && !search_is_sure(search) &&
                       search_goes_on(search, 0);
         i++)
        err = run(search, orders[statistics.likely][i]);
    return err;
}

/* ---- the views ---- */

/* Spaces help if they part words: groups of one length, as ciphers are often written in, do not. */
static bool parts_words(const struct signet_buf *words)
{
    size_t count = 1, first = 0, len = 0, letters = 0;
    bool is_varied = false;

    for (size_t i = 0; i < words->len; i++) {
        if (words->ptr[i] < CIPHER_LETTERS) {
            len++;
            letters++;
            continue;
        }
        is_varied |= first > 0 && len != first;
        first = first == 0 ? len : first;
        len = 0;
        count++;
    }
    is_varied |= first > 0 && len != first;
    return count >= 3 && is_varied && letters >= 2 * count && letters <= 9 * count;
}

/* The symbols of `words` that hold the first `letters` letters. */
static size_t prefix(const struct signet_buf *words, size_t letters)
{
    size_t symbols = 0;

    for (size_t seen = 0; seen < letters; symbols++)
        seen += words->ptr[symbols] < CIPHER_LETTERS;
    return symbols;
}

/* Letters that mean nothing: all even, as uneven as these are, or as frequent as in English. */
static void look_at_letters(struct search *search)
{
    double even = log2(CIPHER_LETTERS) * (double)search->scored, uneven, english;
    size_t counts[CIPHER_LETTERS] = {0};

    for (size_t i = 0; i < search->scored; i++)
        search->distinct += counts[search->letters[i]]++ == 0;
    uneven = noise_bits(counts, CIPHER_LETTERS);
    english = single_bits(search->model, search->letters, search->scored);
    search->by_letters = (struct view){&search->model->letters, search->letters, search->scored,
        fmin(even, fmin(uneven, english))};
}

/* Spaces that mean nothing fall anywhere. */
static void look_at_words(struct search *search, const struct signet_buf *words)
{
    size_t symbols = prefix(words, search->scored);
    size_t counts[] = {search->scored, symbols - search->scored};

    search->by_words = (struct view){&search->model->words, words->ptr, symbols,
        search->by_letters.noise + noise_bits(counts, 2)};
}

/* `kind` is CIPHER_COUNT where it is not known. */
static enum signet_err solve(const struct cipher_model *model, enum cipher_kind kind,
    signet_span text, const struct crack_options *options, struct crack_result *result)
{
    struct search search = {.model = model, .options = options, .result = result, .clear = 1};
    struct signet_buf letters = {0}, words = {0};
    enum signet_err err;

    search.is_unknown = kind == CIPHER_COUNT;
    if ((err = letters_collect(text, &letters)) != SIGNET_OK ||
        (err = letters_and_spaces(text, &words)) != SIGNET_OK)
        goto out;
    *result = (struct crack_result){.letters = letters.len};
    if (letters.len < CRACK_LETTERS_MIN) {
        err = SIGNET_ERR_ARGUMENT;
        goto out;
    }
    random_seed(&search.random, options->seed);
    search.letters = letters.ptr;
    search.count = letters.len;
    search.scored = letters.len < CRACK_SAMPLE ? letters.len : CRACK_SAMPLE;
    look_at_letters(&search);
    if (parts_words(&words))
        look_at_words(&search, &words);
    err = search.is_unknown ? run_unknown(&search) : run(&search, kind);
    search_conclude(&search);
out:
    signet_buf_free(&letters);
    signet_buf_free(&words);
    return err;
}

enum signet_err crack(const struct cipher_model *model, enum cipher_kind kind, signet_span text,
    const struct crack_options *options, struct crack_result *result_out)
{
    return solve(model, kind, text, options, result_out);
}

enum signet_err crack_unknown(const struct cipher_model *model, signet_span text,
    const struct crack_options *options, struct crack_result *result_out)
{
    return solve(model, CIPHER_COUNT, text, options, result_out);
}
