/*
 * The relay's core over its SQLite store: the n-th allocation fails, for every n, our own, OpenSSL's
 * and SQLite's, while devices register, log in, put, fetch, deliver and acknowledge. Nothing is used
 * after it was freed or leaks (AddressSanitizer); every request is answered or its connection ends;
 * and whatever was accepted is delivered when memory is there again.
 */
#include "tests/support/unit.h"

#include <openssl/err.h>
#include <sqlite3.h>

#include "server/worker/mailqueue.h"
#include "tests/support/core_pair.h"
#include "tests/support/failing_memory.h"

enum { NUMBERS_MAX = 20000, RETRY_MS = 2000 };

/* ---- memory fails in the relay alone, not in its clients ---- */

#define IN_RELAY(result, name, parameters, arguments)                                              \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        result returned;                                                                           \
        failing_memory_apply(true);                                                                \
        returned = __real_##name arguments;                                                        \
        failing_memory_apply(false);                                                               \
        return returned;                                                                           \
    }
#define IN_RELAY_VOID(name, parameters, arguments)                                                 \
    void __real_##name parameters;                                                                 \
    void __wrap_##name parameters;                                                                 \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        failing_memory_apply(true);                                                                \
        __real_##name arguments;                                                                   \
        failing_memory_apply(false);                                                               \
    }

IN_RELAY(struct conn *, core_open,
    (struct relay_core * core, const struct core_hop *hop, void *owner), (core, hop, owner))
IN_RELAY(bool, core_next_output, (struct relay_core * core, struct core_output *output_out),
    (core, output_out))
IN_RELAY(size_t, store_sqlite_step, (struct store * store), (store))
IN_RELAY_VOID(core_receive, (struct relay_core * core, struct conn *conn, signet_span message),
    (core, conn, message))
IN_RELAY_VOID(core_answered, (struct relay_core * core, struct store_group *group), (core, group))
IN_RELAY_VOID(core_deliver,
    (struct relay_core * core, uint64_t connection, struct store_message message),
    (core, connection, message))
IN_RELAY_VOID(core_closed, (struct relay_core * core, struct conn *conn), (core, conn))
IN_RELAY_VOID(core_end, (struct relay_core * core, uint64_t connection, uint16_t code),
    (core, connection, code))
IN_RELAY_VOID(core_tick, (struct relay_core * core), (core))
IN_RELAY_VOID(core_flush, (struct relay_core * core), (core))

static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int len)
{
    return failing_memory_fails_now() ? NULL : sqlite_memory.xMalloc(len);
}

static void *sqlite_realloc(void *old, int len)
{
    return failing_memory_fails_now() ? NULL : sqlite_memory.xRealloc(old, len);
}

static bool take_sqlite(void)
{
    sqlite3_mem_methods failing;

    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory) != SQLITE_OK)
        return false;
    failing = sqlite_memory;
    failing.xMalloc = sqlite_malloc;
    failing.xRealloc = sqlite_realloc;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) == SQLITE_OK;
}

/* ---- two devices ---- */

struct talk {
    struct core_rig rig;
    struct core_client alice, bob;
    uint64_t number;     /* of the last message that was put */
    bool was_accepted;   /* it */
    uint64_t seen_count; /* messages that bob has seen once or more */
    bool is_seen[NUMBERS_MAX];
};

static void talk_open(struct talk *talk)
{
    core_rig_open(&talk->rig, library);
    talk->rig.limits.open_registration = true;
    talk->rig.store->ops->set_limits(talk->rig.store, &talk->rig.limits);
}

static void talk_close(struct talk *talk)
{
    core_client_close(&talk->alice);
    core_client_close(&talk->bob);
    core_rig_close(&talk->rig);
}

/* Memory is there again; the store is asked again what it could not do. */
static bool recover(struct talk *talk)
{
    bool has_failed = failing_memory_stop();

    ERR_clear_error();
    core_rig_wait(&talk->rig, RETRY_MS);
    core_rig_wait(&talk->rig, RETRY_MS);
    return has_failed;
}

