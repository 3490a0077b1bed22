/*
 * Columnar transposition, of one pass. Up to CRACK_COLUMNS_EXACT columns every order is tried;
 * beyond, simulated annealing over orders, for each number of columns. Its steps exchange two
 * columns or move a run of neighbours elsewhere: what is right already mostly stays together.
 */
#include <string.h>

#include "ciphers/crack_internal.h"
#include "ciphers/transposition.h"

enum {
    ROWS_MIN = 3,
    FIRST_STARTS = 2,    /* for each number of columns */
    STARTS_MAX = 12,     /* for each of the best numbers of columns */
    BEST_MAX = 3,        /* how many numbers of columns get them */
    STEPS_COLUMN = 1200, /* steps of one start for each column */
};
static const double HOT = 1.5 * CIPHER_COST_UNIT, COLD = 0.1 * CIPHER_COST_UNIT; /* for each row */

/* The cost of the text if its columns, from the left, were read in the order of these ranks. */
static uint32_t cost_of(const struct search *search, const struct cipher_columns *columns)
{
    const uint8_t *cost_table = search->model->letters.cost;
    const uint8_t *tops[CIPHER_COLUMNS_MAX];
    size_t starts[CIPHER_COLUMNS_MAX], count = columns->count, row = 0, left = search->scored;
    uint32_t run = MODEL_CONTEXT, cost = 0;

    transposition_starts(columns, search->count, starts);
    for (size_t column = 0; column < count; column++)
        tops[column] = search->letters + starts[column];
    for (; left > 0; row++) {
        size_t in_row = left < count ? left : count;

        for (size_t column = 0; column < in_row; column++) {
            run = (run << 5 | tops[column][row]) & (MODEL_RUNS - 1);
            cost += cost_table[run];
        }
        left -= in_row;
    }
    return cost;
}

static void offer(struct search *search, const struct cipher_columns *columns, uint32_t cost)
{
    struct cipher_key key = {.kind = CIPHER_COLUMNAR, .as.columns = {*columns}};

    search_offer(search, &key, &search->by_letters, cost, cost);
}

/* With the spaces, too, if there are any. */
static void try_order(struct search *search, const struct cipher_columns *columns)
{
    struct cipher_key key = {.kind = CIPHER_COLUMNAR, .as.columns = {*columns}};

    search_try(search, &key);
}

static void in_order(struct cipher_columns *columns, size_t count)
{
    *columns = (struct cipher_columns){.count = (uint8_t)count};
    for (uint8_t i = 0; i < count; i++)
        columns->rank[i] = i;
}

static void try_all(struct search *search, size_t count)
{
    struct cipher_columns columns;

    in_order(&columns, count);
    do {
        offer(search, &columns, cost_of(search, &columns));
        if (!search_goes_on(search, 1))
            return;
    } while (transposition_next_order(&columns));
}

/* ---- annealing ---- */

/* Exchange two columns, or two runs of columns that stand side by side. */
static void change(struct random *random, struct cipher_columns *columns)
{
    uint8_t *rank = columns->rank, kept[CIPHER_COLUMNS_MAX];
    uint32_t count = columns->count;
    uint32_t a = random_below(random, count), b = random_below(random, count);

    if (random_next(random) & 1) {
        uint8_t one = rank[a];

        rank[a] = rank[b];
        rank[b] = one;
        return;
    }
    if (a > b) {
        uint32_t low = b;

        b = a;
        a = low;
    }
    if (a < b) {
        uint32_t len = b - a + 1, middle = 1 + random_below(random, len - 1);

        memcpy(kept, rank + a, len);
        memcpy(rank + a, kept + middle, len - middle);
        memcpy(rank + a + len - middle, kept, middle);
    }
}

/*
 * A text read from its second letter on, the first at the end, is hardly worse: all columns have
 * gone one place around. No small step leads from one to the other, so each turn is tried; all are
 * offered, since often no more than one letter tells them apart.
 */
static uint32_t turn(struct search *search, struct cipher_columns *columns, uint32_t cost)
{
    struct cipher_columns turned = *columns;

    try_order(search, columns);
    for (size_t places = 1; places < columns->count; places++) {
        uint8_t first = turned.rank[0];
        uint32_t next;

        memmove(turned.rank, turned.rank + 1, columns->count - 1u);
        turned.rank[columns->count - 1] = first;
        next = cost_of(search, &turned);
        try_order(search, &turned);
        if (next < cost) {
            cost = next;
            *columns = turned;
        }
    }
    (void)search_goes_on(search, columns->count);
    return cost;
}

