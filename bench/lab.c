/*
 * How well the cipher lab's cryptanalysis does: share of letters and texts right, and time, over
 * random passages and random keys. Writes a Markdown table.
 *
 *   bench_lab [--count N] [--seed N] [--only CIPHER] FILE...
 *
 * The files are English prose that the language model was not made from (bench/lab-corpus).
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ciphers/crack.h"
#include "ciphers/letters.h"
#include "ciphers/random.h"

enum { COUNT_MAX = 10000 };

struct row {
    enum cipher_kind kind;
    size_t letters;
    size_t size; /* columns, or length of the key */
    bool with_spaces, is_unknown;
};

static const struct row rows[] = {
    {CIPHER_CAESAR, 10, 0, false, false},
    {CIPHER_CAESAR, 20, 0, false, false},
    {CIPHER_AFFINE, 20, 0, false, false},
    {CIPHER_AFFINE, 40, 0, false, false},
    {CIPHER_MONOALPHABETIC, 40, 0, true, false},
    {CIPHER_MONOALPHABETIC, 60, 0, true, false},
    {CIPHER_MONOALPHABETIC, 100, 0, true, false},
    {CIPHER_MONOALPHABETIC, 200, 0, true, false},
    {CIPHER_MONOALPHABETIC, 60, 0, false, false},
    {CIPHER_MONOALPHABETIC, 100, 0, false, false},
    {CIPHER_MONOALPHABETIC, 200, 0, false, false},
    {CIPHER_MONOALPHABETIC, 400, 0, false, false},
    {CIPHER_MONOALPHABETIC, 1000, 0, false, false},
    {CIPHER_VIGENERE, 300, 3, false, false},
    {CIPHER_VIGENERE, 300, 7, false, false},
    {CIPHER_VIGENERE, 300, 12, false, false},
    {CIPHER_VIGENERE, 300, 20, false, false},
    {CIPHER_COLUMNAR, 200, 5, false, false},
    {CIPHER_COLUMNAR, 200, 10, false, false},
    {CIPHER_COLUMNAR, 200, 15, false, false},
    {CIPHER_COLUMNAR, 200, 20, false, false},
    {CIPHER_COLUMNAR, 500, 5, false, false},
    {CIPHER_COLUMNAR, 500, 10, false, false},
    {CIPHER_COLUMNAR, 500, 15, false, false},
    {CIPHER_COLUMNAR, 500, 20, false, false},
    {CIPHER_RAILFENCE, 40, 0, false, false},
    {CIPHER_RAILFENCE, 100, 0, false, false},
    {CIPHER_CAESAR, 200, 0, false, true},
    {CIPHER_AFFINE, 200, 0, false, true},
    {CIPHER_MONOALPHABETIC, 200, 0, false, true},
    {CIPHER_VIGENERE, 200, 7, false, true},
    {CIPHER_COLUMNAR, 200, 10, false, true},
    {CIPHER_RAILFENCE, 200, 0, false, true},
};

struct bench {
    struct cipher_model *model;
    struct signet_buf prose;
    struct random random;
    size_t count;
    uint64_t seed;
};

struct totals {
    double right;  /* sum of shares of letters */
    size_t wholly; /* texts without a wrong letter */
    size_t sure,
        sure_right;       /* with confidence 0.9 or more; of those 90 % of letters or more right */
    size_t doubted_right; /* right like that, but with a confidence under 0.5 */
    double seconds[COUNT_MAX];
};

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_lab: %s\n", what);
    exit(1);
}

static double seconds_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void read_prose(struct bench *bench, const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t block[4096];
    size_t got;

    if (file == NULL)
        die("cannot open a file");
    while ((got = fread(block, 1, sizeof(block), file)) > 0) {
        if (signet_buf_append(&bench->prose, signet_span_of(block, got)) != SIGNET_OK)
            die("out of memory");
    }
    if (ferror(file) != 0)
        die("cannot read a file");
    (void)fclose(file);
}

/* A passage of so many letters that begins where a word begins. */
static void take_passage(struct bench *bench, const struct row *row, struct signet_buf *out)
{
    size_t room = row->letters * 2 + 400;
    size_t at, letters = 0;

    if (bench->prose.len < 2 * room)
        die("the files are too short");
    at = random_below(&bench->random, (uint32_t)(bench->prose.len - room));
    while (letter_of(bench->prose.ptr[at]) < CIPHER_LETTERS)
        at++;
    for (; letters < row->letters && at < bench->prose.len; at++) {
        bool is_letter = letter_of(bench->prose.ptr[at]) < CIPHER_LETTERS;

        if (is_letter || (row->with_spaces && letters > 0)) {
            if (signet_buf_fill(out, bench->prose.ptr[at], 1) != SIGNET_OK)
                die("out of memory");
        }
        letters += is_letter;
    }
}

static struct cipher_key make_key(struct bench *bench, const struct row *row)
{
    static const uint8_t factors[] = {1, 3, 5, 7, 9, 11, 15, 17, 19, 21, 23, 25};
    struct cipher_key key = {.kind = row->kind};
    struct random *random = &bench->random;

