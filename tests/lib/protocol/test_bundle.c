/* protocol: prekey bundles; docs/protocol.md, section 4. */
#include "tests/support/unit.h"

#include "tests/support/flip.h"
#include "tests/support/forge.h"
#include "tests/support/parties.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

struct fixture {
    struct seeded_library seeded;
    struct signet_library *library;
    struct party alice, bob;
};

static struct fixture fixture_new(void)
{
    struct fixture f = {.seeded = seeded_library_new(81)};

    f.library = f.seeded.library;
    f.alice = party_new(f.library, ALICE);
    f.bob = party_new(f.library, BOB);
    party_publish(&f.bob, 5);
    return f;
}

static void fixture_free(struct fixture *f)
{
    party_free(&f->alice);
    party_free(&f->bob);
    seeded_library_free(&f->seeded);
}

static void a_bundle_says_what_was_ordered(void **state)
{
    struct fixture f = fixture_new();
    const struct signet_bundle *bundle = f.bob.bundle;

    (void)state;
    CHECK(signet_bundle_version(bundle) == 5 && signet_bundle_suite_max(bundle) == SIGNET_SUITE_1);
    CHECK(signet_bundle_not_before(bundle) == PARTY_NOW);
    CHECK(signet_bundle_not_after(bundle) == PARTY_NOW + 30 * DAY_MS);
    CHECK(signet_bundle_one_time_count(bundle) == SIGNET_ONE_TIME_COUNT);
    CHECK(signet_id_equal(signet_bundle_device(bundle), signet_account_device(f.bob.account)));
    CHECK(signet_id_equal(signet_bundle_id(bundle), signet_bundle_secrets_id(f.bob.secrets)));
    CHECK(signet_bundle_secrets_version(f.bob.secrets) == 5);
    CHECK(signet_bundle_secrets_not_after(f.bob.secrets) == PARTY_NOW + 30 * DAY_MS);
    CHECK(f.bob.bundle_bytes.len <= SIGNET_BUNDLE_MAX);
    fixture_free(&f);
}

/* To recognize one's own costs no check of its key. */
static void a_bundle_tells_its_id_unverified(void **state)
{
    struct fixture f = fixture_new();
    signet_span bytes = signet_buf_span(&f.bob.bundle_bytes);
    struct signet_id id;

    (void)state;
    CHECK_OK(signet_bundle_peek(f.library, bytes, &id));
    CHECK(signet_id_equal(&id, signet_bundle_id(f.bob.bundle)));
    CHECK_ERR(signet_bundle_peek(f.library, signet_card_bytes(party_card(&f.bob)), &id),
        SIGNET_ERR_FORMAT);
    fixture_free(&f);
}

/* docs/protocol.md, section 4: each of the 256 is proved, and no other. */
static void one_time_prekeys_are_proved(void **state)
{
    struct fixture f = fixture_new();
    signet_span keys = signet_buf_span(&f.bob.one_time_keys);

    (void)state;
    CHECK_OK(signet_bundle_check_keys(f.library, f.bob.bundle, keys));
    for (uint32_t i = 0; i < SIGNET_ONE_TIME_COUNT; i += 5) {
        struct signet_one_time good = party_one_time(&f.bob, i), bad = good;

        CHECK_OK(signet_bundle_check_one_time(f.library, f.bob.bundle, &good));
        bad.key[i % 32] ^= 1;
        CHECK_ERR(signet_bundle_check_one_time(f.library, f.bob.bundle, &bad), SIGNET_ERR_AUTH);
        bad = good;
        bad.index ^= 1;
        CHECK_ERR(signet_bundle_check_one_time(f.library, f.bob.bundle, &bad), SIGNET_ERR_AUTH);
        bad = good;
        bad.path[i % 8].b[0] ^= 1;
        CHECK_ERR(signet_bundle_check_one_time(f.library, f.bob.bundle, &bad), SIGNET_ERR_AUTH);
        bad = good;
        bad.path_len--;
        CHECK_ERR(signet_bundle_check_one_time(f.library, f.bob.bundle, &bad), SIGNET_ERR_AUTH);
        bad.path_len = SIGNET_ONE_TIME_PATH_MAX + 1;
        CHECK_ERR(signet_bundle_check_one_time(f.library, f.bob.bundle, &bad), SIGNET_ERR_AUTH);
        bad.path_len = 0;
        CHECK_ERR(signet_bundle_check_one_time(f.library, f.bob.bundle, &bad), SIGNET_ERR_AUTH);
    }
    fixture_free(&f);
}

