/* The chain of one device's entries: docs/protocol.md, section 8, step 7. */
#include "tests/support/unit.h"

#include "engine/history/chain.h"

/* Entry number `sequence` of the honest author: its id is made of its number. */
static struct signet_entry entry(uint64_t sequence)
{
    struct signet_entry e = {.sequence = sequence};

    memset(e.id.b, (int)sequence, sizeof(e.id.b));
    memset(e.previous.b, (int)sequence - 1, sizeof(e.previous.b));
    return e;
}

static enum verdict place(struct chain *chain, uint64_t sequence, uint64_t *missing)
{
    struct signet_entry e = entry(sequence);

    return chain_place(chain, &e, missing);
}

static void entries_in_order_are_verified(void **state)
{
    struct chain chain = {0};
    uint64_t missing;

    (void)state;
    for (uint64_t i = 1; i <= 100; i++)
        CHECK(place(&chain, i, &missing) == VERDICT_VERIFIED && missing == 0);
    CHECK(chain.sequence == 100 && chain.gap_count == 0);
}

static void a_gap_is_counted_and_filled_from_any_side(void **state)
{
    struct chain chain = {0};
    uint64_t missing;

    (void)state;
    CHECK(place(&chain, 1, &missing) == VERDICT_VERIFIED);
    CHECK(place(&chain, 6, &missing) == VERDICT_GAP && missing == 4);
    CHECK(place(&chain, 3, &missing) == VERDICT_LATE && missing == 0);
    CHECK(chain.gap_count == 2);
    CHECK(place(&chain, 5, &missing) == VERDICT_LATE);
    CHECK(place(&chain, 2, &missing) == VERDICT_LATE);
    CHECK(place(&chain, 4, &missing) == VERDICT_LATE);
    CHECK(chain.gap_count == 0);
    CHECK(place(&chain, 7, &missing) == VERDICT_VERIFIED);
}

static void a_gap_at_the_beginning_is_one_too(void **state)
{
    struct chain chain = {0};
    uint64_t missing;

    (void)state;
    CHECK(place(&chain, 3, &missing) == VERDICT_GAP && missing == 2);
    CHECK(place(&chain, 1, &missing) == VERDICT_LATE);
    CHECK(place(&chain, 2, &missing) == VERDICT_LATE && chain.gap_count == 0);
}

/* Another entry for a number that is taken, or one that does not follow what it should. */
static void forks_are_found_wherever_they_are(void **state)
{
    struct chain chain = {0}, before;
    struct signet_entry other;
    uint64_t missing;

    (void)state;
    for (uint64_t i = 1; i <= 3; i++)
        CHECK(place(&chain, i, &missing) == VERDICT_VERIFIED);
    before = chain;
    other = entry(2);
    other.id.b[0] ^= 1;
    CHECK(chain_place(&chain, &other, &missing) == VERDICT_FORK);
    other = entry(4);
    other.previous.b[0] ^= 1;
    CHECK(chain_place(&chain, &other, &missing) == VERDICT_FORK);
    assert_memory_equal(&chain, &before, sizeof(chain));
    CHECK(place(&chain, 6, &missing) == VERDICT_GAP);
    other = entry(5); /* not the one that 6 names as its previous one */
    other.id.b[0] ^= 1;
    CHECK(chain_place(&chain, &other, &missing) == VERDICT_FORK);
    other = entry(4); /* does not follow 3 */
    other.previous.b[0] ^= 1;
    CHECK(chain_place(&chain, &other, &missing) == VERDICT_FORK);
    CHECK(place(&chain, 4, &missing) == VERDICT_LATE && place(&chain, 5, &missing) == VERDICT_LATE);
}

static void the_same_entry_again_is_a_replay(void **state)
{
    struct chain chain = {0};
    uint64_t missing;

    (void)state;
    CHECK(place(&chain, 1, &missing) == VERDICT_VERIFIED);
    CHECK(place(&chain, 1, &missing) == VERDICT_REPLAYED);
    CHECK(place(&chain, 3, &missing) == VERDICT_GAP);
    CHECK(place(&chain, 2, &missing) == VERDICT_LATE);
    CHECK(place(&chain, 2, &missing) == VERDICT_REPLAYED);
}

/* A relay that holds back every other message, and delivers all of them later, must not make a
 * forger of their author. */
static void gaps_and_memory_are_bounded(void **state)
{
    struct chain chain = {0};
    uint64_t missing;

    (void)state;
    for (uint64_t i = 1; i <= 2 * (CHAIN_GAPS_MAX + 5); i += 2)
        CHECK(place(&chain, i, &missing) == (i == 1 ? VERDICT_VERIFIED : VERDICT_GAP));
    CHECK(chain.gap_count == CHAIN_GAPS_MAX);
    for (uint64_t i = chain.sequence - 1; i > 1; i -= 2)
        CHECK(place(&chain, i, &missing) == VERDICT_LATE && chain.gap_count <= CHAIN_GAPS_MAX);
    for (uint64_t i = chain.sequence; i + CHAIN_RECENT_MAX > chain.sequence && i > 1; i -= 2)
        CHECK(place(&chain, i - 1, &missing) == VERDICT_REPLAYED);
    for (uint64_t i = chain.sequence + 1; i < 250; i++)
        CHECK(place(&chain, i, &missing) == VERDICT_VERIFIED);
    CHECK(chain.recent_count == CHAIN_RECENT_MAX);
}

static void a_chain_survives_its_record(void **state)
{
    struct chain chain = {0}, back;
    struct signet_buf value = {0};
    uint64_t missing;

    (void)state;
    CHECK(place(&chain, 2, &missing) == VERDICT_GAP && place(&chain, 9, &missing) == VERDICT_GAP);
    CHECK_OK(chain_encode(&chain, &value));
    memset(&back, 0, sizeof(back));
    CHECK_OK(chain_decode(signet_buf_span(&value), &back));
    assert_memory_equal(&chain, &back, sizeof(chain));
    for (size_t len = 0; len < value.len; len++)
        CHECK(chain_decode(signet_span_of(value.ptr, len), &back) != SIGNET_OK);
    signet_buf_free(&value);
}

TEST_FILE(chain)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_in_order_are_verified),
        cmocka_unit_test(a_gap_is_counted_and_filled_from_any_side),
        cmocka_unit_test(a_gap_at_the_beginning_is_one_too),
        cmocka_unit_test(forks_are_found_wherever_they_are),
        cmocka_unit_test(the_same_entry_again_is_a_replay),
        cmocka_unit_test(gaps_and_memory_are_bounded),
        cmocka_unit_test(a_chain_survives_its_record),
    };

    return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
