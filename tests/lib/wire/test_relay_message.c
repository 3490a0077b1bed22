/* wire: the relay's messages, protocol.md section 9. */
#include "tests/support/unit.h"

#include <stdlib.h>

#include "base/hex.h"
#include "wire/relay_message.h"

static uint8_t many[RELAY_PREKEYS_MAX * RELAY_PREKEY_LEN];
static uint64_t ack_ids[RELAY_ACKS_MAX];

static signet_span some(size_t len)
{
    return signet_span_of(many, len);
}

enum { SAMPLE_COUNT = 21 };

/* One message of every type and of every shape that a type has. */
static size_t samples(struct relay_message out[SAMPLE_COUNT])
{
    struct signet_id id;
    size_t n = 0;

    for (size_t i = 0; i < sizeof(many); i++)
        many[i] = (uint8_t)(i * 7 + 1);
    for (size_t i = 0; i < RELAY_ACKS_MAX; i++)
        ack_ids[i] = i * UINT64_C(0x0123456789ab);
    CHECK_OK(signet_id_read(some(32), &id));

    out[n++] = (struct relay_message){.type = RELAY_REGISTER,
        .req = 1,
        .token = some(16),
        .name = signet_span_str("alice"),
        .card = some(900),
        .proof = some(500)};
    out[n++] = (struct relay_message){.type = RELAY_REGISTER,
        .req = UINT64_MAX,
        .name = signet_span_str("bob"),
        .card = some(1),
        .proof = some(1)};
    out[n++] = (struct relay_message){.type = RELAY_LOGIN, .req = 24, .proof = some(800)};
    out[n++] = (struct relay_message){.type = RELAY_PUT_CARD, .req = 3, .card = some(1000)};
    out[n++] = (struct relay_message){.type = RELAY_PUT_BUNDLE,
        .req = 4,
        .bundle = some(1500),
        .keys = some(3 * RELAY_PREKEY_LEN)};
    out[n++] =
        (struct relay_message){.type = RELAY_FIND, .req = 5, .name = signet_span_str("operator")};
    out[n++] = (struct relay_message){.type = RELAY_FIND, .req = 5, .id = id};
    out[n++] = (struct relay_message){.type = RELAY_TAKE, .req = 6, .id = id};
    out[n++] = (struct relay_message){.type = RELAY_PUT, .req = 7, .id = id, .envelope = some(700)};
    out[n++] = (struct relay_message){.type = RELAY_SUBSCRIBE, .req = 8};
    out[n++] = (struct relay_message){.type = RELAY_ACK, .ack_ids = ack_ids, .ack_count = 4};
    out[n++] = (struct relay_message){.type = RELAY_CHALLENGE, .nonce = some(32)};
    out[n++] = (struct relay_message){.type = RELAY_DONE, .req = 9};
    out[n++] = (struct relay_message){
        .type = RELAY_REFUSED, .req = 10, .code = RELAY_CODE_OFTEN, .retry_after_ms = 60000};
    out[n++] = (struct relay_message){.type = RELAY_WELCOME,
        .req = 11,
        .time_ms = UINT64_C(9007199254740991),
        .id = id,
        .bundle = some(300),
        .one_time_left = 256};
    out[n++] = (struct relay_message){.type = RELAY_WELCOME, .req = 12, .id = id};
    out[n++] = (struct relay_message){
        .type = RELAY_ACCOUNT, .req = 13, .name = signet_span_str("carol"), .card = some(950)};
    out[n++] = (struct relay_message){.type = RELAY_PREKEYS,
        .req = 14,
        .bundle = some(300),
        .has_prekey = true,
        .prekey = {.index = 255, .key = some(32), .path = some(8 * SIGNET_ID_LEN)}};
    out[n++] = (struct relay_message){.type = RELAY_ACCEPTED, .req = 15, .message = 1};
    out[n++] =
        (struct relay_message){.type = RELAY_DELIVER, .message = UINT64_MAX, .envelope = some(2)};
    out[n++] = (struct relay_message){.type = RELAY_DRAINED};
    return n;
}

/* A message as it was read cannot be written: arrays stay encoded. This takes them apart. */
struct unpacked {
    struct relay_message message;
    struct signet_buf keys;
    uint64_t acks[RELAY_ACKS_MAX];
    struct signet_id path[RELAY_PATH_MAX];
};

