/* Taking a prekey bundle and starting a session with it: docs/protocol.md, sections 4 and 5. */
#include "engine/directory/prekeys.h"

#include <string.h>

#include "engine/account.h"
#include "engine/history/verdict.h"
#include "engine/sessions/sessions.h"
#include "engine/txn/refusal.h"

enum signet_err prekeys_claim(
    struct txn *t, struct contact_slot *slot, const struct signet_id *device)
{
    struct relay_message message = {.type = RELAY_TAKE, .id = *device};
    struct request *request;
    enum signet_err err = requests_ask(t, REQUEST_TAKE, &message, &request);

    if (err != SIGNET_OK)
        return err;
    request->address = slot->contact.address;
    request->device = *device;
    slot->is_asking = true;
    return SIGNET_OK;
}

/* The bundle must not be older than one seen, nor another one of the same version. */
static enum signet_err check_version(struct contact *contact, const struct signet_bundle *bundle)
{
    struct contact_device *seen = contact_find_device(contact, signet_bundle_device(bundle));

    if (seen == NULL)
        return SIGNET_ERR_LIMIT;
    if (signet_bundle_version(bundle) < seen->bundle_version ||
        signet_bundle_suite_max(bundle) < seen->suite)
        return SIGNET_ERR_ROLLBACK;
    if (signet_bundle_version(bundle) == seen->bundle_version &&
        !signet_id_equal(signet_bundle_id(bundle), &seen->bundle))
        return SIGNET_ERR_FORK;
    return SIGNET_OK;
}

static void note_version(
    struct contact *contact, const struct signet_bundle *bundle, bool is_expired)
{
    struct contact_device *seen = contact_find_device(contact, signet_bundle_device(bundle));

    if (seen == NULL)
        return; /* check_version has made room */
    seen->bundle_version = signet_bundle_version(bundle);
    seen->suite = signet_bundle_suite_max(bundle);
    seen->bundle = *signet_bundle_id(bundle);
    seen->is_expired = is_expired;
}

/* Expired is expired for good: a clock set back opens no old door. */
static enum signet_err check_time(
    struct txn *t, struct contact_slot *slot, const struct signet_bundle *bundle)
{
    struct contact *contact = &slot->contact;
    const struct contact_device *seen = contact_find_device(contact, signet_bundle_device(bundle));
    enum signet_err err = signet_bundle_check_time(bundle, t->now_ms);

    if (err == SIGNET_OK && seen != NULL && seen->is_expired &&
        signet_id_equal(signet_bundle_id(bundle), &seen->bundle))
        return SIGNET_ERR_EXPIRED;
    if (err != SIGNET_ERR_EXPIRED)
        return err;
    note_version(contact, bundle, true);
    err = contacts_save(t, slot);
    return err == SIGNET_OK ? SIGNET_ERR_EXPIRED : err;
}

static void copy_one_time(const struct relay_message *message, struct signet_one_time *out)
{
    memset(out, 0, sizeof(*out));
    out->index = (uint32_t)message->prekey.index;
    memcpy(out->key, message->prekey.key.ptr, sizeof(out->key));
    out->path_len = relay_path_copy(message, out->path);
}

static enum signet_err explain_session(struct txn *t, const struct signet_bundle *bundle,
    const struct signet_session *session, bool has_one_time)
{
    char device[SIGNET_ID_SHORT_SIZE], transcript[SIGNET_ID_SHORT_SIZE];
    enum signet_err err;

    signet_id_short(signet_bundle_device(bundle), device);
    signet_id_short(signet_session_transcript(session), transcript);
    err = txn_explain(t, "authentication, integrity", "prekey bundle checked",
        "RSA-PSS, SHA-256; Merkle tree", "version %llu, signed by device %s: holds; %s",
        (unsigned long long)signet_bundle_version(bundle), device,
        has_one_time ? "one-time prekey proved by 8 hashes" : "the relay had no one-time prekey");
    if (err != SIGNET_OK)
        return err;
    err = txn_explain(t, "confidentiality", "session key wrapped with their RSA key",
        "RSA-OAEP 3072, SHA-256", "32 random bytes -> 384 bytes that only device %s can open",
        device);
    if (err != SIGNET_OK)
        return err;
    return txn_explain(t, "confidentiality, authentication",
        "keys agreed, then derived from all secrets", "X25519; HKDF-SHA-256",
        "%d Diffie-Hellman results beside the RSA secret; both identities hashed in and signed; "
        "transcript %s",
        has_one_time ? 2 : 1, transcript);
}

/* Start a session with what the relay handed out. Errors: verdicts, and machine errors. */
static enum signet_err start_session(struct txn *t, struct contact_slot *slot,
    const struct signet_id *device, const struct relay_message *message)
{
    struct contact *contact = &slot->contact;
    struct signet_session *session = NULL;
    struct signet_bundle *bundle = NULL;
    struct signet_one_time one_time;
    struct signet_session_peer peer = {.card = contact->card};
    enum signet_err err;

    err = signet_bundle_read(t->library, message->bundle, contact->card, &bundle);
    if (err != SIGNET_OK)
        return err;
    err = SIGNET_ERR_SIGNER; /* of another device than was asked for */
    if (!signet_id_equal(signet_bundle_device(bundle), device))
        goto out;
    if ((err = check_version(contact, bundle)) != SIGNET_OK)
        goto out;
    if ((err = check_time(t, slot, bundle)) != SIGNET_OK)
        goto out;
    if (message->has_prekey) {
        copy_one_time(message, &one_time);
        peer.one_time = &one_time;
    }
    peer.bundle = bundle;
    err = signet_session_initiate(t->library, t->own->account, &peer, t->now_ms, &session);
    if (err != SIGNET_OK)
        goto out;
    if ((err = explain_session(t, bundle, session, message->has_prekey)) != SIGNET_OK)
        goto out;
    if ((err = sessions_save(t, session)) != SIGNET_OK)
        goto out;
    session = NULL;
    note_version(contact, bundle, false);
    err = contacts_save(t, slot);
out:
    signet_session_free(session);
    signet_bundle_free(bundle);
    return err;
}

enum signet_err prekeys_claimed(
    struct txn *t, const struct request *request, const struct relay_message *message)
{
    struct contact_slot *slot;
    enum signet_err err = contacts_load(t, &request->address, &slot);

    if (err != SIGNET_OK)
        return err;
    slot->is_asking = false;
    err = start_session(t, slot, &request->device, message);
    if (verdict_exists(err)) {
        enum engine_problem problem =
            err == SIGNET_ERR_EXPIRED || err == SIGNET_ERR_NOT_YET ? PROBLEM_EXPIRED : PROBLEM_CARD;

        return outcome_failed(t, &request->address, NULL, problem);
    }
    return err;
}

enum signet_err prekeys_not_claimed(
    struct txn *t, const struct request *request, const struct relay_message *refusal)
{
    struct contact_slot *slot;
    if (contacts_load(t, &request->address, &slot) == SIGNET_OK)
        slot->is_asking = false;
    if (refusal->code == RELAY_CODE_UNKNOWN)
        return outcome_failed(t, &request->address, NULL, PROBLEM_NO_BUNDLE);
    return outcome_held(
        t, &request->address, refusal_problem(refusal), refusal_retry_at(refusal, t->now_ms));
}
