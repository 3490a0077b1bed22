/*
 * protocol: the n-th allocation fails, for every n: our own, OpenSSL's, and those of secret memory.
 * The call says that the machine failed, changes nothing, leaks nothing (AddressSanitizer; the
 * secure heap is counted here), and succeeds when repeated.
 */
#include "tests/support/unit.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "tests/support/failing_memory.h"
#include "tests/support/parties.h"

/* -Wl,--wrap: secret memory fails like the other. */
void *__real_CRYPTO_secure_zalloc(size_t len, const char *file, int line);
void *__wrap_CRYPTO_secure_zalloc(size_t len, const char *file, int line);

void *__wrap_CRYPTO_secure_zalloc(size_t len, const char *file, int line)
{
    return failing_memory_fails_now() ? NULL : __real_CRYPTO_secure_zalloc(len, file, line);
}

/* What the calls work on, and what came of the last one. */
struct bench {
    struct pair pair;
    signet_span message;       /* of alice's, far ahead: there are keys to be skipped */
    signet_span first;         /* with init data */
    struct signet_buf content; /* signed by alice for bob */
    struct signet_one_time one_time;
    struct signet_session *his; /* a copy to be changed */
    struct signet_buf out;
    struct signet_session *made;
    struct signet_card *card;
    struct signet_entry entry;
};

/* A call, made again and again; it puts its result where `has_result` looks. */
struct call {
    enum signet_err (*run)(struct bench *b);
    bool (*has_result)(const struct bench *b);
};

static enum signet_err run_open(struct bench *b)
{
    return signet_session_open(b->his, b->message, PARTY_NOW, &b->out);
}

static enum signet_err run_seal(struct bench *b)
{
    return signet_session_seal(b->his, signet_span_str("text"), &b->out);
}

static enum signet_err run_entry(struct bench *b)
{
    struct signet_channel channel = party_channel(&b->pair.party[BOB], &b->pair.party[ALICE]);

    return signet_entry_open(b->pair.library, signet_buf_span(&b->content), &channel, &b->entry);
}

static enum signet_err run_sign(struct bench *b)
{
    struct signet_entry_draft draft = {
        .to = *signet_account_address(b->pair.party[BOB].account),
        .to_list = *signet_card_list(party_card(&b->pair.party[BOB])),
        .sequence = 1,
        .kind = SIGNET_KIND_TEXT,
        .body = signet_span_str("text"),
        .with_card = true,
    };
    struct signet_id id;

    return signet_entry_sign(b->pair.library, b->pair.party[ALICE].account, &draft, &b->out, &id);
}

static enum signet_err run_card(struct bench *b)
{
    return signet_card_read(
        b->pair.library, signet_card_bytes(party_card(&b->pair.party[ALICE])), &b->card);
}

static enum signet_err run_initiate(struct bench *b)
{
    const struct party *bob = &b->pair.party[BOB];
    struct signet_session_peer peer = {party_card(bob), bob->bundle, &b->one_time};

    return signet_session_initiate(
        b->pair.library, b->pair.party[ALICE].account, &peer, PARTY_NOW, &b->made);
}

static enum signet_err run_accept(struct bench *b)
{
    return party_accept(&b->pair.party[BOB], b->first, &b->made);
}

static bool has_out(const struct bench *b)
{
    return b->out.len > 0;
}

static bool has_entry(const struct bench *b)
{
    return b->entry.sequence != 0;
}

static bool has_card(const struct bench *b)
{
    return b->card != NULL;
}

static bool has_session(const struct bench *b)
{
    return b->made != NULL;
}

static void clear(struct bench *b)
{
    signet_session_free(b->his);
    b->his = NULL;
    signet_session_free(b->made);
    b->made = NULL;
    signet_card_free(b->card);
    b->card = NULL;
    signet_buf_free(&b->out);
    memset(&b->entry, 0, sizeof(b->entry));
}

static struct signet_buf state_of(const struct signet_session *session)
{
    struct signet_buf state = {0};

    CHECK_OK(signet_session_encode(session, &state));
    return state;
}

/* Make the call with the n-th allocation failing. False: there were not that many. */
static bool fail_nth(struct bench *b, const struct call *call, long n)
{
    struct signet_buf before, after;
    enum signet_err err;
    bool has_failed;

    CHECK_OK(signet_session_copy(b->pair.session[BOB], &b->his));
    before = state_of(b->his);
    failing_memory_start(n);
    err = call->run(b);
    has_failed = failing_memory_stop();
    ERR_clear_error();
    if (err != SIGNET_OK) {
        CHECK(err == SIGNET_ERR_NOMEM || err == SIGNET_ERR_CRYPTO);
        CHECK(!call->has_result(b));
        after = state_of(b->his);
        CHECK(signet_span_equal(signet_buf_span(&before), signet_buf_span(&after)));
        signet_buf_free(&after);
        CHECK_OK(call->run(b));
    }
    /* OpenSSL gets by without some: then all must be as if nothing had failed. */
    CHECK(call->has_result(b));
    signet_buf_free(&before);
    clear(b);
    return has_failed;
}

static void fail_each(const struct call *call)
{
    struct bench b = {.pair = pair_new(271)};
    size_t used;
    long n = 0;

    b.first = pair_seal(&b.pair, ALICE, "first");
    CHECK_OPENS(&b.pair, BOB, pair_seal(&b.pair, ALICE, "second"), "second");
    CHECK_OPENS(&b.pair, ALICE, pair_seal(&b.pair, BOB, "answer"), "answer");
    for (int i = 0; i < 3; i++)
        b.message = pair_seal(&b.pair, ALICE, "ahead");
    b.content = party_sign(&b.pair.party[ALICE], &b.pair.party[BOB], "text");
    b.one_time = party_one_time(&b.pair.party[BOB], 9);
    used = CRYPTO_secure_used();
    while (fail_nth(&b, call, n))
        n++;
    CHECK(n > 0);
    CHECK(CRYPTO_secure_used() == used);
    signet_buf_free(&b.content);
    pair_free(&b.pair);
}

static void opening_fails_whole(void **state)
{
    (void)state;
    fail_each(&(struct call){run_open, has_out});
}

static void sealing_fails_whole(void **state)
{
    (void)state;
    fail_each(&(struct call){run_seal, has_out});
}

static void verifying_an_entry_fails_whole(void **state)
{
    (void)state;
    fail_each(&(struct call){run_entry, has_entry});
}

static void signing_an_entry_fails_whole(void **state)
{
    (void)state;
    fail_each(&(struct call){run_sign, has_out});
}

static void reading_a_card_fails_whole(void **state)
{
    (void)state;
    fail_each(&(struct call){run_card, has_card});
}

static void starting_a_session_fails_whole(void **state)
{
    (void)state;
    fail_each(&(struct call){run_initiate, has_session});
}

static void accepting_a_session_fails_whole(void **state)
{
    (void)state;
    fail_each(&(struct call){run_accept, has_session});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_fails_whole),
        cmocka_unit_test(sealing_fails_whole),
        cmocka_unit_test(verifying_an_entry_fails_whole),
        cmocka_unit_test(signing_an_entry_fails_whole),
        cmocka_unit_test(reading_a_card_fails_whole),
        cmocka_unit_test(starting_a_session_fails_whole),
        cmocka_unit_test(accepting_a_session_fails_whole),
    };

    /* Before OpenSSL allocates anything. */
    if (!failing_memory_take_openssl())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
