/*
 * What a client computes for a message, against the sum of OpenSSL's own operations that it cannot
 * do without: both take turns, so that a busy machine slows both. One line of JSON for each.
 *
 *   bench_client SECONDS
 */
#include <signet/signet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/common.h"
#include "bench/raw.h"
#include "tests/support/forge_account.h"
#include "tests/support/key_pool.h"

enum { TURNS_MAX = 100000, TURNS_A_SESSION = 800, BITS = 3072 };

#define NOW_MS UINT64_C(1800000000000)

struct client {
    struct signet_account *account;
    struct signet_bundle_secrets *secrets;
    struct signet_bundle *bundle;
    struct signet_session *session;
    struct signet_buf bundle_bytes, keys;
    struct signet_one_time one_time;
};

static struct {
    struct signet_library *library;
    struct client alice, bob;
    struct signet_entry_draft draft;
    struct signet_buf content, envelope, opened;
} bench;

static void client_make(struct client *client, unsigned number)
{
    struct forged_account keys = {
        .identity = key_pool_take(bench.library, BITS, 2 * number),
        .device = key_pool_take(bench.library, BITS, 2 * number + 1),
    };
    struct signet_bundle_order order = {.version = 1, .now_ms = NOW_MS};
    const struct signet_card *card;

    memset(&keys.next_identity, (int)number + 1, sizeof(keys.next_identity));
    client->account = forge_account(bench.library, &keys, NOW_MS);
    order.account = client->account;
    card = signet_account_card(client->account);
    bench_must(signet_bundle_make(
                   bench.library, &order, &client->secrets, &client->bundle_bytes, &client->keys),
        "a bundle");
    bench_must(signet_bundle_read(
                   bench.library, signet_buf_span(&client->bundle_bytes), card, &client->bundle),
        "read a bundle");
    bench_must(
        signet_one_time_prove(bench.library, signet_buf_span(&client->keys), 0, &client->one_time),
        "prove a key");
}

static void client_free(struct client *client)
{
    signet_session_free(client->session);
    signet_bundle_free(client->bundle);
    signet_bundle_secrets_free(client->secrets);
    signet_buf_free(&client->bundle_bytes);
    signet_buf_free(&client->keys);
    signet_account_free(client->account);
}

/* ---- the operations ---- */

static void seal_and_sign(void)
{
    struct signet_id id;

    signet_buf_truncate(&bench.content, 0);
    signet_buf_truncate(&bench.envelope, 0);
    bench_must(
        signet_entry_sign(bench.library, bench.alice.account, &bench.draft, &bench.content, &id),
        "sign");
    bench_must(
        signet_session_seal(bench.alice.session, signet_buf_span(&bench.content), &bench.envelope),
        "seal");
}

static void open_and_verify(void)
{
    struct signet_channel channel = {
        .account = bench.bob.account,
        .peer_card = signet_account_card(bench.alice.account),
        .peer_device = *signet_account_device(bench.alice.account),
    };
    struct signet_entry entry;

    signet_buf_truncate(&bench.opened, 0);
    bench_must(signet_session_open(
                   bench.bob.session, signet_buf_span(&bench.envelope), NOW_MS, &bench.opened),
        "open");
    bench_must(signet_entry_open(bench.library, signet_buf_span(&bench.opened), &channel, &entry),
        "verify");
}

static void initiate(void)
{
    struct signet_session_peer peer = {
        signet_account_card(bench.bob.account), bench.bob.bundle, &bench.bob.one_time};

    signet_session_free(bench.alice.session);
    bench.alice.session = NULL;
    bench_must(signet_session_initiate(
                   bench.library, bench.alice.account, &peer, NOW_MS, &bench.alice.session),
        "start a session");
}

static void accept_first(void)
{
    struct signet_session_own own = {bench.bob.account, bench.bob.secrets};

    signet_session_free(bench.bob.session);
    bench.bob.session = NULL;
    bench_must(signet_session_accept(bench.library, &own, signet_buf_span(&bench.envelope), NOW_MS,
                   &bench.bob.session),
        "accept a session");
}

static void set_up_and_seal(void)
{
    initiate();
    seal_and_sign();
}

