/* Cryptanalysis: what the searches share, and the choice among them. */
#include "ciphers/crack.h"

#include <math.h>
#include <string.h>

#include "ciphers/crack_internal.h"
#include "ciphers/letters.h"

/* Bits a letter. */
static const double ENGLISH_BITS = 3.1;  /* prose of other authors under the model (bench) */
static const double SINGLES_BITS = 4.17; /* English letters in no order */
static const double STRANGE_BITS = 3.7;  /* another language, read as if it were English */
static const double DOUBT_BITS = 6.6;    /* 1 : 100 against what the caller says it is */

enum { TOLD_TRIES = 20000, SURE_BITS = 30, EVERY = CIPHER_LETTERS };

double crack_unicity(const struct cipher_key *key)
{
    double chance = cipher_is_transposition(key->kind) ? SINGLES_BITS : log2(EVERY);

    return cipher_key_bits(key) / (chance - ENGLISH_BITS);
}

double noise_bits(const uint8_t *symbols, size_t count, size_t kinds)
{
    size_t counts[CIPHER_SYMBOLS] = {0};
    double half = 0.5,
           nats = lgamma((double)count + half * (double)kinds) - lgamma(half * (double)kinds);

    for (size_t i = 0; i < count; i++)
        counts[symbols[i]]++;
    for (size_t symbol = 0; symbol < kinds; symbol++)
        nats -= lgamma((double)counts[symbol] + half) - lgamma(half);
    return nats / log(2.0);
}

bool search_goes_on(struct search *search, uint64_t tries)
{
    struct crack_result *result = search->result;

    result->tries += tries;
    if (!result->was_stopped && result->tries - search->told >= TOLD_TRIES) {
        search->told = result->tries;
        result->was_stopped =
            search->options->on_progress != NULL &&
            !search->options->on_progress(search->options->ctx, search->kind, result);
    }
    return !result->was_stopped;
}

bool search_accepts(struct search *search, uint32_t worse, double temperature)
{
    return exp(-(double)worse / temperature) * 4294967296.0 > random_next(&search->random);
}

static bool is_same_key(const struct cipher_key *a, const struct cipher_key *b)
{
    char a_text[CIPHER_KEY_TEXT_SIZE], b_text[CIPHER_KEY_TEXT_SIZE];

    cipher_key_text(a, a_text);
    cipher_key_text(b, b_text);
    return a->kind == b->kind && strcmp(a_text, b_text) == 0;
}

void search_offer(struct search *search, const struct cipher_key *key, double noise, uint32_t cost,
    uint32_t letter_cost)
{
    struct crack_result *result = search->result;
    struct crack_candidate candidate = {
        .key = *key,
        .score = -(double)letter_cost / CIPHER_COST_UNIT / (double)search->scored,
        .evidence = noise - (double)cost / CIPHER_COST_UNIT - cipher_key_bits(key),
    };
    size_t at = result->count;

    while (at > 0 && candidate.evidence > result->candidates[at - 1].evidence)
        at--;
    if (at == CRACK_TOP_MAX)
        return;
    for (size_t i = at; i > 0 && candidate.evidence >= result->candidates[i - 1].evidence; i--) {
        if (is_same_key(&result->candidates[i - 1].key, key))
            return;
    }
    if (result->count < CRACK_TOP_MAX)
        result->count++;
    memmove(&result->candidates[at + 1], &result->candidates[at],
        (result->count - at - 1) * sizeof(candidate));
    result->candidates[at] = candidate;
}

bool search_is_sure(const struct search *search)
{
    const struct crack_candidate *best = &search->result->candidates[0];

    return search->result->count > 0 && best->evidence > SURE_BITS && best->score > -STRANGE_BITS;
}

/* ---- how sure ---- */

/* Few keys, each of which was tried. */
static bool has_few_keys(enum cipher_kind kind)
{
    return kind == CIPHER_CAESAR || kind == CIPHER_AFFINE || kind == CIPHER_RAILFENCE;
}

/*
 * The share of this explanation among all: chance is one; so are other ciphers, if they were tried;
 * the other keys, where there are few; and another language, where there are so many keys that one
 * makes anything look a little like English.
 */