/* bundle.h, for the relay: exactly the bundle's keys, in their order. */
static void other_one_time_keys_are_refused(void **state)
{
    struct fixture f = fixture_new();
    struct signet_buf keys = copy_of(signet_buf_span(&f.bob.one_time_keys));
    struct signet_one_time one_time;

    (void)state;
    CHECK_ERR(
        signet_one_time_prove(f.library, signet_buf_span(&keys), SIGNET_ONE_TIME_COUNT, &one_time),
        SIGNET_ERR_ARGUMENT);
    CHECK_ERR(signet_one_time_prove(f.library, signet_span_of(keys.ptr, 33), 0, &one_time),
        SIGNET_ERR_ARGUMENT);
    for (size_t i = 0; i < keys.len; i += 1001) {
        keys.ptr[i] ^= 1;
        CHECK_ERR(signet_bundle_check_keys(f.library, f.bob.bundle, signet_buf_span(&keys)),
            SIGNET_ERR_AUTH);
        keys.ptr[i] ^= 1;
    }
    CHECK_ERR(
        signet_bundle_check_keys(f.library, f.bob.bundle, signet_span_of(keys.ptr, keys.len - 32)),
        SIGNET_ERR_AUTH);
    CHECK_ERR(
        signet_bundle_check_keys(f.library, f.bob.bundle, signet_span_of(keys.ptr, keys.len - 1)),
        SIGNET_ERR_AUTH);
    CHECK_ERR(signet_bundle_check_keys(f.library, f.bob.bundle, signet_span_of(NULL, 0)),
        SIGNET_ERR_AUTH);
    CHECK_OK(signet_buf_append(&keys, signet_span_of(f.bob.one_time_keys.ptr, 32)));
    CHECK_ERR(
        signet_bundle_check_keys(f.library, f.bob.bundle, signet_buf_span(&keys)), SIGNET_ERR_AUTH);
    signet_buf_free(&keys);
    fixture_free(&f);
}

static void every_byte_of_a_bundle_counts(void **state)
{
    struct fixture f = fixture_new();
    signet_span good = signet_buf_span(&f.bob.bundle_bytes);

    (void)state;
    for (size_t i = 0; i < good.len; i++) {
        struct signet_buf bad = flipped(good, i);
        struct signet_bundle *bundle = NULL;

        CHECK(signet_bundle_read(f.library, signet_buf_span(&bad), party_card(&f.bob), &bundle) !=
              SIGNET_OK);
        CHECK(signet_bundle_read(f.library, signet_span_of(good.ptr, i), party_card(&f.bob),
                  &bundle) != SIGNET_OK);
        CHECK(bundle == NULL);
        signet_buf_free(&bad);
    }
    fixture_free(&f);
}

/* Why a bundle with those fields, signed by bob's device, is refused; OK where it is not. */
static enum signet_err read_forged(const struct fixture *f, const struct forged_bundle *fields)
{
    struct signet_buf cose = forge_bundle_bytes(forge_device_key(f->bob.account), fields);
    struct signet_bundle *bundle = NULL;
    enum signet_err err;

    err = signet_bundle_read(f->library, signet_buf_span(&cose), party_card(&f->bob), &bundle);
    CHECK((bundle != NULL) == (err == SIGNET_OK));
    signet_bundle_free(bundle);
    signet_buf_free(&cose);
    return err;
}

