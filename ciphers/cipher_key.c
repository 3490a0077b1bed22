/* Keys: as text, as numbers, and how many there are. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ciphers/letters.h"

enum { KEYWORD_MAX = 64 /* letters, repeated ones counted */ };

static enum signet_err refuse(char problem[CIPHER_PROBLEM_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum signet_err refuse(char problem[CIPHER_PROBLEM_SIZE], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(problem, CIPHER_PROBLEM_SIZE, format, args);
    va_end(args);
    return SIGNET_ERR_FORMAT;
}

/* ---- numbers ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Read decimal digits and move past them; false where there are none or more than six. */
static bool read_number(const char **text, unsigned *number_out)
{
    unsigned number = 0;
    size_t digits = 0;

    while (is_digit((*text)[digits]) && digits <= 6)
        number = number * 10 + (unsigned)((*text)[digits++] - '0');
    if (digits == 0 || digits > 6)
        return false;
    *text += digits;
    *number_out = number;
    return true;
}

static void skip_comma(const char **text)
{
    *text += strspn(*text, " ");
    if (**text == ',')
        ++*text;
    *text += strspn(*text, " ");
}

static enum signet_err parse_caesar(
    const char *text, struct cipher_key *key, char problem[CIPHER_PROBLEM_SIZE])
{
    unsigned shift;

    if (!read_number(&text, &shift) || *text != '\0')
        return refuse(problem, "it is not a number from 0 to 25");
    if (shift >= CIPHER_LETTERS)
        return refuse(problem, "%u is not from 0 to 25", shift);
    key->as.shift = (uint8_t)shift;
    return SIGNET_OK;
}

static enum signet_err parse_affine(
    const char *text, struct cipher_key *key, char problem[CIPHER_PROBLEM_SIZE])
{
    unsigned factor, shift;

    if (!read_number(&text, &factor))
        return refuse(problem, "it is not two numbers A,B");
    skip_comma(&text);
    if (!read_number(&text, &shift) || *text != '\0')
        return refuse(problem, "it is not two numbers A,B");
    if (factor >= CIPHER_LETTERS || shift >= CIPHER_LETTERS)
        return refuse(problem, "%u is not from 0 to 25", factor >= CIPHER_LETTERS ? factor : shift);
    if (factor % 2 == 0 || factor == 13)
        return refuse(problem,
            "A is %u, which shares a factor with 26, so that different letters become the same",
            factor);
    key->as.affine.factor = (uint8_t)factor;
    key->as.affine.shift = (uint8_t)shift;
    return SIGNET_OK;
}

static enum signet_err parse_rails(
    const char *text, struct cipher_key *key, char problem[CIPHER_PROBLEM_SIZE])
{
    unsigned rails;

    if (!read_number(&text, &rails) || *text != '\0')
        return refuse(problem, "it is not a number from 2 to %d", CIPHER_RAILS_MAX);
    if (rails < 2 || rails > CIPHER_RAILS_MAX)
        return refuse(problem, "%u is not from 2 to %d", rails, CIPHER_RAILS_MAX);
    key->as.rails = (uint16_t)rails;
    return SIGNET_OK;
}

/* ---- words ---- */

/* Letters only, one to `max` of them. *count_out is set after OK. */
static enum signet_err read_word(
    const char *text, size_t len, size_t max, uint8_t *letters, char problem[CIPHER_PROBLEM_SIZE])
{
    if (len == 0)
        return refuse(problem, "it is empty");
    for (size_t i = 0; i < len; i++) {
        uint8_t letter = letter_of((uint8_t)text[i]);

        if (letter == CIPHER_LETTERS)
            return refuse(problem, "character %zu is not a letter A-Z", i + 1);
        if (i < max)
            letters[i] = letter;
    }
    if (len > max)
        return refuse(problem, "it has %zu letters, and may have %zu", len, max);
    return SIGNET_OK;
}

static enum signet_err parse_alphabet(
    const char *text, struct cipher_key *key, char problem[CIPHER_PROBLEM_SIZE])
{
    uint8_t letters[KEYWORD_MAX];
    bool is_used[CIPHER_LETTERS] = {false};
    size_t len = strlen(text), count = 0;
    enum signet_err err = read_word(text, len, KEYWORD_MAX, letters, problem);

    if (err != SIGNET_OK)
        return err;
    for (size_t i = 0; i < len; i++) {
        /* A keyword's repetitions are dropped, as its rule says; a whole alphabet has none. */
        if (is_used[letters[i]] && len == CIPHER_LETTERS)
            return refuse(problem, "letter %c is repeated", 'A' + letters[i]);
        if (!is_used[letters[i]])
            key->as.alphabet[count++] = letters[i];
        is_used[letters[i]] = true;
    }
    for (uint8_t letter = 0; letter < CIPHER_LETTERS; letter++) {
        if (!is_used[letter])
            key->as.alphabet[count++] = letter;
    }
    return SIGNET_OK;
}

static enum signet_err parse_vigenere(
    const char *text, struct cipher_key *key, char problem[CIPHER_PROBLEM_SIZE])
{
    size_t len = strlen(text);
    enum signet_err err = read_word(text, len, CIPHER_PERIOD_MAX, key->as.vigenere.shifts, problem);

    key->as.vigenere.period = (uint8_t)len;
    return err;
}

/* ---- columns ---- */

/* The ranks of a keyword's letters in the alphabet; equal letters from left to right. */
static enum signet_err columns_of_word(
    const char *text, size_t len, struct cipher_columns *columns, char problem[CIPHER_PROBLEM_SIZE])
{
    uint8_t letters[CIPHER_COLUMNS_MAX];
    enum signet_err err = read_word(text, len, CIPHER_COLUMNS_MAX, letters, problem);

    if (err != SIGNET_OK)
        return err;
    columns->count = (uint8_t)len;
    for (size_t i = 0; i < len; i++) {
        uint8_t before = 0;

        for (size_t other = 0; other < len; other++) {
            if (letters[other] < letters[i] || (letters[other] == letters[i] && other < i))
                before++;
        }
        columns->rank[i] = before;
    }
    return SIGNET_OK;
}

/* "6,3,2,4,1,5", "6 3 2 4 1 5" or, up to nine columns, "632415". */
static enum signet_err columns_of_numbers(const char *text, const char *end,
    struct cipher_columns *columns, char problem[CIPHER_PROBLEM_SIZE])
{
    bool is_packed = strcspn(text, ", ") >= (size_t)(end - text);
    bool is_taken[CIPHER_COLUMNS_MAX + 1] = {false};
    size_t count = 0;

    while (text < end) {
        unsigned number = (unsigned)(*text - '0');

        if (is_packed && is_digit(*text))
            text++;
        else if (is_packed || !read_number(&text, &number) || text > end)
            return refuse(problem, "it mixes numbers with something else");
        skip_comma(&text);
        if (number < 1 || number > CIPHER_COLUMNS_MAX || count == CIPHER_COLUMNS_MAX)
            return refuse(
                problem, "there are 2 to %d columns, numbered from 1", CIPHER_COLUMNS_MAX);
        if (is_taken[number])
            return refuse(problem, "number %u is repeated", number);
        is_taken[number] = true;
        columns->rank[count++] = (uint8_t)(number - 1);
    }
    if (end[-1] == ',')
        return refuse(problem, "a number is missing after the last comma");
    for (size_t number = 1; number <= count; number++) {
        if (!is_taken[number])
            return refuse(problem, "it has %zu numbers, but %zu is missing", count, number);
    }
    columns->count = (uint8_t)count;
    return SIGNET_OK;
}

static enum signet_err parse_columns(
    const char *text, struct cipher_key *key, char problem[CIPHER_PROBLEM_SIZE])
{
    for (size_t i = 0;; i++) {
        size_t start = strspn(text, " "), whole = strcspn(text, "/"), len = whole;
        struct cipher_columns *columns = &key->as.columns[i];
        enum signet_err err;

        while (len > start && text[len - 1] == ' ')
            len--;
        err = len > start && is_digit(text[start])
                  ? columns_of_numbers(text + start, text + len, columns, problem)
                  : columns_of_word(text, len, columns, problem);
        if (err != SIGNET_OK)
            return err;
        if (columns->count < 2)
            return refuse(problem, "one column changes nothing: give at least two");
        if (text[whole] == '\0')
            return SIGNET_OK;
        if (i == 1)
            return refuse(problem, "it has more than two transpositions");
        text += whole + 1;
    }
}

/* ---- the whole ---- */

enum signet_err cipher_key_parse(enum cipher_kind kind, const char *text,
    struct cipher_key *key_out, char problem[CIPHER_PROBLEM_SIZE])
{
    struct cipher_key key = {.kind = kind};
    enum signet_err err = SIGNET_ERR_FORMAT;

    switch (kind) {
    case CIPHER_CAESAR: err = parse_caesar(text, &key, problem); break;
    case CIPHER_AFFINE: err = parse_affine(text, &key, problem); break;
    case CIPHER_MONOALPHABETIC: err = parse_alphabet(text, &key, problem); break;
    case CIPHER_VIGENERE: err = parse_vigenere(text, &key, problem); break;
    case CIPHER_COLUMNAR: err = parse_columns(text, &key, problem); break;
    case CIPHER_RAILFENCE: err = parse_rails(text, &key, problem); break;
    case CIPHER_COUNT: break;
    }
    if (err == SIGNET_OK)
        *key_out = key;
    return err;
}

static size_t write_letters(const uint8_t *letters, size_t count, char *text)
{
    for (size_t i = 0; i < count; i++)
        text[i] = (char)('A' + letters[i]);
    text[count] = '\0';
    return count;
}

static size_t write_columns(const struct cipher_columns *columns, char *text, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < columns->count; i++)
        len += (size_t)snprintf(
            text + len, size - len, "%s%d", i == 0 ? "" : ",", columns->rank[i] + 1);
    return len;
}

void cipher_key_text(const struct cipher_key *key, char text[CIPHER_KEY_TEXT_SIZE])
{
    size_t len;

    text[0] = '\0';
    switch (key->kind) {
    case CIPHER_CAESAR: (void)snprintf(text, CIPHER_KEY_TEXT_SIZE, "%d", key->as.shift); break;
    case CIPHER_AFFINE:
        (void)snprintf(
            text, CIPHER_KEY_TEXT_SIZE, "%d,%d", key->as.affine.factor, key->as.affine.shift);
        break;
    case CIPHER_MONOALPHABETIC: (void)write_letters(key->as.alphabet, CIPHER_LETTERS, text); break;
    case CIPHER_VIGENERE:
        (void)write_letters(key->as.vigenere.shifts, key->as.vigenere.period, text);
        break;
    case CIPHER_COLUMNAR:
        len = write_columns(&key->as.columns[0], text, CIPHER_KEY_TEXT_SIZE);
        if (key->as.columns[1].count > 0) {
            text[len++] = '/';
            (void)write_columns(&key->as.columns[1], text + len, CIPHER_KEY_TEXT_SIZE - len);
        }
        break;
    case CIPHER_RAILFENCE: (void)snprintf(text, CIPHER_KEY_TEXT_SIZE, "%d", key->as.rails); break;
    case CIPHER_COUNT: break;
    }
}

static double log2_factorial(unsigned n)
{
    return lgamma(n + 1.0) / log(2.0);
}

double cipher_key_bits(const struct cipher_key *key)
{
    switch (key->kind) {
    case CIPHER_CAESAR: return log2(CIPHER_LETTERS);
    case CIPHER_AFFINE: return log2(12 * CIPHER_LETTERS);
    case CIPHER_MONOALPHABETIC: return log2_factorial(CIPHER_LETTERS);
    case CIPHER_VIGENERE: return key->as.vigenere.period * log2(CIPHER_LETTERS);
    case CIPHER_COLUMNAR:
        return log2_factorial(key->as.columns[0].count) + log2_factorial(key->as.columns[1].count);
    case CIPHER_RAILFENCE: return log2(CIPHER_RAILS_MAX - 1);
    case CIPHER_COUNT: break;
    }
    return 0;
}
