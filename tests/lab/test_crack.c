/* ciphers: cryptanalysis. The passage is by an author whom the language model does not know. */
#include "tests/support/unit.h"

#include "ciphers/crack.h"
#include "ciphers/letters.h"
#include "ciphers/random.h"

/* Charles Dickens, A Tale of Two Cities (1859), the beginning; in the public domain. */
static const char passage[] =
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age "
    "of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the "
    "season of Light, it was the season of Darkness, it was the spring of hope, it was the winter "
    "of despair, we had everything before us, we had nothing before us, we were all going direct "
    "to Heaven, we were all going direct the other way.";

/* Prose of today, about things that novels do not have. */
static const char modern[] =
    "When the server restarts, every client reconnects at once and asks for the messages that it "
    "missed. A naive implementation reads the whole database for each of them. We keep a small "
    "index in memory instead, rebuild it in the background, and refuse new logins for a few "
    "seconds if the disk is too slow. The configuration file describes how many.";

static struct cipher_model *model;

static int make_model(void **state)
{
    (void)state;
    return cipher_model_new(&model) == SIGNET_OK ? 0 : -1;
}

static int free_model(void **state)
{
    (void)state;
    cipher_model_free(model);
    return 0;
}

static void encrypt(
    enum cipher_kind kind, const char *key_text, signet_span text, struct signet_buf *out)
{
    struct cipher_key key;
    char problem[CIPHER_PROBLEM_SIZE];

    CHECK_OK(cipher_key_parse(kind, key_text, &key, problem));
    CHECK_OK(cipher_apply(&key, CIPHER_ENCRYPT, text, out));
}

/* Whether the best candidate's plaintext is this one. */
static void check_reads(const struct crack_result *result, signet_span cipher, signet_span plain)
{
    struct signet_buf read = {0};

    CHECK(result->count > 0);
    CHECK_OK(cipher_apply(&result->candidates[0].key, CIPHER_DECRYPT, cipher, &read));
    CHECK(signet_span_equal(signet_buf_span(&read), plain));
    signet_buf_free(&read);
}

static const struct {
    enum cipher_kind kind;
    const char *key;
} samples[] = {
    {CIPHER_CAESAR, "17"},
    {CIPHER_AFFINE, "15,7"},
    {CIPHER_MONOALPHABETIC, "KEYWORD"},
    {CIPHER_VIGENERE, "CRYPTANALYST"},
    {CIPHER_COLUMNAR, "SECRET"},
    {CIPHER_COLUMNAR, "CRYPTANALYST"},
    {CIPHER_RAILFENCE, "7"},
};

/* The passage, whole and without its spaces; the family known and unknown. */
static void check_sample(size_t which, signet_span plain)
{
    const struct crack_options options = {.seed = 1};
    struct signet_buf cipher = {0};
    struct crack_result result;

    encrypt(samples[which].kind, samples[which].key, plain, &cipher);
    CHECK_OK(crack(model, samples[which].kind, signet_buf_span(&cipher), &options, &result));
    check_reads(&result, signet_buf_span(&cipher), plain);
    CHECK(result.candidates[0].confidence > 0.9);
    CHECK_OK(crack_unknown(model, signet_buf_span(&cipher), &options, &result));
    check_reads(&result, signet_buf_span(&cipher), plain);
    CHECK(result.candidates[0].key.kind == samples[which].kind);
    signet_buf_free(&cipher);
}

/* A text without its spaces. */
static size_t join_words(const char *text, char *letters)
{
    size_t len = 0;

    for (size_t i = 0; text[i] != '\0'; i++) {
        if (text[i] != ' ')
            letters[len++] = text[i];
    }
    return len;
}

static void every_cipher_is_broken_named_or_not(void **state)
{
    char letters[sizeof(passage)];
    size_t len = join_words(passage, letters);

    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        check_sample(i, signet_span_str(passage));
        check_sample(i, signet_span_of(letters, len));
    }
}

/* Half of the true rows, side by side under twice the columns, read almost like English. */
static void the_double_of_the_columns_is_not_the_answer(void **state)
{
    static const char *const keys[] = {"1,5,2,7,9,6,4,11,12,10,8,3", "2,7,12,4,5,9,8,1,3,10,11,6"};
    const struct crack_options options = {.seed = 1};
    char letters[sizeof(passage)];
    signet_span plain = signet_span_of(letters, join_words(passage, letters));

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct signet_buf cipher = {0};
        struct crack_result result;

        encrypt(CIPHER_COLUMNAR, keys[i], plain, &cipher);
        CHECK_OK(crack(model, CIPHER_COLUMNAR, signet_buf_span(&cipher), &options, &result));
        check_reads(&result, signet_buf_span(&cipher), plain);
        signet_buf_free(&cipher);
    }
}

