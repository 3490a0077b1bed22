/* ciphers: how sure cryptanalysis says it is. Neither right answers in doubt, nor wrong ones sure. */
#include "tests/support/unit.h"

#include "ciphers/crack.h"
#include "ciphers/letters.h"
#include "ciphers/random.h"

/* As dry as prose gets: names, abbreviations, numbers. */
static const char dry[] =
    "The relay keeps each COSE envelope in SQLite until the client acknowledges its sequence. CBOR "
    "maps use integer keys; an RSA-OAEP ciphertext is bytes, so is an X25519 public key. HKDF then "
    "yields chain keys, and AES-GCM seals what is written. TLS exporters bind the login to its own "
    "channel. Unknown flags and trailing bytes are refused, and libuv closes the socket after "
    "that.";

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

/* Encrypt and crack; the share of letters that come back. `kind` is the cipher's, if it is named. */
static double share_right(const char *text, enum cipher_kind kind, const char *key_text,
    bool is_named, struct crack_result *result)
{
    const struct crack_options options = {.seed = 1};
    struct signet_buf cipher = {0}, read = {0};
    struct cipher_key key;
    char problem[CIPHER_PROBLEM_SIZE];
    size_t right = 0, len = strlen(text);

    CHECK_OK(cipher_key_parse(kind, key_text, &key, problem));
    CHECK_OK(cipher_apply(&key, CIPHER_ENCRYPT, signet_span_str(text), &cipher));
    if (is_named)
        CHECK_OK(crack(model, kind, signet_buf_span(&cipher), &options, result));
    else
        CHECK_OK(crack_unknown(model, signet_buf_span(&cipher), &options, result));
    CHECK_OK(
        cipher_apply(&result->candidates[0].key, CIPHER_DECRYPT, signet_buf_span(&cipher), &read));
    for (size_t i = 0; i < len; i++)
        right += read.ptr[i] == (uint8_t)text[i] && letter_of(read.ptr[i]) < CIPHER_LETTERS;
    signet_buf_free(&cipher);
    signet_buf_free(&read);
    return (double)right / (double)letters_count(signet_span_str(text));
}

static const struct {
    enum cipher_kind kind;
    const char *key;
} samples[] = {
    {CIPHER_CAESAR, "17"},
    {CIPHER_AFFINE, "15,7"},
    {CIPHER_MONOALPHABETIC, "KEYWORD"},
    {CIPHER_VIGENERE, "LEMON"},
    {CIPHER_COLUMNAR, "SECRET"},
    {CIPHER_COLUMNAR, "CRYPTANALYST"},
    {CIPHER_RAILFENCE, "7"},
};

/* What is hardly English by its statistics is no reason to disown a right answer. */
static void a_right_answer_is_believed_even_of_dry_prose(void **state)
{
    struct crack_result result;

    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        CHECK(share_right(dry, samples[i].kind, samples[i].key, true, &result) > 0.9);
        CHECK(result.candidates[0].score < -3.7);
        CHECK(result.candidates[0].confidence > 0.5);
    }
}

/* Letters without meaning: at 10 to 20 of them some key makes something of them. */
static void letters_of_chance_are_doubted(void **state)
{
    const struct crack_options options = {.seed = 1};
    struct random random;
    struct crack_result result;
    unsigned believed = 0;

    (void)state;
    CHECK_OK(crack(model, CIPHER_VIGENERE, signet_span_str("XQZJKVWBPL"), &options, &result));
    CHECK(result.candidates[0].confidence < 0.5);
    random_seed(&random, 5);
    for (unsigned round = 0; round < 36; round++) {
        uint8_t text[20];
        size_t len = round % 2 ? 10 : 20;

        for (size_t i = 0; i < len; i++)
            text[i] = (uint8_t)('A' + random_below(&random, CIPHER_LETTERS));
        CHECK_OK(crack(model, (enum cipher_kind)(round / 2 % CIPHER_COUNT),
            signet_span_of(text, len), &options, &result));
        believed += result.candidates[0].confidence >= 0.5;
    }
    CHECK(believed <= 1);
}

/* Caesar, affine with A = 1 and a Vigenere key of one letter are the same: one answer, the simplest,
 * that does not compete with itself. */
static void equal_plaintexts_are_one_answer(void **state)
{
    static const char *const short_texts[] = {
        "Attack at dawn!", "Meet me at the old mill", "We leave at nine tonight"};
    struct crack_result result;

    (void)state;
    for (size_t i = 0; i < sizeof(short_texts) / sizeof(short_texts[0]); i++) {
        CHECK(share_right(short_texts[i], CIPHER_CAESAR, "3", false, &result) >= 1);
        CHECK(result.candidates[0].key.kind == CIPHER_CAESAR);
        CHECK(result.candidates[0].key.as.shift == 3);
        CHECK(result.candidates[0].confidence > 0.5);
    }
}

/* A tenth of the letters wrong is not right: the exchanges that cost little are weighed. */
static void details_that_are_open_are_doubted(void **state)
{
    static const char *const texts[] = {
        "modewhichispointtopointIfadifferentTunnelforwardingmodeitdes",
        "thanninehundredDebiandevelopersThereweremanymajorchangesinth",
        "withthejobserverandthecommanddoesnotfindanyunusualfiledescri",
        "of salt. It freezes well, though the texture becomes a bit grainy after a mo",
        "of celery, and a thumb of ginger, grated. Cover with stock and simmer until a",
        "by creating a sequence of patches (by calling for",
        "wore a yellow jacket with a logo she did not recog",
        "POD and reST, which can be converted using xsltpr",
    };
    struct crack_result result;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        double share = share_right(
            texts[i], CIPHER_MONOALPHABETIC, "VAYKQNMDBEFOWCJHLGZIXPURST", true, &result);

        CHECK(share >= 0.9 || result.candidates[0].confidence < 0.9);
    }
}

TEST_FILE(crack_doubt)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_answer_is_believed_even_of_dry_prose),
        cmocka_unit_test(letters_of_chance_are_doubted),
        cmocka_unit_test(equal_plaintexts_are_one_answer),
        cmocka_unit_test(details_that_are_open_are_doubted),
    };

    return cmocka_run_group_tests(tests, make_model, free_model);
}