#define BUNDLE_REFUSED(change, wanted)                                                             \
    do {                                                                                           \
        struct forged_bundle fields = forge_bundle(f.bob.bundle);                                  \
        change;                                                                                    \
        CHECK_ERR(read_forged(&f, &fields), (wanted));                                             \
    } while (0)

/* docs/protocol.md, section 4: what makes a bundle valid, one condition after the other. */
static void each_condition_of_validity_is_checked(void **state)
{
    struct fixture f = fixture_new();
    struct forged_bundle good = forge_bundle(f.bob.bundle);
    const struct crypto_rsa_private *device = forge_device_key(f.bob.account);

    (void)state;
    CHECK_OK(read_forged(&f, &good));
    BUNDLE_REFUSED(fields.device = *signet_account_device(f.alice.account), SIGNET_ERR_SIGNER);
    BUNDLE_REFUSED(fields.address = *signet_account_address(f.alice.account), SIGNET_ERR_CHANNEL);
    BUNDLE_REFUSED(fields.oaep_key = crypto_rsa_private_public(device), SIGNET_ERR_KEY);
    BUNDLE_REFUSED(fields.version = 0, SIGNET_ERR_FORMAT);
    BUNDLE_REFUSED(fields.not_after = fields.not_before - 1, SIGNET_ERR_FORMAT);
    BUNDLE_REFUSED(fields.not_after = fields.not_before + 31 * DAY_MS + 1, SIGNET_ERR_FORMAT);
    BUNDLE_REFUSED(fields.not_after = fields.not_before + 31 * DAY_MS, SIGNET_OK);
    BUNDLE_REFUSED(fields.not_after = SIGNET_TIME_MAX + 1, SIGNET_ERR_LIMIT);
    BUNDLE_REFUSED(fields.one_time_count = 0, SIGNET_ERR_FORMAT);
    BUNDLE_REFUSED(fields.one_time_count = SIGNET_ONE_TIME_COUNT + 1, SIGNET_ERR_LIMIT);
    BUNDLE_REFUSED(fields.one_time_count = 1, SIGNET_OK);
    fixture_free(&f);
}

/* A bundle with these suites; the rest is bob's. */
static enum signet_err read_suites(
    const struct fixture *f, const uint64_t *suites, size_t count, uint64_t *max_out)
{
    const struct forged_bundle b = forge_bundle(f->bob.bundle);
    struct signet_buf payload = {0}, cose;
    struct signet_bundle *bundle = NULL;
    struct wire_writer w = wire_writer(&payload);
    enum signet_err err;

    wire_put_array(&w, 11);
    wire_put_id(&w, &b.device);
    wire_put_id(&w, &b.address);
    wire_put_id(&w, &b.list);
    wire_put_uint(&w, b.version);
    wire_put_uint(&w, b.not_before);
    wire_put_uint(&w, b.not_after);
    wire_put_array(&w, count);
    for (size_t i = 0; i < count; i++)
        wire_put_uint(&w, suites[i]);
    wire_put_bytes(&w, crypto_rsa_public_spki(b.oaep_key));
    wire_put_bytes(&w, signet_span_of(b.signed_prekey.k, CRYPTO_DH_LEN));
    wire_put_null(&w);
    wire_put_array(&w, 2);
    wire_put_id(&w, &b.one_time_root);
    wire_put_uint(&w, b.one_time_count);
    CHECK_OK(wire_writer_finish(&w));
    cose = forge_signed(forge_device_key(f->bob.account), TYP_BUNDLE, signet_buf_span(&payload));
    err = signet_bundle_read(f->library, signet_buf_span(&cose), party_card(&f->bob), &bundle);
    if (err == SIGNET_OK)
        *max_out = signet_bundle_suite_max(bundle);
    signet_bundle_free(bundle);
    signet_buf_free(&payload);
    signet_buf_free(&cose);
    return err;
}

