/*
 * The relay's messages, protocol.md section 9: what is read of a sequence must come out the same
 * when it is written again.
 */
#include "fuzz/fuzz.h"

#include "wire/relay_message.h"

/* Arrays stay encoded when they are read: take them apart, as a receiver does. */
static void check_same_when_rewritten(const struct relay_message *read, signet_span bytes)
{
    static uint64_t acks[RELAY_ACKS_MAX];
    struct signet_buf keys = {0}, again = {0};
    struct relay_message message = *read, rest = *read;
    struct signet_id path[RELAY_PATH_MAX];
    size_t count = 0;

    while (count < RELAY_ACKS_MAX && relay_ack_next(&rest, &acks[count]))
        count++;
    FUZZ_REQUIRE(count == read->ack_count && rest.acks.len == 0);
    FUZZ_REQUIRE(relay_keys_copy(read, &keys) == SIGNET_OK);
    message.ack_ids = acks;
    message.keys = signet_buf_span(&keys);
    message.prekey.path = signet_span_of(path, relay_path_copy(read, path) * SIGNET_ID_LEN);
    FUZZ_REQUIRE(relay_message_write(&message, &again) == SIGNET_OK);
    FUZZ_REQUIRE(signet_span_equal(signet_buf_span(&again), bytes));
    signet_buf_free(&keys);
    signet_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    signet_span left = signet_span_of(data, size), rest;
    struct relay_message message;

    while (left.len > 0 && relay_message_read(left, &message, &rest) == SIGNET_OK) {
        FUZZ_REQUIRE(rest.len < left.len);
        check_same_when_rewritten(&message, signet_span_of(left.ptr, left.len - rest.len));
        left = rest;
    }
    return 0;
}
