/* alice, bob, carol and mallory, and sessions between them. */
#include "tests/support/parties.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/forge_account.h"
#include "tests/support/key_pool.h"

enum { PARTY_BITS = 2048, FIRST_ONE_TIME = 7 };

static void must(enum signet_err err, const char *what)
{
    if (err == SIGNET_OK)
        return;
    (void)fprintf(stderr, "parties: cannot %s: %s\n", what, signet_err_text(err));
    abort();
}

struct crypto_rsa_private *party_key(
    struct signet_library *library, enum party_name name, enum party_key which)
{
    return key_pool_take(library, PARTY_BITS, (unsigned)name * PARTY_KEYS + (unsigned)which);
}

struct party party_new(struct signet_library *library, enum party_name name)
{
    struct party party = {.library = library, .name = name};
    struct crypto_rsa_private *next = party_key(library, name, PARTY_NEXT_IDENTITY);
    struct forged_account keys = {
        .identity = party_key(library, name, PARTY_IDENTITY),
        .device = party_key(library, name, PARTY_DEVICE),
        .next_identity = *crypto_rsa_public_fingerprint(crypto_rsa_private_public(next)),
    };

    crypto_rsa_private_free(next);
    party.account = forge_account(library, &keys, PARTY_NOW);
    return party;
}

void party_free(struct party *party)
{
    signet_account_free(party->account);
    signet_bundle_secrets_free(party->secrets);
    signet_bundle_free(party->bundle);
    signet_buf_free(&party->bundle_bytes);
    signet_buf_free(&party->one_time_keys);
    memset(party, 0, sizeof(*party));
}

const struct signet_card *party_card(const struct party *party)
{
    return signet_account_card(party->account);
}

void party_publish(struct party *party, uint64_t version)
{
    struct signet_bundle_order order = {
        .account = party->account, .version = version, .now_ms = PARTY_NOW};
    struct forged_secrets keys = {.oaep_made_at = PARTY_NOW};
    struct signet_buf made[2] = {{0}};

    keys.oaep_key = party_key(party->library, party->name, PARTY_OAEP);
    memset(keys.reject.k, 0x5a, sizeof(keys.reject.k));
    signet_bundle_secrets_free(party->secrets);
    signet_bundle_free(party->bundle);
    signet_buf_free(&party->bundle_bytes);
    signet_buf_free(&party->one_time_keys);
    party->secrets = forge_secrets(party->library, &order, &keys, made);
    party->bundle_bytes = made[0];
    party->one_time_keys = made[1];
    must(signet_bundle_read(
             party->library, signet_buf_span(&made[0]), party_card(party), &party->bundle),
        "read a bundle");
}

struct signet_one_time party_one_time(const struct party *party, uint32_t index)
{
    struct signet_one_time one_time = {0};

    must(signet_one_time_prove(
             party->library, signet_buf_span(&party->one_time_keys), index, &one_time),
        "prove a one-time prekey");
    return one_time;
}

struct signet_session *party_initiate(
    const struct party *from, const struct party *to, const struct signet_one_time *one_time)
{
    struct signet_session_peer peer = {party_card(to), to->bundle, one_time};
    struct signet_session *session = NULL;

    must(signet_session_initiate(from->library, from->account, &peer, PARTY_NOW, &session),
        "start a session");
    return session;
}

enum signet_err party_accept(
    const struct party *to, signet_span envelope, struct signet_session **session_out)
{
    struct signet_session_own own = {to->account, to->secrets};

    *session_out = NULL;
    return signet_session_accept(to->library, &own, envelope, PARTY_NOW, session_out);
}

struct signet_buf party_sign(const struct party *from, const struct party *to, const char *text)
{
    struct signet_entry_draft draft = {
        .to = *signet_account_address(to->account),
        .to_list = *signet_card_list(party_card(to)),
        .sequence = 1,
        .sent_at = PARTY_NOW,
        .kind = SIGNET_KIND_TEXT,
        .body = signet_span_str(text),
    };
    struct signet_buf content = {0};
    struct signet_id id;

    must(signet_entry_sign(from->library, from->account, &draft, &content, &id), "sign");
    return content;
}

struct signet_channel party_channel(const struct party *to, const struct party *from)
{
    struct signet_channel channel = {
        .account = to->account,
        .peer_card = party_card(from),
        .peer_device = *signet_account_device(from->account),
    };

