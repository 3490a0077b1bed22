/* Workers with their threads, over TLS on the loopback: server/worker/worker.h. */
#include "tests/support/worker_rig.h"

#include <stdlib.h>
#include <unistd.h>

#include "server/store/sqlite/store_sqlite.h"

/* Close code 4001 reaches the older login, whichever worker has it. */
static void a_newer_login_ends_the_older_one_across_workers(void **state)
{
    struct worker_client clients[8];
    struct worker_rig server = {0};

    (void)state;
    worker_rig_open(&server);
    for (size_t i = 0; i < 8; i++) {
        worker_client_open(&clients[i], &server);
        worker_client_join(&clients[i], alice, i == 0 ? "alice" : NULL);
        if (i == 0)
            continue;
        CHECK(worker_client_await(&clients[i - 1]).type == 0);
        CHECK(clients[i - 1].code == RELAY_CLOSE_REPLACED);
    }
    for (size_t i = 0; i < 8; i++)
        worker_client_close(&clients[i]);
    worker_rig_stop(&server);
    worker_rig_close(&server);
}

/* docs/protocol.md, section 9: a malformed message, and one that is too big, end the connection;
 * nobody else's. docs/operating.md: the log tells whether it had an account, and no address. */
static void nonsense_after_the_login_ends_its_own_connection_only(void **state)
{
    static const uint8_t cut[] = {0x84, 0x07, 0x01, 0x58}, long_form[] = {0x82, 0x18, 0x08, 0x01},
                         unknown[] = {0x82, 0x18, 0x63, 0x01},
                         trailing[] = {0x82, 0x08, 0x01, 0xff},
                         login[] = {0x83, 0x02, 0x01, 0x41, 0x00};
    uint8_t *big = calloc(1, 131073);
    const struct {
        signet_span bytes;
        uint16_t code;
    } wrong[] = {
        {signet_span_of(big, 131073),
            WS_CODE_TOO_BIG}, /* first: so many lines a second are logged */
        {signet_span_of(cut, sizeof(cut)), WS_CODE_PROTOCOL},
        {signet_span_of(long_form, sizeof(long_form)), WS_CODE_PROTOCOL},
        {signet_span_of(unknown, sizeof(unknown)), WS_CODE_PROTOCOL},
        {signet_span_of(trailing, sizeof(trailing)), WS_CODE_PROTOCOL},
        {signet_span_of(login, sizeof(login)), WS_CODE_PROTOCOL},
        {signet_span_of(cut, 0), WS_CODE_PROTOCOL},
    };
    struct worker_client mallory, other;
    struct worker_rig server = {0};
    char text[16384] = "";

    (void)state;
    CHECK(big != NULL);
    worker_rig_open(&server);
    worker_client_open(&other, &server);
    worker_client_join(&other, bob, "bob");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        worker_client_open(&mallory, &server);
        worker_client_join(&mallory, alice, i == 0 ? "mallory" : NULL);
        CHECK_OK(io_connection_send(mallory.connection, wrong[i].bytes));
        while (worker_client_await(&mallory).type != 0)
            ;
        CHECK(mallory.code == wrong[i].code);
        worker_client_close(&mallory);
    }
    worker_client_say(&other, &(struct relay_message){.type = RELAY_SUBSCRIBE, .req = 3});
    CHECK(worker_client_await(&other).type == RELAY_DONE);
    worker_client_close(&other);
    worker_rig_stop(&server);
    worker_rig_close(&server);
    free(big);
    CHECK(read(worker_rig_log[0], text, sizeof(text) - 1) > 0);
    CHECK(strstr(text, "why=\"wrong or too large frame\" code=1009 logged_in=true\n") != NULL);
    CHECK(strstr(text, "127.0.0.1") == NULL);
}

/* Stopping answers what was submitted and says goodbye (1001); a worker that never ran is freed
 * like the others. */
static void stopping_closes_with_going_away(void **state)
{
    struct worker_client client;
    struct worker_rig server = {0};

    (void)state;
    worker_rig_open(&server);
    worker_client_open(&client, &server);
    worker_client_join(&client, alice, "alice");
    worker_rig_stop(&server);
    CHECK(worker_client_await(&client).type == 0);
    CHECK(client.code == 1001);
    worker_client_close(&client);
    worker_rig_close(&server);
}

/* However it ends: clients are told that it does. */
static void stopping_says_goodbye_though_the_disk_stalls(void **state)
{
    struct worker_client client;
    struct worker_rig server = {.can_stall = true};

    (void)state;
    worker_rig_open(&server);
    worker_client_open(&client, &server);
    worker_client_join(&client, alice, "alice");
    worker_rig_stall(true);
    worker_client_say(&client,
        &(struct relay_message){.type = RELAY_FIND, .req = 5, .name = signet_span_str("bob")});
    worker_rig_await_stall(STORE_FIND);
    worker_rig_stop(&server);
    CHECK(worker_client_await(&client).type == 0);
    CHECK(client.code == 1001);
    worker_client_close(&client);
    for (size_t i = 0; i < WORKER_RIG_WORKERS; i++)
        worker_join(server.workers[i]);
    worker_rig_stall(false);
    worker_rig_close(&server);
}

static void a_worker_that_never_ran_is_freed(void **state)
{
    struct worker_setup setup = {
        .core = {.name = "relay"}, .library = library, .count = 1, .stopped = &worker_rig_stopped};
    struct socket_address address;
    struct worker *worker = NULL;

    (void)state;
    CHECK_OK(
        store_sqlite_open(":memory:", library, &worker_rig_limits, STORE_THREADED, &setup.store));
    setup.all = &worker;
    CHECK_OK(tls_server_new(worker_rig_files.certificate[0], worker_rig_files.key[0], &setup.tls));
    CHECK_OK(socket_address_parse("127.0.0.1:0", &address));
    CHECK_OK(socket_listen(&address, &setup.listener, NULL));
    CHECK_OK(worker_new(&setup, &worker));
    setup.store->ops->close(setup.store);
    worker_free(worker);
}

TEST_FILE(worker)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_newer_login_ends_the_older_one_across_workers),
        cmocka_unit_test(nonsense_after_the_login_ends_its_own_connection_only),
        cmocka_unit_test(stopping_closes_with_going_away),
        cmocka_unit_test(stopping_says_goodbye_though_the_disk_stalls),
        cmocka_unit_test(a_worker_that_never_ran_is_freed),
    };

    return cmocka_run_group_tests(tests, worker_rig_set_up, worker_rig_tear_down);
}
