/*
 * Content, protocol.md sections 7 and 8: all of it is parsed before the signature is verified, which
 * no input gets past.
 */
#include "fuzz/fuzz.h"

#include "tests/support/parties.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seeded_library seeded;
    static struct party alice, bob;
    signet_span in = signet_span_of(data, size);
    struct signet_content content;
    struct signet_channel channel;
    struct signet_entry entry;

    if (seeded.library == NULL) {
        seeded = seeded_library_new(1);
        alice = party_new(seeded.library, ALICE);
        bob = party_new(seeded.library, BOB);
    }
    channel = party_channel(&bob, &alice);
    if (signet_content_read(in, &content) != SIGNET_OK)
        FUZZ_REQUIRE(signet_entry_open(seeded.library, in, &channel, &entry) != SIGNET_OK);
    else if (signet_entry_open(seeded.library, in, &channel, &entry) == SIGNET_OK)
        FUZZ_REQUIRE(signet_span_equal(entry.signed_bytes, content.signed_bytes));
    return 0;
}