    return channel;
}

struct pair pair_new(uint64_t seed)
{
    struct pair pair = {.seeded = seeded_library_new(seed)};
    struct signet_one_time one_time;

    pair.library = pair.seeded.library;
    pair.party[ALICE] = party_new(pair.library, ALICE);
    pair.party[BOB] = party_new(pair.library, BOB);
    party_publish(&pair.party[BOB], 1);
    one_time = party_one_time(&pair.party[BOB], FIRST_ONE_TIME);
    pair.session[ALICE] = party_initiate(&pair.party[ALICE], &pair.party[BOB], &one_time);
    return pair;
}

struct pair pair_established(uint64_t seed)
{
    struct pair pair = pair_new(seed);

    if (!pair_opens(&pair, BOB, pair_seal(&pair, ALICE, "hello bob"), "hello bob") ||
        !pair_opens(&pair, ALICE, pair_seal(&pair, BOB, "hello alice"), "hello alice"))
        must(SIGNET_ERR_STATE, "establish a session");
    return pair;
}

void pair_free(struct pair *pair)
{
    for (size_t i = 0; i < pair->sealed_count; i++)
        signet_buf_free(&pair->sealed[i]);
    free(pair->sealed);
    for (size_t i = 0; i < 2; i++) {
        signet_session_free(pair->session[i]);
        party_free(&pair->party[i]);
    }
    seeded_library_free(&pair->seeded);
    memset(pair, 0, sizeof(*pair));
}

signet_span pair_seal(struct pair *pair, enum party_name from, const char *content)
{
    struct signet_buf envelope = {0};
    struct signet_buf *sealed =
        realloc(pair->sealed, (pair->sealed_count + 1) * sizeof(*pair->sealed));

    must(sealed == NULL ? SIGNET_ERR_NOMEM : SIGNET_OK, "keep an envelope");
    must(signet_session_seal(pair->session[from], signet_span_str(content), &envelope), "seal");
    pair->sealed = sealed;
    pair->sealed[pair->sealed_count++] = envelope;
    return signet_buf_span(&envelope);
}

enum signet_err pair_open(
    struct pair *pair, enum party_name to, signet_span envelope, struct signet_buf *content)
{
    struct signet_session *accepted = NULL;
    enum signet_err err;

    if (pair->session[to] != NULL)
        return signet_session_open(pair->session[to], envelope, PARTY_NOW, content);
    err = party_accept(&pair->party[to], envelope, &accepted);
    if (err == SIGNET_OK)
        err = signet_session_open(accepted, envelope, PARTY_NOW, content);
    if (err != SIGNET_OK) {
        signet_session_free(accepted);
        return err;
    }
    pair->session[to] = accepted;
    return SIGNET_OK;
}

bool pair_opens(struct pair *pair, enum party_name to, signet_span envelope, const char *content)
{
    struct signet_buf opened = {0};
    enum signet_err err = pair_open(pair, to, envelope, &opened);
    bool is_it = signet_span_equal(signet_buf_span(&opened), signet_span_str(content));

    if (err != SIGNET_OK)
        (void)fprintf(stderr, "parties: does not open: %s\n", signet_err_text(err));
    signet_buf_free(&opened);
    return err == SIGNET_OK && is_it;
}

enum signet_err pair_refusal(struct pair *pair, enum party_name to, signet_span envelope)
{
    struct signet_buf opened = {0};
    enum signet_err err = pair_open(pair, to, envelope, &opened);

    must(err != SIGNET_OK && opened.len > 0 ? SIGNET_ERR_STATE : SIGNET_OK, "keep output empty");
    signet_buf_free(&opened);
    return err;
}

struct signet_buf pair_state(const struct pair *pair, enum party_name who)
{
    struct signet_buf state = {0};

    must(signet_session_encode(pair->session[who], &state), "encode a session");
    return state;
}

void pair_reload(struct pair *pair, enum party_name who)
{
    struct signet_buf state = pair_state(pair, who);
    struct signet_session *again = NULL;

    must(signet_session_decode(pair->library, signet_buf_span(&state), &again), "decode a session");
    signet_session_free(pair->session[who]);
    pair->session[who] = again;
    signet_buf_free(&state);
}