static void unpack(const struct relay_message *read, struct unpacked *out)
{
    struct relay_message rest = *read;
    size_t count = 0;

    memset(out, 0, sizeof(*out));
    out->message = *read;
    CHECK_OK(relay_keys_copy(read, &out->keys));
    out->message.keys = signet_buf_span(&out->keys);
    out->message.prekey.path =
        signet_span_of(out->path, relay_path_copy(read, out->path) * SIGNET_ID_LEN);
    while (count < RELAY_ACKS_MAX && relay_ack_next(&rest, &out->acks[count]))
        count++;
    CHECK(rest.acks.len == 0 && count == read->ack_count);
    out->message.ack_ids = out->acks;
}

static void check_same(const struct relay_message *a, const struct relay_message *b)
{
    CHECK(a->type == b->type && a->req == b->req && a->message == b->message);
    CHECK(a->code == b->code && a->retry_after_ms == b->retry_after_ms);
    CHECK(a->time_ms == b->time_ms && a->one_time_left == b->one_time_left);
    CHECK(signet_span_equal(a->token, b->token) && signet_span_equal(a->name, b->name));
    CHECK(signet_span_equal(a->card, b->card) && signet_span_equal(a->proof, b->proof));
    CHECK(signet_span_equal(a->bundle, b->bundle) && signet_span_equal(a->keys, b->keys));
    CHECK(signet_span_equal(a->envelope, b->envelope) && signet_span_equal(a->nonce, b->nonce));
    CHECK(signet_id_equal(&a->id, &b->id) && a->has_prekey == b->has_prekey);
    CHECK(a->prekey.index == b->prekey.index && signet_span_equal(a->prekey.key, b->prekey.key));
    CHECK(signet_span_equal(a->prekey.path, b->prekey.path) && a->ack_count == b->ack_count);
    for (size_t i = 0; i < a->ack_count; i++)
        CHECK(a->ack_ids[i] == b->ack_ids[i]);
}

static void every_message_is_read_as_it_was_written(void **state)
{
    struct relay_message all[SAMPLE_COUNT];
    size_t count = samples(all);

    (void)state;
    CHECK(count == SAMPLE_COUNT);
    for (size_t i = 0; i < count; i++) {
        struct signet_buf buf = {0}, again = {0};
        struct relay_message read;
        struct unpacked unpacked;
        signet_span rest;

        CHECK_OK(relay_message_write(&all[i], &buf));
        CHECK_OK(relay_message_read(signet_buf_span(&buf), &read, &rest));
        CHECK(rest.len == 0);
        unpack(&read, &unpacked);
        check_same(&all[i], &unpacked.message);
        CHECK_OK(relay_message_write(&unpacked.message, &again));
        CHECK(signet_span_equal(signet_buf_span(&buf), signet_buf_span(&again)));
        signet_buf_free(&unpacked.keys);
        signet_buf_free(&again);
        signet_buf_free(&buf);
    }
}

/* protocol.md, section 9: one binary message carries one or more, one after the other. */
static void a_sequence_is_read_message_by_message(void **state)
{
    struct relay_message all[SAMPLE_COUNT], read;
    size_t count = samples(all);
    struct signet_buf buf = {0};
    signet_span rest;

    (void)state;
    for (size_t i = 0; i < count; i++)
        CHECK_OK(relay_message_write(&all[i], &buf));
    rest = signet_buf_span(&buf);
    for (size_t i = 0; i < count; i++) {
        CHECK_OK(relay_message_read(rest, &read, &rest));
        CHECK(read.type == all[i].type && read.req == all[i].req);
    }
    CHECK(rest.len == 0);
    CHECK_ERR(relay_message_read(rest, &read, &rest), SIGNET_ERR_FORMAT);
    signet_buf_free(&buf);
}

