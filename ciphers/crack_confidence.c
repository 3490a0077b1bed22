/*
 * The candidates, and how sure the best of them is.
 *
 * Each key is an explanation of the text. It is weighed in bits (Bayes): by how much shorter the
 * text is told as English under this key than as letters that mean nothing, less what it takes to
 * name the key. The confidence is the share of an explanation among all that were found, those
 * that were not, and the one that the text is no English.
 */
#include <math.h>
#include <string.h>

#include "ciphers/crack_internal.h"
#include "ciphers/letters.h"
#include "ciphers/transposition.h"

enum { ALIKE = 10 /* readings that differ in one letter of so many are one */ };
static const double SURE_BITS = 30;
static const double NAMED_BITS = 6.6; /* 1 : 100 against what the caller says it is */
static const double AMONG_BITS = 5;   /* 1 : 32 against its being any key at all */
static const double GUESSED_BITS = 5; /* 1 : 32 that nobody's text is no English */

/*
 * Bits a letter that a text costs under its best key, over all texts: of English, and of something
 * else (another language, another cipher) read as if it were English. Short texts spread more.
 */
static const double ENGLISH_MEAN = 3.05, ENGLISH_SPREAD = 0.3, LETTER_SPREAD = 2.2;
static const double OTHER_MEAN = 4.6, OTHER_SPREAD = 0.4;

/* The bits by which a family is less likely than all together, if nobody said which it is. */
static const double family_bits[CIPHER_COUNT] = {
    [CIPHER_CAESAR] = 2,
    [CIPHER_AFFINE] = 4,
    [CIPHER_MONOALPHABETIC] = 2,
    [CIPHER_VIGENERE] = 2,
    [CIPHER_COLUMNAR] = 3,
    [CIPHER_RAILFENCE] = 4,
};

/* ---- candidates ---- */

void search_read(
    const struct search *search, const struct cipher_key *key, uint8_t *plain, size_t count)
{
    size_t starts[CIPHER_RAILS_MAX], columns = key->as.columns[0].count, place = 0;
    struct cipher_stream stream;

    switch (key->kind) {
    case CIPHER_COLUMNAR:
        transposition_starts(&key->as.columns[0], search->count, starts);
        for (size_t i = 0; i < count; i++)
            plain[i] = search->letters[starts[i % columns] + i / columns];
        return;
    case CIPHER_RAILFENCE:
        transposition_rail_starts(key->as.rails, search->count, starts);
        for (size_t i = 0; i < count; i++)
            plain[i] = search->letters[transposition_rail_place(key->as.rails, starts, i)];
        return;
    default: break;
    }
    cipher_stream_init(&stream, key, CIPHER_DECRYPT);
    for (size_t i = 0; i < count; i++) {
        plain[i] = stream.table[place][search->letters[i]];
        place = place + 1 == stream.period ? 0 : place + 1;
    }
    cipher_stream_free(&stream);
}

/* The bits it takes to name a key: its size first, smaller ones in fewer bits, then itself. */
static double naming_bits(const struct search *search, const struct cipher_key *key)
{
    double family = search->is_unknown ? family_bits[key->kind] : 0;

    switch (key->kind) {
    case CIPHER_MONOALPHABETIC:
        /* What the letters become that are not there makes no difference. */
        return family + (lgamma(CIPHER_LETTERS + 1) -
                            lgamma((double)(CIPHER_LETTERS - search->distinct) + 1)) /
                            log(2.0);
    case CIPHER_VIGENERE: return family + cipher_key_bits(key) + log2(CRACK_VIGENERE_MAX);
    case CIPHER_COLUMNAR: return family + cipher_key_bits(key) + log2(CRACK_COLUMNS_MAX - 1);
    case CIPHER_RAILFENCE: return family + log2(key->as.rails * (key->as.rails - 1.0));
    default: return family + cipher_key_bits(key);
    }
}

/* Whether two keys read the scored letters alike, but for one of `tolerance`; 0: exactly. */
static bool read_alike(const struct search *search, const struct cipher_key *a,
    const struct cipher_key *b, size_t tolerance)
{
    uint8_t one[CRACK_SAMPLE], other[CRACK_SAMPLE];
    size_t differ = 0;

    search_read(search, a, one, search->scored);
    search_read(search, b, other, search->scored);
    for (size_t i = 0; i < search->scored; i++)
        differ += one[i] != other[i];
    return differ * tolerance <= search->scored && (tolerance > 0 || differ == 0);
}

static void remove_candidate(struct crack_result *result, size_t at)
{
    result->count--;
    memmove(&result->candidates[at], &result->candidates[at + 1],
        (result->count - at) * sizeof(result->candidates[0]));
}

/* Keys that read alike have one score. True: there is a better key that reads like this one. */
static bool is_known(struct search *search, const struct crack_candidate *candidate)
{
    struct crack_result *result = search->result;

    for (size_t i = 0; i < result->count; i++) {
        const struct crack_candidate *other = &result->candidates[i];

        if (other->score < candidate->score || other->score > candidate->score ||
            !read_alike(search, &other->key, &candidate->key, 0))
            continue;
        if (other->evidence >= candidate->evidence)
            return true;
        remove_candidate(result, i);
        return false;
    }
    return false;
}