    switch (row->kind) {
    case CIPHER_CAESAR: key.as.shift = (uint8_t)(1 + random_below(random, 25)); break;
    case CIPHER_AFFINE:
        key.as.affine.factor = factors[1 + random_below(random, 11)];
        key.as.affine.shift = (uint8_t)random_below(random, 26);
        break;
    case CIPHER_MONOALPHABETIC:
        for (uint8_t i = 0; i < CIPHER_LETTERS; i++)
            key.as.alphabet[i] = i;
        random_shuffle(random, key.as.alphabet, CIPHER_LETTERS);
        break;
    case CIPHER_VIGENERE:
        key.as.vigenere.period = (uint8_t)row->size;
        for (size_t i = 0; i < row->size; i++)
            key.as.vigenere.shifts[i] = (uint8_t)random_below(random, 26);
        break;
    case CIPHER_COLUMNAR:
        key.as.columns[0].count = (uint8_t)row->size;
        for (uint8_t i = 0; i < row->size; i++)
            key.as.columns[0].rank[i] = i;
        random_shuffle(random, key.as.columns[0].rank, row->size);
        break;
    case CIPHER_RAILFENCE: key.as.rails = (uint16_t)(2 + random_below(random, 9)); break;
    case CIPHER_COUNT: break;
    }
    return key;
}

static double share_right(signet_span plain, const struct cipher_key *key, signet_span cipher)
{
    struct signet_buf read = {0};
    size_t letters = 0, right = 0;

    if (cipher_apply(key, CIPHER_DECRYPT, cipher, &read) != SIGNET_OK)
        die("out of memory");
    for (size_t i = 0; i < plain.len; i++) {
        letters += letter_of(plain.ptr[i]) < CIPHER_LETTERS;
        right += letter_of(plain.ptr[i]) < CIPHER_LETTERS && plain.ptr[i] == read.ptr[i];
    }
    signet_buf_free(&read);
    return (double)right / (double)letters;
}

static void solve_one(
    struct bench *bench, const struct row *row, size_t which, struct totals *totals)
{
    struct crack_options options = {.seed = bench->seed + which};
    struct signet_buf plain = {0}, cipher = {0};
    struct cipher_key key;
    struct crack_result result;
    double start, share;
    enum signet_err err;

    take_passage(bench, row, &plain);
    key = make_key(bench, row);
    if (cipher_apply(&key, CIPHER_ENCRYPT, signet_buf_span(&plain), &cipher) != SIGNET_OK)
        die("out of memory");
    start = seconds_now();
    err = row->is_unknown
              ? crack_unknown(bench->model, signet_buf_span(&cipher), &options, &result)
              : crack(bench->model, row->kind, signet_buf_span(&cipher), &options, &result);
    totals->seconds[which] = seconds_now() - start;
    if (err != SIGNET_OK || result.count == 0)
        die("a text was refused");
    share =
        share_right(signet_buf_span(&plain), &result.candidates[0].key, signet_buf_span(&cipher));
    totals->right += share;
    totals->wholly += share >= 1;
    totals->sure += result.candidates[0].confidence >= 0.9;
    totals->sure_right += result.candidates[0].confidence >= 0.9 && share >= 0.9;
    totals->doubted_right += result.candidates[0].confidence < 0.5 && share >= 0.9;
    signet_buf_free(&plain);
    signet_buf_free(&cipher);
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static void run_row(struct bench *bench, const struct row *row)
{
    static struct totals totals;
    char name[64], size[32] = "";
    size_t count = bench->count;

    totals = (struct totals){0};
    for (size_t i = 0; i < count; i++)
        solve_one(bench, row, i, &totals);
    qsort(totals.seconds, count, sizeof(double), compare_doubles);
    (void)snprintf(name, sizeof(name), "%s%s%s", cipher_name(row->kind),
        row->with_spaces ? ", with spaces" : "", row->is_unknown ? ", not named" : "");
    if (row->size > 0)
        (void)snprintf(size, sizeof(size), "%zu", row->size);
    (void)printf("| %s | %s | %zu | %.1f %% | %.0f %% | %.3f s | %.3f s | %zu of %zu | %zu |\n",
        name, size, row->letters, 100 * totals.right / (double)count,
        100 * (double)totals.wholly / (double)count, totals.seconds[count / 2],
        totals.seconds[(count * 95 + 99) / 100 - 1], totals.sure_right, totals.sure,
        totals.doubted_right);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"count", required_argument, NULL, 'c'},
        {"seed", required_argument, NULL, 's'},
        {"only", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    struct bench bench = {.count = 100, .seed = 1};
    const char *only = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'c': bench.count = strtoul(optarg, NULL, 10); break;
        case 's': bench.seed = strtoull(optarg, NULL, 10); break;
        case 'o': only = optarg; break;
        default: return 2;
        }
    }
    if (optind == argc || bench.count < 1 || bench.count > COUNT_MAX) {
        (void)fputs(
            "usage: bench_lab [--count 1..10000] [--seed N] [--only CIPHER] FILE...\n", stderr);
        return 2;
    }
    for (int i = optind; i < argc; i++)
        read_prose(&bench, argv[i]);
    if (cipher_model_new(&bench.model) != SIGNET_OK)
        die("no language model");
    (void)puts("| cipher | key length, columns | letters | letters right | texts wholly right | "
               "median time | 95 % within | right when sure | right in doubt |\n"
               "|---|---|---|---|---|---|---|---|---|");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        random_seed(&bench.random, bench.seed + i);
        if (only == NULL || strcmp(only, cipher_name(rows[i].kind)) == 0)
            run_row(&bench, &rows[i]);
    }
    cipher_model_free(bench.model);
    signet_buf_free(&bench.prose);
    return 0;
}
