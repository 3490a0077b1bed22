/* Cards of an account with several devices at the relay's core: docs/protocol.md, sections 3, 9. */
#include "tests/support/core_rig.h"

#include "protocol/account_internal.h"
#include "tests/support/forge.h"
#include "tests/support/key_pool.h"

/* Costly, so made once: an account as two of its devices hold it. */
static struct signet_library *library;
static struct signet_account *laptop, *phone;

static int make_accounts(void **state)
{
    struct account_keys keys;

    (void)state;
    CHECK_OK(signet_library_new(NULL, &library));
    laptop = core_rig_account(library, 0, CORE_RIG_START_MS);
    keys = (struct account_keys){.identity = key_pool_take(library, 2048, 0),
        .device = key_pool_take(library, 3072, 3),
        .next_identity = card_list(signet_account_card(laptop))->next_identity};
    CHECK_OK(account_from_keys(library, &keys, CORE_RIG_START_MS, &phone));
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

/* A card with that version, for the laptop and perhaps the phone. It names the first list as the one
 * before it: give versions that are not next to each other. */
static struct signet_buf make_card(uint64_t version, bool has_phone)
{
    struct device_list list = *card_list(signet_account_card(laptop));
    const struct forged_link link = {.identity = laptop->identity, .list = &list};
    struct device *devices = list.devices;

    list.version = version;
    list.has_previous = true;
    list.previous = *signet_card_list(signet_account_card(laptop));
    if (has_phone) {
        devices[1] = card_list(signet_account_card(phone))->devices[0];
        list.device_count = 2;
    }
    if (has_phone && signet_id_compare(&devices[0].id, &devices[1].id) > 0) {
        struct device first = devices[0];

        devices[0] = devices[1];
        devices[1] = first;
    }
    return forge_card_bytes(&link, 1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_leaves_the_card_is_logged_out),
        cmocka_unit_test(a_login_too_many_of_an_account_is_refused),
    };

    return cmocka_run_group_tests(tests, make_accounts, free_accounts);
}