/* crack.h: what English prose costs. By novels alone this is 3.2 bits a letter. */
static void the_prose_of_today_is_english_too(void **state)
{
    const struct crack_options options = {.seed = 1};
    struct crack_result result;

    (void)state;
    CHECK_OK(crack(model, CIPHER_CAESAR, signet_span_str(modern), &options, &result));
    CHECK(result.candidates[0].key.as.shift == 0);
    CHECK(result.candidates[0].score > -3.0);
}

/* The score of letters by themselves, as they stand. */
static double score_of(const uint8_t *letters, size_t count)
{
    return -(double)model_cost(&model->letters, letters, count) / CIPHER_COST_UNIT / (double)count;
}

/* crack.h: what is printed beside a score is so. */
static void english_and_chance_score_as_it_is_said(void **state)
{
    const char *const texts[] = {passage, modern};
    double english = 0, chance = 0;
    struct random random;

    (void)state;
    random_seed(&random, 1);
    for (unsigned round = 0; round < 40; round++) {
        struct signet_buf letters = {0};

        CHECK_OK(letters_collect(signet_span_str(texts[round % 2]), &letters));
        english += score_of(letters.ptr, letters.len) / 40;
        random_shuffle(&random, letters.ptr, letters.len);
        chance += score_of(letters.ptr, letters.len) / 40;
        signet_buf_free(&letters);
    }
    CHECK(english > CRACK_SCORE_ENGLISH - 0.5 && english < CRACK_SCORE_ENGLISH + 0.5);
    CHECK(chance > CRACK_SCORE_CHANCE - 0.5 && chance < CRACK_SCORE_CHANCE + 0.5);
}

/* A double-length key is the key; the candidates come in order and differ. */
static void candidates_come_in_order_and_differ(void **state)
{
    const struct crack_options options = {.seed = 1};
    struct signet_buf cipher = {0};
    struct crack_result result;

    (void)state;
    encrypt(CIPHER_VIGENERE, "LEMON", signet_span_str(passage), &cipher);
    CHECK_OK(crack(model, CIPHER_VIGENERE, signet_buf_span(&cipher), &options, &result));
    CHECK(result.candidates[0].key.as.vigenere.period == 5);
    CHECK(result.count > 3);
    for (size_t i = 1; i < result.count; i++) {
        char one[CIPHER_KEY_TEXT_SIZE], other[CIPHER_KEY_TEXT_SIZE];

        CHECK(result.candidates[i - 1].evidence >= result.candidates[i].evidence);
        cipher_key_text(&result.candidates[i - 1].key, one);
        cipher_key_text(&result.candidates[i].key, other);
        assert_string_not_equal(one, other);
    }
    signet_buf_free(&cipher);
}

/* crack.h: the same seed gives the same answer. */
static void the_same_seed_gives_the_same_answer(void **state)
{
    const struct crack_options options = {.seed = 42};
    struct signet_buf cipher = {0};
    struct crack_result results[2];

    (void)state;
    encrypt(CIPHER_MONOALPHABETIC, "ZEBRAS", signet_span_of(passage, 80), &cipher);
    for (size_t i = 0; i < 2; i++)
        CHECK_OK(
            crack(model, CIPHER_MONOALPHABETIC, signet_buf_span(&cipher), &options, &results[i]));
    CHECK(results[0].tries == results[1].tries);
    CHECK(results[0].count == results[1].count);
    for (size_t i = 0; i < results[0].count; i++)
        assert_memory_equal(results[0].candidates[i].key.as.alphabet,
            results[1].candidates[i].key.as.alphabet, CIPHER_LETTERS);
    signet_buf_free(&cipher);
}

static bool stop(void *ctx, enum cipher_kind kind, const struct crack_result *so_far)
{
    (void)so_far;
    CHECK(kind == CIPHER_MONOALPHABETIC);
    ++*(unsigned *)ctx;
    return false;
}

static void a_search_that_is_stopped_gives_its_best_so_far(void **state)
{
    unsigned calls = 0;
    const struct crack_options options = {.seed = 1, .on_progress = stop, .ctx = &calls};
    struct signet_buf cipher = {0};
    struct crack_result result;

    (void)state;
    encrypt(CIPHER_MONOALPHABETIC, "ZEBRAS", signet_span_of(passage, 60), &cipher);
    CHECK_OK(crack(model, CIPHER_MONOALPHABETIC, signet_buf_span(&cipher), &options, &result));
    CHECK(calls == 1);
    CHECK(result.was_stopped);
    CHECK(result.count >= 1);
    signet_buf_free(&cipher);
}

