/* protocol: Merkle trees; RFC 9162, section 2.1. */
#include "tests/support/crypto_unit.h"

#include "protocol/merkle.h"
#include "tests/support/flip.h"

/* The inputs and roots that Certificate Transparency's implementations share. */
static const char *const leaf_texts[] = {"", "00", "10", "2021", "3031", "40414243",
    "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
static const char *const root_texts[] = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

/* Leaf hashes of the numbers 0..count-1. */
static void number_leaves(struct signet_library *library, struct signet_id *leaves, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t number = (uint8_t)i;

        CHECK_OK(merkle_leaf(library, signet_span_of(&number, 1), &leaves[i]));
    }
}

static struct merkle_claim claim_of(
    const struct signet_id *leaves, size_t size, size_t index, const struct merkle_path *path)
{
    struct merkle_claim claim = {leaves[index], index, size, path->hashes, path->len};

    return claim;
}

/* Whether a claim gives that root. */
static bool holds(struct signet_library *library, const struct merkle_claim *claim,
    const struct signet_id *wanted)
{
    struct signet_id root;

    return merkle_claimed_root(library, claim, &root) == SIGNET_OK &&
           signet_id_equal(&root, wanted);
}

/* RFC 9162, section 2.1.1. */
static void roots_are_the_known_ones(void **state)
{
    struct signet_id leaves[8], root;

    for (size_t i = 0; i < 8; i++) {
        struct signet_buf leaf = from_hex(leaf_texts[i]);

        CHECK_OK(merkle_leaf(*state, signet_buf_span(&leaf), &leaves[i]));
        CHECK_OK(merkle_root(*state, leaves, i + 1, &root));
        CHECK_HEX(signet_id_span(&root), root_texts[i]);
        signet_buf_free(&leaf);
    }
}

/* RFC 9162, section 2.1.3: every leaf of every size has a path that gives the root, and whose
 * length the size and index alone decide. */
static void every_leaf_of_every_size_is_proved(void **state)
{
    struct signet_id leaves[MERKLE_SIZE_MAX], root;

    number_leaves(*state, leaves, MERKLE_SIZE_MAX);
    for (size_t size = 1; size <= MERKLE_SIZE_MAX; size++) {
        CHECK_OK(merkle_root(*state, leaves, size, &root));
        for (size_t index = 0; index < size; index++) {
            struct merkle_path path;
            struct merkle_claim claim;

            CHECK_OK(merkle_path(*state, leaves, size, index, &path));
            CHECK(path.len <= MERKLE_PATH_MAX);
            claim = claim_of(leaves, size, index, &path);
            CHECK(holds(*state, &claim, &root));
        }
    }
}

/* RFC 9162, section 2.1.3.2, steps 1 and 4.1 and 5: nothing but the exact length. */
static void a_path_of_another_length_is_refused(void **state)
{
    struct signet_id leaves[MERKLE_SIZE_MAX], hashes[MERKLE_PATH_MAX + 1] = {{{0}}}, root;

    number_leaves(*state, leaves, 20);
    for (size_t size = 1; size <= 20; size++) {
        for (size_t index = 0; index < size; index++) {
            struct merkle_path path;
            struct merkle_claim claim;

            CHECK_OK(merkle_path(*state, leaves, size, index, &path));
            memcpy(hashes, path.hashes, sizeof(path.hashes));
            claim = claim_of(leaves, size, index, &path);
            claim.path = hashes;
            for (size_t len = 0; len <= MERKLE_PATH_MAX + 1; len++) {
                claim.path_len = len;
                if (len != path.len)
                    CHECK_ERR(merkle_claimed_root(*state, &claim, &root), SIGNET_ERR_AUTH);
            }
        }
    }
}

