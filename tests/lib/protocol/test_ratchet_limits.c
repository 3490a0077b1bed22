/*
 * protocol: what the ratchet skips, keeps and gives up; docs/protocol.md section 6.1; Signal, "The
 * Double Ratchet Algorithm", revision 1, section 2.6.
 */
#include "tests/support/unit.h"

#include <openssl/crypto.h>

#include "tests/support/sides.h"

/* docs/protocol.md, section 6.1: refused before any key is derived, to the message. */
static void a_flooded_counter_is_refused_before_deriving(void **state)
{
    static const uint32_t beyond[] = {SIGNET_SKIP_MAX + 2, UINT32_MAX / 2 + 1, UINT32_MAX};
    struct sides s = sides_new(5);
    struct ratchet_sending sending;
    uint64_t drawn;

    (void)state;
    sides_deliver(&s, A);
    CHECK_OK(ratchet_sending(s.ratchet[A], &sending));
    drawn = seeded_library_drawn(&s.seeded);
    for (size_t i = 0; i < 3; i++) {
        struct signet_buf flood = sides_seal_as(&s, &sending, 0, beyond[i]);
        struct ratchet *copy = NULL;
        struct ratchet_received received;
        struct envelope envelope;

        CHECK_ERR(sides_receive(&s, B, &flood), SIGNET_ERR_LIMIT);
        CHECK_OK(envelope_read(signet_buf_span(&flood), &envelope));
        CHECK_OK(ratchet_copy(s.ratchet[B], &copy));
        CHECK_ERR(ratchet_receive(copy, &envelope, SIDES_NOW, &received), SIGNET_ERR_LIMIT);
        CHECK(ratchet_skipped_count(copy) == 0);
        ratchet_free(copy);
        signet_buf_free(&flood);
    }
    CHECK(seeded_library_drawn(&s.seeded) == drawn);
    sides_lose(&s, A, SIGNET_CHAIN_MESSAGES_MAX);
    sides_deliver(&s, A);
    CHECK(ratchet_skipped_count(s.ratchet[B]) == SIGNET_CHAIN_MESSAGES_MAX);
    sides_free(&s);
}

/* The same for the counters of a new chain, N and PN, which count together. */
static void a_new_chain_cannot_flood_either(void **state)
{
    static const uint32_t refused[][2] = {{0, SIGNET_SKIP_MAX + 1}, {SIGNET_SKIP_MAX + 2, 0},
        {501, 501}, {UINT32_MAX, 0}, {0, UINT32_MAX}, {UINT32_MAX, UINT32_MAX}};
    struct sides s = sides_new(6);
    struct ratchet_sending sending;
    uint64_t drawn;

    (void)state;
    sides_deliver(&s, A);
    sides_deliver(&s, B);
    CHECK_OK(ratchet_sending(s.ratchet[A], &sending));
    drawn = seeded_library_drawn(&s.seeded);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct signet_buf flood = sides_seal_as(&s, &sending, refused[i][0], refused[i][1]);

        CHECK_ERR(sides_receive(&s, B, &flood), SIGNET_ERR_LIMIT);
        signet_buf_free(&flood);
    }
    CHECK(seeded_library_drawn(&s.seeded) == drawn); /* no ratchet step of our own either */
    sides_deliver(&s, A);
    sides_free(&s);
}

/* docs/protocol.md, section 6.1: exactly 1,000 skipped is still accepted. */
static void a_message_exactly_as_far_ahead_as_allowed_opens(void **state)
{
    struct sides s = sides_new(7);
    struct ratchet_sending sending;
    struct signet_buf last;

    (void)state;
    sides_lose(&s, A, SIGNET_SKIP_MAX - 1);
    last = sides_send(&s, A);
    /* Nobody may send what nobody may read. */
    CHECK_ERR(ratchet_sending(s.ratchet[A], &sending), SIGNET_ERR_LIMIT);
    CHECK(ratchet_sent_count(s.ratchet[A]) == SIGNET_SKIP_MAX);
    CHECK_OK(sides_receive(&s, B, &last));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == SIGNET_SKIP_MAX - 1);
    signet_buf_free(&last);
    sides_free(&s);
}

/* A chain in which the first message is late; both sides move on to the next one. */
static struct signet_buf chain_with_late_message(struct sides *s)
{
    struct signet_buf late = sides_send(s, A);

    sides_deliver(s, A);
    sides_deliver(s, B);
    return late;
}

/* docs/protocol.md, section 6.1: at most 5 chains; the oldest goes, and nothing of the others. */
static void the_oldest_of_six_chains_is_given_up(void **state)
{
    struct sides s = sides_new(8);
    struct signet_buf late[SIGNET_CHAINS_MAX + 1];

    (void)state;
    for (size_t i = 0; i <= SIGNET_CHAINS_MAX; i++) {
        late[i] = chain_with_late_message(&s);
        CHECK(ratchet_skipped_count(s.ratchet[B]) ==
              (i < SIGNET_CHAINS_MAX ? i + 1 : SIGNET_CHAINS_MAX));
    }
    CHECK_ERR(sides_receive(&s, B, &late[0]), SIGNET_ERR_UNKNOWN);
    for (size_t i = SIGNET_CHAINS_MAX; i > 0; i--)
        CHECK_OK(sides_receive(&s, B, &late[i]));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 0);
    for (size_t i = 0; i <= SIGNET_CHAINS_MAX; i++)
        signet_buf_free(&late[i]);
    sides_free(&s);
}