/* What is no English under any key is not sold as an answer. */
static void nonsense_is_not_believed(void **state)
{
    const struct crack_options options = {.seed = 1};
    char letters[300];
    struct crack_result result;
    uint32_t x = 1;

    (void)state;
    for (size_t i = 0; i < sizeof(letters); i++) {
        x = x * 1664525 + 1013904223;
        letters[i] = "ETAOINSHRDLUETAOIN"[(x >> 16) % 18];
    }
    CHECK_OK(crack_unknown(model, signet_span_of(letters, sizeof(letters)), &options, &result));
    CHECK(result.candidates[0].confidence < 0.5);
}

static void a_short_text_is_answered_with_doubt(void **state)
{
    const struct crack_options options = {.seed = 1};
    struct crack_result result;

    (void)state;
    CHECK_ERR(crack(model, CIPHER_CAESAR, signet_span_str("a b-c"), &options, &result),
        SIGNET_ERR_ARGUMENT);
    CHECK_ERR(crack_unknown(model, signet_span_str(""), &options, &result), SIGNET_ERR_ARGUMENT);
    CHECK_OK(crack(model, CIPHER_MONOALPHABETIC, signet_span_str("Xqzjk vwbp"), &options, &result));
    CHECK(result.candidates[0].confidence < 0.5);
    CHECK(result.needed > 50 && result.needed < 60);
}

/* Shannon 1949: the bits of the key over the redundancy of a letter. */
static void unicity_grows_with_the_key(void **state)
{
    struct cipher_key key;
    char problem[CIPHER_PROBLEM_SIZE];
    double shorter;

    (void)state;
    CHECK_OK(cipher_key_parse(CIPHER_VIGENERE, "LEMON", &key, problem));
    shorter = crack_unicity(&key);
    CHECK_OK(cipher_key_parse(CIPHER_VIGENERE, "LEMONLIMES", &key, problem));
    CHECK(crack_unicity(&key) > 1.9 * shorter);
}

static void statistics_tell_the_families_apart(void **state)
{
    struct signet_buf cipher = {0};
    struct crack_statistics statistics;

    (void)state;
    encrypt(CIPHER_VIGENERE, "LEMON", signet_span_str(passage), &cipher);
    CHECK_OK(crack_measure(model, signet_buf_span(&cipher), &statistics));
    CHECK(statistics.likely == CIPHER_VIGENERE);
    CHECK(statistics.period == 5);
    CHECK(statistics.coincidence < 0.05);
    signet_buf_truncate(&cipher, 0);
    encrypt(CIPHER_MONOALPHABETIC, "ZEBRAS", signet_span_str(passage), &cipher);
    CHECK_OK(crack_measure(model, signet_buf_span(&cipher), &statistics));
    CHECK(statistics.likely == CIPHER_MONOALPHABETIC);
    CHECK(statistics.coincidence > 0.055);
    signet_buf_truncate(&cipher, 0);
    encrypt(CIPHER_COLUMNAR, "ZEBRAS", signet_span_str(passage), &cipher);
    CHECK_OK(crack_measure(model, signet_buf_span(&cipher), &statistics));
    CHECK(statistics.likely == CIPHER_COLUMNAR);
    signet_buf_free(&cipher);
}

/* Some period always stands out a little: in a short text that says nothing. */
static void one_alphabet_is_not_taken_for_several(void **state)
{
    const char *const texts[] = {passage, modern};
    unsigned several = 0, all = 0;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t at = 0; at + 100 < strlen(texts[i]); at += 7) {
            struct crack_statistics statistics;

            CHECK_OK(crack_measure(model, signet_span_of(texts[i] + at, 100), &statistics));
            several += statistics.likely == CIPHER_VIGENERE;
            all++;
        }
    }
    CHECK(several * 20 <= all);
}

TEST_FILE(crack)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cipher_is_broken_named_or_not),
        cmocka_unit_test(the_double_of_the_columns_is_not_the_answer),
        cmocka_unit_test(the_prose_of_today_is_english_too),
        cmocka_unit_test(english_and_chance_score_as_it_is_said),
        cmocka_unit_test(candidates_come_in_order_and_differ),
        cmocka_unit_test(the_same_seed_gives_the_same_answer),
        cmocka_unit_test(a_search_that_is_stopped_gives_its_best_so_far),
        cmocka_unit_test(nonsense_is_not_believed),
        cmocka_unit_test(a_short_text_is_answered_with_doubt),
        cmocka_unit_test(unicity_grows_with_the_key),
        cmocka_unit_test(statistics_tell_the_families_apart),
        cmocka_unit_test(one_alphabet_is_not_taken_for_several),
    };

    return cmocka_run_group_tests(tests, make_model, free_model);
}
