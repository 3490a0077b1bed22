/* ciphers: encryption and decryption of the classical ciphers, and their keys. */
#include "tests/support/unit.h"

#include "ciphers/cipher.h"
#include "ciphers/letters.h"
#include "ciphers/random.h"

static struct cipher_key key_of(enum cipher_kind kind, const char *text)
{
    struct cipher_key key;
    char problem[CIPHER_PROBLEM_SIZE] = "";

    if (cipher_key_parse(kind, text, &key, problem) != SIGNET_OK)
        fail_msg("%s: %s", text, problem);
    return key;
}

static void check_both_ways(
    enum cipher_kind kind, const char *key_text, const char *plain, const char *cipher)
{
    struct cipher_key key = key_of(kind, key_text);
    struct signet_buf out = {0};

    CHECK_OK(cipher_apply(&key, CIPHER_ENCRYPT, signet_span_str(plain), &out));
    CHECK_SPAN(signet_buf_span(&out), cipher);
    signet_buf_truncate(&out, 0);
    CHECK_OK(cipher_apply(&key, CIPHER_DECRYPT, signet_span_str(cipher), &out));
    CHECK_SPAN(signet_buf_span(&out), plain);
    signet_buf_free(&out);
}

/* Wikipedia, "Caesar cipher": a left shift of three is a right shift of 23. Suetonius, Life of
 * Julius Caesar 56: D for A. */
static void caesar_gives_the_published_ciphertexts(void **state)
{
    (void)state;
    check_both_ways(CIPHER_CAESAR, "23", "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG",
        "QEB NRFZH YOLTK CLU GRJMP LSBO QEB IXWV ALD");
    check_both_ways(CIPHER_CAESAR, "3", "A", "D");
    check_both_ways(CIPHER_CAESAR, "0", "Nothing moves.", "Nothing moves.");
}

/* Wikipedia, "Affine cipher". */
static void affine_gives_the_published_ciphertext(void **state)
{
    (void)state;
    check_both_ways(CIPHER_AFFINE, "5,8", "AFFINE CIPHER", "IHHWVC SWFRCP");
    check_both_ways(CIPHER_AFFINE, "25, 25", "abcXYZ", "zyxCBA"); /* Atbash */
}

/* Wikipedia, "Substitution cipher", the keyword zebras. */
static void monoalphabetic_gives_the_published_ciphertext(void **state)
{
    (void)state;
    check_both_ways(CIPHER_MONOALPHABETIC, "zebras", "FLEE AT ONCE. WE ARE DISCOVERED!",
        "SIAA ZQ LKBA. VA ZOA RFPBLUAOAR!");
    check_both_ways(CIPHER_MONOALPHABETIC, "ZEBRASCDFGHIJKLMNOPQTUVWXY",
        "FLEE AT ONCE. WE ARE DISCOVERED!", "SIAA ZQ LKBA. VA ZOA RFPBLUAOAR!");
}

/* Wikipedia, "Vigenere cipher": both examples. */
static void vigenere_gives_the_published_ciphertexts(void **state)
{
    (void)state;
    check_both_ways(CIPHER_VIGENERE, "LEMON", "ATTACKATDAWN", "LXFOPVEFRNHR");
    check_both_ways(
        CIPHER_VIGENERE, "abcd", "CRYPTOISSHORTFORCRYPTOGRAPHY", "CSASTPKVSIQUTGQUCSASTPIUAQJB");
    /* The key moves on letters only. */
    check_both_ways(CIPHER_VIGENERE, "LEMON", "Attack, at 5: dawn!", "Lxfopv, ef 5: rnhr!");
}

/* Wikipedia, "Transposition cipher": filled up, not filled up, and double. */
static void columnar_gives_the_published_ciphertexts(void **state)
{
    (void)state;
    check_both_ways(CIPHER_COLUMNAR, "ZEBRAS", "WEAREDISCOVEREDFLEEATONCEQKJEU",
        "EVLNEACDTKESEAQROFOJDEECUWIREE");
    check_both_ways(
        CIPHER_COLUMNAR, "632415", "WEAREDISCOVEREDFLEEATONCE", "EVLNACDTESEAROFODEECWIREE");
    check_both_ways(CIPHER_COLUMNAR, "6,3,2,4,1,5/STRIPE", "WEAREDISCOVEREDFLEEATONCE",
        "CAEENSOIAEDRLEFWEDREEVTOC");
}

/* Wikipedia, "Rail fence cipher". */
static void railfence_gives_the_published_ciphertext(void **state)
{
    (void)state;
    check_both_ways(
        CIPHER_RAILFENCE, "3", "WEAREDISCOVEREDFLEEATONCE", "WECRLTEERDSOEEFEAOCAIVDEN");
    check_both_ways(CIPHER_RAILFENCE, "1000", "ABCDE", "ABCDE");
}

