/* The rooms of a client's engine, and one call of it. */
#include "tests/support/txn_rig.h"

#include <stdlib.h>

#include "engine/inbox/undecided.h"
#include "tests/support/forge.h"

static struct txn begin(struct txn_rig *rig, uint64_t now_ms)
{
    return (struct txn){
        .library = rig->library,
        .records = memory_records_source(rig->records),
        .explain = true,
        .now_ms = now_ms,
        .output = &rig->output,
        .requests = &rig->requests,
        .held = &rig->held,
        .own = &rig->own,
        .contacts = &rig->contacts,
        .sessions = &rig->sessions,
        .recovery = &rig->recovery,
        .outbox = &rig->outbox,
        .inbox = &rig->inbox,
        .login = &rig->login,
    };
}

void txn_rig_open(struct txn_rig *rig, uint64_t seed)
{
    memset(rig, 0, sizeof(*rig));
    rig->seeded = seeded_library_new(seed);
    rig->library = rig->seeded.library;
    rig->alice = party_new(rig->library, ALICE);
    rig->bob = party_new(rig->library, BOB);
    rig->records = memory_records_new();
    CHECK(rig->records != NULL);
    rig->t = begin(rig, PARTY_NOW);
    rig->requests.phase = PHASE_READY;
    rig->own.account = rig->alice.account;
    rig->own.relay.is_registered = true;
    rig->own.relay.invitation.port = 443;
    memcpy(rig->own.relay.invitation.host, "relay.example", sizeof("relay.example"));
    memcpy(rig->own.relay.name, "alice", sizeof("alice"));
    CHECK_OK(own_save_account(&rig->t));
    CHECK_OK(own_save_relay(&rig->t));
    CHECK_OK(own_save_counters(&rig->t));
    txn_rig_commit(rig);
}

/* What the rooms hold in memory. The account that the party owns stays. */
static void clear_rooms(struct txn_rig *rig)
{
    requests_free(&rig->requests);
    held_free(&rig->held);
    sessions_free(&rig->sessions);
    contacts_free(&rig->contacts);
    outbox_free(&rig->outbox);
    inbox_clear(&rig->inbox);
    if (rig->own.account != rig->alice.account)
        own_free(&rig->own);
    rig->requests = (struct requests){.phase = PHASE_READY};
    rig->held = (struct held){0};
    rig->own = (struct own){0};
    rig->contacts = (struct contacts){0};
    rig->sessions = (struct sessions){0};
    rig->recovery = (struct recovery){0};
    rig->outbox = (struct outbox){0};
    rig->inbox = (struct inbox){0};
    rig->login = (struct login){0};
}

void txn_rig_close(struct txn_rig *rig)
{
    outcomes_clear(&rig->t);
    engine_output_clear(&rig->output);
    clear_rooms(rig);
    memory_records_free(rig->records);
    party_free(&rig->alice);
    party_free(&rig->bob);
    seeded_library_free(&rig->seeded);
}

void txn_rig_forget(struct txn_rig *rig)
{
    struct record_batch changes = {0};

    record_batch_append(&changes, &rig->output.changes);
    outcomes_clear(&rig->t);
    engine_output_clear(&rig->output);
    record_batch_append(&rig->output.changes, &changes);
}

void txn_rig_commit(struct txn_rig *rig)
{
    CHECK_OK(memory_records_commit(rig->records, &rig->output.changes));
    outcomes_clear(&rig->t);
    engine_output_clear(&rig->output);
}

void txn_rig_restart(struct txn_rig *rig)
{
    outcomes_clear(&rig->t);
    engine_output_clear(&rig->output);
    clear_rooms(rig);
    rig->t = begin(rig, rig->t.now_ms);
    CHECK_OK(own_load_account(&rig->t));
    CHECK_OK(own_load_relay(&rig->t));
    CHECK_OK(own_load_counters(&rig->t));
    CHECK_OK(outbox_load(&rig->t));
    CHECK_OK(undecided_load(&rig->t));
}

size_t txn_rig_count(const struct txn_rig *rig, enum engine_event_type type)
{
    size_t count = 0;

    for (const struct engine_event *e = rig->output.first_event; e != NULL; e = e->next)
        count += e->type == type;
    return count;
}

const struct engine_event *txn_rig_event(const struct txn_rig *rig, enum engine_event_type type)
{
    const struct engine_event *event = rig->output.first_event;

    while (event != NULL && event->type != type)
        event = event->next;
    CHECK(event != NULL);
    return event;
}

struct relay_message txn_rig_message(const struct txn_rig *rig, size_t index)
{
    struct relay_message message = {0};

    for (const struct engine_frame *f = rig->output.first_frame; f != NULL; f = f->next) {
        signet_span rest = signet_buf_span(&f->bytes);

        while (rest.len > 0) {
            CHECK_OK(relay_message_read(rest, &message, &rest));
            if (index-- == 0)
                return message;
        }
    }
    return (struct relay_message){0};
}