/* The same where the oldest chain has many keys, and lies between those that stay. */
static void a_chain_is_given_up_with_all_its_keys(void **state)
{
    struct sides s = sides_new(9);
    struct signet_buf oldest, late[SIGNET_CHAINS_MAX];

    (void)state;
    oldest = sides_send(&s, A);
    sides_lose(&s, A, 20);
    sides_deliver(&s, A);
    sides_deliver(&s, B);
    for (size_t i = 0; i < SIGNET_CHAINS_MAX; i++)
        late[i] = chain_with_late_message(&s);
    CHECK(ratchet_skipped_count(s.ratchet[B]) == SIGNET_CHAINS_MAX);
    CHECK_ERR(sides_receive(&s, B, &oldest), SIGNET_ERR_UNKNOWN);
    for (size_t i = 0; i < SIGNET_CHAINS_MAX; i++) {
        CHECK_OK(sides_receive(&s, B, &late[i]));
        signet_buf_free(&late[i]);
    }
    signet_buf_free(&oldest);
    sides_free(&s);
}

/* docs/protocol.md, section 6.1: at most 2,000 keys; the oldest go one by one. */
static void the_oldest_of_too_many_keys_are_given_up(void **state)
{
    struct sides s = sides_new(10);
    struct signet_buf first, second, third;

    (void)state;
    first = sides_send(&s, A);
    second = sides_send(&s, A);
    third = sides_send(&s, A);
    sides_lose(&s, A, 897);
    sides_deliver(&s, A); /* 900 skipped */
    sides_deliver(&s, B);
    sides_lose(&s, A, 900);
    sides_deliver(&s, A); /* 1,800 */
    sides_deliver(&s, B);
    sides_lose(&s, A, 202);
    sides_deliver(&s, A); /* two too many */
    CHECK(ratchet_skipped_count(s.ratchet[B]) == SIGNET_SKIPPED_KEYS_MAX);
    CHECK_ERR(sides_receive(&s, B, &first), SIGNET_ERR_REPLAY);
    CHECK_ERR(sides_receive(&s, B, &second), SIGNET_ERR_REPLAY);
    CHECK_OK(sides_receive(&s, B, &third));
    signet_buf_free(&first);
    signet_buf_free(&second);
    signet_buf_free(&third);
    sides_free(&s);
}

/* docs/protocol.md, section 6.1: for 30 days. */
static void skipped_keys_are_forgotten_after_thirty_days(void **state)
{
    struct sides s = sides_new(11);
    struct signet_buf m[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        m[i] = sides_send(&s, A);
    CHECK_OK(sides_receive_at(&s, B, &m[2], SIDES_NOW));
    CHECK_OK(sides_receive_at(&s, B, &m[1], SIDES_NOW + 30 * SIDES_DAY_MS));
    CHECK_ERR(sides_receive_at(&s, B, &m[0], SIDES_NOW + 30 * SIDES_DAY_MS + 1), SIGNET_ERR_REPLAY);
    sides_deliver(&s, A);
    for (size_t i = 0; i < 3; i++)
        signet_buf_free(&m[i]);
    sides_free(&s);
}

/* The same where the clock was a year ahead when the first of them was stored. */
static void one_key_from_the_future_holds_up_no_other(void **state)
{
    struct sides s = sides_new(13);
    struct signet_buf m[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        m[i] = sides_send(&s, A);
    CHECK_OK(sides_receive_at(&s, B, &m[1], SIDES_NOW + 365 * SIDES_DAY_MS));
    CHECK_OK(sides_receive_at(&s, B, &m[3], SIDES_NOW));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 2);
    CHECK(!ratchet_expire(s.ratchet[B], SIDES_NOW + 30 * SIDES_DAY_MS));
    CHECK(ratchet_expire(s.ratchet[B], SIDES_NOW + 30 * SIDES_DAY_MS + 1));
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 1);
    CHECK_ERR(sides_receive(&s, B, &m[2]), SIGNET_ERR_REPLAY);
    CHECK_OK(sides_receive(&s, B, &m[0]));
    for (size_t i = 0; i < 4; i++)
        signet_buf_free(&m[i]);
    sides_free(&s);
}

/* Peers decide how many there are: they must not use up the memory of all other keys. */
static void skipped_keys_take_nothing_of_the_secure_heap(void **state)
{
    struct sides s = sides_new(12);
    size_t used;

    (void)state;
    sides_deliver(&s, A);
    used = CRYPTO_secure_used();
    sides_lose(&s, A, 900);
    sides_deliver(&s, A);
    CHECK(ratchet_skipped_count(s.ratchet[B]) == 900);
    CHECK(CRYPTO_secure_used() == used);
    sides_free(&s);
}

TEST_FILE(ratchet_limits)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flooded_counter_is_refused_before_deriving),
        cmocka_unit_test(a_new_chain_cannot_flood_either),
        cmocka_unit_test(a_message_exactly_as_far_ahead_as_allowed_opens),
        cmocka_unit_test(the_oldest_of_six_chains_is_given_up),
        cmocka_unit_test(a_chain_is_given_up_with_all_its_keys),
        cmocka_unit_test(the_oldest_of_too_many_keys_are_given_up),
        cmocka_unit_test(skipped_keys_are_forgotten_after_thirty_days),
        cmocka_unit_test(one_key_from_the_future_holds_up_no_other),
        cmocka_unit_test(skipped_keys_take_nothing_of_the_secure_heap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
