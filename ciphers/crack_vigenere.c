/*
 * Vigenere, each period up to CRACK_VIGENERE_MAX.
 *
 * Every pair of neighbouring letters is deciphered by two neighbouring letters of the key, so the
 * key that is best by the statistics of pairs is a cheapest way around the key, found exactly
 * (Viterbi 1967). From there it is improved letter by letter with the statistics of runs of four.
 */
#include <stdlib.h>
#include <string.h>

#include "ciphers/crack_internal.h"
#include "ciphers/letters.h"

enum {
    COLUMN_ENOUGH = 30, /* letters to each letter of the key, from which on one descent is enough */
    KICKS = 25,
    BEST_MAX = 4, /* how many periods get them */
};

struct work {
    const struct view *view;
    /* [place][a][b]: of all pairs that begin at this place, under the key's letters a and b. */
    uint32_t pairs[CRACK_VIGENERE_MAX][CIPHER_LETTERS][CIPHER_LETTERS];
    uint8_t came_from[CRACK_VIGENERE_MAX][CIPHER_LETTERS];
    uint8_t plain[2 * CRACK_SAMPLE];
    uint32_t best[CRACK_VIGENERE_MAX + 1];
    uint8_t keys[CRACK_VIGENERE_MAX + 1][CRACK_VIGENERE_MAX];
};

static uint8_t minus(uint8_t cipher, uint8_t key)
{
    return (uint8_t)(cipher >= key ? cipher - key : cipher + CIPHER_LETTERS - key);
}

static void weigh_pairs(const struct search *search, size_t period, struct work *work)
{
    memset(work->pairs, 0, sizeof(work->pairs));
    for (size_t i = 0; i + 1 < search->scored; i++) {
        for (uint8_t a = 0; a < CIPHER_LETTERS; a++) {
            const uint8_t *cost =
                &search->model->letters.pair_cost[minus(search->letters[i], a) << 5];

            for (uint8_t b = 0; b < CIPHER_LETTERS; b++)
                work->pairs[i % period][a][b] += cost[minus(search->letters[i + 1], b)];
        }
    }
}

/* The cheapest way around with `first` as the key's first letter. */
static uint32_t go_around(struct work *work, size_t period, uint8_t first, uint8_t *key)
{
    uint32_t costs[CIPHER_LETTERS], cheapest = UINT32_MAX;
    uint8_t last = 0;

    for (uint8_t a = 0; a < CIPHER_LETTERS; a++)
        costs[a] = a == first ? 0 : UINT32_MAX / 2;
    for (size_t place = 1; place < period; place++) {
        uint32_t next[CIPHER_LETTERS];

        for (uint8_t b = 0; b < CIPHER_LETTERS; b++) {
            next[b] = UINT32_MAX;
            for (uint8_t a = 0; a < CIPHER_LETTERS; a++) {
                uint32_t cost = costs[a] + work->pairs[place - 1][a][b];

                if (cost < next[b]) {
                    next[b] = cost;
                    work->came_from[place][b] = a;
                }
            }
        }
        memcpy(costs, next, sizeof(costs));
    }
    for (uint8_t a = 0; a < CIPHER_LETTERS; a++) {
        uint32_t cost = costs[a] + work->pairs[period - 1][a][first];

        if (cost < cheapest) {
            cheapest = cost;
            last = a;
        }
    }
    for (size_t place = period; place > 0; place--) {
        key[place - 1] = last;
        last = work->came_from[place - 1][last];
    }
    return cheapest;
}

static uint32_t cost_of(const struct view *view, size_t period, const uint8_t *key, uint8_t *plain)
{
    size_t place = 0;

    for (size_t i = 0; i < view->count; i++) {
        plain[i] = view->symbols[i];
        if (plain[i] == CIPHER_LETTERS)
            continue;
        plain[i] = minus(plain[i], key[place]);
        place = place + 1 == period ? 0 : place + 1;
    }
    return model_cost(view->table, plain, view->count);
}