static double confidence(const struct search *search, size_t which)
{
    const struct crack_result *result = search->result;
    const struct crack_candidate *candidate = &result->candidates[which];
    double own = candidate->evidence;
    double doubt = search->is_unknown ? 0 : DOUBT_BITS;
    double strange = search->noise - STRANGE_BITS * (double)search->scored -
                     cipher_key_bits(&candidate->key) - doubt;
    double others = exp2(-doubt - own);

    if (!has_few_keys(candidate->key.kind))
        others += exp2(strange - own);
    for (size_t i = 0; i < result->count; i++) {
        bool is_other_kind = result->candidates[i].key.kind != candidate->key.kind;

        if (i != which && (is_other_kind || has_few_keys(candidate->key.kind)))
            others += exp2(result->candidates[i].evidence - own);
    }
    return 1 / (1 + others);
}

static void conclude(struct search *search)
{
    struct crack_result *result = search->result;

    for (size_t i = 0; i < result->count; i++)
        result->candidates[i].confidence = confidence(search, i);
    result->needed = result->count == 0 ? 0 : crack_unicity(&result->candidates[0].key);
}

/* ---- statistics ---- */

/* The chance that two letters of a column are the same, over all columns of a period. */
static double coincidence(const uint8_t *letters, size_t count, size_t period, double *pairs_out)
{
    double same = 0, pairs = 0;

    for (size_t column = 0; column < period; column++) {
        double counts[CIPHER_LETTERS] = {0}, in_column = 0;

        for (size_t i = column; i < count; i += period) {
            same += counts[letters[i]];
            pairs += in_column;
            counts[letters[i]]++;
            in_column++;
        }
    }
    *pairs_out = pairs;
    return pairs == 0 ? 0 : same / pairs;
}

static double english_bits(const struct cipher_model *model, const uint8_t *letters, size_t count)
{
    uint64_t cost = 0;

    for (size_t i = 0; i < count; i++)
        cost += model->letters.single_cost[letters[i]];
    return (double)cost / CIPHER_COST_UNIT;
}

static void measure(const struct cipher_model *model, const uint8_t *letters, size_t count,
    struct crack_statistics *statistics)
{
    const double even = 1.0 / EVERY, between = 4.45; /* bits: English letters, shuffled alphabet */
    double best = 0, pairs;

    *statistics = (struct crack_statistics){.letters = count, .period = 1};
    statistics->coincidence = coincidence(letters, count, 1, &pairs);
    statistics->english = english_bits(model, letters, count) / (double)count;
    for (size_t period = 1; period <= CRACK_VIGENERE_MAX && 2 * period <= count; period++) {
        double found = coincidence(letters, count, period, &pairs);
        /* By how many deviations it stands out; chance spreads with the root of the pairs. */
        double stands_out = (found - even) * sqrt(pairs);

        if (stands_out > best) {
            best = stands_out;
            statistics->period = period;
            statistics->period_coincidence = found;
        }
    }
    if (statistics->period > 1)
        statistics->likely = CIPHER_VIGENERE;
    else
        statistics->likely =
            statistics->english < between ? CIPHER_COLUMNAR : CIPHER_MONOALPHABETIC;
}

enum signet_err crack_measure(
    const struct cipher_model *model, signet_span text, struct crack_statistics *statistics_out)
{
    struct signet_buf letters = {0};
    enum signet_err err = letters_collect(text, &letters);

    if (err == SIGNET_OK && letters.len < CRACK_LETTERS_MIN)
        err = SIGNET_ERR_ARGUMENT;
    if (err == SIGNET_OK)
        measure(model, letters.ptr, letters.len, statistics_out);
    signet_buf_free(&letters);
    return err;
}

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

    measure(search->model, search->letters, search->count, &statistics);
    for (size_t i = 0; i < CIPHER_COUNT && err == SIGNET_OK && !search_is_sure(search) &&
                       search_goes_on(search, 0);
         i++)
        err = run(search, orders[statistics.likely][i]);
    return err;
}

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

/* `kind` is CIPHER_COUNT where it is not known. */
static enum signet_err solve(const struct cipher_model *model, enum cipher_kind kind,
    signet_span text, const struct crack_options *options, struct crack_result *result)
{
    struct search search = {.model = model, .options = options, .result = result};
    struct signet_buf letters = {0}, words = {0};
    double singles;
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
    search.noise = noise_bits(letters.ptr, letters.len, CIPHER_LETTERS);
    singles = english_bits(model, letters.ptr, letters.len);
    search.noise = singles < search.noise ? singles : search.noise;
    search.noise *= (double)search.scored / (double)letters.len;
    if (parts_words(&words)) {
        search.words = words.ptr;
        search.word_count = prefix(&words, search.scored);
    }
    err = search.is_unknown ? run_unknown(&search) : run(&search, kind);
    conclude(&search);
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
