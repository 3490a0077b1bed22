/* protocol: padding; docs/protocol.md, section 6.2; Padme: Nikitin et al., PETS 2019, section 4. */
#include "tests/support/unit.h"

#include "protocol/padding.h"

/* Padme as the paper's Algorithm 1 has it, with the smallest length that signet adds. */
static size_t padme(size_t len)
{
    unsigned exponent = 0, size_of_exponent = 0;
    size_t mask;

    len = len < PADDED_MIN ? PADDED_MIN : len;
    for (size_t left = len; left > 1; left /= 2)
        exponent++;
    for (size_t left = exponent; left > 0; left /= 2)
        size_of_exponent++;
    mask = ((size_t)1 << (exponent - size_of_exponent)) - 1;
    return (len + mask) / (mask + 1) * (mask + 1);
}

/* docs/protocol.md, section 6.2: at least 256 bytes; lengths that were computed by hand. */
static void lengths_are_those_of_padme(void **state)
{
    static const size_t known[][2] = {{0, 256}, {1, 256}, {255, 256}, {256, 272}, {271, 272},
        {272, 288}, {511, 512}, {512, 544}, {4095, 4096}, {4096, 4352}, {65535, 65536},
        {65536, 67584}};

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_int_equal(padded_len(known[i][0]), known[i][1]);
    for (size_t len = 0; len < 100000; len++)
        assert_int_equal(padded_len(len), padme(len + 1));
}

/* Padme's promise: at most 12 % more, so few lengths that a message can have. */
static void few_lengths_are_ever_seen(void **state)
{
    size_t distinct = 0, last = 0;

    (void)state;
    for (size_t len = 0; len < 98304; len++) {
        size_t padded = padded_len(len);

        CHECK(padded >= last && padded > len);
        CHECK(padded <= PADDED_MIN || padded * 100 <= (len + 1) * 112);
        distinct += padded != last;
        last = padded;
    }
    CHECK(distinct < 220);
}

static void what_is_padded_is_stripped(void **state)
{
    uint8_t content[700];

    (void)state;
    memset(content, 0, sizeof(content)); /* zeros: the hard case */
    for (size_t len = 0; len <= sizeof(content); len++) {
        struct signet_buf padded = {0};
        signet_span stripped;

        if (len > 0)
            content[len - 1] = (uint8_t)(len % 2 == 0 ? 0x80 : 0);
        CHECK_OK(padding_add(signet_span_of(content, len), &padded));
        assert_int_equal(padded.len, padded_len(len));
        CHECK_OK(padding_strip(signet_buf_span(&padded), &stripped));
        CHECK(signet_span_equal(stripped, signet_span_of(content, len)));
        signet_buf_free(&padded);
    }
}

/* docs/protocol.md, section 6.2: any other length, and padding that is not 0x80 00*. */
static void any_other_padding_is_refused(void **state)
{
    uint8_t bytes[1024] = {0};
    signet_span content = signet_span_of(bytes, 3);

    (void)state;
    CHECK_ERR(padding_strip(signet_span_of(NULL, 0), &content), SIGNET_ERR_FORMAT);
    CHECK_ERR(padding_strip(signet_span_of(bytes, 256), &content), SIGNET_ERR_FORMAT);
    bytes[100] = 0x80;
    CHECK_OK(padding_strip(signet_span_of(bytes, 256), &content));
    bytes[255] = 1;
    CHECK_ERR(padding_strip(signet_span_of(bytes, 256), &content), SIGNET_ERR_FORMAT);
    bytes[255] = 0;
    bytes[100] = 0x81;
    CHECK_ERR(padding_strip(signet_span_of(bytes, 256), &content), SIGNET_ERR_FORMAT);
    bytes[100] = 0x80;
    for (size_t len = 101; len <= sizeof(bytes); len++) {
        if (len != 256)
            CHECK_ERR(padding_strip(signet_span_of(bytes, len), &content), SIGNET_ERR_FORMAT);
    }
    /* A whole step too long, though itself a length that Padme has. */
    bytes[100] = 0;
    bytes[254] = 0x80;
    CHECK_ERR(padding_strip(signet_span_of(bytes, 272), &content), SIGNET_ERR_FORMAT);
    bytes[254] = 0;
    bytes[256] = 0x80;
    CHECK_OK(padding_strip(signet_span_of(bytes, 272), &content));
}

TEST_FILE(padding)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_those_of_padme),
        cmocka_unit_test(few_lengths_are_ever_seen),
        cmocka_unit_test(what_is_padded_is_stripped),
        cmocka_unit_test(any_other_padding_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
