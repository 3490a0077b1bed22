/* Cards of an account with several devices at the relay's core: docs/protocol.md, sections 3, 9. */
#include "tests/support/core_rig.h"

#include <stdlib.h>

#include "tests/support/forge.h"
#include "tests/support/key_pool.h"

/* Costly, so made once: an account as two of its devices hold it. */
static struct signet_library *library;
static struct signet_account *laptop, *phone;

static int make_accounts(void **state)
{
    struct forged_account keys;

    (void)state;
    CHECK_OK(signet_library_new(NULL, &library));
    laptop = core_rig_account(library, 0, CORE_RIG_START_MS);
    keys = (struct forged_account){.identity = key_pool_take(library, 2048, 0),
        .device = key_pool_take(library, 3072, 3),
        .next_identity = forge_list_of(signet_account_card(laptop)).next_identity};
    phone = forge_account(library, &keys, CORE_RIG_START_MS);
    return 0;
}

static int free_accounts(void **state)
{
    (void)state;
    signet_account_free(laptop);
    signet_account_free(phone);
    signet_library_free(library);
    return 0;
}

static int by_id(const void *a, const void *b)
{
    return signet_id_compare(
        &((const struct forged_device *)a)->id, &((const struct forged_device *)b)->id);
}

/* A card with that version, for the laptop and devices with these keys. It names the first list as
 * the one before it: give versions that are not next to each other. */
static struct signet_buf make_card_for(
    uint64_t version, struct crypto_rsa_public *const *keys, size_t count)
{
    struct forged_list list = forge_list_of(signet_account_card(laptop));
    const struct forged_link link = {.identity = forge_identity_key(laptop), .list = &list};

    list.version = version;
    list.has_previous = true;
    list.previous = *signet_card_list(signet_account_card(laptop));
    for (size_t i = 0; i < count; i++)
        list.devices[list.device_count++] =
            (struct forged_device){*crypto_rsa_public_fingerprint(keys[i]), keys[i], version};
    qsort(list.devices, list.device_count, sizeof(list.devices[0]), by_id);
    return forge_card_bytes(&link, 1);
}

/* For the laptop, and perhaps the phone. */
static struct signet_buf make_card(uint64_t version, bool has_phone)
{
    struct crypto_rsa_public *key = crypto_rsa_private_public(forge_device_key(phone));

    return make_card_for(version, &key, has_phone ? 1 : 0);
}

/* The code of the refusal, or 0. */
static uint64_t put_card(struct core_client *client, struct signet_buf card)
{
    struct relay_message answer;

    core_client_send(
        client, &(struct relay_message){
                    .type = RELAY_PUT_CARD, .req = ++client->req, .card = signet_buf_span(&card)});
    signet_buf_free(&card);
    answer = core_client_next(client);
    CHECK(answer.req == client->req);
    CHECK(answer.type == RELAY_DONE || answer.type == RELAY_REFUSED);
    return answer.type == RELAY_REFUSED ? answer.code : 0;
}

/* Section 9: a device that a card leaves out is not logged in any more, on whichever worker. */
static void a_device_that_leaves_the_card_is_logged_out(void **state)
{
    struct core_client client, other;
    struct core_rig rig;

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&client, &rig, 0);
    core_client_join(&client, laptop, "alice");
    for (uint32_t worker = 0; worker < CORE_RIG_WORKERS; worker++) {
        CHECK(put_card(&client, make_card(3 + 4 * worker, true)) == 0);
        core_client_open(&other, &rig, worker);
        CHECK(core_client_login(&other, phone) == 0);
        CHECK(put_card(&client, make_card(5 + 4 * worker, false)) == 0);
        CHECK(other.conn == NULL && other.close_code == RELAY_CLOSE_REMOVED);
        CHECK(client.conn != NULL);
        core_client_close(&other);
    }
    core_client_close(&client);
    core_rig_close(&rig);
}

/* docs/operating.md, "Limits": refused with code 9 and when to try again; who is there stays. */
static void a_login_too_many_of_an_account_is_refused(void **state)
{
    struct core_client client, other;
    struct core_rig rig;

    (void)state;
    core_rig_open(&rig, library);
    rig.limits.connections_per_account = 1;
    rig.store->ops->set_limits(rig.store, &rig.limits);
    core_client_open(&client, &rig, 0);
    core_client_join(&client, laptop, "alice");
    CHECK(put_card(&client, make_card(3, true)) == 0);
    core_client_open(&other, &rig, 1);
    CHECK(core_client_login(&other, phone) == RELAY_CODE_OFTEN);
    CHECK(client.conn != NULL && other.conn != NULL && !other.is_logged_in);
    core_client_close(&client);
    CHECK(core_client_login(&other, phone) == 0);
    core_client_close(&other);
    core_rig_close(&rig);
}

enum { NEW_KEYS = 5, FIRST_KEY = 2 };

static struct crypto_rsa_private *new_devices[NEW_KEYS];
static struct crypto_rsa_public *new_keys[NEW_KEYS];