/* One start from an order of chance; the cost of where it ends. */
static uint32_t anneal(struct search *search, struct cipher_columns *columns)
{
    size_t steps = (size_t)STEPS_COLUMN * columns->count;
    double rows = (double)search->scored / columns->count;
    uint32_t cost, best;
    struct cipher_columns best_columns;

    random_shuffle(&search->random, columns->rank, columns->count);
    best = cost = cost_of(search, columns);
    best_columns = *columns;
    for (size_t step = 0; step < steps; step++) {
        double temperature = rows * (HOT + (COLD - HOT) * (double)step / (double)steps);
        struct cipher_columns next_columns = *columns;
        uint32_t next;

        change(&search->random, &next_columns);
        next = cost_of(search, &next_columns);
        if (next <= cost || search_accepts(search, next - cost, temperature)) {
            cost = next;
            *columns = next_columns;
        }
        if (cost < best) {
            best = cost;
            best_columns = *columns;
        }
        if (step % 1000 == 999 && !search_goes_on(search, 1000))
            break;
    }
    *columns = best_columns;
    return turn(search, columns, best);
}

/* Further starts for one number of columns, until two have led to the same that costs no more than
 * `enough`. */
static void insist(struct search *search, size_t count, uint32_t *best, uint32_t enough)
{
    for (unsigned start = 0; start < STARTS_MAX && search_goes_on(search, 0); start++) {
        struct cipher_columns columns;
        uint32_t cost;

        in_order(&columns, count);
        cost = anneal(search, &columns);
        if (cost == *best && cost <= enough)
            return;
        *best = cost < *best ? cost : *best;
    }
}

/*
 * Under twice the columns half of the true rows stand in each row: that looks like English, too.
 * If the first starts have missed the true number, it is a divisor; its text costs less.
 */
static void insist_on_divisors(struct search *search, size_t count, uint32_t *best)
{
    insist(search, count, &best[count], UINT32_MAX); /* two columns may still be exchanged */
    for (size_t divisor = CRACK_COLUMNS_EXACT + 1; divisor < count; divisor++) {
        if (count % divisor == 0)
            insist(search, divisor, &best[divisor], best[count]);
    }
}

/* More columns fit chance better, and have more orders: the evidence weighs both. */
static size_t choose(const uint32_t *best, size_t most)
{
    size_t chosen = 0;
    double chosen_bits = 0;

    for (size_t count = CRACK_COLUMNS_EXACT + 1; count <= most; count++) {
        struct cipher_key key = {.kind = CIPHER_COLUMNAR, .as.columns[0].count = (uint8_t)count};
        double bits = cipher_key_bits(&key) + (double)best[count] / CIPHER_COST_UNIT;

        if (best[count] != UINT32_MAX && (chosen == 0 || bits < chosen_bits)) {
            chosen = count;
            chosen_bits = bits;
        }
    }
    return chosen;
}

void crack_columnar(struct search *search)
{
    uint32_t best[CRACK_COLUMNS_MAX + 1];
    struct crack_result found;
    size_t most = search->count / ROWS_MIN;

    memset(best, 0xff, sizeof(best));
    most = most < 2 ? 2 : most > CRACK_COLUMNS_MAX ? CRACK_COLUMNS_MAX : most;
    for (size_t count = 2; count <= CRACK_COLUMNS_EXACT && count <= most; count++)
        try_all(search, count);
    found = *search->result; /* keys of few columns, by their letters alone */
    for (size_t i = 0; i < found.count; i++)
        search_try(search, &found.candidates[i].key);
    for (size_t count = CRACK_COLUMNS_EXACT + 1;
         count <= most && !search_is_sure(search) && search_goes_on(search, 0); count++) {
        for (unsigned start = 0; start < FIRST_STARTS; start++) {
            struct cipher_columns columns;
            uint32_t cost;

            in_order(&columns, count);
            cost = anneal(search, &columns);
            best[count] = cost < best[count] ? cost : best[count];
        }
        if (search_is_sure(search))
            insist_on_divisors(search, count, best);
    }
    for (unsigned turn = 0; turn < BEST_MAX && !search_is_sure(search); turn++) {
        size_t chosen = choose(best, most);

        if (chosen == 0 || !search_goes_on(search, 0))
            return;
        insist(search, chosen, &best[chosen], UINT32_MAX);
        best[chosen] = UINT32_MAX;
    }
}
