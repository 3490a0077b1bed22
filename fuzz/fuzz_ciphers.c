/*
 * Classical ciphers: the first line is a key, the rest a text. Any key is refused with a reason or
 * written as text that reads the same; what it encrypts it decrypts, in one piece or in two.
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "ciphers/cipher.h"
#include "ciphers/letters.h"

enum { KEY_MAX = 600 };

static void check_text(const struct cipher_key *key, signet_span text)
{
    struct signet_buf cipher = {0}, back = {0}, pieces = {0};
    struct cipher_stream stream;

    FUZZ_REQUIRE(cipher_apply(key, CIPHER_ENCRYPT, text, &cipher) == SIGNET_OK);
    FUZZ_REQUIRE(cipher.len == text.len);
    FUZZ_REQUIRE(cipher_apply(key, CIPHER_DECRYPT, signet_buf_span(&cipher), &back) == SIGNET_OK);
    FUZZ_REQUIRE(signet_span_equal(signet_buf_span(&back), text));
    cipher_stream_init(&stream, key, CIPHER_ENCRYPT);
    FUZZ_REQUIRE(cipher_stream_update(&stream, signet_span_of(text.ptr, text.len / 3), &pieces) ==
                 SIGNET_OK);
    FUZZ_REQUIRE(
        cipher_stream_update(&stream, signet_span_from(text, text.len / 3), &pieces) == SIGNET_OK);
    FUZZ_REQUIRE(cipher_stream_finish(&stream, &pieces) == SIGNET_OK);
    FUZZ_REQUIRE(signet_span_equal(signet_buf_span(&pieces), signet_buf_span(&cipher)));
    signet_buf_free(&cipher);
    signet_buf_free(&back);
    signet_buf_free(&pieces);
}

static void check_symbols(signet_span text)
{
    struct signet_buf letters = {0}, words = {0};

    FUZZ_REQUIRE(letters_collect(text, &letters) == SIGNET_OK);
    FUZZ_REQUIRE(letters_and_spaces(text, &words) == SIGNET_OK);
    FUZZ_REQUIRE(letters.len == letters_count(text));
    FUZZ_REQUIRE(words.len >= letters.len && words.len <= text.len);
    signet_buf_free(&letters);
    signet_buf_free(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    size_t key_len = end == NULL ? size : (size_t)(end - data);
    signet_span text = signet_span_from(signet_span_of(data, size), key_len + 1);
    char key_text[KEY_MAX + 1];

    if (key_len > KEY_MAX)
        return 0;
    if (key_len > 0)
        memcpy(key_text, data, key_len);
    key_text[key_len] = '\0';
    check_symbols(text);
    for (unsigned kind = 0; kind < CIPHER_COUNT; kind++) {
        char problem[CIPHER_PROBLEM_SIZE] = "", again[CIPHER_KEY_TEXT_SIZE];
        char twice[CIPHER_KEY_TEXT_SIZE];
        struct cipher_key key;

        if (cipher_key_parse((enum cipher_kind)kind, key_text, &key, problem) != SIGNET_OK) {
            FUZZ_REQUIRE(problem[0] != '\0');
            continue;
        }
        cipher_key_text(&key, again);
        FUZZ_REQUIRE(cipher_key_parse((enum cipher_kind)kind, again, &key, problem) == SIGNET_OK);
        cipher_key_text(&key, twice);
        FUZZ_REQUIRE(strcmp(again, twice) == 0);
        check_text(&key, text);
    }
    return 0;
}