static void take_new_keys(void)
{
    for (unsigned i = 0; i < NEW_KEYS; i++) {
        new_devices[i] = key_pool_take(library, 2048, FIRST_KEY + i);
        new_keys[i] = crypto_rsa_private_public(new_devices[i]);
    }
}

static void free_new_keys(void)
{
    for (unsigned i = 0; i < NEW_KEYS; i++)
        crypto_rsa_private_free(new_devices[i]);
}

/* One account must not hold up a worker: keys that are new cost 10 ms each, so they are checked two
 * at a time, with others' turn between them, and are charged for. */
static void new_keys_are_checked_in_turns_and_charged_for(void **state)
{
    struct core_client client;
    struct core_rig rig;
    size_t submitted;

    (void)state;
    take_new_keys();
    core_rig_open(&rig, library);
    core_client_open(&client, &rig, 0);
    core_client_join(&client, laptop, "alice");
    rig.config.rates.publish = (struct rate_limit){.per_second = 1, .burst = 2};
    core_rig_configure(&rig);
    submitted = rig.submitted;
    CHECK(put_card(&client, make_card_for(3, new_keys, NEW_KEYS)) == 0);
    CHECK(rig.submitted == submitted + 4); /* 2 keys, 2 keys, 1 key, the card */
    core_rig_wait(&rig, 2 * NEW_KEYS * 1000 - 1);
    core_client_close(&client); /* logging in again is no way around it */
    core_client_open(&client, &rig, 0);
    CHECK(core_client_login(&client, laptop) == 0);
    CHECK(put_card(&client, make_card_for(5, new_keys, NEW_KEYS)) == RELAY_CODE_OFTEN);
    core_rig_wait(&rig, 1);
    /* None of them is new any more. */
    submitted = rig.submitted;
    CHECK(put_card(&client, make_card_for(5, new_keys, NEW_KEYS)) == 0);
    CHECK(rig.submitted == submitted + 2);
    core_client_close(&client);
    core_rig_close(&rig);
    free_new_keys();
}

/* A card of no use costs no check: what is wrong with its keys is not seen. */
static void an_old_card_has_no_keys_checked(void **state)
{
    struct crypto_rsa_public *bad = forge_key(library);
    struct core_client client;
    struct core_rig rig;

    (void)state;
    core_rig_open(&rig, library);
    core_client_open(&client, &rig, 0);
    core_client_join(&client, laptop, "alice");
    CHECK(put_card(&client, make_card(5, false)) == 0);
    CHECK(put_card(&client, make_card_for(3, &bad, 1)) == RELAY_CODE_VERSION);
    CHECK(put_card(&client, make_card_for(7, &bad, 1)) == RELAY_CODE_INVALID);
    core_client_close(&client);
    core_rig_close(&rig);
    crypto_rsa_public_free(bad);
}

static void append(struct signet_buf *bytes, const struct relay_message *message)
{
    CHECK_OK(relay_message_write(message, bytes));
}

/* What was checked of one card says nothing about the next one: operations are used again, and the
 * find takes the one that lies on top. */
static void each_card_has_its_own_keys_checked(void **state)
{
    struct crypto_rsa_public *bad = forge_key(library);
    struct signet_buf card, bytes = {0};
    struct core_client client;
    struct core_rig rig;
    struct relay_message answer;

    (void)state;
    take_new_keys();
    core_rig_open(&rig, library);
    core_client_open(&client, &rig, 0);
    core_client_join(&client, laptop, "alice");
    CHECK(put_card(&client, make_card_for(3, new_keys, NEW_KEYS)) == 0);
    card = make_card_for(5, &bad, 1);
    append(&bytes, &(struct relay_message){
                       .type = RELAY_FIND, .req = 100, .id = *signet_account_address(laptop)});
    append(&bytes, &(struct relay_message){
                       .type = RELAY_PUT_CARD, .req = 101, .card = signet_buf_span(&card)});
    core_client_send_bytes(&client, signet_buf_span(&bytes));
    CHECK(core_client_next(&client).type == RELAY_ACCOUNT);
    answer = core_client_next(&client);
    CHECK(answer.type == RELAY_REFUSED && answer.req == 101 && answer.code == RELAY_CODE_INVALID);
    signet_buf_free(&card);
    signet_buf_free(&bytes);
    core_client_close(&client);
    core_rig_close(&rig);
    free_new_keys();
    crypto_rsa_public_free(bad);
}

TEST_FILE(core_publish)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_leaves_the_card_is_logged_out),
        cmocka_unit_test(a_login_too_many_of_an_account_is_refused),
        cmocka_unit_test(new_keys_are_checked_in_turns_and_charged_for),
        cmocka_unit_test(an_old_card_has_no_keys_checked),
        cmocka_unit_test(each_card_has_its_own_keys_checked),
    };

    return cmocka_run_group_tests(tests, make_accounts, free_accounts);
}