/* docs/protocol.md, section 4: rising, at most four, suite 1 among them; later ones may be there. */
static void suites_rise_and_the_first_is_there(void **state)
{
    struct fixture f = fixture_new();
    uint64_t max = 0;

    (void)state;
    CHECK_OK(read_suites(&f, (const uint64_t[]){1, 2}, 2, &max));
    CHECK(max == 2);
    CHECK_OK(read_suites(&f, (const uint64_t[]){1, 2, 3, 9}, 4, &max));
    CHECK(max == 9);
    CHECK_ERR(read_suites(&f, (const uint64_t[]){2}, 1, &max), SIGNET_ERR_SUITE);
    CHECK_ERR(read_suites(&f, (const uint64_t[]){2, 1}, 2, &max), SIGNET_ERR_FORMAT);
    CHECK_ERR(read_suites(&f, (const uint64_t[]){1, 1}, 2, &max), SIGNET_ERR_FORMAT);
    CHECK_ERR(read_suites(&f, (const uint64_t[]){0, 1}, 2, &max), SIGNET_ERR_FORMAT);
    CHECK_ERR(read_suites(&f, (const uint64_t[]){1}, 0, &max), SIGNET_ERR_FORMAT);
    CHECK_ERR(read_suites(&f, (const uint64_t[]){1, 2, 3, 4, 5}, 5, &max), SIGNET_ERR_LIMIT);
    fixture_free(&f);
}

/* docs/protocol.md, section 1. */
static void time_is_checked_with_a_day_of_tolerance(void **state)
{
    struct fixture f = fixture_new();
    uint64_t not_after = signet_bundle_not_after(f.bob.bundle);

    (void)state;
    CHECK_OK(signet_bundle_check_time(f.bob.bundle, PARTY_NOW - DAY_MS));
    CHECK_ERR(signet_bundle_check_time(f.bob.bundle, PARTY_NOW - DAY_MS - 1), SIGNET_ERR_NOT_YET);
    CHECK_OK(signet_bundle_check_time(f.bob.bundle, not_after + DAY_MS));
    CHECK_ERR(signet_bundle_check_time(f.bob.bundle, not_after + DAY_MS + 1), SIGNET_ERR_EXPIRED);
    fixture_free(&f);
}

/* bundle.h: the encoded secrets are all of them, those that are gone, too. */
static void secrets_are_read_back_whole(void **state)
{
    struct fixture f = fixture_new();
    struct signet_bundle_secrets *again = NULL;
    struct signet_buf bytes = {0}, twice = {0};

    (void)state;
    CHECK(signet_bundle_secrets_has(f.bob.secrets, 255));
    CHECK(!signet_bundle_secrets_has(f.bob.secrets, SIGNET_ONE_TIME_COUNT));
    signet_bundle_secrets_forget(f.bob.secrets, 255);
    signet_bundle_secrets_forget(f.bob.secrets, 255);
    signet_bundle_secrets_forget(f.bob.secrets, UINT32_MAX);
    CHECK_OK(signet_bundle_secrets_encode(f.bob.secrets, &bytes));
    CHECK_OK(signet_bundle_secrets_decode(f.library, signet_buf_span(&bytes), &again));
    CHECK_OK(signet_bundle_secrets_encode(again, &twice));
    CHECK(signet_span_equal(signet_buf_span(&bytes), signet_buf_span(&twice)));
    CHECK(!signet_bundle_secrets_has(again, 255) && signet_bundle_secrets_has(again, 254));
    signet_bundle_secrets_free(again);
    again = NULL;
    for (size_t len = 0; len < bytes.len; len += 17)
        CHECK(signet_bundle_secrets_decode(f.library, signet_span_of(bytes.ptr, len), &again) !=
              SIGNET_OK);
    CHECK(again == NULL);
    signet_buf_free(&bytes);
    signet_buf_free(&twice);
    fixture_free(&f);
}

static const struct signet_id *key_id(const struct crypto_rsa_private *key)
{
    return crypto_rsa_public_fingerprint(crypto_rsa_private_public(key));
}