/* Change one letter of the key at a time, until none makes it better. */
static uint32_t descend(struct search *search, size_t period, uint8_t *key, struct work *work)
{
    uint32_t cost = cost_of(work->view, period, key, work->plain);

    for (size_t since = 0, place = 0; since < period; place = (place + 1) % period, since++) {
        uint8_t kept = key[place];

        for (uint8_t letter = 0; letter < CIPHER_LETTERS; letter++) {
            uint32_t next;

            key[place] = letter;
            next = cost_of(work->view, period, key, work->plain);
            if (next < cost) {
                cost = next;
                kept = letter;
                since = 0;
            }
        }
        key[place] = kept;
        if (!search_goes_on(search, CIPHER_LETTERS))
            break;
    }
    return cost;
}

static void offer(struct search *search, size_t period, const uint8_t *key)
{
    struct cipher_key found = {.kind = CIPHER_VIGENERE, .as.vigenere.period = (uint8_t)period};

    memcpy(found.as.vigenere.shifts, key, period);
    search_try(search, &found);
}

static void try_period(struct search *search, size_t period, struct work *work)
{
    uint32_t cheapest = UINT32_MAX;

    weigh_pairs(search, period, work);
    for (uint8_t first = 0; first < CIPHER_LETTERS; first++) {
        uint8_t key[CRACK_VIGENERE_MAX];
        uint32_t cost = go_around(work, period, first, key);

        if (cost < cheapest) {
            cheapest = cost;
            memcpy(work->keys[period], key, period);
        }
    }
    work->best[period] = descend(search, period, work->keys[period], work);
    offer(search, period, work->keys[period]);
}

/* Change some letters of the best key by chance and descend again. */
static void insist(struct search *search, size_t period, struct work *work)
{
    for (unsigned kick = 0; kick < KICKS && search_goes_on(search, 0); kick++) {
        uint8_t key[CRACK_VIGENERE_MAX];
        uint32_t cost;

        memcpy(key, work->keys[period], period);
        for (unsigned i = 0; i < 3; i++)
            key[random_below(&search->random, (uint32_t)period)] =
                (uint8_t)random_below(&search->random, CIPHER_LETTERS);
        cost = descend(search, period, key, work);
        offer(search, period, key);
        if (cost < work->best[period]) {
            work->best[period] = cost;
            memcpy(work->keys[period], key, period);
        }
    }
}

/* The period of the most promising key that has not had its kicks; 0: none needs any. */
static size_t choose(const struct search *search, const struct work *work)
{
    size_t chosen = 0;
    double chosen_bits = 0;

    for (size_t period = 1; period <= CRACK_VIGENERE_MAX; period++) {
        struct cipher_key key = {.kind = CIPHER_VIGENERE, .as.vigenere.period = (uint8_t)period};
        double bits = cipher_key_bits(&key) + (double)work->best[period] / CIPHER_COST_UNIT;

        if (work->best[period] == UINT32_MAX || search->scored / period >= COLUMN_ENOUGH)
            continue;
        if (chosen == 0 || bits < chosen_bits) {
            chosen = period;
            chosen_bits = bits;
        }
    }
    return chosen;
}

static void solve(struct search *search, const struct view *view, struct work *work)
{
    work->view = view;
    memset(work->best, 0xff, sizeof(work->best));
    for (size_t period = 1;
         period <= CRACK_VIGENERE_MAX && 2 * period <= search->count && search_goes_on(search, 0);
         period++)
        try_period(search, period, work);
    for (unsigned turn = 0; turn < BEST_MAX && search_goes_on(search, 0); turn++) {
        size_t period = choose(search, work);

        if (period == 0)
            break;
        insist(search, period, work);
        work->best[period] = UINT32_MAX;
    }
}

enum signet_err crack_vigenere(struct search *search)
{
    struct work *work = calloc(1, sizeof(*work));

    if (work == NULL)
        return SIGNET_ERR_NOMEM;
    if (search->by_words.symbols != NULL)
        solve(search, &search->by_words, work);
    if (!search_is_sure(search))
        solve(search, &search->by_letters, work); /* spaces may be where the words are not */
    free(work);
    return SIGNET_OK;
}