static void say_register(
    struct core_client *client, const struct signet_account *account, const char *name)
{
    struct relay_message message = {.type = RELAY_REGISTER,
        .req = ++client->req,
        .name = signet_span_str(name),
        .card = signet_card_bytes(signet_account_card(account))};

    signet_buf_truncate(&client->sent, 0);
    CHECK_OK(signet_registration_sign(account, message.name, &client->hop, &client->sent));
    message.proof = signet_buf_span(&client->sent);
    core_client_send(client, &message);
}

static void say_login(struct core_client *client, const struct signet_account *account)
{
    struct relay_message message = {.type = RELAY_LOGIN, .req = ++client->req};

    signet_buf_truncate(&client->sent, 0);
    CHECK_OK(signet_login_sign(account, &client->hop, &client->sent));
    message.proof = signet_buf_span(&client->sent);
    core_client_send(client, &message);
}

static void say_subscribe(struct core_client *client)
{
    core_client_send(
        client, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = ++client->req});
}

static void say_put(struct talk *talk)
{
    CHECK(++talk->number < NUMBERS_MAX);
    talk->was_accepted = false;
    core_client_send(&talk->alice,
        &(struct relay_message){.type = RELAY_PUT,
            .req = ++talk->alice.req,
            .id = *signet_account_device(bob),
            .envelope = signet_span_of((const uint8_t *)&talk->number, sizeof(talk->number))});
}

/* Alice has her answer, or has lost the connection. */
static void take_answer(struct talk *talk)
{
    struct relay_message answer = core_client_next(&talk->alice);

    CHECK(answer.type != 0 || talk->alice.conn == NULL);
    if (answer.type == 0)
        return;
    CHECK(answer.req == talk->alice.req);
    CHECK(answer.type == RELAY_ACCEPTED || answer.type == RELAY_REFUSED);
    talk->was_accepted = answer.type == RELAY_ACCEPTED;
}

/* Bob sees what has come, and acknowledges it. */
static void take_deliveries(struct talk *talk)
{
    struct relay_message message;

    while ((message = core_client_next(&talk->bob)).type != 0) {
        uint64_t number, id = message.message;

        if (message.type != RELAY_DELIVER)
            continue;
        CHECK(message.envelope.len == sizeof(number));
        memcpy(&number, message.envelope.ptr, sizeof(number));
        CHECK(number <= talk->number);
        talk->seen_count += !talk->is_seen[number];
        talk->is_seen[number] = true;
        core_client_send(
            &talk->bob, &(struct relay_message){.type = RELAY_ACK, .ack_ids = &id, .ack_count = 1});
    }
}

/* A new connection in place of one that has ended. */
static void come_back(
    struct talk *talk, struct core_client *client, const struct signet_account *account)
{
    if (client->conn != NULL)
        return;
    core_client_close(client);
    core_client_open(client, &talk->rig, client == &talk->bob);
    CHECK(core_client_login(client, account) == 0);
    if (client == &talk->bob)
        say_subscribe(client);
}

/* Whatever was accepted is there, at the latest after another login. */
static void check_delivered(struct talk *talk)
{
    come_back(talk, &talk->bob, bob);
    take_deliveries(talk);
    CHECK(talk->is_seen[talk->number] || !talk->was_accepted);
}

/* ---- the sweeps ---- */

/* Returns whether an allocation failed. */
static bool join_with(long succeed)
{
    struct talk talk = {0};
    bool has_failed;

    talk_open(&talk);
    failing_memory_start(succeed);
    if (core_client_try_open(&talk.alice, &talk.rig, 0)) {
        say_register(&talk.alice, alice, "alice");
        say_login(&talk.alice, alice);
    }
    has_failed = recover(&talk);
    CHECK(talk.alice.is_logged_in || has_failed);
    core_client_close(&talk.alice);
    core_client_open(&talk.alice, &talk.rig, 0);
    CHECK(core_client_register(&talk.alice, alice, "alice", signet_span_of(NULL, 0)) == 0);
    CHECK(core_client_login(&talk.alice, alice) == 0);
    talk_close(&talk);
    return has_failed;
}