/* A session in both directions, so that no init data comes along any more. */
static void establish(void)
{
    struct signet_buf reply = {0};

    set_up_and_seal();
    accept_first();
    open_and_verify();
    bench_must(
        signet_session_seal(bench.bob.session, signet_buf_span(&bench.opened), &reply), "reply");
    signet_buf_truncate(&bench.opened, 0);
    bench_must(
        signet_session_open(bench.alice.session, signet_buf_span(&reply), NOW_MS, &bench.opened),
        "open the reply");
    signet_buf_free(&reply);
}

/* ---- measuring ---- */

struct row {
    const char *name;
    void (*before)(void); /* not measured; may be NULL */
    void (*run)(void);
    unsigned raw[RAW_COUNT]; /* how many of each it cannot do without */
};

static double timed(void (*run)(void))
{
    double began_at = bench_own_seconds();

    run();
    return bench_own_seconds() - began_at;
}

static double timed_raw(const unsigned counts[RAW_COUNT])
{
    double began_at = bench_own_seconds();

    for (unsigned which = 0; which < RAW_COUNT; which++)
        for (unsigned i = 0; i < counts[which]; i++)
            raw_run(which);
    return bench_own_seconds() - began_at;
}

static void measure(const struct row *row, double seconds)
{
    double *own = bench_alloc(TURNS_MAX * sizeof(*own));
    double *raw = bench_alloc(TURNS_MAX * sizeof(*raw));
    double until = bench_seconds() + seconds, own_median, raw_median;
    size_t count = 0;

    for (; bench_seconds() < until && count < TURNS_MAX; count++) {
        if (count % TURNS_A_SESSION == 0)
            establish();
        if (row->before != NULL)
            row->before();
        own[count] = timed(row->run);
        raw[count] = timed_raw(row->raw);
    }
    own_median = bench_quantile(own, count, 0.5);
    raw_median = bench_quantile(raw, count, 0.5);
    (void)printf("{\"operation\": \"%s\", \"us\": %.0f, \"raw_us\": %.0f, \"ratio\": %.3f}\n",
        row->name, 1e6 * own_median, 1e6 * raw_median, own_median / raw_median);
    free(own);
    free(raw);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {.name = "seal+sign",
            .run = seal_and_sign,
            .raw = {[RAW_SIGN] = 1, [RAW_VERIFY] = 1, [RAW_SEAL] = 2, [RAW_HKDF] = 3}},
        {.name = "open+verify",
            .before = seal_and_sign,
            .run = open_and_verify,
            .raw = {[RAW_VERIFY] = 1, [RAW_SEAL] = 2, [RAW_HKDF] = 3}},
        {.name = "session, initiator",
            .run = initiate,
            .raw = {[RAW_SIGN] = 1,
                [RAW_VERIFY] = 1,
                [RAW_WRAP] = 1,
                [RAW_DH_KEY] = 2,
                [RAW_DH] = 3,
                [RAW_SEAL] = 1,
                [RAW_HKDF] = 4}},
        {.name = "session, responder",
            .before = set_up_and_seal,
            .run = accept_first,
            .raw =
                {[RAW_UNWRAP] = 1, [RAW_VERIFY] = 2, [RAW_DH] = 2, [RAW_SEAL] = 1, [RAW_HKDF] = 4}},
    };
    static const char text[] = "The quick brown fox jumps over the lazy dog.";
    double seconds = argc == 2 ? (double)bench_number(argv[1], 3600) : 2;

    bench_must(signet_library_new(NULL, &bench.library), "start");
    raw_begin();
    client_make(&bench.alice, 0);
    client_make(&bench.bob, 1);
    bench.draft = (struct signet_entry_draft){
        .to = *signet_account_address(bench.bob.account),
        .to_list = *signet_card_list(signet_account_card(bench.bob.account)),
        .sequence = 1,
        .sent_at = NOW_MS,
        .kind = SIGNET_KIND_TEXT,
        .body = signet_span_str(text),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        measure(&rows[i], seconds);
    signet_buf_free(&bench.content);
    signet_buf_free(&bench.envelope);
    signet_buf_free(&bench.opened);
    client_free(&bench.alice);
    client_free(&bench.bob);
    raw_end();
    signet_library_free(bench.library);
    return EXIT_SUCCESS;
}
