/*
 * Monoalphabetic substitution: simulated annealing over alphabets, from several starts.
 *
 * A step exchanges two letters of the key. While it is hot, worse keys are taken too, so that the
 * search leaves valleys that are not the deepest; at the end only better ones are. It ends when
 * several starts have led to the same key, which chance hardly does.
 */
#include <string.h>

#include "ciphers/crack_internal.h"

enum {
    STARTS_MAX = 120,
    MEETINGS = 3, /* starts that must lead to the same key */
    STEPS_MIN = 10000,
    STEPS_MAX = 30000,
    STEPS_LETTERS = 3000000, /* steps times letters of one start, within those limits */
    ANNEALED = 500,          /* symbols: with more it takes longer, and freezes in more valleys */
    PAIRS = CIPHER_LETTERS * (CIPHER_LETTERS - 1) / 2,
    SAMPLES = 6000,
    ALIKE = 10, /* readings that differ in one letter of so many are one */
};
static const double HOT = 16.0 * CIPHER_COST_UNIT, COLD = 0.5 * CIPHER_COST_UNIT;

/*
 * At this temperature keys are met as often as they are likely (Metropolis 1953), if 2.6 bits of the
 * model are worth one: prose is less regular than runs of four letters make it (by bench: how many
 * answers that were called sure were right).
 */
static const double LIKELY = 2.6 * CIPHER_COST_UNIT / 0.693147;

static void exchange(uint8_t *map, size_t a, size_t b)
{
    uint8_t letter = map[a];

    map[a] = map[b];
    map[b] = letter;
}

static uint32_t cost_of(const struct view *view, const uint8_t *map)
{
    return model_cost_mapped(view->table, view->symbols, view->count, map);
}

/* From hot to cold; `map` is where it ends. */
static void anneal(
    struct search *search, const struct view *view, uint8_t map[CIPHER_SYMBOLS], size_t steps)
{
    uint32_t cost = cost_of(view, map);

    for (size_t step = 0; step < steps; step++) {
        double temperature = HOT + (COLD - HOT) * (double)step / (double)steps;
        uint32_t a = random_below(&search->random, CIPHER_LETTERS);
        uint32_t b = random_below(&search->random, CIPHER_LETTERS - 1);
        uint32_t next;

        b += b >= a;
        exchange(map, a, b);
        next = cost_of(view, map);
        if (next <= cost || search_accepts(search, next - cost, temperature))
            cost = next;
        else
            exchange(map, a, b);
        if (step % 1000 == 999 && !search_goes_on(search, 1000))
            return;
    }
}

/* Until no exchange makes it better; returns the cost. */
static uint32_t descend(struct search *search, const struct view *view, uint8_t map[CIPHER_SYMBOLS])
{
    size_t since = 0, a = 0, b = 1;
    uint32_t cost = cost_of(view, map);

    while (since < PAIRS) {
        uint32_t next;

        exchange(map, a, b);
        next = cost_of(view, map);
        since = next < cost ? 0 : since + 1;
        if (next < cost)
            cost = next;
        else
            exchange(map, a, b);
        if (++b == CIPHER_LETTERS) {
            a = a + 2 == CIPHER_LETTERS ? 0 : a + 1;
            b = a + 1;
        }
    }
    (void)search_goes_on(search, PAIRS);
    return cost;
}

/* The letters that the ciphertext does not have may stand for any that are left: in order, so that
 * keys that read alike are one key. */
static void offer(struct search *search, const struct view *view, const uint8_t *map, uint32_t cost)
{
    struct cipher_key key = {.kind = CIPHER_MONOALPHABETIC};
    bool is_seen[CIPHER_SYMBOLS] = {false}, is_known[CIPHER_LETTERS] = {false};
    uint8_t spare = 0;

    for (size_t i = 0; i < view->count; i++)
        is_seen[view->symbols[i]] = true;
    for (uint8_t cipher = 0; cipher < CIPHER_LETTERS; cipher++) {
        if (is_seen[cipher]) {
            key.as.alphabet[map[cipher]] = cipher;
            is_known[map[cipher]] = true;
        }
    }
    for (uint8_t plain = 0; plain < CIPHER_LETTERS; plain++) {
        if (is_known[plain])
            continue;
        while (is_seen[spare])
            spare++;
        key.as.alphabet[plain] = spare++;
    }
    search_offer(search, &key, view, cost,
        model_cost_mapped(&search->model->letters, search->letters, search->scored, map));
}

/*
 * The chance that nine letters of ten are what the best key says: how often they are in a walk over
 * keys that are as likely. Letters that are rare in a short text may be others as well.
 */
static double share_clear(struct search *search, const struct view *view, const uint8_t *best)
{
    size_t counts[CIPHER_SYMBOLS] = {0}, clear = 0, differ = 0;
    uint32_t cost = cost_of(view, best);
    uint8_t map[CIPHER_SYMBOLS];

    memcpy(map, best, sizeof(map));
    for (size_t i = 0; i < view->count; i++)
        counts[view->symbols[i]]++;
    for (size_t step = 0; step < SAMPLES; step++) {
        uint32_t a = random_below(&search->random, CIPHER_LETTERS);
        uint32_t b = random_below(&search->random, CIPHER_LETTERS - 1);
        uint32_t next;

        b += b >= a;
        exchange(map, a, b);
        next = cost_of(view, map);
        if (next <= cost || search_accepts(search, next - cost, LIKELY)) {
            cost = next;
            differ = 0;
            for (size_t letter = 0; letter < CIPHER_LETTERS; letter++)
                differ += map[letter] == best[letter] ? 0 : counts[letter];
        } else {
            exchange(map, a, b);
        }
        clear += differ * ALIKE <= search->scored;
    }
    (void)search_goes_on(search, SAMPLES);
    return (double)clear / (double)SAMPLES;
}

static void solve(struct search *search, const struct view *view)
{
    struct view beginning = *view;
    uint8_t best_map[CIPHER_SYMBOLS];
    uint32_t best = UINT32_MAX;
    unsigned meetings = 0;
    size_t steps;

    beginning.count = view->count < ANNEALED ? view->count : ANNEALED;
    steps = STEPS_LETTERS / beginning.count;
    steps = steps < STEPS_MIN ? STEPS_MIN : steps > STEPS_MAX ? STEPS_MAX : steps;
    for (unsigned start = 0; start < STARTS_MAX && meetings < MEETINGS; start++) {
        uint8_t map[CIPHER_SYMBOLS];
        uint32_t cost;

        for (uint8_t i = 0; i < CIPHER_SYMBOLS; i++)
            map[i] = i;
        random_shuffle(&search->random, map, CIPHER_LETTERS);
        anneal(search, &beginning, map, steps);
        cost = descend(search, view, map);
        offer(search, view, map, cost);
        meetings = cost < best ? 1 : meetings + (cost == best);
        if (cost < best) {
            best = cost;
            memcpy(best_map, map, sizeof(map));
        }
        if (!search_goes_on(search, 0))
            break;
    }
    search->clear = share_clear(search, view, best_map);
}

void crack_monoalphabetic(struct search *search)
{
    if (search->by_words.symbols != NULL) {
        solve(search, &search->by_words);
        /* Spaces may be where the words are not. What the text means nothing by, costs more than
         * chance; then letters alone are asked. */
        if (search->result->candidates[0].evidence > 0 || !search_goes_on(search, 0))
            return;
    }
    solve(search, &search->by_letters);
}