static void joining_succeeds_when_memory_is_back(void **state)
{
    long count = 0;

    (void)state;
    CHECK(!join_with(1000000)); /* what OpenSSL makes once and keeps is there from here on */
    while (join_with(count))
        count++;
    CHECK(count > 100);
}

static struct talk *joined(void)
{
    struct talk *talk = calloc(1, sizeof(*talk));

    CHECK(talk != NULL);
    talk_open(talk);
    core_client_open(&talk->alice, &talk->rig, 0);
    CHECK(core_client_register(&talk->alice, alice, "alice", signet_span_of(NULL, 0)) == 0);
    CHECK(core_client_login(&talk->alice, alice) == 0);
    core_client_open(&talk->bob, &talk->rig, 1);
    CHECK(core_client_register(&talk->bob, bob, "bob", signet_span_of(NULL, 0)) == 0);
    CHECK(core_client_login(&talk->bob, bob) == 0);
    say_subscribe(&talk->bob);
    take_deliveries(talk);
    return talk;
}

static void what_is_accepted_is_delivered(void **state)
{
    struct talk *talk = joined();
    bool has_failed;
    long count = 0;

    (void)state;
    do {
        come_back(talk, &talk->alice, alice);
        failing_memory_start(count++);
        say_put(talk);
        take_deliveries(talk);
        has_failed = recover(talk);
        take_answer(talk);
        check_delivered(talk);
    } while (has_failed);
    CHECK(count > 10 && talk->was_accepted && talk->seen_count > 0);
    talk_close(talk);
    free(talk);
}

static void what_waits_is_fetched(void **state)
{
    struct talk *talk = joined();
    bool has_failed;
    long count = 0;

    (void)state;
    do {
        core_client_close(&talk->bob);
        say_put(talk);
        take_answer(talk);
        CHECK(talk->was_accepted);
        failing_memory_start(count++);
        if (core_client_try_open(&talk->bob, &talk->rig, 1)) {
            say_login(&talk->bob, bob);
            say_subscribe(&talk->bob);
            take_deliveries(talk);
        }
        has_failed = recover(talk);
        check_delivered(talk);
    } while (has_failed);
    CHECK(count > 50 && talk->seen_count == talk->number);
    talk_close(talk);
    free(talk);
}

/* A delivery that overtakes the answer of the fetch before it is ignored: it has to be fetched. */
static void what_overtakes_a_late_answer_counts_as_missed(void **state)
{
    struct store_group group = {0};
    struct inbox_items items = {0};
    struct inbox inbox;

    (void)state;
    CHECK_OK(inbox_init(&inbox, NULL));
    failing_memory_apply(true);
    failing_memory_start(0);
    inbox_put(&inbox, &(struct inbox_item){.kind = INBOX_ANSWERED, .group = &group});
    CHECK(failing_memory_stop());
    failing_memory_apply(false);
    inbox_put(&inbox, &(struct inbox_item){.kind = INBOX_DELIVER, .connection = 1});
    inbox_take(&inbox, &items);
    CHECK(items.count == 1 && items.late == &group && items.is_missed);
    free(items.items);
    inbox_wipe(&inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joining_succeeds_when_memory_is_back),
        cmocka_unit_test(what_is_accepted_is_delivered),
        cmocka_unit_test(what_waits_is_fetched),
        cmocka_unit_test(what_overtakes_a_late_answer_counts_as_missed),
    };

    failing_memory_apply(false);
    if (!failing_memory_take_openssl() || !take_sqlite())
        return 1;
    return cmocka_run_group_tests_name(
        "relay_nomem", tests, core_accounts_make, core_accounts_free);
}