/* bundle.h: the decryption key is used again while it is younger than 30 days. */
static void a_decryption_key_serves_thirty_days(void **state)
{
    struct fixture f = fixture_new();
    struct signet_bundle_order order = {.account = f.bob.account,
        .previous = f.bob.secrets,
        .version = 6,
        .now_ms = PARTY_NOW + 30 * DAY_MS - 1};
    struct seen_secrets before = forge_see_secrets(f.bob.secrets), seen;
    struct signet_bundle_secrets *next = NULL;
    struct signet_buf bytes = {0}, keys = {0};

    (void)state;
    CHECK_OK(signet_bundle_make(f.library, &order, &next, &bytes, &keys));
    seen = forge_see_secrets(next);
    CHECK(signet_id_equal(key_id(seen.oaep_key), key_id(before.oaep_key)));
    assert_memory_equal(seen.reject, before.reject, sizeof(*seen.reject));
    assert_memory_not_equal(seen.signed_prekey, before.signed_prekey, 32);
    assert_memory_not_equal(seen.one_time.ptr, before.one_time.ptr, seen.one_time.len);
    CHECK(keys.len == SIGNET_ONE_TIME_COUNT * SIGNET_ONE_TIME_KEY_LEN);
    signet_bundle_secrets_free(next);
    order.now_ms++;
    CHECK_OK(signet_bundle_make(f.library, &order, &next, &bytes, &keys));
    seen = forge_see_secrets(next);
    CHECK(!signet_id_equal(key_id(seen.oaep_key), key_id(before.oaep_key)));
    assert_memory_not_equal(seen.reject, before.reject, sizeof(*seen.reject));
    signet_bundle_secrets_free(next);
    signet_buf_free(&bytes);
    signet_buf_free(&keys);
    fixture_free(&f);
}

static enum signet_err make(const struct fixture *f, uint64_t version, uint64_t now_ms)
{
    struct signet_bundle_order order = {.account = f->bob.account,
        .previous = f->bob.secrets,
        .version = version,
        .now_ms = now_ms};
    struct signet_bundle_secrets *secrets = NULL;
    struct signet_buf bytes = {0}, keys = {0};
    enum signet_err err = signet_bundle_make(f->library, &order, &secrets, &bytes, &keys);

    CHECK((secrets != NULL) == (err == SIGNET_OK));
    CHECK((bytes.len > 0) == (err == SIGNET_OK) && (keys.len > 0) == (err == SIGNET_OK));
    signet_bundle_secrets_free(secrets);
    signet_buf_free(&bytes);
    signet_buf_free(&keys);
    return err;
}

/* bundle.h: nothing is signed that nobody accepts. */
static void no_bundle_is_made_that_nobody_reads(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    CHECK_OK(make(&f, SIGNET_TIME_MAX, PARTY_NOW));
    CHECK_ERR(make(&f, 0, PARTY_NOW), SIGNET_ERR_ARGUMENT);
    CHECK_ERR(make(&f, SIGNET_TIME_MAX + 1, PARTY_NOW), SIGNET_ERR_ARGUMENT);
    CHECK_ERR(make(&f, 6, SIGNET_TIME_MAX - 30 * DAY_MS + 1), SIGNET_ERR_ARGUMENT);
    CHECK_ERR(make(&f, 6, UINT64_MAX), SIGNET_ERR_ARGUMENT);
    fixture_free(&f);
}

TEST_FILE(bundle)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_says_what_was_ordered),
        cmocka_unit_test(a_bundle_tells_its_id_unverified),
        cmocka_unit_test(one_time_prekeys_are_proved),
        cmocka_unit_test(other_one_time_keys_are_refused),
        cmocka_unit_test(every_byte_of_a_bundle_counts),
        cmocka_unit_test(each_condition_of_validity_is_checked),
        cmocka_unit_test(suites_rise_and_the_first_is_there),
        cmocka_unit_test(time_is_checked_with_a_day_of_tolerance),
        cmocka_unit_test(secrets_are_read_back_whole),
        cmocka_unit_test(a_decryption_key_serves_thirty_days),
        cmocka_unit_test(no_bundle_is_made_that_nobody_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
