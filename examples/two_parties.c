/*
 * Two parties in memory: no relay, no socket, no file.
 *
 * alice and bob make accounts and exchange cards (public keys, signed). bob publishes a prekey
 * bundle; alice starts a session with it, signs a message and seals it; bob opens and verifies it,
 * and answers. Build it against the installed library: cc two_parties.c $(pkg-config --cflags --libs signet)
 */
#include <stdio.h>
#include <stdlib.h>

#include <signet/signet.h>

#define NOW_MS UINT64_C(1800000000000) /* time is an argument: the library has no clock */

static void must(enum signet_err err, const char *what)
{
    if (err == SIGNET_OK)
        return;
    fprintf(stderr, "two_parties: %s: %s\n", what, signet_err_text(err));
    exit(1);
}

/* Sign a text from one account to another and seal it in a session. */
static void send_text(struct signet_library *library, const struct signet_account *from,
    const struct signet_card *to, struct signet_session *session, const char *text,
    struct signet_buf *envelope)
{
    struct signet_entry_draft draft = {
        .to = *signet_card_address(to),
        .to_list = *signet_card_list(to),
        .sequence = 1,
        .sent_at = NOW_MS,
        .kind = SIGNET_KIND_TEXT,
        .body = signet_span_str(text),
    };
    struct signet_buf content = {0};
    struct signet_id id;

    must(signet_entry_sign(library, from, &draft, &content, &id), "sign");
    must(signet_session_seal(session, signet_buf_span(&content), envelope), "seal");
    signet_buf_free(&content);
}

/* Open an envelope, verify the signed entry inside, and print it. */
static void receive_text(struct signet_library *library, const struct signet_account *self,
    const struct signet_card *from, struct signet_session *session, signet_span envelope)
{
    struct signet_channel channel = {
        .account = self,
        .peer_card = from,
        .peer_device = *signet_session_peer_device(session),
    };
    struct signet_buf content = {0};
    struct signet_entry entry;
    char id[SIGNET_ID_TEXT_SIZE];

    must(signet_session_open(session, envelope, NOW_MS, &content), "open");
    must(signet_entry_open(library, signet_buf_span(&content), &channel, &entry), "verify");
    signet_id_text(&entry.id, id);
    printf("verified %.16s...: %.*s\n", id, (int)entry.body.len, (const char *)entry.body.ptr);
    signet_buf_free(&content);
}

int main(void)
{
    struct signet_library *library;
    struct signet_account *alice, *bob;
    struct signet_next_identity next_alice = {.pkcs8 = {0}}, next_bob = {.pkcs8 = {0}};
    struct signet_bundle_secrets *secrets;
    struct signet_bundle *bundle;
    struct signet_session *hers, *his;
    struct signet_buf bytes = {0}, keys = {0}, hello = {0}, answer = {0};

    must(signet_library_new(NULL, &library), "library");
    must(signet_account_create(library, 3072, NOW_MS, &alice, &next_alice), "alice's account");
    must(signet_account_create(library, 3072, NOW_MS, &bob, &next_bob), "bob's account");

    /* bob publishes a bundle; alice verifies it against his card and takes a one-time prekey. */
    struct signet_bundle_order order = {.account = bob, .version = 1, .now_ms = NOW_MS};
    must(signet_bundle_make(library, &order, &secrets, &bytes, &keys), "bundle");
    const struct signet_card *her_card = signet_account_card(alice);
    const struct signet_card *his_card = signet_account_card(bob);
    must(signet_bundle_read(library, signet_buf_span(&bytes), his_card, &bundle), "read bundle");
    struct signet_one_time one_time;
    must(signet_one_time_prove(library, signet_buf_span(&keys), 7, &one_time), "one-time prekey");

    struct signet_session_peer peer = {his_card, bundle, &one_time};
    must(signet_session_initiate(library, alice, &peer, NOW_MS, &hers), "start a session");
    send_text(library, alice, his_card, hers, "hello bob", &hello);

    struct signet_session_own own = {bob, secrets};
    must(signet_session_accept(library, &own, signet_buf_span(&hello), NOW_MS, &his), "accept");
    receive_text(library, bob, her_card, his, signet_buf_span(&hello));
    signet_bundle_secrets_forget(secrets, one_time.index);
    send_text(library, bob, her_card, his, "hello alice", &answer);
    receive_text(library, alice, his_card, hers, signet_buf_span(&answer));

    signet_session_free(hers);
    signet_session_free(his);
    signet_bundle_free(bundle);
    signet_bundle_secrets_free(secrets);
    signet_account_free(alice);
    signet_account_free(bob);
    signet_buf_free(&next_alice.pkcs8);
    signet_buf_free(&next_bob.pkcs8);
    signet_buf_free(&bytes);
    signet_buf_free(&keys);
    signet_buf_free(&hello);
    signet_buf_free(&answer);
    signet_library_free(library);
    return 0;
}
