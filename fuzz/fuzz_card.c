/*
 * Cards and device lists, protocol.md section 3. The first byte chooses: a card, or the list alone,
 * which in a card nobody but the owner of a key gets past the signature.
 */
#include "fuzz/fuzz.h"

#include "tests/support/forge.h"
#include "tests/support/seeded_library.h"

static void read_card(struct signet_library *library, signet_span in)
{
    struct signet_card *card = NULL;

    if (signet_card_read(library, in, &card) != SIGNET_OK) {
        FUZZ_REQUIRE(card == NULL);
        return;
    }
    FUZZ_REQUIRE(signet_span_equal(signet_card_bytes(card), in));
    FUZZ_REQUIRE(signet_card_follows(card, card) == SIGNET_OK);
    FUZZ_REQUIRE(signet_card_has_device(card, signet_card_device(card, 0)));
    signet_card_free(card);
}

static void read_list(struct signet_library *library, signet_span in)
{
    struct signet_buf again = {0};

    if (forge_list_again(library, in, &again) != SIGNET_OK)
        return;
    FUZZ_REQUIRE(signet_span_equal(signet_buf_span(&again), in));
    signet_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seeded_library seeded;

    if (seeded.library == NULL)
        seeded = seeded_library_new(1);
    if (size == 0)
        return 0;
    if (data[0] == 'c')
        read_card(seeded.library, signet_span_of(data + 1, size - 1));
    else
        read_list(seeded.library, signet_span_of(data + 1, size - 1));
    return 0;
}