/* RFC 9162, section 2.1.3.2, step 1. */
static void an_index_beyond_the_tree_is_refused(void **state)
{
    static const size_t bad[][2] = {{0, 0}, {5, 5}, {6, 5}, {SIZE_MAX, 5}, {0, MERKLE_SIZE_MAX + 1},
        {0, SIZE_MAX}, {SIZE_MAX, SIZE_MAX}};
    struct signet_id leaves[MERKLE_SIZE_MAX], root;
    struct merkle_path path;

    number_leaves(*state, leaves, 5);
    CHECK_OK(merkle_path(*state, leaves, 5, 4, &path));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct merkle_claim claim = claim_of(leaves, 5, 4, &path);

        claim.index = bad[i][0];
        claim.size = bad[i][1];
        CHECK_ERR(merkle_claimed_root(*state, &claim, &root), SIGNET_ERR_AUTH);
    }
    CHECK_ERR(merkle_path(*state, leaves, 5, 5, &path), SIGNET_ERR_ARGUMENT);
    CHECK_ERR(merkle_path(*state, leaves, 0, 0, &path), SIGNET_ERR_ARGUMENT);
    CHECK_ERR(merkle_root(*state, leaves, 0, &root), SIGNET_ERR_ARGUMENT);
    CHECK_ERR(merkle_root(*state, leaves, MERKLE_SIZE_MAX + 1, &root), SIGNET_ERR_ARGUMENT);
}

/* RFC 9162, section 2.1.1: the first byte separates leaves from nodes, or an inner node and its
 * two children could pass for a leaf. */
static void a_node_is_no_leaf(void **state)
{
    struct signet_id leaves[4], nodes[2], root, forged;
    struct merkle_claim claim = {.index = 0, .size = 2, .path = &nodes[1], .path_len = 1};
    struct signet_buf pair = {0};

    number_leaves(*state, leaves, 4);
    CHECK_OK(merkle_root(*state, leaves, 4, &root));
    CHECK_OK(merkle_root(*state, leaves, 2, &nodes[0]));
    CHECK_OK(merkle_root(*state, leaves + 2, 2, &nodes[1]));
    CHECK_OK(signet_buf_append(&pair, signet_id_span(&leaves[0])));
    CHECK_OK(signet_buf_append(&pair, signet_id_span(&leaves[1])));
    CHECK_OK(merkle_leaf(*state, signet_buf_span(&pair), &forged));
    CHECK(!signet_id_equal(&forged, &nodes[0]));
    claim.leaf = forged;
    CHECK(!holds(*state, &claim, &root));
    /* Who hands over the node itself has no leaf that hashes to it. */
    claim.leaf = nodes[0];
    CHECK(holds(*state, &claim, &root));
    signet_buf_free(&pair);
}

/* The root depends on every hash, the order and the index. */
static void any_change_gives_another_root(void **state)
{
    enum { SIZE = 13 };
    struct signet_id leaves[SIZE], root;

    number_leaves(*state, leaves, SIZE);
    CHECK_OK(merkle_root(*state, leaves, SIZE, &root));
    for (size_t index = 0; index < SIZE; index++) {
        struct merkle_path path;
        struct merkle_claim claim;

        CHECK_OK(merkle_path(*state, leaves, SIZE, index, &path));
        claim = claim_of(leaves, SIZE, index, &path);
        for (size_t other = 0; other < SIZE; other++) {
            claim.index = other;
            CHECK(holds(*state, &claim, &root) == (other == index));
        }
        claim.index = index;
        for (size_t i = 0; i < path.len; i++) {
            path.hashes[i].b[i] ^= 1;
            CHECK(!holds(*state, &claim, &root));
            path.hashes[i].b[i] ^= 1;
        }
        claim.leaf.b[31] ^= 0x80;
        CHECK(!holds(*state, &claim, &root));
    }
}

TEST_FILE(merkle)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_the_known_ones),
        cmocka_unit_test(every_leaf_of_every_size_is_proved),
        cmocka_unit_test(a_path_of_another_length_is_refused),
        cmocka_unit_test(an_index_beyond_the_tree_is_refused),
        cmocka_unit_test(a_node_is_no_leaf),
        cmocka_unit_test(any_change_gives_another_root),
    };

    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