/* cipher.h: letters move, everything else and the pattern of capitals stays. */
static void transposition_keeps_spaces_and_capitals_in_place(void **state)
{
    (void)state;
    check_both_ways(CIPHER_RAILFENCE, "2", "Ab cd-ef, 1!", "Ac eb-df, 1!");
    check_both_ways(CIPHER_COLUMNAR, "2,1", "Gr\u00fc\u00df Gott", "Ro\u00fc\u00df Tggt");
}

static const char *const good_keys[CIPHER_COUNT][3] = {
    [CIPHER_CAESAR] = {"0", "25", "13"},
    [CIPHER_AFFINE] = {"1,0", "25 25", "7 , 3"},
    [CIPHER_MONOALPHABETIC] = {"A", "thequickbrownfoxjumpsoverthelazydog",
        "qwertyuiopasdfghjklzxcvbnm"},
    [CIPHER_VIGENERE] = {"A", "lemon",
        "ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOPABCDEFGHIJKLMNOPABCDEFGHIJKLMNOP"},
    [CIPHER_COLUMNAR] = {"AB", "10,1,2,3,4,5,6,7,8,9", "2 1 / 1 3 2"},
    [CIPHER_RAILFENCE] = {"2", "17", "1000"},
};

static const struct {
    enum cipher_kind kind;
    const char *key, *why;
} bad_keys[] = {
    {CIPHER_CAESAR, "", "not a number"},
    {CIPHER_CAESAR, "x", "not a number"},
    {CIPHER_CAESAR, "3x", "not a number"},
    {CIPHER_CAESAR, "-1", "not a number"},
    {CIPHER_CAESAR, "26", "26 is not from 0 to 25"},
    {CIPHER_CAESAR, "99999999999999999999", "not a number"},
    {CIPHER_AFFINE, "5", "two numbers"},
    {CIPHER_AFFINE, "5,8,1", "two numbers"},
    {CIPHER_AFFINE, "13,1", "shares a factor"},
    {CIPHER_AFFINE, "4,1", "shares a factor"},
    {CIPHER_AFFINE, "5,26", "26 is not from 0 to 25"},
    {CIPHER_MONOALPHABETIC, "", "empty"},
    {CIPHER_MONOALPHABETIC, "ZEB RA", "character 4 is not a letter"},
    {CIPHER_MONOALPHABETIC, "AACDEFGHIJKLMNOPQRSTUVWXYZ", "letter A is repeated"},
    {CIPHER_MONOALPHABETIC, "ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOPABCDEFGHIJKLMNOPABCDEFGHIJKLMNOPA",
        "65 letters"},
    {CIPHER_VIGENERE, "", "empty"},
    {CIPHER_VIGENERE, "L3MON", "character 2 is not a letter"},
    {CIPHER_VIGENERE, "ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOPABCDEFGHIJKLMNOPABCDEFGHIJKLMNOPA",
        "65 letters"},
    {CIPHER_COLUMNAR, "", "empty"},
    {CIPHER_COLUMNAR, "A", "at least two"},
    {CIPHER_COLUMNAR, "1", "at least two"},
    {CIPHER_COLUMNAR, "2,1,", "missing after the last comma"},
    {CIPHER_COLUMNAR, "1,1,2", "number 1 is repeated"},
    {CIPHER_COLUMNAR, "1,2,4", "3 is missing"},
    {CIPHER_COLUMNAR, "0,1", "numbered from 1"},
    {CIPHER_COLUMNAR, "1,b", "something else"},
    {CIPHER_COLUMNAR, "12a", "something else"},
    {CIPHER_COLUMNAR, "ab1", "character 3 is not a letter"},
    {CIPHER_COLUMNAR, "ab/", "empty"},
    {CIPHER_COLUMNAR, "ab/cd/ef", "more than two"},
    {CIPHER_RAILFENCE, "1", "1 is not from 2 to 1000"},
    {CIPHER_RAILFENCE, "1001", "1001 is not from 2 to 1000"},
    {CIPHER_RAILFENCE, "three", "not a number"},
};

static void a_bad_key_is_refused_with_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_keys) / sizeof(bad_keys[0]); i++) {
        struct cipher_key key = {.kind = CIPHER_COUNT};
        char problem[CIPHER_PROBLEM_SIZE] = "";

        CHECK_ERR(
            cipher_key_parse(bad_keys[i].kind, bad_keys[i].key, &key, problem), SIGNET_ERR_FORMAT);
        if (strstr(problem, bad_keys[i].why) == NULL)
            fail_msg("%s: %s", bad_keys[i].key, problem);
        CHECK(key.kind == CIPHER_COUNT);
    }
}