static void every_truncation_is_refused_and_leaves_the_outputs(void **state)
{
    struct relay_message all[SAMPLE_COUNT];
    size_t count = samples(all);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct signet_buf buf = {0};

        CHECK_OK(relay_message_write(&all[i], &buf));
        for (size_t len = 0; len < buf.len; len++) {
            struct relay_message read = {.req = 77};
            signet_span rest = signet_span_str("as before");

            /* A copy of its own, so that a sanitizer sees a read beyond the end. */
            uint8_t *cut = malloc(len + 1);

            assert_non_null(cut);
            memcpy(cut, buf.ptr, len);
            CHECK(relay_message_read(signet_span_of(cut, len), &read, &rest) != SIGNET_OK);
            CHECK(read.req == 77 && read.type == 0);
            CHECK_SPAN(rest, "as before");
            free(cut);
        }
        signet_buf_free(&buf);
    }
}

/* Whatever is read writes to the very bytes it was read from: there is no second spelling. */
static void a_flipped_bit_is_refused_or_is_another_message(void **state)
{
    struct relay_message all[SAMPLE_COUNT];
    size_t count = samples(all);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct signet_buf buf = {0}, again = {0};

        CHECK_OK(relay_message_write(&all[i], &buf));
        for (size_t bit = 0; bit < buf.len * 8; bit++) {
            struct relay_message read;
            struct unpacked unpacked;
            signet_span rest;

            buf.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (relay_message_read(signet_buf_span(&buf), &read, &rest) == SIGNET_OK) {
                unpack(&read, &unpacked);
                CHECK_OK(relay_message_write(&unpacked.message, &again));
                CHECK_OK(signet_buf_append(&again, rest));
                CHECK(signet_span_equal(signet_buf_span(&buf), signet_buf_span(&again)));
                signet_buf_free(&unpacked.keys);
            }
            signet_buf_truncate(&again, 0);
            buf.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        signet_buf_free(&again);
        signet_buf_free(&buf);
    }
}

static enum signet_err read_hex(const char *text)
{
    struct signet_buf buf = {0};
    struct relay_message read;
    signet_span rest;
    enum signet_err err;

    CHECK_OK(hex_decode(text, &buf));
    err = relay_message_read(signet_buf_span(&buf), &read, &rest);
    signet_buf_free(&buf);
    return err;
}

static void other_encodings_and_shapes_are_refused(void **state)
{
    static const char *const refused[] = {
        "", "00", "80", "f6", "a10801",                         /* not a message */
        "8100", "820008", "82184a01", "821a0100000801", "8220", /* no such type */
        "8108", "83080101",                                     /* too few and too many fields */
        "82180801", "8208f6", "820820", "82084101", "82081801", "9f0801ff", "9802080118", "820980",
        "82098120", "82098141aa",             /* ack: empty, negative, a string */
        "83050160", "830501f6", "830501410a", /* find: empty name, null, not an id */
        "83050161ff",                         /* not UTF-8 */
        "82024101", "83020140",               /* an empty proof */
        "82184040", "8218415820",             /* challenge without a nonce */
    };

    (void)state;
    CHECK_OK(read_hex("820801"));
    CHECK_OK(read_hex("811848"));
    CHECK_OK(read_hex("82098101"));
    CHECK_OK(read_hex("830501616b"));
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (read_hex(refused[i]) != SIGNET_OK)
            continue;
        print_message("accepted: %s\n", refused[i]);
        fail();
    }
}

static enum signet_err write_only(const struct relay_message *message)
{
    struct signet_buf buf = {0};
    enum signet_err err;

    CHECK_OK(signet_buf_append(&buf, signet_span_str("kept")));
    err = relay_message_write(message, &buf);
    if (err != SIGNET_OK)
        CHECK_SPAN(signet_buf_span(&buf), "kept");
    signet_buf_free(&buf);
    return err;
}

#define CHECK_WRITE(wanted, ...)                                                                   \
    CHECK_ERR(write_only(&(struct relay_message){__VA_ARGS__}), (wanted))

