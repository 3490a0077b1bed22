/* protocol: what one message is sealed with; docs/protocol.md, section 6.1. */
#include "tests/support/crypto_unit.h"

#include "crypto/kdf.h"
#include "protocol/message_keys.h"
#include "tests/support/flip.h"

static const uint8_t salt_bytes[ENVELOPE_SALT_LEN] = {9, 9, 9};
static const signet_span salt = {salt_bytes, sizeof(salt_bytes)};
static const struct header_key header_key = {.k = {1, 2, 3}};
static const struct message_key message_key = {.k = {4, 5, 6}};
static const struct message_header header = {
    .ratchet_key = {.k = {7}},
    .previous_count = 0x01020304,
    .number = 0xfffefdfc,
    .commitment = {8},
};

/* HKDF-Expand straight from lib/crypto, to compare with. */
static struct signet_buf expanded(
    struct signet_library *library, const uint8_t key[32], const char *info, size_t len)
{
    struct signet_buf out = {0};
    struct crypto_prk prk;
    struct crypto_out place;

    memcpy(prk.k, key, sizeof(prk.k));
    CHECK_OK(signet_buf_fill(&out, 0, len));
    place = (struct crypto_out){out.ptr, len};
    CHECK_OK(crypto_hkdf_expand(library, &prk, signet_span_str(info),
        strcmp(info, "tag") == 0 ? signet_span_of(NULL, 0) : salt, place));
    return out;
}

/* docs/protocol.md, section 6.1: the labels, the lengths and the order. */
static void keys_are_those_of_the_specification(void **state)
{
    struct signet_buf tag_wanted = expanded(*state, header_key.k, "tag", 8);
    struct signet_buf body_wanted = expanded(*state, message_key.k, "msg", 76);
    struct body_keys keys;
    struct signet_tag tag;

    CHECK_OK(header_key_tag(*state, &header_key, &tag));
    assert_memory_equal(tag.b, tag_wanted.ptr, 8);
    CHECK_OK(body_keys_derive(*state, &message_key, salt, &keys));
    assert_memory_equal(keys.aead.key, body_wanted.ptr, 32);
    assert_memory_equal(keys.aead.nonce, body_wanted.ptr + 32, 12);
    assert_memory_equal(keys.commitment, body_wanted.ptr + 44, 32);
    signet_buf_free(&tag_wanted);
    signet_buf_free(&body_wanted);
}

/* An envelope with the sealed header, and a body that says nothing. */
static struct signet_buf with_header(struct signet_library *library)
{
    struct header_seal seal = {&header_key, &header, salt};
    struct signet_buf bytes = {0};
    struct wire_writer w;

    CHECK_OK(envelope_begin(signet_span_str("tag tag "), salt, signet_span_of(NULL, 0), &bytes));
    CHECK_OK(header_seal(library, &seal, &bytes));
    w = wire_writer(&bytes);
    wire_put_bytes(&w, signet_span_str("body"));
    CHECK_OK(wire_writer_finish(&w));
    return bytes;
}

/* docs/protocol.md, section 6.1: 72 bytes, big-endian, under HKDF-Expand(HK, "hdr" || salt, 44). */
static void a_header_is_laid_out_as_specified(void **state)
{
    struct signet_buf bytes = with_header(*state), plain = {0};
    struct signet_buf wanted = expanded(*state, header_key.k, "hdr", 44);
    struct crypto_aead_key key;
    struct envelope e;

    memcpy(&key, wanted.ptr, sizeof(key));
    CHECK_OK(envelope_read(signet_buf_span(&bytes), &e));
    CHECK_OK(crypto_aead_open(*state, &key, e.header_ad, e.header, &plain));
    assert_int_equal(plain.len, ENVELOPE_HEADER_PLAIN_LEN);
    assert_memory_equal(plain.ptr, header.ratchet_key.k, 32);
    assert_memory_equal(plain.ptr + 32, "\x01\x02\x03\x04\xff\xfe\xfd\xfc", 8);
    assert_memory_equal(plain.ptr + 40, header.commitment, 32);
    signet_buf_free(&bytes);
    signet_buf_free(&plain);
    signet_buf_free(&wanted);
}

static void a_header_opens_as_it_was_sealed(void **state)
{
    struct signet_buf bytes = with_header(*state);
    struct header_key other = header_key;
    struct message_header opened;
    struct envelope e;

    CHECK_OK(envelope_read(signet_buf_span(&bytes), &e));
    CHECK_OK(header_open(*state, &header_key, &e, &opened));
    assert_memory_equal(&opened, &header, sizeof(header));
    other.k[31] ^= 1;
    CHECK_ERR(header_open(*state, &other, &e, &opened), SIGNET_ERR_AUTH);
    assert_memory_equal(&opened, &header, sizeof(header));
    signet_buf_free(&bytes);
}

/* docs/protocol.md, section 6.1: all bytes before the ciphertext are associated data. */
static void every_byte_up_to_the_header_is_covered(void **state)
{
    struct signet_buf bytes = with_header(*state);
    struct message_header opened;
    struct envelope e;
    size_t end;

    CHECK_OK(envelope_read(signet_buf_span(&bytes), &e));
    end = (size_t)(e.header.ptr + e.header.len - bytes.ptr);
    for (size_t i = 0; i < end; i++) {
        struct signet_buf bad = flipped(signet_buf_span(&bytes), i);

        if (envelope_read(signet_buf_span(&bad), &e) == SIGNET_OK)
            CHECK_ERR(header_open(*state, &header_key, &e, &opened), SIGNET_ERR_AUTH);
        signet_buf_free(&bad);
    }
    signet_buf_free(&bytes);
}

/* One bit of key or salt changes all that is derived. */
static void body_keys_depend_on_key_and_salt(void **state)
{
    uint8_t other_salt[ENVELOPE_SALT_LEN] = {0};
    struct message_key other_key = message_key;
    struct body_keys one, two, three;

    other_key.k[0] ^= 1;
    CHECK_OK(body_keys_derive(*state, &message_key, salt, &one));
    CHECK_OK(body_keys_derive(*state, &other_key, salt, &two));
    CHECK_OK(body_keys_derive(
        *state, &message_key, signet_span_of(other_salt, sizeof(other_salt)), &three));
    assert_memory_not_equal(one.commitment, two.commitment, COMMITMENT_LEN);
    assert_memory_not_equal(one.commitment, three.commitment, COMMITMENT_LEN);
    assert_memory_not_equal(&one.aead, &two.aead, sizeof(one.aead));
    assert_memory_not_equal(&one.aead, &three.aead, sizeof(one.aead));
}

TEST_FILE(message_keys)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_those_of_the_specification),
        cmocka_unit_test(a_header_is_laid_out_as_specified),
        cmocka_unit_test(a_header_opens_as_it_was_sealed),
        cmocka_unit_test(every_byte_up_to_the_header_is_covered),
        cmocka_unit_test(body_keys_depend_on_key_and_salt),
    };

    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