struct outcome txn_rig_outcome(struct txn_rig *rig, enum outcome_type type)
{
    struct outcome *first = outcome_next(&rig->t);
    struct outcome outcome;

    CHECK(first != NULL && first->type == type);
    outcome = *first;
    free(first);
    return outcome;
}

bool txn_rig_has(struct txn_rig *rig, enum record_kind kind, signet_span name, uint64_t number)
{
    struct record_key key = {kind, name, number};
    struct signet_buf value = {0};
    enum signet_err err = txn_get(&rig->t, &key, &value);

    CHECK(err == SIGNET_OK || err == SIGNET_ERR_UNKNOWN || err == SIGNET_ERR_AUTH);
    signet_buf_free(&value);
    return err != SIGNET_ERR_UNKNOWN;
}

struct contact_slot *txn_rig_contact(
    struct txn_rig *rig, const struct party *party, const char *name)
{
    struct signet_card *card = NULL;
    struct contact_slot *slot;

    CHECK_OK(signet_card_read(rig->library, signet_card_bytes(party_card(party)), &card));
    CHECK_OK(contacts_add(&rig->t, card, CONTACT_UNVERIFIED, &slot));
    signet_card_free(card);
    slot->contact.fetched_at = rig->t.now_ms;
    CHECK_OK(contacts_give_name(&rig->t, slot, name));
    txn_rig_commit(rig);
    return slot;
}

struct signet_id txn_rig_session(struct txn_rig *rig, const struct party *party)
{
    struct signet_session *session = party_initiate(&rig->alice, party, NULL);
    struct signet_id transcript = *signet_session_transcript(session);

    CHECK_OK(sessions_save(&rig->t, session));
    txn_rig_commit(rig);
    return transcript;
}

struct signet_session *txn_rig_answered(
    struct txn_rig *rig, const struct party *party, uint64_t received_at, unsigned lost)
{
    struct signet_session *ours = party_initiate(&rig->alice, party, NULL), *theirs = NULL;
    struct signet_buf envelope = {0}, content = {0};

    if (received_at == 0)
        return ours;
    CHECK_OK(signet_session_seal(ours, signet_span_str("hello"), &envelope));
    CHECK_OK(party_accept(party, signet_buf_span(&envelope), &theirs));
    CHECK_OK(signet_session_open(theirs, signet_buf_span(&envelope), PARTY_NOW, &content));
    for (unsigned i = 0; i <= lost; i++) {
        signet_buf_truncate(&envelope, 0);
        CHECK_OK(signet_session_seal(theirs, signet_span_str("answer"), &envelope));
    }
    CHECK_OK(signet_session_open(ours, signet_buf_span(&envelope), received_at, &content));
    signet_session_free(theirs);
    signet_buf_free(&envelope);
    signet_buf_free(&content);
    return ours;
}

void txn_rig_publish(struct txn_rig *rig)
{
    struct counters *c = &rig->own.counters;

    party_publish(&rig->alice, ++c->bundle_version);
    CHECK_OK(own_save_bundle(&rig->t, rig->alice.secrets));
    c->bundles[c->bundle_count++] = (struct own_bundle){
        .id = *signet_bundle_secrets_id(rig->alice.secrets),
        .version = c->bundle_version,
        .made_at = PARTY_NOW,
        .not_after = signet_bundle_secrets_not_after(rig->alice.secrets),
    };
    CHECK_OK(own_save_counters(&rig->t));
    txn_rig_commit(rig);
}

/* The devices stand in the order of their ids. */
static void list_device(struct forged_list *list, struct crypto_rsa_public *key)
{
    struct forged_device device = {*crypto_rsa_public_fingerprint(key), key, list->version};
    size_t at = list->device_count++;

    for (; at > 0 && signet_id_compare(&list->devices[at - 1].id, &device.id) > 0; at--)
        list->devices[at] = list->devices[at - 1];
    list->devices[at] = device;
}

struct signet_card *card_of(const struct party *party, uint64_t version, size_t other_devices)
{
    struct crypto_rsa_private *keys[2] = {party_key(party->library, CAROL, PARTY_DEVICE),
        party_key(party->library, MALLORY, PARTY_DEVICE)};
    struct forged_list list = forge_list(party);
    struct forged_link link = {.identity = forge_identity_key(party->account), .list = &list};
    struct signet_card *card = NULL;

    list.version = version;
    list.has_previous = version > 1;
    list.previous = *signet_card_list(party_card(party));
    for (size_t i = 0; i < other_devices; i++)
        list_device(&list, crypto_rsa_private_public(keys[i]));
    CHECK_OK(forge_card(party->library, &link, 1, &card));
    for (size_t i = 0; i < 2; i++)
        crypto_rsa_private_free(keys[i]);
    return card;
}

struct signet_id id_of(unsigned byte)
{
    struct signet_id id;

    memset(id.b, (int)byte, sizeof(id.b));
    return id;
}