/* protocol.md, section 10; what the reader refuses is not written either. */
static void the_writer_keeps_to_the_ceilings(void **state)
{
    static uint8_t large[RELAY_ENVELOPE_MAX + 1];
    signet_span a = signet_span_of(large, 1);

    (void)state;
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = 0);
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = (enum relay_type)10);
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = (enum relay_type)73);
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = (enum relay_type)100000);
    CHECK_WRITE(SIGNET_OK, .type = RELAY_PUT, .envelope = {large, RELAY_ENVELOPE_MAX});
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_PUT, .envelope = {large, sizeof(large)});
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_PUT);
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_PUT_CARD, .card = {large, RELAY_CARD_MAX + 1});
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_LOGIN, .proof = {large, RELAY_PROOF_MAX + 1});
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_FIND, .name = {large, RELAY_NAME_MAX + 1});
    CHECK_WRITE(SIGNET_ERR_FORMAT, .type = RELAY_FIND, .name = signet_span_str("\xff"));
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_REGISTER, .token = {large, 15}, .name = a,
        .card = a, .proof = a);
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_PUT_BUNDLE, .bundle = a, .keys = {large, 33});
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_PUT_BUNDLE, .bundle = a);
    CHECK_WRITE(
        SIGNET_ERR_ARGUMENT, .type = RELAY_PUT_BUNDLE, .bundle = a, .keys = {large, 257 * 32});
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_PREKEYS, .bundle = a, .has_prekey = true,
        .prekey = {0, {large, 32}, {large, 9 * 32}});
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_PREKEYS, .bundle = a, .has_prekey = true,
        .prekey = {256, {large, 32}, {large, 0}});
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_WELCOME, .time_ms = UINT64_C(1) << 53);
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_ACK);
    CHECK_WRITE(SIGNET_ERR_ARGUMENT, .type = RELAY_ACK, .ack_ids = ack_ids,
        .ack_count = RELAY_ACKS_MAX + 1);
    CHECK_WRITE(SIGNET_OK, .type = RELAY_ACK, .ack_ids = ack_ids, .ack_count = RELAY_ACKS_MAX);
}

/* A put whose envelope has `len` bytes. */
static enum signet_err read_put(size_t len)
{
    struct signet_buf buf = {0};
    struct wire_writer w = wire_writer(&buf);
    struct relay_message read;
    struct signet_id id = {{0}};
    signet_span rest;
    enum signet_err err;

    wire_put_array(&w, 4);
    wire_put_uint(&w, RELAY_PUT);
    wire_put_uint(&w, 1);
    wire_put_id(&w, &id);
    wire_put_bytes_head(&w, len);
    CHECK_OK(wire_writer_finish(&w));
    CHECK_OK(signet_buf_fill(&buf, 0, len));
    err = relay_message_read(signet_buf_span(&buf), &read, &rest);
    signet_buf_free(&buf);
    return err;
}

/* An ack of `count` times the id 0. */
static enum signet_err read_ack(size_t count)
{
    struct signet_buf buf = {0};
    struct wire_writer w = wire_writer(&buf);
    struct relay_message read;
    signet_span rest;
    enum signet_err err;

    wire_put_array(&w, 2);
    wire_put_uint(&w, RELAY_ACK);
    wire_put_array(&w, count);
    for (size_t i = 0; i < count; i++)
        wire_put_uint(&w, 0);
    CHECK_OK(wire_writer_finish(&w));
    err = relay_message_read(signet_buf_span(&buf), &read, &rest);
    signet_buf_free(&buf);
    return err;
}

/* protocol.md, section 10. */
static void the_reader_keeps_to_the_ceilings(void **state)
{
    (void)state;
    CHECK_OK(read_put(RELAY_ENVELOPE_MAX));
    CHECK_ERR(read_put(RELAY_ENVELOPE_MAX + 1), SIGNET_ERR_LIMIT);
    CHECK_ERR(read_put(0), SIGNET_ERR_FORMAT);
    CHECK_OK(read_ack(RELAY_ACKS_MAX));
    CHECK_ERR(read_ack(RELAY_ACKS_MAX + 1), SIGNET_ERR_LIMIT);
    CHECK_ERR(read_ack(0), SIGNET_ERR_FORMAT);
}

TEST_FILE(relay_message)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_read_as_it_was_written),
        cmocka_unit_test(a_sequence_is_read_message_by_message),
        cmocka_unit_test(every_truncation_is_refused_and_leaves_the_outputs),
        cmocka_unit_test(a_flipped_bit_is_refused_or_is_another_message),
        cmocka_unit_test(other_encodings_and_shapes_are_refused),
        cmocka_unit_test(the_writer_keeps_to_the_ceilings),
        cmocka_unit_test(the_reader_keeps_to_the_ceilings),
    };

    return cmocka_run_group_tests_name("relay_message", tests, NULL, NULL);
}