static void a_key_written_as_text_reads_as_the_same_key(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < CIPHER_COUNT; kind++) {
        for (size_t i = 0; i < 3; i++) {
            struct cipher_key key = key_of((enum cipher_kind)kind, good_keys[kind][i]), again;
            char text[CIPHER_KEY_TEXT_SIZE], text_again[CIPHER_KEY_TEXT_SIZE];

            cipher_key_text(&key, text);
            again = key_of((enum cipher_kind)kind, text);
            cipher_key_text(&again, text_again);
            assert_string_equal(text, text_again);
            CHECK(cipher_key_bits(&key) > 0);
        }
    }
}

/* Random bytes of all values, in pieces of random length, through every kind of key and back. */
static void what_is_encrypted_in_pieces_is_decrypted_whole(void **state)
{
    struct random random;

    (void)state;
    random_seed(&random, 7);
    for (unsigned round = 0; round < 300; round++) {
        enum cipher_kind kind = (enum cipher_kind)(round % CIPHER_COUNT);
        struct cipher_key key = key_of(kind, good_keys[kind][round / CIPHER_COUNT % 3]);
        struct signet_buf plain = {0}, cipher = {0}, back = {0};
        uint32_t len = random_below(&random, 700);
        struct cipher_stream stream;

        for (uint32_t i = 0; i < len; i++) {
            uint32_t byte = random_below(&random, 4) ? 'A' + random_below(&random, 58)
                                                     : random_below(&random, 256);

            CHECK_OK(signet_buf_fill(&plain, (uint8_t)byte, 1));
        }
        cipher_stream_init(&stream, &key, CIPHER_ENCRYPT);
        for (size_t at = 0; at < len;) {
            size_t piece = 1 + random_below(&random, 90);

            piece = piece < len - at ? piece : len - at;
            CHECK_OK(cipher_stream_update(&stream, signet_span_of(plain.ptr + at, piece), &cipher));
            at += piece;
        }
        CHECK_OK(cipher_stream_finish(&stream, &cipher));
        CHECK(cipher.len == plain.len);
        CHECK_OK(cipher_apply(&key, CIPHER_DECRYPT, signet_buf_span(&cipher), &back));
        CHECK(signet_span_equal(signet_buf_span(&back), signet_buf_span(&plain)));
        signet_buf_free(&plain);
        signet_buf_free(&cipher);
        signet_buf_free(&back);
    }
}

static void substitution_holds_nothing_back(void **state)
{
    struct cipher_key key = key_of(CIPHER_VIGENERE, "LEMON");
    struct cipher_stream stream;
    struct signet_buf out = {0};

    (void)state;
    cipher_stream_init(&stream, &key, CIPHER_ENCRYPT);
    CHECK_OK(cipher_stream_update(&stream, signet_span_str("ATT"), &out));
    CHECK_SPAN(signet_buf_span(&out), "LXF");
    CHECK(stream.held.len == 0);
    cipher_stream_free(&stream);
    signet_buf_free(&out);
}

static void ciphers_are_found_by_their_names(void **state)
{
    enum cipher_kind kind;

    (void)state;
    for (unsigned i = 0; i < CIPHER_COUNT; i++) {
        CHECK(cipher_find(cipher_name((enum cipher_kind)i), &kind));
        CHECK(kind == (enum cipher_kind)i);
    }
    CHECK(!cipher_find("rot13", &kind));
}

/* letters.h: apostrophes part no words, everything else does, once. */
static void words_are_parted_once(void **state)
{
    static const uint8_t wanted[] = {3, 14, 13, 19, 26, 0, 26, 1};
    struct signet_buf out = {0};

    (void)state;
    CHECK_OK(letters_and_spaces(signet_span_str("  don\u2019t -- A\n b!"), &out));
    CHECK(signet_span_equal(signet_buf_span(&out), signet_span_of(wanted, sizeof(wanted))));
    signet_buf_free(&out);
}

TEST_FILE(ciphers)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caesar_gives_the_published_ciphertexts),
        cmocka_unit_test(affine_gives_the_published_ciphertext),
        cmocka_unit_test(monoalphabetic_gives_the_published_ciphertext),
        cmocka_unit_test(vigenere_gives_the_published_ciphertexts),
        cmocka_unit_test(columnar_gives_the_published_ciphertexts),
        cmocka_unit_test(railfence_gives_the_published_ciphertext),
        cmocka_unit_test(transposition_keeps_spaces_and_capitals_in_place),
        cmocka_unit_test(a_bad_key_is_refused_with_its_reason),
        cmocka_unit_test(a_key_written_as_text_reads_as_the_same_key),
        cmocka_unit_test(what_is_encrypted_in_pieces_is_decrypted_whole),
        cmocka_unit_test(substitution_holds_nothing_back),
        cmocka_unit_test(ciphers_are_found_by_their_names),
        cmocka_unit_test(words_are_parted_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