void search_offer(struct search *search, const struct cipher_key *key, const struct view *view,
    uint32_t cost, uint32_t letter_cost)
{
    struct crack_result *result = search->result;
    struct crack_candidate candidate = {
        .key = *key,
        .score = -(double)letter_cost / CIPHER_COST_UNIT / (double)search->scored,
        .evidence = view->noise - (double)cost / CIPHER_COST_UNIT - naming_bits(search, key),
    };
    size_t at;

    if (result->count == CRACK_TOP_MAX &&
        candidate.evidence <= result->candidates[CRACK_TOP_MAX - 1].evidence)
        return;
    if (is_known(search, &candidate))
        return;
    if (result->count < CRACK_TOP_MAX)
        result->count++;
    at = result->count - 1;
    while (at > 0 && candidate.evidence > result->candidates[at - 1].evidence) {
        result->candidates[at] = result->candidates[at - 1];
        at--;
    }
    result->candidates[at] = candidate;
}

void search_try(struct search *search, const struct cipher_key *key)
{
    const struct view *letters = &search->by_letters, *words = &search->by_words;
    uint8_t plain[CRACK_SAMPLE], parted[2 * CRACK_SAMPLE];
    uint32_t cost, word_cost;
    size_t letter = 0;

    search_read(search, key, plain, search->scored);
    cost = model_cost(letters->table, plain, search->scored);
    if (words->symbols != NULL) {
        for (size_t i = 0; i < words->count; i++)
            parted[i] = words->symbols[i] < CIPHER_LETTERS ? plain[letter++] : CIPHER_LETTERS;
        word_cost = model_cost(words->table, parted, words->count);
        search_offer(search, key, words, word_cost, cost);
        if (words->noise - (double)word_cost / CIPHER_COST_UNIT >=
            letters->noise - (double)cost / CIPHER_COST_UNIT)
            return;
    }
    search_offer(search, key, letters, cost, cost);
}

/* ---- how sure ---- */

/* The bits by which a score speaks for English, and against something else. */
static double english_bits(const struct search *search, double score)
{
    double variance =
        ENGLISH_SPREAD * ENGLISH_SPREAD + LETTER_SPREAD * LETTER_SPREAD / (double)search->scored;
    double cost = -score, english, other;

    /* Nothing is too much like English, nor too little. */
    cost = cost < ENGLISH_MEAN ? ENGLISH_MEAN : cost > OTHER_MEAN ? OTHER_MEAN : cost;
    english = (cost - ENGLISH_MEAN) * (cost - ENGLISH_MEAN) / (2 * variance) + log(variance) / 2;
    other = (cost - OTHER_MEAN) * (cost - OTHER_MEAN) / (2 * OTHER_SPREAD * OTHER_SPREAD) +
            log(OTHER_SPREAD);
    return (other - english) / log(2.0);
}

/* Few keys, each of which was tried. */
static bool has_few_keys(enum cipher_kind kind)
{
    return kind == CIPHER_CAESAR || kind == CIPHER_AFFINE || kind == CIPHER_RAILFENCE;
}

bool search_is_sure(const struct search *search)
{
    const struct crack_candidate *best = &search->result->candidates[0];

    return search->result->count > 0 && best->evidence > SURE_BITS &&
           (has_few_keys(best->key.kind) || english_bits(search, best->score) > 1 - GUESSED_BITS);
}

/*
 * Over keys that are drawn blindly, the mean of what they gain over chance is nothing: so all keys
 * that were not tried weigh together as much as chance does by itself. Where each was tried, and
 * the caller says that the key is among them, only his word is weighed against chance. And with as
 * many keys as that, one of them makes a little English of another language.
 */
static double confidence(const struct search *search, size_t which)
{
    const struct crack_result *result = search->result;
    const struct crack_candidate *candidate = &result->candidates[which];
    double first = result->candidates[0].evidence; /* all masses are relative to its */
    double said = search->is_unknown ? GUESSED_BITS : NAMED_BITS;
    bool are_all_known = !search->is_unknown && has_few_keys(candidate->key.kind);
    double chance = exp2(-first - (are_all_known ? AMONG_BITS : 0));
    double own = 0, others = 0;

    for (size_t i = 0; i < result->count; i++) {
        double mass = exp2(result->candidates[i].evidence - first);

        if (i == which || read_alike(search, &candidate->key, &result->candidates[i].key, ALIKE))
            own += mass;
        else
            others += mass;
    }
    others += chance;
    if (!has_few_keys(candidate->key.kind))
        others += own * exp2(-said - english_bits(search, candidate->score));
    return own / (own + others) *
           (candidate->key.kind == CIPHER_MONOALPHABETIC ? search->clear : 1);
}

void search_conclude(struct search *search)
{
    struct crack_result *result = search->result;

    for (size_t i = 0; i < result->count; i++)
        result->candidates[i].confidence = confidence(search, i);
    result->needed = result->count == 0 ? 0 : crack_unicity(&result->candidates[0].key);
}
